"""What a system inherits: open findings of the parts it is made of, as far as evidence about these is at hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from hallmarked.cards.known import Known
from hallmarked.cards.record import CARD_CHECK, Evidence, Record
from hallmarked.core.evidence import Attestation, Level, Subject
from hallmarked.core.text import clean
from hallmarked.policy.fact import is_about, rows

MOST_SHOWN = 10
"""Findings of one part that are shown in text."""


@dataclass(frozen=True, slots=True)
class Inherited:
    """An open finding of a part."""

    rule: str
    level: Level
    message: str
    check: str
    source: Attestation
    """The statement, with who signed it and when."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a system, and what is known about it."""

    kind: str
    name: str
    subject: Subject | None
    """Which bytes are meant; None when the card does not say."""
    known: bool
    """Whether evidence about exactly these bytes is at hand."""
    findings: tuple[Inherited, ...] = field(default=())
    """Open findings, those that matter most in front."""
    unknown: tuple[str, ...] = ()
    """Checks that could not finish."""

    @property
    def sentence(self) -> str:
        """What is known, in one sentence."""
        if self.name == "none":
            return f"the system has no {self.kind}"
        if self.subject is None:
            return "the card does not say which one is meant, so that nothing is known about it"
        if not self.known:
            return "no evidence about it is at hand"
        counts = {level: sum(one.level is level for one in self.findings) for level in reversed(Level)}
        said = ", ".join(f"{count} {level.value}{'s' if count > 1 else ''}" for level, count in counts.items() if count)
        open_ = f"; {', '.join(self.unknown)} could not finish" if self.unknown else ""
        return f"{said or 'no finding'}{open_}"


def inherit(known: Known, stated: Sequence[Attestation]) -> tuple[Part, ...]:
    """Return the parts that the card of a system names, each with its open findings.

    Of several reports of a check about a part the one that counts for claims counts here: what was found in an earlier
    look, and not in a later one by the same signer, is not open any more.

    Args:
        known: What is stated about the system; its card names the parts.
        stated: Evidence at hand, also about other things than the system.
    """
    card = known.record.reports.get(CARD_CHECK)
    named = card.values("card.component") if card is not None else []
    ordered = sorted(stated, key=lambda one: one.time)
    return tuple(_part(noted, ordered) for noted in named)


def _part(noted: Evidence, stated: Sequence[Attestation]) -> Part:
    pairs = [each.partition(":") for each in noted.slice.get("digest", "").split()]
    digest = {algorithm: value for algorithm, _, value in pairs if algorithm and value}
    kind = noted.slice.get("kind", "")
    if not digest:
        return Part(kind, noted.value, None, known=False)
    subject = Subject(noted.value, digest)
    about = [one for one in stated if is_about(one.statement, subject)]
    reports = Record(about, subject).reports.values()
    findings = [one for report in reports for one in _findings(report.check, report.source)]
    findings.sort(key=lambda one: -one.level.rank)
    unknown = tuple(report.check for report in reports if report.outcome.value == "unknown")
    return Part(kind, noted.value, subject, bool(about), tuple(findings), unknown)


def _findings(check: str, source: Attestation) -> Iterator[Inherited]:
    for row in rows(source.statement.predicate.get("findings")):
        level, rule, message = row.get("level"), row.get("rule"), row.get("message")
        if isinstance(rule, str) and isinstance(message, str) and isinstance(level, str) and level in set(Level):
            yield Inherited(rule, Level(level), message, check, source)


def to_json(parts: Sequence[Part]) -> dict[str, Any]:
    """Write the parts of a system as JSON; nothing when there are none."""
    if not parts:
        return {}
    return {
        "parts": [
            {
                "kind": part.kind,
                "name": part.name,
                "digest": dict(part.subject.digest) if part.subject is not None else {},
                "known": part.known,
                "says": part.sentence,
                "findings": [
                    {
                        "rule": one.rule,
                        "level": one.level.value,
                        "message": one.message,
                        "check": one.check,
                        "who": one.source.signer or one.source.role,
                        "statement": one.source.id,
                    }
                    for one in part.findings
                ],
            }
            for part in parts
        ]
    }


def to_text(parts: Sequence[Part]) -> Iterator[str]:
    """Write the parts of a system as lines of text; nothing when there are none."""
    if parts:
        yield "What it is made of"
    for part in parts:
        yield clean(f"  {part.kind} {part.name}: {part.sentence}")
        for one in part.findings[:MOST_SHOWN]:
            who = one.source.signer or one.source.role or "nobody that is known here"
            yield clean(
                f"      {one.level.value} {one.rule}: {one.message} (check {one.check}, {who}, {one.source.id})"
            )
        if len(part.findings) > MOST_SHOWN:
            yield f"      … and {len(part.findings) - MOST_SHOWN} more"
