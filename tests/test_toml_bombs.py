"""TOML that somebody else wrote is read within bounds, whichever of its readers meets it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hallmarked.cards.document.declared import Tier
from hallmarked.cards.template.template import read_template
from hallmarked.core.errors import FormatError, InputError
from hallmarked.corpus.declaration import read_declaration
from hallmarked.corpus.leak.recipe import parse_recipe
from hallmarked.policy.file import contexts
from hallmarked.profiles.read import read_framework
from hallmarked.profiles.run.file import read_document
from hallmarked.profiles.run.pack import read_pack
from hallmarked.transforms.dataset.member import parse_toml
from tests.support import MemoryArtifact

KEY = ("a." * 30_000 + "a = 1\n").encode()
"""Costs the parser of the standard library more memory than most machines have."""
DEEP = b"a = " + b"[" * 50_000
READERS: dict[str, Callable[[bytes], object]] = {
    "declaration": lambda data: read_declaration(MemoryArtifact({"dataset.toml": data.decode()})),
    "benchmark": parse_recipe,
    "recipe": lambda data: parse_toml(data, "recipe.toml"),
    "policy": lambda data: contexts(data, "policy.toml"),
    "framework": lambda data: read_framework({"framework.toml": data}),
    "run": lambda data: read_document(data, "run.toml"),
    "rule pack": lambda data: read_pack(data, "pack.toml"),
    "template": lambda data: read_template(data, "template.toml", Tier.HIGH),
}


@pytest.mark.parametrize(
    ("data", "said"), [(KEY, "a key of more than 30 parts in line 1"), (DEEP, "nested too deeply")]
)
@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
def test_what_would_cost_too_much_is_refused(reader: Callable[[bytes], object], data: bytes, said: str) -> None:
    """A limit ends it, and the message says which."""
    with pytest.raises((FormatError, InputError), match=said):
        reader(data)
