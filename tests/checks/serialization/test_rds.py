"""Examining R's serialized objects."""

from __future__ import annotations

import pytest

from hallmarked.checks.serialization.contract import FileVerdict, Seen
from hallmarked.checks.serialization.rds import examine_rds
from hallmarked.core.evidence import Finding, Level
from tests.checks.serialization.examining import examine, rules, verdict
from tests.formats import r_writer as r

EXPRESSION = r.call("system", r.text("id"))


def judge(root: bytes) -> list[Seen]:
    return examine(examine_rds, r.file(root, 3))


def levels(seen: list[Seen]) -> set[Level]:
    return {item.level for item in seen if isinstance(item, Finding)}


def test_data_is_proven() -> None:
    """Data, formulas and pointers need no word."""
    frame = r.vector(r.reals(1), r.text("a"), attributes=r.pairs(("names", r.text("x", "y"))))
    formula = r.call("~", r.symbol("y"), r.symbol("x"))
    assert judge(r.vector(frame, formula, r.item(22, r.NIL, r.NIL), r.environment(("x", frame)))) == []


@pytest.mark.parametrize(
    "place", [lambda p: p, r.vector, lambda p: r.pairs(("x", p)), lambda p: r.vector(r.call("f", p))]
)
def test_promises_in_place_of_values_are_errors(place: object) -> None:
    """A promise that no ordinary program could have left there is an error."""
    assert callable(place)
    seen = judge(place(r.promise(EXPRESSION)))
    assert "RDS001" in rules(seen)
    assert Level.ERROR in levels(seen)
    assert verdict(seen) == FileVerdict.UNPROVEN


@pytest.mark.parametrize(
    ("root", "rule"),
    [
        (r.closure(r.call("{")), "RDS002"),
        (r.environment(("x", r.promise(r.call("f")))), "RDS003"),
        (EXPRESSION, "RDS004"),
        (r.item(8, r.number(6), b"system"), "RDS004"),
        (r.item(247, r.number(0, 1), r.chars("hook")), "RDS005"),
        (r.item(238, r.item(2, r.symbol("mmap_real"), r.NIL), r.NIL, r.NIL), "RDS005"),
        (r.NIL + b"more", "RDS007"),
    ],
)
def test_what_may_run_later_is_a_warning_and_a_gap(root: bytes, rule: str) -> None:
    """Functions, lazy values in environments, risky calls and foreign classes cannot be vouched for."""
    seen = judge(root)
    assert rules(seen) == [rule]
    assert levels(seen) == {Level.WARNING}
    assert verdict(seen) == FileVerdict.UNPROVEN


def test_repeated_findings_are_reported_once() -> None:
    """A file cannot flood its report."""
    seen = judge(r.vector(*[r.call("system")] * 50, *[r.closure(r.NIL)] * 50))
    assert rules(seen) == ["RDS002", "RDS004"]
    assert len([item for item in seen if isinstance(item, Finding)]) == 2


@pytest.mark.parametrize("data", [b"A\n2\n1\n", b"A\r\n2", b"RDA3\nA\n3\n"])
def test_text_forms_leave_a_gap(data: bytes) -> None:
    """The text form is reported and not followed."""
    seen = examine(examine_rds, data)
    assert (rules(seen), verdict(seen)) == (["RDS006"], FileVerdict.UNPROVEN)
