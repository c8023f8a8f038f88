"""What is not evaluated."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hallmarked.cards.claim import derive_claims
from hallmarked.cards.document.declared import Kind, Tier
from hallmarked.cards.known import Edition, know
from hallmarked.cards.matrix import Ask, Matrix, State, compare, of_claims, of_context, of_template
from hallmarked.cards.template.template import find_template
from hallmarked.core.evidence import Attestation, Subject
from hallmarked.policy.file import contexts
from hallmarked.policy.requirement import Operator, Requirement
from tests.cards.scope.test_scope import TEXT
from tests.cards.stating import NOW, card, checked, result

HERE, THERE = (Subject("heron", {"dirHash": letter * 64}) for letter in "ab")
AT_LEAST = {"op": Operator.AT_LEAST, "value": "0.90", "min_n": 100, "max_age": timedelta(days=90)}


def ask(path: str, by: str = "context x", **more: Any) -> Ask:
    return Ask(Requirement(path, path, **(AT_LEAST | more)), by)


def matrix(asks: Sequence[Ask], *stated: Attestation, **more: Any) -> Matrix:
    return compare(asks, know(stated, HERE, **more), NOW)


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ([], State.NOT_EVALUATED),
        ([result(HERE, "eval.recall", "0.95", n=500)], State.EVALUATED),
        ([result(HERE, "eval.recall", "0.50", n=500)], State.EVALUATED),
        ([result(HERE, "eval.recall", "0.95", n=50)], State.UNDERPOWERED),
        ([result(THERE, "eval.recall", "0.95", n=500)], State.STALE),
        ([result(HERE, "eval.recall", "0.95", n=500, days=100)], State.STALE),
        ([result(HERE, "eval.recall", "0.50", n=500, days=100)], State.STALE),
        ([result(HERE, "eval.recall", "0.95", n=500, role="maker")], State.NOT_EVALUATED),
        ([result(HERE, "eval.recall", "0.95", n=500, slice={"group": "women"})], State.NOT_EVALUATED),
    ],
)
def test_states(stated: list[Attestation], expected: State) -> None:
    """A cell says whether something was measured, not whether it is good."""
    (cell,) = matrix([ask("eval.recall")], *stated).cells
    assert cell.state is expected
    assert cell.reason


PATHS = st.sampled_from(["eval.recall", "eval.f1", "eval.toxicity", "eval.refusal_rate"])
SLICES = st.sampled_from([{}, {"group": "women"}, {"group": "men"}, {"language": "es"}])
ASKED = st.lists(st.tuples(PATHS, SLICES), min_size=1, max_size=8, unique_by=lambda each: (each[0], str(each[1])))


@settings(max_examples=60, deadline=None)
@given(ASKED, st.data())
def test_filling_one_gap_changes_exactly_one_cell(asked: list[tuple[str, dict[str, str]]], data: st.DataObject) -> None:
    """A new repository shows all gaps, and each measurement fills the cell it is about and no other (R41)."""
    asks = [ask(path, slice=part) for path, part in asked]
    assert set(matrix(asks).counts) == {State.NOT_EVALUATED}
    filled = data.draw(st.lists(st.sampled_from(asked), max_size=4))
    stated = [result(HERE, path, "0.95", n=500, slice=part, days=2) for path, part in filled]
    before = matrix(asks, *stated)
    gaps = [cell for cell in before.cells if cell.state is State.NOT_EVALUATED]
    if not gaps:
        return
    path, part = data.draw(st.sampled_from([(cell.path, cell.slice) for cell in gaps]))
    after = matrix(asks, *stated, result(HERE, path, "0.95", n=500, slice=part))
    changed = [new for old, new in zip(before.cells, after.cells, strict=True) if old != new]
    assert [(cell.path, cell.slice, cell.state) for cell in changed] == [(path, part, State.EVALUATED)]


def test_presence_of_a_part_does_not_fill_the_whole() -> None:
    """Asked for something at all, a part of it is not it."""
    asked = [Ask(Requirement("r", "energy.training", Operator.PRESENT), "template")]
    assert matrix(asked, result(HERE, "energy.training", "5", slice={"stage": "a"})).gaps
    assert not matrix(asked, result(HERE, "energy.training", "5")).gaps


def test_what_a_check_says_fills_the_whole_wherever_it_stands() -> None:
    """A licence is stated although the check says on which line it stands."""
    here, said = checked({"README.md": card(front="license: mit\n")})
    asked = [Ask(Requirement("field", "card.field.filled", Operator.PRESENT), "context x")]
    assert [cell.state for cell in compare(asked, know(said, here), NOW).cells] == [State.EVALUATED]


def test_the_worst_lists_the_parts_that_there_are() -> None:
    """Where all parts have to be measured, the cell names each with its own state."""
    stated = [
        result(HERE, "eval.recall", "0.95", n=500 if group == "men" else 50, slice={"group": group})
        for group in ("men", "women")
    ]
    (cell,) = matrix([ask("eval.recall", slice="worst")], *stated).cells
    assert cell.state is State.UNDERPOWERED
    assert cell.parts == (((("group", "men"),), State.EVALUATED), ((("group", "women"),), State.UNDERPOWERED))


def test_what_several_ask_for_is_one_cell() -> None:
    """In the state of whoever asks for most, and with the names of all."""
    asks = [ask("eval.recall", "context a"), ask("eval.recall", "context b", min_n=1000)]
    (cell,) = matrix(asks, result(HERE, "eval.recall", "0.95", n=500)).cells
    assert (cell.state, cell.asked_by) == (State.UNDERPOWERED, ("context a", "context b"))


def test_a_superseded_check_is_stale() -> None:
    """What an older version of a check stated has to be looked at again."""
    here, said = checked({"README.md": card()})
    asks = [Ask(Requirement("k", "card.present", Operator.EQUAL, "yes", slice={"path": "README.md"}), "x")]
    assert not compare(asks, know(said, here), NOW).gaps
    assert compare(asks, know(said, here, edition=Edition({"documentation": "99"})), NOW).counts == {State.STALE: 1}


def test_everything_that_asks() -> None:
    """Contexts, scopes, claims and templates are asked alike; a new repository shows all of their gaps."""
    claimed = card({"id": "r", "path": "eval.recall", "op": ">=", "value": "0.9"})
    here, said = checked({"README.md": claimed, "scope.yaml": TEXT})
    known = know(said, here)
    claims = derive_claims(known, NOW)
    template = find_template(Kind.MODEL, Tier.HIGH)
    asks = [*of_claims(claims), *of_template(template, claims)]
    asks += of_context(contexts()["hospital_triage"])
    found = compare(asks, known, NOW)
    named = {by.split("#")[0].split(" ")[0] for cell in found.cells for by in cell.asked_by}
    assert named == {"scope", "the", "template", "context"}
    assert {cell.path for cell in found.gaps} >= {"eval.recall", "eval.refusal_rate", "energy"}
    # The card claims a result, so that nobody has to be asked for one.
    assert "eval" not in {cell.path for cell in found.cells}
