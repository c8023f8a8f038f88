"""What a report is rendered from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hallmarked.audit.examine import Examination
from hallmarked.cards.claim import Claim
from hallmarked.core.evidence import Attestation, Statement, Verdict
from hallmarked.policy.context import Context
from hallmarked.policy.decide import Decision


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
    decision: Decision
    statements: Sequence[Statement]
    """Everything that was signed: check results, claims, the decision."""
    evidence: Evidence | None = None
    outside: Sequence[Attestation] = ()
    """What others state, whether or not the decision rests on it."""

    @property
    def context(self) -> Context:
        """What it was judged for."""
        return self.decision.context

    @property
    def verdict(self) -> Verdict:
        """What was decided."""
        return self.decision.verdict

    @property
    def time(self) -> datetime:
        """When it was judged, UTC."""
        return self.decision.time
