"""Look things up in the statements about one artifact.

Reads the extended in-toto test-result predicate that the check runner writes. Statements may come from anywhere, so
members that are missing or of another type count as absent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from hallmarked.core.evidence import Attestation, Location, Outcome, Statement, Subject
from hallmarked.policy.fact import Fact, check_of, is_about, rows

CARD_CHECK = "documentation"
"""The check that writes down what a card says."""
_WORD = {"auditor": 3, "hub": 3, "maker": 2, "community": 1}
"""Whose report of a check is read where several looked at the same bytes; what nobody answers for comes last."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One thing a statement says, and where it says it."""

    check: str
    """Id of the check; empty when it was not stated by one."""
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
    source: Attestation | None = None
    """The statement, with who signed it and when."""

    @classmethod
    def of_fact(cls, fact: Fact) -> Evidence:
        """Return what somebody stated, whether or not a check did."""
        source = fact.source
        return cls(check_of(source.statement), fact.path, fact.value, source.id, fact.slice, fact.n, source=source)

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
        who = f"check {self.check}" if self.check else self._signer
        return f"{who}, {said}{at}{by}"

    @property
    def _signer(self) -> str:
        known = self.source.signer or self.source.role if self.source else ""
        return known or "an unknown signer"


@dataclass(frozen=True, slots=True)
class Report:
    """What one check said."""

    check: str
    outcome: Outcome
    reason: str
    source: Attestation
    """The statement, with who signed it and when."""
    measurements: tuple[Evidence, ...]
    findings: tuple[Evidence, ...]

    def values(self, metric: str) -> list[Evidence]:
        """Return every measurement of ``metric``."""
        return [item for item in self.measurements if item.metric == metric]

    def number(self, metric: str) -> Evidence | None:
        """Return the measurement of ``metric`` for the whole artifact, when it is a whole number."""
        whole = [item for item in self.values(metric) if not item.slice and item.value.isascii()]
        return next((item for item in whole if item.value.isdecimal() and len(item.value) < 40), None)

    def is_about(self, subject: Subject | None) -> bool:
        """Say whether the statement is about exactly these bytes."""
        return is_about(self.source.statement, subject)


class Record:
    """The reports on one artifact, by check.

    Where a check reported several times, what is about the bytes at hand goes first, then what has not been superseded,
    then whose word weighs more, then what is newer.

    Args:
        attestations: Statements, oldest first. Those that are not reports of a check are passed over.
        current: The bytes at hand. Without it every statement counts as being about them.
        superseded: Says why a statement has been superseded; empty when it has not.
    """

    def __init__(
        self,
        attestations: Iterable[Attestation],
        current: Subject | None = None,
        superseded: Callable[[Statement], str] = lambda _statement: "",
    ) -> None:
        best: dict[str, tuple[tuple[bool, bool, int], Attestation]] = {}
        self.cards: list[Attestation] = []
        """Every statement of what a card says, also of earlier revisions, oldest first."""
        for one in attestations:
            check = check_of(one.statement)
            if not check:
                continue
            if check == CARD_CHECK:
                self.cards.append(one)
            about = is_about(one.statement, current)
            weight = (about, about and not superseded(one.statement), _WORD.get(one.role, 0))
            if check not in best or weight >= best[check][0]:
                best[check] = (weight, one)
        self.reports = {check: read_report(check, one) for check, (_, one) in best.items()}
        self._files: frozenset[str] | None = None

    def files(self) -> frozenset[str] | None:
        """Return the paths of all files, ``None`` when nobody listed them."""
        if self._files is None and (report := self.reports.get("inventory")):
            paths = {item.slice.get("path", "") for item in report.values("file.present")}
            self._files = frozenset(paths) if paths or report.values("files.total") else None
        return self._files


def read_report(check: str, one: Attestation) -> Report:
    """Read what a check said from its statement."""
    predicate = one.statement.predicate
    outcome = text(predicate, "outcome")
    return Report(
        check,
        Outcome(outcome) if outcome in set(Outcome) else Outcome.UNKNOWN,
        text(predicate, "reason") or "its outcome is not stated" * (outcome not in set(Outcome)),
        one,
        tuple(_measurement(check, row, one) for row in rows(predicate.get("measurements"))),
        tuple(_finding(check, row, one) for row in rows(predicate.get("findings"))),
    )


def _measurement(check: str, row: Mapping[str, object], one: Attestation) -> Evidence:
    where = row.get("slice")
    parts = {str(key): str(value) for key, value in where.items()} if isinstance(where, Mapping) else {}
    n = row.get("n")
    number = n if isinstance(n, int) else None
    return Evidence(check, text(row, "metric"), text(row, "value"), one.id, parts, number, source=one)


def _finding(check: str, row: Mapping[str, object], one: Attestation) -> Evidence:
    where = row.get("location")
    place = {key: str(where[key]) for key in ("path", "line") if key in where} if isinstance(where, Mapping) else {}
    return Evidence(check, text(row, "rule"), text(row, "message"), one.id, place, finding=True, source=one)


def text(row: Mapping[str, object], key: str) -> str:
    """Return a text member, empty when it is missing or not a text."""
    value = row.get(key)
    return value if isinstance(value, str) else ""
