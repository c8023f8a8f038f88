"""A withdrawal: the owner takes a claim back. It stays visible in the history of the card."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, ClassVar

from hallmarked.core.evidence import Attestation
from hallmarked.records.field import Say
from hallmarked.records.record import Record, Signed, records

OWNING = frozenset({"maker", "hub"})
"""Roles that may take a claim back: whoever made it, or the hub where they are signed in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal(Record):
    """A claim that its owner does not make any more."""

    NAME: ClassVar[str] = "withdrawal"
    TITLE: ClassVar[str] = "The owner takes a claim back"

    claim: Annotated[
        str,
        Say(
            "The id of the claim, or its path (eval.recall).",
            most=300,
            pattern=r"\S+",
            hint="must be the id or path of a claim, without spaces",
        ),
    ]
    reason: Annotated[str, Say("Why.", most=5000)]
    by: Annotated[str, Say("Who takes it back.", most=200)]
    contact: Annotated[str, Say("Where to reach them.", most=300)] = ""

    @property
    def sentence(self) -> str:
        """What is stated."""
        return f"{self.by} withdraws the claim {self.claim}: {self.reason}"


def withdrawn(attestations: Iterable[Attestation]) -> dict[str, Signed[Withdrawal]]:
    """Return what was taken back by somebody who may, by claim; the latest withdrawal of each."""
    return {one.record.claim: one for one in records(Withdrawal, attestations) if one.source.role in OWNING}
