"""Follow something back to the data, and say what the chain lacks and what in it contradicts itself.

Nothing here raises for what statements say: cycles, missing links and contradictions are named.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from hallmarked.cards.lineage.graph import Basis, Edge, Graph, Manifest, Node
from hallmarked.cards.lineage.licence import conflicts
from hallmarked.cards.lineage.thing import short
from hallmarked.core.evidence import Attestation
from hallmarked.records.record import name_signer
from hallmarked.records.stage import Step

MODEL = (Step.COLLECTED, Step.TRAINED, Step.EVALUATED, Step.APPROVED, Step.DEPLOYED)
"""Stages somebody must answer for before a model is in use. Curating and fine-tuning need not have happened."""
DATASET = (Step.COLLECTED,)
MOST_NAMED = 50
"""Problems of one kind that are told."""
DOING = {
    Step.COLLECTED: "collecting",
    Step.CURATED: "curating",
    Step.TRAINED: "training",
    Step.FINE_TUNED: "fine-tuning",
    Step.EVALUATED: "evaluating",
    Step.APPROVED: "approving",
    Step.DEPLOYED: "deploying",
}
"""Each stage as something that is done."""


class Trouble(StrEnum):
    """What can be wrong with a chain."""

    CYCLE = "cycle"
    """Something was made from itself, in the end."""
    CONTRADICTION = "contradiction"
    """Two statements, or a statement and the files at hand, cannot both be true."""
    MISSING = "missing"
    """Nobody signed for it."""
    UNKNOWN_SIGNER = "unknown-signer"
    """Somebody signed whom nobody here knows."""
    LICENCE = "licence"
    """A licence does not keep what that of a source asks for."""
    UNREADABLE = "unreadable"
    """A statement does not say what its kind should."""
    CUT = "cut"
    """There is more than was followed."""

    @property
    def breaks(self) -> bool:
        """Whether the chain does not hold, rather than being open."""
        return self in {Trouble.CYCLE, Trouble.CONTRADICTION}


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is wrong with a chain."""

    trouble: Trouble
    message: str
    """One sentence."""
    things: tuple[str, ...] = ()
    """Keys of the nodes it is about."""
    step: Step | None = None


@dataclass(frozen=True, slots=True)
class Chain:
    """Something, all it was made from, and what is wrong with that."""

    graph: Graph
    order: tuple[str, ...]
    """Keys of its nodes: the thing itself, then what it was made from, nearest first."""
    problems: tuple[Problem, ...]
    """Those that break the chain first."""

    @property
    def holds(self) -> bool:
        """Whether every link is there and signed by somebody known."""
        return not self.problems

    @property
    def broken(self) -> bool:
        """Whether something in it cannot be true."""
        return any(problem.trouble.breaks for problem in self.problems)

    def node(self, key: str) -> Node:
        """Return a node of it."""
        return self.graph.nodes[key]


def follow(
    graph: Graph, *, expected: Sequence[Step] | None = None, manifest: Manifest | None = None, licence: str = ""
) -> Chain:
    """Follow the thing a graph is about back to the data.

    Args:
        graph: What was made from what.
        expected: Stages that somebody must answer for; by default what is usual for its kind.
        manifest: The files at hand, to compare with what is said of them.
        licence: The licence that the card states, to hold against those of what was collected.
    """
    order = (graph.target, *graph.ancestors(graph.target))
    found = [
        *_cycles(graph),
        *_clashes(graph),
        *_different_materials(graph, order),
        *_out_of_time(graph, order),
        *(_other_files(graph, manifest) if manifest else ()),
        *_missing_stages(graph, order, usual(graph) if expected is None else expected),
        *_missing_links(graph, order),
        *_unknown_signers(graph, order),
        *(
            Problem(Trouble.UNREADABLE, f"a statement of {name_signer(one)} cannot be read: {why}")
            for one, why in graph.unreadable
        ),
    ]
    found += [Problem(Trouble.LICENCE, message, (graph.target,)) for message in conflicts(graph, licence)]
    if graph.cut:
        found.append(Problem(Trouble.CUT, "there are more links than are followed"))
    found.sort(key=lambda problem: not problem.trouble.breaks)
    return Chain(graph, order, tuple(found))


def usual(graph: Graph) -> Sequence[Step]:
    """Return the stages that are usual for the thing a graph is about: more for a model than for a data set."""
    steps = {one.record.stage for one in graph.nodes[graph.target].stages}
    return DATASET if steps and steps <= {Step.COLLECTED, Step.CURATED} else MODEL


def _cycles(graph: Graph) -> Iterator[Problem]:
    """Name a cycle for each edge that closes one, as far as they lie behind the thing."""
    done: set[str] = set()
    path: list[Edge] = []
    depth = {graph.target: 0}
    waiting = [iter(graph.made_from(graph.target))]
    told = 0
    while waiting:
        edge = next(waiting[-1], None)
        if edge is None:
            waiting.pop()
            left = path.pop().parent if path else graph.target
            done.add(left)
            del depth[left]
        elif edge.parent in depth:
            told += 1
            if told <= MOST_NAMED:
                yield _cycle(graph, [*path[depth[edge.parent] :], edge])
        elif edge.parent not in done:
            path.append(edge)
            depth[edge.parent] = len(path)
            waiting.append(iter(graph.made_from(edge.parent)))


def _cycle(graph: Graph, edges: Sequence[Edge]) -> Problem:
    """Say that something was made from itself. What strangers say breaks nobody's chain, but it is told."""
    names = [_title(graph, key) for key in (*(edge.child for edge in edges), edges[-1].parent)]
    shown = names if len(names) <= 8 else [*names[:4], "…", *names[-3:]]
    signers = ", ".join(dict.fromkeys(name_signer(edge.source) for edge in edges))
    trouble = Trouble.CYCLE if all(edge.source.role for edge in edges) else Trouble.UNKNOWN_SIGNER
    back = f"going back from {names[0]} leads to it again ({', '.join(shown)})"
    message = f"{back}, and nothing can be made from itself (signed by {signers})"
    return Problem(trouble, message, tuple(edge.child for edge in edges))


def _clashes(graph: Graph) -> Iterator[Problem]:
    for clash in graph.clashes[:MOST_NAMED]:
        what = clash.subject.name or short(clash.subject.digest)
        message = f"{name_signer(clash.source)} gives {what} digests that belong to different things"
        yield Problem(Trouble.CONTRADICTION, message)


def _different_materials(graph: Graph, order: Sequence[str]) -> Iterator[Problem]:
    """Name signers who say of one stage that different things went in, neither list being part of the other."""
    for key in order:
        by: dict[tuple[Step | None, str], set[str]] = {}
        who: dict[str, Attestation] = {}
        for edge in graph.made_from(key):
            if edge.basis is Basis.STAGE and edge.source.role:
                by.setdefault((edge.step, edge.source.keyid), set()).add(edge.parent)
                who[edge.source.keyid] = edge.source
        said = sorted(by.items(), key=lambda row: (str(row[0][0]), row[0][1]))
        for at, ((step, one), ours) in enumerate(said):
            for (other_step, other), theirs in said[at + 1 :]:
                if step is other_step and not (ours <= theirs or theirs <= ours):
                    yield _disagreement(graph, key, step, (who[one], ours - theirs), (who[other], theirs - ours))


def _disagreement(
    graph: Graph, key: str, step: Step | None, one: tuple[Attestation, set[str]], other: tuple[Attestation, set[str]]
) -> Problem:
    def listed(keys: set[str]) -> str:
        return ", ".join(sorted(_title(graph, each) for each in keys)[:5])

    verb = step or "made"
    message = (
        f"{name_signer(one[0])} says that {_title(graph, key)} was {verb} from {listed(one[1])}, "
        f"{name_signer(other[0])} that it was {verb} from {listed(other[1])}"
    )
    return Problem(Trouble.CONTRADICTION, message, (key,), step)


def _out_of_time(graph: Graph, order: Sequence[str]) -> Iterator[Problem]:
    """Name things that were finished before what they were made from was there."""
    for key in order:
        for edge in graph.made_from(key):
            made = [one for one in graph.nodes[key].stages if one.source.id == edge.source.id]
            earlier = [one for one in graph.nodes[edge.parent].stages if one.record.stage.makes and one.source.role]
            for one in made if edge.source.role else ():
                late = [other for other in earlier if other.record.time > one.record.time]
                if late and len(late) == len(earlier):
                    other = min(late, key=lambda each: each.record.time)
                    yield Problem(
                        Trouble.CONTRADICTION,
                        f"{_title(graph, key)} was {one.record.stage} on {one.record.time:%Y-%m-%d}, before "
                        f"{_title(graph, edge.parent)}, which it was made from, was {other.record.stage} on "
                        f"{other.record.time:%Y-%m-%d}",
                        (key, edge.parent),
                        one.record.stage,
                    )


def _other_files(graph: Graph, manifest: Manifest) -> Iterator[Problem]:
    """Name collected files that are not as they are here, although the statement is about the bytes here."""
    for one in graph.nodes[graph.target].at(Step.COLLECTED):
        wrong = sorted(path for path, digest in one.record.files.items() if manifest.files.get(path) != digest)
        if wrong:
            more = f" and {len(wrong) - 3:,} more" if len(wrong) > 3 else ""
            message = f"{name_signer(one.source)} says that collecting brought {', '.join(wrong[:3])}{more}, "
            yield Problem(
                Trouble.CONTRADICTION,
                message + "which the files at hand do not hold with these contents",
                (graph.target,),
                Step.COLLECTED,
            )


def _missing_stages(graph: Graph, order: Sequence[str], expected: Sequence[Step]) -> Iterator[Problem]:
    """Name stages that nobody answers for: those of making anywhere in the chain, the others at the thing itself."""
    target = graph.nodes[graph.target]
    for step in expected:
        nodes = [graph.nodes[key] for key in order] if step.makes else [target]
        if not any(node.at(step) for node in nodes):
            of = f"the data behind {target.title}" if step is Step.COLLECTED and len(order) > 1 else target.title
            yield Problem(Trouble.MISSING, f"nobody signed for {DOING[step]} {of}", (graph.target,), step)


def _missing_links(graph: Graph, order: Sequence[str]) -> Iterator[Problem]:
    """Name things in the chain of which nobody signed where they come from."""
    for key in order:
        node, edges = graph.nodes[key], graph.made_from(key)
        made_by_hand = [one for one in node.stages if one.record.stage.makes]
        if not node.known:
            whose = ", ".join(sorted({_title(graph, edge.child) for edge in graph.made_into(key)})[:3])
            message = f"the card of {whose} names {node.title}, but nobody signed which bytes that was"
            yield Problem(Trouble.MISSING, message, (key,))
        elif not made_by_hand and not any(edge.basis is Basis.PROVENANCE for edge in edges):
            into = sorted({_title(graph, edge.child) for edge in graph.made_into(key)})
            which = f", from which {', '.join(into[:3])} was made" if into else ""
            yield Problem(Trouble.MISSING, f"nobody signed where {node.title} comes from{which}", (key,))
        elif not edges and not node.at(Step.COLLECTED):
            one = made_by_hand[-1]
            message = f"{name_signer(one.source)} says that {node.title} was {one.record.stage}, but not from what"
            yield Problem(Trouble.MISSING, message, (key,), one.record.stage)


def _unknown_signers(graph: Graph, order: Sequence[str]) -> Iterator[Problem]:
    told: set[tuple[str, Step | None, str]] = set()
    for key in order:
        node = graph.nodes[key]
        signed = [(one.record.stage, one.source) for one in node.stages]
        links: list[tuple[Step | None, Attestation]] = [(edge.step, edge.source) for edge in graph.made_from(key)]
        for step, source in (*signed, *links):
            if not source.role and (key, step, source.keyid) not in told and len(told) < MOST_NAMED:
                told.add((key, step, source.keyid))
                what = f"that {node.title} was {step}" if step else f"what {node.title} was made from"
                message = f"{name_signer(source)} signed {what}, and is not among those you trust"
                yield Problem(Trouble.UNKNOWN_SIGNER, message, (key,), step)


def _title(graph: Graph, key: str) -> str:
    return graph.nodes[key].title
