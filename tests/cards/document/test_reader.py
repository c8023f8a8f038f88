"""The section for machines is read strictly, and every problem names its line."""

from __future__ import annotations

import re
from dataclasses import fields
from datetime import UTC, datetime, timedelta

import pytest

from hallmarked.cards.document.declared import Declared, Kind, Tier
from hallmarked.cards.document.reader import read_declared
from hallmarked.core.evidence import Finding, Level
from hallmarked.formats.blob import Budget
from hallmarked.formats.document import read_yaml
from hallmarked.formats.position import Lines, read_places
from hallmarked.policy.fact import Facts
from hallmarked.policy.requirement import Operator, Outcome, Requirement, judge

WHOLE = """\
license: mit
hallmarked:
  kind: system
  tier: high
  claims:
    - id: recall-worst
      path: eval.recall
      op: ">="
      value: "0.90"
      slice: worst
      min_n: 200
      max_age: 90d
      by: [auditor, third_party]
      audience: [public, authority]
      text: {en: "It finds nine of ten.", es: "Encuentra nueve de diez."}
    - {id: clean, path: finding.PKL001, op: absent, check: serialization}
    - {id: licence, path: licence.id, op: in, value: [mit, 3]}
    - {id: women, path: eval.recall, op: "==", value: yes, slice: {group: women}}
  components:
    - {kind: model, name: acme/triage, digest: {gitCommit: "0123456789abcdef"}}
"""


def read(text: str) -> tuple[Declared, tuple[Finding, ...]]:
    data = read_yaml(text.encode(), Budget(len(text)))
    assert isinstance(data, dict)
    return read_declared(data, Lines(text, 2, read_places(text)))


def test_everything_is_read() -> None:
    """Claims and components come out as they are written, with the line they stand on."""
    declared, findings = read(WHOLE)
    assert findings == ()
    assert (declared.kind, declared.tier, declared.present) == (Kind.SYSTEM, Tier.HIGH, True)
    recall, clean, licence, women = declared.claims
    assert (recall.id, recall.path, recall.op, recall.value) == ("recall-worst", "eval.recall", ">=", "0.90")
    assert (recall.slice, recall.min_n, recall.max_age) == ("worst", 200, timedelta(days=90))
    assert (recall.by, recall.audience) == (("auditor", "third_party"), ("public", "authority"))
    assert recall.text["es"] == "Encuentra nueve de diez."
    assert (clean.op, clean.check, clean.value, clean.audience) == ("absent", "serialization", "", ("public",))
    assert licence.value == ("mit", "3")
    assert (women.slice, women.value) == ({"group": "women"}, "yes")
    assert [claim.line for claim in declared.claims] == [7, 17, 18, 19]
    (component,) = declared.components
    assert (component.kind, component.name, component.line) == ("model", "acme/triage", 21)
    assert declared.claim("clean") is clean
    assert declared.claim("absent") is None


def test_a_claim_is_a_requirement_of_the_one_evaluator() -> None:
    """What a claim asks of the evidence is asked in the evaluator's own words, and judged by it."""
    recall, clean, *_ = read(WHOLE)[0].claims
    asked = Requirement(*(getattr(recall, member.name) for member in fields(Requirement)))
    assert asked == Requirement(
        "recall-worst", "eval.recall", Operator.AT_LEAST, "0.90", "worst", 200, timedelta(days=90), recall.by
    )
    assert clean.check == "serialization"
    judged = judge(recall, Facts(()), datetime(2026, 1, 1, tzinfo=UTC))
    assert judged.outcome is Outcome.MISSING


def test_a_card_without_the_section_declares_nothing() -> None:
    """An ordinary card of the Hub is a card without claims, and nothing is wrong with it."""
    declared, findings = read("license: mit\n")
    assert (declared.present, declared.claims, findings) == (False, (), ())


@pytest.mark.parametrize(
    ("lines", "rule", "line", "said"),
    [
        ("  kind: robot", "CRD002", 3, "kind is “robot”; it is one of model, dataset"),
        ("  tier: 3", "CRD002", 3, "tier is “3”"),
        ("  claims: many", "CRD002", 3, "claims is “many”, not a list"),
        ("  claims:\n    - 7", "CRD002", 4, "an entry of claims is “7”"),
        ("  claims:\n    - path: a.b\n      op: present", "CRD002", 4, "the claim has no id"),
        ("  claims:\n    - id: a\n      path: a b\n      op: present", "CRD002", 5, "path is “a b”"),
        ("  claims:\n    - id: a\n      path: b\n      op: '=>'\n      value: 1", "CRD004", 6, "op is “=>”"),
        ("  claims:\n    - {id: a, path: b, op: '>=', value: high}", "CRD004", 4, "“high” is none"),
        ("  claims:\n    - {id: a, path: b, op: '>='}", "CRD004", 4, ">= compares with a value, and there is none"),
        ("  claims:\n    - {id: a, path: b, op: in, value: x}", "CRD004", 4, "a list of values"),
        ("  claims:\n    - {id: a, path: b, op: in, value: []}", "CRD004", 4, "at least one"),
        ("  claims:\n    - {id: a, path: b, op: '<', value: [1]}", "CRD004", 4, "this is a list"),
        ("  claims:\n    - {id: a, path: b, op: present, value: 1}", "CRD004", 4, "compares with no value"),
        ("  claims:\n    - {id: a, path: b, op: absent}", "CRD004", 4, "absent needs “check”"),
        ("  claims:\n    - {id: a, path: b, op: present, check: c}", "CRD004", 4, "“check” goes with absent"),
        ("  claims:\n    - {id: a, path: b, op: '==', value: 1, slice: worst}", "CRD004", 4, "the worst part"),
        ("  claims:\n    - {id: a, path: b, op: '>', value: 0.5}", "CRD002", 4, "decimals between quotes"),
        ("  claims:\n    - {id: a, path: b, op: '==', value: {c: d}}", "CRD002", 4, "a group of"),
        ("  claims:\n    - {id: a, path: b, min_n: -1}", "CRD002", 4, "min_n is “-1”"),
        ("  claims:\n    - {id: a, path: b, max_age: soon}", "CRD002", 4, "max_age is “soon”; write days"),
        ("  claims:\n    - {id: a, path: b, by: [me]}", "CRD002", 4, "by is a list; list some of maker"),
        ("  claims:\n    - {id: a, path: b, audience: all}", "CRD002", 4, "audience is “all”"),
        ("  claims:\n    - {id: a, path: b, slice: [x]}", "CRD002", 4, "slice is a list"),
        ("  claims:\n    - {id: a, path: b, text: hello}", "CRD002", 4, "text is “hello”"),
        ("  claims:\n    - {id: a, path: b, text: {en: 3}}", "CRD002", 4, "the text for en is “3”"),
        ("  claims:\n    - {id: a, path: b, text: {'?': x}}", "CRD002", 4, "no language tag"),
        ("  claims:\n    - {id: a, path: b}\n    - path: c\n      id: a", "CRD003", 6, "made twice, first on line 4"),
        ("  components: [{kind: model, name: x}]", "CRD002", 3, "only a system is made of parts"),
        ("  kind: system\n  components:\n    - {name: x}", "CRD002", 5, "a component needs “kind”"),
        ("  kind: system\n  components:\n    - kind: model", "CRD002", 5, "the name of a component is empty"),
        ("  kind: system\n  components:\n    - {kind: model, name: x, digest: {a: XY}}", "CRD002", 5, "lower-case hex"),
    ],
)
def test_problems_name_their_line(lines: str, rule: str, line: int, said: str) -> None:
    """Each problem is one sentence that names the line, and what is wrong is not passed on."""
    declared, findings = read(f"hallmarked:\n{lines}\n")
    assert [finding.rule for finding in findings] == [rule]
    (finding,) = findings
    assert finding.level is Level.ERROR
    assert finding.location
    assert finding.location.line == line
    assert finding.message.startswith(f"README.md, line {line}: ")
    assert said in finding.message
    assert "\n" not in finding.message
    assert len(declared.claims) == (1 if rule == "CRD003" else 0)
    assert declared.components == ()


def test_unknown_fields_are_told_of_and_do_no_harm() -> None:
    """What this version does not know is a warning, so that newer cards can still be read."""
    declared, findings = read("hallmarked:\n  colour: red\n  claims:\n    - {id: a, path: b, shade: dark}\n")
    assert [(finding.rule, finding.level) for finding in findings] == [("CRD006", Level.WARNING)] * 2
    assert [finding.location.line for finding in findings if finding.location] == [3, 5]
    assert [claim.id for claim in declared.claims] == ["a"]


def test_the_whole_section_of_a_wrong_type() -> None:
    """A section that is no mapping is there, and declares nothing."""
    declared, findings = read("a: 1\nhallmarked: [1]\n")
    assert declared.present
    assert [re.search(r"line (\d+)", finding.message)[1] for finding in findings] == ["3"]  # type: ignore[index]
