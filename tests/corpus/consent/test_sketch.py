"""Texts nearly alike are found by keyed digests."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hallmarked.core.errors import InputError
from hallmarked.corpus.consent.key import RegistryKey
from hallmarked.corpus.consent.selector import normal_text
from hallmarked.corpus.consent.sketch import SIZE, key_bands, key_values, make_sketch, read_sketch, sign_text

KEY = RegistryKey((b"k" * 32,))


def words(count: int, seed: int = 1) -> list[str]:
    dice = random.Random(seed)
    return ["".join(dice.choices("abcdefgh", k=5)) for _ in range(count)]


def edited(text: list[str], share: float, seed: int = 2) -> list[str]:
    dice = random.Random(seed)
    return ["edited" + str(number) if dice.random() < share else word for number, word in enumerate(text)]


def jaccard(one: list[str], other: list[str]) -> float:
    first, second = ({tuple(text[i : i + 5]) for i in range(len(text) - 4)} for text in (one, other))
    return len(first & second) / len(first | second)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.03, 0.3])
def test_the_estimate_is_near_the_true_resemblance(share: float) -> None:
    """Within four standard errors of what comparing all shingles says."""
    one = words(2_000)
    other = edited(one, share)
    signature = sign_text(normal_text(" ".join(other)))
    assert signature is not None
    estimate = make_sketch(KEY, " ".join(one)).resemblance(key_values(KEY, signature))
    assert estimate == pytest.approx(jaccard(one, other), abs=0.17)


def test_a_lightly_edited_copy_shares_a_band_and_a_stranger_does_not() -> None:
    """Candidates are found among the bands."""
    one = words(500)
    bands = set(make_sketch(KEY, " ".join(one)).bands)
    near, far = sign_text(" ".join(edited(one, 0.02))), sign_text(" ".join(words(500, seed=9)))
    assert near is not None
    assert far is not None
    assert bands & set(key_bands(KEY, near))
    assert not bands & set(key_bands(KEY, far))


def test_another_key_makes_another_sketch() -> None:
    """Without the key, nobody can tell whether a sketch is of a text they have."""
    text = " ".join(words(200))
    one, other = make_sketch(KEY, text), make_sketch(RegistryKey((b"o" * 32,)), text)
    assert not set(one.bands) & set(other.bands)
    assert sum(a == b for a, b in zip(one.values, other.values, strict=True)) == 0


def test_texts_without_spaces_have_sketches_too() -> None:
    """Shingles of characters take the place of words."""
    text = "".join(words(100))
    assert make_sketch(KEY, text).resemblance(make_sketch(KEY, text + "ending").values) > 0.9


def test_short_texts_are_refused() -> None:
    """Two short texts are alike by accident."""
    assert sign_text("five words are too few") is None
    with pytest.raises(InputError, match="too short"):
        make_sketch(KEY, "five words are too few")


def test_a_sketch_is_read_back_and_covered() -> None:
    """From its bytes, and under a renewed key."""
    text = " ".join(words(100))
    sketch = make_sketch(KEY, text)
    assert len(sketch.to_bytes()) == SIZE
    assert read_sketch(sketch.to_bytes()) == sketch
    new = KEY.renew()
    assert sketch.cover(new) == make_sketch(new, text)
    with pytest.raises(InputError):
        read_sketch(b"short")


@settings(max_examples=25)
@given(st.text(max_size=400))
def test_any_text_can_be_signed(text: str) -> None:
    """Surrogates, controls and scripts of all kinds; the same twice."""
    one, other = sign_text(normal_text(text)), sign_text(normal_text(text))
    assert (one is None and other is None) or (one is not None and other is not None and (one == other).all())
