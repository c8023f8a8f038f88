"""The graph of what was made from what: things known by digest, and the statements that join them.

Edges run from what was made to what it was made from. They come from records of stages, from SLSA provenance
(https://slsa.dev/spec/v1.0/provenance), and, as mere names, from what cards say.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from hallmarked.cards.lineage.thing import Clash, Things, by_trust, short
from hallmarked.cards.record import CARD_CHECK, Record
from hallmarked.cards.rules import RULES
from hallmarked.cards.status import Status
from hallmarked.core.evidence import Attestation, Subject
from hallmarked.policy.fact import rows
from hallmarked.records.record import Signed, read_all
from hallmarked.records.stage import Stage, Step

PROVENANCE = "https://slsa.dev/provenance/v1"
MOST_EDGES = 20_000
NAMED = "name:"


class Basis(StrEnum):
    """On what the word rests that something was made from something."""

    STAGE = "stage"
    """Whoever answers for the stage signed it."""
    PROVENANCE = "provenance"
    """The program that made it wrote it down."""
    MEASURED = "measured"
    """The card says it, and the weights were compared; which bytes it was, nobody signed."""
    CLAIMED = "claimed"
    """Only the card says it."""


@dataclass(frozen=True, slots=True)
class Node:
    """A thing in the graph."""

    key: str
    names: tuple[str, ...] = ()
    digest: Mapping[str, str] = field(default_factory=dict)
    """Empty for what is only named."""
    stages: tuple[Signed[Stage], ...] = ()
    """What people signed about it: of each signer and stage the latest, oldest first."""

    @property
    def title(self) -> str:
        """What people call it."""
        return self.names[0] if self.names else short(self.digest)

    @property
    def known(self) -> bool:
        """Whether it is known by digest, and not only by name."""
        return bool(self.digest)

    def at(self, step: Step) -> list[Signed[Stage]]:
        """Return who signed for a stage."""
        return [one for one in self.stages if one.record.stage is step]


@dataclass(frozen=True, slots=True)
class Edge:
    """Something was made from something."""

    child: str
    parent: str
    basis: Basis
    source: Attestation
    step: Step | None = None


@dataclass(frozen=True, slots=True)
class Graph:
    """What was made from what."""

    nodes: Mapping[str, Node]
    edges: tuple[Edge, ...]
    target: str
    """The thing that is looked at."""
    clashes: tuple[Clash, ...] = ()
    cut: bool = False
    """Whether there is more than was followed."""
    unreadable: tuple[tuple[Attestation, str], ...] = ()
    """Statements that say they are of a stage and cannot be read, with the reason."""
    _up: Mapping[str, Sequence[Edge]] = field(default_factory=dict)
    _down: Mapping[str, Sequence[Edge]] = field(default_factory=dict)

    def made_from(self, key: str) -> Sequence[Edge]:
        """Return the edges to what a thing was made from."""
        return self._up.get(key, ())

    def made_into(self, key: str) -> Sequence[Edge]:
        """Return the edges from what was made of a thing."""
        return self._down.get(key, ())

    def ancestors(self, key: str) -> list[str]:
        """Return everything a thing was made from, nearest first, without itself."""
        return _reach(key, lambda at: (edge.parent for edge in self.made_from(at)))


@dataclass(frozen=True, slots=True)
class Manifest:
    """The files of a thing."""

    subject: Subject
    files: Mapping[str, str]
    """SHA-256 by path."""


def build(attestations: Iterable[Attestation], target: Subject, manifest: Manifest | None = None) -> Graph:
    """Build the graph of everything that is stated.

    Args:
        attestations: Statements about the thing, and about what it was made from.
        target: The thing.
        manifest: Its files, when they are at hand; otherwise what an audit listed.
    """
    ordered = by_trust(attestations)
    signed, unreadable = read_all(Stage, ordered)
    materials = {one.source.id: one.record.materials for one in signed}
    things = Things()
    things.add(target)
    for one in ordered:
        for subject in (*one.statement.subjects, *materials.get(one.id, ()), *_dependencies(one)):
            things.add(subject, one)
    manifests = [*_manifests(ordered), *([manifest] if manifest else [])]
    stages = _stages(signed, things)
    edges: dict[tuple[str, str, Basis, str], Edge] = {}
    cut = False
    for edge in _edges(ordered, stages, things, manifests):
        if len(edges) == MOST_EDGES:
            cut = True
            break
        edges.setdefault((edge.child, edge.parent, edge.basis, edge.source.keyid), edge)
    kept = _signed_for(list(edges.values()), things)
    made = _graph(things, kept, stages, things.find(target))
    return replace(made, cut=cut, unreadable=tuple(unreadable))


def _signed_for(edges: Sequence[Edge], things: Things) -> list[Edge]:
    """Leave out what a card only names where somebody signed which bytes are called that."""
    named = {(edge.child, name) for edge in edges for name in things.names(edge.parent) if edge.source.role}
    return [
        edge
        for edge in edges
        if (edge.child, edge.parent.removeprefix(NAMED)) not in named or edge.step or edge.basis is Basis.PROVENANCE
    ]


def _graph(things: Things, edges: Sequence[Edge], stages: Mapping[str, list[Signed[Stage]]], target: str) -> Graph:
    keys = {target, *stages, *(edge.child for edge in edges), *(edge.parent for edge in edges)}
    nodes = {
        key: Node(key, (key.removeprefix(NAMED),), {}, ())
        if key.startswith(NAMED)
        else Node(key, things.names(key), things.digest(key), tuple(stages.get(key, ())))
        for key in sorted(keys)
    }
    up, down = defaultdict(list), defaultdict(list)
    for edge in edges:
        up[edge.child].append(edge)
        down[edge.parent].append(edge)
    return Graph(nodes, tuple(edges), target, tuple(things.clashes), _up=dict(up), _down=dict(down))


def _stages(signed: Sequence[Signed[Stage]], things: Things) -> dict[str, list[Signed[Stage]]]:
    """Return the stages of each thing; of each signer and stage the latest."""
    newest: dict[tuple[str, Step, str], Signed[Stage]] = {}
    for one in signed:
        for subject in one.source.statement.subjects:
            newest[things.find(subject), one.record.stage, one.source.keyid] = one
    found: dict[str, list[Signed[Stage]]] = defaultdict(list)
    for (key, _, _), one in sorted(newest.items(), key=lambda row: row[1].record.time):
        found[key].append(one)
    return found


def _edges(
    attestations: Sequence[Attestation],
    stages: Mapping[str, Sequence[Signed[Stage]]],
    things: Things,
    manifests: Sequence[Manifest],
) -> Iterator[Edge]:
    for key, found in stages.items():
        for one in found:
            if one.record.stage.makes:
                for material in one.record.materials:
                    yield Edge(key, things.find(material), Basis.STAGE, one.source, one.record.stage)
    folders = _Folders(things, manifests)
    for attestation in attestations:
        if attestation.statement.predicate_type == PROVENANCE:
            children = folders.holding(attestation.statement.subjects)
            parents = folders.holding(_dependencies(attestation))
            for child in children:
                for parent in parents:
                    if parent != child:  # what a build copied beside its output
                        yield Edge(child, parent, Basis.PROVENANCE, attestation)
    yield from _claimed(attestations, things)


class _Folders:
    """Finds the folder that holds files, so that a build of many files is one step and not many."""

    def __init__(self, things: Things, manifests: Sequence[Manifest]) -> None:
        self._things = things
        # Of several lists of one thing the last counts: that of the files at hand, or of the latest audit.
        newest = {things.find(one.subject): one for one in manifests}
        self._files = {key: set(one.files.values()) for key, one in newest.items()}

    def holding(self, subjects: Sequence[Subject]) -> list[str]:
        """Return the things that subjects are: folders that hold all the single files among them, or else these."""
        single = [subject for subject in subjects if set(subject.digest) == {"sha256"}]
        wanted = {subject.digest["sha256"] for subject in single}
        folders = [key for key, files in self._files.items() if wanted and wanted <= files]
        if not folders:
            single = []
        rest = [subject for subject in subjects if subject not in single]
        return list(dict.fromkeys([*folders, *(self._things.find(subject) for subject in rest)]))


def _manifests(attestations: Iterable[Attestation]) -> Iterator[Manifest]:
    """Yield the lists of files that audits wrote down."""
    for one in attestations:
        files = one.statement.predicate.get("files")
        # NOTE: a record of a stage lists files as well, but only some of them.
        if isinstance(files, Mapping) and one.statement.predicate_type != Stage.predicate_type():
            for subject in one.statement.subjects:
                yield Manifest(subject, {str(path): str(digest) for path, digest in files.items()})


def _dependencies(one: Attestation) -> list[Subject]:
    """Return from what a program says that it made something."""
    definition = one.statement.predicate.get("buildDefinition")
    if one.statement.predicate_type != PROVENANCE:
        return []
    found = []
    for row in rows(definition.get("resolvedDependencies") if isinstance(definition, Mapping) else None):
        digest = row.get("digest")
        if isinstance(digest, Mapping) and digest:
            found.append(Subject(str(row.get("name", "")), {str(name): str(text) for name, text in digest.items()}))
    return found


def _claimed(attestations: Sequence[Attestation], things: Things) -> Iterator[Edge]:
    """Yield what cards say something was made from; which bytes are meant, nobody can tell from a name."""
    about: dict[str, list[Attestation]] = defaultdict(list)
    for one in attestations:
        for subject in one.statement.subjects:
            if one.statement.predicate.get("measurements"):
                about[things.find(subject)].append(one)
    for key, found in about.items():
        record = Record(sorted(found, key=lambda one: one.time))
        card = record.reports.get(CARD_CHECK)
        for claim in card.measurements if card is not None else ():
            if claim.metric in {"claim.base_model", "claim.dataset"}:
                compared = RULES[claim.metric](claim, record).status is Status.SUPPORTED
                basis = Basis.MEASURED if compared else Basis.CLAIMED
                yield Edge(key, NAMED + claim.value[:200], basis, claim.source or found[-1])


def _reach(start: str, onward: Any) -> list[str]:
    seen, waiting = {start: None}, [start]
    for at in waiting:
        for key in onward(at):
            if key not in seen:
                seen[key] = None
                waiting.append(key)
    return waiting[1:]
