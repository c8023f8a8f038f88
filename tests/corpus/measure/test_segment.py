"""Words and scripts: what a plain reading of the rule comes to, text by text."""

from __future__ import annotations

import unicodedata
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

np = pytest.importorskip("numpy")
pytest.importorskip("pyarrow", reason="tables are read with the extra data")

from hallmarked.corpus.measure.segment import BETWEEN, SPACELESS, SPECIAL, characters, segment  # noqa: E402

TEXTS = st.lists(
    st.one_of(
        st.text("ab'’·\u200d é1 \n.;-_İß", max_size=12),
        st.text("a1กน้ำ漢かガ 。ー\ufffd\x01\ue000", max_size=12),
        st.text("हिन्दी می‌خوا", max_size=10),
        st.text(max_size=10),
    ),
    max_size=6,
)
EXAMPLES = {
    "Don't STOP the co-op at 3,5": "don't stop the co op at 3 5",
    "naïve l·lengua d’en": "naïve l·lengua d’en",
    "'quoted' it's'": "quoted it's",
    "看護師は、Tokyo2020": "看 護 師 は tokyo2020",
    "น้ำ": "น้ ำ",
    "می‌خواهم": "می‌خواهم",
    "हिन्दी भाषा": "हिन्दी भाषा",
    "🙂️ ok": "ok",
    "snake_case": "snake case",
    "": "",
}


def words_of(text: str) -> list[str]:
    found = [bytes(block.words.data).decode("utf-8", "surrogatepass") for block in segment([text])]
    return "".join(found).split(" ")[:-1]


def plain(text: str) -> list[str]:
    """Cut a text into words, character by character."""
    known = characters()
    words: list[str] = []
    before = "none"
    for place, character in enumerate(text):
        kind = known.names[known.kinds[ord(character)]]
        role = "none" if kind in SPECIAL or kind == "other" else "alone" if kind in SPACELESS else "word"
        if kind == "marks":
            role = "mark" if known.roles[ord(character)] == 3 else "word"
        if ord(character) in BETWEEN:
            sides = [text[place - 1 : place] if place else "", text[place + 1 : place + 2]]
            role = "word" if all(side and known.roles[ord(side)] == 1 for side in sides) else "none"
        begins = role == "alone" or (role == "word" and before != "word") or (role == "mark" and before in "none word")
        if role != "none":
            letter = character.lower()[0] if role == "word" and kind not in ("marks", "digits") else character
            words = [*words, letter] if begins else [*words[:-1], words[-1] + letter]
        before = role
    return words


@pytest.mark.parametrize(("text", "expected"), EXAMPLES.items())
def test_words(text: str, expected: str) -> None:
    """Words of several languages are cut where the rule says."""
    assert words_of(text) == expected.split()


@given(TEXTS)
def test_a_plain_reading_comes_to_the_same(texts: list[str]) -> None:
    """Words, lengths, kinds of characters and damage are those of reading character by character."""
    known = characters()
    blocks = list(segment(texts))
    cut = [bytes(text).decode("utf-8", "surrogatepass") for block in blocks for text in block.words.texts()]
    assert [text.split(" ") if text else [] for text in cut] == [plain(text) for text in texts]
    assert [n for block in blocks for n in block.lengths.tolist()] == [len(text) for text in texts]
    kinds = Counter(known.names[known.kinds[ord(each)]] for text in texts for each in text)
    total = sum((block.kinds for block in blocks), np.zeros(1, np.int64))
    assert {name: n for name, n in zip(known.names, total.tolist(), strict=False) if n} == kinds
    damaged = [any(known.names[known.kinds[ord(each)]] in SPECIAL for each in text) for text in texts]
    assert [flag for block in blocks for flag in block.damaged.tolist()] == damaged


def test_scripts_are_those_of_unicode() -> None:
    """Letters of the scripts are what the names of characters say, as far as this Python knows them."""
    known = characters()
    for script in ("Latin", "Greek", "Cyrillic", "Arabic", "Hebrew", "Devanagari", "Hangul", "Thai", "Hiragana"):
        letters = [chr(code) for code in np.flatnonzero(known.kinds == known.names.index(script)).tolist()]
        named = [letter for letter in letters if unicodedata.category(letter).startswith("L")]
        assert len(named) > 40
        wrong = [
            letter for letter in named if script.upper() not in unicodedata.name(letter).replace("MODIFIER", "LATIN")
        ]
        assert len(wrong) <= (len(named) // 10 if script == "Latin" else 0), (script, wrong[:5])
