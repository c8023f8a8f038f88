"""Rows in which an identifier stands: all of them, and nobody else's."""

import json

import pyarrow as pa
import pytest

from hallmarked.core.errors import FormatError, InputError
from hallmarked.corpus.consent.rows import find_rows, pattern_of, read_found
from tests.support import MemoryArtifact

ROWS = [
    {"text": "write to Ann@Example.org.", "n": 1},
    {"text": "write to joann@example.org", "n": 2},
    {"text": "ann@example.org.uk is somebody else", "n": 3},
    {"text": "nothing", "n": 4, "more": {"to": ["x", "ann@example.org, bob"]}},
    {"text": "ann@example.organic", "n": 5},
    {"text": "(ann@example.org)", "n": 6},
]


def find(data: bytes, *identifiers: str) -> tuple[dict[str, object], list[dict[str, object]]]:
    artifact = MemoryArtifact({"rows.jsonl": data})
    counts, rows = read_found(find_rows(artifact, {"path": "rows.jsonl"}, {"identifiers": list(identifiers)}))
    return counts, [json.loads(line) for line in rows.splitlines()]


def test_every_row_with_the_identifier_is_found_and_no_other() -> None:
    """Whatever its case, also inside of lists and objects; not where it is part of a longer one."""
    data = "\n".join(json.dumps(row) for row in ROWS).encode()
    counts, rows = find(data, "ann@example.org")
    assert [row["row"] for row in rows] == [1, 4, 6]
    assert rows[1]["columns"] == ["more.to"]
    assert rows[0]["values"]["text"] == ROWS[0]["text"]
    assert (counts["rows"], counts["found"], counts["unread"], counts["cut"]) == (6, 3, 0, False)


def test_rows_keep_their_numbers_behind_unreadable_ones() -> None:
    """A row that cannot be read is counted, and those below it are named as they stand in the file."""
    data = b'{"text": "x"}\nnot json\n{"text": "Ann Bell\\t lives here"}\n'
    counts, rows = find(data, "ann bell")
    assert [row["row"] for row in rows] == [3]
    assert counts["unread"] == 1


@pytest.mark.parametrize("identifiers", [[], ["ab"], ["  a  b "]])
def test_what_stands_everywhere_is_not_searched_for(identifiers: list[str]) -> None:
    """Too short an identifier would give out rows of others."""
    with pytest.raises(InputError):
        pattern_of(identifiers)


def test_an_identifier_is_no_pattern() -> None:
    """Its characters stand for themselves."""
    counts, _ = find(b'{"text": "a.*b and axxb"}\n{"text": "axxb"}\n', "a.*b")
    assert counts["found"] == 1


def test_values_without_a_form_in_json_are_described() -> None:
    """Bytes are given by their number."""
    sink = pa.BufferOutputStream()
    batch = pa.RecordBatch.from_pylist([{"who": "ann bell", "picture": b"12345"}])
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    artifact = MemoryArtifact({"rows.arrow": sink.getvalue().to_pybytes()})
    _, rows = read_found(find_rows(artifact, {"path": "rows.arrow"}, {"identifiers": ["ann bell"]}))
    assert json.loads(rows)["values"]["picture"] == "5 bytes"


def test_what_is_no_result_is_refused() -> None:
    """A state that a process made up is not taken for one."""
    for data in (b"", b"[]\n", b'{"path": 1}\n'):
        with pytest.raises(FormatError):
            read_found(data)
