"""What is known to be wrong with something shows on everything that was made from it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from hallmarked.cards.lineage.graph import Graph
from hallmarked.core.evidence import Attestation, Level, Subject
from hallmarked.core.text import clean
from hallmarked.policy.fact import check_of, is_about, rows
from hallmarked.records.dispute import standing

MOST = 1_000
LONGEST = 300


@dataclass(frozen=True, slots=True)
class Inherited:
    """Something that is wrong with what a thing was made from."""

    origin: str
    """Key of the node it was found in."""
    name: str
    """What people call that."""
    kind: str
    """``finding`` or ``dispute``."""
    level: str
    """Of a finding; empty for disputes."""
    text: str
    source: Attestation

    @property
    def sentence(self) -> str:
        """What is inherited, for people."""
        return f"{self.kind} in {self.name}, from which it was made: {self.text}"


def inherited(
    graph: Graph, attestations: Iterable[Attestation], key: str = "", *, at_least: Level = Level.WARNING
) -> tuple[Inherited, ...]:
    """Return findings and open disputes of everything a thing was made from, nearest first.

    Args:
        graph: What was made from what.
        attestations: Statements about the thing's ancestors.
        key: The thing; by default the one the graph is about.
        at_least: The lowest level of findings.
    """
    ancestors = [graph.nodes[each] for each in graph.ancestors(key or graph.target)]
    by_digest: defaultdict[str, list[Attestation]] = defaultdict(list)
    for one in attestations:
        for row in {f"{name}:{text}" for each in one.statement.subjects for name, text in each.digest.items()}:
            by_digest[row].append(one)
    found: list[Inherited] = []
    for node in ancestors:
        thing = Subject(node.title, node.digest)
        near = {one.id: one for name, text in node.digest.items() for one in by_digest.get(f"{name}:{text}", ())}
        about = [one for one in near.values() if is_about(one.statement, thing)]
        said = [*_disputes(about), *_findings(about, at_least)]
        found += [Inherited(node.key, node.title, *each) for each in said[: MOST - len(found)]]
    return tuple(found)


_Said = tuple[str, str, str, Attestation]


def _findings(attestations: Sequence[Attestation], at_least: Level) -> Iterator[_Said]:
    """Yield the findings of the latest run of each check by each signer."""
    newest: dict[tuple[str, str], Attestation] = {}
    for one in sorted(attestations, key=lambda each: each.time):
        if check := check_of(one.statement):
            newest[check, one.keyid] = one
    told: set[tuple[str, str]] = set()
    for one in newest.values():
        for row in rows(one.statement.predicate.get("findings")):
            level, rule, message = (str(row.get(name, "")) for name in ("level", "rule", "message"))
            if level in set(Level) and Level(level).rank >= at_least.rank and (rule, message) not in told:
                told.add((rule, message))
                yield "finding", level, _text(f"{message} ({rule})"), one


def _disputes(attestations: Sequence[Attestation]) -> Iterator[_Said]:
    for found in standing(attestations):
        if found.open:
            yield "dispute", "", _text(found.opened.record.sentence), found.opened.source


def _text(said: object) -> str:
    text = clean(said)
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"
