"""A waiver: somebody who answers for it lets a requirement go unmet in one context, until a day, for a reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, ClassVar

from hallmarked.records.field import WORD, Say
from hallmarked.records.record import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver(Record):
    """A requirement that need not be met for a time. It is shown beside what the requirement came to."""

    NAME: ClassVar[str] = "waiver"
    TITLE: ClassVar[str] = "A requirement need not be met, for a time and a reason"

    context: Annotated[str, Say("The context whose requirement it is.", pattern=WORD.replace("a-z", "A-Za-z"))]
    requirement: Annotated[str, Say("The requirement that need not be met.", pattern=WORD.replace("a-z", "A-Za-z"))]
    by: Annotated[str, Say("Who decided it and answers for it: a person or a team.", most=200)]
    until: Annotated[datetime, Say("When it ends; a day means its end.", end=True)]
    reason: Annotated[str, Say("Why.", most=5000)]
    contact: Annotated[str, Say("Where to reach them.", most=300)] = ""

    def stands(self, time: datetime) -> bool:
        """Say whether it has not ended."""
        return time <= self.until

    @property
    def sentence(self) -> str:
        """What is stated."""
        until = f"{self.until:%Y-%m-%d}"
        return f"{self.by} waives {self.requirement} in the context {self.context} until {until}: {self.reason}"
