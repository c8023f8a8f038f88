"""Write derived claims as a statement of its own: each claim beside the statement that bears it out.

SCAI attribute report, https://github.com/in-toto/attestation/blob/main/spec/predicates/scai.md
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hallmarked.cards.claim import Claim
from hallmarked.core.evidence import Statement, Subject
from hallmarked.policy.fact import CHECK_PREFIX

PREDICATE_TYPE = "https://in-toto.io/attestation/scai/v0.3"


def to_statement(claims: Sequence[Claim], subject: Subject) -> Statement:
    """Write claims as an SCAI attribute report.

    An attribute is the claim as a sentence; its status, reason and place are conditions; its evidence is the statement
    that was compared with it, or the one that records it when nothing was.

    Args:
        claims: What was derived.
        subject: The artifact the card belongs to.
    """
    return Statement((subject,), PREDICATE_TYPE, {"attributes": [_attribute(claim) for claim in claims]})


def _attribute(claim: Claim) -> dict[str, Any]:
    conditions = {
        "kind": claim.kind,
        "id": claim.id,
        "value": claim.value,
        "status": claim.status.value,
        "others": ", ".join(other.status.value for other in claim.others),
        "reason": claim.reason,
        "written": claim.written,
        "location": str(claim.location or ""),
    }
    attribute: dict[str, Any] = {
        "attribute": claim.text,
        "conditions": {key: value for key, value in conditions.items() if value},
    }
    compared = claim.evidence[1] if len(claim.evidence) > 1 else claim.evidence[0]
    algorithm, _, digest = compared.statement.rpartition(":")
    if algorithm:
        name = f"{CHECK_PREFIX}{compared.check}" if compared.check else compared.metric
        attribute["evidence"] = {"name": name, "digest": {algorithm: digest}}
    return attribute
