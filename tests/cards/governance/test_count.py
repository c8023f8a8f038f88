"""Counts that are recomputed from the public log."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallmarked.cards.governance.count import CONSENT, MODERATION, Counts, Tally, as_attestation
from hallmarked.core.evidence import Statement
from hallmarked.corpus.consent.receipt import to_statement
from hallmarked.policy.fact import Facts
from tests.records.example import NOW, SUBJECT

EVENTS = st.lists(
    st.tuples(
        st.integers(0, 4), st.sampled_from(["filed", "confirmed", "withdrawn", "refused", "decided", "extended"])
    ),
    max_size=40,
)
MODES = ["opt-out", "opt-in", "partial", "", "opt-out"]


def said(number: int, event: str) -> Statement:
    request = hashlib.sha256(str(number).encode()).hexdigest()
    return to_statement(event, (request, request), "1", NOW, mode=MODES[number])


def count(statements: Sequence[Statement]) -> Counts:
    tally = Tally()
    for statement in statements:
        tally.add(statement)
    return tally.counts()


@given(EVENTS)
def test_counts_follow_what_happened(events: list[tuple[int, str]]) -> None:
    """However requests come and go, those that hold are those that were confirmed and are not over."""
    state: dict[int, str] = {}
    for number, event in events:
        before = state.setdefault(number, "filed")
        if before not in {"withdrawn", "refused", "decided"} and event in {
            "confirmed",
            "withdrawn",
            "refused",
            "decided",
        }:
            state[number] = event
    found = count([said(number, event) for number, event in events])
    holding = [MODES[number] for number, event in state.items() if event == "confirmed"]
    assert found.requests == len(state)
    assert (found.opt_outs, found.opt_ins, found.partial, found.unsorted) == tuple(
        holding.count(mode) for mode in ("opt-out", "opt-in", "partial", "")
    )
    assert (found.withdrawn, found.refused, found.decided) == tuple(
        list(state.values()).count(event) for event in ("withdrawn", "refused", "decided")
    )


def test_takedowns() -> None:
    """What a hub held back, restored, and was asked to look at again is counted; other statements are not."""
    measures = ["held-back", "held-back", "restored", "appealed", "release-proposed"]
    statements = [Statement((SUBJECT,), MODERATION, {"measure": measure}) for measure in measures]
    found = count([*statements, Statement((SUBJECT,), "urn:example", {"measure": "held-back"})])
    assert (found.held_back, found.restored, found.appeals, found.requests) == (2, 1, 1, 0)


@pytest.mark.parametrize(
    "predicate",
    [{}, {"request": 5, "event": "filed"}, {"request": "x"}, {"request": "x", "event": ["filed"]}, {"measure": ["x"]}],
)
def test_strange_statements(predicate: dict[str, object]) -> None:
    """A statement that says nothing that could be counted counts nothing."""
    assert count([Statement((SUBJECT,), kind, predicate) for kind in (CONSENT, MODERATION)]) == Counts()


def test_differences_are_told() -> None:
    """Where a registry counts other than its log, the number is named with both values."""
    assert Counts(opt_outs=3).differences(Counts(opt_outs=3)) == []
    assert Counts(opt_outs=3).differences(Counts(opt_outs=1_000)) == ["opt-outs are 3 here and 1,000 there"]


def test_cards_show_counts_as_facts() -> None:
    """A card finds each count under its path, as it is at this moment."""
    facts = Facts([as_attestation(Counts(opt_outs=12), SUBJECT, NOW, "hub.example.org")], SUBJECT)
    (fact,) = facts.find("registry.opt_outs")
    assert (fact.value, fact.source.signer, fact.current) == ("12", "hub.example.org", True)
    assert {path for path in facts.paths() if path.startswith("registry.")} == {
        f"registry.{name}" for name in asdict(Counts())
    }
