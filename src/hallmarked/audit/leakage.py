"""What leaked, for those who evaluate: which items of a benchmark to leave out, and results without them.

A split is a view: it follows from the statement of the check ``benchmark-leakage`` and holds nothing else.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hallmarked.checks.runner import items
from hallmarked.core.errors import FormatError
from hallmarked.core.evidence import Measurement, Statement

TYPE = "urn:hallmarked:benchmark-split:v1"
CHECK = "benchmark-leakage"
IDS = ("item", "id", "doc_id", "sample_id", "task_id", "example_id", "question_id")
"""Columns of results that may name the item, the first that is there."""
MOST_BYTES = 256 << 20


def to_split(statement: Statement) -> dict[str, Any]:
    """Return which items of each benchmark stand in a data set, as JSON.

    Items that are not listed were not found by this method; nothing says that they are not there.

    Args:
        statement: Of the check ``benchmark-leakage``.
    """
    benchmarks = {subject.name: _empty(subject.name, subject.digest) for subject in statement.subjects[1:]}
    method: dict[str, str] = {}
    for item in items(statement):
        if not isinstance(item, Measurement):
            continue
        if item.metric == "leak.method":
            method[item.slice["setting"]] = item.value
        elif item.slice.get("benchmark") in benchmarks:
            _take(benchmarks[item.slice["benchmark"]], item)
    about = statement.subjects[0]
    return {
        "type": TYPE,
        "dataset": {"name": about.name, "digest": dict(about.digest)},
        "outcome": statement.predicate["outcome"],
        "reason": statement.predicate.get("reason", ""),
        "method": method,
        "benchmarks": list(benchmarks.values()),
    }


def _empty(name: str, digest: Mapping[str, str]) -> dict[str, Any]:
    return {"name": name, "digest": dict(digest), "recipe": "", "items": 0, "strong": [], "possible": []}


def _take(benchmark: dict[str, Any], item: Measurement) -> None:
    match item.metric:
        case "leak.items":
            benchmark["items"], benchmark["recipe"] = int(item.value), item.slice.get("recipe", "")
        case "leak.item" if item.value in ("strong", "possible"):
            benchmark[item.value].append(item.slice["item"])
        case "leak.not_found" | "leak.too_short":
            benchmark[item.metric.removeprefix("leak.")] = int(item.value)


@dataclass(frozen=True, slots=True)
class Group:
    """Results on some of the items."""

    name: str
    n: int
    mean: float | None
    """None when there are none."""
    error: float | None
    """Standard error of the mean; None for fewer than two."""


def rescore(split: Mapping[str, Any], name: str, results: Iterable[Mapping[str, Any]]) -> dict[str, Sequence[Group]]:
    """Average results over all items, those that were found, and those that were not.

    Args:
        split: What :func:`to_split` returned.
        name: The benchmark.
        results: One object per item: its id, and numbers (or true and false) under the names of metrics.

    Returns:
        Groups by metric: ``all``, ``not found``, ``possible``, ``strong``.

    Raises:
        FormatError: When the split is none, or does not know the benchmark, or results name no known kind of id, or
            an id twice.
    """
    chosen = _benchmark(split, name)
    levels = {str(each): level for level in ("possible", "strong") for each in chosen[level]}
    column = ""
    values: dict[str, list[tuple[str, float]]] = {}
    seen: set[str] = set()
    for row in results:
        column = column or next((each for each in IDS if each in row), "")
        if not column or row.get(column) is None:
            raise FormatError(f"a result names no item; one of these must do so: {', '.join(IDS)}")
        item = str(row[column])
        if item in seen:
            raise FormatError(f"there are two results of item {item}")
        seen.add(item)
        for metric, value in row.items():
            if metric != column and isinstance(value, bool | int | float) and math.isfinite(value):
                values.setdefault(metric, []).append((levels.get(item, "not found"), float(value)))
    unknown = levels.keys() - seen
    if len(unknown) == len(levels) > 0:
        raise FormatError(
            f"no result is of an item that was found in the data; ids of {name} look like {min(unknown)!r}"
        )
    return {metric: _groups(pairs) for metric, pairs in sorted(values.items())}


def _benchmark(split: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    try:
        if split["type"] != TYPE:
            raise FormatError("this is not a split that hallmarked corpus leakage wrote")
        known = {str(each["name"]): each for each in split["benchmarks"]}
        if name not in known:
            raise FormatError(f"the split knows no benchmark {name}; it knows: {', '.join(known)}")
        for level in ("strong", "possible"):
            if not isinstance(known[name][level], list):
                raise FormatError("the split lacks its lists of items")
    except (KeyError, TypeError) as error:
        raise FormatError("this is not a split that hallmarked corpus leakage wrote") from error
    found: Mapping[str, Any] = known[name]
    return found


def _groups(pairs: Sequence[tuple[str, float]]) -> Sequence[Group]:
    by_level = {
        name: [value for level, value in pairs if level == name] for name in ("not found", "possible", "strong")
    }
    return [_group("all", [value for _, value in pairs]), *(_group(name, each) for name, each in by_level.items())]


def _group(name: str, values: Sequence[float]) -> Group:
    n = len(values)
    if not n:
        return Group(name, 0, None, None)
    mean = math.fsum(values) / n
    spread = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (n - 1) / n) if n > 1 else None
    return Group(name, n, mean, spread)


def read_split(data: bytes) -> Mapping[str, Any]:
    """Read a split.

    Raises:
        FormatError: When it is none.
    """
    try:
        split = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise FormatError("the split is not JSON") from error
    if not isinstance(split, dict):
        raise FormatError("this is not a split that hallmarked corpus leakage wrote")
    return split
