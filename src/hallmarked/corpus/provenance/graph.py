"""The graph of what a data set was made from, and which of its edges hold.

An edge runs from a data set to a file it consists of, or to something it was made from. It holds when what is at its
end has the digest that was written down.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from hallmarked.core.artifact import Artifact
from hallmarked.core.errors import BackendError, FormatError, NotFound
from hallmarked.corpus.provenance.document import (
    EVIDENCE,
    FOLDER,
    MOST_BYTES,
    PATH,
    Document,
    Origin,
    read_document,
)

DEEPEST = 64
"""Builds one behind the other that are followed."""
MOST_EDGES = 100_000
HOLDS, BROKEN, OPEN = "holds", "broken", "open"


@dataclass(frozen=True, slots=True)
class Edge:
    """A step of the graph."""

    state: str
    """``holds``, ``broken``, or ``open`` when what is at its end is not at hand."""
    start: str
    """The data set that was made."""
    end: str
    """What it was made from, or what it consists of."""
    message: str
    """In one sentence."""


def read_own(artifact: Artifact) -> Document:
    """Read the document of a data set.

    Raises:
        NotFound: When it has none.
        FormatError: When it cannot be read.
    """
    return read_document(_read(artifact, PATH))


def _read(artifact: Artifact, path: str) -> bytes:
    with artifact.open(path) as stream:
        return stream.read(MOST_BYTES + 1)


def copy_path(document: str) -> str:
    """Return where the copy of a document lies in a data set, by its SHA-256."""
    return f"{FOLDER}/{document}.json"


def is_account(path: str) -> bool:
    """Say whether a file belongs to the account of a data set rather than to what the account is about."""
    return path in (PATH, EVIDENCE) or path.startswith(f"{FOLDER}/")


def unkept_files(artifact: Artifact, document: Document) -> Iterator[Edge]:
    """Yield the files that the build wrote and that are not there any more, or not as they were."""
    found = artifact.digests()
    for path, digest in document.files.items():
        if path not in found:
            yield Edge(BROKEN, document.name, path, f"{path} is missing, which the build wrote")
        elif found[path] != digest:
            yield Edge(BROKEN, document.name, path, f"{path} was changed after the build wrote it")


def file_edges(artifact: Artifact, document: Document) -> Iterator[Edge]:
    """Compare the files of a data set with those that its build wrote, and its rows with those of its sources."""
    yield from unkept_files(artifact, document)
    for path in orphans(artifact, document):
        yield Edge(BROKEN, path, "nothing", f"{path} is in the data set, but comes from no source that is written down")
    kept, counted = sum(each.kept for each in document.inputs), sum(document.rows.values())
    if kept != counted:
        message = f"its files hold {counted:,} rows, but its sources gave {kept:,}: one of either is not written down"
        yield Edge(BROKEN, document.name, "its sources", message)


def orphans(artifact: Artifact, document: Document) -> list[str]:
    """Return the files of a data set of which nobody says where they come from."""
    known = {copy_path(origin.document) for origin in _all_origins(artifact, document) if origin.document}
    return [
        file.path
        for file in artifact.files
        if file.path not in document.files
        and file.path not in known
        and file.path not in (PATH, EVIDENCE, "README.md", "superseded.toml", ".gitattributes")
    ]


def _all_origins(artifact: Artifact, document: Document) -> Iterator[Origin]:
    for _, _, origin, _ in _walk(artifact, document):
        yield origin


def source_edges(
    artifact: Artifact, document: Document, at_hand: Callable[[Origin], Mapping[str, str] | None]
) -> Iterator[Edge]:
    """Follow a data set to what it was made from, build by build.

    Args:
        artifact: The data set.
        document: Its own document.
        at_hand: Returns the digest of what somebody has of a source, None when nobody has it here.
    """
    for start, depth, origin, problem in _walk(artifact, document):
        if problem:
            yield Edge(BROKEN, start, origin.name, problem)
            continue
        here = at_hand(origin) if depth == 0 else None
        if here is not None and dict(here) != dict(origin.digest):
            yield Edge(BROKEN, start, origin.name, f"{origin.name} is not what {start} was made from: its bytes differ")
        elif here is not None:
            yield Edge(HOLDS, start, origin.name, f"{start} was made from these bytes of {origin.name}")
        elif origin.document:
            yield Edge(HOLDS, start, origin.name, f"{start} was made from {origin.name}, whose own account is here")
        else:
            yield Edge(OPEN, start, origin.name, f"{start} was made from {origin.name}, which is not here to compare")


def _walk(artifact: Artifact, document: Document) -> Iterator[tuple[str, int, Origin, str]]:
    """Yield every step: the data set, how many builds ago, what it was made from, and why the step is broken."""
    waiting: list[tuple[Document, int]] = [(document, 0)]
    seen: set[str] = set()
    count = 0
    while waiting:
        current, depth = waiting.pop(0)
        for origin in (each for item in current.inputs for each in (item.origin, *item.learned)):
            count += 1
            if count > MOST_EDGES:
                yield current.name, depth, origin, f"only the first {MOST_EDGES:,} steps were followed"
                return
            problem = ""
            if origin.document:
                found, problem = _follow(artifact, origin)
                if found and origin.document not in seen:
                    if depth < DEEPEST:
                        waiting.append((found, depth + 1))
                    else:
                        problem = f"only {DEEPEST} builds are followed, and {origin.name} was made of more"
                seen.add(origin.document)
            yield current.name, depth, origin, problem


def _follow(artifact: Artifact, origin: Origin) -> tuple[Document | None, str]:
    """Read the copy of the document of a source, or say why it cannot be read."""
    path = copy_path(origin.document)
    try:
        data = _read(artifact, path)
    except (NotFound, BackendError):
        return None, f"the account of {origin.name} is missing ({path})"
    if hashlib.sha256(data).hexdigest() != origin.document:
        return None, f"the account of {origin.name} was changed ({path})"
    try:
        return read_document(data), ""
    except FormatError as error:
        return None, f"the account of {origin.name} cannot be read: {error}"
