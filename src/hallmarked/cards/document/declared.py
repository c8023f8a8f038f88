"""What a card declares for machines: the key ``hallmarked`` of its metadata."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from hallmarked.policy.requirement import THIRD_PARTY, Operator, Requirement

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
class DeclaredClaim:
    """Something the card says that evidence can bear out or contradict."""

    id: str
    """Unique in the card."""
    path: str
    """Where the value is found among facts, e.g. ``eval.recall``."""
    op: Operator
    value: str | tuple[str, ...] = ""
    """Decimal text or a word; several for ``in``; empty for ``present`` and ``absent``."""
    slice: Mapping[str, str] | str = field(default_factory=dict)
    """The part that is meant: empty for the whole, ``worst`` for the worst of all parts."""
    min_n: int = 0
    """How many things must have been looked at."""
    max_age: timedelta | None = None
    by: tuple[str, ...] = ()
    """Who must have attested it; empty for anybody."""
    check: str = ""
    """For ``absent``: the check that must have looked."""
    audience: tuple[str, ...] = ("public",)
    """Who it is written for."""
    text: Mapping[str, str] = field(default_factory=dict)
    """The claim as a sentence, by language tag (BCP 47)."""
    line: int = 0
    """Where the card makes it."""

    def requirement(self) -> Requirement:
        """Return what the claim asks of the evidence, in the words of the one evaluator."""
        return Requirement(
            self.id, self.path, self.op, self.value, self.slice, self.min_n, self.max_age, self.by, self.check
        )


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
