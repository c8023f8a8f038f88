"""What outsiders may ask, and what they are told."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

for _module in ("pyarrow", "pydivsufsort"):
    pytest.importorskip(_module, reason="data sets are searched with the extra data")

from hallmarked.core.errors import InputError  # noqa: E402 -- after the skip
from hallmarked.corpus.search.ask import CONTEXT, FEW, answer, check_question, rounded_count  # noqa: E402
from hallmarked.corpus.search.build import build  # noqa: E402
from hallmarked.corpus.search.index import Index  # noqa: E402
from hallmarked.corpus.search.manifest import Options  # noqa: E402
from hallmarked.corpus.search.mask import mask_texts  # noqa: E402
from hallmarked.corpus.search.model import Document  # noqa: E402
from hallmarked.corpus.search.word import fold_words, words  # noqa: E402

PHRASE = "the old bridge was closed for repairs during the whole winter"
ADDRESS = "nora.quell" + "@post.example.org"


@pytest.mark.parametrize(
    "question",
    [
        f"please write to {ADDRESS} about the bridge that was closed",
        "write to n o r a . q u e l l @ p o s t . e x a m p l e . o r g please",
        "you can reach nora dot quell arroba post punto example punto org about it",
        "ring five five five, one two three, four five six seven after eight please",
        "her number is 0 3 0 2 3 1 2 5 0 0 0 and nothing else",
        "ｎｏｒａ．ｑｕｅｌｌ＠ｐｏｓｔ．ｅｘａｍｐｌｅ．ｏｒｇ is where to write about all of this",
        "born on the day with number 85 07 30 00 12 3 in the north",
    ],
)
def test_questions_shaped_like_personal_data_are_refused(question: str) -> None:
    """Addresses and numbers are refused, also spelled out, spaced, or in other characters."""
    with pytest.raises(InputError, match="personal data"):
        check_question(question)


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("Nora Quell", "at least 8 words"),
        ("the old bridge was closed for repairs", "at least 8 words"),
        ("Bartholomew Featherstonehaugh Cholmondeleyson", "like a name"),
        ("the old bridge was clos* for repairs during the winter", "wildcards"),
        (".* the old bridge was closed for repairs during", "wildcards"),
        ("我们今天去公园散步然后", "at least 8 words"),
        ("x" * 200_001, "at most"),
        ("[" * 5_000 + " " * 100_000 + PHRASE, "fewer than 64 words has at most"),
        ("the old bridge was closed for *airs during the winter", "wildcards"),
        ("", "at least 8 words"),
    ],
)
def test_questions_that_are_none_are_refused(question: str, said: str) -> None:
    """Names, short phrases and patterns are no questions, and the reason says what to enter instead."""
    with pytest.raises(InputError, match=said):
        check_question(question)


@pytest.mark.parametrize(
    ("question", "least"),
    [
        (PHRASE, 8),
        (f"95% of *us* say that **{PHRASE}**", 8),
        ("unvergleichliche Donaudampfschifffahrt und dergleichen mehr", 5),
        ("我们今天去公园散步然后回家吃晚饭再看书", 16),
    ],
)
def test_passages_are_accepted(question: str, least: int) -> None:
    """Eight words or forty letters are enough; in scripts without spaces sixteen characters."""
    assert check_question(question).least == least


def test_a_work_may_name_its_author() -> None:
    """A long text is accepted with an address in it; the address is not looked for."""
    question = check_question(f"{ADDRESS} wrote: " + " ".join(f"word{number}" for number in range(80)))
    assert question.is_work
    assert "quell" not in question.text


def _index(folder: Path, texts: list[str], masked: str = "test") -> Index:
    shown = mask_texts(texts)
    build(
        folder,
        [Document("a", row, text, fold_words(text), f"shelf {row}", "CC0-1.0") for row, text in enumerate(shown, 1)],
        Options(masked=masked),
    )
    return Index.open(folder)


def test_an_answer_shows_little_beside_the_askers_words(tmp_path: Path) -> None:
    """Few words are shown before and after, personal data in them masked whole; counts are rounded."""
    far = " ".join(f"far{number}" for number in range(30))
    index = _index(tmp_path / "index", [f"{far} write {ADDRESS} since {PHRASE}, says {ADDRESS} and {far}", PHRASE])
    told = answer(index, check_question(PHRASE.upper()))
    assert (told.found, told.longest, told.documents, told.share) == (True, 11, 0, 1.0)
    first, second = told.snippets
    assert first.match == PHRASE
    assert first.before.startswith("… far26 far27 far28 far29 write █████ since")
    assert first.after.startswith(", says █████ and far0")
    assert all(len(list(words(part))) <= CONTEXT for each in told.snippets for part in (each.before, each.after))
    assert (second.before, second.after, second.source, second.licence) == ("", "", "shelf 2", "CC0-1.0")


def test_a_long_passage_is_shown_by_its_ends(tmp_path: Path) -> None:
    """The asker knows the middle of their own text; it is not sent back."""
    work = " ".join(f"word{number}" for number in range(200))
    told = answer(_index(tmp_path / "index", [work]), check_question(work))
    assert (
        told.snippets[0].match
        == "word0 word1 word2 word3 word4 word5 … word194 word195 word196 word197 word198 word199"
    )


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    """Nothing of a data set is told to whom its words are not known."""
    told = answer(_index(tmp_path / "index", ["something else"]), check_question(PHRASE))
    assert (told.found, told.share, told.longest, told.documents, told.snippets) == (False, 0.0, 0, 0, ())


def test_only_masked_texts_answer_outsiders(tmp_path: Path) -> None:
    """An index of texts as they were written is refused."""
    with pytest.raises(InputError, match="as they were written"):
        answer(_index(tmp_path / "index", [PHRASE], masked=""), check_question(PHRASE))


@given(st.integers(0, 10**7))
def test_counts_are_rounded(count: int) -> None:
    """Small counts are not told, others are rounded down by a tenth at most, and never to zero."""
    told = rounded_count(count)
    assert told == 0 if count < FEW else count * 0.5 <= told <= count
    assert told % FEW == 0
