"""The history of a claim."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hallmarked.cards.claim import derive_claims
from hallmarked.cards.known import Edition, know
from hallmarked.cards.timeline import Event, Moment, Revision, tell
from hallmarked.core.evidence import Attestation, Subject
from tests.cards.stating import NOW, ago, card, checked, record, result

RECALL = {"id": "recall", "path": "eval.recall", "op": ">=", "value": "0.90", "max_age": "30d"}
FILES = {"README.md": card(RECALL), "weights.bin": b"1"}
HERE, SAID = checked(FILES, days=100)
THERE, AGAIN = checked(FILES | {"weights.bin": b"2"}, days=10)
PUSHES = (Revision(HERE, ago(101)), Revision(THERE, ago(11)))


def shown(moments: tuple[Moment, ...]) -> list[tuple[str, str]]:
    return [(one.event.value, one.status.value if one.status else "") for one in moments]


def test_a_history_says_what_happened_and_how_the_claim_stood() -> None:
    """Pushes, statements, age, disputes and withdrawals, each with the status from then on."""
    stated = [
        *SAID,
        result(HERE, "eval.recall", "0.93", days=90),
        *AGAIN,
        result(THERE, "eval.recall", "0.95", days=9),
        record(THERE, "dispute", days=8, role="community", about="eval.recall", reason="labels"),
        record(THERE, "dispute", days=7, role="community", about="eval.recall", reason="", open=False),
        result(THERE, "eval.recall", "0.80", days=6, role="hub"),
        record(THERE, "withdrawal", days=5, claim="recall", reason="it was wrong", by="Acme"),
    ]
    moments = tell("recall", stated, PUSHES, NOW)
    assert shown(moments) == [
        ("card", "self-asserted"),
        ("statement", "supported"),
        ("expiry", "stale"),
        ("push", "stale"),
        ("statement", "supported"),
        ("dispute", "disputed"),
        ("dispute", "supported"),
        ("statement", "contradicted"),
        ("withdrawal", "contradicted"),
    ]
    assert moments[2].time == ago(60).replace(second=1)
    assert moments[1].source is not None
    assert moments[1].said == "the auditor stated what they measured"
    assert [one.status.value for one in moments[-1].standings] == ["contradicted", "withdrawn"]


def test_a_push_is_seen_at_its_moment() -> None:
    """What was supported is stale from the push on, before anybody looked at the new bytes."""
    stated = [*SAID, result(HERE, "eval.recall", "0.93", days=20)]
    assert shown(tell("recall", stated, PUSHES, NOW)) == [
        ("card", "self-asserted"),
        ("statement", "supported"),
        ("push", "stale"),
    ]


def test_a_claim_that_was_never_made_has_no_history() -> None:
    """Other statements are no events of a claim that the card does not make."""
    assert tell("precision", [*SAID, result(HERE, "eval.recall", "0.93")], PUSHES, NOW) == ()
    assert tell("recall", [], PUSHES, NOW) == ()


def test_without_pushes_the_newest_card_counts() -> None:
    """Evidence files alone tell a history as well."""
    moments = tell("recall", [*SAID, result(HERE, "eval.recall", "0.93", days=5)], (), NOW)
    assert shown(moments) == [("card", "self-asserted"), ("statement", "supported")]


def test_checks_that_are_in_use_now_end_the_history() -> None:
    """When a check has been superseded, the last moment says so."""
    declared = {"id": "kind", "path": "card.kind", "op": "present"}
    here, said = checked({"README.md": card(declared)})
    moments = tell("kind", said, (Revision(here, ago(3)),), NOW, Edition({"documentation": "99"}))
    assert shown(moments) == [("card", "supported"), ("expiry", "stale")]


STATED = st.lists(
    st.builds(
        lambda value, role, days, about: result(about, "eval.recall", value, role=role, days=days),
        st.sampled_from(["0.93", "0.80"]),
        st.sampled_from(["maker", "auditor", "hub"]),
        st.integers(1, 95),
        st.sampled_from([HERE, THERE]),
    ),
    max_size=5,
    unique_by=lambda one: one.time,
)


@settings(max_examples=25, deadline=None)
@given(STATED, st.integers(0, 99))
def test_a_history_ends_with_how_the_claim_stands(stated: list[Attestation], days: int) -> None:
    """At any time the last moment of the history is what the card shows then, and times never go back."""
    now = ago(days)
    moments = tell("recall", [*SAID, *AGAIN, *stated], PUSHES, now)
    current: Subject = THERE if days <= 11 else HERE
    seen: list[Any] = [one for one in [*SAID, *AGAIN, *stated] if one.time <= now]
    (claim,) = [one for one in derive_claims(know(seen, current), now) if one.id == "recall"]
    assert [one.status for one in moments[-1].standings] == [one.status for one in claim.standings]
    assert [one.time for one in moments] == sorted(one.time for one in moments)
    assert all(one.event in set(Event) for one in moments)
