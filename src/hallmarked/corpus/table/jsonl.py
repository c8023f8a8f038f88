"""JSON Lines: one JSON object per line (https://jsonlines.org/)."""

from __future__ import annotations

import json
import secrets
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from hallmarked.core.errors import FormatError
from hallmarked.corpus.table.column import Builder
from hallmarked.corpus.table.line import cut_lines, read_blocks
from hallmarked.corpus.table.model import Format, Part, Piece, Skipped
from hallmarked.formats.blob import Blob

TOGETHER = 256
"""Lines that are parsed together; a broken one costs the others of them some time."""
_MARK = secrets.token_hex(16)
"""Stands between lines that are parsed together. No file can hold it, so that no line can pass for more than itself."""
_BETWEEN = f',"{_MARK}",'.encode()


def read_jsonl(blob: Blob, part: Part) -> Iterator[Piece]:
    """Yield the objects of the lines of a part; lines of white space are no rows."""
    builder = Builder()
    for block in read_blocks(blob, part):
        if isinstance(block, Skipped):
            yield block
            continue
        for start in range(0, len(block.lines), TOGETHER):
            lines = block.lines[start : start + TOGETHER]
            rows = _parse_together(lines)
            if rows is None:
                yield from _parse_apart(builder, lines, block.number + start)
            else:
                yield from builder.extend(rows, list(map(len, lines)))
    yield from builder.finish()


def _parse_together(lines: Sequence[bytes]) -> list[dict[str, Any]] | None:
    """Read lines in one go, which is much faster; None when one of them is no JSON object, or empty."""
    try:
        text = b"".join((b"[", _BETWEEN.join(lines), b"]")).decode("utf-8")
        found = json.loads(text)
        if "\\u" in text:
            json.dumps(found, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return None
    rows = found[::2]
    if len(found) != 2 * len(lines) - 1 or found[1::2].count(_MARK) != len(lines) - 1:
        return None
    return rows if all(type(row) is dict for row in rows) else None


def _parse_apart(builder: Builder, lines: Sequence[bytes], number: int) -> Iterator[Piece]:
    """Read lines one by one, and say which cannot be read."""
    for index, line in enumerate(lines):
        if line.strip():
            try:
                row = parse_object(line)
            except FormatError as error:
                yield Skipped(str(error), number + index)
            else:
                yield from builder.add(row, len(line))


def parse_object(data: bytes) -> dict[str, Any]:
    """Read one JSON object.

    Raises:
        FormatError: When it is none.
    """
    try:
        text = data.decode("utf-8")
        row = json.loads(text)
        if "\\u" in text:
            json.dumps(row, ensure_ascii=False).encode()  # half characters cannot be kept
    except UnicodeDecodeError as error:
        raise FormatError("the row is not UTF-8", offset=error.start) from error
    except UnicodeEncodeError as error:
        raise FormatError("the row holds half of a character") from error
    except json.JSONDecodeError as error:
        raise FormatError(f"the row is not JSON: {error.msg}", offset=error.pos) from error
    except ValueError as error:  # converting digits takes time that grows with their square
        raise FormatError(f"the row holds a number of more than {sys.get_int_max_str_digits():,} digits") from error
    except RecursionError as error:
        raise FormatError("the row is nested too deep") from error
    if not isinstance(row, dict):
        raise FormatError("the row is not a JSON object")
    return row


JSONL = Format("jsonl", cut_lines, read_jsonl)
