"""What plans come to under rule packs."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from importlib.resources import files
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallmarked.core.evidence import Outcome
from hallmarked.profiles.language import pick
from hallmarked.profiles.run.decide import Filing, Stage, State, to_statement
from hallmarked.profiles.run.pack import load_pack, read_pack
from hallmarked.profiles.run.project import project
from hallmarked.profiles.run.review import remind
from hallmarked.records.run_plan import Data, Hardware, RunPlan
from hallmarked.records.schema import schema
from tests.profiles.run.example import NOW, PLAN, SUBJECT, decided, factors, with_operations

EU, US, TWO = load_pack("eu-ai-act"), load_pack("us-eo-14110"), load_pack("two-stage")
IN_FORCE = datetime(2024, 6, 1, tzinfo=UTC)


@pytest.mark.parametrize(("power", "filing"), [("0.99e25", "nothing-to-file"), ("1.2e25", "to-be-filed")])
def test_threshold_with_interval(power: str, filing: str) -> None:
    """An exact plan below the European threshold has nothing to file, one above it is to be filed."""
    plan = with_operations(power)
    # A utilisation of 1 is off by at most a tenth below, and by nothing above.
    assert decided(plan, EU).filing == filing


def test_an_interval_across_the_threshold_settles_nothing() -> None:
    """When only the estimate is above the threshold and the least is not, it cannot be told, which is no nothing."""
    made = decided(with_operations("1.05e25"), EU)
    assert made.filing is Filing.OPEN
    assert "between 9.450e24 and 1.050e25" in pick(made.reasons[0], "en")
    assert "entre" in pick(made.reasons[0], "es")


@given(st.sampled_from(["eu-ai-act", "two-stage", "us-eo-14110"]), st.integers(1, 10**16))
def test_parameters_alone_never_cover(name: str, parameters: int) -> None:
    """However many parameters a plan states, without tokens or hardware nothing is covered, and it is not cleared."""
    plan = replace(PLAN, tokens="", architecture=None, parameters=str(parameters), start=IN_FORCE)
    plan = plan if name == "us-eo-14110" else replace(plan, start=PLAN.start)
    made = decided(plan, load_pack(name))
    assert made.filing is not Filing.FILE
    assert State.COVERED not in {one.state for one in made.triggers}


def test_biology_lowers_the_threshold() -> None:
    """A run of 2e23 operations is covered when it is mostly on biological sequences, and not when it is on text."""
    for pack in (US, TWO):
        start = IN_FORCE if pack is US else PLAN.start
        plan = with_operations("2e23", start=start, factors=factors(False, False, False))
        assert decided(plan, pack).filing is Filing.NOTHING
        made = decided(replace(plan, data=Data.BIOLOGICAL), pack)
        assert [one.rule.id for one in made.triggers if one.state is State.COVERED] == ["biological"]


def test_clusters_need_rate_network_and_one_place() -> None:
    """A cluster is covered by its peak and its network in one data centre; each of the three alone is not enough."""
    plan = with_operations("1e20", start=IN_FORCE)
    assert plan.hardware is not None
    whole = Hardware(accelerator="1e15", count=100_000, network="400", centres=1)
    wrong = [replace(whole, count=99_999), replace(whole, network="100"), replace(whole, centres=2)]
    states = [
        {one.rule.id: one.state for one in decided(replace(plan, hardware=each), US).triggers}["cluster"]
        for each in (whole, *wrong, replace(whole, network=""))
    ]
    assert states == [State.COVERED, *[State.NOT_COVERED] * 3, State.UNDECIDED]


def test_rules_hold_on_the_day_the_run_begins() -> None:
    """The revoked order covers a run that began while it was in force, up to its last day, and none after."""
    for start, covered in (
        (datetime(2023, 10, 29, tzinfo=UTC), False),
        (datetime(2023, 10, 30, tzinfo=UTC), True),
        (datetime(2025, 1, 20, 23, tzinfo=UTC), True),
        (datetime(2025, 1, 21, tzinfo=UTC), False),
    ):
        made = decided(with_operations("3e26", start=start), US)
        assert (made.filing is Filing.FILE) is covered
        if not covered:
            assert {one.state for one in made.triggers} == {State.NOT_IN_FORCE}


@pytest.mark.parametrize(("cbrn", "scale", "novelty"), list(product((False, True), repeat=3)))
def test_truth_table_of_the_risk_factors(cbrn: bool, scale: bool, novelty: bool) -> None:
    """Of the eight combinations only the one without any factor ends with no further report."""
    made = decided(with_operations("3e26", factors=factors(cbrn, scale, novelty)), TWO)
    assert made.filing is Filing.FILE
    assert made.stage is (Stage.TWO if cbrn or scale or novelty else Stage.NO_FURTHER)
    assert bool(made.questions) is (made.stage is Stage.TWO)


@pytest.mark.parametrize(
    "given_", [(None, False, False), (False, None, False), (False, False, None), (None, None, None)]
)
def test_a_factor_without_an_answer_is_not_a_no(given_: tuple[bool | None, ...]) -> None:
    """Stage one stays incomplete and names what is missing."""
    made = decided(with_operations("3e26", factors=factors(*given_)), TWO)
    assert made.stage is Stage.INCOMPLETE
    names = zip(("cbrn", "scale", "novelty"), given_, strict=True)
    assert made.missing == tuple(name for name, answer in names if answer is None)


def test_context_decides_between_1e25_and_1e26() -> None:
    """The same operations are covered with a risk factor, and not without any."""
    for answers, filing in (
        (factors(False, False, False), Filing.NOTHING),
        (factors(False, True, False), Filing.FILE),
        (factors(False, None, False), Filing.OPEN),
    ):
        assert decided(with_operations("3e25", factors=answers), TWO).filing is filing


def test_stage_one_asks_nothing_of_guardrails() -> None:
    """What the first stage asks is three risk factors, in words that name no guardrail, moderation or system prompt."""
    asked = json.loads(schema(RunPlan))["properties"]["factors"]["properties"]
    assert set(asked) == {"cbrn", "scale", "novelty"}
    said = json.dumps(asked).lower()
    assert not any(word in said for word in ("guardrail", "moderation", "system prompt", "filter", "safeguard"))


def test_answered_questions_of_stage_two_are_not_asked_again() -> None:
    """Stage two asks what is not answered."""
    plan = with_operations("3e26", factors=factors(True, False, False), further={"stopping": "The board stops it."})
    made = decided(plan, TWO)
    assert "stopping" not in made.questions
    assert len(made.questions) == len(TWO.questions) - 1


def test_no_reminder_of_a_run_that_nothing_covers() -> None:
    """Nobody is reminded to file nothing; a covered run reminds the one who speaks for all."""
    small = with_operations("1e20", factors=factors(False, False, False))
    assert not list(remind(small, [decided(small, pack) for pack in (EU, TWO)], NOW))
    large = with_operations("3e26", factors=factors(False, False, False))
    (one,) = remind(large, [decided(large, TWO)], NOW)
    assert one.due == large.start
    assert pick(one.text, "en").startswith("Example Lab: file")
    assert not one.overdue


def test_swapping_the_pack_changes_the_verdict_and_its_digest() -> None:
    """A threshold that is moved in a file decides otherwise, under another digest, without other code."""
    text = (files("hallmarked.profiles.run") / "pack" / "eu-ai-act.toml").read_text("utf-8")
    stricter = read_pack(text.replace('"1e25"', '"1e23"').encode(), "stricter.toml")
    plan = with_operations("2e23")
    before, after = decided(plan, EU), decided(plan, stricter)
    assert (before.filing, after.filing) == (Filing.NOTHING, Filing.FILE)
    assert before.pack.digest != after.pack.digest
    said = to_statement([before, after], SUBJECT, [("run-plan", "sha256:" + "cd" * 32)]).predicate
    assert [each["outcome"] for each in said["decisions"]] == ["nothing-to-file", "to-be-filed"]
    assert [each["digest"]["sha256"] for each in said["verifier"]["policies"]] == [
        before.pack.digest,
        after.pack.digest,
    ]
    assert said["timeCreated"] == "2026-11-21T09:00:00Z"
    assert said["outcome"] not in set(Outcome)


def test_projection_takes_the_better_source_and_says_when_two_disagree() -> None:
    """Architecture goes before hardware; when the two do not meet, the interval covers both."""
    hardware = Hardware(accelerator="h100-sxm", count=512, hours="400", utilisation="0.4")
    alone = project(PLAN)
    assert alone.method == "architecture"
    wrong = project(replace(PLAN, hardware=replace(hardware, count=51_200)))
    assert wrong.comparison is not None
    assert not wrong.comparison.agree
    assert wrong.operations is not None
    assert alone.operations is not None
    assert wrong.hardware is not None
    assert wrong.operations.interval == (alone.operations.interval[0], wrong.hardware.interval[1])
    thumb = project(replace(PLAN, architecture=None, parameters="7000000000"))
    assert (thumb.method, thumb.operations and thumb.operations.operations) == ("rule-of-thumb", 84 * 10**21)
    assert project(replace(PLAN, tokens="", architecture=None)).operations is None
