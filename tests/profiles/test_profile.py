"""Every control has one state and one sentence, and a statement changes what rests on it and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallmarked.core.evidence import Attestation
from hallmarked.policy.fact import Facts
from hallmarked.profiles.framework import Audience
from hallmarked.profiles.profile import Profile, State, build_profile
from tests.profiles.example import HERE, NOW, answered, filled, framework, measured, statement

DISPUTE = statement("urn:hallmarked:dispute:v1", {"about": "eval.recall", "reason": "labels"}, role="community")
EXAMPLE = framework()


def profile(*stated: Attestation, audience: Audience | None = None) -> Profile:
    return build_profile(EXAMPLE, Facts(stated, HERE), NOW, audience)


def states(*stated: Attestation) -> list[State]:
    return [row.state for row in profile(*stated).rows]


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ((), State.OPEN),
        ((measured("eval.recall", "0.95"),), State.EVIDENCED),
        ((measured("eval.recall", "0.5"),), State.OPEN),
        ((filled("results"),), State.DOCUMENTED),
        ((filled("results"), measured("eval.recall", "0.95")), State.EVIDENCED),
        ((filled("results"), measured("eval.recall", "0.5")), State.OPEN),
        ((measured("eval.recall", "0.95"), DISPUTE), State.OPEN),
        ((measured("card.kind", "dataset"), measured("eval.recall", "0.95")), State.NOT_APPLICABLE),
        ((answered("A-1"),), State.DOCUMENTED),
        ((answered("A-1", "not-applicable"),), State.NOT_APPLICABLE),
        ((answered("A-1", "not-applicable"), measured("eval.recall", "0.95")), State.EVIDENCED),
        ((answered("A-1"), measured("eval.recall", "0.5")), State.OPEN),
        ((answered("A-1", edition="example/2025"),), State.OPEN),
    ],
)
def test_state(stated: Sequence[Attestation], expected: State) -> None:
    """Evidence that says otherwise is never covered by words, and words never become evidence."""
    assert profile(*stated).rows[0].state is expected


def test_organisational() -> None:
    """What only people can show is no gap, and becomes documented by a signed record, which the row names."""
    assert profile().rows[1].state is State.ORGANISATIONAL
    record = answered("A-2", text="Decided by the board in May.")
    row = profile(record).rows[1]
    assert row.state is State.DOCUMENTED
    assert row.rests_on == (record.id,)
    assert row.why["en"] == (
        "Example team says that it is documented, in a record signed by Example maker: "
        "Handbook, page 3 · Decided by the board in May."
    )


@pytest.mark.parametrize("state", ["planned", "organisational"])
def test_plans_change_no_state(state: str) -> None:
    """That something is planned, or done by people, is told beside the gap and does not close it."""
    record = answered("A-1", state, "From July on.")
    row = profile(record).rows[0]
    assert row.state is State.OPEN
    assert row.rests_on == (record.id,)
    assert "From July on." in row.why["es"]


def test_strangers_answer_nothing() -> None:
    """Statements by nobody whom this machine trusts leave every control as it was, and a gap says why."""
    strangers = [
        replace(each, role="", signer="")
        for each in (measured("eval.recall", "0.95"), answered("A-2"), filled("results"))
    ]
    assert states(*strangers) == states()
    assert "somebody whose word does not count here" in profile(*strangers).rows[0].why["en"]


def test_reasons_name_values_and_statements() -> None:
    """The sentence says what is stated, with value and number, and the row names the statement."""
    evidence = measured("eval.recall", "0.95", n=1200)
    row = profile(evidence).rows[0]
    assert row.rests_on == (evidence.id,)
    assert row.why == {
        "en": "The recall is high. Stated: eval.recall = 0.95 of 1,200.",
        "es": "La exhaustividad es alta. Consta: eval.recall = 0.95 de 1,200.",
    }


def test_audience() -> None:
    """Whoever may not see an answer is told that it is withheld and from whom it is not, and nothing of the answer."""
    shown = profile(measured("eval.recall", "0.95"), audience=Audience.PUBLIC)
    assert [row.control.id for row in shown.rows] == ["A-1", "A-2"]
    assert [(each.control.id, each.audience) for each in shown.withheld] == [
        ("B-1", (Audience.AI_OFFICE, Audience.AUTHORITY))
    ]
    assert len(profile(audience=Audience.AUTHORITY).rows) == 3


STATEMENTS = [
    measured("eval.recall", "0.95"),
    measured("eval.recall", "0.5"),
    measured("card.kind", "dataset"),
    filled("results"),
    answered("A-2"),
    answered("B-1"),
    answered("A-1", "not-applicable"),
    DISPUTE,
]


@given(st.lists(st.sampled_from(STATEMENTS), unique_by=lambda each: each.id), st.randoms())
def test_exactly_one_state(stated: list[Attestation], random: object) -> None:
    """Whatever is stated, in whatever order, every control has one state, a reason in each language, and the same."""
    made = profile(*stated)
    assert [row.control.id for row in made.rows] == ["A-1", "A-2", "B-1"]
    assert sum(made.counts.values()) == 3
    for row in made.rows:
        assert isinstance(row.state, State)
        assert all(row.why[language].strip() for language in ("en", "es"))
    random.shuffle(stated)  # type: ignore[attr-defined]
    again = profile(*stated)
    assert [(row.state, row.why) for row in again.rows] == [(row.state, row.why) for row in made.rows]


@given(st.lists(st.sampled_from(STATEMENTS[:-1]), unique_by=lambda each: each.id), st.sampled_from(STATEMENTS[:-1]))
def test_only_what_rests_on_it_changes(stated: list[Attestation], new: Attestation) -> None:
    """A new statement changes the rows that then rest on it, and those that rested on what it stands against."""
    before, after = profile(*(each for each in stated if each.id != new.id)), profile(*stated, new)
    for one, other in zip(before.rows, after.rows, strict=True):
        if (one.state, one.why) != (other.state, other.why):
            assert new.id in other.rests_on
