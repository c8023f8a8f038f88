"""Contexts: what one use demands of the evidence."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from hallmarked.core.evidence import Level
from hallmarked.ledger.canonical import canonical_bytes
from hallmarked.policy.harm import Harms
from hallmarked.policy.requirement import Requirement

RISKS = ("minimal", "limited", "high")
"""Tiers of risk, lowest first."""


@dataclass(frozen=True, slots=True)
class Demand:
    """A requirement of a context, and why it is one."""

    requirement: Requirement
    context: str
    """The context that asks for it: the one it stands in, or one that is extended."""
    why: Mapping[str, str] = field(default_factory=dict)
    """Reason, by language."""
    maps_to: tuple[str, ...] = ()
    """What it answers, each with its edition: ``nist-ai-600-1/final-2024-07#MS-2.5-005``."""
    harm: str = ""
    """The harm it guards against, by id."""
    threshold: str = ""
    """The threshold of that harm which is its value; the version in force says how much that is."""
    beside: tuple[Demand, ...] = ()
    """What other contexts ask for under the same id. All of it holds, so that a child is never laxer than a parent."""
    place: str = field(default="", compare=False)
    """File and line."""

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON, in the form the policy's digest is made of."""
        asked = self.requirement
        value = list(asked.value) if isinstance(asked.value, tuple) else asked.value
        slice_ = asked.slice if isinstance(asked.slice, str) else dict(asked.slice)
        age = "" if asked.max_age is None else f"{int(asked.max_age.total_seconds())}s"
        row = {
            "id": asked.id,
            "context": self.context,
            "claim": asked.path,
            "op": asked.op.value,
            "value": value,
            "slice": slice_,
            "min_n": asked.min_n,
            "max_age": age,
            "by": list(asked.by),
            "check": asked.check,
            "harm": self.harm,
            "threshold": self.threshold,
            "why": dict(self.why),
            "maps_to": list(self.maps_to),
            "beside": [other.to_dict() for other in self.beside],
        }
        return {key: value for key, value in row.items() if value}


@dataclass(frozen=True, slots=True)
class Context:
    """What one use demands of the evidence, with everything that it takes over from the contexts it extends."""

    name: str
    title: Mapping[str, str]
    """By language."""
    fail_on: Level = Level.ERROR
    """The lowest level of finding that fails it, of whatever check."""
    required: tuple[str, ...] = ()
    """Checks that must have run."""
    may_be_unknown: tuple[str, ...] | None = ()
    """Checks that need not have established everything; ``None`` means any."""
    demands: tuple[Demand, ...] = ()
    risk: str = RISKS[0]
    extends: tuple[str, ...] = ()
    waived_by: tuple[str, ...] = ()
    """Roles whose waivers count here; nobody's unless the context says so."""
    harms: Harms = field(default_factory=dict)
    """The definitions that its requirements refer to."""
    place: str = field(default="", compare=False)
    """File and line."""

    def adjusted(self, *, fail_on: Level | None = None, allow_unknown: bool = False) -> Context:
        """Return the context with the threshold or the treatment of ``unknown`` changed by the caller."""
        changed = replace(self, fail_on=fail_on or self.fail_on)
        return replace(changed, may_be_unknown=None) if allow_unknown else changed

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON, whole and in the form its digest is made of."""
        return {
            "context": self.name,
            "title": dict(self.title),
            "risk": self.risk,
            "extends": list(self.extends),
            "fail_on": self.fail_on.value,
            "checks": list(self.required),
            "may_be_unknown": "any" if self.may_be_unknown is None else list(self.may_be_unknown),
            "waived_by": list(self.waived_by),
            "require": [demand.to_dict() for demand in self.demands],
            "harms": {name: [version.to_dict() for version in of] for name, of in sorted(self.harms.items())},
        }

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical form. A context that was changed in any way has another one."""
        return hashlib.sha256(canonical_bytes(self.to_dict())).hexdigest()
