"""A gate fails on findings, and never takes unknown for a pass."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from hallmarked.audit.attested import of_own
from hallmarked.checks.runner import Result
from hallmarked.core.evidence import Finding, Gap, Level, Outcome, Statement, Subject
from hallmarked.policy.context import Context
from hallmarked.policy.decide import Decision, decide
from hallmarked.policy.fact import Facts
from hallmarked.policy.file import contexts
from hallmarked.policy.statement import to_statement

NOW = datetime(2026, 1, 2, tzinfo=UTC)
SUBJECT = Subject("m", {"sha256": "00" * 32})
CONTEXT = Context("test", {"en": "Test"}, Level.WARNING, ("a",), ("tolerated",))
WARNING, NOTE = Finding("TST001", Level.WARNING, "w"), Finding("TST002", Level.NOTE, "n")


def check(name: str, *findings: Finding, gaps: int = 0) -> Statement:
    result = Result(name, "1", findings=list(findings), gaps=[Gap("why")] * gaps)
    return result.to_statement(SUBJECT, "00")


def decided(statements: Sequence[Statement], context: Context = CONTEXT, role: str = "maker") -> Decision:
    return decide(Facts(of_own(statements, NOW, role), SUBJECT), context, NOW)


@pytest.mark.parametrize(
    ("statements", "outcome"),
    [
        ([check("a")], Outcome.PASS),
        ([check("a", NOTE)], Outcome.PASS),
        ([check("a", WARNING)], Outcome.FAIL),
        ([], Outcome.UNKNOWN),
        ([check("b")], Outcome.UNKNOWN),
        ([check("a", gaps=1)], Outcome.UNKNOWN),
        ([check("a"), check("tolerated", gaps=1)], Outcome.PASS),
        ([check("a"), check("tolerated", WARNING, gaps=1)], Outcome.FAIL),
        ([check("a", gaps=1), check("b", WARNING)], Outcome.FAIL),
    ],
)
def test_decide(statements: list[Statement], outcome: Outcome) -> None:
    """Findings at the threshold fail, missing or unknown checks leave it open, known errors come first."""
    decision = decided(statements)
    assert decision.outcome is outcome
    assert bool(decision.reasons) == (outcome is not Outcome.PASS)


def test_reasons() -> None:
    """Each check that stands in the way is named with why, what fails in front."""
    gap = check("b", gaps=1)
    found = decided([gap, check("c", WARNING, WARNING)])
    assert found.reasons == (
        "c: 2 findings of level warning or higher",
        f"b: {gap.predicate['reason']}",
        "a: did not run",
    )


def test_the_word_of_strangers_does_not_count() -> None:
    """A check that nobody we know ran did not run; its findings fail nothing either."""
    assert decided([check("a")], role="").outcome is Outcome.UNKNOWN
    assert decided([check("a", WARNING)], role="").outcome is Outcome.UNKNOWN


def test_adjusted() -> None:
    """The caller may move the threshold and accept what is unknown, and the policy's digest then differs."""
    lenient = CONTEXT.adjusted(fail_on=Level.ERROR, allow_unknown=True)
    statements = [check("a", WARNING, gaps=1)]
    accepted = decided(statements, lenient)
    assert accepted.outcome is Outcome.PASS
    assert "which this context accepts" in accepted.rulings[0].judged.reason
    assert decided(statements, lenient).verdict.policy != decided(statements).verdict.policy


def test_a_missing_check_stays_unknown_whatever_is_accepted() -> None:
    """Accepting what a check could not establish does not accept that it never ran."""
    assert decided([], CONTEXT.adjusted(allow_unknown=True)).outcome is Outcome.UNKNOWN


def test_decision_is_a_statement() -> None:
    """A decision names its policy by digest, and lists a property only when everything was met."""
    passed = to_statement(decided([check("a")]), SUBJECT).predicate
    failed = to_statement(decided([check("a", WARNING)]), SUBJECT).predicate
    assert passed["properties"] == ["HALLMARKED_TEST"]
    assert passed["timeCreated"] == "2026-01-02T00:00:00Z"
    assert failed["properties"] == []
    assert failed["verifier"]["policies"][0]["digest"] == passed["verifier"]["policies"][0]["digest"]


def test_shipped_contexts() -> None:
    """The contexts that come with the package can be read."""
    assert {"default", "publication"} <= contexts().keys()
