"""What is compressed, packed or one document is read from the front; what is wrong costs as little as can be."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import tarfile
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

pa = pytest.importorskip("pyarrow", reason="tables are read with the extra data")
zstandard = pytest.importorskip("zstandard", reason="likewise")

from hallmarked.core.errors import FormatError  # noqa: E402 -- only with the extra
from hallmarked.corpus.table import csv, inflate, line  # noqa: E402 -- only with the extra
from hallmarked.corpus.table import json as document  # noqa: E402 -- only with the extra
from hallmarked.corpus.table.ending import find_table_paths, format_of, table_paths  # noqa: E402 -- only with the extra
from hallmarked.corpus.table.find import find_tables  # noqa: E402 -- only with the extra
from hallmarked.corpus.table.model import Skipped  # noqa: E402 -- only with the extra
from hallmarked.formats import blob  # noqa: E402 -- only with the extra
from tests.corpus.table.test_read import lines, read  # noqa: E402 -- only with the extra
from tests.support import MemoryArtifact  # noqa: E402 -- only with the extra

PACK: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": zstandard.compress,
}
ROWS = [{"text": f"row {n}", "n": n} for n in range(2_000)]


@pytest.mark.parametrize("ending", PACK)
def test_streams_in_a_row_are_one_content(ending: str) -> None:
    """Several members, as loggers and parallel programs write them, are read to the last."""
    pack = PACK[ending]
    data = b"".join(pack(lines(ROWS[start : start + 500])) for start in range(0, 2_000, 500))
    assert read(f"a.jsonl.{ending}", data) == (ROWS, [])


@pytest.mark.parametrize("ending", PACK)
def test_what_breaks_off_keeps_the_rows_before(ending: str) -> None:
    """A stream that ends early or is followed by something else: rows up to there count, and it is said."""
    pack = PACK[ending]
    whole = pack(lines([{**row, "noise": hash((row["n"], "x"))} for row in ROWS]))
    rows, skipped = read(f"a.jsonl.{ending}", whole[: len(whole) * 3 // 4])
    assert [row["n"] for row in rows] == list(range(len(rows)))
    assert [(piece.row, piece.rows) for piece in skipped] == [(len(rows), None)]
    assert "compressed data" in skipped[0].reason
    if ending not in ("bz2", "zst"):  # which unfold in larger pieces
        assert rows
    rows, skipped = read(f"a.jsonl.{ending}", pack(lines(ROWS)) + b"something else")
    assert rows == ROWS
    assert [(piece.row, piece.rows) for piece in skipped] == [(2_000, None)]


@pytest.mark.parametrize("ending", PACK)
def test_zeros_behind_a_stream_are_padding(ending: str) -> None:
    """What tools add to fill a block is nothing to tell of."""
    if ending == "zst":
        pytest.skip("the format knows no padding")
    assert read(f"a.jsonl.{ending}", PACK[ending](lines(ROWS)) + bytes(600)) == (ROWS, [])


@pytest.mark.parametrize("ending", PACK)
def test_a_bomb_is_left_where_it_begins_to_be_one(ending: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What unfolds to many times its size is not unfolded to its end; rows before that count."""
    limits = blob.Limits(expansion_floor=1 << 20)
    monkeypatch.setattr(inflate, "Budget", lambda stored: blob.Budget(stored, limits))
    bomb = PACK[ending](lines([{"a": 1}]) + b'{"a": 2}\n' * 2_000_000)
    rows, skipped = read(f"a.jsonl.{ending}", bomb)
    assert rows[0] == {"a": 1}
    assert len(rows) < 2_000_000
    assert "expands to more than 100 times its size" in skipped[0].reason
    assert skipped[0].rows is None


def test_a_frame_that_wants_much_memory_is_refused() -> None:
    """Zstandard may ask for 2 GiB to look back; nobody gives that."""
    parameters = zstandard.ZstdCompressionParameters.from_level(1, window_log=30)
    packer = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    rows, skipped = read("a.jsonl.zst", packer.compress(lines(ROWS)) + packer.flush())
    assert rows == []
    assert "cannot be decoded" in skipped[0].reason


@pytest.mark.parametrize("ending", ["csv", "json", "txt", "tar"])
def test_other_formats_are_unfolded_too(ending: str) -> None:
    """Tables, documents, texts and archives are read compressed as they are plain."""
    plain = {
        "csv": b"a\nx\ny\n",
        "json": b'[{"a": "x"}, {"a": "y"}]',
        "txt": b"x\ny\n",
        "tar": tar([("1.txt", b"x"), ("1.cls", b"1"), ("2.txt", b"y"), ("2.cls", b"2")]),
    }[ending]
    for packed, pack in PACK.items():
        assert read(f"a.{ending}.{packed}", pack(plain)) == read(f"a.{ending}", plain)
    assert len(read(f"a.{ending}", plain)[0]) == 2


# Documents

SCALARS = st.one_of(st.none(), st.integers(), st.text())


@given(
    st.lists(st.dictionaries(st.text(max_size=5), SCALARS, max_size=4), max_size=30),
    st.sampled_from([None, 0, 2]),
    st.booleans(),
    st.integers(1, 50),
)
def test_a_list_is_read_like_lines(rows: list[dict[str, object]], indent: int | None, named: bool, size: int) -> None:
    """Every object of a list is a row, however the document is laid out and wherever the pieces of it end."""
    whole = {"version": "1.[", "note": [1, {"data": []}], "data": rows} if named else rows
    held = document.CHUNK
    try:
        document.CHUNK = size
        back, skipped = read_document(json.dumps(whole, indent=indent).encode())
    finally:
        document.CHUNK = held
    assert not skipped
    assert back == rows_of(rows)


def rows_of(rows: Sequence[dict[str, object]]) -> list[dict[str, object]]:
    """What reading lines makes of rows, whose columns may be mixed."""
    return read("a.jsonl", lines(list(rows)))[0]


def read_document(data: bytes) -> tuple[list[dict[str, object]], list[Skipped]]:
    """Read a document, whatever it looks like."""
    source = blob.Blob.of_bytes("a.json", data)
    pieces = list(document.read_json(source, document.cut_json(source)[0]))
    rows = [row for piece in pieces if not isinstance(piece, Skipped) for row in piece.to_pylist()]
    there = [{name: value for name, value in row.items() if value is not None} for row in rows]
    return there, [piece for piece in pieces if isinstance(piece, Skipped)]


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (b"{]}", "not JSON"),
        (b"[1]", "not a JSON object"),
        (b"nonsense", "not JSON"),
        (b'{"a": "\xff"}', "not UTF-8"),
        (b'{"a": "\\ud800"}', "half of a character"),
        (b'{"a": ' + b"[" * 50_000 + b"]" * 50_000 + b"}", "nested too deep"),
    ],
)
def test_a_broken_object_costs_only_itself(broken: bytes, reason: str) -> None:
    """Objects around a broken one are read."""
    rows, skipped = read_document(b'[{"a": 1},\n' + broken + b', {"a": 2}]')
    if b"{]}" not in broken:
        assert rows == [{"a": 1}, {"a": 2}]
        assert [(piece.row, piece.rows) for piece in skipped] == [(1, 1)]
    assert reason in skipped[0].reason


@pytest.mark.parametrize("end", [b"", b",", b', {"a": "x', b", [1, 2", b"; 1]"])
def test_a_document_that_ends_early_keeps_its_rows(end: bytes) -> None:
    """What came before counts, and it is said that an unknown number of rows is missing."""
    rows, skipped = read_document(b'[{"a": 1}, {"a": 2}' + end)
    assert rows == [{"a": 1}, {"a": 2}]
    assert [(piece.row, piece.rows) for piece in skipped] == [(2, None)]


def test_an_object_that_no_memory_would_hold_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """What follows a huge object is read."""
    monkeypatch.setattr(document, "ROW_BYTES", 2_000_000)
    rows, skipped = read_document(b'[{"a": 1}, {"a": "' + b"x" * 5_000_000 + b'"}, {"a": 2}]')
    assert rows == [{"a": 1}, {"a": 2}]
    assert skipped == [Skipped("the row is longer than 1 MiB", 1)]


@given(st.binary(max_size=200), st.sampled_from([b"", b"[", b'[{"a": 1},', b'{"data": [']))
def test_no_document_breaks_the_reader(noise: bytes, start: bytes) -> None:
    """Any bytes come to rows or reasons."""
    read_document(start + noise)


# Archives


def tar(members: Sequence[tuple[str, bytes]], form: int = tarfile.PAX_FORMAT) -> bytes:
    """Write an archive."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


JPEG = b"\xff\xd8\xff\xe0" + bytes(996)
LONG = "folder/" * 20


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
def test_files_of_one_key_are_a_row(form: int) -> None:
    """Texts and JSON become columns, of images the kind and the size; names may be long."""
    folder = "deep/" if form == tarfile.USTAR_FORMAT else LONG
    members = [
        (f"{folder}0001.jpg", JPEG), (f"{folder}0001.txt", "ein Hänger".encode()), (f"{folder}0001.json", b'{"w": 3}'),
        (f"{folder}0002.jpg", JPEG[:500]), (f"{folder}0002.seg.txt", b"b"), (f"{folder}0002.json", b'{"w": 4}'),
    ]  # fmt: skip
    rows, skipped = read("train-000.tar", tar(members, form))
    assert not skipped
    assert rows == [
        {
            "__key__": f"{folder}0001",
            "jpg.kind": "image/jpeg",
            "jpg.size": 1_000,
            "txt": "ein Hänger",
            "json": {"w": 3},
        },
        {"__key__": f"{folder}0002", "jpg.kind": "image/jpeg", "jpg.size": 500, "seg.txt": "b", "json": {"w": 4}},
    ]


def test_a_broken_member_costs_its_row() -> None:
    """A text that is not UTF-8 or a document that is none is named; other rows are read."""
    members = [
        ("1.txt", b"a"),
        ("1.json", b"{}"),
        ("2.txt", b"\xff"),
        ("2.json", b"{}"),
        ("3.txt", b"c"),
        ("3.json", b"{"),
    ]
    rows, skipped = read("a.tar", tar([*members, ("4.txt", b"d"), ("4.json", b"{}")]))
    assert [row["__key__"] for row in rows] == ["1", "4"]
    assert [piece.row for piece in skipped] == [1, 2]
    assert "txt: the text is not UTF-8" in skipped[0].reason
    assert "json: the document is not JSON" in skipped[1].reason


def test_an_archive_that_ends_early_keeps_its_rows() -> None:
    """Rows before the end count; the one that was cut does not."""
    members = [(f"{n}.{ending}", b"x" * 600) for n in range(4) for ending in ("txt", "jpg")]
    whole = tar(members)
    rows, skipped = read("a.tar", whole[: 512 * 3 * 5 + 700])
    assert [row["__key__"] for row in rows] == ["0", "1"]
    assert [(piece.row, piece.rows) for piece in skipped] == [(2, None)]


@given(st.integers(0, 6_000), st.binary(min_size=1, max_size=12))
def test_no_archive_breaks_the_reader(at: int, noise: bytes) -> None:
    """Whatever is overwritten, reading ends, with rows or with a reason."""
    data = bytearray(tar([(f"{n}.{ending}", b'{"a": 1}') for n in range(3) for ending in ("json", "txt")]))
    data[at : at + len(noise)] = noise
    from hallmarked.corpus.table.webdataset import cut_webdataset, read_webdataset  # noqa: PLC0415

    given_ = blob.Blob.of_bytes("a.tar", bytes(data))
    list(read_webdataset(given_, cut_webdataset(given_)[0]))


# Which files hold rows


def test_documents_and_archives_are_looked_into() -> None:
    """A configuration is no table, nor is an archive of something else; beside tables, texts are none."""
    samples = tar([("1.jpg", JPEG), ("1.cls", b"1")])
    files: dict[str, bytes | str] = {
        "config.json": '{"hidden": 3}', "modules.json": '[{"idx": 0}]', "list.json": "[1, 2]",
        "rows.json": ' [ {"a": 1}]',
        "squad.json": '{"version": 1, "data": [{"a": 1}]}', "code.tar": tar([("a.c", b""), ("a.h", b"")]),
        "train.tar": samples, "train.tgz": gzip.compress(samples), "empty.tar": b"", "README.txt": "x",
    }  # fmt: skip
    artifact = MemoryArtifact(files)
    assert find_table_paths(artifact) == ["rows.json", "squad.json", "train.tar", "train.tgz"]
    assert [table.path for table in find_tables(artifact)] == find_table_paths(artifact)
    assert find_table_paths(MemoryArtifact({"README.txt": "x", "config.json": "{}"})) == ["README.txt"]


def test_names_say_what_they_can() -> None:
    """Endings are read from the right, in capitals too."""
    assert format_of("a/B.JSONL.ZST") == ("jsonl", "zstd")
    assert format_of("a.tgz") == ("webdataset", "gzip")
    assert format_of("a.parquet.gz") is None
    assert table_paths(["a.json", "a.txt", "b.csv"]) == ["b.csv"]


# Tables of other programs


def test_a_line_that_no_memory_would_hold_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a table of cells too, what follows is read."""
    monkeypatch.setattr(csv, "ROW_BYTES", 1_000)
    monkeypatch.setattr(csv, "CHUNK", 700)
    rows, skipped = read("a.csv", b"a,b\n1,2\n" + b"x" * 300_000 + b"\n3,4\n")
    assert rows == [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]
    assert skipped == [Skipped("the row is longer than 0 MiB", 1)]


def test_a_quotation_mark_without_end_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows before it count; how many are lost with it nobody knows."""
    monkeypatch.setattr(csv, "ROW_BYTES", 1_000)
    data = b'a,b\n1,2\n"open,2\n' + b"".join(b"%d,x\n" % n for n in range(500))
    rows, skipped = read("a.csv", data)
    assert rows[0] == {"a": "1", "b": "2"}
    assert any(piece.rows is None for piece in skipped)


@given(st.binary(max_size=300))
def test_no_table_of_cells_breaks_the_reader(data: bytes) -> None:
    """Any bytes come to rows or reasons."""
    read("a.csv", data)


@given(st.binary(max_size=300), st.sampled_from(sorted(PACK)))
def test_no_compressed_file_breaks_the_reader(data: bytes, ending: str) -> None:
    """Any bytes come to rows or reasons, behind a good stream too."""
    read(f"a.jsonl.{ending}", data)
    rows, _ = read(f"a.jsonl.{ending}", PACK[ending](b'{"a": 1}\n') + data)
    assert rows[:1] == [{"a": 1}]


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.txt", "a.jsonl.gz", "a.jsonl.zst"])
def test_an_empty_file_has_no_rows(name: str) -> None:
    """No rows are no error; but nothing at all is no compressed file."""
    rows, skipped = read(name, b"")
    assert rows == []
    assert bool(skipped) == name.endswith((".gz", ".zst"))


def test_a_file_of_no_groups_is_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Parquet file without rows is counted, with zero of them."""
    import pyarrow.parquet as pq  # noqa: PLC0415

    out = io.BytesIO()
    pq.write_table(pa.table({"a": pa.array([], pa.string())}), out)
    (table,) = find_tables(MemoryArtifact({"a.parquet": out.getvalue()}))
    assert len(table.cut()) == 1
    assert read("a.parquet", out.getvalue()) == ([], [])


def test_lines_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line without end in a compressed file is passed over as it unfolds."""
    monkeypatch.setattr(line, "ROW_BYTES", 1_000)
    rows, skipped = read("a.jsonl.gz", gzip.compress(b'{"a": 1}\n' + b"x" * 3_000_000 + b'\n{"a": 2}'))
    assert rows == [{"a": 1}, {"a": 2}]
    assert [piece.row for piece in skipped] == [1]


def test_a_part_out_of_place_is_a_reason() -> None:
    """A group that is not there is told of, not guessed at."""
    (table,) = find_tables(MemoryArtifact({"a.parquet": b"PAR1"}))
    with pytest.raises(FormatError):
        table.cut()
