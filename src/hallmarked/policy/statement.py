"""Decisions as statements: Simple Verification Results, extended with what every requirement came to.

Specification: https://github.com/in-toto/attestation/blob/main/spec/predicates/svr.md. ``properties`` lists only what
was verified, so that whoever knows no more than the specification reads a decision that is no pass as none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hallmarked.core.evidence import Attestation, Outcome, Statement, Subject
from hallmarked.policy.decide import Decision, Ruling
from hallmarked.policy.fact import check_of
from hallmarked.policy.remedy import remedy
from hallmarked.policy.requirement import Requirement

PREDICATE_TYPE = "https://in-toto.io/attestation/svr/v0.2"
VERIFIER = "urn:hallmarked:policy"
OUTSIDE = "outside"
"""Annotation of an input that came from somebody else, and need not be in the same evidence file."""


def to_statement(
    decision: Decision, subject: Subject, own: Sequence[Attestation] = (), outside: Sequence[Attestation] = ()
) -> Statement:
    """Write a decision as a statement.

    Args:
        decision: What was decided.
        subject: What it was decided about.
        own: The statements it rests on that go with it. Their digests are kept, so that none can be left out later.
        outside: Statements of others it rests on.
    """
    verdict, context = decision.verdict, decision.context
    time = f"{decision.time:%Y-%m-%dT%H:%M:%SZ}"
    predicate: dict[str, Any] = {
        "verifier": {"id": VERIFIER, "policies": [{"name": context.name, "digest": dict(verdict.policy)}]},
        "timeCreated": time,
        "properties": [f"HALLMARKED_{context.name.upper()}"] if verdict.outcome is Outcome.PASS else [],
        "outcome": verdict.outcome.value,
        "reasons": list(verdict.reasons),
        "requirements": [_ruling(ruling) for ruling in decision.rulings],
    }
    if decision.until is not None:
        predicate["until"] = f"{decision.until:%Y-%m-%dT%H:%M:%SZ}"
    if decision.harms:
        predicate["harms"] = [{**version.to_dict(), "digest": {"sha256": version.digest}} for version in decision.harms]
    inputs = [_input(one) for one in own]
    inputs += [{**_input(one), "annotations": {OUTSIDE: one.signer or one.keyid}} for one in outside]
    if inputs:
        predicate["inputAttestations"] = inputs
    return Statement((subject,), PREDICATE_TYPE, predicate)


def _input(one: Attestation) -> dict[str, Any]:
    """Name a statement by the digest of the bytes that get signed."""
    name = check_of(one.statement) or one.statement.predicate_type
    algorithm, _, digest = one.id.partition(":")
    return {"name": name, "digest": {algorithm: digest}}


def _ruling(ruling: Ruling) -> dict[str, Any]:
    judged = ruling.judged
    row: dict[str, Any] = {
        "id": ruling.id,
        "outcome": ruling.outcome.value,
        "reason": judged.reason,
        "asked": asked(judged.requirement),
        "evidence": list(judged.evidence),
    }
    if ruling.excuse is not None:
        waiver = ruling.excuse.waiver
        row["raw"] = ruling.raw.value
        row["waiver"] = {
            "by": waiver.by,
            "until": f"{waiver.until:%Y-%m-%dT%H:%M:%SZ}",
            "reason": waiver.reason,
            "evidence": ruling.excuse.source.id,
        }
    if meet := remedy(ruling):
        row["remedy"] = meet
    if judged.until is not None:
        row["until"] = f"{judged.until:%Y-%m-%dT%H:%M:%SZ}"
    if ruling.demand is not None:
        demand = ruling.demand
        said = {"context": demand.context, "why": dict(demand.why), "mapsTo": list(demand.maps_to)}
        row |= {key: value for key, value in said.items() if value}
    return row


def asked(requirement: Requirement) -> dict[str, Any]:
    """Return what is asked as JSON; what is not asked for is left out."""
    value = list(requirement.value) if isinstance(requirement.value, tuple) else requirement.value
    age = requirement.max_age
    row: dict[str, Any] = {
        "claim": requirement.path,
        "op": requirement.op.value,
        "value": value,
        "slice": requirement.slice if isinstance(requirement.slice, str) else dict(requirement.slice),
        "minN": requirement.min_n,
        "maxAgeSeconds": int(age.total_seconds()) if age is not None else 0,
        "by": list(requirement.by),
        "check": requirement.check,
    }
    return {key: value for key, value in row.items() if value}
