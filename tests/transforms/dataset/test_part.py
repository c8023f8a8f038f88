"""The two looks at rows, done here: what is marked, written and accounted for."""

from __future__ import annotations

import base64
import gzip
import io
import json
import tempfile
import zlib
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallmarked.core.check import Learned
from hallmarked.core.errors import FormatError
from hallmarked.corpus.proof.identifier import content_digest
from hallmarked.corpus.table.find import find_tables
from hallmarked.transforms.dataset.decide import Places, number_rows, read_group, unify_fields
from hallmarked.transforms.dataset.manifest import Spool
from hallmarked.transforms.dataset.packet import Packet, Received, receive
from hallmarked.transforms.dataset.plan import Given, make_plan
from hallmarked.transforms.dataset.recipe import read_recipe
from hallmarked.transforms.dataset.survey import cut, survey
from hallmarked.transforms.dataset.write import write
from tests.support import MemoryArtifact


def learned(data: bytes, part: Mapping[str, Any] | None = None) -> Learned:
    """Take bytes as what came of a part."""
    return Learned(part or {}, partial(io.BytesIO, data), len(data))


def build(contents: Mapping[str, str], recipe: str, tmp_path: Path) -> tuple[Received, list[dict[str, Any]]]:
    """Do both looks at one source, and return what was handed back and the account of changes."""
    (tmp_path / "posts").mkdir(exist_ok=True)
    head = "recipe = 1\n[dataset]\nname = 'x'\n[[source]]\nname = 'posts'\npath = 'posts'\n"
    read = read_recipe((head + recipe).encode(), tmp_path)
    artifact = MemoryArtifact(contents)
    cuts = json.loads(cut(artifact, {}, {"texts": list(read.text)}))
    said = read.redaction and {"mode": read.redaction.mode, "kinds": read.redaction.kinds, "columns": [], "key": ""}
    plan = make_plan(read, read.sources[0], cuts["texts"], Given(redaction=said))
    part = {"pieces": [{key: each[key] for key in ("path", "start", "stop")} for each in cuts["pieces"]], "bytes": 1}
    options = json.loads(json.dumps(plan.to_dict()))
    group = read_group(0, learned(survey(artifact, part, options), part), Path("nowhere"))
    number_rows([group])
    fields = unify_fields([group], read.keep)
    wanted = json.loads(json.dumps(group.to_part(Places(["posts"]).add([group]))))
    done = receive(learned(write(artifact, wanted, {"plan": options, "fields": fields})))
    changes = done.blob("changes")
    text = gzip.decompress(changes)
    return done, [json.loads(line) for line in text.splitlines()]


def rows_of(done: Received) -> list[dict[str, Any]]:
    """Return the rows that were written as Parquet."""
    rows: list[dict[str, Any]] = pq.read_table(io.BytesIO(done.blob("shard"))).to_pylist()
    return rows


def test_rows_keep_their_numbers_whatever_stands_between_them(tmp_path: Path) -> None:
    """Rows that cannot be read count, and each row that goes is named by its number in its file."""
    lines = '{"text": "one two"}\n{broken\n{"text": "no"}\n{"text": "three four"}\n'
    filters = "[[filter]]\nname = 'short'\nwords = {least = 2}\n"
    done, changes = build({"a.jsonl": lines, "b.csv": "text\nfive six\nno\n"}, filters, tmp_path)
    assert [row["text"] for row in rows_of(done)] == ["one two", "three four", "five six"]
    assert [(each["path"], each["row"], each["why"]) for each in changes] == [
        ("a.jsonl", 2, "unread"),
        ("a.jsonl", 3, "short"),
        ("b.csv", 2, "short"),
    ]
    assert done.head["shards"] == [3]


def test_rows_that_are_too_old_go(tmp_path: Path) -> None:
    """A day before the bound, or none that can be read, means that a row goes, and its content is noted."""
    lines = [
        {"text": "a b", "day": "2026-11-20"},
        {"text": "c d", "day": "2026-10-01T10:00:00Z"},
        {"text": "e f", "day": "someday"},
        {"text": "g h", "day": "2026-10-22"},
    ]
    recipe = "[columns]\ntext = 'text'\n[retention]\nas-of = 2026-11-21\ncolumn = 'day'\ndays = 30\n"
    content = {"a.jsonl": "".join(json.dumps(line) + "\n" for line in lines)}
    done, changes = build(content, recipe, tmp_path)
    assert [row["text"] for row in rows_of(done)] == ["a b", "g h"]
    assert {each["why"] for each in changes} == {"expired"}
    assert done.blob("expired") == b"".join(sorted(map(content_digest, ("c d", "e f"))))
    kept, _ = build(content, recipe + "undated = 'keep'\n", tmp_path)
    assert [row["text"] for row in rows_of(kept)] == ["a b", "e f", "g h"]


def test_personal_data_is_replaced_and_both_texts_are_committed_to(tmp_path: Path) -> None:
    """What is written has a placeholder; the content counts as it was read and as it was written."""
    text = "write to jane.roe@example-mail.org about it"
    recipe = "[columns]\ntext = 'text'\n[redaction]\nkinds = ['email']\n"
    done, changes = build({"a.jsonl": json.dumps({"text": text}) + "\n"}, recipe, tmp_path)
    written = text.replace("jane.roe@example-mail.org", "[EMAIL]")
    assert rows_of(done) == [{"text": written}]
    assert done.blob("contents") == b"".join(sorted(map(content_digest, (text, written))))
    assert changes == [
        {"source": "posts", "path": "a.jsonl", "row": 1, "did": "changed", "why": "redacted", "values": {"email": 1}}
    ]
    assert done.head["redacted"] == {"email": 1}
    assert b"jane" not in json.dumps([done.head, changes]).encode()


def test_what_sites_and_pages_reserve_is_left_out(tmp_path: Path) -> None:
    """Rows whose headers or site refuse training go, those whose signals cannot be read too, silent ones stay."""
    lines = [
        {"text": "a b c", "url": "https://open.example/1", "http_headers": "Content-Type: text/html"},
        {"text": "d e f", "url": "https://open.example/2", "http_headers": "tdm-reservation: 1"},
        {"text": "g h i", "url": "https://closed.example/3", "http_headers": None},
        {"text": "j k l", "url": "https://open.example/4", "http_headers": None},
    ]
    content = {
        "a.jsonl": "".join(json.dumps(line) + "\n" for line in lines),
        "signals/closed.example/robots.txt": "User-Agent: *\nContent-Usage: train-ai=n\nAllow: /\n",
    }
    done, changes = build(content, "[columns]\ntext = 'text'\n[signals]\n", tmp_path)
    assert [row["text"] for row in rows_of(done)] == ["a b c", "j k l"]
    assert [(each["row"], each["why"]) for each in changes] == [(2, "reserved"), (3, "reserved")]


def test_columns_that_disagree_are_written_as_text(tmp_path: Path) -> None:
    """A column of numbers in one file and of words in the other is one column of text."""
    content = {"a.jsonl": '{"text": "a b c", "n": 1}\n', "b.jsonl": '{"text": "d e f", "n": "x", "more": [1]}\n'}
    done, _ = build(content, "[columns]\ntext = 'text'\n[output]\nsource-column = 'from'\n", tmp_path)
    assert rows_of(done) == [
        {"text": "a b c", "n": "1", "more": None, "from": "posts"},
        {"text": "d e f", "n": "x", "more": [1], "from": "posts"},
    ]


def test_lines_compressed_with_zstandard_can_be_built_from_again(tmp_path: Path) -> None:
    """What is written as JSON Lines is a table for the next build, row by row the same."""
    rows = [{"text": "a b c", "n": 1, "more": {"x": [None, "ü"]}}, {"text": "d e f", "n": 2, "more": None}]
    content = {"a.jsonl": "".join(json.dumps(row) + "\n" for row in rows)}
    done, _ = build(content, "[output]\nformat = 'jsonl.zst'\n", tmp_path)
    again = MemoryArtifact({"data/train-00000-of-00001.jsonl.zst": done.blob("shard"), "changes.gz": b""})
    (table,) = find_tables(again)
    (batch,) = (piece for part in table.cut() for piece in table.read(part))
    assert isinstance(batch, pa.RecordBatch)
    assert batch.to_pylist() == rows


def test_groups_are_counted_by_what_became_of_them(tmp_path: Path) -> None:
    """For each value of a group column it is known how many rows stay and why others go."""
    lines = [{"text": "a b c", "g": "north"}, {"text": "a", "g": "south"}, {"text": "d e f", "g": "south"}]
    recipe = "[columns]\ngroup = 'g'\ntext = 'text'\n[[filter]]\nname = 'short'\nwords = {least = 2}\n"
    done, _ = build({"a.jsonl": "".join(json.dumps(line) + "\n" for line in lines)}, recipe, tmp_path)
    assert done.head["groups"] == {"g": {"north": {"kept": 1}, "south": {"short": 1, "kept": 1}}}


def test_a_source_that_changed_between_the_looks_is_refused(tmp_path: Path) -> None:
    """Marks for other rows than there are stop the build."""
    (tmp_path / "posts").mkdir()
    head = b"recipe = 1\n[dataset]\nname = 'x'\n[[source]]\nname = 'posts'\npath = 'posts'\n"
    recipe = read_recipe(head, tmp_path)
    plan = make_plan(recipe, recipe.sources[0], ["text"], Given())
    part = {
        "pieces": [{"path": "a.jsonl", "start": 0, "stop": 100}],
        "firsts": [1],
        "marks": base64.b64encode(zlib.compress(b"\0")).decode(),
    }
    options = {"plan": json.loads(json.dumps(plan.to_dict())), "fields": []}
    for lines in ("", '{"text": "a"}\n{"text": "b"}\n'):
        with pytest.raises(FormatError, match="changed while it was read"):
            write(MemoryArtifact({"a.jsonl": lines}), part, options)


@given(st.dictionaries(st.text(max_size=5), st.integers(), max_size=3), st.lists(st.binary(max_size=20), max_size=4))
def test_packets_come_back(head: dict[str, int], blobs: list[bytes]) -> None:
    """What is put into a packet comes out of it."""
    named = [(f"b{number}", data) for number, data in enumerate(blobs)]
    received = receive(learned(Packet(head, named).dump()))
    assert received.head == head
    assert [received.blob(name) for name, _ in named] == blobs


@given(st.binary(max_size=80))
def test_other_bytes_are_no_packet(data: bytes) -> None:
    """Bytes from a process that was taken over raise nothing but what is expected."""
    for sent in (data, Packet({}, [("x", b"abc")]).dump()[:-1], len(data).to_bytes(8, "little") + data):
        with pytest.raises(FormatError):
            receive(learned(sent))


def test_a_survey_about_other_rows_is_refused() -> None:
    """Marks have to be as many as rows, and pieces those that were asked about."""
    pieces = [{"path": "a", "read": 2, "unread": [], "reasons": [], "lost": ""}]
    part = {"pieces": [{"path": "a", "start": 0, "stop": 1}]}
    for head, marks, asked in (
        ({"pieces": pieces}, b"\0", part),
        ({"pieces": pieces}, b"\0\0", {"pieces": []}),
        ({"pieces": [{}]}, b"", part),
        ({}, b"", part),
        ({"pieces": [{**pieces[0], "read": -1}]}, b"", part),
    ):
        with pytest.raises(FormatError):
            read_group(0, learned(Packet(head, [("marks", marks)]).dump(), asked), Path("nowhere"))


@given(st.lists(st.binary(min_size=32, max_size=32), max_size=40))
def test_identifiers_are_listed_once_and_in_order(identifiers: list[bytes]) -> None:
    """Whatever comes in, the list is ascending without repetitions."""
    with tempfile.TemporaryDirectory() as folder:
        spool = Spool(Path(folder) / "drafts")
        spool.add(identifiers)
        spool.add(identifiers[:3])
        _, count = spool.write(Path(folder) / "list")
        assert (Path(folder) / "list").read_bytes() == b"".join(sorted(set(identifiers)))
        assert count == len(set(identifiers))
