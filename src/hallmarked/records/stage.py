"""A stage in the life of a data set or model, and who answers for it: who collected, trained, evaluated, approved it.

The subject of the statement is what came out of the stage; its materials are what went in. Both are named by digest, so
that stages join into a chain from what is in use back to the data.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar

from hallmarked.core.evidence import Subject
from hallmarked.records.field import Say
from hallmarked.records.record import Record

MOST_FILES = 100_000


class Step(StrEnum):
    """The stages, in their usual order."""

    COLLECTED = "collected"
    CURATED = "curated"
    TRAINED = "trained"
    FINE_TUNED = "fine-tuned"
    EVALUATED = "evaluated"
    APPROVED = "approved"
    DEPLOYED = "deployed"

    @property
    def makes(self) -> bool:
        """Whether something new comes out of it; the others say something about what is there."""
        return self in {Step.COLLECTED, Step.CURATED, Step.TRAINED, Step.FINE_TUNED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage(Record):
    """Somebody did a stage and answers for it."""

    NAME: ClassVar[str] = "stage"
    TITLE: ClassVar[str] = "Who answers for a stage: collecting, training, approving and so on"

    stage: Annotated[Step, Say("Which stage it is.")]
    by: Annotated[str, Say("Who did it and answers for it: a person or a team.", most=200)]
    time: Annotated[datetime, Say("When it was done.")]
    since: Annotated[datetime | None, Say("When it began, if it took long.")] = None
    contact: Annotated[str, Say("Where to reach them.", most=300)] = ""
    materials: Annotated[tuple[Subject, ...], Say("What went in, by digest: data sets, a base model.", count=1000)] = ()
    files: Annotated[
        Mapping[str, str],
        Say(
            "Of what was collected: the files it brought, each path with its SHA-256.",
            most=64,
            count=MOST_FILES,
            pattern="[0-9a-f]{64}",
            hint="must be SHA-256 in lower-case hexadecimal",
            digests=True,
        ),
    ] = field(default_factory=dict)
    method: Annotated[str, Say("How it was done.", most=5000)] = ""
    tool: Annotated[str, Say("With which program or instrument, and version.", most=500)] = ""
    assumptions: Annotated[str, Say("What was taken for granted that could be wrong.", most=5000)] = ""
    licence: Annotated[str, Say("The terms under which what was collected may be used.", most=500)] = ""

    def problems(self) -> Iterable[tuple[str, str]]:
        """Yield what is wrong with how the fields go together."""
        if self.since is not None and self.since > self.time:
            yield "since", "is later than the end"
        if self.files and self.stage is not Step.COLLECTED:
            yield "files", "belong to collecting; name what went into other stages as materials"

    @property
    def sentence(self) -> str:
        """What is stated."""
        count = len(self.materials)
        made = f" from {count} {'thing' if count == 1 else 'things'} named by digest" if count else ""
        covers = f", {len(self.files):,} {'file' if len(self.files) == 1 else 'files'}" if self.files else ""
        return f"{self.by} {self.stage} it{made}{covers}, {self.time:%Y-%m-%d}"
