"""Statements that try to count for more than they are."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hallmarked.core.evidence import Attestation, Level, Statement, Subject
from hallmarked.core.evidence import Outcome as Overall
from hallmarked.policy.context import Context
from hallmarked.policy.decide import decide
from hallmarked.policy.fact import Facts
from hallmarked.policy.requirement import WORST, Operator, Outcome, Requirement, judge

NOW = datetime(2026, 6, 1, tzinfo=UTC)
HERE, THERE = (Subject("model", {"dirHash": letter * 64}) for letter in "ab")
ABSENT = Requirement("no-malware", "finding.MAL001", Operator.ABSENT, by=("trusted",), check="malware")


def stated(predicate: dict[str, Any], kind: str = "", **more: Any) -> Attestation:
    """Sign something; by default an hour ago, by an auditor, about the bytes here."""
    about, role = more.get("about", HERE), more.get("role", "auditor")
    statement = Statement((about,), kind or "https://in-toto.io/attestation/test-result/v0.1", predicate)
    time = NOW - more.get("age", timedelta(hours=1))
    return Attestation(statement, f"sha256:{hash(str(statement)):x}", time, role, role.title(), more.get("key", role))


def check(name: str, outcome: str = "pass", **more: Any) -> Attestation:
    """Say what a check came to."""
    rows = {"gaps": [{"reason": "too large"}]} if outcome == "unknown" else {}
    return stated({"configuration": [{"name": f"hallmarked/checks/{name}"}], "outcome": outcome, **rows}, **more)


def result(metric: str, value: str, **more: Any) -> Attestation:
    """Say what an evaluation measured."""
    row = {"metric": metric, "value": value, **more.pop("row", {})}
    return stated({"configuration": [{"name": "hallmarked/evaluations/x"}], "measurements": [row]}, **more)


def outcome(asked: Requirement, *attestations: Attestation) -> Outcome:
    return judge(asked, Facts(attestations, HERE), NOW).outcome


@pytest.mark.parametrize("metric", ["check.malware.finished", "check.malware", "finding.MAL001", "card.license"])
def test_nobody_measures_what_follows_from_other_statements(metric: str) -> None:
    """An evaluation that measures the outcome of a check is not that check, and not a finding either."""
    assert Facts([result(metric, "yes")], HERE).find(metric) == []
    assert outcome(ABSENT, result(metric, "yes")) is Outcome.MISSING


@pytest.mark.parametrize(("who", "values"), [("maker", []), ("auditor", []), ("hub", ["12"])])
def test_only_who_keeps_a_registry_counts_it(who: str, values: list[str]) -> None:
    """Neither an evaluation nor what calls itself a check states how many opted out."""
    row = {"measurements": [{"metric": "registry.opt_outs", "value": "12"}]}
    named = {"configuration": [{"name": "hallmarked/checks/registry"}], "outcome": "pass"}
    for predicate in (row, row | named):
        found = Facts([stated(predicate, role=who)], HERE).find("registry.opt_outs")
        assert [fact.value for fact in found] == values


@pytest.mark.parametrize("name", ["a.errors", "a.finished", "a b", "", "a" * 65, "a\x1b[2J"])
def test_a_check_of_an_impossible_name_is_none(name: str) -> None:
    """Names that run into the paths of another check mean nothing, and a gate comes to its usual end."""
    context = Context("test", {"en": "Test"}, Level.ERROR, ("a",), ())
    facts = Facts([check("a"), check(name, "fail", role="community")], HERE)
    assert facts.checks() == ["a"]
    assert decide(facts, context, NOW).outcome is Overall.PASS


@pytest.mark.parametrize(("who", "expected"), [("maker", Outcome.MISSING), ("auditor", Outcome.MET)])
def test_a_maker_does_not_finish_a_check_for_a_hub(who: str, expected: Outcome) -> None:
    """Where a hub looked and could not see everything, the same check of the maker does not make up for it."""
    looked = check("malware", "unknown", role="hub")
    assert outcome(ABSENT, looked, check("malware", role=who)) is expected
    assert outcome(ABSENT, check("malware", role=who)) is Outcome.MET


def test_evidence_of_the_future_is_none() -> None:
    """What a log dates after the moment that is judged does not stay fresh until then."""
    asked = Requirement("r", "eval.recall", Operator.AT_LEAST, "0.9", max_age=timedelta(days=30))
    assert outcome(asked, result("eval.recall", "0.95", age=timedelta(days=-400))) is Outcome.STALE
    assert outcome(asked, result("eval.recall", "0.95", age=timedelta(minutes=-4))) is Outcome.MET


def test_a_stranger_adds_no_worst_part() -> None:
    """A part that only somebody unknown speaks of holds nothing up; one the maker speaks of does."""
    asked = Requirement("r", "eval.recall", Operator.AT_LEAST, "0.9", slice=WORST, by=("auditor",))
    good = result("eval.recall", "0.95", row={"slice": {"group": "women"}})
    bad = {"slice": {"group": "nobody"}}
    assert outcome(asked, good, result("eval.recall", "0.1", row=bad, role="", key="k")) is Outcome.MET
    assert outcome(asked, good, result("eval.recall", "0.1", row=bad, role="maker")) is Outcome.WRONG_ATTESTER
    assert outcome(asked, result("eval.recall", "0.99", row=bad, role="", key="k")) is Outcome.WRONG_ATTESTER


def test_a_dispute_is_not_settled_by_what_is_about_something_else() -> None:
    """An auditor who settled a dispute about another model did not settle the one about this model."""
    asked = Requirement("r", "eval.recall", Operator.AT_LEAST, "0.9")

    def dispute(*, open_: bool, about: Subject = HERE, role: str = "community", hours: int = 5) -> Attestation:
        said = {"about": "eval.recall", "reason": "labels", "open": open_}
        return stated(said, "urn:hallmarked:dispute:v1", about=about, role=role, age=timedelta(hours=hours))

    good, contested = result("eval.recall", "0.95"), dispute(open_=True)
    assert outcome(asked, good, contested, dispute(open_=False, about=THERE, role="auditor", hours=1)) is (
        Outcome.DISPUTED
    )
    assert outcome(asked, good, contested, dispute(open_=False, role="auditor", hours=1)) is Outcome.MET
    older = dispute(open_=True, about=THERE)
    assert outcome(asked, good, older, dispute(open_=False, about=THERE, role="auditor", hours=1)) is Outcome.MET


def test_chance_does_not_choose_between_two_statements_of_one_moment() -> None:
    """Of two results that one signer stated in one second neither is the later one, and the worse counts."""
    asked = Requirement("r", "eval.recall", Operator.AT_LEAST, "0.9")
    for number in range(8):
        good, bad = result("eval.recall", f"0.9{number}"), result("eval.recall", f"0.1{number}")
        assert outcome(asked, good, bad) is outcome(asked, bad, good) is Outcome.FAILS
        assert outcome(asked, bad, replace(good, time=good.time + timedelta(seconds=1))) is Outcome.MET


@pytest.mark.parametrize(
    "value", ["\u0660.\u0669\u0665", "\uff10.\uff19\uff15", "0_1", "0x1", "1e1000", "NaN", "-Infinity", "True"]
)
def test_numbers_in_other_scripts_are_none(value: str) -> None:
    """A number is written as machines write it, so that everybody who reads it reads the same."""
    assert outcome(Requirement("r", "eval.recall", Operator.AT_LEAST, "0.9"), result("eval.recall", value)) is (
        Outcome.FAILS
    )
