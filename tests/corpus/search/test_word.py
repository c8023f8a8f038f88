"""Words as they are compared."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from hallmarked.corpus.search.word import MASK, fold_words, words

TEXTS = st.text(st.one_of(st.characters(), st.sampled_from("aA ß\n\u0301é日本ﬁ１_-. \u00a0\u0e31ก각ᄀ")), max_size=60)


@given(TEXTS)
def test_both_ways_to_read_words_agree(text: str) -> None:
    """The words that are shown are the words that are indexed, in the same order."""
    indexed = fold_words(text).decode().split()
    assert [word.folded.encode("utf-8", "replace").decode() for word in words(text)] == indexed


@given(TEXTS)
def test_a_word_stands_where_it_is_said_to(text: str) -> None:
    """What stands at the place of a word has that word among its own."""
    for word in words(text):
        shown = text[word.start : word.stop].encode("utf-8", "replace").decode()
        assert word.folded.encode("utf-8", "replace").decode() in fold_words(shown).decode().split()


@given(TEXTS)
def test_composed_and_decomposed_texts_have_the_same_words(text: str) -> None:
    """The same characters written in another way are the same words."""
    assert fold_words(unicodedata.normalize("NFD", text)) == fold_words(unicodedata.normalize("NFC", text))


def test_case_space_and_punctuation_do_not_count() -> None:
    """Texts that differ in case, white space, punctuation and width have the same words."""
    assert fold_words("The  cat,\n(STRASSE) ﬁne") == fold_words("ｔｈｅ cat straße fine!") == b"the cat strasse fine "


def test_marks_belong_to_their_letters() -> None:
    """Vowel signs of Devanagari do not cut a word in two; scripts without spaces give a word per character."""
    assert len(fold_words("हिन्दी में").split()) == 2
    assert fold_words("日本語abc").decode() == "日 本 語 abc "


def test_places_are_those_of_the_original() -> None:
    """Words are found where they stand, also between characters that folding makes longer."""
    text = "Groß，é日本 ﬁne"
    assert [text[word.start : word.stop] for word in words(text)] == ["Groß", "é", "日", "本", "ﬁne"]


def test_words_do_not_reach_across_a_mask() -> None:
    """Where something was taken out, a barrier stands between the words."""
    assert fold_words(f"mail {MASK} now") == b"mail \nnow "
    assert [word.folded for word in words(f"mail{MASK}now")] == ["mail", "now"]
