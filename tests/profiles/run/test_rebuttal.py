"""Rebuttals are compared again from the statements they cite."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallmarked.core.evidence import Attestation, Subject
from hallmarked.profiles.run.rebuttal import Recomputed, Standing, recompute
from hallmarked.records.result import Measured, Result
from hallmarked.records.run_rebuttal import Comparison, RunRebuttal
from tests.profiles.run.example import NOW, signed

THEIRS, OURS = Subject("example-org/known", {"sha256": "cd" * 32}), Subject("example-lab/new", {"sha256": "ef" * 32})


Interval = tuple[str, str]


def measured(
    subject: Subject, value: str, *, n: int = 1000, interval: Interval | None = None, role: str = "maker"
) -> Attestation:
    one = Measured(metric="eval.uplift", value=value, n=n, interval=interval or ())
    record = Result(name="uplift", measurements=(one,), how="1000 tasks", by="Example Evaluator")
    return signed(record, subject=subject, role=role)


def argued(
    ours: Attestation, theirs: Attestation, *, held: list[Attestation] | None = None, least: int = 0
) -> Recomputed:
    cited = {"ours": ours.id, "other": "example-org/known", "theirs": theirs.id}
    one = Comparison(metric="eval.uplift", relation="<=", least=least, **cited)
    said = "No more than others."
    rebuttal = RunRebuttal(plan="sha256:" + "00" * 32, by="Example Lab", argument=said, comparisons=(one,))
    return recompute(rebuttal, [ours, theirs] if held is None else held, NOW)


@given(st.decimals(0, 1, places=3), st.decimals(0, 1, places=3))
def test_the_comparison_is_made_again(ours: object, theirs: object) -> None:
    """What the argument says does not count; the two values do."""
    made = argued(measured(OURS, str(ours)), measured(THEIRS, str(theirs)))
    assert made.standing is (Standing.HOLDS if ours <= theirs else Standing.FAILS)  # type: ignore[operator]


@pytest.mark.parametrize(
    ("ours", "theirs", "standing"),
    [
        (("0.20", "0.30"), ("0.40", "0.50"), "holds"),
        (("0.20", "0.42"), ("0.40", "0.50"), "unsettled"),
        (("0.42", "0.48"), ("0.40", "0.50"), "unsettled"),
        (("0.60", "0.70"), ("0.40", "0.50"), "fails"),
    ],
)
def test_intervals_are_taken_at_the_ends_that_speak_against_it(
    ours: tuple[str, str], theirs: tuple[str, str], standing: str
) -> None:
    """Only intervals that do not meet settle a comparison."""
    made = argued(measured(OURS, ours[1], interval=ours), measured(THEIRS, theirs[0], interval=theirs))
    assert made.standing == standing


def test_missing_evidence_is_named() -> None:
    """A statement that is cited and not at hand settles nothing, and its id is listed."""
    ours, theirs = measured(OURS, "0.1"), measured(THEIRS, "0.9")
    for held, missing in (([ours], theirs), ([theirs], ours)):
        made = argued(ours, theirs, held=held)
        assert made.standing is Standing.MISSING
        assert made.missing == (missing.id,)
        assert missing.id[:23] in made.compared[0].reason["en"]


def test_evidence_about_another_model_does_not_count() -> None:
    """The other statement must be about the model that is named, and about another one than this."""
    ours = measured(OURS, "0.1")
    assert argued(ours, measured(replace(THEIRS, name="example-org/other"), "0.9")).standing is Standing.MISSING
    same = measured(Subject("example-org/known", OURS.digest), "0.9")
    assert argued(ours, same).standing is Standing.MISSING


def test_too_few_examples_settle_nothing() -> None:
    """Both sides need as many examples as the argument itself asks for."""
    few, many = measured(OURS, "0.1", n=10), measured(THEIRS, "0.9")
    assert argued(few, many, least=100).standing is Standing.UNSETTLED
    assert argued(measured(OURS, "0.1"), measured(THEIRS, "0.9", n=10), least=100).standing is Standing.UNSETTLED


def test_words_and_other_metrics_settle_nothing() -> None:
    """A value that is no number, or a metric that a statement does not have, is not compared."""
    assert argued(measured(OURS, "0.1"), measured(THEIRS, "high")).standing is Standing.UNSETTLED
    elsewhere = signed(
        Result(name="x", measurements=(Measured(metric="eval.other", value="1"),), how="h", by="b"), subject=OURS
    )
    assert argued(elsewhere, measured(THEIRS, "0.9")).standing is Standing.MISSING


def test_who_measured_is_told() -> None:
    """Ours measured by an auditor is independent; by the maker it is not."""
    theirs = measured(THEIRS, "0.9")
    assert argued(measured(OURS, "0.1", role="auditor"), theirs).compared[0].independent
    assert not argued(measured(OURS, "0.1"), theirs).compared[0].independent
