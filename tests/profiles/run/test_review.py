"""Where planned runs stand: in time or late, changed, and what is due."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallmarked.core.errors import InputError
from hallmarked.core.evidence import Attestation, Statement, Subject
from hallmarked.profiles.language import pick
from hallmarked.profiles.run.decide import Decision, Filing, to_statement
from hallmarked.profiles.run.pack import Pack, load_pack
from hallmarked.profiles.run.render import review_document, review_lines
from hallmarked.profiles.run.review import Review, Timing, review
from hallmarked.records.result import Measured
from hallmarked.records.run_deviation import Change, RunDeviation
from hallmarked.records.run_plan import Filer, RunPlan
from hallmarked.records.stage import Stage, Step
from tests.profiles.run.example import NOW, SUBJECT, day, decided, factors, signed, with_operations

EU, TWO = load_pack("eu-ai-act"), load_pack("two-stage")
LARGE = with_operations("3e26", factors=factors(False, False, False))


def only(held: list[Attestation], *packs: Pack) -> Review:
    (one,) = review(held, packs or (EU,), day(30))
    return one


def began(plan: Attestation, on: float, **how: object) -> Attestation:
    record = RunDeviation(plan=plan.id, by="Example Lab", reason="began", began=day(0) + timedelta(days=on))
    return signed(record, day(int(on) + 2), **how)  # type: ignore[arg-type]


def decision(plan: Attestation, *made: Decision, key: str = "k1") -> Attestation:
    return signed(to_statement(made, SUBJECT, [("run-plan", plan.id)]), made[0].time, key=key)


@given(st.integers(-1000, 1000), st.integers(-1000, 1000), st.integers(0, 1000))
def test_late_is_after_the_first_step(logged: int, first: int, later: int) -> None:
    """A plan is late exactly when it was logged after the earliest first step that is stated, in whatever order."""
    plan = signed(LARGE, day(logged))
    steps = [began(plan, first), began(plan, first + later)]
    for held in ([plan, *steps], [*reversed(steps), plan]):
        found = only(held)
        assert found.began == day(first)
        assert found.is_late is (logged > first)
        assert found.timing is (Timing.LATE if logged > first else Timing.IN_TIME)


def test_late_by_its_own_plan() -> None:
    """Without a stated first step the day that is planned counts; before it a plan is in time."""
    assert only([signed(LARGE, day(1))]).timing is Timing.LATE_PLAN
    found = only([signed(LARGE, day(-1))])
    assert found.timing is Timing.NOT_BEGUN
    assert not found.is_late


def test_strangers_do_not_make_a_plan_late() -> None:
    """Only who filed, or somebody who is trusted, says when training began."""
    plan = signed(LARGE, day(-1))
    assert not only([plan, began(plan, -5, role="", key="somebody")]).is_late
    assert only([plan, began(plan, -5, role="", key="k1")]).is_late
    assert only([plan, began(plan, -5, role="auditor", key="a")]).is_late


def test_logging_again_does_not_move_the_first_time() -> None:
    """The same plan logged twice counts from the first time, and once."""
    first, again = signed(LARGE, day(-3)), signed(LARGE, day(9))
    found = only([again, first])
    assert found.plan.source.time == day(-3)


def test_deviations_of_other_plans_are_not_mixed_in() -> None:
    """What is stated of one plan changes nothing about another."""
    one, other = signed(LARGE, day(-3)), signed(replace(LARGE, model="example-lab/other"), day(-2))
    found = review([one, other, began(other, -5)], (EU,), day(0))
    assert [(each.plan.record.model, each.is_late) for each in found] == [
        ("example-lab/new", False),
        ("example-lab/other", True),
    ]


def test_a_deviation_changes_what_the_run_comes_to() -> None:
    """What was counted takes the place of what was projected, and the old verdict stays beside the new one."""
    plan = signed(LARGE, day(-3))
    old = decision(plan, decided(LARGE, EU))
    counted = Measured(metric="run.operations", value="1" + "0" * 23, unit="operations")
    less = RunDeviation(plan=plan.id, by="Example Lab", reason="stopped early", ended=day(20), measurements=(counted,))
    found = only([plan, old, signed(less, day(21))])
    assert found.decisions[0].filing is Filing.NOTHING
    assert found.now.operations is not None
    assert found.now.operations.operations == 10**23
    assert found.projection.operations is not None
    assert found.projection.operations.operations > 10**26
    assert [one.filing for one in found.earlier] == ["to-be-filed"]
    assert found.earlier[0].digest == EU.digest
    assert found.changed == ("eu-ai-act",)


def test_old_verdicts_keep_their_pack_and_day() -> None:
    """Verdicts signed under other packs or days are all kept, oldest first."""
    plan = signed(LARGE, day(-9))
    old = replace(EU, digest="e" * 64)
    held = [plan, decision(plan, decided(LARGE, EU, day(-2))), decision(plan, decided(LARGE, old, day(-5)))]
    assert [(one.digest, one.time) for one in only(held).earlier] == [("e" * 64, day(-5)), (EU.digest, day(-2))]


def test_answers_that_come_later_are_not_asked_for_again() -> None:
    """An answer to stage two that a deviation brings is taken."""
    risky = with_operations("3e26", factors=factors(True, False, False))
    plan = signed(risky, day(-9))
    asked = only([plan], TWO).decisions[0].questions
    change = Change(field=f"further.{asked[0]}", planned="not stated", now="By an example laboratory, each month.")
    answer = signed(RunDeviation(plan=plan.id, by="Example Lab", reason="answers", changes=(change,)), day(-8))
    assert only([plan, answer], TWO).decisions[0].questions == asked[1:]


def test_reminders_end_when_it_is_said() -> None:
    """After the planned start the first step is asked for, until it is stated; so is the end."""
    plan = signed(replace(LARGE, end=day(10)), day(-3))
    texts = [pick(one.text, "en") for one in only([plan]).reminders]
    assert len(texts) == 2
    assert "first training step" in texts[0]
    ended = RunDeviation(plan=plan.id, by="Example Lab", reason="ended", began=day(0), ended=day(9))
    assert only([plan, signed(ended, day(11))]).reminders == ()
    assert all(one.overdue for one in only([plan]).reminders)


def test_coalition_speaks_through_its_delegate() -> None:
    """Several who file together are reminded through the one they named."""
    filers = (
        Filer(name="University A", contact="a@example.org", share="0.25", tasks=("data",)),
        Filer(name="Institute B", contact="b@example.org", share="0.75", tasks=("training",)),
    )
    found = only([signed(replace(LARGE, filers=filers, delegate="University A"), day(-3))])
    assert pick(found.reminders[0].text, "es").startswith("University A: declarar")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"filers": ()}, "filers"),
        ({"filers": (Filer(name="A", contact="a", share="0.5"),)}, "filers"),
        ({"filers": tuple(Filer(name=n, contact="c", share="0.5") for n in "AB")}, "delegate"),
        ({"filers": tuple(Filer(name="A", contact="c", share="0.5") for _ in "AB"), "delegate": "A"}, "filers"),
        ({"end": NOW}, "end"),
        ({"delegate": "nobody"}, "delegate"),
    ],
)
def test_plans_that_contradict_themselves(changes: dict[str, object], field: str) -> None:
    """Shares are 1 together, one of several speaks for all, and the end comes after the start."""
    plan: RunPlan = replace(LARGE, **changes)  # type: ignore[arg-type]
    assert field in {name for name, _ in plan.problems()}


SCRAP = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(
    st.sampled_from(sorted(LARGE.predicate())), SCRAP, st.sampled_from(["plan", "by", "reason", "measurements"]), SCRAP
)
def test_whatever_others_state_nothing_breaks(field: str, value: object, other: str, wrong: object) -> None:
    """A plan or deviation in which anything stands is read, passed over, or refused in one sentence."""
    plan = signed(LARGE, day(-3))
    strange = Statement((SUBJECT,), RunPlan.predicate_type(), {**LARGE.predicate(), field: value})
    said = {"plan": plan.id, "by": "x", "reason": "y", "began": "2026-12-16T00:00:00Z", other: wrong}
    deviation = Statement((SUBJECT,), RunDeviation.predicate_type(), said)
    held = [
        plan,
        *(Attestation(one, f"sha256:{at}", day(at), "maker", "", "k1") for at, one in enumerate((strange, deviation))),
    ]
    try:
        found = review(held, (EU, TWO), day(30))
    except InputError as error:
        assert "\n" not in str(error)  # noqa: PT017 -- either is right
        return
    assert plan.id in {one.plan.source.id for one in found}
    for one in found:
        assert review_lines(one, "es")
        assert review_document(one)


@pytest.mark.parametrize("value", ["many", "-5", "NaN", "1e9999"])
def test_nonsense_does_not_clear_a_run(value: str) -> None:
    """A number of operations that is none is passed over; the run is judged by what was planned."""
    plan = signed(LARGE, day(-3))
    nonsense = (Measured(metric="run.operations", value=value),)
    wrong = RunDeviation(plan=plan.id, by="x", reason="y", began=day(0), measurements=nonsense)
    found = only([plan, signed(wrong, day(1))])
    assert found.decisions[0].filing is Filing.FILE
    assert found.now.operations == found.projection.operations


def test_a_stage_that_names_the_plan_says_when_training_began() -> None:
    """A signed record of the stage trained, with the plan among what went in, counts as the first step."""
    plan = signed(LARGE, day(-3))
    model = Subject("example-lab/new", {"dirHash": "ef" * 32})
    stage = Stage(stage=Step.TRAINED, by="Example Lab", since=day(-20), time=day(5), materials=(SUBJECT,))
    assert only([plan, signed(stage, day(6), subject=model)]).is_late
    other = replace(stage, materials=(Subject("other", {"sha256": "00" * 32}),))
    assert not only([plan, signed(other, day(6), subject=model)]).is_late
