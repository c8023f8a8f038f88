"""A scope: intended uses, users, languages, inputs, uses that are out of scope, refusals, and floors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hallmarked.checks.documentation.scope import GROUPS
from hallmarked.policy.requirement import Requirement

PREFIX = "scope#"
"""Stands before the id of a clause wherever something points to it."""
TITLES = dict(
    zip(
        GROUPS,
        (
            "Intended uses",
            "Intended users",
            "Languages",
            "Inputs",
            "Not to be used for",
            "Has to refuse",
            "At least this good",
        ),
        strict=True,
    )
)
"""Heading of each group, for people."""


@dataclass(frozen=True, slots=True)
class Clause:
    """One thing a scope says."""

    id: str
    """Unique in the file, without ``scope#``."""
    group: str
    """One of ``GROUPS``."""
    text: Mapping[str, str] = field(default_factory=dict)
    """The sentence by language tag; for a floor it may be left out."""
    requirement: Requirement | None = None
    """What evidence is asked for; only floors have one, and refusals may."""
    prompts: tuple[str, ...] = ()
    """Examples of what must be refused."""
    language: str = ""
    """Language tag (BCP 47), of a language."""
    modality: str = ""
    """Kind of an input."""
    limit: Mapping[str, str] = field(default_factory=dict)
    """Largest input, by unit."""
    line: int = 0

    @property
    def reference(self) -> str:
        """How evaluations and reports point to it."""
        return PREFIX + self.id


@dataclass(frozen=True, slots=True)
class Scope:
    """What somebody says that a thing is for. What could not be understood is left out."""

    version: str
    clauses: tuple[Clause, ...]
    digest: str
    """SHA-256 of the file."""
    file: str = "scope.yaml"

    def of_group(self, group: str) -> tuple[Clause, ...]:
        """Return the clauses of a group, in their order."""
        return tuple(clause for clause in self.clauses if clause.group == group)

    def clause(self, name: str) -> Clause | None:
        """Return a clause by its id, with or without ``scope#``."""
        plain = name.removeprefix(PREFIX)
        return next((clause for clause in self.clauses if clause.id == plain), None)
