"""What a card declares for machines, and its scope, as the documentation check records them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hallmarked.checks.documentation.check import DocumentationCheck
from hallmarked.checks.documentation.declared import MAX_NODES, as_json
from hallmarked.core.evidence import Finding, Gap, Item, Measurement
from hallmarked.formats.blob import Budget
from hallmarked.formats.document import read_yaml
from tests.support import MemoryArtifact

CARD = """---
license: mit
hallmarked:
  kind: model
  claims:
    - id: recall-worst
      path: eval.recall
      op: ">="
      value: "0.90"
      later: {kept: [1, yes]}
    - not a claim
---
# Heron
"""


def look(**files: str) -> list[Item]:
    return list(
        DocumentationCheck().run(MemoryArtifact({name.replace("__", "."): text for name, text in files.items()}))
    )


def measured(items: list[Item], metric: str) -> list[Measurement]:
    return [item for item in items if isinstance(item, Measurement) and item.metric == metric]


def test_claims_are_recorded_word_for_word() -> None:
    """A row is kept with all its fields, those that nobody knows included, and with its line."""
    first, second = measured(look(README__md=CARD), "claim.declared")
    assert (first.value, first.slice["line"]) == ("recall-worst", "6")
    expected = {"id": "recall-worst", "path": "eval.recall", "op": ">=", "value": "0.90", "later": {"kept": [1, "yes"]}}
    assert json.loads(first.slice["row"]) == expected
    assert (second.value, second.slice["line"], second.slice["row"]) == ("", "11", '"not a claim"')


def test_the_kind_that_is_declared_counts() -> None:
    """Files and headings decide only where the card does not say what it is about."""
    (kind,) = measured(look(README__md=CARD.replace("kind: model", "kind: governance")), "card.kind")
    assert (kind.value, kind.slice["how"]) == ("governance", "declared")
    (kind,) = measured(look(README__md=CARD.replace("kind: model", "kind: toaster")), "card.kind")
    assert (kind.value, kind.slice.get("how")) == ("model", None)


def test_a_row_that_is_too_long_is_a_gap() -> None:
    """Aliases cannot make a small card say much, and nothing is left out in silence."""
    bomb = (
        "a: &a [x, x, x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b]\n"
    )
    card = f"---\n{bomb}hallmarked:\n  claims:\n    - {{id: x, more: *c, again: [*c, *c, *c]}}\n---\n# X\n"
    items = look(README__md=card)
    assert not measured(items, "claim.declared")
    assert [item.location.line for item in items if isinstance(item, Gap) and item.location] == [7]
    assert as_json([0] * MAX_NODES) is None
    assert as_json([0] * (MAX_NODES - 1)) is not None


@settings(max_examples=60, deadline=None)
@given(st.text("abc:{}[]-!&* \n\"'|>#0", max_size=120))
def test_any_section_can_be_recorded(text: str) -> None:
    """Whatever stands in the section, the check comes to its end and what it records is JSON."""
    lines = "".join(f"    {line}\n" for line in text.split("\n"))
    for item in measured(look(README__md=f"---\nhallmarked:\n  claims:\n{lines}---\n# X\n"), "claim.declared"):
        json.loads(item.slice["row"])


def test_tags_stay_recognisable() -> None:
    """A node with a tag is never recorded as if it had none."""
    document = read_yaml(b"!!python/object/apply:os.system [x]", Budget(100))
    assert json.loads(as_json(document) or "") == {
        "!tag": "tag:yaml.org,2002:python/object/apply:os.system",
        "!value": ["x"],
    }


SCOPE = """version: "2.1"
uses:
  - id: use-triage
    text: Sorting letters by urgency
floors:
  - id: floor-recall-women
    path: eval.recall
    op: ">="
    value: "0.90"
    slice: {group: women}
"""


def test_a_scope_is_recorded_with_its_digest() -> None:
    """Clauses are recorded by group with their lines; the digest says which version of the file was read."""
    items = look(README__md=CARD, scope__yaml=SCOPE)
    (digest,) = measured(items, "scope.digest")
    assert (len(digest.value), digest.slice["version"]) == (64, "2.1")
    clauses = {item.value: item.slice for item in measured(items, "scope.clause")}
    assert {name: (where["group"], where["line"]) for name, where in clauses.items()} == {
        "use-triage": ("uses", "3"),
        "floor-recall-women": ("floors", "6"),
    }


@pytest.mark.parametrize("text", ["- a list", "a: 1\na: 2", "a: *b", "!!python/name:os.system x", "\x00"])
def test_a_broken_scope_is_told_of(text: str) -> None:
    """A scope that cannot be read is a finding and a gap, never an empty scope."""
    items = look(README__md=CARD, scope__yaml=text)
    assert [item.rule for item in items if isinstance(item, Finding) and item.rule == "DOC013"] == ["DOC013"]
    assert any(isinstance(item, Gap) for item in items)
