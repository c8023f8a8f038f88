"""What is told of the columns of a data set.

========================= ============================================================================================
``column.values``         values that are there; the slice names the ``column`` and the ``folder`` of its files
``column.missing``        rows that have no value there
``column.kind``           ``text``, ``integer``, ``number``, ``boolean``, ``time``, ``bytes``, ``list``, ``object``, or
                          ``mixed`` when rows differ
``column.different``      how many values differ; with an interval where it is an estimate
``column.bytes``          of texts (in UTF-8) and binary values
``column.words``          words of texts, as separated by white space
``column.length.mean``    characters of texts, bytes of binary values, items of lists; likewise ``.least``,
                          ``.greatest`` and, of their quantiles, ``.p05``, ``.p25``, ``.p50``, ``.p75``, ``.p95``
``column.length.count``   how many lengths are at least ``from`` and below ``to``
``column.mean``           of numbers; likewise the others
``column.share``          share of the values that are ``value``, for columns of a few values that each occur often
========================= ============================================================================================

Quantiles are exact where they are whole numbers below 256, else at most 1/128 too low.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from hallmarked.core.evidence import Finding, Item, Level, Measurement, Rule

if TYPE_CHECKING:
    from hallmarked.corpus.measure.column import Column
    from hallmarked.corpus.measure.distinct import Distinct
    from hallmarked.corpus.measure.spread import Spread

EMPTY = Rule("TAB003", Level.NOTE, "A column holds nothing", "Fill it, or leave it out.")
MIXED = Rule(
    "TAB004",
    Level.NOTE,
    "Values of a column are of several kinds",
    "Write them all in one way; loaders refuse such a column, or turn its values into something else.",
)
RULES = (EMPTY, MIXED)
OFTEN = 5
"""How often a value has to occur so that it can be shown; rarer ones may point to a person."""
QUANTILES: Mapping[str, float] = {"p05": 0.05, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p95": 0.95}


def tell_column(place: Mapping[str, str], column: Column) -> Iterator[Item]:
    """Tell what was counted of a column.

    Args:
        place: Its slice: ``column``, and ``folder`` unless it is that of the data set.
        column: What was counted.
    """
    from hallmarked.corpus.measure.interval import share_interval  # noqa: PLC0415 -- needs the extra "data"

    rows = column.values + column.missing
    yield Measurement("column.values", str(column.values), n=rows, slice=place)
    yield Measurement("column.missing", str(column.missing), n=rows, slice=place)
    if not column.values:
        yield Finding.of(EMPTY, f"Column {named(place)} holds nothing in {column.missing:,} rows")
        return
    kind = kind_of(column)
    yield Measurement("column.kind", kind, slice=place)
    if kind == "mixed":
        kinds = ", ".join(f"{count:,} {name}" for name, count in sorted(column.kinds.items()))
        yield Finding.of(MIXED, f"Column {named(place)} holds values of several kinds: {kinds}")
    if not column.kinds.keys() & {"list", "object"}:
        yield count_of("column.different", column.different, place, column.values)
    if column.bytes:
        yield Measurement("column.bytes", str(column.bytes), unit="bytes", slice=place)
    if column.words:
        yield Measurement("column.words", str(column.words), slice=place)
    yield from tell_spread("column.length", column.lengths, place)
    yield from tell_spread("column", column.numbers, place)
    for start, stop, count in column.lengths.ranges():
        part = {**place, "from": f"{start:.0f}", "to": f"{stop:.0f}"}
        yield Measurement("column.length.count", str(count), n=column.lengths.count, slice=part)
    labels = column.labels
    if labels is not None and min(labels.values()) >= OFTEN:
        for value, count in sorted(labels.items()):
            share, interval = share_of(count, column.values), share_interval(count, column.values)
            part = {**place, "value": value}
            yield Measurement("column.share", share, n=column.values, interval=interval, slice=part)


def tell_spread(name: str, found: Spread, place: Mapping[str, str]) -> Iterator[Measurement]:
    """Tell mean, ends and quantiles of numbers."""
    if found.count:
        values = {"mean": found.mean, "least": found.least, "greatest": found.greatest}
        values |= {part: found.quantile(share) for part, share in QUANTILES.items()}
        for part, value in values.items():
            assert value is not None
            yield Measurement(f"{name}.{part}", f"{value:.6g}", n=found.count, slice=place)


def share_of(count: int, n: int) -> str:
    """Write a share, so precisely that the count follows from it and ``n``."""
    return f"{count / n:.{max(6, len(str(n)) + 1)}f}"


def count_of(metric: str, found: Distinct, place: Mapping[str, str], n: int) -> Measurement:
    """Tell how many different things there are."""
    interval = None if found.interval is None else (str(found.interval[0]), str(found.interval[1]))
    return Measurement(metric, str(found.number), n=n, interval=interval, slice=place)


def kind_of(column: Column) -> str:
    """Name the kind of a column's values; ``mixed`` when they differ by more than that some numbers are whole."""
    if column.kinds.keys() == {"integer", "number"}:
        return "number"
    return "mixed" if len(column.kinds) > 1 else next(iter(column.kinds), "")


def named(place: Mapping[str, str]) -> str:
    """Write which column it is."""
    return f"{place['column']!r}" + (f" in {place['folder']}" if place.get("folder") else "")
