"""What a card declares for machines: the key ``hallmarked`` of its metadata."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from hallmarked.policy.requirement import THIRD_PARTY, Requirement

KEY = "hallmarked"
ATTESTERS = ("maker", "hub", "auditor", "community", THIRD_PARTY)
AUDIENCES = ("public", "provider", "authority", "ai-office")
COMPONENTS = ("model", "dataset", "guardrail", "prompt", "software", "hardware")


class Kind(StrEnum):
    """What a card is about."""

    MODEL = "model"
    DATASET = "dataset"
    SYSTEM = "system"
    GOVERNANCE = "governance"


class Tier(StrEnum):
    """How much depends on it: picks the template the card is held against."""

    MINIMAL = "minimal"
    LIMITED = "limited"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class DeclaredClaim(Requirement):
    """Something the card says: what it asks of the evidence, as the one evaluator reads it, and who it is for."""

    audience: tuple[str, ...] = ("public",)
    """Who it is written for."""
    text: Mapping[str, str] = field(default_factory=dict)
    """The claim as a sentence, by language tag (BCP 47)."""
    line: int = 0
    """Where the card makes it."""


@dataclass(frozen=True, slots=True)
class Component:
    """A part of a system."""

    kind: str
    """One of ``COMPONENTS``."""
    name: str
    digest: Mapping[str, str] = field(default_factory=dict)
    """Algorithm to lower-case hex; empty when the card does not say which bytes it means."""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Declared:
    """The section ``hallmarked`` of a card, as far as it can be understood."""

    kind: Kind | None = None
    """What the card says it is about; ``None`` when it does not say."""
    tier: Tier | None = None
    claims: tuple[DeclaredClaim, ...] = ()
    components: tuple[Component, ...] = ()
    present: bool = False
    """Whether the card has the section at all."""
    line: int = 1

    def claim(self, name: str) -> DeclaredClaim | None:
        """Return the claim with an id."""
        return next((claim for claim in self.claims if claim.id == name), None)
