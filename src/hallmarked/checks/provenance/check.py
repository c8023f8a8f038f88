"""Does the account of where a data set comes from hold together?

It reads ``provenance.json``, which ``hallmarked corpus build`` writes, and the accounts of the sources beside it.

Measurements (views rely on these names):

========================  =============================================================================================
``provenance.sources``    sources that are written down, those of the sources too
``provenance.rows``       rows that the build kept; with ``source`` in the slice those of one source, n: rows it read
``provenance.removed``    rows that the build left out; the slice names the ``reason``
``provenance.licence``    the licence of a source; the slice names the ``source``
``synthetic.share``       share of rows that a model wrote
``synthetic.depth``       how many models stand one behind the other behind these rows
========================  =============================================================================================
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from hallmarked.checks.provenance.licence import carry
from hallmarked.core.artifact import Artifact
from hallmarked.core.check import Extent
from hallmarked.core.errors import FormatError
from hallmarked.core.evidence import Finding, Gap, Item, Level, Location, Measurement, Rule
from hallmarked.corpus.provenance.document import PATH, Document
from hallmarked.corpus.provenance.graph import BROKEN, orphans, read_own, source_edges, unkept_files

ORPHAN = Rule(
    "PRV001",
    Level.WARNING,
    "A file comes from no source that is written down",
    "Remove it, or add it to the recipe as a source and build again.",
)
CHANGED = Rule(
    "PRV002",
    Level.ERROR,
    "A file is not the one that the build wrote",
    "Build again; what is here is not what the account of rows and the evidence are about.",
)
EDGE = Rule(
    "PRV003",
    Level.ERROR,
    "The account of a source is missing or does not fit",
    "Put the files back that the build wrote into the folder provenance, or build again.",
)
UNLICENSED = Rule(
    "PRV004",
    Level.WARNING,
    "Nobody says under which licence a source may be used",
    "Find out, and add it to the recipe; without a licence nobody may pass it on.",
)
CONFLICT = Rule(
    "PRV005",
    Level.WARNING,
    "The licence does not keep what the licence of a source asks for",
    "Use a licence that keeps it, leave the source out, or ask its owner.",
)
DEEP = Rule(
    "PRV006",
    Level.NOTE,
    "Models wrote rows after learning from rows that models wrote",
    "Mix in rows that people wrote; each generation forgets some of what is rare.",
)
WARNED_DEPTH = 2
"""Generations from which it is told."""


class ProvenanceCheck:
    """Where do the rows come from?"""

    id: ClassVar[str] = "provenance"
    version: ClassVar[str] = "1"
    title: ClassVar[str] = "Does the account of where a data set comes from hold together?"
    rules: ClassVar[Sequence[Rule]] = (ORPHAN, CHANGED, EDGE, UNLICENSED, CONFLICT, DEEP)
    needs_socket: ClassVar[bool] = False
    extent: ClassVar[Extent] = Extent.ARTIFACT

    def applies(self, artifact: Artifact) -> bool:
        """Apply to data sets that were built."""
        return any(file.path == PATH for file in artifact.files)

    def run(self, artifact: Artifact) -> Iterator[Item]:
        """Compare the account with the files, and with itself."""
        try:
            document = read_own(artifact)
        except FormatError as error:
            yield Gap(f"where the rows come from could not be established: {error}", Location(PATH))
            return
        yield from _files(artifact, document)
        count = 0
        for edge in source_edges(artifact, document, lambda _origin: None):
            count += 1
            if edge.state == BROKEN:
                yield Finding.of(EDGE, edge.message, Location(PATH), start=edge.start, end=edge.end)
        yield Measurement("provenance.sources", str(count))
        yield from _rows(document)
        yield from _licences(document)
        yield from _synthetic(document)


def _files(artifact: Artifact, document: Document) -> Iterator[Item]:
    for path in orphans(artifact, document):
        yield Finding.of(ORPHAN, f"{path} is in no account of where the rows come from", Location(path))
    for edge in unkept_files(artifact, document):
        yield Finding.of(CHANGED, edge.message, Location(edge.end))


def _rows(document: Document) -> Iterator[Item]:
    kept, counted = sum(each.kept for each in document.inputs), sum(document.rows.values())
    if kept != counted:
        message = f"The files hold {counted:,} rows, but the sources gave {kept:,}: one of either is not written down"
        yield Finding.of(EDGE, message, Location(PATH))
    yield Measurement("provenance.rows", str(counted))
    for each in document.inputs:
        yield Measurement("provenance.rows", str(each.kept), n=each.read, slice={"source": each.origin.name})
    for reason, count in document.removed.items():
        yield Measurement("provenance.removed", str(count), slice={"reason": reason})


def _licences(document: Document) -> Iterator[Item]:
    licences = {each.origin.name: each.licence for each in document.inputs if each.kept}
    for name, licence in licences.items():
        yield Measurement("provenance.licence", licence or "unknown", slice={"source": name})
    carried = carry(licences, document.licence)
    for name in carried.missing:
        said = f"says “{licences[name]}”, which is no licence known here" if licences[name] else "has no licence"
        yield Finding.of(UNLICENSED, f"The source {name} {said}", Location(PATH), source=name)
    for message in carried.conflicts:
        yield Finding.of(CONFLICT, message, Location(PATH))


def _synthetic(document: Document) -> Iterator[Item]:
    if document.share is None:
        yield Gap("how many rows a model wrote is not known: a source does not say it", Location(PATH))
    else:
        yield Measurement("synthetic.share", f"{document.share:.6f}", n=sum(document.rows.values()))
    if document.depth is None:
        yield Gap("how many generations of models stand behind the rows is not known", Location(PATH))
        return
    yield Measurement("synthetic.depth", str(document.depth))
    if document.depth >= WARNED_DEPTH:
        yield Finding.of(DEEP, f"{document.depth} generations of models stand behind some rows", Location(PATH))
