"""Follow a version to what it was made from, and say which steps hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hallmarked.artifacts.source import open_artifact
from hallmarked.audit.verify import BROKEN as STATUS_BROKEN
from hallmarked.audit.verify import HOLDS as STATUS_HOLDS
from hallmarked.audit.verify import OPEN as STATUS_OPEN
from hallmarked.core.errors import NotFound, VerificationError
from hallmarked.core.text import clean
from hallmarked.corpus.provenance.document import EVIDENCE, Document, Origin
from hallmarked.corpus.provenance.graph import BROKEN, HOLDS, Edge, file_edges, read_own, source_edges
from hallmarked.ledger.verify import MAX_BUNDLE, verify_bundle
from hallmarked.transforms.dataset.provenance import BUILD_TYPE

_MARKS = {HOLDS: "✔", BROKEN: "✖"}


@dataclass(slots=True)
class Trace:
    """What following a version came to."""

    document: Document
    edges: list[Edge] = field(default_factory=list)

    @property
    def status(self) -> int:
        """0 every step holds, 1 one is broken, 2 one could not be told."""
        states = {edge.state for edge in self.edges}
        return STATUS_BROKEN if BROKEN in states else STATUS_HOLDS if states <= {HOLDS} else STATUS_OPEN

    @property
    def lines(self) -> list[str]:
        """The steps as sentences, the broken ones first."""
        order = sorted(self.edges, key=lambda edge: (edge.state != BROKEN, edge.state == HOLDS))
        return [clean(f"{_MARKS.get(edge.state, '?')} {edge.message}") for edge in order]


def trace(folder: Path, inputs: Mapping[str, Path]) -> Trace:
    """Follow a version to its sources.

    Args:
        folder: The version.
        inputs: Where sources lie that are at hand, by name.

    Raises:
        NotFound: When it has no account.
        FormatError: When the account cannot be read.
        InputError: When something named cannot be opened.
    """
    artifact = open_artifact(folder)
    try:
        document = read_own(artifact)
    except NotFound:
        raise NotFound(f"{folder} has no provenance.json: hallmarked corpus build did not make it") from None
    here = {name: open_artifact(path).subject.digest for name, path in inputs.items()}

    def at_hand(origin: Origin) -> Mapping[str, str] | None:
        return here.get(origin.name)

    found = Trace(document, list(file_edges(artifact, document)))
    found.edges += source_edges(artifact, document, at_hand)
    named = {each.origin.name for each in document.inputs} | {o.name for each in document.inputs for o in each.learned}
    found.edges += [
        Edge(BROKEN, document.name, name, f"{document.name} was made from no source that is called {name}")
        for name in inputs
        if name not in named
    ]
    found.edges += _signed(artifact, document)
    return found


def _signed(artifact: Any, document: Document) -> list[Edge]:
    """Compare the account with what was signed: neither may name a source that the other does not."""
    try:
        with artifact.open(EVIDENCE) as stream:
            verified = verify_bundle(stream.read(MAX_BUNDLE + 1))
    except NotFound:
        return [Edge("open", document.name, EVIDENCE, f"{EVIDENCE} is missing: nobody signed where the rows come from")]
    except VerificationError as error:
        return [Edge(BROKEN, document.name, EVIDENCE, f"{EVIDENCE} does not hold: {error}")]
    signed: dict[str, Mapping[str, str]] = {}
    for entry in verified.entries:
        definition = entry.statement.get("predicate", {}).get("buildDefinition", {})
        if isinstance(definition, dict) and definition.get("buildType") == BUILD_TYPE:
            signed = {str(row.get("name")): row.get("digest", {}) for row in definition.get("resolvedDependencies", [])}
    said = {o.name: dict(o.digest) for each in document.inputs for o in (each.origin, *each.learned)}
    said |= {each.name: dict(each.digest) for each in document.used}
    edges = []
    for name in sorted(signed.keys() | said.keys()):
        if name not in said:
            message = f"{document.name} was made from {name}, as was signed, but its account does not say so any more"
        elif name not in signed:
            message = f"nobody signed that {document.name} was made from {name}"
        elif dict(signed[name]) != said[name]:
            message = f"what was signed of {name} is not what the account of {document.name} says"
        else:
            continue
        edges.append(Edge(BROKEN, document.name, name, message))
    return edges
