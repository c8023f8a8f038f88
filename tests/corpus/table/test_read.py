"""Rows of files: all that can be read are, and what cannot is told with its place."""

from __future__ import annotations

import bz2
import contextlib
import csv
import gzip
import io
import json
import lzma

import pytest
from hypothesis import given
from hypothesis import strategies as st

pa = pytest.importorskip("pyarrow", reason="tables are read with the extra data")
import pyarrow.parquet as pq  # noqa: E402 -- only with the extra

from hallmarked.core.errors import FormatError  # noqa: E402
from hallmarked.corpus.table import line, model  # noqa: E402
from hallmarked.corpus.table import parquet as parquet_file  # noqa: E402
from hallmarked.corpus.table.column import MAX_EMPTY, Builder  # noqa: E402
from hallmarked.corpus.table.find import find_tables  # noqa: E402
from hallmarked.corpus.table.model import Skipped  # noqa: E402
from tests.support import MemoryArtifact  # noqa: E402

VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(), st.lists(st.integers()), st.floats(allow_nan=False)
)
ROWS = st.lists(st.dictionaries(st.sampled_from("abc"), VALUES), max_size=20)


def read(path: str, data: bytes) -> tuple[list[dict[str, object]], list[Skipped]]:
    """Return the rows of a file, without what is missing, and what was skipped."""
    rows: list[dict[str, object]] = []
    skipped: list[Skipped] = []
    for table in find_tables(MemoryArtifact({path: data})):
        for part in table.cut():
            for piece in table.read(part):
                if isinstance(piece, Skipped):
                    skipped.append(piece)
                else:
                    rows += [{k: v for k, v in row.items() if v is not None} for row in piece.to_pylist()]
    return rows, skipped


def lines(rows: list[dict[str, object]]) -> bytes:
    """Write rows as JSON Lines."""
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


@given(ROWS)
def test_every_row_of_json_lines_is_read(rows: list[dict[str, object]]) -> None:
    """Rows come back in their order, whatever their values; values of a mixed column come as their JSON."""
    back, skipped = read("a.jsonl", lines(rows))
    assert not skipped
    assert len(back) == len(rows)
    for row, found in zip(rows, back, strict=True):
        there = {name: value for name, value in row.items() if value is not None}
        assert found.keys() == there.keys()
        for name, value in there.items():
            assert found[name] == value or json.loads(str(found[name])) == value


FRAGMENTS = st.sampled_from(
    [
        b"{}", b'{"a": 1}', b'{"a": [1', b"2]}", b'{"a": 1}, {"a": 2}', b'{"a": 1},"', b'","x', b"[", b"]", b"", b" ",
        b"1", b"null", b'{"a": "\xff"}', b'{"a": "\\ud800"}', b'\xef\xbb\xbf{"a": 3}', b'{"a": "x\\n"}\r', b",", b'"',
    ]
)  # fmt: skip


@given(st.lists(FRAGMENTS, max_size=12))
def test_no_line_leans_on_its_neighbours(fragments: list[bytes]) -> None:
    """Lines are judged one by one: two halves are no row, and one line is never two."""
    rows: list[dict[str, object]] = []
    skipped: list[int | None] = []
    for number, fragment in enumerate(fragments):
        alone, reasons = read("a.jsonl", (b"{}\n" if number else b"") + fragment)  # a mark may stand at the beginning
        rows += alone[1:] if number else alone
        skipped += [number for _ in reasons]
    back, told = read("a.jsonl", b"\n".join(fragments))
    shown = [{name: str(value) for name, value in row.items()} for row in (*back, *rows)]  # some columns are mixed
    assert shown[: len(back)] == shown[len(back) :]
    assert [piece.row for piece in told] == skipped


@given(st.lists(st.text(st.characters(exclude_characters="\n\r\ufeff", exclude_categories=["Cs"]))), st.integers(1, 40))
def test_parts_hold_every_line_once(texts: list[str], size: int) -> None:
    """However a file is cut, each line belongs to one part."""
    data = "".join(f"{text}\n" for text in texts).encode()
    blob = next(iter(find_tables(MemoryArtifact({"a.txt": data})))).blob
    starts = range(0, max(len(data), 1), size)
    parts = [model.Part(start, min(start + size, len(data))) for start in starts]
    found = [each.data.decode() for part in parts for each in line.read_lines(blob, part)]  # type: ignore[union-attr]
    assert found == texts


@given(st.lists(st.fixed_dictionaries({"a": st.text(min_size=1), "b": st.text(min_size=1)}), min_size=1))
def test_what_a_spreadsheet_writes_is_read(rows: list[dict[str, str]]) -> None:
    """Quotation marks, line breaks and commas inside of cells come back as they were."""
    written = io.StringIO(newline="")
    writer = csv.DictWriter(written, ["a", "b"], quoting=csv.QUOTE_ALL)
    writer.writeheader()
    writer.writerows(rows)
    try:
        data = written.getvalue().encode()
    except UnicodeEncodeError:
        return
    back, skipped = read("a.csv", data)
    null = {"NA", "N/A", "NaN", "nan", "null", "NULL", "None"}
    assert [{k: v for k, v in row.items() if v not in null} for row in rows] == back
    assert not skipped


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (b"{", "not JSON"),
        (b"[1]", "not a JSON object"),
        (b'{"a": "\xff"}', "not UTF-8"),
        (b'{"a": "\\ud800"}', "half of a character"),
        (b'{"a": %s}' % (b"9" * 5_000), "digits"),
        (b'{"a": ' + b"[" * 100_000, "nested too deep"),
    ],
)
def test_a_broken_row_costs_only_itself(broken: bytes, reason: str) -> None:
    """Rows around a broken one are read; it is told of with its number."""
    rows, skipped = read("a.jsonl", b'{"a": 1}\n' + broken + b'\n{"a": 2}\n')
    assert rows == [{"a": 1}, {"a": 2}]
    assert [(piece.row, piece.rows) for piece in skipped] == [(1, 1)]
    assert reason in skipped[0].reason


def test_rows_whose_columns_all_differ_cost_what_they_hold() -> None:
    """A batch does not have every column of every row: a few megabytes of such rows would make billions of cells."""
    rows = [{f"{row}.{column}": "x" for column in range(20)} for row in range(1_000)]
    (table,) = find_tables(MemoryArtifact({"a.jsonl": lines(rows)}))
    batches = [piece for part in table.cut() for piece in table.read(part)]
    assert sum(batch.num_rows for batch in batches) == len(rows)
    assert max(batch.num_rows * batch.num_columns for batch in batches) < 2 * MAX_EMPTY
    many, builder, one = Builder(), Builder(), []
    for row in rows:
        one += builder.add(row, 1)
    both = [*one, *builder.finish()], [*many.extend(rows, [1] * len(rows)), *many.finish()]
    assert [batch.num_rows for batch in both[0]] == [batch.num_rows for batch in both[1]]


def test_a_line_without_end_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line that no memory would hold is skipped, and what follows is read."""
    monkeypatch.setattr(line, "ROW_BYTES", 1_000)
    rows, skipped = read("a.jsonl", b'{"a": 1}\n' + b"x" * 3_000_000 + b'\n{"a": 2}')
    assert rows == [{"a": 1}, {"a": 2}]
    assert skipped[0].row == 1


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        ("name;n\nå;1\nb;2\n".encode("cp1252"), "Windows-1252"),
        ("name;n\nå;1\nb;2\n".encode("latin-1"), "Windows-1252"),
        ("\ufeffname,n\r\nå,1\r\nb,2\r\n".encode(), ""),
        ("name,n\rå,1\rb,2".encode(), ""),
        ("name\tn\nå\t1\nb\t2".encode("utf-16"), "UTF-16"),
        ("name\tn\nå\t1\nb\t2".encode("utf-16-le"), "UTF-16"),
        ("name\tn\r\nå\t1\r\nb\t2\r\n".encode("utf-16-be"), "UTF-16"),
    ],
)
def test_tables_of_other_programs_are_read(data: bytes, encoding: str) -> None:
    """Marks, line ends, delimiters and encodings of spreadsheets are understood, and said when they are not UTF-8."""
    said = [Skipped(f"bytes that are not UTF-8 were read as {encoding}", 0, 0)] if encoding else []
    assert read("a.csv", data) == ([{"name": "å", "n": "1"}, {"name": "b", "n": "2"}], said)


def test_a_row_with_other_fields_is_told_of() -> None:
    """A row that has not as many fields as the first is not guessed at."""
    rows, skipped = read("a.csv", b"a,b\n1,2\n3\n4,5\n")
    assert [row["a"] for row in rows] == ["1", "4"]
    assert skipped == [Skipped("the row has 1 fields, not 2 as the first", 1)]


@pytest.mark.parametrize(("ending", "pack"), [("gz", gzip.compress), ("bz2", bz2.compress), ("xz", lzma.compress)])
def test_compressed_tables_are_read(ending: str, pack: type[bytes]) -> None:
    """What is compressed as a whole is read like the rest."""
    assert read(f"a.jsonl.{ending}", pack(b'{"a": 1}\n')) == ([{"a": 1}], [])


def parquet(rows: int, group: int) -> bytes:
    """Write a Parquet file of so many rows in groups."""
    out = io.BytesIO()
    pq.write_table(
        pa.table({"n": list(range(rows)), "t": [str(n) * 50 for n in range(rows)]}), out, row_group_size=group
    )
    return out.getvalue()


def test_the_groups_of_a_parquet_file_are_its_parts() -> None:
    """All rows come, in order."""
    rows, skipped = read("a.parquet", parquet(1_000, 300))
    assert [row["n"] for row in rows] == list(range(1_000))
    assert not skipped


def test_a_dictionary_that_stands_for_gigabytes_is_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows up to the bound are read, the others are counted and told of."""
    monkeypatch.setattr(parquet_file, "ALWAYS_UNFOLDED", 1 << 20)
    monkeypatch.setattr(parquet_file, "MOST_UNFOLDED", 100)
    codes = pa.DictionaryArray.from_arrays(pa.array([0] * 200_000, pa.int32()), ["x" * 1_000])
    sink = io.BytesIO()
    pq.write_table(pa.table({"text": codes}), sink, store_schema=False)
    (table,) = find_tables(MemoryArtifact({"a.parquet": sink.getvalue()}))
    pieces = [piece for part in table.cut() for piece in table.read(part)]
    read_rows = sum(piece.num_rows for piece in pieces if not isinstance(piece, Skipped))
    (skipped,) = (piece for piece in pieces if isinstance(piece, Skipped))
    assert "expands to more than 100 times" in skipped.reason
    assert skipped.rows == 200_000 - read_rows
    assert read_rows < 50_000


def test_a_broken_page_costs_its_group_only() -> None:
    """Bytes overwritten in one group leave the others readable."""
    data = bytearray(parquet(1_000, 250))
    third = pq.ParquetFile(io.BytesIO(bytes(data))).metadata.row_group(2).column(1)
    start = third.dictionary_page_offset or third.data_page_offset
    data[start : start + 200] = b"\xff" * 200
    rows, skipped = read("a.parquet", bytes(data))
    assert {row["n"] for row in rows} >= {*range(500), *range(750, 1_000)}
    assert len(rows) + sum(piece.rows or 0 for piece in skipped) == 1_000
    assert skipped


@given(st.integers(0, 3_000), st.binary(min_size=1, max_size=8))
def test_no_parquet_file_breaks_the_reader(at: int, noise: bytes) -> None:
    """Whatever is overwritten, reading ends, with rows or with a reason."""
    data = bytearray(parquet(50, 20))
    data[at : at + len(noise)] = noise
    with contextlib.suppress(FormatError):
        read("a.parquet", bytes(data))


@pytest.mark.parametrize("writer", ["new_file", "new_stream"])
def test_arrow_files_and_streams_are_read(writer: str) -> None:
    """Both ways of writing Arrow come to the same rows; a cut one says what is lost."""
    out = io.BytesIO()
    table = pa.table({"n": list(range(100))})
    with getattr(pa.ipc, writer)(out, table.schema) as file:
        for batch in table.to_batches(max_chunksize=40):
            file.write_batch(batch)
    assert [row["n"] for row in read("a.arrow", out.getvalue())[0]] == list(range(100))
    _, skipped = read("a.arrow", out.getvalue()[: len(out.getvalue()) // 2])
    assert skipped
    assert skipped[0].rows is None


def test_texts_beside_tables_are_no_tables() -> None:
    """A licence or vocabulary is not read as rows."""
    files = {"LICENSE.txt": "MIT", "data/a.csv": "a\n1\n", "model.safetensors": b""}
    assert [table.path for table in find_tables(MemoryArtifact(files))] == ["data/a.csv"]


@pytest.mark.parametrize("name", ["a.parquet", "a.arrow"])
def test_a_text_that_is_none_costs_its_row(name: str) -> None:
    """A text of a binary format that is not UTF-8 is passed over with its row; the rows around it are read."""
    broken = pa.array([b"one", b"t\xffo", b"three"]).cast(pa.binary()).view(pa.string())
    table = pa.table({"text": broken, "n": [1, 2, 3]})
    sink = io.BytesIO()
    if name == "a.parquet":
        pq.write_table(table, sink)
    else:
        with pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
    rows, skipped = read(name, sink.getvalue())
    assert rows == [{"text": "one", "n": 1}, {"text": "three", "n": 3}]
    assert [each.row for each in skipped] == [1]
