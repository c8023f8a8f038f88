"""A gate fails on findings, and never takes unknown for a pass."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from hallmarked.checks.runner import Result
from hallmarked.core.errors import InputError
from hallmarked.core.evidence import Finding, Gap, Level, Outcome, Statement, Subject
from hallmarked.policy.context import Context, contexts, decide, to_statement

SUBJECT = Subject("m", {"sha256": "00" * 32})
CONTEXT = Context("test", "Test", Level.WARNING, ("a",), ("tolerated",))
WARNING, NOTE = Finding("TST001", Level.WARNING, "w"), Finding("TST002", Level.NOTE, "n")


def check(name: str, *findings: Finding, gaps: int = 0) -> Statement:
    result = Result(name, "1", findings=list(findings), gaps=[Gap("why")] * gaps)
    return result.to_statement(SUBJECT, "00")


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
    verdict = decide(statements, CONTEXT)
    assert verdict.outcome is outcome
    assert bool(verdict.reasons) == (outcome is not Outcome.PASS)


def test_adjusted() -> None:
    """The caller may move the threshold and accept what is unknown, and the policy's digest then differs."""
    lenient = CONTEXT.adjusted(fail_on=Level.ERROR, allow_unknown=True)
    statements = [check("a", WARNING, gaps=1)]
    assert decide(statements, lenient).outcome is Outcome.PASS
    assert decide(statements, lenient).policy != decide(statements, CONTEXT).policy


def test_a_missing_check_stays_unknown_whatever_is_accepted() -> None:
    """Accepting what a check could not establish does not accept that it never ran."""
    assert decide([], CONTEXT.adjusted(allow_unknown=True)).outcome is Outcome.UNKNOWN


def test_decision_is_a_statement() -> None:
    """A decision names its policy by digest, and lists a property only when everything was met."""
    time = datetime(2026, 1, 2, tzinfo=UTC)
    passed = to_statement(decide([check("a")], CONTEXT), SUBJECT, time).predicate
    failed = to_statement(decide([check("a", WARNING)], CONTEXT), SUBJECT, time).predicate
    assert passed["properties"] == ["HALLMARKED_TEST"]
    assert passed["timeCreated"] == "2026-01-02T00:00:00Z"
    assert failed["properties"] == []
    assert failed["verifier"]["policies"][0]["digest"] == passed["verifier"]["policies"][0]["digest"]


def test_shipped_contexts() -> None:
    """The contexts that come with the package can be read."""
    assert {"default", "publication"} <= contexts().keys()


@pytest.mark.parametrize("data", [b"", b"\xff", b"contexts = 1", b"[contexts.a]\ntitle = 'x'", b"[contexts]\na = 1"])
def test_bad_files(data: bytes) -> None:
    """A file that does not hold contexts is refused in one sentence."""
    with pytest.raises(InputError):
        contexts(data)
