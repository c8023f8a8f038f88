"""When values are from: days, months and years, as they are written in data sets.

Read are calendar dates of ISO 8601 with or without a time, with hyphens, slashes or nothing between; years; seconds,
milliseconds, microseconds and nanoseconds since 1970; and, where a column is declared to hold dates, those of mail
headers (RFC 5322). What depends on the country, such as 03/04/2021, is not guessed. A date counts as it is written,
whatever its time zone.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta
from email.utils import parsedate
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

MOST_DAYS = 40_000
"""Different days that are kept, over a hundred years of them; when there are more, months are counted."""
YEARS = (1000, 2999)
"""Years that are taken for years."""
LONGEST = 40
"""Characters of a date."""
_ISO = r"^\d{4}([-/]\d{2}([-/]\d{2}([T ]\S.*)?)?|\d{4}([T ]\S.*)?)?$"
_DIGITS = re.compile(r"\d{9,19}(\.\d*)?")
_UNITS = ((100_000_000_000, 1), (100_000_000_000_000, 1_000), (100_000_000_000_000_000, 1_000_000), (1 << 63, 10**9))
"""Numbers up to which they count seconds, milliseconds, microseconds, nanoseconds."""
_FIRST_SECOND = 100_000_000
"""Smaller numbers (before March 1973) are taken for something else."""
_EPOCH = date(1970, 1, 1)


@dataclass(slots=True)
class Days:
    """How many values are from which day."""

    counts: Counter[str] = field(default_factory=Counter)
    """By date as precise as it is said: ``2021``, ``2021-03`` or ``2021-03-07``."""
    other: int = 0
    """Values that say no date."""
    months: bool = False
    """Whether there were too many different days, so that months are counted."""

    @property
    def total(self) -> int:
        """Values that say a date."""
        return sum(self.counts.values())

    def add(self, array: pa.Array, declared: bool = False) -> None:
        """Take values without nulls, of any kind.

        Args:
            array: The values.
            declared: Whether somebody says that these are dates; then numbers and dates of mail headers are read too.
        """
        before = self.total
        kind = array.type
        if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
            self._count(pc.value_counts(array.cast(pa.date32(), safe=False).cast(pa.string())))
        elif pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
            self._texts(array.cast(pa.large_string()), declared)
        elif declared and (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
            self._numbers(np.asarray(array.cast(pa.float64(), safe=False)))
        self.other += len(array) - (self.total - before)
        self._bound()

    def _texts(self, array: pa.Array, declared: bool) -> None:
        array = pc.utf8_trim_whitespace(array.filter(pc.less_equal(pc.utf8_length(array), LONGEST)))
        iso = pc.match_substring_regex(array, _ISO)
        self._count(pc.value_counts(pc.utf8_slice_codeunits(array.filter(iso), 0, 10)))
        if not declared:
            return
        rest = pc.value_counts(array.filter(pc.invert(iso)))
        for value, count in zip(rest.field(0).to_pylist(), rest.field(1).to_pylist(), strict=True):
            if _DIGITS.fullmatch(value):
                self._numbers(np.full(count, float(value)))
            elif (day := _mail_day(value)) is not None:
                self.counts[day] += count

    def _count(self, found: pa.StructArray) -> None:
        for value, count in zip(found.field(0).to_pylist(), found.field(1).to_pylist(), strict=True):
            if (day := read_day(value)) is not None:
                self.counts[day] += count

    def _numbers(self, values: npt.NDArray[np.float64]) -> None:
        values = np.floor(values[np.isfinite(values)])
        short = values[values < _FIRST_SECOND]
        found, counts = np.unique(short[short >= YEARS[0]].astype(np.int64), return_counts=True)
        for number, count in zip(found.tolist(), counts.tolist(), strict=True):
            if (day := read_day(str(number))) is not None:
                self.counts[day] += count
        least = _FIRST_SECOND
        for most, unit in _UNITS:
            among = values[(values >= least) & (values < most)]
            days, counts = np.unique((among // (86_400 * unit)).astype(np.int64), return_counts=True)
            for number, count in zip(days.tolist(), counts.tolist(), strict=True):
                if (day := read_day((_EPOCH + timedelta(number)).isoformat())) is not None:
                    self.counts[day] += count
            least = most

    def merge(self, other: Days) -> None:
        """Take what is known of other values."""
        self.months = self.months or other.months
        self.counts = self.counts + other.counts
        self.other += other.other
        self._bound()

    def _bound(self) -> None:
        self.months = self.months or len(self.counts) > MOST_DAYS
        if self.months:
            self.counts = _group(self.counts, 7)

    def by(self, digits: int) -> list[tuple[str, int]]:
        """Count by year (4), month (7) or day (10), in order; dates that say less stand as they are."""
        return sorted(_group(self.counts, digits).items())

    def quantile(self, share: float) -> str:
        """Return the date up to which this share of the values lies."""
        rank = max(1, -int(-share * self.total // 1))
        for day, count in sorted(self.counts.items()):
            rank -= count
            if rank <= 0:
                return day
        raise ValueError("there are no dates")

    def before(self, day: str) -> int:
        """Count the values that are certainly from before a day: of a month or year when all of it lies before."""
        return sum(count for each, count in self.counts.items() if each < day[: len(each)])

    def to_json(self) -> dict[str, Any]:
        """Write it as JSON."""
        return {"counts": dict(self.counts), "other": self.other, "months": self.months}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Days:
        """Read what :meth:`to_json` wrote."""
        return cls(Counter(data["counts"]), data["other"], data["months"])


def read_day(text: str) -> str | None:
    """Return a date as ``YYYY``, ``YYYY-MM`` or ``YYYY-MM-DD``; None when there is no such day.

    Args:
        text: Four digits and, with hyphens, slashes or nothing between, two of the month and two of the day.
    """
    digits = text.replace("-", "").replace("/", "").rstrip("T ")
    if not (digits.isascii() and digits.isdigit()) or len(digits) not in (4, 6, 8):
        return None
    if len(digits) == 6 and len(text) == 6:
        return None  # 202103 is as good a number as a month
    year, month, day = int(digits[:4]), int(digits[4:6] or 1), int(digits[6:8] or 1)
    if not YEARS[0] <= year <= YEARS[1]:
        return None
    try:
        found = date(year, month, day).isoformat()
    except ValueError:
        return None
    return found[: {4: 4, 6: 7, 8: 10}[len(digits)]]


def _mail_day(text: str) -> str | None:
    try:
        found = parsedate(text)
    except (ValueError, TypeError, IndexError):
        return None
    return None if found is None else read_day(f"{found[0]:04d}-{found[1]:02d}-{found[2]:02d}")


def _group(counts: Counter[str], digits: int) -> Counter[str]:
    found: Counter[str] = Counter()
    for day, count in counts.items():
        found[day[:digits]] += count
    return found
