"""What one column of a data set holds: how much of it is missing, of which kinds, how varied and how long."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hallmarked.corpus.measure import day
from hallmarked.corpus.measure.day import Days
from hallmarked.corpus.measure.distinct import Distinct, hash_values
from hallmarked.corpus.measure.host import Hosts
from hallmarked.corpus.measure.spread import Spread
from hallmarked.corpus.table.column import MIXED

MOST_VALUES = 50
"""Different values from which a column is no longer taken for one of labels."""
LONGEST_LABEL = 60
"""Characters of a label; longer texts are not shown, nor compared."""
LONGEST_ADDRESS = 2_048
"""Characters of an address of a page; longer texts are not read as one."""
DATE_NAME = re.compile(
    r"(.*[_.\- ])?(date|datetime|time|timestamp|year|created|updated|published)([_\- ]?(at|on|utc))?", re.IGNORECASE
)
"""Names of columns that are taken for dates, so that numbers in them are read as such."""


@dataclass(frozen=True, slots=True)
class Role:
    """What somebody says that a column is for."""

    url: bool = False
    date: bool = False


@dataclass(slots=True)
class Column:
    """What is known of a column so far."""

    values: int = 0
    """Those that are there."""
    missing: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    """How many values are of which kind: ``text``, ``integer``, ``number``, ``boolean``, ``time``, ``bytes``, ``list``,
    ``object``, ``mixed``."""
    numbers: Spread = field(default_factory=Spread)
    lengths: Spread = field(default_factory=Spread)
    """Characters of texts, bytes of binary values, items of lists."""
    bytes: int = 0
    """Of texts, in UTF-8, and of binary values."""
    words: int = 0
    different: Distinct = field(default_factory=Distinct)
    """How many values differ, but for lists and objects."""
    days: Days = field(default_factory=Days)
    hosts: Hosts = field(default_factory=Hosts)
    labels: Counter[str] | None = field(default_factory=Counter)
    """How often each value occurs; None when there are too many of them, or too long ones."""

    def add(self, array: pa.Array, column: pa.Field, role: Role = Role()) -> None:
        """Take the values of a batch.

        Args:
            array: The values.
            column: The column they are of.
            role: What somebody says that the column is for.
        """
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
            self.bytes += pc.sum(pc.binary_length(array)).as_py()
        elif kind in ("text", "mixed"):
            self.lengths.add(pc.utf8_length(array))
            self.bytes += pc.sum(pc.binary_length(array)).as_py()
            self.words += count_words(array)
        if kind not in ("list", "object"):
            self.different.add(hash_values(array))
        self._place(array, kind, role, dated=role.date or DATE_NAME.fullmatch(column.name) is not None)
        self._count(array, kind)

    def _place(self, array: pa.Array, kind: str, role: Role, dated: bool) -> None:
        """Read dates and addresses; each value is judged by itself, so that what stands beside it does not matter."""
        if kind == "time" or dated:
            self.days.add(array, dated)
        elif kind == "text":
            short = array.filter(pc.less_equal(pc.binary_length(array), day.LONGEST))
            self.days.add(short)
            self.days.other += len(array) - len(short)
        if kind == "text":
            maybe = array
            if not role.url:
                begins = pc.starts_with(array, "http", ignore_case=True)
                maybe = array.filter(pc.and_(begins, pc.less_equal(pc.binary_length(array), LONGEST_ADDRESS)))
                self.hosts.other += len(array) - len(maybe)
            self.hosts.add(maybe, role.url)

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
        self.bytes += other.bytes
        self.words += other.words
        self.different.merge(other.different)
        self.days.merge(other.days)
        self.hosts.merge(other.hosts)
        both = None if self.labels is None or other.labels is None else self.labels + other.labels
        self.labels = both if both is None or len(both) <= MOST_VALUES else None

    def to_json(self) -> dict[str, Any]:
        """Write it as JSON."""
        return {
            **{name: getattr(self, name) for name in ("values", "missing", "bytes", "words")},
            **{name: getattr(self, name).to_json() for name in PARTS},
            "kinds": dict(self.kinds),
            "labels": None if self.labels is None else dict(self.labels),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Column:
        """Read what :meth:`to_json` wrote."""
        labels = None if data["labels"] is None else Counter(data["labels"])
        parts = {name: kind.from_json(data[name]) for name, kind in PARTS.items()}
        return cls(**{**data, **parts, "kinds": Counter(data["kinds"]), "labels": labels})


PARTS: Mapping[str, type[Spread | Distinct | Days | Hosts]] = {
    "numbers": Spread,
    "lengths": Spread,
    "different": Distinct,
    "days": Days,
    "hosts": Hosts,
}
"""What a column's measure consists of besides counts."""


def count_words(array: pa.Array) -> int:
    """Count what white space of ASCII separates, in all of some texts without nulls."""
    texts = array.cast(pa.large_string())
    _, places, content = texts.buffers()
    if content is None:
        return 0
    ends = np.frombuffer(places, np.int64)[texts.offset : texts.offset + len(texts) + 1]
    space = _SPACE[np.frombuffer(content, np.uint8)[ends[0] : ends[-1]]]
    begins = ~space
    begins[1:] &= space[:-1]
    firsts = (ends[:-1] - ends[0])[np.diff(ends) > 0]
    begins[firsts] = ~space[firsts]
    return int(np.count_nonzero(begins))


_SPACE = np.zeros(256, np.bool_)
_SPACE[[9, 10, 12, 13, 32]] = True


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
