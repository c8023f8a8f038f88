"""From statements to claims: what the card says, how far evidence bears it out, and where to check.

A pure function of statements, the bytes at hand and the time. What a card says is what the documentation check wrote
down (vocabulary in ``hallmarked.checks.documentation.claims``, ``.declared`` and ``.scope``). Three kinds of claims are
compared in three ways: what the card says in passing, with what other checks measured (``rules``); what it declares for
machines, and the floors of its scope, by the one evaluator of requirements (``declared``); results of evaluations, with
what others measured (``evaluation``).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from hallmarked.cards.declared import Declaration, declarations
from hallmarked.cards.evaluation import compare, metric_of, reported_once
from hallmarked.cards.held import UNKNOWN_SIGNER, hold, sentence, withdrawn
from hallmarked.cards.known import Known
from hallmarked.cards.record import CARD_CHECK, Evidence, Report, read_report
from hallmarked.cards.rules import RULES
from hallmarked.cards.status import Judgement, Standing, Status, worst_first
from hallmarked.core.evidence import Attestation, Location, Outcome
from hallmarked.policy.requirement import Requirement

MAX_SHOWN = 5
"""Pieces of evidence named in a line of text."""
OTHER_BYTES = "the evidence is about other bytes than the ones here now; audit again"
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


_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Claim:
    """Something a card says."""

    kind: str
    """``license``, ``base_model``, ``parameters``, …: the metric of the documentation check without ``claim.``;
    ``declared`` for claims that are declared for machines, ``scope`` for the floors of a scope."""
    value: str
    """What is claimed; the id, where the claim is declared."""
    text: str
    """What is claimed, as a plain sentence."""
    written: str
    """The words of the card."""
    standings: tuple[Standing, ...]
    """Every way in which it stands, the worst first."""
    evidence: tuple[Evidence, ...]
    """Where the card says it, then what was compared with it."""
    location: Location | None
    """Where the card says it."""
    id: str = ""
    """How records and texts name it; unique in the card."""
    requirement: Requirement | None = None
    """What is declared, where it could be understood."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """The sentence by language tag, where its author wrote several."""
    audience: tuple[str, ...] = ("public",)
    """Who it is written for."""
    until: datetime | None = None
    """When its evidence becomes too old; None when age does not matter, or it is too old already."""

    @property
    def status(self) -> Status:
        """How it stands: of several ways, the worst."""
        return self.standings[0].status

    @property
    def reason(self) -> str:
        """How we know, or why we do not, in one sentence."""
        return self.standings[0].reason

    @property
    def others(self) -> tuple[Standing, ...]:
        """The other ways in which it stands."""
        return self.standings[1:]

    @property
    def sources(self) -> tuple[Attestation, ...]:
        """The statements that were compared with it, each once."""
        found = {item.source.id: item.source for item in self.evidence[1:] if item.source is not None}
        return tuple(found.values())

    @property
    def evidence_text(self) -> str:
        """Where to check: what was compared with the claim, each with its check and statement."""
        return "; ".join(map(str, self.evidence[1 : MAX_SHOWN + 1]))


def derive_claims(known: Known, time: datetime) -> tuple[Claim, ...]:
    """Derive the claims of a card and how each stands, those to look at first in front.

    Args:
        known: What is stated about the artifact, see ``known.know``.
        time: When it is judged; decides what is too old.
    """
    card = known.record.reports.get(CARD_CHECK)
    if card is None:
        return ()
    claims = [*_noted(card, known, time), *_declared(declarations(card), card, known, time)]
    claims += _taken_back({claim.id for claim in claims}, known, time)
    return tuple(sorted(claims, key=lambda claim: claim.status.rank))


def summarise(claims: Sequence[Claim]) -> dict[Status, int]:
    """Count claims by status; statuses that no claim has are left out."""
    counts = Counter(claim.status for claim in claims)
    return {status: counts[status] for status in Status if counts[status]}


def _noted(card: Report, known: Known, time: datetime) -> Iterator[Claim]:
    """Derive what the card says in passing."""
    said = [claim for claim in card.measurements if claim.metric in RULES]
    kinds = Counter(claim.metric for claim in said)
    once = reported_once(said)
    for claim in said:
        kind = claim.metric.removeprefix("claim.")
        name = kind if kinds[claim.metric] == 1 else f"{kind}:{_SPACE.sub('-', claim.value)}"
        judgement = RULES[claim.metric](claim, known.record)
        compared = compare(claim, known, time, alone=metric_of(claim) in once) if kind == "evaluation" else None
        if compared is not None:
            standings, evidence = compared.standings, compared.evidence
        else:
            used = [known.record.reports[item.check] for item in judgement.evidence]
            standings, evidence = tuple(_settle(judgement, used, known)), judgement.evidence
        disputed = _disputed(known, name, f"card.{kind}", *(item.statement for item in evidence))
        taken_back = withdrawn(known, name, kind, f"card.{kind}")
        standings = worst_first((*standings, *_of_card(card, known), *disputed, *taken_back))
        written = claim.slice.get("text", claim.value)
        text = _SENTENCES[kind].format(value=claim.slice.get("written", claim.value), text=written)
        yield Claim(kind, claim.value, text, written, standings, (claim, *evidence), claim.location, name)


def _settle(judgement: Judgement, used: Sequence[Report], known: Known) -> Iterator[Standing]:
    """Hold back what evidence cannot carry: another revision's, or that of a check that could not finish."""
    if not all(report.is_about(known.current) for report in used):
        yield Standing(Status.STALE, OTHER_BYTES)
        return
    status, reason = judgement.status, judgement.reason
    # A finding holds whatever else the check could not see.
    found = status is Status.CONTRADICTED and any(item.finding for item in judgement.evidence)
    if status in {Status.SUPPORTED, Status.CONTRADICTED} and not found:
        for report in used:
            if report.outcome is Outcome.UNKNOWN and report.check != CARD_CHECK:
                why = f": {report.reason}" if report.reason else ""
                status, reason = Status.UNKNOWN, f"the check {report.check} could not see everything{why}"
                break
    if status is Status.SUPPORTED and not all(report.source.role for report in used):
        status, reason = Status.SELF_ASSERTED, f"{reason}, and {UNKNOWN_SIGNER}"
    yield Standing(status, reason)
    for report in used:
        if why := known.superseded(report.source):
            yield Standing(Status.STALE, why)


def _of_card(card: Report, known: Known) -> Iterator[Standing]:
    """What a card of other bytes says need not be what the one here says."""
    if not card.is_about(known.current):
        yield Standing(Status.STALE, OTHER_BYTES)


def _disputed(known: Known, *about: str) -> Iterator[Standing]:
    dispute = known.facts.disputed(*about)
    if dispute is not None:
        yield Standing(Status.DISPUTED, f"it is disputed: {dispute.reason or 'no reason is given'}")


def _declared(found: Iterable[Declaration], card: Report, known: Known, time: datetime) -> Iterator[Claim]:
    """Derive what the card declares for machines."""
    for one in found:
        evidence: tuple[Evidence, ...] = ()
        until: datetime | None = None
        standings: tuple[Standing, ...] = (Standing(Status.UNKNOWN, one.problem),)
        if one.requirement is not None:
            standings, judged = hold(one.requirement, known, time, one.id, f"card.{one.kind}")
            evidence, until = tuple(map(Evidence.of_fact, judged.facts)), judged.until
        standings = worst_first((*standings, *_of_card(card, known)))
        text = one.texts.get("en") or (sentence(one.requirement) if one.requirement else one.noted.value or "…")
        yield Claim(
            one.kind,
            one.id,
            text,
            one.written,
            standings,
            (one.noted, *evidence),
            one.noted.location,
            one.id,
            one.requirement,
            one.texts,
            one.audience,
            until,
        )


def _taken_back(here: set[str], known: Known, time: datetime) -> Iterator[Claim]:
    """Derive claims that the owner took back and out of the card: they stay visible."""
    missing = {name for name in known.withdrawals if name not in here}
    for source in reversed(known.record.cards if missing else ()):
        card = read_report(CARD_CHECK, source)
        for claim in _declared((one for one in declarations(card) if one.id in missing), card, known, time):
            missing.discard(claim.id)
            yield claim
