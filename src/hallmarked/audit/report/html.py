"""The report as one HTML file that asks nobody for anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import jinja2
from markupsafe import Markup

from hallmarked import __version__
from hallmarked.audit.report import view
from hallmarked.audit.report.dataset import DataSet, data_set
from hallmarked.audit.report.demand import DemandRow, OtherRow, demands, others
from hallmarked.audit.report.report import Report
from hallmarked.cards.sheet import sheet
from hallmarked.cards.sheet.sheet import open_templates, shape
from hallmarked.core.evidence import Finding, Level, Location, Outcome

MOST_ROWS = 500
"""Rows of one list on the page; the JSON holds all."""
MOST_PLACES = 20
"""Places shown per rule."""


@dataclass(frozen=True, slots=True)
class State:
    """The verdict in front of people."""

    kind: str
    shape: str
    word: str
    sentence: str
    reasons: Sequence[str]


@dataclass(frozen=True, slots=True)
class GroupRow:
    """Findings of one rule."""

    shape: str
    level: str
    title: str
    help: str
    rule: str
    check: str
    shown: Sequence[Finding]
    hidden: int


@dataclass(frozen=True, slots=True)
class GapRow:
    """Something that could not be established."""

    check: str
    reason: str
    location: Location | None


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """A claim of the card and how it stands."""

    shape: str
    status: str
    word: str
    text: str
    reason: str
    location: Location | None
    evidence: str


@dataclass(frozen=True, slots=True)
class CheckRow:
    """A check and its outcome."""

    id: str
    title: str
    outcome: str = ""
    shape: str = ""
    word: str = ""
    errors: int = 0
    warnings: int = 0


@dataclass(frozen=True, slots=True)
class FileRow:
    """A file that a library would load."""

    path: str
    format: str
    verdict: str
    shape: str


@dataclass(frozen=True, slots=True)
class Page:
    """Everything the template may use."""

    name: str
    css: Markup
    marks: Markup
    """The shapes of the marks, as symbols that ``<use>`` can name."""
    digest: str
    origin: str
    files_total: str
    size: str
    time: str
    date: str
    version: str
    rule_set: str
    verdict: State
    groups: Sequence[GroupRow]
    """Errors and warnings."""
    notes: Sequence[GroupRow]
    gaps: Sequence[GapRow]
    gaps_hidden: int
    claims: Sequence[ClaimRow]
    context: str
    """For what it was judged."""
    demands: Sequence[tuple[str, DemandRow]]
    """What the context spells out, each with the shape of its mark."""
    others: Sequence[OtherRow]
    facts: Sequence[view.Fact]
    dataset: DataSet | None
    """What is shown of the rows of tables; None when there are none."""
    checks: Sequence[CheckRow]
    inapplicable: Sequence[CheckRow]
    files: Sequence[FileRow]
    files_hidden: int
    evidence: object
    isolation: str
    excluded: str


def render(report: Report) -> str:
    """Return the page."""
    return _template().render(page=page(report))


def page(report: Report) -> Page:
    """Work out what the page shows."""
    seen = report.examination
    gaps, rows = view.gaps(seen.results), view.files(seen.results)
    groups = view.groups(seen.results, seen.rules)
    return Page(
        name=seen.subject.name,
        css=Markup(sheet.style()),  # noqa: S704 -- our own file
        marks=Markup(sheet.marks()),  # noqa: S704 -- our own file
        digest=" · ".join(f"{name} {value}" for name, value in seen.subject.digest.items()),
        origin=seen.origin,
        files_total=view.plural(seen.files, "file"),
        size=view.size(seen.size),
        time=report.time.isoformat(),
        date=report.time.strftime("%d %B %Y, %H:%M UTC"),
        version=__version__,
        rule_set=seen.rule_set,
        verdict=_state(report),
        groups=[_group(group) for group in groups if group.level is not Level.NOTE],
        notes=[_group(group) for group in groups if group.level is Level.NOTE],
        gaps=[GapRow(check, gap.reason, gap.location) for check, gap in gaps[:MOST_ROWS]],
        gaps_hidden=max(0, len(gaps) - MOST_ROWS),
        claims=_claims(report),
        context=report.context.title.get("en", report.context.name),
        demands=[(shape(row.status), row) for row in demands(report)],
        others=others(report)[:MOST_ROWS],
        facts=view.facts(seen.results),
        dataset=data_set(seen.results, report.time.date()),
        checks=_checks(report),
        inapplicable=[CheckRow(name, seen.titles[name]) for name in seen.inapplicable],
        files=[FileRow(r.path, r.format, r.verdict, shape(r.verdict)) for r in rows[:MOST_ROWS]],
        files_hidden=max(0, len(rows) - MOST_ROWS),
        evidence=report.evidence,
        isolation=view.isolation(seen.results),
        excluded=", ".join(seen.excluded),
    )


def _state(report: Report) -> State:
    outcome = report.verdict.outcome
    word, sentence = view.state(report.verdict, report.examination.results)
    told = [ruling.sentence for ruling in report.decision.demanded]
    reasons = view.reasons(report.verdict, report.examination.results, told)
    return State(outcome.value, shape(outcome.value), word, sentence, reasons)


def _group(group: view.Group) -> GroupRow:
    shown = group.findings[:MOST_PLACES]
    rule = group.rule
    hidden = len(group.findings) - len(shown)
    return GroupRow(shape(group.level), group.level, rule.title, rule.help, rule.id, group.check, shown, hidden)


def _claims(report: Report) -> list[ClaimRow]:
    return [
        ClaimRow(
            shape(claim.status),
            claim.status.value,
            view.words(claim.status),
            claim.text,
            claim.reason[:1].upper() + claim.reason[1:],
            claim.location,
            claim.evidence_text,
        )
        for claim in report.claims
    ]


def _checks(report: Report) -> list[CheckRow]:
    rows = []
    for result in report.examination.results:
        levels = [finding.level for finding in result.findings]
        outcome = result.outcome
        # NOTE: a failed check may have gaps too; they have a list of their own.
        word = view.WORDS[outcome]
        if outcome is Outcome.PASS and Level.WARNING in levels:
            word = "warnings"
        mark = "warning" if word == "warnings" else outcome.value
        title = report.examination.titles[result.check]
        rows.append(
            CheckRow(
                result.check,
                title,
                mark,
                shape(mark),
                word,
                levels.count(Level.ERROR),
                levels.count(Level.WARNING),
            )
        )
    return rows


@cache
def _template() -> jinja2.Template:
    return open_templates("hallmarked.audit.report", Location).get_template("report.html.j2")
