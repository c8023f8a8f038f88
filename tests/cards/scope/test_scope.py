"""A scope as data: read strictly, held against evidence, and run by who has nothing but the file."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hallmarked.cards.claim import derive_claims
from hallmarked.cards.known import know
from hallmarked.cards.scope.assertion import run, to_assertions
from hallmarked.cards.scope.reader import read_scope
from hallmarked.cards.scope.scope import Scope
from hallmarked.cards.scope.standing import deviations, stand
from hallmarked.core.errors import FormatError
from hallmarked.core.evidence import Attestation, Subject
from hallmarked.formats.blob import Budget
from hallmarked.formats.document import read_yaml
from hallmarked.policy.requirement import Operator
from tests.cards.stating import NOW, card, checked, record, result

TEXT = """version: "1.2"
uses:
  - {id: use-triage, text: Sorting letters by urgency}
users:
  - {id: user-clerks, text: {en: Trained clerks, es: Personal formado}}
languages:
  - {id: lang-en, language: en}
inputs:
  - {id: input-text, modality: text, limit: {tokens: 512}}
out_of_scope:
  - {id: out-medical, text: Medical advice, prompts: ["What should I take?"]}
refusals:
  - id: refuse-names
    text: Names nobody
    path: eval.refusal_rate
    op: ">="
    value: "0.99"
floors:
  - id: floor-recall-women
    path: eval.recall
    op: ">="
    value: "0.90"
    slice: {group: women}
    min_n: 200
    max_age: 180d
"""
WOMEN = {"slice": {"group": "women"}, "n": 500}
SCHEMA = json.loads(files("hallmarked.cards.scope").joinpath("scope.v1.schema.json").read_text("utf-8"))


def scope(text: str = TEXT) -> Scope:
    found, findings = read_scope(text.encode())
    assert findings == ()
    return found


def world(*more: Any) -> tuple[Subject, list[Attestation]]:
    here, said = checked({"README.md": card(), "scope.yaml": TEXT})
    return here, [*said, *(one(here) for one in more)]


def test_every_clause_has_an_id_and_a_line() -> None:
    """Clauses can be pointed to; the digest names the version of the file."""
    found = scope()
    assert [clause.reference for clause in found.clauses] == [
        "scope#use-triage",
        "scope#user-clerks",
        "scope#lang-en",
        "scope#input-text",
        "scope#out-medical",
        "scope#refuse-names",
        "scope#floor-recall-women",
    ]
    floor = found.clause("scope#floor-recall-women")
    assert floor is not None
    assert floor.requirement is not None
    assert (floor.line, floor.requirement.op, floor.requirement.min_n) == (19, Operator.AT_LEAST, 200)
    assert (found.version, len(found.digest)) == ("1.2", 64)
    assert scope(TEXT + "\n").digest != found.digest


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ('version: "1.2"\n', "", 1, "needs a version"),
        ("id: use-triage, ", "", 3, "needs an id"),
        ("id: user-clerks", "id: use-triage", 5, "twice, first on line 3"),
        ("language: en}", "language: 7}", 7, "needs its tag"),
        ("modality: text", "modality: smell", 9, "one of text, image"),
        ("tokens: 512", "tokens: many", 9, "whole number"),
        ('["What should I take?"]', "[1]", 11, "a prompt is a text"),
        ("    text: Names nobody\n", "", 13, "needs “text”"),
        ('value: "0.90"', "value: 0.90", 22, "between quotes"),
        ('value: "0.90"', "value: high", 22, "compares numbers"),
        ('    op: ">="\n    value: "0.90"\n', "", 19, "needs “op”"),
        ("min_n: 200", "min_n: -1", 24, "min_n"),
        ("floors:\n", "floors: none\nrest:\n", 18, "no list"),
        ("uses:\n", "uzes: []\nuses:\n", 2, "not known"),
        ("  - {id: lang-en, language: en}", "  - en", 7, "“key: value” lines"),
    ],
)
def test_problems_are_told_of_by_line(old: str, new: str, line: int, words: str) -> None:
    """One sentence with the line for each problem; the clauses without one are read all the same."""
    assert old in TEXT
    found, findings = read_scope(TEXT.replace(old, new, 1).encode())
    said = [(each.location.line if each.location else 0, each.message) for each in findings]
    assert [(at, text) for at, text in said if at == line and words in text], said
    assert len(found.clauses) >= 5


@pytest.mark.parametrize("text", ["", "- a", "a: 1\na: 2", "a: &a [*a]", "\x00", "? [a]\n: b"])
def test_what_is_no_scope_is_refused(text: str) -> None:
    """Anything that is not one YAML mapping is refused as a whole."""
    with pytest.raises(FormatError):
        read_scope(text.encode())


@settings(max_examples=150, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text("ab:>=-. ", max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["id", "text", "floors", "uses", "path", "op", "value", "slice", "limit", "version"]),
                inner,
                max_size=5,
            )
        ),
        max_leaves=20,
    )
)
def test_any_document_is_read_or_refused(document: object) -> None:
    """Reading ends with clauses and findings, or one error; a file without a finding fits the schema, and else not."""
    data = json.dumps(document).encode()
    try:
        found, findings = read_scope(data)
    except FormatError:
        return
    to_assertions(found)
    fits = jsonschema.Draft202012Validator(SCHEMA).is_valid(read_yaml(data, Budget(len(data))))
    if not findings:
        assert fits


def test_a_scope_fits_its_schema() -> None:
    """The JSON Schema that is shipped takes what the reader takes."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.Draft202012Validator(SCHEMA).validate(read_yaml(TEXT.encode(), Budget(10_000)))
    wrong = TEXT.replace("id: floor-recall-women", "id: ''")
    assert not jsonschema.Draft202012Validator(SCHEMA).is_valid(read_yaml(wrong.encode(), Budget(10_000)))


@pytest.mark.parametrize(
    ("value", "more", "status", "deviates"),
    [
        ("0.87", {"interval": ["0.86", "0.88"]}, "contradicted", True),
        ("0.895", {"interval": ["0.875", "0.915"]}, "unknown", False),
        ("0.50", {"n": 50}, "unknown", False),
        ("0.93", {"interval": ["0.91", "0.95"]}, "supported", False),
        ("0.93", {"days": 200}, "stale", False),
        ("0.87", {"slice": {"group": "men"}}, "self-asserted", False),
    ],
)
def test_a_floor_that_is_not_kept_is_a_deviation(value: str, more: dict[str, Any], status: str, deviates: bool) -> None:
    """Only valid evidence wholly on the wrong side is one; what settles nothing is told of as that (R68)."""
    here, stated = world(lambda here: result(here, "eval.recall", value, **(WOMEN | more)))
    known = know(stated, here)
    stood = stand(scope(), known, NOW)
    found = list(deviations(scope(), stood))
    assert [one.status.value for one in stood if one.clause.group == "floors"] == [status]
    assert [finding.data["clause"] for finding in found] == ["scope#floor-recall-women"] * deviates
    claim = next(claim for claim in derive_claims(known, NOW) if claim.id == "scope#floor-recall-women")
    assert claim.status.value == status


def test_a_dispute_does_not_hide_a_deviation() -> None:
    """Who is contested cannot take a deviation away by contesting the evidence; both are shown."""
    here, stated = world(
        lambda here: result(here, "eval.recall", "0.5", **WOMEN),
        lambda here: record(here, "dispute", about="scope#floor-recall-women", reason="labels"),
    )
    (floor,) = [one for one in stand(scope(), know(stated, here), NOW) if one.clause.group == "floors"]
    assert floor.deviates
    assert {one.status.value for one in floor.standings} == {"contradicted", "disputed"}


def test_who_has_only_the_file_can_run_it() -> None:
    """Everything an evaluator needs is in the assertions, and results can be held against the file alone (R8)."""
    made = to_assertions(scope())
    by_clause = {one["clause"]: one for one in made["assertions"]}
    assert made["scope"] == {"version": "1.2", "digest": {"sha256": scope().digest}}
    assert by_clause["scope#floor-recall-women"] == {
        "clause": "scope#floor-recall-women",
        "kind": "floor",
        "measure": {"metric": "eval.recall", "slice": {"group": "women"}, "min_n": 200, "max_age_days": 180},
        "assert": {"op": ">=", "value": "0.90"},
    }
    assert by_clause["scope#out-medical"]["prompts"] == ["What should I take?"]
    assert by_clause["scope#input-text"]["input"] == {"modality": "text", "limit": {"tokens": 512}}
    measured = [{"metric": "eval.recall", "value": "0.87", "n": 500, "slice": {"group": "women"}}]
    assert [one.clause.id for one in run(scope(), measured) if one.deviates] == ["floor-recall-women"]
    assert not [one for one in run(scope(), []) if one.deviates]


@given(st.decimals(0, 1, places=3), st.decimals(0, 1, places=3))
def test_assertions_say_what_the_evaluator_judges(value: Any, floor: Any) -> None:
    """An evaluator of their own, with nothing but the assertions, comes to the same answer."""
    found = scope(TEXT.replace('value: "0.90"', f'value: "{floor}"'))
    asked = next(one for one in to_assertions(found)["assertions"] if one["kind"] == "floor")
    held = float(value) >= float(asked["assert"]["value"])
    row = {"metric": asked["measure"]["metric"], "value": str(value), "n": 500, "slice": asked["measure"]["slice"]}
    (stood,) = [one for one in run(found, [row]) if one.clause.group == "floors"]
    assert stood.deviates is not held
