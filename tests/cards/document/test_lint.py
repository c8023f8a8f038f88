"""What is wrong with a card is told by line, in one sentence each."""

from __future__ import annotations

import pytest

from hallmarked.cards.document.document import read_document
from hallmarked.cards.document.lint import lint
from hallmarked.core.evidence import Level
from tests.cards.document.support import CARDS, cards

HEAD = "---\nhallmarked:\n  claims:\n"


def told(text: str) -> list[tuple[str, int | None, str]]:
    found = lint(read_document(text.encode()))
    return [(each.rule, each.location.line if each.location else None, each.message) for each in found]


@pytest.mark.parametrize(
    ("text", "rule", "line", "said"),
    [
        (f"{HEAD}    - {{id: a, path: b}}\n---\n{{{{claim c}}}}\n", "CRD007", 6, "makes no such claim"),
        (f"{HEAD}    - {{id: a, path: b}}\n---\n{{{{claim a b}}}}\n", "CRD007", 6, "cannot be read"),
        ("---\nlicense: {a: b}\n---\n", "CRD008", 2, "license should hold a text or a list of texts"),
        ("---\na: 1\ntags:\n  - {b: c}\n---\n", "CRD008", 3, "tags should hold a text or a list"),
        ("---\nmodel-index: yes it is\n---\n", "CRD008", 2, "should hold a list of groups"),
        ("---\nco2_eq_emissions: much\n---\n", "CRD008", 2, "should hold a number, or a group"),
        ("---\nextra_gated_eu_disallowed: never\n---\n", "CRD008", 2, "should hold true or false"),
        ("---\nlanguage:\n- en\n- no\n---\n", "CRD009", 4, "language.1 is no without quotes"),
        ("---\na: &x {b: 1}\nc:\n  <<: *x\n---\n", "CRD009", 4, "copies keys for some readers"),
        ("---\na: !!python/object/apply:os.system [ls]\n---\n", "CRD009", 2, "from which some readers build more"),
    ],
)
def test_each_problem_has_its_line(text: str, rule: str, line: int, said: str) -> None:
    """Each kind of slip is found once, where it is."""
    ((found, at, message),) = told(text)
    assert (found, at) == (rule, line)
    assert said in message
    assert message.startswith(f"README.md, line {line}: ")


def test_a_licence_of_ones_own_needs_a_name_and_a_place() -> None:
    """What the Hub asks for beside “license: other” is asked for here."""
    assert [row[:2] for row in told("---\nlicense: other\n---\n")] == [("CRD008", 2)] * 2
    assert told("---\nlicense: other\nlicense_name: own\nlicense_link: LICENSE\n---\n") == []


def conflict(first: str, second: str) -> bool:
    text = f"{HEAD}    - {{id: one, path: x, {first}}}\n    - {{id: two, path: x, {second}}}\n---\n"
    rules = [(rule, line) for rule, line, _ in told(text)]
    assert rules in ([], [("CRD005", 5)])
    return bool(rules)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("op: '>=', value: '0.9'", "op: '<', value: '0.8'", True),
        ("op: '>=', value: '0.9'", "op: '<=', value: '0.90'", False),
        ("op: '>', value: '0.9'", "op: '<=', value: '0.9'", True),
        ("op: '>', value: '0.9'", "op: '<', value: '0.91'", False),
        ("op: '>', value: '1'", "op: '>', value: '5'", False),
        ("op: '==', value: mit", "op: '==', value: apache-2.0", True),
        ("op: '==', value: '1.0'", "op: '==', value: 1", False),
        ("op: '==', value: mit", "op: in, value: [mit, gpl]", False),
        ("op: '==', value: bsd", "op: in, value: [mit, gpl]", True),
        ("op: in, value: [a, b]", "op: in, value: [c, b]", False),
        ("op: in, value: [a, b]", "op: in, value: [c, d]", True),
        ("op: '==', value: a", "op: '!=', value: a", True),
        ("op: '!=', value: a", "op: '!=', value: b", False),
        ("op: '!=', value: '1'", "op: '>=', value: '1'", False),
        ("op: '==', value: 7", "op: '>', value: 7", True),
        ("op: present", "op: '>', value: 7", False),
        ("op: absent, check: c", "op: present", True),
        ("op: absent, check: c", "op: absent, check: d", False),
        ("op: '>=', value: '0.9', slice: {g: w}", "op: '<', value: '0.8'", False),
        ("op: '>=', value: '0.9', min_n: 50, by: [auditor]", "op: '<', value: '0.8', max_age: 3d", True),
    ],
)
def test_claims_that_cannot_both_be_true(first: str, second: str, expected: bool) -> None:
    """Two claims about one value conflict when no value could satisfy both; order does not matter."""
    assert conflict(first, second) is expected
    assert conflict(second, first) is expected


def test_many_problems_are_cut_short() -> None:
    """Of very many problems of one kind twenty are shown, and the rest are counted."""
    found = told("---\na: 1\n---\n" + "{{claim x}}\n" * 1000)
    assert len(found) == 21
    assert any("980 more" in message for *_, message in found)


def test_very_many_claims_about_one_value() -> None:
    """Claims are compared up to a bound, and that not all were is said."""
    rows = "".join(f"    - {{id: c{number}, path: x, op: '>=', value: {number}}}\n" for number in range(200))
    ((rule, line, message),) = told(f"{HEAD}{rows}---\n")
    assert (rule, line) == ("CRD005", 2)
    assert "only 3,000 pairs were compared" in message


@CARDS
@pytest.mark.parametrize("step", [7, pytest.param(1, marks=pytest.mark.slow)])
def test_development_cards_hold_no_errors(step: int) -> None:
    """Public cards are read without an error; what is told of them are slips that the Hub would stumble over too."""
    found = [each for path in list(cards())[::step] for each in lint(read_document(path.read_bytes(), path.name))]
    assert [each for each in found if each.level is Level.ERROR] == []
    assert {each.rule for each in found} <= {"CRD008", "CRD009"}


def test_a_model_is_not_a_system() -> None:
    """A guardrail on a model card, and a system whose model has no digest, are errors by their line (R9)."""
    front = "---\nhallmarked:\n  kind: %s\n---\n# Heron\n\nIt has an input filter.\n"
    found = [each for each in lint(read_document((front % "model").encode())) if each.rule.startswith("DOC")]
    assert [(each.rule, each.level.value, each.location and each.location.line) for each in found] == [
        ("DOC010", "error", 7)
    ]
    system = (front % "system").replace("---\n#", "  components: [{kind: model, name: acme/heron}]\n---\n#")
    errors = [each for each in lint(read_document(system.encode())) if each.level.value == "error"]
    assert [each.rule for each in errors] == ["DOC011"]
