"""A rebuttal: somebody argues from evaluations that a covered model does no more than models that exist.

Only what is cited counts: each comparison names two statements, and whoever reads the rebuttal compares them again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar

from hallmarked.records.field import STATEMENT, Say
from hallmarked.records.record import Record
from hallmarked.records.result import METRIC


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One metric of this model beside that of a model that exists."""

    metric: Annotated[str, Say("What was measured of both.", pattern=METRIC, most=200)]
    relation: Annotated[
        str,
        Say("How this model's value stands to the other's when the argument holds.", pattern="<=|<|>=|>"),
    ]
    ours: Annotated[str, Say("The statement that measured this model.", pattern=STATEMENT)]
    other: Annotated[str, Say("The name of the model that exists.", most=200)]
    theirs: Annotated[str, Say("The statement that measured that model.", pattern=STATEMENT)]
    slice: Annotated[Mapping[str, str], Say("The part that is compared.", count=20)] = field(default_factory=dict)
    least: Annotated[int, Say("How many examples must have been looked at in each.")] = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRebuttal(Record):
    """Why a covered model is held to present no risk that others do not."""

    NAME: ClassVar[str] = "run-rebuttal"
    TITLE: ClassVar[str] = "An argument that a model does no more than models that exist"
    BY_HAND: ClassVar[bool] = False

    plan: Annotated[str, Say("The statement of the plan.", pattern=STATEMENT, hint="must be sha256: and 64 digits")]
    by: Annotated[str, Say("Who argues.", most=200)]
    argument: Annotated[str, Say("What follows from the comparisons, and why.", most=20_000)]
    comparisons: Annotated[tuple[Comparison, ...], Say("What is compared.", count=500)]

    def problems(self) -> Iterable[tuple[str, str]]:
        """Yield what is wrong with how the fields go together."""
        if not self.comparisons:
            yield "comparisons", "is empty: an argument without evidence is none"
        for at, one in enumerate(self.comparisons):
            if one.ours == one.theirs:
                yield f"comparisons[{at}].theirs", "is the same statement as ours"

    @property
    def sentence(self) -> str:
        """What is stated."""
        others = ", ".join(dict.fromkeys(one.other for one in self.comparisons))
        return f"{self.by} argues from {len(self.comparisons)} comparisons with {others[:200]}"
