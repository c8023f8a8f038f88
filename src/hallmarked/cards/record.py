"""Look things up in the statements about one artifact.

Reads the extended in-toto test-result predicate that the check runner writes. Statements may come from anywhere, so
members that are missing or of another type count as absent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from hallmarked.core.evidence import Location, Outcome, Statement, Subject

PREFIX = "hallmarked/checks/"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One thing a statement says, and where it says it."""

    check: str
    """Id of the check."""
    metric: str
    """The measurement, or the rule of a finding."""
    value: str
    """What was measured, or the message of a finding."""
    statement: str = ""
    """Identity of the statement, for people who want to look it up."""
    slice: Mapping[str, str] = field(default_factory=dict)
    n: int | None = None
    finding: bool = False
    """A finding, which holds even when its check could not finish."""

    @property
    def location(self) -> Location | None:
        """Where in the artifact it was seen."""
        path, line = self.slice.get("path"), self.slice.get("line", "")
        if not path:
            return None
        # Statements may hold anything: a line number beyond any file is no line number.
        return Location(path, line=int(line) if line.isascii() and line.isdecimal() and len(line) < 10 else None)

    def __str__(self) -> str:
        said = self.metric if self.finding else f"{self.metric} = {self.value}"
        at = f" at {self.location}" if self.location else ""
        by = f" ({self.statement})" if self.statement else ""
        return f"check {self.check}, {said}{at}{by}"


@dataclass(frozen=True, slots=True)
class Report:
    """What one check said."""

    check: str
    outcome: Outcome
    reason: str
    subjects: tuple[Subject, ...]
    measurements: tuple[Evidence, ...]
    findings: tuple[Evidence, ...]

    def values(self, metric: str) -> list[Evidence]:
        """Return every measurement of ``metric``."""
        return [item for item in self.measurements if item.metric == metric]

    def number(self, metric: str) -> Evidence | None:
        """Return the measurement of ``metric`` for the whole artifact, when it is a whole number."""
        whole = [item for item in self.values(metric) if not item.slice and item.value.isascii()]
        return next((item for item in whole if item.value.isdecimal() and len(item.value) < 40), None)

    def is_about(self, subject: Subject) -> bool:
        """Say whether the statement is about exactly these bytes."""
        return any(_same(subject.digest, other.digest) for other in self.subjects)


class Record:
    """The reports on one artifact, by check; of two reports of a check the later one counts.

    Args:
        statements: Statements, oldest first. Those that are not reports of a check are passed over.
        evidence_id: Gives the identity of the statement at an index, such as the digest of its envelope.
    """

    def __init__(self, statements: Sequence[Statement], evidence_id: Callable[[int], str]) -> None:
        self.reports: dict[str, Report] = {}
        self._files: frozenset[str] | None = None
        for index, statement in enumerate(statements):
            report = _report(statement, evidence_id(index))
            if report is not None:
                self.reports[report.check] = report

    def files(self) -> frozenset[str] | None:
        """Return the paths of all files, ``None`` when nobody listed them."""
        if self._files is None and (report := self.reports.get("inventory")):
            paths = {item.slice.get("path", "") for item in report.values("file.present")}
            self._files = frozenset(paths) if paths or report.values("files.total") else None
        return self._files


def _same(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    shared = one.keys() & other.keys()
    return bool(shared) and all(one[name] == other[name] for name in shared)


def _report(statement: Statement, identity: str) -> Report | None:
    predicate = statement.predicate
    names = [text(item, "name") for item in rows(predicate.get("configuration"))]
    check = next((name.removeprefix(PREFIX) for name in names if name.startswith(PREFIX)), None)
    if check is None:
        return None
    outcome = text(predicate, "outcome")
    return Report(
        check,
        Outcome(outcome) if outcome in set(Outcome) else Outcome.UNKNOWN,
        text(predicate, "reason") or "its outcome is not stated" * (outcome not in set(Outcome)),
        statement.subjects,
        tuple(_measurement(check, row, identity) for row in rows(predicate.get("measurements"))),
        tuple(_finding(check, row, identity) for row in rows(predicate.get("findings"))),
    )


def _measurement(check: str, row: Mapping[str, object], identity: str) -> Evidence:
    where = row.get("slice")
    parts = {str(key): str(value) for key, value in where.items()} if isinstance(where, Mapping) else {}
    n = row.get("n")
    return Evidence(check, text(row, "metric"), text(row, "value"), identity, parts, n if isinstance(n, int) else None)


def _finding(check: str, row: Mapping[str, object], identity: str) -> Evidence:
    where = row.get("location")
    place = {key: str(where[key]) for key in ("path", "line") if key in where} if isinstance(where, Mapping) else {}
    return Evidence(check, text(row, "rule"), text(row, "message"), identity, place, finding=True)


def rows(value: object) -> Iterator[Mapping[str, object]]:
    """Yield the objects of a JSON array, passing over anything else."""
    for item in value if isinstance(value, list | tuple) else ():
        if isinstance(item, Mapping):
            yield item


def text(row: Mapping[str, object], key: str) -> str:
    """Return a text member, empty when it is missing or not a text."""
    value = row.get(key)
    return value if isinstance(value, str) else ""
