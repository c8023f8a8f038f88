"""What a report is rendered from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hallmarked.audit.examine import Examination
from hallmarked.cards.claim import Claim
from hallmarked.core.evidence import Statement, Verdict
from hallmarked.policy.context import Context


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where the signed evidence is, and what an outsider needs to check it."""

    key: str
    """The signer's verifier key, as text."""
    log: str
    """Origin of the log."""
    command: Sequence[str]
    """The command that verifies, line by line, as it can be typed."""


@dataclass(frozen=True, slots=True)
class Report:
    """An audit, ready to be shown."""

    examination: Examination
    claims: Sequence[Claim]
    context: Context
    verdict: Verdict
    time: datetime
    statements: Sequence[Statement]
    """Everything that was signed: check results, claims, the decision."""
    evidence: Evidence | None = None
