"""Read back, from the statement of the documentation check, what a card declares and what its scope promises."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from hallmarked.cards.document.declared import DeclaredClaim
from hallmarked.cards.document.reader import read_declared
from hallmarked.cards.record import Evidence, Report
from hallmarked.checks.documentation.declared import KEY, MAX_ROW
from hallmarked.core.errors import FormatError
from hallmarked.formats.blob import Budget
from hallmarked.formats.document import read_json
from hallmarked.policy.requirement import Requirement

SCOPE = "scope#"
"""Stands before the id of a clause of a scope, so that it differs from the ids of claims."""


@dataclass(frozen=True, slots=True)
class Declaration:
    """A claim that is declared for machines."""

    kind: str
    """``declared`` or ``scope``."""
    id: str
    """As records and texts name it; floors of a scope as ``scope#ID``."""
    noted: Evidence
    """Where the card, or the scope, says it."""
    requirement: Requirement | None = None
    """None when it cannot be understood."""
    problem: str = ""
    """Why it cannot be understood."""
    texts: Mapping[str, str] = field(default_factory=dict)
    audience: tuple[str, ...] = ("public",)

    @property
    def written(self) -> str:
        """The words of the card."""
        return self.texts.get("en") or self.noted.slice.get("row", self.noted.value)


def declarations(card: Report) -> Iterator[Declaration]:
    """Yield the claims that a card declares, then the floors of its scope, in the order in which they are written.

    Args:
        card: What the documentation check said.
    """
    seen: set[str] = set()
    for noted in card.values("claim.declared"):
        yield _once(_read("declared", noted.value, noted), seen)
    for noted in card.values("scope.clause"):
        if _asks(noted):
            yield _once(_read("scope", f"{SCOPE}{noted.value}", noted), seen)


def _asks(noted: Evidence) -> bool:
    """Say whether a clause of a scope asks for evidence: floors do, refusals may."""
    group = noted.slice.get("group")
    row = parse_row(noted) if group == "refusals" else None
    return group == "floors" or (isinstance(row, Mapping) and "path" in row)


def _once(one: Declaration, seen: set[str]) -> Declaration:
    if one.id in seen:
        return Declaration(one.kind, one.id, one.noted, problem=f"two claims have the id {one.id}; give each its own")
    seen.add(one.id)
    return one


def _read(kind: str, name: str, noted: Evidence) -> Declaration:
    row = parse_row(noted)
    claim, problem = read_claim(row, noted)
    if claim is not None and kind == "scope" and isinstance(row, Mapping) and "op" not in row:
        claim, problem = None, "a floor needs “op” and “value”"
    if claim is None:
        return Declaration(kind, name, noted, problem=f"this claim cannot be understood: {problem}")
    return Declaration(kind, name, noted, replace(claim, id=name), "", claim.text, claim.audience)


def parse_row(noted: Evidence) -> object:
    """Return a row of a card or scope as the documentation check recorded it; None when it is no JSON."""
    data = noted.slice.get("row", "").encode("utf-8", "replace")
    try:
        return read_json(data, Budget(len(data)), constants=True) if len(data) <= 4 * MAX_ROW else None
    except FormatError:
        return None


def read_claim(row: object, noted: Evidence) -> tuple[DeclaredClaim | None, str]:
    """Read one row as a claim; what is wrong with it is said instead when it cannot be understood."""
    location = noted.location
    line = location.line if location is not None and location.line else 1
    file = location.path if location is not None else "README.md"
    if isinstance(row, Mapping):
        row = {key: value for key, value in row.items() if key != "prompts"}
        if isinstance(row.get("text"), str):
            row["text"] = {"en": row["text"]}  # a sentence in one language
    declared, findings = read_declared({KEY: {"claims": [row]}}, lambda _path: line, file)
    return (declared.claims[0], "") if declared.claims else (None, findings[0].message if findings else "it is empty")
