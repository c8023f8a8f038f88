"""A deviation: how a training run went otherwise than its plan said, stated when it is known.

The plan stays as it was logged; what changed refers to it by its digest.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, ClassVar

from hallmarked.records.field import STATEMENT, Say
from hallmarked.records.record import Record
from hallmarked.records.result import Measured


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing that is otherwise than planned."""

    field: Annotated[str, Say("Of the plan, such as tokens or hardware.count.", most=100)]
    planned: Annotated[str, Say("What the plan says.", most=2000)]
    now: Annotated[str, Say("What holds.", most=2000)]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDeviation(Record):
    """What changed in a run, and when it began and ended."""

    NAME: ClassVar[str] = "run-deviation"
    TITLE: ClassVar[str] = "How a training run went otherwise than planned"
    BY_HAND: ClassVar[bool] = False

    plan: Annotated[str, Say("The statement of the plan.", pattern=STATEMENT, hint="must be sha256: and 64 digits")]
    by: Annotated[str, Say("Who states it.", most=200)]
    reason: Annotated[str, Say("Why it went otherwise, or what happened.", most=5000)]
    began: Annotated[datetime | None, Say("When the first training step was taken.")] = None
    ended: Annotated[datetime | None, Say("When the last one was.", end=True)] = None
    changes: Annotated[tuple[Change, ...], Say("What is otherwise.", count=200)] = ()
    measurements: Annotated[tuple[Measured, ...], Say("What is projected or counted now; computed.", count=50)] = ()

    def problems(self) -> Iterable[tuple[str, str]]:
        """Yield what is wrong with how the fields go together."""
        if not self.changes and self.began is None and self.ended is None:
            yield "changes", "is empty, and neither began nor ended is given: nothing deviates"
        if self.began is not None and self.ended is not None and self.ended < self.began:
            yield "ended", "lies before it began"

    @property
    def sentence(self) -> str:
        """What is stated."""
        what = ", ".join(change.field for change in self.changes[:5])
        return f"{self.by} states of a planned run: {f'changed {what}; ' if what else ''}{self.reason}"
