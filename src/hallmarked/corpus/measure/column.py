"""What one column of a data set holds: how much of it is missing, of which kinds, how varied and how long."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from hallmarked.corpus.table.column import MIXED

MOST_VALUES = 50
"""Different values from which a column is no longer taken for one of labels."""
LONGEST_LABEL = 60
"""Characters of a label; longer texts are not shown, nor compared."""


@dataclass(slots=True)
class Range:
    """Numbers: how many, from where to where, and their sum."""

    count: int = 0
    total: float = 0.0
    """Added part by part in order, so that all who measure come to the same last digit."""
    least: float | None = None
    greatest: float | None = None

    def add(self, values: pa.Array) -> None:
        """Take numbers without nulls; infinite ones and those that are none are left out."""
        values = values.cast(pa.float64(), safe=False)
        values = values.filter(pc.is_finite(values))
        if len(values):
            bounds = pc.min_max(values).as_py()
            self.merge(Range(len(values), math.fsum(values.to_numpy()), bounds["min"], bounds["max"]))

    def merge(self, other: Range) -> None:
        """Take what is known of the values that follow."""
        self.count += other.count
        self.total += other.total
        ends = [end for end in (self.least, self.greatest, other.least, other.greatest) if end is not None]
        if ends:
            self.least, self.greatest = min(ends), max(ends)


@dataclass(slots=True)
class Column:
    """What is known of a column so far."""

    values: int = 0
    """Those that are there."""
    missing: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    """How many values are of which kind: ``text``, ``integer``, ``number``, ``boolean``, ``time``, ``bytes``, ``list``,
    ``object``, ``mixed``."""
    numbers: Range = field(default_factory=Range)
    lengths: Range = field(default_factory=Range)
    """Characters of texts, bytes of binary values, items of lists."""
    words: int = 0
    labels: Counter[str] | None = field(default_factory=Counter)
    """How often each value occurs; None when there are too many of them, or too long ones."""

    def add(self, array: pa.Array, column: pa.Field) -> None:
        """Take the values of a batch."""
        if pa.types.is_dictionary(array.type):
            array = array.dictionary_decode()
        self.missing += array.null_count
        array = array.drop_null()
        if not len(array):
            return
        self.values += len(array)
        kind = "mixed" if column.metadata and MIXED.items() <= column.metadata.items() else kind_of(array.type)
        self.kinds[kind] += len(array)
        if kind in ("integer", "number"):
            self.numbers.add(array)
        elif kind == "list":
            self.lengths.add(pc.list_value_length(array))
        elif kind == "bytes":
            self.lengths.add(pc.binary_length(array))
        elif kind in ("text", "mixed"):
            self.lengths.add(pc.utf8_length(array))
            self.words += pc.sum(pc.count_substring_regex(array, r"\S+")).as_py()
        self._count(array, kind)

    def _count(self, array: pa.Array, kind: str) -> None:
        if self.labels is None:
            return
        if kind not in ("text", "integer", "boolean"):
            self.labels = None
            return
        if kind == "text" and pc.max(pc.utf8_length(array)).as_py() > LONGEST_LABEL:
            self.labels = None
            return
        for item in pc.value_counts(array):
            self.labels[str(item["values"].as_py())] += item["counts"].as_py()
            if len(self.labels) > MOST_VALUES:
                self.labels = None
                return

    def merge(self, other: Column) -> None:
        """Take what is known of the rows that follow."""
        self.values += other.values
        self.missing += other.missing
        self.kinds += other.kinds
        self.numbers.merge(other.numbers)
        self.lengths.merge(other.lengths)
        self.words += other.words
        both = None if self.labels is None or other.labels is None else self.labels + other.labels
        self.labels = both if both is None or len(both) <= MOST_VALUES else None

    def to_json(self) -> dict[str, Any]:
        """Write it as JSON."""
        return {**asdict(self), "kinds": dict(self.kinds), "labels": None if self.labels is None else dict(self.labels)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Column:
        """Read what :meth:`to_json` wrote."""
        labels = None if data["labels"] is None else Counter(data["labels"])
        ranges = {name: Range(**data[name]) for name in ("numbers", "lengths")}
        return cls(**{**data, **ranges, "kinds": Counter(data["kinds"]), "labels": labels})


def kind_of(type_: pa.DataType) -> str:
    """Name the kind of a column's values."""
    checks = {
        "text": (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view),
        "boolean": (pa.types.is_boolean,),
        "integer": (pa.types.is_integer,),
        "number": (pa.types.is_floating, pa.types.is_decimal),
        "time": (pa.types.is_temporal,),
        "bytes": (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_fixed_size_binary, pa.types.is_binary_view),
        "list": (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list),
    }
    return next((kind for kind, tests in checks.items() if any(test(type_) for test in tests)), "object")
