"""What makers declare of a data set."""

from __future__ import annotations

import pytest

from hallmarked.core.errors import FormatError
from hallmarked.corpus.declaration import Columns, Declaration, read_declaration
from tests.support import MemoryArtifact


def test_nothing_declared_is_nothing_claimed() -> None:
    """A data set without the file declares nothing."""
    assert read_declaration(MemoryArtifact({"a.jsonl": "{}"})) == Declaration()


def test_columns_are_read() -> None:
    """Roles of columns are read, a single text column without a list too."""
    found = read_declaration(MemoryArtifact({"dataset.toml": '[columns]\ntext = "body"\ngroup = ["dialect"]\n'}))
    assert found.columns == Columns(text=("body",), group=("dialect",))


def test_all_that_cannot_be_understood_is_told_at_once() -> None:
    """Every problem is in one sentence."""
    written = '[columns]\ntext = [1]\nlabel = 2\nother = "x"\n[more]\n'
    with pytest.raises(FormatError) as caught:
        read_declaration(MemoryArtifact({"dataset.toml": written}))
    assert str(caught.value) == (
        "dataset.toml: columns.text is not a list of names; columns.label is not a name; columns.other is not known; "
        "'more' is not known"
    )
