"""A chain for people and programs: who answers for each stage, what is missing, as rows, as text and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from hallmarked.cards.lineage.chain import Chain, Trouble
from hallmarked.cards.lineage.collection import Collection
from hallmarked.cards.lineage.graph import Basis, Node
from hallmarked.cards.lineage.inherit import Inherited
from hallmarked.cards.lineage.thing import short
from hallmarked.core.text import clean
from hallmarked.ledger.strict import format_time
from hallmarked.records.record import Signed, name_signer
from hallmarked.records.stage import Stage, Step

SIGNED, UNKNOWN, MISSING, BUILT = "signed", "unknown signer", "nobody signed", "written by a program"
_LONGEST = 60
_HEADS = ("stage", "what", "who answers for it", "signed by", "when", "state")


@dataclass(frozen=True, slots=True)
class Row:
    """One stage of one thing."""

    stage: str
    what: str
    """What people call the thing."""
    digest: str
    by: str
    """Who did it and answers for it; what is missing, when nobody signed."""
    contact: str
    signer: str
    """Whose key signed, and as what."""
    keyid: str
    time: str
    """When it was done; empty when nobody says."""
    state: str
    """``signed``, ``unknown signer``, ``nobody signed`` or ``written by a program``."""
    statement: str = ""
    """Id of the statement."""


def table(chain: Chain) -> tuple[Row, ...]:
    """Return a row for each stage of each thing in a chain, the thing itself first, and for what is missing."""
    made: list[Row] = []
    for key in chain.order:
        node = chain.node(key)
        made += [_row(node, one) for one in sorted(node.stages, key=_latest_step)]
        made += _built(chain, node)
    for problem in chain.problems:
        if problem.trouble is Trouble.MISSING:
            node = chain.node(problem.things[0]) if problem.things else chain.node(chain.graph.target)
            stage = problem.step.value if problem.step else "origin"
            made.append(
                Row(stage, clean(node.title), short(node.digest), clean(problem.message), "", "", "", "", MISSING)
            )
    return tuple(made)


def _latest_step(one: Signed[Stage]) -> tuple[int, float]:
    return (-list(Step).index(one.record.stage), -one.record.time.timestamp())


def _row(node: Node, one: Signed[Stage]) -> Row:
    said, source = one.record, one.source
    return Row(
        said.stage.value,
        clean(node.title),
        short(node.digest),
        clean(said.by),
        clean(said.contact),
        clean(name_signer(source)),
        source.keyid,
        f"{said.time:%Y-%m-%d}",
        SIGNED if source.role else UNKNOWN,
        source.id,
    )


def _built(chain: Chain, node: Node) -> list[Row]:
    sources = {
        edge.source.id: edge.source for edge in chain.graph.made_from(node.key) if edge.basis is Basis.PROVENANCE
    }
    return [
        Row("built", clean(node.title), short(node.digest), "", "", clean(name_signer(source)), source.keyid,
            f"{source.time:%Y-%m-%d}", BUILT if source.role else UNKNOWN, source.id)
        for source in sources.values()
    ]  # fmt: skip


def to_text(chain: Chain, collection: Collection | None = None, inherited: Sequence[Inherited] = ()) -> str:
    """Write a chain as a table and sentences, for a terminal."""
    rows = [(row.stage, f"{row.what} ({row.digest})", row.by, row.signer, row.time, row.state) for row in table(chain)]
    lines = _columns([_HEADS, *rows]) if rows else ["Nothing is stated about these bytes."]
    lines += ["", *_verdict(chain)]
    if collection is not None:
        lines.append(f"{'?' if collection.orphans else '✔'} {clean(collection.sentence)}")
    if inherited:
        lines += ["", "Known about what it was made from"]
        lines += [f"  {clean(one.sentence)}" for one in inherited[:20]]
        lines += [f"  and {len(inherited) - 20:,} more"] if len(inherited) > 20 else []
    return "\n".join(lines)


def _verdict(chain: Chain) -> list[str]:
    if chain.holds:
        return [f"✔ Every link from {clean(chain.node(chain.graph.target).title)} back to the data is signed"]
    return [f"{'✖' if problem.trouble.breaks else '?'} {clean(problem.message)}" for problem in chain.problems]


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    cut = [[cell if len(cell) <= _LONGEST else cell[: _LONGEST - 1] + "…" for cell in row] for row in rows]
    widths = [max(len(row[at]) for row in cut) for at in range(len(_HEADS))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cut]


def to_json(chain: Chain, collection: Collection | None = None, inherited: Sequence[Inherited] = ()) -> dict[str, Any]:
    """Write a chain as JSON: things, links, who answers, and what is wrong."""
    things = [chain.node(key) for key in chain.order]
    known = set(chain.order)
    said: dict[str, Any] = {
        "target": chain.graph.target,
        "holds": chain.holds,
        "broken": chain.broken,
        "things": [{"key": node.key, "names": list(node.names), "digest": dict(node.digest)} for node in things],
        "links": [
            {"from": edge.child, "to": edge.parent, "basis": edge.basis.value, "statement": edge.source.id}
            for edge in chain.graph.edges
            if edge.child in known
        ],
        "stages": [asdict(row) for row in table(chain)],
        "problems": [
            {"kind": one.trouble.value, "message": one.message, "things": list(one.things), "stage": one.step or ""}
            for one in chain.problems
        ],
        "inherited": [
            {"kind": one.kind, "level": one.level, "from": one.origin, "text": one.text, "statement": one.source.id}
            for one in inherited
        ],
    }
    if collection is not None:
        said["collection"] = {
            "covered": collection.covered,
            "orphans": list(collection.orphans),
            "events": [
                {**one.record.predicate(), "signedBy": one.by, "logged": format_time(one.source.time)}
                for one in collection.events
            ],
        }
    return said
