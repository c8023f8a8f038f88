"""What each kind of record means."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hallmarked.policy.fact import Facts
from hallmarked.records.control import Control
from hallmarked.records.decision import Decision
from hallmarked.records.dispute import Dispute, standing
from hallmarked.records.record import Invalid, records
from hallmarked.records.result import Result
from hallmarked.records.stage import Stage
from hallmarked.records.waiver import Waiver
from hallmarked.records.withdrawal import Withdrawal, withdrawn
from tests.records.example import NOW, SUBJECT, signed

OPEN = Dispute(about="eval.recall", reason="We measured less.", by="Example Lab")
SETTLED = Dispute(about="eval.recall", reason="-", by="x", open=False, resolution="Measured again together.")
RESULT = {
    "name": "triage",
    "how": "500 records of an example hospital",
    "by": "Example Lab",
    "measurements": [{"metric": "eval.recall", "value": 0.9, "n": 500, "interval": [0.87, "0.93"]}],
}


def test_who_may_settle_a_dispute() -> None:
    """The one who opened it, a hub or an auditor settles a dispute; what the maker says is an answer."""
    opened = signed(OPEN, role="community", signer="Example Lab")
    later = NOW + timedelta(hours=1)
    (found,) = standing([opened, signed(SETTLED, role="maker", at=later)])
    assert found.open
    assert len(found.answers) == 1
    assert "answered by the maker (maker)" in found.sentence
    for one in (
        signed(SETTLED, role="community", signer="Example Lab", at=later),
        signed(SETTLED, role="hub", at=later),
        signed(SETTLED, role="auditor", at=later),
    ):
        (found,) = standing([one, opened])
        assert not found.open
        assert "settled by" in found.sentence
    (found,) = standing([opened, signed(SETTLED, role="community", signer="Somebody else", at=later)])
    assert found.open


def test_a_dispute_that_returns() -> None:
    """Whoever disputes the same thing again opens what was settled."""
    hours = [NOW + timedelta(hours=hour) for hour in range(3)]
    three = [signed(OPEN, at=hours[0]), signed(SETTLED, role="hub", at=hours[1]), signed(OPEN, at=hours[2])]
    assert [one.open for one in standing(three)] == [True]


def test_facts_know_disputes() -> None:
    """The index of facts that gates read understands a dispute as it is written here."""
    facts = Facts([signed(OPEN)], SUBJECT)
    found = facts.disputed("eval.recall")
    assert found is not None
    assert found.reason == "We measured less."
    later = NOW + timedelta(1)
    for role, settles in (("maker", True), ("hub", True), ("auditor", True), ("community", False)):
        both = [signed(OPEN), signed(SETTLED, role=role, at=later)]
        assert (Facts(both, SUBJECT).disputed("eval.recall") is None) is settles
        assert [one.open for one in standing(both)] == [not settles]


@pytest.mark.parametrize("said", [{"open": False}, {"resolution": "x"}])
def test_a_dispute_that_contradicts_itself(said: dict[str, object]) -> None:
    """A settlement says how, and an open dispute has none."""
    with pytest.raises(Invalid):
        Dispute.of({"about": "x", "reason": "y", "by": "z", **said})


def test_who_may_withdraw() -> None:
    """Only the owner's withdrawal counts, not that of an auditor or of somebody nobody knows."""
    record = Withdrawal(claim="recall", reason="Wrong test data.", by="Acme")
    assert withdrawn([signed(record)])["recall"].record == record
    assert withdrawn([signed(record, role="auditor"), signed(record, role="")]) == {}


def test_a_waiver_ends() -> None:
    """A waiver stands up to its last second."""
    waiver = Waiver.of({"context": "c", "requirement": "r", "by": "a", "until": "2026-11-21", "reason": "x"})
    assert waiver.stands(NOW + timedelta(hours=23, minutes=59, seconds=59))
    assert not waiver.stands(NOW + timedelta(days=1))


def test_a_result_is_a_fact_like_any_other() -> None:
    """What somebody measured is found by gates under its metric, with n and interval."""
    (fact,) = Facts([signed(Result.of(RESULT), role="auditor")], SUBJECT).find("eval.recall")
    assert (fact.value, fact.n, fact.interval, fact.source.role) == ("0.9", 500, ("0.87", "0.93"), "auditor")


def test_numbers_keep_their_digits() -> None:
    """A small number written by hand is kept as decimal text, not as a power of ten."""
    made = Result.of({**RESULT, "measurements": [{"metric": "eval.rate", "value": 1e-7, "interval": [0, 2e-7]}]})
    assert (made.measurements[0].value, made.measurements[0].interval) == ("0.0000001", ("0", "0.0000002"))


@pytest.mark.parametrize(
    "measured",
    [
        {"metric": "check.serialization", "value": "pass"},
        {"metric": "finding.PKL001", "value": "0"},
        {"metric": "record", "value": "present"},
        {"metric": "eval.recall", "value": "NaN"},
        {"metric": "eval.recall", "value": float("inf")},
        {"metric": "eval.recall", "value": "1", "interval": ["2", "1"]},
        {"metric": "eval.recall", "value": "1", "interval": ["1"]},
        {"metric": "eval.recall", "value": "1", "n": -1},
        {"metric": "Eval Recall", "value": "1"},
    ],
    ids=str,
)
def test_measurements_that_are_refused(measured: dict[str, object]) -> None:
    """Nobody states what checks say, numbers that are none, or intervals that are turned round."""
    with pytest.raises(Invalid, match="measurements"):
        Result.of({**RESULT, "measurements": [measured]})


def test_an_evaluation_that_measured_nothing() -> None:
    """An evaluation that measured nothing must say what it could not establish; then its result is a warning."""
    with pytest.raises(Invalid, match="measurements"):
        Result.of({**RESULT, "measurements": []})
    made = Result.of({**RESULT, "measurements": [], "gaps": ["no test data for nights"]})
    assert made.predicate()["result"] == "WARNED"
    assert [one.record for one in records(Result, [signed(made)])] == [made]


DECISION = {
    "id": "2026-gate",
    "title": "How sure the model must be",
    "options": [{"name": "0.90"}, {"name": "0.95", "cost": "More patients wait for a person."}],
    "chosen": "0.95",
    "tradeoff": "Fewer misses for longer waits, which patients bear.",
    "by": "Example Hospital",
    "time": "2026-11-21",
}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"options": [{"name": "0.95"}]}, "options"),
        ({"options": [{"name": "0.95"}, {"name": "0.95"}]}, "options"),
        ({"chosen": "0.99"}, "chosen"),
        ({"replaces": "2026-gate"}, "replaces"),
        ({"decides": [{"kind": "mood", "name": "x"}]}, "decides"),
        ({"decides": [{"kind": "gate", "name": "x", "after": "0.95"}]}, "after"),
    ],
)
def test_a_decision_is_one_between_options(change: dict[str, object], field: str) -> None:
    """A decision names the options, one of which was taken, and what it changed by digest."""
    assert Decision.of(DECISION).sentence
    with pytest.raises(Invalid, match=field):
        Decision.of({**DECISION, **change})


@pytest.mark.parametrize(
    "change",
    [
        {"since": "2026-11-22"},
        {"stage": "trained", "files": {"a.csv": "ab" * 32}},
        {"files": {"a.csv": "AB" * 32}},
        {"stage": "finished"},
        {"materials": [{"name": "x", "digest": {}}]},
        {"materials": [{"name": "x", "digest": {"sha256": 5}}]},
    ],
)
def test_stages_that_are_refused(change: dict[str, object]) -> None:
    """A stage does not begin after its end, has no files but those that were collected, and materials with digests."""
    said = {"stage": "collected", "by": "Example Team", "time": "2026-11-21", "files": {"a.csv": "ab" * 32}}
    assert Stage.of(said).sentence
    with pytest.raises(Invalid):
        Stage.of({**said, **change})


@pytest.mark.parametrize(
    "change",
    [
        {"state": "not-applicable"},
        {"state": "organisational"},
        {"state": "documented"},
        {"control": "GV-1.6-001"},
        {"control": "nist-ai-600-1#GV-1.6-001"},
    ],
)
def test_answers_to_controls(change: dict[str, object]) -> None:
    """An answer names the edition, gives a reason for what does not apply, and the place of what is documented."""
    said = {"control": "nist-ai-600-1/final-2024-07#GV-1.6-001", "state": "planned", "by": "Example Lab"}
    assert Control.of(said).framework == "nist-ai-600-1/final-2024-07"
    with pytest.raises(Invalid):
        Control.of({**said, **change})
