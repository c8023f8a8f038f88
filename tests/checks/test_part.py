"""What checks that learn part by part have in common."""

from __future__ import annotations

import pytest

from hallmarked.checks.part import cut_texts
from tests.support import MemoryArtifact

pytest.importorskip("pyarrow", reason="tables are read with the extra data")

ROWS = '{"id": "1", "body": "some words of a text"}\n'


def test_texts_are_found_once_for_a_file() -> None:
    """Each part names the text columns of its file, and a file that cannot be cut says why."""
    parts = list(cut_texts(MemoryArtifact({"a.jsonl": ROWS, "b.parquet": "PAR1"})))
    assert parts[0] == {"path": "a.jsonl", "start": 0, "stop": len(ROWS), "bytes": len(ROWS), "texts": ["body"]}
    assert parts[1].keys() == {"path", "broken"}


def test_declared_texts_come_first() -> None:
    """What the makers declare to be text is taken as text."""
    parts = list(cut_texts(MemoryArtifact({"a.jsonl": ROWS, "dataset.toml": '[columns]\ntext = "id"\n'})))
    assert parts[0]["texts"] == ["id"]
