"""What is told of columns that hold dates: how old the data is.

========================= ============================================================================================
``date.values``           values that say a date; the slice names the ``column`` and the ``folder``
``date.missing``          rows that have no value
``date.unread``           values that say no date this program can read
``date.oldest``           likewise ``date.p05``, ``date.p25``, ``date.p50``, ``date.p75``, ``date.p95``, ``date.newest``
``date.count``            values of one ``period``: years, or months where all dates lie within five years. Periods
                          without any value between others count 0, so that gaps are seen
========================= ============================================================================================
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from hallmarked.checks.dataset.column import QUANTILES, named
from hallmarked.core.evidence import Finding, Item, Level, Measurement, Rule

if TYPE_CHECKING:
    from hallmarked.corpus.measure.column import Column
    from hallmarked.corpus.measure.day import Days

UNREAD = Rule(
    "DAT001",
    Level.NOTE,
    "Dates cannot be read",
    "Write dates as 2026-01-31; what 03/04/2021 means depends on the country.",
)
RULES = (UNREAD,)
DATES = 0.9
"""Share of values that are dates from which a column is one of dates."""
YEARS_BY_MONTH = 5
"""Years that are shown month by month."""
OFTEN = 0.01
"""Share of values without a date from which it is a warning."""


def tell_age(place: Mapping[str, str], column: Column, declared: bool) -> Iterator[Item]:
    """Tell from when the values of a column are, when it is a column of dates.

    Args:
        place: Its slice.
        column: What was counted.
        declared: Whether the makers say that it holds dates.
    """
    days = column.days
    total = days.total
    if not column.values or not (declared or total >= DATES * column.values):
        return
    yield Measurement("date.values", str(total), n=column.values + column.missing, slice=place)
    yield Measurement("date.missing", str(column.missing), n=column.values + column.missing, slice=place)
    yield Measurement("date.unread", str(column.values - total), n=column.values, slice=place)
    if total < column.values:
        unread = column.values - total
        level = Level.WARNING if unread > OFTEN * column.values else Level.NOTE
        message = f"{unread:,} of {column.values:,} values of {named(place)} say no date that can be read"
        yield Finding.of(UNREAD, message, level=level)
    if not total:
        return
    ends = {"oldest": min(days.counts), **{name: days.quantile(share) for name, share in QUANTILES.items()}}
    for name, day in {**ends, "newest": max(days.counts)}.items():
        yield Measurement(f"date.{name}", day, n=total, slice=place)
    for period, count in periods(days):
        yield Measurement("date.count", str(count), n=total, slice={**place, "period": period})


def periods(days: Days) -> list[tuple[str, int]]:
    """Count dates by month, or by year where they lie further apart or say no month; periods between count too."""
    first, last = int(min(days.counts)[:4]), int(max(days.counts)[:4])
    months = last - first < YEARS_BY_MONTH and all(len(day) > 4 for day in days.counts)
    found = dict(days.by(7 if months else 4))
    if not months:
        return [(f"{year:04d}", found.get(f"{year:04d}", 0)) for year in range(first, last + 1)]
    named_months = [f"{year:04d}-{month:02d}" for year in range(first, last + 1) for month in range(1, 13)]
    return [(month, found.get(month, 0)) for month in named_months if min(found) <= month <= max(found)]
