"""What a plan comes to under a rule pack: to be filed, nothing to file, or not to be told, each with its reasons.

Rules are held against what the plan says by the comparison every gate uses, so that a number with an interval covers a
run only by its lower bound, and clears it only by its upper one. The rules of the day count on which training begins.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from hallmarked.core.evidence import Statement, Subject
from hallmarked.ledger.strict import format_time
from hallmarked.policy.fact import Facts
from hallmarked.policy.requirement import Judged, Outcome, Requirement, decimal, judge
from hallmarked.profiles.language import Text, join, pick
from hallmarked.profiles.run.pack import FACTORS, Pack, Rule
from hallmarked.profiles.run.project import Projection, shorten
from hallmarked.profiles.run.sentence import say
from hallmarked.records.run_plan import RunPlan

DECISION_TYPE = "https://in-toto.io/attestation/svr/v0.2"
VERIFIER = "urn:hallmarked:run-rules"


class State(StrEnum):
    """What a rule comes to."""

    COVERED = "covered"
    UNDECIDED = "undecided"
    NOT_COVERED = "not-covered"
    NOT_IN_FORCE = "not-in-force"


class Filing(StrEnum):
    """What a pack comes to."""

    FILE = "to-be-filed"
    OPEN = "cannot-be-told"
    NOTHING = "nothing-to-file"


class Stage(StrEnum):
    """Where the notification in two stages stands."""

    NOT_ASKED = "not-asked"
    """Nothing is to be filed, or the pack has no stages."""
    INCOMPLETE = "incomplete"
    NO_FURTHER = "no-further-report"
    TWO = "stage-two"


@dataclass(frozen=True, slots=True)
class Trigger:
    """One rule held against a plan."""

    rule: Rule
    state: State
    reason: Text
    """What decided, in one sentence."""
    judged: tuple[Judged, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """What a pack comes to for a plan."""

    pack: Pack
    time: datetime
    """When it was decided."""
    filing: Filing
    triggers: tuple[Trigger, ...]
    stage: Stage
    missing: tuple[str, ...] = ()
    """Risk factors that stage one asks and the plan does not answer."""
    questions: tuple[str, ...] = ()
    """What stage two asks and the plan does not answer, by id."""

    @property
    def reasons(self) -> tuple[Text, ...]:
        """Why, with the rules that decided in front; each rule's title and what decided."""
        order = list(State)
        shown = sorted(self.triggers, key=lambda one: order.index(one.state))
        return tuple(join([one.rule.title, one.reason], ": ") for one in shown)

    @property
    def sentence(self) -> Text:
        """The verdict as a sentence."""
        return say(self.filing.value)


def decide(plan: RunPlan, facts: Facts, pack: Pack, time: datetime) -> Decision:
    """Say what a plan comes to under a pack.

    Args:
        plan: What is planned.
        facts: What it comes to, from :func:`hallmarked.profiles.run.project.facts_of`.
        pack: The rules.
        time: When it is decided.
    """
    triggers = tuple(_trigger(rule, plan, facts, time) for rule in pack.rules)
    states = {one.state for one in triggers}
    filing = Filing.FILE if State.COVERED in states else Filing.OPEN if State.UNDECIDED in states else Filing.NOTHING
    if filing is Filing.NOTHING or not pack.stages:
        return Decision(pack, time, filing, triggers, Stage.NOT_ASKED)
    answers = answers_of(facts)
    if missing := tuple(name for name in FACTORS if answers[name] is None):
        return Decision(pack, time, filing, triggers, Stage.INCOMPLETE, missing)
    stage = Stage(pack.stages[tuple(bool(answers[name]) for name in FACTORS)])
    asked = tuple(each for each in pack.questions if each not in plan.further) if stage is Stage.TWO else ()
    return Decision(pack, time, filing, triggers, stage, (), asked)


def answers_of(facts: Facts) -> Mapping[str, bool | None]:
    """Return the answers to the risk factors; None where there is none, which is not a no."""
    found = {name: facts.find(f"context.{name}") for name in FACTORS}
    return {name: said[-1].value == "yes" if said else None for name, said in found.items()}


def to_statement(decisions: Sequence[Decision], subject: Subject, rests_on: Sequence[tuple[str, str]]) -> Statement:
    """Write decisions as a Simple Verification Result that names each pack by its digest.

    Args:
        decisions: What each pack came to, at one time.
        subject: What the plan is about.
        rests_on: Name and id of each statement it rests on.
    """
    order = [Filing.FILE, Filing.OPEN, Filing.NOTHING]
    predicate: dict[str, Any] = {
        "verifier": {"id": VERIFIER, "policies": [_policy(one.pack) for one in decisions]},
        "timeCreated": format_time(decisions[0].time.astimezone(UTC).replace(microsecond=0)),
        "properties": [],
        "outcome": min((one.filing for one in decisions), key=order.index).value,
        "decisions": [
            {
                **_policy(one.pack),
                "outcome": one.filing.value,
                "stage": one.stage.value,
                "reasons": [pick(reason, "en") for reason in one.reasons],
            }
            for one in decisions
        ],
        "inputAttestations": [
            {"name": name, "digest": {"sha256": id_.removeprefix("sha256:")}} for name, id_ in rests_on
        ],
    }
    return Statement((subject,), DECISION_TYPE, predicate)


def _policy(pack: Pack) -> dict[str, Any]:
    return {"name": pack.id, "digest": {"sha256": pack.digest}}


def _trigger(rule: Rule, plan: RunPlan, facts: Facts, time: datetime) -> Trigger:
    if not rule.holds_on(plan.start.date()):
        return Trigger(rule, State.NOT_IN_FORCE, say("out-of-force", day=f"{plan.start:%Y-%m-%d}"))
    all_ = [judge(one, facts, time) for one in rule.when]
    any_ = [judge(one, facts, time) for one in rule.any]
    state = _join(all_, any_)
    shown = [one for one in (*all_, *any_) if _state(one) is state] or [*all_, *any_]
    return Trigger(rule, state, join([explain(one) for one in shown]), (*all_, *any_))


def _join(all_: Sequence[Judged], any_: Sequence[Judged]) -> State:
    states, others = {_state(one) for one in all_}, {_state(one) for one in any_}
    if any_:
        states.add(
            State.COVERED
            if State.COVERED in others
            else State.UNDECIDED
            if State.UNDECIDED in others
            else State.NOT_COVERED
        )
    for decisive in (State.NOT_COVERED, State.UNDECIDED):
        if decisive in states:
            return decisive
    return State.COVERED


def _state(judged: Judged) -> State:
    if judged.outcome is Outcome.MET:
        return State.COVERED
    return State.NOT_COVERED if judged.outcome is Outcome.FAILS else State.UNDECIDED


def explain(judged: Judged) -> Text:
    """Say what one condition came to, in every language."""
    asked, name = judged.requirement, name_of(judged.requirement.path)
    if not judged.facts:
        return say("unsaid", name=name)
    fact = judged.facts[0]
    if judged.outcome is Outcome.UNDERPOWERED and fact.interval is not None:
        return say(
            "spans", name=name, low=_number(fact.interval[0]), high=_number(fact.interval[1]), asked=_asked(asked)
        )
    key = "met" if judged.outcome is Outcome.MET else "met-not"
    return say(
        key, name=name, value=_number(fact.value), asked=say(f"asked-{asked.op.name.lower()}", value=_asked(asked))
    )


def name_of(path: str) -> Text:
    """Return what a path is called in front of people."""
    return say(path.replace(".", "-"))


def summarise(projection: Projection) -> str:
    """Return projected operations with their interval, shortened; a dash when they are not known."""
    made = projection.operations
    if made is None:
        return "—"
    return f"{shorten(made.operations)} ({shorten(made.interval[0])} – {shorten(made.interval[1])})"


def _asked(requirement: Requirement) -> str:
    return requirement.value if isinstance(requirement.value, str) else ", ".join(requirement.value)


def _number(text: str) -> str:
    value = decimal(text)
    return text if value is None else shorten(value)
