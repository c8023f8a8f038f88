"""The first look at the rows of a source: what a row alone decides, and what is needed to decide about all together.

Runs in confined processes (``corpus.engine``), which hand back packets:

=========== ===========================================================================================================
``pieces``  in the head: how many rows of each piece were read, and which were not
``fields``  in the head: the columns that are kept, with their types
``columns`` in the head: the names of all columns, see ``named``
``marks``   one byte for each row that was read: 0 when it stays so far, else its reason
``days``    in the head: how many rows had no readable day
``texts``   what is needed to find copies of the rows that stay so far, see ``corpus.duplicate.state``
=========== ===========================================================================================================
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from hallmarked.core.artifact import Artifact
from hallmarked.core.check import Part
from hallmarked.core.errors import BackendError, FormatError, LimitExceeded, NotFound
from hallmarked.corpus.declaration import read_declaration
from hallmarked.corpus.duplicate.sketch import Settings
from hallmarked.corpus.duplicate.state import NEAR, WORDS, Builder
from hallmarked.corpus.signal.row import Sites, read_sites
from hallmarked.corpus.table.column import MIXED
from hallmarked.corpus.table.find import Table, find_tables
from hallmarked.corpus.text.column import text_columns
from hallmarked.transforms.dataset.consent import mark_refused
from hallmarked.transforms.dataset.field import unify
from hallmarked.transforms.dataset.filter import column_at
from hallmarked.transforms.dataset.leak import leaked
from hallmarked.transforms.dataset.named import column_names
from hallmarked.transforms.dataset.packet import Packet
from hallmarked.transforms.dataset.plan import Plan, read_plan
from hallmarked.transforms.dataset.recipe import EXPIRED, LEAKED, SAMPLED
from hallmarked.transforms.dataset.redact import redact_texts
from hallmarked.transforms.dataset.row import Piece, digests_of, pieces_of, read_piece, texts_of
from hallmarked.transforms.dataset.signal import mark_reserved

Marks = npt.NDArray[np.uint8]
CUT, SURVEY = "hallmarked.transforms.dataset.survey:cut", "hallmarked.transforms.dataset.survey:survey"
"""Names of the tasks for ``corpus.engine``."""


def cut(artifact: Artifact, _part: Part, options: Mapping[str, Any]) -> bytes:
    """Say of which parts a source consists, and which columns hold its texts.

    They are those that the recipe names, else those that the source itself declares, else found by their values.

    Raises:
        FormatError: When what the source declares cannot be understood.
    """
    declared = list(options.get("texts", ())) or list(read_declaration(artifact).columns.text)
    tables = find_tables(artifact)
    parts: list[dict[str, Any]] = []
    broken: list[dict[str, str]] = []
    for table in tables:
        try:
            pieces = table.cut()
        except (FormatError, BackendError, NotFound) as error:
            broken.append({"path": table.path, "reason": str(error)[:200]})
            continue
        size = table.blob.size // max(1, len(pieces))
        parts += [{"path": table.path, "start": p.start, "stop": p.stop, "bytes": size} for p in pieces]
    found = declared or _find_texts(tables)
    return json.dumps({"pieces": parts, "broken": broken, "texts": found}).encode()


def _find_texts(tables: Sequence[Table]) -> list[str]:
    """Find the columns that hold texts by the first rows of the source."""
    for table in tables:
        try:
            pieces = table.cut()
        except (FormatError, BackendError, NotFound):
            continue
        for part in pieces[:1]:
            for found in table.read(part):
                if isinstance(found, pa.RecordBatch) and found.num_rows:
                    return text_columns(found)
    return []


def survey(artifact: Artifact, part: Part, options: Mapping[str, Any]) -> bytes:
    """Look at the rows of some pieces of a source."""
    plan = read_plan(options)
    marks: list[Marks] = []
    builder = Builder(Settings(**plan.copies), NEAR if plan.near else WORDS) if plan.copies is not None else None
    fields: dict[str, tuple[str, str]] = {}
    columns: set[str] = set()
    undated = 0
    pieces = pieces_of(part)
    sites = read_sites(artifact) if plan.signals is not None else {}
    for batch in _batches(artifact, pieces):
        texts = texts_of(batch, plan.texts)
        mark, dateless = judge(plan, batch, texts, sites)
        undated += dateless
        marks.append(mark)
        if builder is not None:  # rows that go are nobody's original
            left = ["" if gone else text for text, gone in zip(texts, mark.tolist(), strict=True)]
            builder.add(redact_texts(plan, left))
        _note_fields(fields, batch, plan)
        columns.update(column_names(batch.schema))
    head = {
        "pieces": [piece.to_dict() for piece in pieces],
        "fields": [[name, kind, written] for name, (kind, written) in fields.items()],
        "columns": sorted(columns),
        "undated": undated,
    }
    if builder is not None and builder.left + builder.bare:
        raise LimitExceeded("a part has more rows than can be compared; choose smaller shard-bytes")
    blobs = [("marks", b"".join(mark.tobytes() for mark in marks)), ("texts", builder.dump() if builder else b"")]
    return Packet(head, blobs).dump()


def _batches(artifact: Artifact, pieces: Sequence[Piece]) -> Iterator[pa.RecordBatch]:
    for piece in pieces:
        yield from read_piece(artifact, piece)


def judge(plan: Plan, batch: pa.RecordBatch, texts: Sequence[str], sites: Sites) -> tuple[Marks, int]:
    """Mark the rows that a rule removes which looks at one row alone; the first reason counts.

    Returns:
        The marks, and how many rows had no readable day.
    """
    marks = np.zeros(batch.num_rows, np.uint8)
    undated = 0
    if plan.expired:
        marks[:] = plan.mark(EXPIRED)
    elif plan.day_column:
        old, without = _expired(plan, batch)
        undated = int(without.sum())
        marks[old | (without & plan.drop_undated)] = plan.mark(EXPIRED)
    if plan.consent is not None:
        marks = np.where(marks == 0, mark_refused(plan, batch, texts), marks)
    if plan.signals is not None:
        marks = np.where(marks == 0, mark_reserved(plan, batch, sites), marks)
    if plan.sample < 1:
        _set(marks, ~_sampled(plan, digests_of(texts)), plan.mark(SAMPLED))
    for rule in plan.filters:
        _set(marks, rule.removed(batch, texts), plan.mark(rule.name))
    if plan.benchmarks:
        _set(marks, leaked(plan, texts), plan.mark(LEAKED))
    return marks, undated


def _set(marks: Marks, rows: npt.NDArray[np.bool_], mark: int) -> None:
    marks[rows & (marks == 0)] = mark


def _expired(plan: Plan, batch: pa.RecordBatch) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Say which rows are too old, and which have no readable day."""
    try:
        column = column_at(batch, plan.day_column)
    except KeyError:
        return np.zeros(batch.num_rows, bool), np.ones(batch.num_rows, bool)
    if pa.types.is_date(column.type) or pa.types.is_timestamp(column.type):
        column = pc.cast(column, pa.date32(), safe=False)
    days = [_day(value) for value in column.to_pylist()]
    old = np.fromiter((day is not None and day < plan.oldest for day in days), bool, len(days))
    return old, np.fromiter((day is None for day in days), bool, len(days))


def _day(value: object) -> str | None:
    """Return a day as 2026-11-21, which sorts as days do; None when a value is none."""
    if isinstance(value, datetime.date):
        return value.isoformat()[:10]
    if isinstance(value, str):
        try:
            return datetime.date.fromisoformat(value.strip()[:10]).isoformat()
        except ValueError:
            return None
    return None


def _sampled(plan: Plan, digests: Sequence[bytes]) -> npt.NDArray[np.bool_]:
    """Choose rows by their content, so that a copy is chosen when its original is."""
    bound = int(plan.sample * 2**64)
    seed = plan.seed.to_bytes(8, "big")

    def chosen(digest: bytes) -> bool:
        return int.from_bytes(hashlib.sha256(seed + digest).digest()[:8], "big") < bound

    return np.fromiter(map(chosen, digests), bool, len(digests))


def _note_fields(fields: dict[str, tuple[str, str]], batch: pa.RecordBatch, plan: Plan) -> None:
    """Note the type of each column that will be written; one that changes becomes text."""
    for field in batch.schema:
        if plan.keep and field.name not in plan.keep:
            continue
        kind = "mixed" if field.metadata and MIXED.items() <= field.metadata.items() else str(field.type)
        written = base64.b64encode(pa.schema([pa.field(field.name, field.type)]).serialize().to_pybytes()).decode()
        if field.name in fields:
            kind, written = unify(fields[field.name], (kind, written))
        fields[field.name] = (kind, written)
