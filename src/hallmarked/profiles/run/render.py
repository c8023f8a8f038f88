"""Planned runs for people and programs: the same content as lines of text and as one JSON object."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from hallmarked.ledger.strict import format_time
from hallmarked.profiles.compute.formula import Estimate
from hallmarked.profiles.language import pick
from hallmarked.profiles.run.decide import Decision, Filing, Stage, State, summarise
from hallmarked.profiles.run.project import Projection, shorten
from hallmarked.profiles.run.rebuttal import Recomputed, Standing
from hallmarked.profiles.run.review import Reminder, Review
from hallmarked.profiles.run.sentence import say
from hallmarked.records.field import write
from hallmarked.records.run_plan import RunPlan

_MARKS = {State.COVERED: "■", State.UNDECIDED: "?", State.NOT_COVERED: "·", State.NOT_IN_FORCE: "·"}
_STANDING = {Standing.HOLDS: "✔", Standing.FAILS: "✖", Standing.MISSING: "?", Standing.UNSETTLED: "?"}


def plan_lines(
    plan: RunPlan, projection: Projection, decisions: Sequence[Decision], reminders: Sequence[Reminder], language: str
) -> list[str]:
    """Return what a plan comes to as lines of text."""
    return [
        *_projected(plan, projection, language),
        *(line for decision in decisions for line in _decided(decision, language)),
        *_reminded(reminders, language),
    ]


def plan_document(
    plan: RunPlan, projection: Projection, decisions: Sequence[Decision], reminders: Sequence[Reminder]
) -> dict[str, Any]:
    """Return what a plan comes to as a JSON object, with every sentence in every language."""
    return {
        "plan": plan.predicate(),
        "projection": _projection(projection),
        "decisions": [decision_document(one) for one in decisions],
        "reminders": [_reminder(one) for one in reminders],
    }


def review_lines(one: Review, language: str) -> list[str]:
    """Return where a planned run stands as lines of text."""
    source = one.plan.source
    mark = "✖" if one.is_late else "✔"
    lines = [
        *_projected(one.plan.record, one.projection, language),
        f"  {mark} {pick(one.timing_text, language)}",
        f"    {source.id}, {one.plan.by}",
    ]
    if one.now.operations != one.projection.operations:
        changed = say("page-planned", planned=summarise(one.projection), now=summarise(one.now))
        lines.insert(2, f"    {pick(changed, language)}")
    for deviation in one.deviations:
        lines.append(f"  ± {deviation.source.time:%Y-%m-%d} {deviation.record.sentence}")
        lines += [f"    {each.field}: {each.planned} → {each.now}" for each in deviation.record.changes]
    last: dict[str, tuple[str, ...]] = {}
    for earlier in one.earlier:  # of verdicts that say the same again, the first
        said = (earlier.digest, earlier.filing, earlier.stage)
        if last.get(earlier.pack) != said:
            lines.append(f"  {earlier.time:%Y-%m-%d} {earlier.pack} ({earlier.digest[:12]}): {earlier.filing}")
        last[earlier.pack] = said
    lines += [line for decision in one.decisions for line in _decided(decision, language)]
    return [*lines, *_reminded(one.reminders, language)]


def review_document(one: Review) -> dict[str, Any]:
    """Return where a planned run stands as a JSON object."""
    return {
        "statement": one.plan.source.id,
        "signer": one.plan.by,
        "logged": format_time(one.plan.source.time),
        "timing": one.timing.value,
        "timingText": dict(one.timing_text),
        "late": one.is_late,
        "began": one.began and format_time(one.began),
        "plan": one.plan.record.predicate(),
        "projection": _projection(one.projection),
        "now": _projection(one.now),
        "deviations": [{"statement": each.source.id, **each.record.predicate()} for each in one.deviations],
        "decisions": [decision_document(each) for each in one.decisions],
        "earlier": [
            {
                "pack": each.pack,
                "digest": {"sha256": each.digest},
                "outcome": each.filing,
                "stage": each.stage,
                "time": format_time(each.time),
                "statement": each.source,
            }
            for each in one.earlier
        ],
        "changed": list(one.changed),
        "reminders": [_reminder(each) for each in one.reminders],
    }


def decision_document(decision: Decision) -> dict[str, Any]:
    """Return a decision as a JSON object."""
    return {
        "pack": {
            "name": decision.pack.id,
            "digest": {"sha256": decision.pack.digest},
            "title": dict(decision.pack.title),
            "source": decision.pack.source,
            "checked": decision.pack.checked.isoformat(),
            "note": dict(decision.pack.note),
        },
        "time": format_time(decision.time),
        "outcome": decision.filing.value,
        "sentence": dict(decision.sentence),
        "rules": [
            {
                "id": one.rule.id,
                "state": one.state.value,
                "title": dict(one.rule.title),
                "duty": dict(one.rule.duty),
                "source": one.rule.source,
                "reason": dict(one.reason),
            }
            for one in decision.triggers
        ],
        "stage": decision.stage.value,
        "missing": list(decision.missing),
        "questions": [{"id": each, "text": dict(decision.pack.questions[each])} for each in decision.questions],
    }


def rebuttal_lines(made: Recomputed, language: str) -> list[str]:
    """Return what a rebuttal comes to as lines of text."""
    lines = [f"{_STANDING[made.standing]} {pick(say(f'standing-{made.standing.value}'), language)}"]
    for one in made.compared:
        by = "" if one.independent or not one.ours else f" ({pick(say('maker-alone'), language)})"
        lines.append(f"  {_STANDING[one.standing]} {pick(one.reason, language)}{by}")
    return lines + [f"  ? {id_}" for id_ in made.missing]


def rebuttal_document(made: Recomputed) -> dict[str, Any]:
    """Return what a rebuttal comes to as a JSON object."""
    return {
        "standing": made.standing.value,
        "missing": list(made.missing),
        "comparisons": [
            {
                **write(one.comparison),
                "standing": one.standing.value,
                "reason": dict(one.reason),
                "oursMeasured": one.ours,
                "theirsMeasured": one.theirs,
                "independent": one.independent,
            }
            for one in made.compared
        ],
    }


def estimate_document(made: Estimate) -> dict[str, Any]:
    """Return an estimate as a JSON object; whole numbers as text, since they are larger than JSON's."""
    return {
        "operations": str(made.operations),
        "interval": [str(bound) for bound in made.interval],
        "parts": {name: str(value) for name, value in made.parts},
        "assumptions": [dict(each) for each in made.assumptions],
    }


def _projected(plan: RunPlan, projection: Projection, language: str) -> Iterator[str]:
    names = ", ".join(f"{filer.name} {filer.share}" for filer in plan.filers) if len(plan.filers) > 1 else plan.speaks
    yield f"{plan.model}: {plan.start:%Y-%m-%d}, {names}"
    name = pick(say("run-operations"), language)
    yield f"  {name}: {summarise(projection)}{f' [{projection.method}]' if projection.method else ''}"
    if projection.comparison is not None:
        said = projection.comparison
        yield f"  {'✔' if said.agree else '✖'} hardware / architecture = {said.ratio}: {pick(said.reason, language)}"
    made = projection.operations
    yield from (f"    · {pick(each, language)}" for each in (made.assumptions if made else ()))
    for one in projection.measurements:
        if one.metric == "run.parameters":
            yield f"  {pick(say('run-parameters'), language)}: {shorten(int(one.value))}"
            yield f"    · {pick(say('parameters-alone'), language)}"


def _decided(decision: Decision, language: str) -> Iterator[str]:
    mark = {Filing.FILE: "■", Filing.OPEN: "?", Filing.NOTHING: "✔"}[decision.filing]
    yield ""
    yield f"{mark} {pick(decision.sentence, language)} — {pick(decision.pack.title, language)}"
    shown = [one for one in decision.triggers if one.state is not State.NOT_IN_FORCE]
    if not shown:
        yield f"  · {pick(decision.triggers[0].reason, language)}"
    for one in shown:
        state = pick(say(one.state.value), language)
        yield f"  {_MARKS[one.state]} {one.rule.id} ({state}): {pick(one.rule.title, language)}"
        yield f"      {pick(one.reason, language)}"
        if one.state is State.COVERED:
            yield f"      → {pick(one.rule.duty, language)} [{one.rule.source}]"
    if decision.stage is Stage.INCOMPLETE:
        yield f"  ? {pick(say('incomplete', missing=', '.join(decision.missing)), language)}"
    elif decision.stage is not Stage.NOT_ASKED:
        yield f"  {pick(say(decision.stage.value), language)}"
    for each in decision.questions:
        yield f"    ? {each}: {pick(decision.pack.questions[each], language)}"


def _reminded(reminders: Sequence[Reminder], language: str) -> Iterator[str]:
    if reminders:
        yield ""
    for one in reminders:
        yield f"{'!' if one.overdue else '→'} {one.due:%Y-%m-%d} {pick(one.text, language)}"


def _projection(projection: Projection) -> dict[str, Any]:
    document: dict[str, Any] = {"method": projection.method, "measurements": write(projection.measurements)}
    if projection.operations is not None:
        document["operations"] = estimate_document(projection.operations)
    if projection.hardware is not None:
        document["hardware"] = estimate_document(projection.hardware)
    if projection.comparison is not None:
        said = projection.comparison
        document["comparison"] = {"agree": said.agree, "ratio": said.ratio, "reason": dict(said.reason)}
    return document


def _reminder(one: Reminder) -> dict[str, Any]:
    return {"due": format_time(one.due), "overdue": one.overdue, "text": dict(one.text)}
