"""Tests of sketches."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hallmarked.core.errors import InputError
from hallmarked.corpus.duplicate.sketch import UNSET, Settings, Sketcher, bands_of, estimate, minhash, prints_of

WORDS = [f"w{number}" for number in range(5000)]


def pair(words: int, shared: float, chance: random.Random) -> tuple[str, str, float]:
    """Make two texts of about so many shingles of one word that share about a part of them, and say how much."""
    pool = chance.sample(WORDS, words)
    both = round(words * shared)
    rest = pool[both:]
    one, other = pool[:both] + rest[::2], pool[:both] + rest[1::2]
    return " ".join(one), " ".join(other), both / words


@pytest.mark.parametrize("words", [12, 60, 500, 4000])
def test_agreement_estimates_similarity(words: int) -> None:
    """The share of equal numbers is the Jaccard similarity, for short texts and long ones, without a bias."""
    chance = random.Random(words)
    pairs = [pair(words, chance.uniform(0, 1), chance) for _ in range(150)]
    sketcher = Sketcher(Settings(words=1))
    ones, others = sketcher.sketch([each[0] for each in pairs]), sketcher.sketch([each[1] for each in pairs])
    errors = np.array([estimate(*two) for two in zip(ones, others, strict=True)]) - [each[2] for each in pairs]
    assert abs(errors.mean()) < 0.012
    assert np.abs(errors).max() < 0.18


def test_bands_find_what_is_similar() -> None:
    """Nearly all pairs from 0.8 on share a band, as 1 - (1 - J^5)^25 says; few at 0.3 do."""
    chance = random.Random(7)
    settings = Settings(words=1)
    sketcher = Sketcher(settings)

    def found(similarity: float) -> float:
        pairs = [pair(200, similarity, chance) for _ in range(600)]
        ones, others = (bands_of(sketcher.sketch([each[side] for each in pairs]), settings) for side in (0, 1))
        return float((ones == others).any(axis=0).mean())

    assert found(0.8) >= 0.995
    assert found(0.7) >= 0.97
    assert found(0.3) <= 0.12


@given(st.lists(st.text(max_size=80), min_size=1, max_size=8))
@settings(max_examples=30, deadline=None)
def test_a_sketch_depends_on_its_own_text_only(texts: list[str]) -> None:
    """Whatever else is sketched at the same time, and in which order, a text has its sketch."""
    sketcher = Sketcher()
    together = sketcher.sketch(texts)
    assert (together[::-1] == sketcher.sketch(texts[::-1])).all()
    for text, sketch in zip(texts, together, strict=True):
        assert (sketcher.sketch([text])[0] == sketch).all()


def test_every_number_of_a_sketch_is_set_unless_there_are_no_words() -> None:
    """A text of one word has a whole sketch; an empty one has none, and resembles nothing."""
    one, none = Sketcher().sketch(["word", " \n"])
    assert (one != UNSET).all()
    assert (none == UNSET).all()
    assert estimate(none, none) == 0.0
    assert estimate(one, one) == 1.0


def test_a_sketch_of_version_one_stays_what_it_was() -> None:
    """Sketches are kept, so they are the same on every machine and in every later version."""
    sketch = Sketcher().sketch(["The quick brown fox jumps over the lazy dog and runs away"])
    assert sketch[0, :3].tolist() == [2622357875, 2306776829, 3275844783]
    assert bands_of(sketch, Settings())[:2, 0].tolist() == [696629605, 387992301]


def test_a_key_makes_sketches_of_its_own() -> None:
    """Under a key a text and its copy agree; under another, or none, they agree in nothing."""
    text = " ".join(WORDS[:300])
    near = text.replace("w7 ", "other ", 1)
    assert estimate(minhash(text, b"k" * 32), minhash(near, b"k" * 32)) > 0.9
    assert estimate(minhash(text, b"k" * 32), minhash(text, b"o" * 32)) < 0.05
    assert estimate(minhash(text, b"k" * 32), Sketcher().sketch([text])[0]) < 0.05


def test_prints_are_the_lowest_bytes() -> None:
    """A print keeps a quarter of a sketch."""
    sketch = Sketcher().sketch(["a b c d e f g"])
    assert prints_of(sketch).dtype == np.uint8
    assert (prints_of(sketch) == sketch % 256).all()


def test_words_that_repeat_without_end_change_nothing() -> None:
    """A set of few members has one sketch, however often they come; and it takes no longer for that."""
    sketcher = Sketcher(Settings(words=1))
    few, many, mixed = sketcher.sketch(["a b c", "a b c " * 200_000, "c b a " * 50])
    assert (few == many).all()
    assert (few == mixed).all()


@pytest.mark.parametrize(
    "wrong",
    [{"words": 0}, {"bands": 0}, {"bands": 200, "rows": 20}, {"threshold": 1.5}, {"threshold": 0.0}, {"seed": -1}],
)
def test_settings_out_of_bounds_are_refused(wrong: dict[str, float]) -> None:
    """A sketch of no numbers, or of more than memory allows, is refused with a sentence."""
    with pytest.raises(InputError, match="duplicates cannot be looked for"):
        Settings(**wrong)


def test_other_settings_sketch_too() -> None:
    """Sketches have as many numbers as bands times rows, and estimate all the same."""
    sketcher = Sketcher(Settings(words=2, bands=8, rows=16, threshold=0.9, seed=2**64 - 1))
    one, other = sketcher.sketch([" ".join(WORDS[:400]), " ".join(WORDS[:380])])
    assert one.shape == (128,)
    assert abs(estimate(one, other) - 379 / 399) < 0.1


def test_bands_follow_from_the_threshold() -> None:
    """At 0.7 they are the usual ones; lower thresholds have more bands of fewer numbers, and find what is asked for."""
    assert Settings.at(0.7) == Settings()
    chance = random.Random(3)
    for threshold in (0.5, 0.55, 0.6, 0.65, 0.9, 1.0):
        settings = Settings.at(threshold)
        sketcher = Sketcher(Settings(1, settings.bands, settings.rows, threshold))
        pairs = [pair(200, threshold, chance) for _ in range(300)]
        ones, others = (bands_of(sketcher.sketch([each[side] for each in pairs]), settings) for side in (0, 1))
        assert (ones == others).any(axis=0).mean() >= 0.97
    for wrong in (0.49, 1.01):
        with pytest.raises(InputError, match="from a similarity of"):
            Settings.at(wrong)
