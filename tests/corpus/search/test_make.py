"""Making indexes of data sets."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path

import pytest

pa = pytest.importorskip("pyarrow", reason="data sets are searched with the extra data")
pytest.importorskip("pydivsufsort", reason="data sets are searched with the extra data")

import pyarrow.parquet as pq  # noqa: E402 -- after the skip

from hallmarked.artifacts.source import open_artifact  # noqa: E402
from hallmarked.core.errors import InputError  # noqa: E402
from hallmarked.corpus.engine.model import Engine  # noqa: E402
from hallmarked.corpus.search import part  # noqa: E402
from hallmarked.corpus.search.index import Index  # noqa: E402
from hallmarked.corpus.search.make import index_data  # noqa: E402
from hallmarked.corpus.search.manifest import Options  # noqa: E402
from hallmarked.corpus.search.model import Document  # noqa: E402
from hallmarked.corpus.search.part import LONGEST_NAME  # noqa: E402
from hallmarked.corpus.search.word import MASK  # noqa: E402

ONE = Engine(1)
PASSAGES = [
    "the boat went out at dawn and came back with nothing but weed",
    "a letter lay upon the table and nobody had the heart to open it",
    "when the bell rang for the third time the whole street was awake",
]


def _data(folder: Path) -> Path:
    folder.mkdir()
    rows = [{"body": f"First. {PASSAGES[0]}.", "url": "https://example.org/a", "license": "CC-BY-4.0"}, {"body": "x"}]
    (folder / "a.jsonl").write_text(
        "".join(json.dumps(row) + "\n" for row in rows) + "{broken\n" + '{"body": "last"}\n'
    )
    (folder / "b.csv.gz").write_bytes(gzip.compress(f'text,label\n"{PASSAGES[1]}",1\n'.encode()))
    table = pa.table({"text": [f"row {number}" for number in range(50)] + [PASSAGES[2]]})
    pq.write_table(table, folder / "c.parquet", row_group_size=20)
    (folder / "d.parquet").write_bytes(b"PAR1 is all it has of Parquet PAR1")
    return folder


def test_rows_of_every_format_are_found_with_place_source_and_licence(tmp_path: Path) -> None:
    """A passage is traced to file and row, whatever the format; broken rows and files are told of, the rest counts."""
    artifact = open_artifact(_data(tmp_path / "data"))
    told: list[tuple[int, int]] = []
    summary = index_data(
        artifact, tmp_path / "index", Options(licence="MIT"), engine=ONE, report=lambda *part: told.append(part)
    )
    found = Index.open(tmp_path / "index").attribute(" – ".join(PASSAGES))
    assert [
        (place.path, place.row, place.source, place.licence) for each in found.passages for place in each.places
    ] == [
        ("a.jsonl", 1, "https://example.org/a", "CC-BY-4.0"),
        ("b.csv.gz", 1, "", "MIT"),
        ("c.parquet", 51, "", "MIT"),
    ]
    assert (summary.documents, summary.unread, summary.lost) == (55, 1, 1)
    assert {(place.path, place.row) for place in summary.places} == {("a.jsonl", 3), ("d.parquet", None)}
    assert summary.digest == artifact.subject.digest
    assert told
    assert told[-1][0] == told[-1][1]
    assert sorted(file.name for file in tmp_path.iterdir()) == ["data", "index"]


def test_personal_data_never_reach_a_masked_index(tmp_path: Path) -> None:
    """An address is neither found nor shown nor in any file; the words around it are there."""
    folder = tmp_path / "data"
    folder.mkdir()
    address, number = "erika.muster" + "@mail.example.org", "+49 30 " + "23125 000"
    text = f"You can write to {address} or ring {number} whenever the office upstairs is open"
    rows = [{"text": text, "source": f"mailto:{address}"}]
    (folder / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    index_data(open_artifact(folder), tmp_path / "index", mask=True, engine=ONE)
    index = Index.open(tmp_path / "index")
    assert not index.holds(["erika"])
    (hit,) = index.hits("whenever the office upstairs is open")
    assert hit.text.count(MASK) == 2
    assert "muster" not in hit.text + hit.place.source
    assert not index.holds(["to", "or", "ring"])
    raw = b"".join(file.read_bytes() for file in (tmp_path / "index").iterdir())
    assert b"muster" not in raw
    assert b"23125" not in raw


def test_names_are_masked_before_they_are_cut(tmp_path: Path) -> None:
    """Neither an address as a licence nor half of one at the end of a long source reaches a masked index."""
    folder = tmp_path / "data"
    folder.mkdir()
    address = "erika.muster" + "@mail.example.org"
    long = "a line of words " * 130
    row = {"text": "whenever the office upstairs is open", "licence": address}
    row["source"] = long[: LONGEST_NAME - len("erika.muster@ma")] + address
    (folder / "a.jsonl").write_text(json.dumps(row) + "\n")
    index_data(open_artifact(folder), tmp_path / "index", mask=True, engine=ONE)
    (hit,) = Index.open(tmp_path / "index").hits("whenever the office upstairs is open")
    assert "muster" not in hit.place.licence + hit.place.source
    assert len(hit.place.source) <= LONGEST_NAME


def test_declared_columns_are_read(tmp_path: Path) -> None:
    """What ``dataset.toml`` names is text, source and licence."""
    folder = tmp_path / "data"
    folder.mkdir()
    row = {"a": PASSAGES[0], "b": PASSAGES[1], "where": "shelf 3", "terms": "ODbL-1.0"}
    (folder / "a.jsonl").write_text(json.dumps(row) + "\n")
    (folder / "dataset.toml").write_text('[columns]\ntext = ["b"]\nsource = "where"\nlicence = "terms"\n')
    index_data(open_artifact(folder), tmp_path / "index", engine=ONE)
    index = Index.open(tmp_path / "index")
    assert not index.attribute(PASSAGES[0]).passages
    (passage,) = index.attribute(PASSAGES[1]).passages
    assert (passage.places[0].source, passage.places[0].licence) == ("shelf 3", "ODbL-1.0")


def test_a_large_part_is_read_in_slices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """How a part is sliced changes neither what is found nor the numbers of the rows."""
    path = tmp_path / "data"
    path.mkdir()
    rows = [f"{PASSAGES[number % 3]} {number}" for number in range(40)]
    table = pa.table({"text": rows})
    pq.write_table(table, path / "c.parquet", row_group_size=25)
    monkeypatch.setattr("hallmarked.corpus.table.parquet.BATCH_ROWS", 4)
    monkeypatch.setattr(part, "SLICE_BYTES", 1_000)
    artifact = open_artifact(path)
    parts = part.read_cut(part.cut(artifact, {}, {}))
    assert len(parts) > 4
    seen: dict[int, str] = {}
    first = 0
    for each in parts:
        gathered = part.Gathered(io.BytesIO(part.gather(artifact, each, {})), "c.parquet", first)
        for document in gathered:
            assert isinstance(document, Document)
            seen[document.row] = document.text
        if each["slice"] == each["slices"] - 1:
            first += gathered.rows
    assert seen == dict(enumerate(rows, 1))


def test_nothing_to_index_is_said(tmp_path: Path) -> None:
    """A folder without tables or texts gives one sentence and no index."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "model.bin").write_bytes(b"\0")
    with pytest.raises(InputError, match="nothing to index"):
        index_data(open_artifact(tmp_path / "data"), tmp_path / "index", engine=ONE)
    assert not (tmp_path / "index").exists()
