"""A governance card's part that is not prose: decisions, who answers for what, waivers, and live counts.

The prose (organisation, goals, how decisions are made, funding, consent, privacy, release) is the card's document, see
``cards.template``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from hallmarked.cards.governance.count import Counts
from hallmarked.cards.governance.decision import Change, Listed, changes, decisions, undecided
from hallmarked.core.evidence import Attestation
from hallmarked.core.text import clean
from hallmarked.ledger.strict import format_time
from hallmarked.records.record import Signed, records
from hallmarked.records.stage import Stage
from hallmarked.records.waiver import Waiver


@dataclass(frozen=True, slots=True)
class Answer:
    """Somebody who answers for something."""

    by: str
    contact: str
    what: tuple[str, ...]
    """Stages, and ``decisions``."""
    signers: tuple[str, ...]
    """Whose keys signed it."""


@dataclass(frozen=True, slots=True)
class Governance:
    """How a project is run, as far as statements show it."""

    answers: tuple[Answer, ...]
    decisions: tuple[Listed, ...]
    undecided: tuple[Change, ...]
    """Changes that no decision accounts for."""
    waivers: tuple[Signed[Waiver], ...]
    """Those that stand."""
    counts: Counts | None
    """None when nobody who has a registry was asked; then views say so."""

    @property
    def complete(self) -> bool:
        """Whether every change of a gate, threshold or rule has a decision."""
        return not self.undecided


def govern(
    attestations: Iterable[Attestation],
    time: datetime,
    counts: Counts | None = None,
    changed: Sequence[Change] = (),
) -> Governance:
    """Say how a project is run.

    Args:
        attestations: What was stated about its models, data sets, systems and itself.
        time: When; decides which waivers stand.
        counts: What the registry counts at this moment, from whoever has it.
        changed: Changes that statements do not show, from whoever keeps the gates and rules.
    """
    known = [one for one in attestations if one.role]
    listed = decisions(known)
    return Governance(
        _answers(known, listed),
        listed,
        undecided([*changes(known), *changed], listed),
        tuple(one for one in records(Waiver, known) if one.record.stands(time)),
        counts,
    )


def _answers(attestations: Sequence[Attestation], listed: Sequence[Listed]) -> tuple[Answer, ...]:
    found: dict[str, tuple[dict[str, None], dict[str, None], str]] = {}
    said = [(one.record.by, one.record.stage.value, one.by, one.record.contact) for one in records(Stage, attestations)]
    signed = [one.signed for one in listed]
    said += [(one.record.by, "decisions", one.by, one.record.contact) for one in signed]
    for by, what, signer, contact in said:
        stages, signers, where = found.get(by, ({}, {}, ""))
        found[by] = ({**stages, what: None}, {**signers, signer: None}, contact or where)
    return tuple(Answer(by, where, tuple(stages), tuple(who)) for by, (stages, who, where) in sorted(found.items()))


def to_text(found: Governance) -> str:
    """Write it for a terminal."""
    lines = ["Who answers for what"]
    lines += [f"  {one.by}: {', '.join(one.what)}{f' ({one.contact})' if one.contact else ''}" for one in found.answers]
    lines += [] if found.answers else ["  ? nobody signed for anything"]
    lines += ["", "Decisions"]
    for one in found.decisions:
        after = f" (replaced by {one.replaced_by})" if one.replaced_by else ""
        lines += [f"  {one.signed.record.sentence}{after}", f"    {one.signed.record.tradeoff}"]
    lines += [] if found.decisions else ["  ? no decision was signed"]
    lines += [f"  ✖ {change.sentence}" for change in found.undecided]
    if found.waivers:
        lines += ["", "Waivers", *(f"  {one.record.sentence}" for one in found.waivers)]
    lines += ["", "Counts"]
    if found.counts is None:
        lines.append("  ? nobody who keeps a registry was asked; the hub that does shows them")
    else:
        lines += [f"  {name.replace('_', '-'):10} {value:,}" for name, value in asdict(found.counts).items()]
    return "\n".join(map(clean, lines))


def to_json(found: Governance) -> dict[str, Any]:
    """Write it as JSON."""
    return {
        "complete": found.complete,
        "answers": [asdict(one) for one in found.answers],
        "decisions": [
            {
                **one.signed.record.predicate(),
                "replacedBy": one.replaced_by,
                "signedBy": one.signed.by,
                "statement": one.signed.source.id,
            }
            for one in found.decisions
        ],
        "undecided": [
            {
                "kind": one.kind.value,
                "name": one.name,
                "before": one.before,
                "after": one.after,
                "time": format_time(one.time),
            }
            for one in found.undecided
        ],
        "waivers": [{**one.record.predicate(), "signedBy": one.by} for one in found.waivers],
        "counts": asdict(found.counts) if found.counts is not None else None,
    }
