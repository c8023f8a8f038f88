"""What makers declare of a data set."""

from __future__ import annotations

import pytest

from hallmarked.core.errors import FormatError, InputError
from hallmarked.corpus.declaration import PATH, Columns, Declaration, read_declaration
from hallmarked.corpus.leak.recipe import parse_recipe
from hallmarked.policy.table import Source
from hallmarked.profiles.run.file import read_document
from hallmarked.profiles.run.pack import read_pack
from hallmarked.transforms.dataset.member import parse_toml
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


@pytest.mark.parametrize("text", ["a" + ".a" * 3000 + " = 1\n", "a = " + "9" * 5000 + "\n"])
def test_what_costs_too_much_to_read(text: str) -> None:
    """Keys whose cost grows with the square of their length, and numbers without end, are refused before they cost."""
    with pytest.raises(FormatError):
        read_declaration(MemoryArtifact({PATH: text}))
    with pytest.raises(FormatError):
        parse_recipe(text.encode())
    with pytest.raises(InputError):
        parse_toml(text.encode(), "recipe.toml")
    with pytest.raises(InputError):
        Source(text.encode(), "policy.toml")
    with pytest.raises(InputError):
        read_pack(text.encode(), "pack.toml")
    with pytest.raises(InputError):
        read_document(text.encode(), "plan.toml")
