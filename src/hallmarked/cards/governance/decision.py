"""Decisions as a card lists them, and changes of gates, thresholds and rules that no decision accounts for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from hallmarked.core.evidence import Attestation
from hallmarked.policy.fact import rows
from hallmarked.records.decision import Decision, Matter
from hallmarked.records.record import Signed, records

VERDICT = "https://in-toto.io/attestation/svr/v0.2"
ACCOUNTABLE = frozenset({Matter.GATE, Matter.THRESHOLD, Matter.MODERATION_RULE})
"""What is not changed without a decision."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A decision in the list of a card."""

    signed: Signed[Decision]
    replaced_by: str = ""
    """The id of the decision that replaced it; empty while it stands."""


@dataclass(frozen=True, slots=True)
class Change:
    """Something that a decision has to account for was changed."""

    kind: Matter
    name: str
    """Of the gate, the threshold or the rule; of a policy, its context."""
    before: str
    """Digest of what it was: ``sha256:…``."""
    after: str
    time: datetime
    """When the change was first seen."""

    @property
    def sentence(self) -> str:
        """What was changed, for people."""
        what = self.kind.replace("-", " ")
        to = f"{self.after[:19]}…"
        return f"the {what} {self.name} was changed to {to} by {self.time:%Y-%m-%d}, and no decision says why"


def decisions(attestations: Iterable[Attestation]) -> tuple[Listed, ...]:
    """Return decisions that somebody known signed, latest first, each with the one that replaced it.

    Of several statements with one id by one signer the latest counts. Two signers who use one id are both listed.
    """
    newest: dict[tuple[str, str], Signed[Decision]] = {}
    for one in records(Decision, attestations):
        if one.source.role:
            newest[one.record.id, one.source.keyid] = one
    replaced = {one.record.replaces: one.record.id for one in newest.values() if one.record.replaces}
    ordered = sorted(newest.values(), key=lambda one: (one.record.time, one.record.id), reverse=True)
    return tuple(Listed(one, replaced.get(one.record.id, "")) for one in ordered)


def changes(attestations: Iterable[Attestation]) -> tuple[Change, ...]:
    """Return each change of a policy, and of a definition of harm it uses, as decisions of gates show it, oldest first.

    What one signer decides by is compared with what the same signer decided by before.
    """
    current: dict[tuple[str, Matter, str], str] = {}
    found = []
    for one in sorted(attestations, key=lambda each: each.time):
        for kind, name, digest in _decided_by(one):
            before = current.get((one.keyid, kind, name))
            if before is not None and before != digest:
                found.append(Change(kind, name, before, digest, one.time))
            current[one.keyid, kind, name] = digest
    return tuple(found)


def undecided(changed: Sequence[Change], listed: Iterable[Listed]) -> tuple[Change, ...]:
    """Return the changes that no decision accounts for.

    A decision accounts for a change when it names what was changed, and what it became by digest.
    """
    accounted = {
        (about.name, about.after) for one in listed for about in one.signed.record.decides if about.kind in ACCOUNTABLE
    }
    return tuple(change for change in changed if (change.name, change.after) not in accounted)


def _decided_by(one: Attestation) -> Iterator[tuple[Matter, str, str]]:
    """Yield the policies and definitions that a gate decided by, each with its digest."""
    said = one.statement.predicate
    verifier = said.get("verifier")
    if one.statement.predicate_type != VERDICT or not one.role:
        return
    policies = rows(verifier.get("policies")) if isinstance(verifier, Mapping) else ()
    named = [(Matter.GATE, row.get("name"), row.get("digest")) for row in policies]
    named += [(Matter.THRESHOLD, row.get("harm"), row.get("digest")) for row in rows(said.get("harms"))]
    for kind, name, digest in named:
        if isinstance(name, str) and isinstance(digest, Mapping) and isinstance(digest.get("sha256"), str):
            yield kind, name, f"sha256:{digest['sha256']}"
