"""A decision: which options there were, what each would have cost, who decided, when, and what it changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar

from hallmarked.records.field import WORD, Say
from hallmarked.records.record import Record

_DIGEST = Say("", most=300, pattern=r"[A-Za-z0-9]{1,32}:[0-9a-f]{8,256}", hint="must look like sha256:…")


class Matter(StrEnum):
    """What a decision can be about."""

    GATE = "gate"
    """Who or what may pass: a policy of a context, access to a repository."""
    THRESHOLD = "threshold"
    """A number that something must reach."""
    MODERATION_RULE = "moderation-rule"
    RELEASE = "release"
    DATA = "data"
    DEPLOYMENT = "deployment"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One of the ways that were open."""

    name: Annotated[str, Say("What could have been done.", most=300)]
    benefit: Annotated[str, Say("What speaks for it.", most=5000)] = ""
    cost: Annotated[str, Say("What it would cost, and whom.", most=5000)] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """Something that a decision is about, and how it changed it."""

    kind: Annotated[Matter, Say("What it is.")]
    name: Annotated[str, Say("Its name: a context, a requirement, a rule, a repository.", most=300)]
    before: Annotated[
        str, Say("The digest of what it was.", most=_DIGEST.most, pattern=_DIGEST.pattern, hint=_DIGEST.hint)
    ] = ""
    after: Annotated[
        str, Say("The digest of what it became.", most=_DIGEST.most, pattern=_DIGEST.pattern, hint=_DIGEST.hint)
    ] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision(Record):
    """A decision with its trade-off."""

    NAME: ClassVar[str] = "decision"
    TITLE: ClassVar[str] = "What was decided, between which options, and at what cost"

    id: Annotated[str, Say("Short name that cards and later decisions refer to.", pattern=WORD)]
    title: Annotated[str, Say("What was to be decided.", most=300)]
    options: Annotated[tuple[Option, ...], Say("What was open; leaving things as they are is an option.", count=50)]
    chosen: Annotated[str, Say("The name of the option that was taken.", most=300)]
    tradeoff: Annotated[str, Say("What was given up for what, and who bears it.", most=5000)]
    by: Annotated[str, Say("Who decided and answers for it.", most=200)]
    time: Annotated[datetime, Say("When it was decided.")]
    decides: Annotated[tuple[Decided, ...], Say("What it is about.")] = ()
    replaces: Annotated[str, Say("The id of an earlier decision that this one replaces.", pattern=WORD)] = ""
    contact: Annotated[str, Say("Where to reach them.", most=300)] = ""

    def problems(self) -> Iterable[tuple[str, str]]:
        """Yield what is wrong with how the fields go together."""
        names = [option.name for option in self.options]
        if len(set(names)) < len(names):
            yield "options", "must have different names"
        if len(names) < 2:
            yield "options", "must be two at least: who could not choose did not decide"
        if self.chosen not in names:
            yield "chosen", "must be the name of one of the options"
        if self.replaces == self.id:
            yield "replaces", "must be the id of another decision"

    @property
    def sentence(self) -> str:
        """What is stated."""
        others = ", ".join(option.name for option in self.options if option.name != self.chosen)
        return f"{self.by} decided on {self.time:%Y-%m-%d}, {self.title}: {self.chosen}, not {others} ({self.id})"
