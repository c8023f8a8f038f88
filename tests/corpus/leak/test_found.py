"""What is found in parts, put together."""

from __future__ import annotations

import struct
from itertools import pairwise

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hallmarked.core.errors import FormatError
from hallmarked.corpus.leak.found import MOST_PLACES, Found
from hallmarked.corpus.leak.index import build_index
from hallmarked.corpus.leak.judge import COMMON_LEAST, ItemFound, Strength, judge
from tests.corpus.leak.support import Writer, benchmark, index_of

WRITER = Writer(21)
ITEMS = [WRITER.text(length) for length in (6, 9, 12, 18, 25, 30, 40, 60)]
INDEX = index_of(ITEMS, [WRITER.text(12) for _ in ITEMS])
TEXTS = [
    *(WRITER.text(40) for _ in range(10)),
    *ITEMS,
    *(WRITER.edit(item, 0.2) for item in ITEMS),
    *(f"{WRITER.text(5)} {ITEMS[5]} {INDEX.benchmarks[0].items[5].answer}" for _ in range(3)),
]


def found_in(texts: list[str]) -> Found:
    found = Found(INDEX.size)
    found.take(INDEX, "a.jsonl", pa.array(texts, pa.large_string()))
    return found


DUMPED = found_in(ITEMS[3:6]).dump()


def results(found: Found) -> list[ItemFound]:
    return judge(INDEX, found)


@settings(max_examples=12, deadline=None)
@given(st.permutations(TEXTS), st.lists(st.integers(0, len(TEXTS)), max_size=4))
def test_parts(texts: list[str], cuts: list[int]) -> None:
    """However rows are cut into parts, the same is found as in one go, also after it was written and read."""
    whole = found_in(texts)
    together, shift = Found(INDEX.size), 0
    edges = [0, *sorted(cuts), len(texts)]
    for begin, end in pairwise(edges):
        part = found_in(texts[begin:end])
        together.merge(Found.load(part.dump(), INDEX), shift)
        shift += end - begin
    assert together.dump() == whole.dump()
    assert results(together) == results(whole)


def test_items() -> None:
    """Each item is named once, with its strength, its best place, how often it was found, and its answer."""
    rows = ["nothing here", f"{ITEMS[5]} {INDEX.benchmarks[0].items[5].answer}", WRITER.edit(ITEMS[6], 0.15), ITEMS[5]]
    one, other = results(found_in(rows))
    assert (one.id, one.strength, one.count, one.answer, one.words) == ("6", Strength.STRONG, 2, True, 30)
    assert [(place.path, place.row) for place in one.places] == [("a.jsonl", 2), ("a.jsonl", 4)]
    assert (other.id, other.strength, other.answer, other.places[0].row) == ("7", Strength.STRONG, False, 3)


def test_many_copies() -> None:
    """Of an item that is there very often the best places are kept, all are counted, and it does not become common."""
    found = found_in([ITEMS[4]] * 300)
    (result,) = results(found)
    assert (result.strength, result.count, len(result.places)) == (Strength.STRONG, 300, MOST_PLACES)
    assert [place.row for place in result.places] == list(range(1, MOST_PLACES + 1))


def test_common_phrases() -> None:
    """A phrase that stands all over a corpus is no evidence of an item that uses it."""
    phrase = WRITER.text(14)
    items = [f"{phrase} {WRITER.text(22)}", WRITER.text(30)]
    index = build_index([benchmark(items)])
    quoting = [f"{WRITER.text(10)} {phrase} {WRITER.text(10)}"]
    few, many = Found(index.size), Found(index.size)
    few.take(index, "a", pa.array(quoting, pa.large_string()))
    assert [result.strength for result in judge(index, few)] == [Strength.POSSIBLE]
    many.take(index, "a", pa.array(quoting * (COMMON_LEAST + 1), pa.large_string()))
    assert judge(index, many) == []
    many.take(index, "a", pa.array([items[0]], pa.large_string()))
    assert [result.strength for result in judge(index, many)] == [Strength.STRONG]


def test_what_was_not_read() -> None:
    """Rows that could not be read count for the numbers of those below, and are told of."""
    found = Found(INDEX.size)
    found.skip(3, "not JSON")
    found.take(INDEX, "a", pa.array([ITEMS[7]], pa.large_string()))
    found.skip(None, "broken off")
    assert results(found)[0].places[0].row == 4
    loaded = Found.load(found.dump(), INDEX)
    assert (loaded.rows, loaded.unread, loaded.lost) == (4, 3, ["broken off"])


@settings(max_examples=150)
@given(st.binary(max_size=80))
def test_anything_else(data: bytes) -> None:
    """Whatever a part's process returns is either read or refused."""
    with pytest.raises(FormatError):
        Found.load(data, INDEX)


@settings(max_examples=50)
@given(st.data())
def test_mutations(data: st.DataObject) -> None:
    """A result in which a byte was changed is refused, or is one that can be worked with."""
    good = bytearray(DUMPED)
    good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = Found.load(bytes(good), INDEX)
    except FormatError:
        return
    judge(INDEX, found)


def test_of_other_benchmarks() -> None:
    """What was learned with another index is refused."""
    dumped = found_in(TEXTS).dump()
    with pytest.raises(FormatError, match=r"other benchmarks|cannot be read"):
        Found.load(dumped, index_of(ITEMS[:2]))
    with pytest.raises(FormatError):
        Found.load(struct.pack("<QQ", 1 << 40, 1 << 40), INDEX)
