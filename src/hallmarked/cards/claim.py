"""From statements to claims: what the card says, how far evidence bears it out, and where to check.

A pure function. The documentation check writes down what a card claims (vocabulary in
``hallmarked.checks.documentation.claims``); other checks measure; ``derive`` compares the two. The rules for each kind
of claim are in ``rules``, what is compared with what in ``comparisons.toml``.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from hallmarked.cards.record import Evidence, Record, Report
from hallmarked.cards.rules import RULES
from hallmarked.cards.status import Judgement, Status
from hallmarked.core.evidence import Location, Outcome, Statement, Subject
from hallmarked.ledger.canonical import canonical_bytes

CARD_CHECK = "documentation"
MAX_SHOWN = 5
"""Pieces of evidence named in a line of text."""
_SENTENCES = {
    "license": "It is offered under the licence {value}.",
    "base_model": "It was made from {value}.",
    "parameters": "It has {value} parameters.",
    "library": "It is loaded with {value}.",
    "pipeline_tag": "Its task is {value}.",
    "architecture": "Its architecture is {value}.",
    "language": "It is for the language {value}.",
    "file": "There is a file {value}.",
    "dataset": "It was made with the data set {value}.",
    "evaluation": "It was evaluated: {text}.",
    "emissions": "Making it emitted {value} g of CO2 equivalent.",
    "examples": "It has {value} records ({text}).",
}


@dataclass(frozen=True, slots=True)
class Claim:
    """Something a card says."""

    kind: str
    """``license``, ``base_model``, ``parameters``, …: the metric of the documentation check without ``claim.``."""
    value: str
    text: str
    """What is claimed, as a plain sentence."""
    written: str
    """The words of the card."""
    status: Status
    reason: str
    """How we know, or why we do not, in one sentence."""
    evidence: tuple[Evidence, ...]
    """Where the card says it, then what was compared with it."""
    location: Location | None
    """Where the card says it."""

    @property
    def evidence_text(self) -> str:
        """Where to check: what was compared with the claim, each with its check and statement."""
        return "; ".join(map(str, self.evidence[1 : MAX_SHOWN + 1]))


def derive_claims(
    statements: Sequence[Statement],
    evidence_id: Callable[[int], str] | Mapping[int, str] | None = None,
    current: Subject | None = None,
) -> tuple[Claim, ...]:
    """Derive the claims of a card and their status from statements alone, those to look at first in front.

    Args:
        statements: What was stated about one artifact, oldest first; of two reports of a check the later one counts.
        evidence_id: The identity of the statement at an index; by default the SHA-256 of the bytes that get signed.
        current: The artifact as it is now. When given, evidence about other bytes makes a claim stale.

    Raises:
        InputError: When a statement cannot be written as canonical JSON.
    """
    record = Record(statements, _identify(statements, evidence_id))
    card = record.reports.get(CARD_CHECK)
    if card is None:
        return ()
    said = [claim for claim in card.measurements if claim.metric in RULES]
    claims = [_judge(claim, record, current) for claim in said]
    return tuple(sorted(claims, key=lambda claim: claim.status.rank))


def summarise(claims: Sequence[Claim]) -> dict[Status, int]:
    """Count claims by status; statuses that no claim has are left out."""
    counts = Counter(claim.status for claim in claims)
    return {status: counts[status] for status in Status if counts[status]}


def _judge(claim: Evidence, record: Record, current: Subject | None) -> Claim:
    """Apply the rule of a claim's kind, then what holds for every claim."""
    judgement = RULES[claim.metric](claim, record)
    used = [record.reports[item.check] for item in (claim, *judgement.evidence)]
    judgement = _settle(judgement, used, current)
    kind = claim.metric.removeprefix("claim.")
    written = claim.slice.get("text", claim.value)
    value = claim.slice.get("written", claim.value)
    return Claim(
        kind,
        claim.value,
        _SENTENCES[kind].format(value=value, text=written),
        written,
        judgement.status,
        judgement.reason,
        (claim, *judgement.evidence),
        claim.location,
    )


def _settle(judgement: Judgement, used: Sequence[Report], current: Subject | None) -> Judgement:
    """Hold back what evidence cannot carry: another revision's, or that of a check that could not finish."""
    if current is not None and not all(report.is_about(current) for report in used):
        reason = "the evidence is about other bytes than the ones here now; audit again"
        return Judgement(Status.STALE, reason, judgement.evidence)
    if judgement.status not in {Status.SUPPORTED, Status.CONTRADICTED}:
        return judgement
    if judgement.status is Status.CONTRADICTED and any(item.finding for item in judgement.evidence):
        return judgement  # a finding holds whatever else the check could not see
    for report in used:
        if report.outcome is Outcome.UNKNOWN and report.check != CARD_CHECK:
            why = f": {report.reason}" if report.reason else ""
            reason = f"the check {report.check} could not see everything{why}"
            return Judgement(Status.UNKNOWN, reason, judgement.evidence)
    return judgement


def _identify(
    statements: Sequence[Statement], evidence_id: Callable[[int], str] | Mapping[int, str] | None
) -> Callable[[int], str]:
    if evidence_id is None:
        return lambda index: f"sha256:{hashlib.sha256(canonical_bytes(statements[index].to_dict())).hexdigest()}"
    if isinstance(evidence_id, Mapping):
        named = evidence_id
        return lambda index: named.get(index, "")
    return evidence_id
