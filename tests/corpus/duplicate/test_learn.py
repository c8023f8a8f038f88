"""Tests of what is learned from rows, and of reading some of them again."""

from __future__ import annotations

import numpy as np
import pytest

pa = pytest.importorskip("pyarrow", reason="tables are read with the extra data")

from hallmarked.corpus.duplicate.learn import learn, read_texts  # noqa: E402 -- after the skip
from hallmarked.corpus.duplicate.state import Builder  # noqa: E402 -- likewise
from hallmarked.corpus.table.model import Skipped  # noqa: E402 -- likewise
from tests.corpus.duplicate.texts import load  # noqa: E402 -- likewise


def batch(*texts: str | None, split: str = "train") -> pa.RecordBatch:
    """Make a batch of texts."""
    return pa.RecordBatch.from_pydict({"text": pa.array(texts, pa.string()), "part": [split] * len(texts)})


def test_rows_are_learned_in_their_order() -> None:
    """Texts, splits and rows that could not be read are kept; a row without a text is one without words."""
    builder = Builder()
    pieces = [batch("one", None), Skipped("broken", 2, 1), batch("two", split=" Dev ")]
    learn(builder, pieces, ["text"], "part")
    state = load(builder.dump())
    assert state.counts().tolist() == [1, 0, 1]
    assert state.numbers()[0].tolist() == [0, 1, 3]
    assert [("", *state.splits)[code] for code in state.codes().tolist()] == ["train", "train", "validation"]
    assert not state.broken


def test_rows_lost_without_number_are_told() -> None:
    """When nobody knows how many rows are missing, the reason is kept."""
    builder = Builder()
    learn(builder, [batch("one"), Skipped("the page is damaged", 1, None)], ["text"])
    assert load(builder.dump()).broken == "the page is damaged"


def test_some_texts_are_read_again() -> None:
    """Rows are counted over batches, those that cannot be read left out, and reading ends with the last one wanted."""

    def pieces() -> object:
        yield batch("a", "b", "c")
        yield Skipped("broken", 3, 1)
        yield batch("d", "e")
        yield batch("f")
        raise AssertionError("nothing more is wanted")

    found = [(rows.tolist(), texts) for rows, texts in read_texts(pieces(), ["text"], np.array([0, 2, 4, 5]))]
    assert found == [([0, 2], ["a", "c"]), ([4], ["e"]), ([5], ["f"])]
