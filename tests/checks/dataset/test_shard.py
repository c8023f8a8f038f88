"""Files of one folder that look like pieces of one table are compared."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("pyarrow", reason="tables are read with the extra data")

from hallmarked.checks.dataset.shard import tell_shards
from hallmarked.checks.runner import Result, run
from hallmarked.checks.table import TableCheck
from hallmarked.core.evidence import Outcome
from tests.support import MemoryArtifact


def rows(*given: dict[str, object]) -> str:
    """Write rows as JSON Lines."""
    return "".join(json.dumps(row) + "\n" for row in given)


def said(result: Result) -> dict[str, list[str]]:
    """Return the messages of findings by rule."""
    found: dict[str, list[str]] = {}
    for finding in result.findings:
        found.setdefault(finding.rule, []).append(finding.message)
    return found


def test_a_column_that_some_shards_lack_is_named_with_them() -> None:
    """Both the column and the files without it are told; rows are counted all the same."""
    files = {f"data/{n}.jsonl": rows({"text": "a b", "label": 1}) for n in range(4)}
    files |= {f"data/{n}.jsonl": rows({"text": "a b"}) for n in range(4, 6)}
    files["data/6.csv"] = "text,label\na,x\n"
    result = run(TableCheck(), MemoryArtifact(files))
    found = said(result)
    assert found["TAB006"] == ["Column 'label' is missing in 2 of 7 files: data/4.jsonl, data/5.jsonl"]
    assert found["TAB007"] == ["Column 'label' is of the kind text in 1 of 7 files: data/6.csv, elsewhere integer"]
    assert [m.value for m in result.measurements if m.metric == "rows.total" and not m.slice] == ["7"]


def test_other_tables_are_not_compared() -> None:
    """A table of labels beside one of texts is another table, and folders are apart."""
    texts = {"train.jsonl": rows({"id": 1, "text": "a", "url": "b"}), "labels.jsonl": rows({"id": 1, "name": "a"})}
    assert not said(run(TableCheck(), MemoryArtifact(texts))).keys() & {"TAB006", "TAB007"}
    apart = {"a/x.jsonl": rows({"a": 1, "b": 2}), "b/x.jsonl": rows({"a": "1"})}
    assert not said(run(TableCheck(), MemoryArtifact(apart))).keys() & {"TAB006", "TAB007"}


def test_many_columns_are_not_told_one_by_one() -> None:
    """Past fifty columns the rest is counted, and past five files their names are."""
    wide = {f"c{n:03}": "text" for n in range(200)}
    shapes = {f"{n}": wide for n in range(10)} | {f"x{n}": dict(list(wide.items())[:120]) for n in range(9)}
    found = list(tell_shards(shapes))
    assert len(found) == 51
    assert found[0].message == "Column 'c120' is missing in 9 of 19 files: x0, x1, x2, x3, x4 and 4 more"
    assert found[-1].message == "30 more columns differ between files"
    assert list(tell_shards({})) == []


@pytest.mark.parametrize(("encoding", "shown"), [("latin-1", "Windows-1252"), ("utf-16", "UTF-16")])
def test_other_encodings_are_said_and_read(encoding: str, shown: str) -> None:
    """A table that is not UTF-8 is a finding; its rows count, and nothing stays unknown for it."""
    text = "name,n\n" + "".join(f"{'å' if n >= 3 else 'a'},{n}\n" for n in range(5))
    files = {"a.csv": text.encode(encoding)}
    result = run(TableCheck(), MemoryArtifact(files))
    row = 4 if encoding == "latin-1" else 1
    message = f"a.csv: bytes that are not UTF-8 were read as {shown}, from row {row} on"
    assert said(result)["TAB008"] == [message]
    assert "TAB001" not in said(result)
    assert result.outcome is Outcome.PASS


def test_rows_around_what_is_broken_are_counted() -> None:
    """Broken files of several formats in one data set: each is named, the rest is counted, and the whole is unknown."""
    good = rows({"text": "a", "n": 1}) * 50
    files: dict[str, bytes | str] = {
        "a.jsonl": good,
        "b.jsonl": good + "{broken\n" + good,
        "c.parquet": b"PAR1 nothing",
        "d.jsonl.zst": b"(\xb5/\xfd broken",
        "e.json": '[{"text": "a", "n": 1}, {"text": "b", "n":',
    }
    result = run(TableCheck(), MemoryArtifact(files))
    assert result.outcome is Outcome.UNKNOWN
    counted = {m.slice.get("path", ""): m.value for m in result.measurements if m.metric == "rows.total"}
    assert counted == {
        "": "151", "a.jsonl": "50", "b.jsonl": "100", "c.parquet": "0", "d.jsonl.zst": "0", "e.json": "1",
    }  # fmt: skip
    assert [m.value for m in result.measurements if m.metric == "rows.unread"] == ["1"]
    assert {gap.location.path for gap in result.gaps if gap.location} == {
        "b.jsonl",
        "c.parquet",
        "d.jsonl.zst",
        "e.json",
    }
    assert any("b.jsonl: row 51: the row is not JSON" in message for message in said(result)["TAB001"])
