"""An organisation's answer to a control of a framework: what it has in place, and where that is written down."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar

from hallmarked.records.field import Say
from hallmarked.records.record import Record


class State(StrEnum):
    """What an organisation says of a control. That evidence bears it out, only evidence says."""

    DOCUMENTED = "documented"
    """There is a document that says how it is done."""
    ORGANISATIONAL = "organisational"
    """People do it; nothing that could be attached shows it."""
    PLANNED = "planned"
    """Not yet."""
    NOT_APPLICABLE = "not-applicable"
    """It does not concern this, for a reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Control(Record):
    """What an organisation says of one control."""

    NAME: ClassVar[str] = "control"
    TITLE: ClassVar[str] = "What an organisation answers to a control of a framework"

    control: Annotated[
        str,
        Say(
            "The control with its framework and edition: nist-ai-600-1/final-2024-07#GV-1.6-001.",
            most=200,
            pattern=r"[a-z0-9][a-z0-9.-]*/[A-Za-z0-9][A-Za-z0-9.-]*#[A-Za-z0-9][A-Za-z0-9.()_-]*",
            hint="must name framework, edition and control, such as nist-ai-600-1/final-2024-07#GV-1.6-001",
        ),
    ]
    state: Annotated[State, Say("What there is.")]
    by: Annotated[str, Say("Who says so and answers for it.", most=200)]
    where: Annotated[str, Say("Where it is written down: an address or a document.", most=1000)] = ""
    reason: Annotated[str, Say("How it is done; or why it does not apply.", most=5000)] = ""
    due: Annotated[datetime | None, Say("Of what is planned: when it will be there.", end=True)] = None
    contact: Annotated[str, Say("Where to reach them.", most=300)] = ""

    @property
    def framework(self) -> str:
        """Framework and edition."""
        return self.control.partition("#")[0]

    def problems(self) -> Iterable[tuple[str, str]]:
        """Yield what is wrong with how the fields go together."""
        if self.state is State.NOT_APPLICABLE and not self.reason:
            yield "reason", "is missing: say why it does not apply"
        if self.state is State.DOCUMENTED and not self.where:
            yield "where", "is missing: say where it is documented"
        if self.state is State.ORGANISATIONAL and not self.reason:
            yield "reason", "is missing: say how it is done"

    @property
    def sentence(self) -> str:
        """What is stated."""
        where = f", see {self.where}" if self.where else ""
        return f"{self.by} says {self.control} is {self.state}{where}{f': {self.reason}' if self.reason else ''}"
