"""The check for personal data: what it counts, and that it never tells a value."""

from __future__ import annotations

import io
import json
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hallmarked.checks.personal.check import PersonalCheck
from hallmarked.checks.runner import Result, run
from hallmarked.core.check import Learned
from hallmarked.core.evidence import Level, Outcome
from tests.support import MemoryArtifact

pytest.importorskip("pyarrow", reason="tables are read with the extra data")
pytest.importorskip("phonenumbers", reason="telephone numbers need the extra data")

MAIL = "jane.roe@mail.example.org"
PHONE = "+44 7700 900123"
CARD = "4000 0566 5566 5556"
TOKEN = "hf_" + "aB3xK9mQ2vL7pR4tY8wZ1nC6dF5gH0jS2e"


def rows(*found: dict[str, object]) -> str:
    """Write rows as JSON Lines."""
    return "".join(json.dumps(row) + "\n" for row in found)


def checked(files: dict[str, bytes | str]) -> Result:
    """Run the check, which must not break."""
    result = run(PersonalCheck(), MemoryArtifact(files))
    assert not result.broke
    return result


def measured(result: Result) -> dict[tuple[str, ...], str]:
    """Return values by metric and slice."""
    return {(item.metric, *item.slice.values()): item.value for item in result.measurements}


def test_kinds_are_counted_by_file_column_and_row() -> None:
    """Counts of values and of rows are told for all, and for each file and column."""
    one = rows({"text": f"write to {MAIL} or {MAIL}"}, {"text": "nothing"}, {"text": "call", "phone": PHONE})
    result = checked({"a.jsonl": one, "b.jsonl": rows({"chat": [{"said": f"my card is {CARD}"}]})})
    found = measured(result)
    assert found["personal.rows",] == "3"
    assert found["personal.rows", "email"] == "1"
    assert found["personal.found", "email"] == "2"
    assert found["personal.found", "phone", "a.jsonl", "phone"] == "1"
    assert found["personal.found", "payment-card", "b.jsonl", "chat.said"] == "1"
    assert "person-name" in found["personal.kinds.missing",]
    message = next(finding.message for finding in result.findings if finding.data["kind"] == "email")
    assert message == "a.jsonl holds 2 e-mail addresses in 1 of 3 rows, column 'text'"


def test_findings_show_rows_and_masks_only() -> None:
    """A sample says its row and what a person needs to see of which kind it is; no value is told anywhere."""
    text = rows({"text": "none"}, {"text": f"{MAIL} {PHONE} {CARD} {TOKEN}"})
    result = checked({"a.jsonl": text})
    samples = {finding.data["kind"]: finding.data["sample_1"] for finding in result.findings}
    assert samples["email"] == "row 2: j***@***.org"
    assert samples["payment-card"] == "row 2: 4*** **** **** ****"
    told = str(result)
    for value in (MAIL, "jane", "roe", PHONE, "900123", CARD, "5566", TOKEN, TOKEN[3:12]):
        assert value not in told


def test_secrets_are_errors_and_addresses_of_machines_are_notes() -> None:
    """How much a kind matters shows in the level."""
    result = checked({"a.jsonl": rows({"text": f"{TOKEN} at 198.51.100.23"})})
    levels = {finding.data["kind"]: finding.level for finding in result.findings}
    assert levels == {"credential": Level.ERROR, "ip-address": Level.NOTE}


def test_rows_that_cannot_be_read_make_it_unknown() -> None:
    """Where rows are missing, what was not found says nothing; rows after them keep their numbers."""
    result = checked({"a.jsonl": "broken\n" + rows({"text": MAIL})})
    assert result.outcome is not Outcome.PASS
    assert result.findings[0].data["sample_1"].startswith("row 2: ")
    assert result.gaps


def test_numbers_are_looked_at_when_the_column_says_so() -> None:
    """A whole number in a column of telephone numbers is one; elsewhere it is a number."""
    result = checked({"a.jsonl": rows({"phone_number": 2025550143, "count": 2025550143})})
    assert [finding.data["column"] for finding in result.findings] == ["phone_number"]


def test_a_group_that_is_affected_more_is_told() -> None:
    """Groups that dataset.toml names are compared; one in which much more is found is a finding."""
    many = [{"text": f"hello {MAIL}" if n < 30 else "hello", "dialect": "islands"} for n in range(60)]
    few = [{"text": f"hello {MAIL}" if n < 20 else "hello", "dialect": "capital"} for n in range(200)]
    files = {"dataset.toml": '[columns]\ngroup = ["dialect"]\n', "a.jsonl": rows(*many, *few)}
    result = checked(files)
    assert [f.data["value"] for f in result.findings if f.rule == "PER005"] == ["islands"]
    found = measured(result)
    assert found["personal.share", "dialect", "islands"] == "0.500000"
    assert found["personal.times", "dialect", "islands"] == "5.000"


@settings(max_examples=15, deadline=None)
@given(st.lists(st.sampled_from(["nothing", MAIL, f"{PHONE} {MAIL}", CARD]), min_size=1, max_size=30), st.data())
def test_the_result_does_not_depend_on_how_tables_are_cut(texts: list[str], data: st.DataObject) -> None:
    """Tallies of the pieces of a table, in their order, say what one pass says."""
    lines = [rows({"text": text}).encode() for text in texts]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(lines)), max_size=4)))
    artifact, check = MemoryArtifact({"a.jsonl": b"".join(lines)}), PersonalCheck()
    learned = []
    for first, last in zip([0, *cuts], [*cuts, len(lines)], strict=True):
        start, stop = (sum(map(len, lines[:place])) for place in (first, last))
        part = {"path": "a.jsonl", "start": start, "stop": stop, "bytes": stop - start, "groups": []}
        state = check.learn(artifact, part)
        learned.append(Learned(part, partial(io.BytesIO, state), len(state)))
    assert list(check.conclude(artifact, learned)) == list(check.run(artifact))
