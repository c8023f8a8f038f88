"""JSON Lines: one JSON object per line (https://jsonlines.org/)."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

from hallmarked.core.errors import FormatError
from hallmarked.corpus.table.column import Builder
from hallmarked.corpus.table.line import cut_lines, read_lines
from hallmarked.corpus.table.model import Format, Part, Piece, Skipped
from hallmarked.formats.blob import Blob


def read_jsonl(blob: Blob, part: Part) -> Iterator[Piece]:
    """Yield the objects of the lines of a part; lines of white space are no rows."""
    builder = Builder()
    for line in read_lines(blob, part):
        if isinstance(line, Skipped):
            yield line
        elif line.data.strip():
            try:
                row = parse_object(line.data)
            except FormatError as error:
                yield Skipped(str(error), line.number)
            else:
                yield from builder.add(row, len(line.data))
    yield from builder.finish()


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
