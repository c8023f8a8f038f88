"""Helpers for the tests of examiners."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from hallmarked.checks.serialization.contract import FileVerdict, Reference, Seen
from hallmarked.core.errors import FormatError
from hallmarked.core.evidence import Finding, Gap, Level
from hallmarked.formats.blob import Blob, Budget


def examine(examiner: Callable[[Blob, Budget], Iterator[Seen]], data: bytes) -> list[Seen]:
    """Run an examiner over bytes."""
    return list(examiner(Blob.of_bytes("file", data), Budget(stored=len(data))))


def examine_members(
    examiner: Callable[[Mapping[str, Blob], Budget], Iterator[Seen]], members: Mapping[str, bytes]
) -> list[Seen]:
    """Run an examiner over the members of an archive."""
    blobs = {name: Blob.of_bytes(f"file!{name}", data, 1) for name, data in members.items()}
    return list(examiner(blobs, Budget(stored=sum(map(len, members.values())))))


def rules(seen: list[Seen]) -> list[str]:
    """Return the ids of all findings, sorted, each once."""
    return sorted({item.rule for item in seen if isinstance(item, Finding)})


def blobs(seen: list[Seen]) -> dict[str, bytes]:
    """Return what was handed on, by path."""
    return {item.path: item.open().read() for item in seen if isinstance(item, Blob)}


def references(seen: list[Seen]) -> list[str]:
    """Return the files that a reader would open."""
    return [item.target for item in seen if isinstance(item, Reference)]


def verdict(seen: list[Seen]) -> FileVerdict:
    """Say what follows from an examination that ran to its end."""
    bad = any(isinstance(item, Gap) or (isinstance(item, Finding) and item.level == Level.ERROR) for item in seen)
    return FileVerdict.UNPROVEN if bad else FileVerdict.PROVEN


def verdict_of(examiner: Callable[[Blob, Budget], Iterator[Seen]], data: bytes) -> FileVerdict:
    """Run an examiner and say what follows, broken files included."""
    try:
        return verdict(examine(examiner, data))
    except FormatError:
        return FileVerdict.MALFORMED
