"""Safetensors files and the index of sharded ones: structure, text payloads, references."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from hallmarked.checks.serialization.contract import Reference, Seen
from hallmarked.checks.serialization.payload import find_payloads
from hallmarked.core.errors import FormatError
from hallmarked.core.evidence import Finding, Level, Location, Measurement, Rule
from hallmarked.formats.blob import Blob, Budget
from hallmarked.formats.document import read_json
from hallmarked.formats.safetensors import read_safetensors

SFT_PAYLOAD = Rule(
    "SFT001",
    Level.WARNING,
    "The description of the weights contains text that looks like program code or a fetching link",
    "Nothing runs by loading the file, but code has no purpose there: ask who wrote it, or save the tensors again"
    " without it.",
)
SFT_EXTRA = Rule(
    "SFT002",
    Level.WARNING,
    "The header has fields that the format does not know",
    "Readers ignore them, so they can carry hidden content: save the tensors again with the safetensors library.",
)

RULES = (SFT_PAYLOAD, SFT_EXTRA)

_PLAIN = re.compile(r"[\w./:\-\[\] |@+]*")


def examine_safetensors(blob: Blob, budget: Budget) -> Iterator[Seen]:
    """Examine a safetensors file; reads its header only.

    Raises:
        FormatError: When a reader would refuse it or readers would disagree.
    """
    header = read_safetensors(blob, budget)
    place = Location(blob.path, offset=8)
    for key, text in header.metadata.items():
        for what in dict.fromkeys((*find_payloads(text, key), *find_payloads(key))):
            yield Finding.of(
                SFT_PAYLOAD, f"Metadata {key[:80]!r} of {blob.path} contains {what}.", place, key=key[:200], kind=what
            )
    for entry in header.entries:
        if not _PLAIN.fullmatch(entry.name):
            for what in find_payloads(entry.name):
                yield Finding.of(
                    SFT_PAYLOAD,
                    f"A tensor name in {blob.path} contains {what}.",
                    place,
                    key=entry.name[:200],
                    kind=what,
                )
    if header.extra_fields:
        names = ", ".join(field[:80] for field in header.extra_fields[:3])
        yield Finding.of(
            SFT_EXTRA,
            f"The header of {blob.path} has {len(header.extra_fields)} unknown fields, such as {names}.",
            place,
        )
    yield Measurement("tensors", str(len(header.entries)), slice={"path": blob.path})


def is_weight_index(document: Any) -> bool:
    """Say whether a JSON document is the index of a sharded checkpoint: a ``weight_map`` from tensor to file."""
    return isinstance(document, dict) and isinstance(document.get("weight_map"), dict)


def examine_json(blob: Blob, budget: Budget) -> Iterator[Seen]:
    """Examine a JSON document; of an index of shards, name every shard as a file the reader would open.

    Raises:
        FormatError: When it is not strict JSON or the index is broken.
    """
    document = read_json(blob.read_all(budget), budget)
    if not is_weight_index(document):
        return
    shards = document["weight_map"].values()
    if not all(isinstance(shard, str) and shard for shard in shards):
        raise FormatError("weight_map has a value that is not a file name")
    for shard in sorted(set(shards)):
        yield Reference(shard, Location(blob.path))
    yield Measurement("shards", str(len(set(shards))), slice={"path": blob.path})
