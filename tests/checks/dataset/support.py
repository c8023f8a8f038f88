"""What the tests of data sets share: rows as files, and what the checks say of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from hallmarked.checks.dataset.text import TextCheck
from hallmarked.checks.runner import Result, run
from hallmarked.checks.table import TableCheck
from tests.support import MemoryArtifact


def lines(rows: Sequence[Mapping[str, object]]) -> str:
    """Write rows as JSON Lines."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def examined(rows: Sequence[Mapping[str, object]], declared: str = "", *, texts: bool = False) -> Result:
    """Run a check over rows in two files, with what their makers declare."""
    middle = len(rows) // 2
    files: dict[str, bytes | str] = {"data/a.jsonl": lines(rows[:middle]), "data/b.jsonl": lines(rows[middle:])}
    if declared:
        files["dataset.toml"] = declared
    result = run(TextCheck() if texts else TableCheck(), MemoryArtifact(files))
    assert not result.broke
    return result


def values(result: Result, metric: str, **part: str) -> dict[tuple[str, ...], str]:
    """Return the values of a metric by the members of its slices that are not given."""
    found = {}
    for item in result.measurements:
        if item.metric == metric and part.items() <= item.slice.items():
            rest = tuple(value for name, value in item.slice.items() if name not in part and name != "folder")
            found[rest] = item.value
    return found


def rules(result: Result) -> dict[str, list[str]]:
    """Return messages of findings by rule."""
    found: dict[str, list[str]] = {}
    for finding in result.findings:
        found.setdefault(finding.rule, []).append(finding.message)
    return found
