"""Words of texts."""

from __future__ import annotations

import re

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallmarked.corpus.leak.word import SLICE_BYTES, fold, word_slices, words_of


def hashes(text: str) -> list[int]:
    return words_of(pa.array([text], pa.large_string())).hashes.tolist()  # type: ignore[no-any-return]


@given(st.lists(st.text(st.characters(max_codepoint=127), max_size=60), max_size=8))
def test_ascii(texts: list[str]) -> None:
    """Words of ASCII are runs of letters and digits whatever their case, and never go from one text into the next."""
    words = words_of(pa.array(texts, pa.large_string()))
    expected = [re.findall(r"[a-z0-9]+", text.lower()) for text in texts]
    assert words.stops.tolist() == [sum(map(len, expected[:end])) for end in range(len(texts) + 1)]
    known: dict[str, int] = {}
    for word, value in zip((word for each in expected for word in each), words.hashes.tolist(), strict=True):
        assert known.setdefault(word, value) == value
    assert len(set(known.values())) == len(known)


@given(st.lists(st.text(max_size=40), max_size=6))
def test_any_text(texts: list[str]) -> None:
    """Texts beside each other do not change each other's words, in whatever script."""
    together = words_of(pa.array(texts, pa.large_string()))
    for number, text in enumerate(texts):
        alone = hashes(text)
        assert together.hashes[together.stops[number] : together.stops[number + 1]].tolist() == alone


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Janet’s ducks — lay…", "janet s ducks lay"),
        ("ÉTÉ à Paris", "été À paris"),
        ("ﬁne ｗｉｄｅ", "fine wide"),
        ("Straße", "STRASSE"),
        ("a\u00a0b", "a b"),
        ("猫。犬", "猫 犬"),
        ("ΣΊΣΥΦΟΣ", "σίσυφος"),
    ],
)
def test_same_words(one: str, other: str) -> None:
    """Case, signs and variants of characters make no difference."""
    assert hashes(one) == hashes(other)


def test_scripts_without_spaces() -> None:
    """In scripts that put no spaces between words a character is a word; a word of another script ends there."""
    assert len(hashes("我喜欢猫")) == 4
    assert hashes("我喜欢猫") == hashes("我 喜 欢 猫")
    assert len(hashes("ひらがなカタカナ")) == 8
    assert len(hashes("GPU加速")) == 3
    assert len(hashes("한국어 문장")) == 2
    assert len(hashes("ภาษา")) == 4
    assert len(hashes("русский текст")) == 2


def test_long_words() -> None:
    """Words that differ before, in or behind their middle are different; equal ones are equal."""
    words = ["abcdefghij", "abcdefghik", "xbcdefghij", "abcdefgh", "abcdefghijk", "abcdefghijklmnop", "abcdefghi"]
    assert len({hashes(word)[0] for word in words}) == len(words)
    assert hashes("Abcdefghij") == hashes("abcdefghij")


def test_slices() -> None:
    """Long columns come in slices whose texts are numbered, also from the middle of an array; a text is never cut."""
    texts = ["one two", "x " * SLICE_BYTES, "", "three"] * 2
    array = pa.array(["before", *texts], pa.large_string()).slice(1)
    slices = list(word_slices(array))
    assert len(slices) > 2
    counts = [n for _, words in slices for n in (words.stops[1:] - words.stops[:-1]).tolist()]
    assert counts == [2, SLICE_BYTES, 0, 1] * 2
    firsts = [first for first, _ in slices]
    assert firsts == [sum(len(words.stops) - 1 for _, words in slices[:n]) for n in range(len(slices))]
    assert not words_of(pa.array([], pa.large_string())).hashes.size


def test_fold() -> None:
    """Texts are compared as Unicode advises: compatibility forms and case do not count."""
    assert fold("Ⅳ ＡＢ") == "iv ab"
