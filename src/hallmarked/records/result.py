"""A result: what somebody measured in an evaluation, as facts like those of any check.

Its statement is an in-toto test-result
(https://github.com/in-toto/attestation/blob/main/spec/predicates/test-result.md) with the configuration
``hallmarked/evaluations/NAME``, extended with ``measurements`` and ``gaps`` as those of checks are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Self, TypeGuard

from hallmarked.core.evidence import Statement, Subject
from hallmarked.core.text import name_part
from hallmarked.records.field import DECIMAL, WORD, Say, write
from hallmarked.records.record import Record

RESULT_TYPE = "https://in-toto.io/attestation/test-result/v0.1"
PREFIX = "hallmarked/evaluations/"
RESERVED = ("card", "check", "finding", "record")
"""First parts of paths that mean what other statements say; nobody measures these."""
METRIC = r"[a-z][a-z0-9_-]*(\.[A-Za-z0-9_-]+)*"
NOTES = ("by", "how", "tool", "time", "contact")
"""Fields that stand in the annotations of the configuration."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One value that was measured."""

    metric: Annotated[
        str,
        Say(
            "What was measured, such as eval.recall.",
            most=200,
            pattern=METRIC,
            hint="must be a name in lower case with dots, such as eval.recall",
        ),
    ]
    value: Annotated[str, Say("Decimal number as text, or a word.", most=200, number=True)]
    unit: Annotated[str, Say("Of the value, such as ms.", most=50)] = ""
    n: Annotated[int | None, Say("How many examples were looked at.")] = None
    interval: Annotated[
        tuple[str, ...],
        Say("95 % interval: lowest and highest.", count=2, pattern=DECIMAL, hint="must be a number", number=True),
    ] = ()
    slice: Annotated[Mapping[str, str], Say("The part it speaks about; empty means all.", count=20)] = field(
        default_factory=dict
    )

    def problems(self) -> Iterable[tuple[str, str]]:
        """Yield what is wrong with how the fields go together."""
        if self.metric.partition(".")[0] in RESERVED:
            yield "metric", f"must not begin with {self.metric.partition('.')[0]}, which is for other statements"
        if self.value.strip().lower().lstrip("+-") in {"nan", "inf", "infinity", "snan"}:
            yield "value", "must be a number or a word that says something"
        if self.interval and (len(self.interval) != 2 or Decimal(self.interval[0]) > Decimal(self.interval[1])):
            yield "interval", "must be the lowest value and the highest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result(Record):
    """What an evaluation measured."""

    NAME: ClassVar[str] = "result"
    TITLE: ClassVar[str] = "What somebody measured in an evaluation"

    name: Annotated[str, Say("The evaluation, such as triage-recall.", pattern=WORD)]
    measurements: Annotated[tuple[Measured, ...], Say("What was measured.", count=10_000)]
    how: Annotated[str, Say("How it was measured, so that others can do it again.", most=5000)]
    by: Annotated[str, Say("Who measured it.", most=200)]
    tool: Annotated[str, Say("With which program and version.", most=300)] = ""
    time: Annotated[datetime | None, Say("When it was measured.")] = None
    materials: Annotated[tuple[Subject, ...], Say("What was used for it, by digest: test data, prompts.")] = ()
    gaps: Annotated[tuple[str, ...], Say("What could not be established.", most=1000)] = ()
    contact: Annotated[str, Say("Where to reach them.", most=300)] = ""

    def problems(self) -> Iterable[tuple[str, str]]:
        """Yield what is wrong with how the fields go together."""
        if not self.measurements and not self.gaps:
            yield "measurements", "is empty: an evaluation measures something, or says what it could not establish"
        for at, one in enumerate(self.measurements):
            yield from ((f"measurements[{at}].{name}", problem) for name, problem in one.problems())

    @property
    def sentence(self) -> str:
        """What is stated."""
        shown = ", ".join(map(_shown, self.measurements[:3]))
        more = f" and {len(self.measurements) - 3} more" if len(self.measurements) > 3 else ""
        return f"{self.by} measured in the evaluation {self.name}: {shown or 'nothing'}{more}"

    @classmethod
    def predicate_type(cls) -> str:
        """Return the type of the predicate of its statements, which is that of checks."""
        return RESULT_TYPE

    @classmethod
    def matches(cls, statement: Statement) -> bool:
        """Say whether a statement is the result of an evaluation, and not of a check."""
        return statement.predicate_type == RESULT_TYPE and bool(evaluation_of(statement.predicate))

    @classmethod
    def of_predicate(cls, predicate: Mapping[str, Any]) -> Self:
        """Read the predicate of a statement, whoever made it.

        Raises:
            Invalid: When it does not say what it should.
        """
        configuration = predicate.get("configuration")
        first, *others = configuration if _listed(configuration) and configuration else [{}]
        notes = first.get("annotations") if isinstance(first, Mapping) else None
        said: dict[str, Any] = {"name": evaluation_of(predicate), "materials": others}
        said |= {key: notes[key] for key in NOTES if key in notes} if isinstance(notes, Mapping) else {}
        said |= {"measurements": predicate["measurements"]} if "measurements" in predicate else {}
        if "gaps" in predicate:
            gaps = predicate["gaps"]
            reasons = (
                [row.get("reason") if isinstance(row, Mapping) else None for row in gaps] if _listed(gaps) else gaps
            )
            said |= {"gaps": reasons}
        return cls._read(said, by_hand=False)

    def predicate(self) -> dict[str, Any]:
        """Return the predicate of its statement.

        ``result`` says that the evaluation came to its end, not that something is good enough: policies say that.
        """
        said = write(self)
        notes = {key: said[key] for key in NOTES if key in said}
        made = {
            "result": "WARNED" if self.gaps else "PASSED",
            "configuration": [{"name": PREFIX + self.name, "annotations": notes}, *said.get("materials", ())],
            "measurements": said["measurements"],
        }
        return made | ({"gaps": [{"reason": reason} for reason in self.gaps]} if self.gaps else {})


def evaluation_of(predicate: Mapping[str, Any]) -> str:
    """Return the name of the evaluation that a test-result is of; empty when it is of none."""
    rows = predicate.get("configuration")
    first = rows[0] if _listed(rows) and rows else None
    name = first.get("name") if isinstance(first, Mapping) else None
    return name.removeprefix(PREFIX) if isinstance(name, str) and name.startswith(PREFIX) else ""


def _listed(value: object) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, list | tuple)


def _shown(one: Measured) -> str:
    part = name_part(one.slice)
    bounds = f" ({' to '.join(one.interval)})" if one.interval else ""
    counted = f", n {one.n:,}" if one.n is not None else ""
    return f"{one.metric}{f' for {part}' if part else ''} = {one.value}{one.unit and ' ' + one.unit}{bounds}{counted}"
