"""A flat table of results and claims (CSV, RFC 4180), for spreadsheets.

A cell that a spreadsheet would take for a formula is written with a mark before it, and read back without.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping

from hallmarked.core.errors import FormatError
from hallmarked.exchange.sheet import Claim, Result, Sheet, read_slice, slice_text

COLUMNS = (
    "what",
    "about",
    "name",
    "value",
    "unit",
    "n",
    "low",
    "high",
    "slice",
    "dataset",
    "status",
    "reason",
    "text",
    "evidence",
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "'")
"""Beginnings of cells that are formulas to a spreadsheet (https://owasp.org/www-community/attacks/CSV_Injection)."""


def write(sheet: Sheet) -> bytes:
    """Write the results and claims of a sheet, a row each."""
    stream = io.StringIO(newline="")
    writer = csv.DictWriter(stream, COLUMNS, restval="")
    writer.writeheader()
    for row in _rows(sheet):
        writer.writerow({name: _plain(value) for name, value in row.items()})
    return stream.getvalue().encode()


def _rows(sheet: Sheet) -> Iterator[dict[str, str]]:
    for one in sheet.results:
        low, high = one.interval or ("", "")
        yield {
            "what": "result", "about": sheet.name, "name": one.metric, "value": one.value, "unit": one.unit,
            "n": "" if one.n is None else str(one.n), "low": low, "high": high, "slice": slice_text(one.slice),
            "dataset": one.dataset, "status": one.status, "evidence": " ".join(one.evidence),
        }  # fmt: skip
    for said in sheet.claims:
        yield {
            "what": "claim", "about": sheet.name, "name": said.kind, "value": said.value, "status": said.status,
            "reason": said.reason, "text": said.text, "evidence": " ".join(said.evidence),
        }  # fmt: skip


def _plain(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) and not _is_number(cell) else cell


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def read(data: bytes) -> Sheet:
    """Read the results and claims of such a table.

    Raises:
        FormatError: When it is not one; names the line.
    """
    try:
        reader = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
        if reader.fieldnames is None or not {"what", "name", "value"} <= set(reader.fieldnames):
            raise FormatError(f"line 1: the table must have the columns {', '.join(COLUMNS)}")
        found = [({name: _bare(cell) for name, cell in row.items() if name}, reader.line_num) for row in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise FormatError(f"this is not a CSV table in UTF-8: {error}") from error
    results, claims = [], []
    for row, line in found:
        if row["what"] == "result":
            results.append(_result(row, line))
        elif row["what"] == "claim":
            claims.append(_claim(row))
        else:
            raise FormatError(f"line {line}: a row is a result or a claim, not “{row['what']}”")
    about = next((row.get("about", "") for row, _ in found), "")
    return Sheet("model", about, (), "", results=tuple(results), claims=tuple(claims))


def _claim(row: Mapping[str, str]) -> Claim:
    kind, value, text, status, reason = (row.get(name, "") for name in ("name", "value", "text", "status", "reason"))
    return Claim(kind, value, text, status, reason, _ids(row))


def _bare(cell: object) -> str:
    written = cell if isinstance(cell, str) else ""
    return written[1:] if written.startswith("'") and written[1:].startswith(_FORMULA) else written


def _ids(row: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(row.get("evidence", "").split())


def _result(row: Mapping[str, str], line: int) -> Result:
    n, low, high = (row.get(name, "") for name in ("n", "low", "high"))
    if n and not (n.isascii() and n.isdecimal() and len(n) < 19):
        raise FormatError(f"line {line}: n must be a whole number, not “{n[:40]}”")
    return Result(
        row["name"],
        row["value"],
        row.get("unit", ""),
        int(n) if n else None,
        (low, high) if low and high else None,
        read_slice(row.get("slice", "")),
        row.get("dataset", ""),
        row.get("status", ""),
        _ids(row),
    )
