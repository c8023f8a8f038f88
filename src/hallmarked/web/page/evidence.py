"""What audits found, as pages show it: claims, findings, gaps and facts, each with where to check it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache

from hallmarked.audit.attested import of_own
from hallmarked.audit.report import view
from hallmarked.audit.report.dataset import DataSet, data_set
from hallmarked.cards.claim import Claim as Derived
from hallmarked.cards.claim import derive_claims
from hallmarked.cards.known import know
from hallmarked.checks import registry
from hallmarked.checks.runner import Result, items
from hallmarked.core.evidence import Finding, Gap, Level, Location, Measurement, Outcome, Rule, Statement
from hallmarked.hub.clock import now, to_datetime
from hallmarked.hub.review.audited import Audit
from hallmarked.hub.review.finding import check_of
from hallmarked.web.render import context

MOST_PLACES = 20
"""Places of one rule on a page; the data has all."""


@context
class Spot:
    """A place in a file of the revision."""

    text: str
    """As people write it: ``model.zip!data.pkl@12``."""
    path: str
    """The file."""
    line: int | None
    """Line, from 1, in text files."""


@context
class Group:
    """Findings of one rule at one level."""

    level: str
    """``error``, ``warning`` or ``note``."""
    rule: str
    """Id of the rule."""
    check: str
    """Id of the check that found it."""
    title: str
    """What is wrong."""
    help: str
    """What to do about it."""
    places: tuple[tuple[str, Spot | None, tuple[str, ...]], ...]
    """What was seen, where, and some of the rows with what stands there, masked."""
    hidden: int
    """How many more there are."""


@context
class Unknown:
    """Something that could not be established."""

    check: str
    """Id of the check that tried."""
    reason: str
    """Why it could not."""
    spot: Spot | None
    """Where."""


@context
class Fact:
    """Something that was measured."""

    label: str
    """What."""
    value: str
    """How much."""
    where: str
    """In which file; empty for the whole revision."""


@context
class Report:
    """What one check stated."""

    check: str
    """Id of the check."""
    title: str
    """What it asks."""
    version: str
    """Version of the check."""
    outcome: str
    """``pass``, ``fail`` or ``unknown``."""
    errors: int
    """Findings of level error."""
    warnings: int
    """Findings of level warning."""
    notes: int
    """Findings of level note."""
    measured: int
    """How many values it measured."""
    reason: str
    """Why it is unknown; empty otherwise."""
    entry: int | None
    """Index of the statement in the ledger; none while it is not there."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What an audit said, taken apart once."""

    audit: Audit
    claims: tuple[Derived, ...]
    findings: tuple[tuple[str, Finding], ...]
    """With the id of the check."""
    gaps: tuple[tuple[str, Gap], ...]
    measurements: tuple[tuple[str, Measurement], ...]
    reports: tuple[Report, ...]

    @property
    def time(self) -> datetime:
        """When the audit was made."""
        return to_datetime(self.audit.created)


def take_apart(audit: Audit) -> Seen:
    """Read back what an audit stated."""
    findings: list[tuple[str, Finding]] = []
    gaps: list[tuple[str, Gap]] = []
    measurements: list[tuple[str, Measurement]] = []
    reports = []
    for number, statement in enumerate(audit.statements):
        check = check_of(statement)
        if not check:
            continue
        levels: Counter[Level] = Counter()
        for item in items(statement):
            if isinstance(item, Finding):
                findings.append((check, item))
                levels[item.level] += 1
            elif isinstance(item, Gap):
                gaps.append((check, item))
            else:
                measurements.append((check, item))
        entry = audit.entries[number] if number < len(audit.entries) else None
        reports.append(_report(check, statement, levels, entry))
    return Seen(audit, _claims(audit), tuple(findings), tuple(gaps), tuple(measurements), tuple(reports))


def file_of(location: Location) -> str:
    """Return the file a place is in: what stands before the first member of a container."""
    return location.path.partition("!")[0]


def spot(location: Location | None) -> Spot | None:
    """Write a place for a page."""
    return Spot(str(location), file_of(location), location.line) if location is not None else None


def _claims(audit: Audit) -> tuple[Derived, ...]:
    return derive_claims(know(of_own(audit.statements, to_datetime(audit.created), "hub")), to_datetime(now()))


def group_findings(findings: Sequence[tuple[str, Finding]]) -> tuple[Group, ...]:
    """Group findings by level (highest first), then rule."""
    found: defaultdict[tuple[Level, str, str], list[Finding]] = defaultdict(list)
    for check, finding in findings:
        found[finding.level, finding.rule, check].append(finding)
    ordered = sorted(found.items(), key=lambda item: (-item[0][0].rank, item[0][1]))
    return tuple(_group(level, rule, check, group) for (level, rule, check), group in ordered)


def gap_rows(seen: Seen) -> tuple[Unknown, ...]:
    """Write for a page what could not be established."""
    return tuple(Unknown(check, gap.reason, spot(gap.location)) for check, gap in seen.gaps)


def facts(seen: Seen, path: str = "") -> tuple[Fact, ...]:
    """Pick the measurements worth showing at a glance, each value once; of one file when a path is given."""
    shown: dict[tuple[str, str], Fact] = {}
    for metric, label in view.FACTS.items():
        found = [m for _, m in seen.measurements if m.metric == metric and m.value]
        if path:
            found = [m for m in found if m.slice.get("path", "").partition("!")[0] == path]
        else:
            found = [m for m in found if not m.slice] or found
        for measurement in found:
            value = view.number(measurement.value)
            shown.setdefault((label, value), Fact(label, value, measurement.slice.get("path", "")))
    return tuple(shown.values())


def holds(seen: Seen, today: date) -> DataSet | None:
    """Work out what a data set holds, as the report of an audit does; None when no rows were counted.

    Args:
        seen: What the audit said.
        today: The day on which it is shown; what has expired depends on it.
    """
    results: dict[str, Result] = {}
    for check, measurement in seen.measurements:
        results.setdefault(check, Result(check, "")).measurements.append(measurement)
    return data_set(list(results.values()), today)


def verdicts(seen: Seen) -> Mapping[str, tuple[str, str]]:
    """Return format and verdict of each file that a library would load."""
    formats: dict[str, str] = {}
    judged: dict[str, str] = {}
    for _, measurement in seen.measurements:
        path = measurement.slice.get("path", "").partition("!")[0]
        if measurement.metric == "file.format":
            formats.setdefault(path, measurement.value)
        elif measurement.metric == "file.verdict":
            judged.setdefault(path, measurement.value)
    return {path: (formats.get(path, ""), judged.get(path, "")) for path in formats | judged}


@cache
def rules() -> Mapping[str, Rule]:
    """Return every rule of the checks that are installed, by id."""
    return {rule.id: rule for name in registry.available() for rule in registry.load(name)[0].rules}


@cache
def titles() -> Mapping[str, str]:
    """Return what each check that is installed asks, by id."""
    return {name: registry.load(name)[0].title for name in registry.available()}


def _group(level: Level, rule: str, check: str, findings: Sequence[Finding]) -> Group:
    known = rules().get(rule) or Rule(rule, level, rule, "")
    places = tuple((each.message, spot(each.location), _samples(each)) for each in findings[:MOST_PLACES])
    hidden = len(findings) - len(places)
    return Group(level.value, rule, check, known.title, known.help, places, hidden)


def _samples(finding: Finding) -> tuple[str, ...]:
    """Return the rows that a finding names, as the check of personal data writes them."""
    return tuple(finding.data[name] for name in sorted(finding.data) if name.startswith("sample_"))


def _report(check: str, statement: Statement, levels: Counter[Level], entry: int | None) -> Report:
    predicate = statement.predicate
    version = ""
    for used in predicate.get("configuration", ()):
        version = str(used.get("annotations", {}).get("version", "")) or version
    outcome = str(predicate.get("outcome", Outcome.UNKNOWN.value))
    return Report(
        check,
        titles().get(check, check),
        version,
        outcome,
        levels[Level.ERROR],
        levels[Level.WARNING],
        levels[Level.NOTE],
        len(predicate.get("measurements", ())),
        str(predicate.get("reason", "")),
        entry,
    )
