"""What the page about scale says follows from what it says was measured, and its limits are those of the code."""

from __future__ import annotations

import dataclasses
import importlib
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "explanation" / "scale.md").read_text("utf-8")
BYTES = 10e12
Rows = list[dict[str, str]]


def table(first: str) -> Rows:
    """Return the rows of the table whose first column has this name."""
    block = next(part for part in PAGE.split("\n\n") if part.startswith(f"| {first} |"))
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in block.strip().splitlines()]
    return [dict(zip(lines[0], line, strict=True)) for line in lines[2:]]


def number(cell: str) -> float:
    return float(cell.replace(",", ""))


def close(value: float) -> Any:
    """Numbers of three digits."""
    return pytest.approx(value, rel=0.0051)


def value_of(name: str) -> Any:
    """Return a constant of the code, or the default of a field of one of its dataclasses."""
    parts = name.split(".")
    at = next(place for place, part in enumerate(parts) if not part.islower())
    found: Any = importlib.import_module(".".join(["hallmarked", *parts[:at]]))
    for part in parts[at:]:
        if dataclasses.is_dataclass(found):
            return next(field.default for field in dataclasses.fields(found) if field.name == part)
        found = getattr(found, part)
    return found


def test_large_sizes_follow_from_unit_costs() -> None:
    """Hours and terabytes at 10 TB are the unit costs of the page times its size, for every step."""
    unit = {row["step"]: row for row in table("step")}
    large = {row["step, 10 TB"]: row for row in table("step, 10 TB")}
    assert unit.keys() == large.keys()
    assert len(unit) > 20
    for name, row in large.items():
        hours = BYTES / 1e6 / number(unit[name]["MB of text per CPU-second"]) / 3600
        assert number(row["CPU-hours"]) == close(hours), name
        for cores in (1, 16, 640):
            parted = cores if unit[name]["done by"] == "many processes" else 1
            assert number(row[f"hours, {cores} core{'s' if cores > 1 else ''}"]) == close(hours / parted), name
        assert number(row["kept, TB"]) == close(number(unit[name]["bytes kept per byte of text"]) * 10), name


def test_jobs_are_the_sums_of_their_steps() -> None:
    """The hours of an audit, an index and a build are those of their steps, in all and in one process."""
    unit = {row["step"]: row for row in table("step")}
    for row, begin in zip(table("job, 10 TB"), ("audit: ", "index: ", "build: "), strict=True):
        hours = {
            name: BYTES / 1e6 / number(cost["MB of text per CPU-second"]) / 3600
            for name, cost in unit.items()
            if name.startswith(begin)
        }
        alone = sum(each for name, each in hours.items() if unit[name]["done by"] == "one process")
        whole = sum(hours.values())
        assert number(row["CPU-hours"]) == close(whole)
        assert number(row["of these in one process"]) == close(alone)
        assert number(row["hours, 16 cores"]) == close(alone + (whole - alone) / 16)
        assert number(row["hours, 640 cores"]) == close(alone + (whole - alone) / 640)
        assert number(row["if all of it were parted, 640 cores"]) == close(whole / 640)


def test_limits_are_reached_where_the_page_says() -> None:
    """The sizes at which limits are reached follow from the limits and what one of them stands for, least first."""
    rows = table("limit")
    numbers = {row["number"]: number(row["value"]) for row in table("number")}
    sizes = [number(row["reached at, GB of text"]) for row in rows]
    assert sizes == sorted(sizes)
    of_row = numbers["bytes of text of a row"]
    for row, size in zip(rows, sizes, strict=True):
        assert size == close(number(row["value"]) * number(row["bytes of text for each"]) / 1e9), row["limit"]
    each = {row["limit"].strip("`"): number(row["bytes of text for each"]) for row in rows}
    assert each["corpus.measure.row.MOST_ROWS"] == close(of_row)
    assert each["corpus.duplicate.find.Limits.rows"] == close(of_row)
    assert each["corpus.duplicate.find.Limits.sets"] == close(numbers["bytes of text of a word"] / 8)
    assert each["corpus.duplicate.passage.RANGE_NAMES"] == close(numbers["bytes of text of a name of a passage"])
    assert each["50 ms of computing"] == close((64 << 20) / numbers["CPU ms that a block adds to a question"])


def test_limits_are_those_of_the_code() -> None:
    """Every constant that the page names has the value that the page says."""
    named = re.findall(r"^\| `([\w.]+)` \| ([\d,]+) \|", PAGE, re.MULTILINE)
    assert len(named) > 30
    wrong = [(name, shown, value_of(name)) for name, shown in named if int(number(shown)) != value_of(name)]
    assert not wrong
