"""Claims as a reader sees them: what is claimed, how it stands, how we know, and where to check."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from hallmarked.cards.claim import Claim, derive_claims
from hallmarked.cards.document.declared import Declared, DeclaredClaim
from hallmarked.cards.document.placeholder import Placeholder
from hallmarked.cards.held import hold, sentence
from hallmarked.cards.known import Known
from hallmarked.cards.language import SOURCE, primary
from hallmarked.cards.record import Evidence
from hallmarked.cards.status import Standing, Status
from hallmarked.core.text import name_part
from hallmarked.policy.fact import Fact
from hallmarked.policy.requirement import WORST, Judged, Operator, Requirement

UNORDERED = "the card declares no claim about the worst part, so that nobody can tell which way is worse"
_NOT_NAME = re.compile(r"[^A-Za-z0-9._-]+")

MOST_PROOFS = 20
"""Statements named beside a claim; the evidence has all."""


@dataclass(frozen=True, slots=True)
class Proof:
    """One value that somebody stated, and where to check it."""

    path: str
    """What was stated, such as ``eval.recall``."""
    value: str
    """The value, with its unit."""
    interval: tuple[str, str] | None
    """95 % interval, as decimal text."""
    n: int | None
    """How many things were looked at."""
    part: str
    """The part it speaks about; empty for the whole."""
    statement: str
    """Id of the statement: ``sha256:…``."""
    signer: str
    """Who signed it; empty when nobody we know did."""
    role: str
    """As what they are trusted; empty when they are not."""
    time: datetime
    """When the log took it in."""
    current: bool
    """Whether it is about exactly the bytes of this revision."""

    @property
    def figure(self) -> str:
        """The value with everything that a number must not stand without."""
        bounds = f" ({self.interval[0]} to {self.interval[1]})" if self.interval else ""
        count = f", n = {self.n:,}" if self.n is not None else ""
        part = f", {self.part}" if self.part else ""
        return f"{self.value}{bounds}{count}{part}"


@dataclass(frozen=True, slots=True)
class ClaimLine:
    """A claim and how it stands."""

    id: str
    """Names it on the page; unique there."""
    text: str
    """What is claimed, as a sentence."""
    language: str
    """Language tag of that sentence."""
    status: Status
    others: tuple[Status, ...]
    """What else holds of it."""
    reason: str
    """How we know, or why we do not."""
    proofs: tuple[Proof, ...]
    """What was looked at, what decided first."""
    hidden: int = 0
    """How many more statements were looked at."""
    asked: str = ""
    """What the evidence is held against, such as ``>= 0.90``; empty when the card only shows a value."""
    line: int = 0
    """Line of the card that makes it; 0 when none does."""
    kind: str = "declared"
    """``declared`` for machines, ``scope`` for its floors, ``place`` for what is only shown; else what it is about."""
    claimed: str = ""
    """Of what the card says in passing: the value, as written."""
    written: str = ""
    """Of what the card says in passing: its words."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """The sentence by language tag, where its author wrote several."""
    name: str = ""
    """How records and histories name it; empty for what is only shown."""

    @property
    def value(self) -> str:
        """The value that decided, with interval, n and part; empty when nothing was stated."""
        return self.proofs[0].figure if self.proofs else ""


def claim_lines(declared: Declared, known: Known, time: datetime, language: str = SOURCE) -> tuple[ClaimLine, ...]:
    """Say how everything that a card claims stands, what to look at first in front.

    Args:
        declared: What the card declares for machines, as it is now.
        known: What is stated. What the card says in passing comes from the check that wrote it down.
        time: When it is shown; decides what is stale.
        language: The language claims are shown in where they have words in it.
    """
    made = [_declared_line(claim, known, time, language) for claim in declared.claims]
    here = {line.id for line in made}
    made += [_derived_line(claim, known, time) for claim in derive_claims(known, time) if claim.id not in here]
    return tuple(sorted(_told_apart(made), key=lambda line: line.status.rank))


def _told_apart(lines: Sequence[ClaimLine]) -> Iterator[ClaimLine]:
    """Give each line an id of its own: two claims of a card may have one, which is an error that is shown."""
    seen: Counter[str] = Counter()
    for line in lines:
        seen[line.id] += 1
        yield line if seen[line.id] == 1 else replace(line, id=f"{line.id}--{seen[line.id]}")


def stated_line(place: Placeholder, known: Known, time: datetime) -> ClaimLine:
    """Show what is stated under a path that the card makes no claim about; never a number without its status."""
    if place.slice == WORST:  # without an operator nobody knows which way is worse
        return ClaimLine(f"place-{place.start}", place.name, SOURCE, Status.UNKNOWN, (), UNORDERED, (), kind="place")
    requirement = Requirement(place.name, place.name, Operator.PRESENT, slice=place.slice)
    return _line(f"place-{place.start}", (place.name, SOURCE), hold(requirement, known, time), kind="place")


def _declared_line(claim: DeclaredClaim, known: Known, time: datetime, language: str) -> ClaimLine:
    held = hold(claim, known, time, claim.id, "card.declared")
    value = ", ".join(claim.value) if isinstance(claim.value, tuple) else claim.value
    asked = f"{claim.op} {value}".strip()
    shown = _line(claim.id, _text(claim, language), held, asked=asked, line=claim.line, called=claim.id)
    return replace(shown, texts=claim.text)


def _derived_line(claim: Claim, known: Known, time: datetime) -> ClaimLine:
    """Show what the card says in passing, what its scope promises, or what was taken out of it."""
    line = claim.location.line or 0 if claim.location else 0
    if claim.requirement is not None:
        _, judged = hold(claim.requirement, known, time, claim.id)
        held = claim.standings, judged
        return _line(_anchor(claim.id), (claim.text, SOURCE), held, line=line, kind=claim.kind, called=claim.id)
    proofs = tuple(_proof_of(item) for item in claim.evidence[1:] if item.source is not None)
    written = claim.evidence[0].slice.get("written", claim.value) if claim.evidence else claim.value
    return ClaimLine(
        _anchor(claim.id or claim.kind),
        claim.text,
        SOURCE,
        claim.status,
        tuple(each.status for each in claim.others),
        begin(claim.reason),
        proofs[:MOST_PROOFS],
        max(0, len(proofs) - MOST_PROOFS),
        "",
        line,
        claim.kind,
        written,
        claim.written,
        name=claim.id,
    )


def _anchor(name: str) -> str:
    """Return a name that can stand in an address of a page; names of the card itself keep theirs."""
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{_NOT_NAME.sub('-', name)[:60]}-{digest}"


def _text(claim: DeclaredClaim, language: str) -> tuple[str, str]:
    """Return the words of a claim in a language, or the nearest there are; what it compares when there are none."""
    for wanted in (language, primary(language), SOURCE):
        if wanted in claim.text:
            return claim.text[wanted], wanted
    for tag, text in claim.text.items():
        return text, tag
    return sentence(claim).rstrip("."), SOURCE


def _line(
    name: str,
    text: tuple[str, str],
    held: tuple[Sequence[Standing], Judged],
    *,
    asked: str = "",
    line: int = 0,
    kind: str = "declared",
    called: str = "",
) -> ClaimLine:
    standings, judged = held
    first, others = standings[0], tuple(each.status for each in standings[1:])
    shown = tuple(map(_proof, judged.facts[:MOST_PROOFS]))
    hidden, reason = len(judged.facts) - len(shown), begin(first.reason)
    return ClaimLine(name, *text, first.status, others, reason, shown, hidden, asked, line, kind, name=called)


def begin(sentence: str) -> str:
    """Begin a sentence with a capital, unless it begins with a name such as ``eval.recall``."""
    first = sentence.partition(" ")[0]
    return sentence if "." in first else sentence[:1].upper() + sentence[1:]


def _proof(fact: Fact) -> Proof:
    source = fact.source
    value = f"{fact.value}{fact.unit and ' ' + fact.unit}"
    part = name_part(dict(fact.place))
    return Proof(
        fact.path,
        value,
        fact.interval,
        fact.n,
        part,
        source.id,
        source.signer,
        source.role,
        source.time,
        fact.current,
    )


def _proof_of(item: Evidence) -> Proof:
    """Show one piece of what was compared with what the card says in passing."""
    source = item.source
    assert source is not None
    part = name_part({key: value for key, value in item.slice.items() if key != "row"})
    path = f"finding.{item.metric}" if item.finding else item.metric
    return Proof(path, item.value, None, item.n, part, source.id, source.signer, source.role, source.time, True)


def order(lines: Sequence[ClaimLine]) -> dict[Status, int]:
    """Count claims by status, those to look at first in front; statuses that no claim has are left out."""
    counts = {status: sum(1 for line in lines if line.status is status) for status in Status}
    return {status: count for status, count in counts.items() if count}
