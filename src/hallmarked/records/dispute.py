"""A dispute: somebody contests a claim, a fact or a statement. It stays listed, also when it is settled.

Who opened a dispute can settle it, and so can a hub or an auditor. Whoever is contested cannot: what a maker says to it
is shown as an answer, and the dispute stays open.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, ClassVar

from hallmarked.core.evidence import Attestation
from hallmarked.records.field import Say
from hallmarked.records.record import Record, Signed, records

SETTLING = frozenset({"hub", "auditor"})
"""Roles that may settle what others opened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispute(Record):
    """Something is contested; or, with ``open`` false, is not any more."""

    NAME: ClassVar[str] = "dispute"
    TITLE: ClassVar[str] = "A claim, a fact or a statement is contested"

    about: Annotated[
        str,
        Say(
            "What is contested: the path of a fact (eval.recall), the id of a claim, or the id of a statement "
            "(sha256:…).",
            most=300,
            pattern=r"\S+",
            hint="must be a path, the id of a claim or of a statement, without spaces",
            option="contested",
        ),
    ]
    reason: Annotated[str, Say("Why it is contested.", most=5000)]
    by: Annotated[str, Say("Who contests it, or settles it.", most=200)]
    contact: Annotated[str, Say("Where to reach them.", most=300)] = ""
    open: Annotated[bool, Say("False when this settles, or answers, a dispute about the same thing.")] = True
    resolution: Annotated[str, Say("How it was settled, or what is answered.", most=5000)] = ""

    def problems(self) -> Iterable[tuple[str, str]]:
        """Yield what is wrong with how the fields go together."""
        if not self.open and not self.resolution:
            yield "resolution", "is missing: say how it was settled"
        if self.open and self.resolution:
            yield "open", "must be false when there is a resolution"

    @property
    def sentence(self) -> str:
        """What is stated."""
        if self.open:
            return f"{self.by} disputes {self.about}: {self.reason}"
        return f"{self.by} says to the dispute about {self.about}: {self.resolution}"


@dataclass(frozen=True, slots=True)
class Standing:
    """A dispute and what became of it."""

    opened: Signed[Dispute]
    settled: Signed[Dispute] | None = None
    """What settled it; None while it is open."""
    answers: tuple[Signed[Dispute], ...] = ()
    """What was said to it by those who cannot settle it."""

    @property
    def about(self) -> str:
        """What is contested."""
        return self.opened.record.about

    @property
    def open(self) -> bool:
        """Whether nobody who may has settled it."""
        return self.settled is None

    @property
    def sentence(self) -> str:
        """Where it stands, for people."""
        said = f"{self.opened.record.sentence} (signed by {self.opened.by})"
        if self.settled is not None:
            return f"{said} (settled by {self.settled.by}: {self.settled.record.resolution})"
        return said + "".join(f" (answered by {one.by}: {one.record.resolution})" for one in self.answers)


def standing(attestations: Iterable[Attestation]) -> tuple[Standing, ...]:
    """Return every dispute with what became of it, in the order in which they were opened.

    A signer who disputes the same thing again says it anew: the later statement counts, and opens what was settled.
    """
    disputes: dict[tuple[str, str], Standing] = {}
    for one in records(Dispute, attestations):
        about, key = one.record.about, one.source.keyid
        if one.record.open:
            disputes[about, key] = Standing(one)
            continue
        for (what, who), found in disputes.items():
            if what != about or not found.open:
                continue
            if who == key or one.source.role in SETTLING:
                disputes[what, who] = Standing(found.opened, one, found.answers)
            else:
                disputes[what, who] = Standing(found.opened, None, (*found.answers, one))
    return tuple(disputes.values())
