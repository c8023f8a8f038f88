"""The report for a terminal: plain, aligned, and at most one screen for a healthy model."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from hallmarked.audit.report import view
from hallmarked.audit.report.dataset import data_set
from hallmarked.audit.report.demand import demands, others
from hallmarked.audit.report.report import Report
from hallmarked.core.evidence import Level, Outcome
from hallmarked.core.text import clean

MARKS = {
    "error": "✖",
    "warning": "▲",
    "note": "·",
    "pass": "✔",
    "fail": "✖",
    "unknown": "?",
    "supported": "✔",
    "contradicted": "✖",
    "stale": "◷",
    "disputed": "…",
    "self-asserted": "○",
    "withdrawn": "○",
    "met": "✔",
    "fails": "✖",
    "waived": "○",
    "missing": "?",
    "underpowered": "▲",
    "wrong_attester": "?",
    "not-evaluated": "?",
}
MOST_PLACES = 5
MOST_GROUPS = 40
MOST_CLAIMS = 25

Paint = Callable[[str, str], str]
"""Colours a text for a status, or leaves it alone."""


def plain(text: str, status: str) -> str:
    """Leave a text as it is."""
    del status
    return text


def render(report: Report, *, paint: Paint = plain, verbose: bool = False) -> str:
    """Return the report as text.

    Args:
        report: What to show.
        paint: How to colour a text, given its status.
        verbose: Also show notes, every place and every claim.
    """
    return "\n".join(
        [
            *_head(report),
            *_data(report),
            *_findings(report, paint, verbose),
            *_claims(report, paint, verbose),
            *_demands(report, paint, verbose),
            *_others(report),
            *_end(report, paint),
        ]
    )


def _head(report: Report) -> Iterator[str]:
    seen = report.examination
    digest = ", ".join(f"{name} {value}" for name, value in seen.subject.digest.items())
    yield f"{clean(seen.subject.name)}  {view.plural(seen.files, 'file')}, {view.size(seen.size)}"
    yield digest
    facts = [
        f"{fact.label.lower()} {fact.value}"
        for fact in view.facts(seen.results)
        if fact.label not in {"Files", "Bytes"}
    ]
    if facts:
        yield clean(", ".join(facts))
    if seen.origin:
        yield clean(seen.origin)
    yield ""


def _data(report: Report) -> Iterator[str]:
    """Tell what a data set holds, a line for each subject."""
    found = data_set(report.examination.results, report.time.date())
    if found is None or len(found.facts) < 2:
        return
    yield "What the data set holds"
    for label, sentence in found.facts:
        yield f"  {label:<16}{clean(sentence)}"
    yield ""


def _findings(report: Report, paint: Paint, verbose: bool) -> Iterator[str]:
    seen = report.examination
    groups = view.groups(seen.results, seen.rules)
    shown = groups if verbose else [group for group in groups if group.level is not Level.NOTE][:MOST_GROUPS]
    for group in shown:
        mark = paint(f"{MARKS[group.level]} {group.level}", group.level)
        yield f"{mark}  {clean(group.rule.title)}  [{clean(group.rule.id)}]"
        places = group.findings if verbose else group.findings[:MOST_PLACES]
        for finding in places:
            place = f"  ({finding.location})" if finding.location else ""
            yield f"    {clean(finding.message)}{clean(place)}"
        if len(group.findings) > len(places):
            yield f"    … and {len(group.findings) - len(places)} more"
        if group.rule.help:
            yield f"    → {group.rule.help}"
    hidden = len(groups) - len(shown)
    if hidden:
        yield paint(f"{MARKS['note']} {view.plural(hidden, 'more rule')} with notes (--verbose shows them)", "note")
    gaps, told = (view.gaps(seen.results), {}) if verbose else view.unexplained(seen.results)
    for check, count in sorted(told.items()):
        where = view.plural(count, "place")
        yield f"{paint('? unknown', 'unknown')}  {check}: what is named above cannot be vouched for, in {where}"
    for check, gap in gaps if verbose else gaps[:MOST_PLACES]:
        place = f"  ({gap.location})" if gap.location else ""
        yield f"{paint('? unknown', 'unknown')}  {check}: {clean(gap.reason)}{clean(place)}"
    if not verbose and len(gaps) > MOST_PLACES:
        yield f"    … and {len(gaps) - MOST_PLACES} more that could not be established"
    if groups or gaps or told:
        yield ""


def _claims(report: Report, paint: Paint, verbose: bool) -> Iterator[str]:
    if not report.claims:
        return
    yield "What the card claims"
    shown = report.claims if verbose else report.claims[:MOST_CLAIMS]
    for claim in shown:
        mark = paint(f"{MARKS.get(claim.status, '?')} {view.words(claim.status)}", claim.status)
        padding = " " * max(1, 16 - len(view.words(claim.status)))
        yield f"  {mark}{padding}{clean(claim.text)}"
        if claim.status != "self-asserted" or verbose:
            yield f"{' ' * 20}{clean(claim.reason)}"
    if len(report.claims) > len(shown):
        yield f"  … and {len(report.claims) - len(shown)} more"
    yield ""


def _demands(report: Report, paint: Paint, verbose: bool) -> Iterator[str]:
    """Tell what the context spells out; what is met takes one line."""
    shown = demands(report)
    if not shown:
        return
    yield f"What {report.context.name} asks for"
    for row in shown:
        padding = " " * max(1, 16 - len(row.word))
        mark = paint(f"{MARKS[row.status]} {row.word}", row.status)
        yield f"  {mark}{padding}{clean(row.id)}: {clean(row.asked)}"
        if row.status == "met" and not verbose:
            continue
        yield f"{' ' * 20}{clean(row.reason)}"
        for label, said in (("", row.waiver), ("why: ", row.why), ("→ ", row.remedy), ("stated by ", row.evidence)):
            if said:
                yield f"{' ' * 20}{label}{clean(said)}"
    yield ""


def _others(report: Report) -> Iterator[str]:
    """Tell what others state, a line for each statement."""
    rows = others(report)
    if not rows:
        return
    yield "What others state"
    for row in rows[:MOST_CLAIMS]:
        about = "" if row.current else "  (about other bytes)"
        yield f"  {row.date}  {clean(row.who)}: {clean(row.said)}{about}"
    if len(rows) > MOST_CLAIMS:
        yield f"  … and {len(rows) - MOST_CLAIMS} more"
    yield ""


def _end(report: Report, paint: Paint) -> Iterator[str]:
    word, _ = view.state(report.verdict, report.examination.results)
    outcome = report.verdict.outcome.value
    ran = view.plural(len(report.examination.results), "check")
    yield paint(f"{MARKS[outcome]} {word}", outcome) + f"  ({ran}, context {report.context.name})"
    told = [ruling.sentence for ruling in report.decision.demanded]
    for reason in view.reasons(report.verdict, report.examination.results, told):
        yield f"    {clean(reason)}"
    if report.verdict.outcome is Outcome.UNKNOWN:
        yield "    → Have it established, or accept it as it is with --allow-unknown."
    yield ""
