"""What a context demands and what it came to, and what others state, as every report for people shows it."""

from __future__ import annotations

from dataclasses import dataclass

from hallmarked.audit.report.report import Report
from hallmarked.core.evidence import Attestation
from hallmarked.policy.decide import Ruling
from hallmarked.policy.fact import check_of, is_about, rows
from hallmarked.policy.remedy import describe, remedy

MOST_VALUES = 3
"""Values of one statement that are shown."""


@dataclass(frozen=True, slots=True)
class DemandRow:
    """One requirement of the context."""

    status: str
    word: str
    id: str
    asked: str
    """What is asked, in words."""
    reason: str
    why: str
    """Why it is asked."""
    waiver: str
    """Who waived it, and what it came to otherwise; empty when nobody did."""
    remedy: str
    """What would meet it; empty when it is met."""
    evidence: str
    """Who stated what it was held against, and when; empty when nobody did."""


@dataclass(frozen=True, slots=True)
class OtherRow:
    """A statement of somebody else."""

    who: str
    date: str
    said: str
    current: bool
    """Whether it is about the bytes that were audited."""
    used: bool
    """Whether the decision rests on it."""


def demands(report: Report, language: str = "en") -> list[DemandRow]:
    """Return what the context spells out, in its order; empty when it only asks something of every check."""
    return [_demand(ruling, report, language) for ruling in report.decision.demanded]


def others(report: Report) -> list[OtherRow]:
    """Return what others state, newest first."""
    used = set(report.decision.evidence)
    subject = report.examination.subject
    return [
        OtherRow(_who(one), f"{one.time:%Y-%m-%d}", _said(one), is_about(one.statement, subject), one.id in used)
        for one in sorted(report.outside, key=lambda one: one.time, reverse=True)
    ]


def _demand(ruling: Ruling, report: Report, language: str) -> DemandRow:
    assert ruling.demand is not None
    why, waiver = ruling.demand.why, ""
    if ruling.excuse is not None:
        said = ruling.excuse.waiver
        raw = ruling.raw.value.replace("_", " ")
        waiver = f"{raw} without the waiver by {said.by} until {said.until:%Y-%m-%d}: {said.reason}"
    sources = dict.fromkeys(f"{_who(fact.source)}, {fact.source.time:%Y-%m-%d}" for fact in ruling.judged.facts)
    return DemandRow(
        ruling.outcome.value,
        ruling.outcome.value.replace("_", " ").capitalize(),
        ruling.id,
        describe(ruling.judged.requirement),
        ruling.judged.reason,
        why.get(language) or why.get("en", ""),
        waiver,
        remedy(ruling, report.context.waived_by),
        "; ".join(sources),
    )


def _who(one: Attestation) -> str:
    return f"{one.signer or 'somebody unknown'}{f' ({one.role})' if one.role else ''}"


def _said(one: Attestation) -> str:
    """Name what a statement says: the check, the first values, or its kind."""
    if check := check_of(one.statement):
        return f"check {check}: {one.statement.predicate.get('outcome', 'unknown')}"
    measured = list(rows(one.statement.predicate.get("measurements")))
    values = [f"{row.get('metric')} = {row.get('value')}" for row in measured[:MOST_VALUES]]
    rest = f", and {len(measured) - len(values)} more" if len(measured) > len(values) else ""
    return f"{', '.join(values)}{rest}" if values else one.statement.predicate_type
