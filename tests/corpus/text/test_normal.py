"""Tests of how texts are made comparable."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hallmarked.corpus.text.normal import fold, fold_all
from hallmarked.corpus.text.word import split

TEXTS = st.lists(st.text(st.characters(codec="utf-8"), max_size=40), max_size=12)


def test_what_a_copy_may_change_does_not_count() -> None:
    """Case, white space, the way an accent is written and invisible marks make no other text."""
    assert split("Caf\u00e9  STRASSE\n") == split("cafe\u0301 stra\u00dfe") == ["caf\u00e9", "strasse"]
    assert split("so\u00adft\u200b ware\ufeff") == ["soft", "ware"]


def test_scripts_without_spaces_are_split_into_characters() -> None:
    """Chinese, Japanese and Thai have a word per character; Korean and what stands between keep their words."""
    assert split("\u6211\u4eec2024 year") == ["\u6211", "\u4eec", "2024", "year"]
    assert split("\u304b\u306a\u30ab") == ["\u304b", "\u306a", "\u30ab"]
    assert len(split("\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35")) == 6
    assert split("\ud55c\uad6d\uc5b4 \ubb38\uc7a5") == ["\ud55c\uad6d\uc5b4", "\ubb38\uc7a5"]


@given(TEXTS)
def test_folding_many_texts_is_folding_each(texts: list[str]) -> None:
    """The block that is computed at once holds the words of every text, one space between them."""
    found = [bytes(data).decode() for block in fold_all(texts) for data in block.texts()]
    assert found == [" ".join(fold(text).split()) for text in texts]


@given(st.text(max_size=60))
def test_folding_twice_changes_nothing(text: str) -> None:
    """What was folded is its own folded form."""
    once = " ".join(split(text))
    assert " ".join(split(once)) == once
