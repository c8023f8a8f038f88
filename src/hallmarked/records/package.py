"""A package for a regulator: which forms, cards and evidence were put together, for whom and about what.

The subjects of the statement are the files of the package, each by its path and SHA-256.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, ClassVar

from hallmarked.core.evidence import Subject
from hallmarked.records.field import Say
from hallmarked.records.record import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One form of a package."""

    name: Annotated[str, Say("Framework and edition.", most=200)]
    digest: Annotated[str, Say("SHA-256 of the files of the edition.", pattern="[0-9a-f]{64}")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Package(Record):
    """Forms with their evidence, put together at one time."""

    NAME: ClassVar[str] = "package"
    TITLE: ClassVar[str] = "Forms, cards and evidence that were put together for a reader"
    BY_HAND: ClassVar[bool] = False

    about: Annotated[Subject, Say("What the forms are about, by digest.", option="subject")]
    time: Annotated[datetime, Say("When the forms were answered.")]
    forms: Annotated[tuple[Form, ...], Say("The forms.", count=100)]
    audience: Annotated[str, Say("Whom it is for; what they may not see was left out.", most=50)] = ""
    version: Annotated[str, Say("The program that made it.", most=100)] = ""

    def problems(self) -> Iterable[tuple[str, str]]:
        """Yield what is wrong with how the fields go together."""
        if not self.forms:
            yield "forms", "is empty: a package holds at least one form"
        if len({form.name for form in self.forms}) < len(self.forms):
            yield "forms", "names one twice"

    @property
    def sentence(self) -> str:
        """What is stated."""
        names = ", ".join(form.name for form in self.forms[:5])
        return f"A package about {self.about.name} of {self.time:%Y-%m-%d}: {names}"
