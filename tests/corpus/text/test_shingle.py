"""Tests of shingles as numbers."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallmarked.corpus.text.normal import BLOCK_BYTES
from hallmarked.corpus.text.shingle import LONGEST_WORD, Shingler, derive
from hallmarked.corpus.text.word import split

MASK = 2**64 - 1
WORDS = st.lists(st.text(st.characters(codec="utf-8"), max_size=30), max_size=12).map(" ".join)


def mixed(value: int) -> int:
    """Return the finaliser of MurmurHash3, written plainly."""
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        value ^= value >> 33
        value = value * factor & MASK
    return value ^ value >> 33


def word_number(word: str, seed: int) -> int:
    """Return the number of a word, written plainly."""
    data = word.encode()
    value = (len(data) * 0x9E3779B97F4A7C15 + seed) & MASK
    for start in range(0, len(data) if len(data) <= LONGEST_WORD else 8, 8):
        value ^= int.from_bytes(data[start : start + 8], "little")
        value = value * 0x9FB21C651E98DF25 & MASK
        value ^= value >> 32
    if len(data) > LONGEST_WORD:
        value ^= int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "little")
    return mixed(value)


def plain(text: str, size: int, seed: int) -> list[int]:
    """Return the shingles of a text, written plainly."""
    first, factors = int(derive(seed, 1, 1)[0]), [int(each) | 1 for each in derive(seed, 2, size)]
    words = [word_number(word, first) for word in split(text)]
    runs = [words[start : start + size] for start in range(max(1, len(words) - size + 1))] if words else []
    return [sum(word * factor for word, factor in zip(run, factors, strict=False)) & MASK for run in runs]


@given(st.lists(WORDS, max_size=6), st.integers(1, 7), st.integers(0, 2**32))
def test_numbers_are_those_of_the_plain_definition(texts: list[str], size: int, seed: int) -> None:
    """Computed for many texts at once or for one by the book, every shingle has the same number."""
    shingler = Shingler(size, seed)
    found = shingler.shingles(shingler.words(texts))
    assert [found.of(index).tolist() for index in range(len(texts))] == [plain(text, size, seed) for text in texts]


def test_long_words_and_long_texts_have_the_numbers_of_the_definition() -> None:
    """Neither a word without end nor a text larger than a block is cut."""
    texts = ["a" * 1000 + " b", "x" * 256, "y" * 257, "word " * (BLOCK_BYTES // 4), "", "end"]
    shingler = Shingler(3, 9)
    found = shingler.shingles(shingler.words(texts))
    for index, text in enumerate(texts):
        assert found.of(index).tolist() == plain(text, 3, 9)


def test_a_number_of_version_one_stays_what_it_was() -> None:
    """Numbers are the same on every machine and in every later version, since they are kept."""
    found = Shingler().sets(["The quick brown fox jumps over"])[0]
    assert found.tolist() == [1710576854454375746, 8000037439697330439]


def test_words_that_differ_late_differ() -> None:
    """Words of any length that differ in their last byte have other numbers."""
    for length in (1, 7, 8, 9, 16, 17, 255, 256, 257, 5000):
        one, other = Shingler(1).sets(["a" * length, "a" * (length - 1) + "b"])
        assert one.tolist() != other.tolist()


def test_a_key_hides_and_tells_apart() -> None:
    """Numbers under a key follow from it, and from no other."""
    texts = ["a b c d e f", "a b", ""]
    one, same, other = (Shingler(5, 1, key) for key in (b"k" * 32, b"k" * 32, b"o" * 32))
    assert [each.tolist() for each in one.sets(texts)] == [each.tolist() for each in same.sets(texts)]
    assert not set(one.sets(texts)[0].tolist()) & set(other.sets(texts)[0].tolist())
    assert [len(each) for each in one.sets(texts)] == [2, 1, 0]


@pytest.mark.parametrize("size", [1, 5])
def test_no_texts_have_no_shingles(size: int) -> None:
    """Nothing in, nothing out."""
    assert Shingler(size).sets([]) == []
    assert len(Shingler(size).words([]).values) == 0
