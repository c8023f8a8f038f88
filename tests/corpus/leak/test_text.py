"""Texts of rows."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from hallmarked.corpus.leak.text import row_texts
from hallmarked.corpus.text.column import documents


@pytest.mark.parametrize(
    "rows",
    [
        [{"text": "a"}, {"text": "b"}],
        [{"text": "a"}, {"text": None}],
        [{"text": ["a", "b"]}, {"text": []}],
        [{"text": ["a"]}, {"text": ["b"]}],
        [{"text": "a", "more": "x"}, {"text": "b", "more": "y"}],
        [{"other": 1}],
    ],
)
def test_texts(rows: list[dict[str, Any]]) -> None:
    """Every row has one text, that of its columns, whatever it is made of."""
    batch = pa.RecordBatch.from_pylist(rows)
    for columns in (["text"], ["text", "more"], ["missing"]):
        texts = row_texts(batch, columns)
        assert texts.to_pylist() == documents(batch, columns)
        assert texts.type == pa.large_string()
