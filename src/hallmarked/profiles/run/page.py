"""A planned run as one HTML file that asks nobody for anything, runs nothing, and prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

import jinja2
from markupsafe import Markup

from hallmarked.cards.sheet import sheet
from hallmarked.cards.sheet.sheet import open_templates
from hallmarked.profiles.language import Text, pick
from hallmarked.profiles.run.decide import Decision, Filing, Stage, State, name_of
from hallmarked.profiles.run.pack import FACTORS
from hallmarked.profiles.run.project import Projection, shorten
from hallmarked.profiles.run.rebuttal import Recomputed, Standing
from hallmarked.profiles.run.review import Reminder, Review
from hallmarked.profiles.run.sentence import say
from hallmarked.records.run_plan import RunPlan

_FILING = {Filing.FILE: "warning", Filing.OPEN: "unknown", Filing.NOTHING: "pass"}
_STATE = {State.COVERED: "warning", State.UNDECIDED: "unknown", State.NOT_COVERED: "pass", State.NOT_IN_FORCE: "stale"}
_STANDING = {Standing.HOLDS: "pass", Standing.FAILS: "fail", Standing.MISSING: "unknown", Standing.UNSETTLED: "unknown"}
_WORDS = (
    "skip", "brand", "sealed", "filers", "operations", "verdicts", "duty", "factors", "deviations", "none", "earlier",
    "rebuttals", "due", "nothing-due", "verify", "footer",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """Something with a mark."""

    shape: str
    kind: str
    word: str
    title: str = ""
    reason: str = ""
    duty: str = ""

    @property
    def text(self) -> str:
        """What stands beside the mark."""
        return self.title


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one pack comes to."""

    shape: str
    kind: str
    word: str
    title: str
    note: str
    rows: Sequence[Line]
    stage: str
    questions: Sequence[str]
    source: str


@dataclass(frozen=True, slots=True)
class Page:
    """Everything the template may use."""

    language: str
    css: Markup
    marks: Markup
    words: Mapping[str, str]
    title: str
    about: str
    purpose: str
    timing: Line
    statement: str
    filers: Sequence[str]
    operations: str
    notes: Sequence[str]
    verdicts: Sequence[Verdict]
    factors: Sequence[tuple[str, str]]
    deviations: Sequence[str]
    earlier: Sequence[str]
    rebuttals: Sequence[Line]
    due: Sequence[str]
    command: str


@dataclass(frozen=True, slots=True)
class Shown:
    """What is shown of a run."""

    plan: RunPlan
    projection: Projection
    decisions: Sequence[Decision]
    reminders: Sequence[Reminder]
    time: datetime
    language: str = "en"
    review: Review | None = None
    """None for a plan that is not sealed."""
    rebuttals: Sequence[Recomputed] = ()
    command: str = ""
    """The command that gives the same page."""


def render_page(shown: Shown) -> str:
    """Return the page of a planned run."""
    return _template().render(page=_page(shown))


def _page(shown: Shown) -> Page:
    plan, language, seen = shown.plan, shown.language, shown.review
    return Page(
        language=language,
        css=Markup(sheet.style()),  # noqa: S704 -- our own
        marks=Markup(sheet.marks()),  # noqa: S704 -- our own file
        words={name: _say(f"page-{name}", language) for name in _WORDS},
        title=_say("page-title", language, model=plan.model),
        about=_say("page-about", language, day=f"{plan.start:%Y-%m-%d}", now=f"{shown.time:%Y-%m-%d}"),
        purpose=plan.purpose,
        timing=_timing(seen, language),
        statement=f"{seen.plan.source.id} · {seen.plan.by}" if seen else "",
        filers=_filers(plan, language),
        operations=_operations(shown, language),
        notes=_notes(shown.projection, language),
        verdicts=[_verdict(each, language) for each in shown.decisions],
        factors=_factors(shown, language),
        deviations=_deviations(seen),
        earlier=_earlier(seen, language),
        rebuttals=[_compared(each, one, language) for each in shown.rebuttals for one in range(len(each.compared))],
        due=[f"{each.due:%Y-%m-%d} — {pick(each.text, language)}" for each in shown.reminders],
        command=shown.command,
    )


def _say(key: str, language: str, **values: Text | str) -> str:
    return pick(say(key, **values), language)


def _timing(seen: Review | None, language: str) -> Line:
    if seen is None:
        return Line("unknown", "unknown", "", _say("page-unsealed", language))
    shape = "fail" if seen.is_late else "pass"
    return Line(shape, shape, "", pick(seen.timing_text, language))


def _filers(plan: RunPlan, language: str) -> list[str]:
    made = []
    for filer in plan.filers:
        parts = [filer.name]
        if len(plan.filers) > 1:
            parts.append(f"{_say('page-share', language)} {filer.share}")
        if filer.tasks:
            parts.append(", ".join(filer.tasks))
        if len(plan.filers) > 1 and filer.name == plan.speaks:
            parts.append(_say("page-speaks", language))
        made.append(" · ".join([*parts, filer.contact]))
    return made


def _operations(shown: Shown, language: str) -> str:
    planned, seen = _told(shown.projection, shown.language), shown.review
    if seen is None or seen.now.operations == shown.projection.operations:
        return planned
    return _say("page-planned", language, planned=planned, now=_told(seen.now, language))


def _told(projection: Projection, language: str) -> str:
    made = projection.operations
    if made is None:
        return _say("page-unknown", language)
    value, low, high = map(shorten, (made.operations, *made.interval))
    return _say("page-interval", language, value=value, low=low, high=high)


def _notes(projection: Projection, language: str) -> list[str]:
    said = [pick(each, language) for each in (projection.operations.assumptions if projection.operations else ())]
    if projection.comparison is not None:
        said.append(pick(projection.comparison.reason, language))
    if any(one.metric == "run.parameters" for one in projection.measurements):
        said.append(_say("parameters-alone", language))
    return said


def _verdict(decision: Decision, language: str) -> Verdict:
    pack, shape = decision.pack, _FILING[decision.filing]
    rows = [
        Line(
            _STATE[one.state],
            _STATE[one.state],
            _say(one.state.value, language),
            pick(one.rule.title, language),
            pick(one.reason, language),
            f"{pick(one.rule.duty, language)} [{one.rule.source}]" if one.state is State.COVERED else "",
        )
        for one in decision.triggers
    ]
    stage = ""
    if decision.stage is not Stage.NOT_ASKED:
        missing = ", ".join(pick(name_of(f"context.{name}"), language) for name in decision.missing)
        values = {"missing": missing} if decision.stage is Stage.INCOMPLETE else {}
        stage = _say(decision.stage.value, language, **values)
    checked, digest = pack.checked.isoformat(), f"{pack.id} sha256:{pack.digest}"
    return Verdict(
        shape,
        shape,
        pick(decision.sentence, language),
        pick(pack.title, language),
        pick(pack.note, language) if pack.note else "",
        rows,
        stage,
        [pick(pack.questions[each], language) for each in decision.questions],
        _say("page-checked", language, source=pack.source, day=checked, digest=digest),
    )


def _factors(shown: Shown, language: str) -> list[tuple[str, str]]:
    """Return the answer to each risk factor, the newest that was stated, with its reason."""
    seen, plan = shown.review, shown.plan
    held = {one.metric: one.value for one in (seen.now if seen else shown.projection).measurements}
    changed = {each.field: each.now for one in (seen.deviations if seen else ()) for each in one.record.changes}
    made = []
    for name in FACTORS:
        factor, answer = getattr(plan.factors, name, None), held.get(f"context.{name}")
        reason = changed.get(f"factors.{name}.reason", factor.reason if factor else "")
        said = _say("page-unanswered" if answer is None else f"page-{'yes' if answer == 'yes' else 'no'}", language)
        made.append((pick(name_of(f"context.{name}"), language), f"{said} — {reason}" if reason else said))
    return made


def _deviations(seen: Review | None) -> list[str]:
    made = []
    for one in seen.deviations if seen else ():
        changes = "; ".join(f"{each.field}: {each.planned} → {each.now}" for each in one.record.changes)
        made.append(f"{one.source.time:%Y-%m-%d} {one.by}: {one.record.reason}{f' ({changes})' if changes else ''}")
    return made


def _earlier(seen: Review | None, language: str) -> list[str]:
    return [
        f"{each.time:%Y-%m-%d} {each.pack} ({each.digest[:12]}…): "
        f"{_say(each.filing, language) if each.filing in list(Filing) else each.filing}"
        for each in (seen.earlier if seen else ())
    ]


def _compared(made: Recomputed, at: int, language: str) -> Line:
    one = made.compared[at]
    shape = _STANDING[one.standing]
    title = f"{one.comparison.metric}: {one.comparison.other}"
    return Line(shape, shape, _say(f"standing-{one.standing.value}", language), title, pick(one.reason, language))


@cache
def _template() -> jinja2.Template:
    return open_templates("hallmarked.profiles.run").get_template("run.html.j2")
