"""Decisions over everything that is stated: inheritance, order, waivers, definitions of harms, and time."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hallmarked.core.errors import InputError
from hallmarked.core.evidence import Attestation, Outcome, Statement, Subject
from hallmarked.policy.context import Context
from hallmarked.policy.decide import Decision, decide
from hallmarked.policy.fact import Facts
from hallmarked.policy.file import Policy, contexts, load
from hallmarked.policy.requirement import Outcome as Asked
from hallmarked.policy.statement import to_statement
from hallmarked.policy.table import Source

NOW = datetime(2026, 6, 1, tzinfo=UTC)
HERE, ELSEWHERE = (Subject("model", {"dirHash": letter * 64}) for letter in "ab")
RESULT = "https://in-toto.io/attestation/test-result/v0.1"
HEAD = '[context.a]\ntitle.en = "A"\nwaived_by = ["auditor"]\n'


def parse(*requirements: str, child: str = "") -> Context:
    """Make a context of some requirements, and one that extends it."""
    rows = "".join(f"[[context.a.require]]\n{one}\n" for one in requirements)
    text = HEAD + rows + (f'[context.b]\ntitle.en = "B"\nextends = ["a"]\n{child}\n' if child else "")
    return read(text)["b" if child else "a"]


def read(text: str) -> Mapping[str, Context]:
    """Read contexts without what is shipped, and without looking at which facts exist, which takes a while."""
    return load([Source(text.encode(), "f.toml")], Policy({}, {}), None).contexts


def stated(
    number: int, predicate: dict[str, Any], *, kind: str = RESULT, about: Subject = HERE, role: str = "auditor",
    days: float = 1,
) -> Attestation:  # fmt: skip
    statement = Statement((about,), kind, predicate)
    return Attestation(statement, f"sha256:{number:064x}", NOW - timedelta(days=days), role, role, role)


def recall(number: int, value: str, *, more: dict[str, Any] | None = None, **who: Any) -> Attestation:
    return stated(number, {"measurements": [{"metric": "eval.recall", "value": value, **(more or {})}]}, **who)


def waiver(number: int, *, until: str = "2026-07-01", about: Subject = HERE, role: str = "auditor") -> Attestation:
    said = {"context": "a", "requirement": "r", "by": "the board", "until": f"{until}T00:00:00Z", "reason": "trial"}
    return stated(number, said, kind="urn:hallmarked:waiver:v1", about=about, role=role)


def decided(context: Context, *attestations: Attestation, at: datetime = NOW) -> Decision:
    return decide(Facts(attestations, HERE), context, at)


RECALL = 'id = "r"\nclaim = "eval.recall"\nop = ">="\nvalue = "0.9"'


def test_a_waiver_is_shown_beside_what_it_excuses() -> None:
    """It lets the decision pass until it ends, and the outcome without it is kept."""
    found = decided(parse(RECALL), recall(1, "0.5"), waiver(2))
    (ruling,) = found.rulings
    assert (found.outcome, ruling.outcome, ruling.raw) == (Outcome.PASS, Asked.WAIVED, Asked.FAILS)
    assert found.until == datetime(2026, 7, 1, tzinfo=UTC)
    assert set(found.evidence) == {f"sha256:{number:064x}" for number in (1, 2)}
    row = to_statement(found, HERE).predicate["requirements"][0]
    assert (row["outcome"], row["raw"], row["waiver"]["by"]) == ("waived", "fails", "the board")


@pytest.mark.parametrize(
    "useless",
    [
        waiver(2, until="2026-05-01"),
        waiver(2, role="maker"),
        waiver(2, role=""),
        waiver(2, about=ELSEWHERE),
        stated(2, {"context": "a", "requirement": "r"}, kind="urn:hallmarked:waiver:v1"),
    ],
)
def test_waivers_that_do_not_count(useless: Attestation) -> None:
    """One that has ended, is by somebody who may not, about other bytes, or says too little, excuses nothing."""
    assert decided(parse(RECALL), recall(1, "0.5"), useless).outcome is Outcome.FAIL


def test_a_waiver_can_be_ended() -> None:
    """The newest word of whoever waived counts."""
    ended = replace(waiver(3, until="2026-05-20"), time=NOW)
    assert decided(parse(RECALL), recall(1, "0.5"), waiver(2), ended).outcome is Outcome.FAIL


def test_nobody_waives_unless_the_context_says_so() -> None:
    """Without ``waived_by`` no waiver counts."""
    strict = replace(parse(RECALL), waived_by=())
    assert decided(strict, recall(1, "0.5"), waiver(2)).outcome is Outcome.FAIL


def test_until_is_when_it_may_change_by_itself() -> None:
    """A decision holds until the first piece of evidence it rests on is too old; then it is another one."""
    context = parse(RECALL + '\nmax_age = "30d"')
    found = decided(context, recall(1, "0.95", days=10))
    assert found.until == NOW + timedelta(days=20)
    assert decided(context, recall(1, "0.95", days=10), at=found.until).outcome is Outcome.PASS
    later = found.until + timedelta(seconds=1)
    assert decided(context, recall(1, "0.95", days=10), at=later).outcome is Outcome.UNKNOWN


HARM = """
[harm.h]
title.en = "H"
[[harm.h.version]]
id = "1"
from = 2026-01-01
to = 2026-03-01
text.en = "first"
threshold.recall = "0.8"
[[harm.h.version]]
id = "2"
from = 2026-03-01
text.en = "second"
threshold.recall = "0.95"
"""
BY_HARM = f'{HEAD}[[context.a.require]]\nid = "r"\nclaim = "eval.recall"\nop = ">="\nharm = "h"\nthreshold = "recall"\n'


def test_a_decision_cites_the_definition_of_its_time() -> None:
    """The same evidence met the old definition and fails the new one; each decision says by which it was made."""
    context = contexts((BY_HARM + HARM).encode())["a"]
    then = datetime(2026, 2, 1, tzinfo=UTC)
    facts = Facts([recall(1, "0.9", days=200)], HERE)
    old, new = decide(facts, context, then), decide(facts, context, NOW)
    assert (old.outcome, new.outcome) == (Outcome.PASS, Outcome.FAIL)
    cited = [to_statement(each, HERE).predicate["harms"] for each in (old, new)]
    assert [(row["version"], row["text"]["en"]) for rows in cited for row in rows] == [("1", "first"), ("2", "second")]
    assert old.until == datetime(2026, 3, 1, tzinfo=UTC)
    before = decide(facts, context, datetime(2025, 1, 1, tzinfo=UTC))
    assert before.rulings[0].outcome is Asked.MISSING


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("to = 2026-03-01", "to = 2026-03-02", 19),
        ("to = 2026-03-01\n", "", 18),
        ("to = 2026-03-01", "to = 2025-03-01", 16),
        ("to = 2026-03-01", 'to = "soon"', 16),
        ('"0.8"', '"high"', 18),
        ('threshold.recall = "0.8"\n', "", 4),
    ],
)
def test_definitions_that_make_no_sense_are_refused(old: str, new: str, line: int) -> None:
    """Two versions at one time, an end before the beginning, no number: each is told with its line."""
    with pytest.raises(InputError, match=rf"^h\.toml:{line}: "):
        contexts((BY_HARM + HARM).replace(old, new, 1).encode(), "h.toml")


@pytest.mark.parametrize(
    "child",
    [
        'op = ">="\nvalue = "0.8"',
        'op = ">"\nvalue = "0.89"',
        'op = "<="\nvalue = "0.95"',
        'op = "present"',
        'op = ">="\nvalue = "0.9"\nmin_n = 10',
        'op = ">="\nvalue = "0.9"\nmin_n = 100\nmax_age = "31d"',
        'op = ">="\nvalue = "0.9"\nmin_n = 100',
        'op = ">="\nvalue = "0.9"\nmin_n = 100\nmax_age = "30d"',
        'op = ">="\nvalue = "0.9"\nmin_n = 100\nmax_age = "30d"\nby = ["maker"]',
        'op = ">="\nvalue = "0.95"\nmin_n = 100\nmax_age = "30d"\nby = ["auditor"]\nslice = "worst"',
    ],
)
def test_a_child_may_not_loosen(child: str) -> None:
    """Whatever asks for less under the same id is a mistake, told with the line of the requirement."""
    parent = RECALL + '\nmin_n = 100\nmax_age = "30d"\nby = ["third_party"]'
    row = f'[[context.b.require]]\nid = "r"\nclaim = "eval.recall"\n{child}'
    with pytest.raises(InputError, match=r"^f\.toml:\d+: b may tighten and not loosen r of a"):
        parse(parent, child=row)


def test_a_child_may_tighten() -> None:
    """It asks for more, of fewer, and more lately; what the parent asks for stays in force beside it."""
    row = 'id = "r"\nclaim = "eval.recall"\nop = ">"\nvalue = "0.95"\nmin_n = 5\nby = ["auditor"]'
    child = parse(RECALL, child=f"[[context.b.require]]\n{row}")
    assert decided(child, recall(1, "0.96", more={"n": 10})).outcome is Outcome.PASS
    assert decided(child, recall(1, "0.95", more={"n": 10})).outcome is Outcome.FAIL
    assert decided(child, recall(1, "0.96", more={"n": 10}), recall(2, "0.5", role="maker")).outcome is Outcome.FAIL


VALUES = st.decimals(0, 1, places=1).map(str)
FACTS = st.builds(
    lambda number, value, n, spread, group, role, about, days: recall(
        number,
        value,
        more={
            **({"n": n} if n else {}),
            **({"interval": [str(float(value) - spread / 10), str(float(value) + spread / 10)]} if spread else {}),
            **({"slice": {"group": group}} if group else {}),
        },
        role=role,
        about=about,
        days=days,
    ),
    st.integers(0, 2**64),
    VALUES,
    st.sampled_from([None, 5, 50]),
    st.sampled_from([0, 1, 3]),
    st.sampled_from(["", "x", "y"]),
    st.sampled_from(["maker", "auditor", "hub", ""]),
    st.sampled_from([HERE, HERE, ELSEWHERE]),
    st.integers(0, 60),
)
STATED = st.lists(FACTS, max_size=6, unique_by=(lambda one: one.id, lambda one: (one.time, one.role)))
OPERATORS = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])


@st.composite
def rows(draw: st.DrawFn) -> str:
    """Write a requirement about the recall."""
    lines = ['id = "r"', 'claim = "eval.recall"', f'op = "{draw(OPERATORS)}"', f'value = "{draw(VALUES)}"']
    lines += draw(st.sampled_from([[], ['slice = "worst"']]))
    lines += draw(st.sampled_from([[], ["min_n = 10"], ["min_n = 50"]]))
    lines += draw(st.sampled_from([[], ['max_age = "30d"'], ['max_age = "10d"']]))
    lines += draw(st.sampled_from([[], ['by = ["third_party"]'], ['by = ["auditor"]']]))
    return "\n".join(lines)


@settings(max_examples=150, deadline=None)
@given(rows(), rows(), STATED)
def test_a_child_never_passes_what_its_parent_does_not(parent: str, child: str, facts: list[Attestation]) -> None:
    """Whatever a child makes of a requirement, it is refused or at least as strict as before."""
    try:
        tighter = parse(parent, child=f"[[context.b.require]]\n{child}")
    except InputError:
        return
    if decided(tighter, *facts).outcome is Outcome.PASS:
        assert decided(parse(parent), *facts).outcome is Outcome.PASS


@settings(max_examples=150, deadline=None)
@given(rows(), STATED, FACTS)
def test_a_failing_fact_never_makes_a_pass(row: str, facts: list[Attestation], bad: Attestation) -> None:
    """Whatever is stated besides, evidence on the wrong side turns no decision into a pass."""
    context = parse(row)
    bare = parse("\n".join(row.split("\n")[:4]))
    said = bad.statement.predicate["measurements"][0]
    alone = recall(0, said["value"], about=HERE)
    if decided(bare, alone).outcome is not Outcome.FAIL or decided(context, *facts).outcome is Outcome.PASS:
        return
    assert decided(context, *facts, bad).outcome is not Outcome.PASS


@settings(max_examples=60, deadline=None)
@given(rows(), STATED, st.randoms())
def test_the_order_of_statements_does_not_matter(row: str, facts: list[Attestation], random: Any) -> None:
    """The decision is a function of what is stated, not of how it arrived."""
    context, shuffled = parse(row), list(facts)
    random.shuffle(shuffled)
    one, other = (to_statement(decided(context, *each), HERE).to_dict() for each in (facts, shuffled))
    assert json.dumps(one) == json.dumps(other)
