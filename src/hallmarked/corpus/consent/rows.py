"""Find every row in which an identifier stands, for whoever asks for a copy of their data.

The search is exact but for case and white space: what was spelt otherwise, or stands in pictures and recordings, is not
found, and whoever answers has to say so. An identifier inside of a longer one does not count: the row of
``joann@example.org`` is not one of ``ann@example.org``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hallmarked.core.artifact import Artifact
from hallmarked.core.check import Part
from hallmarked.core.errors import FormatError, InputError
from hallmarked.corpus.table.find import table_at
from hallmarked.corpus.table.model import Skipped
from hallmarked.corpus.text.column import strings

TASK = f"{__name__}:find_rows"
"""What each table is looked through by, see ``hallmarked.corpus.engine``."""
SHORTEST = 4
"""Characters of an identifier that is searched for: shorter ones stand in too many rows of others."""
MOST_BYTES = 32 << 20
"""Bytes of rows of one table."""


def pattern_of(identifiers: Sequence[str]) -> str:
    """Return the pattern (RE2) of rows in which one of some identifiers stands.

    Raises:
        InputError: When there are none, or one is too short.
    """
    words = [identifier.split() for identifier in identifiers]
    if not words or any(sum(map(len, parts)) < SHORTEST for parts in words):
        raise InputError(f"what is searched for has at least {SHORTEST} characters")
    each = (r"\s+".join(re.escape(part) for part in parts) for parts in words)
    return rf"(?i)(?:^|[^\w.+@-])(?:{'|'.join(each)})(?:\.*(?:[^\w.@-]|$))"


def find_rows(artifact: Artifact, part: Part, options: Mapping[str, Any]) -> bytes:
    """Return the rows of a table in which an identifier stands, as JSON lines, after a line that counts them.

    Args:
        artifact: The data set.
        part: Names the table (``path``).
        options: ``identifiers``, a list of texts.

    Raises:
        InputError: When there is nothing to search for.
        FormatError: When the table cannot be read at all.
    """
    path, pattern = str(part["path"]), pattern_of(options["identifiers"])
    table, lines, size = table_at(artifact, path), [], 0
    counts: dict[str, Any] = {"path": path, "rows": 0, "found": 0, "unread": 0, "cut": False}
    number = 0
    for piece in (piece for cut in table.cut() for piece in table.read(cut)):
        if isinstance(piece, Skipped):
            counts["unread"] += piece.rows or 1
            number += piece.rows or 0
            continue
        for row, columns in _found(piece, pattern):
            line = _line(path, number + row + 1, columns, piece.slice(row, 1).to_pylist()[0])
            counts["found"] += 1
            size += len(line)
            if size > MOST_BYTES:
                counts["cut"] = True
                break
            lines.append(line)
        number += piece.num_rows
        counts["rows"] += piece.num_rows
    return b"".join([json.dumps(counts).encode() + b"\n", *lines])


def read_found(data: bytes) -> tuple[dict[str, Any], bytes]:
    """Take apart what :func:`find_rows` returned: counts, and the rows as JSON lines.

    Raises:
        FormatError: When it is something else.
    """
    first, _, rows = data.partition(b"\n")
    try:
        counts = json.loads(first)
        return {name: counts[name] for name in ("path", "rows", "found", "unread", "cut")}, rows
    except (ValueError, KeyError, TypeError):
        raise FormatError("what was found in a table cannot be understood") from None


def _found(batch: pa.RecordBatch, pattern: str) -> Iterator[tuple[int, list[str]]]:
    """Yield rows of a batch with the columns in which something stands."""
    places: dict[int, set[str]] = {}
    for each in strings(batch):
        hits = pc.match_substring_regex(each.values, pattern).to_numpy(zero_copy_only=False)
        for row in np.unique(each.rows[hits]).tolist():
            places.setdefault(row, set()).add(each.column)
    yield from ((row, sorted(places[row])) for row in sorted(places))


def _line(path: str, number: int, columns: list[str], values: Mapping[str, Any]) -> bytes:
    row = {"path": path, "row": number, "columns": columns, "values": values}
    return json.dumps(row, ensure_ascii=False, default=_plain).encode("utf-8", "replace") + b"\n"


def _plain(value: object) -> str:
    """Write what JSON has no form for: times as text, bytes by their number only."""
    return f"{len(value):,} bytes" if isinstance(value, bytes | bytearray | memoryview) else str(value)
