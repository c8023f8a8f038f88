"""Where texts are in tables."""

from __future__ import annotations

import pytest

pa = pytest.importorskip("pyarrow", reason="tables are read with the extra data")

from hallmarked.corpus.text.column import documents, strings, text_columns  # noqa: E402 -- after the skip

ROWS = [
    {"id": "a1", "messages": [{"role": "user", "content": "how are you today"}, {"role": "bot", "content": "fine"}]},
    {"id": "a2", "messages": None},
    {"id": "a3", "messages": [{"role": "user", "content": "one more question for you"}]},
]


def test_strings_in_lists_of_objects_are_found_with_their_rows() -> None:
    """Strings are found at every depth, each with its row, and rows without any are passed over."""
    batch = pa.RecordBatch.from_pylist(ROWS)
    found = {each.column: (each.rows.tolist(), each.values.to_pylist()) for each in strings(batch)}
    assert found == {
        "id": ([0, 1, 2], ["a1", "a2", "a3"]),
        "messages.role": ([0, 0, 2], ["user", "bot", "user"]),
        "messages.content": ([0, 0, 2], ["how are you today", "fine", "one more question for you"]),
    }


def test_texts_are_columns_of_several_words() -> None:
    """Names and labels are no texts; a table of single words takes its wordiest column."""
    batch = pa.RecordBatch.from_pylist(ROWS)
    assert text_columns(batch) == ["messages.content"]
    assert documents(batch, ["messages.content"]) == ["how are you today\nfine", "", "one more question for you"]
    assert text_columns(pa.RecordBatch.from_pylist([{"a": "x", "b": "y z"}])) == ["b"]
    assert text_columns(pa.RecordBatch.from_pylist([{"a": 1}])) == []


def test_slices_and_dictionaries_are_read_like_others() -> None:
    """A slice of a batch and a column of codes give the same strings."""
    table = pa.RecordBatch.from_arrays(
        [pa.array(["red car", "blue car", "red car"]).dictionary_encode(), pa.array([["a"], ["b", "c"], []])],
        ["x", "y"],
    ).slice(1)
    found = {each.column: (each.rows.tolist(), each.values.to_pylist()) for each in strings(table)}
    assert found == {"x": ([0, 1], ["blue car", "red car"]), "y": ([0, 0], ["b", "c"])}
