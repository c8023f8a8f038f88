"""Every kind of record: round trips, its JSON Schema, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hallmarked.core.evidence import Statement
from hallmarked.ledger.canonical import statement_bytes
from hallmarked.records.kind import KINDS
from hallmarked.records.record import Invalid, Record, read_all, records
from hallmarked.records.schema import describe, schema
from hallmarked.records.waiver import Waiver
from tests.records.example import SUBJECT, any_record, signed

WAIVER = {"context": "c", "requirement": "r", "by": "Acme", "until": "2026-12-31", "reason": "Because."}
each_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
SCRAP = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@each_kind
@settings(max_examples=8)
@given(data=st.data())
def test_round_trip(kind: type[Record], data: st.DataObject) -> None:
    """A record comes back from its signed bytes as it was, and the bytes fit the schema that is shipped."""
    record = data.draw(any_record(kind))
    payload = statement_bytes(record.to_statement(SUBJECT))
    statement = Statement.from_dict(json.loads(payload))
    assert kind.matches(statement)
    assert kind.of_predicate(statement.predicate) == record
    assert statement_bytes(kind.of_predicate(statement.predicate).to_statement(SUBJECT)) == payload
    jsonschema.validate(statement.predicate, json.loads(schema(kind)))
    assert record.sentence


@each_kind
def test_schema(kind: type[Record]) -> None:
    """The schema that is shipped is the one that follows from the declaration; docs/generate.py writes it."""
    assert schema(kind) == describe(kind)
    jsonschema.Draft202012Validator.check_schema(json.loads(schema(kind)))


@each_kind
@settings(max_examples=12)
@given(data=st.data())
def test_reader_and_schema_agree(kind: type[Record], data: st.DataObject) -> None:
    """Whatever is put in the place of a field, what the reader takes the schema takes too."""
    predicate: dict[str, Any] = json.loads(json.dumps(data.draw(any_record(kind)).predicate()))
    name = data.draw(st.sampled_from([*predicate, "unknown"]))
    predicate[name] = data.draw(SCRAP)
    if not jsonschema.Draft202012Validator(json.loads(schema(kind))).is_valid(predicate):
        with pytest.raises(Invalid):
            kind.of_predicate(predicate)


@each_kind
@settings(max_examples=12)
@given(said=st.dictionaries(st.text(max_size=8), SCRAP, max_size=5))
def test_anything_else_is_refused_in_one_sentence(kind: type[Record], said: dict[str, Any]) -> None:
    """What somebody sends in place of a record raises one error of ours, whatever it is."""
    for read in (kind.of, kind.of_predicate):
        with pytest.raises(Invalid) as caught:
            read(said)
        assert "\n" not in str(caught.value)


def test_all_problems_at_once() -> None:
    """Everything that is wrong with what somebody wrote is said at once, with the field."""
    with pytest.raises(Invalid) as caught:
        Waiver.of({"context": "", "requirement": 5, "by": "x" * 201, "until": "soon", "reasom": "typo"})
    assert {field for field, _ in caught.value.problems} == {
        "context", "requirement", "by", "until", "reasom", "reason",
    }  # fmt: skip


def test_a_typo_by_hand_is_a_mistake_and_a_foreign_field_is_not() -> None:
    """Whoever writes a record is told of an unknown field; whoever reads somebody else's passes over it."""
    with pytest.raises(Invalid, match="no field here"):
        Waiver.of({**WAIVER, "comment": "x"})
    predicate = {**Waiver.of(WAIVER).predicate(), "comment": "x"}
    assert Waiver.of_predicate(predicate) == Waiver.of(WAIVER)


@pytest.mark.parametrize(
    ("until", "moment"),
    [
        ("2026-12-31", "2026-12-31T23:59:59Z"),
        ("2026-12-31T08:00:00Z", "2026-12-31T08:00:00Z"),
    ],
)
def test_a_day_includes_itself(until: str, moment: str) -> None:
    """A waiver until a day holds on that day."""
    assert Waiver.of({**WAIVER, "until": until}).predicate()["until"] == moment


@pytest.mark.parametrize("until", ["2026-02-30", "31.12.2026", "2026-12-31T08:00:00", 5, None, "²⁰²⁶-12-31", "9" * 999])
def test_no_moment(until: object) -> None:
    """What is no moment is refused, also what Python would read as one."""
    with pytest.raises(Invalid, match="until"):
        Waiver.of({**WAIVER, "until": until})


def test_foreign_statements_that_cannot_be_read() -> None:
    """A statement that only says it is a waiver is passed over, and named for whoever asks."""
    good, bad = signed(Waiver.of(WAIVER)), signed(Statement((SUBJECT,), Waiver.predicate_type(), {"context": ["x"]}))
    other = signed(Statement((SUBJECT,), "urn:example:other", {}))
    assert [one.record for one in records(Waiver, [bad, other, good])] == [Waiver.of(WAIVER)]
    _, ((named, why),) = read_all(Waiver, [bad, other, good])
    assert named is bad
    assert "context must be a text" in why


def test_text_that_deceives() -> None:
    """Marks that turn the direction of writing or do not show are refused; joiners that scripts need are not."""
    for hidden in ("\u202e", "\x1b[2J", "\u2066", "\x00"):
        with pytest.raises(Invalid, match="do not show"):
            Waiver.of({**WAIVER, "reason": f"fine{hidden}"})
    assert "\u200c" in Waiver.of({**WAIVER, "reason": "می\u200cخواهم"}).reason
