"""How many rows are of which slice, and how slices and labels go together."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from math import log
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from hallmarked.corpus.table.column import flatten

MOST_SLICES = 200
"""Different values from which a column no longer divides the rows into slices."""
MOST_LABELS = 50
"""Different values from which a column is no longer one of labels."""
LONGEST = 60
"""Characters of a slice's or label's name."""


@dataclass(slots=True)
class Cross:
    """Rows by slice and label."""

    rows: Counter[str] | None = field(default_factory=Counter)
    """Rows of each slice; None when there are too many slices, or their names are too long."""
    missing: int = 0
    """Rows that are of no slice."""
    pairs: Counter[tuple[str, str]] | None = field(default_factory=Counter)
    """Rows of each slice and label, where both are there; None when there are too many."""

    def add(self, batch: pa.RecordBatch, slices: str, label: str) -> None:
        """Take the rows of a batch.

        Args:
            batch: The rows.
            slices: The column that says the slice.
            label: The column of labels; nothing when there is none.
        """
        names = names_of(batch, slices)
        self.missing += names.null_count
        counted = _pairs(names, pa.nulls(len(names), pa.large_string()))
        if any(len(name) > LONGEST for name, _ in counted):
            self.rows = self.pairs = None
        if self.rows is not None:
            self.rows += Counter({name: count for (name, _), count in counted.items()})
        if self.pairs is not None and label:
            self.pairs += Counter({pair: n for pair, n in _pairs(names, names_of(batch, label)).items() if all(pair)})
        self._bound()

    def merge(self, other: Cross) -> None:
        """Take what is known of other rows."""
        self.missing += other.missing
        self.rows = None if self.rows is None or other.rows is None else self.rows + other.rows
        self.pairs = None if self.pairs is None or other.pairs is None else self.pairs + other.pairs
        self._bound()

    def _bound(self) -> None:
        if self.rows is not None and len(self.rows) > MOST_SLICES:
            self.rows = self.pairs = None
        if self.pairs is not None:
            labels = {label for _, label in self.pairs}
            if len(labels) > MOST_LABELS or any(len(label) > LONGEST for label in labels):
                self.pairs = None

    def to_json(self) -> dict[str, Any]:
        """Write it as JSON."""
        return {
            "rows": None if self.rows is None else dict(self.rows),
            "missing": self.missing,
            "pairs": None if self.pairs is None else [[*pair, count] for pair, count in self.pairs.items()],
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Cross:
        """Read what :meth:`to_json` wrote."""
        pairs = None if data["pairs"] is None else Counter({(one, two): n for one, two, n in data["pairs"]})
        return cls(None if data["rows"] is None else Counter(data["rows"]), data["missing"], pairs)


def names_of(batch: pa.RecordBatch, column: str) -> pa.Array:
    """Return the values of a column as texts, one per row: null where there is none, or an empty text, or a list."""
    text = pa.large_string()
    array = next((array for found, array in flatten(batch) if found.name == column), pa.nulls(batch.num_rows))
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    kind = array.type
    if not any(test(kind) for test in NAMED):
        return pa.nulls(batch.num_rows, text)
    if pa.types.is_boolean(kind):
        return pc.if_else(array, pa.scalar("True", text), pa.scalar("False", text))
    array = array.cast(text)
    return pc.if_else(pc.equal(array, ""), pa.scalar(None, text), array)


NAMED = (
    pa.types.is_string,
    pa.types.is_large_string,
    pa.types.is_integer,
    pa.types.is_floating,
    pa.types.is_boolean,
    pa.types.is_date,
    pa.types.is_timestamp,
    pa.types.is_decimal,
)
"""Kinds of values that are taken for names."""


def _pairs(one: pa.Array, two: pa.Array) -> Counter[tuple[str, str]]:
    """Count pairs of texts, the first of which is there; an empty text stands for a second that is not."""
    table = pa.table({"one": one, "two": two}).filter(one.is_valid())
    found = table.group_by(["one", "two"]).aggregate([([], "count_all")])
    rows = zip(*(found.column(name).to_pylist() for name in ("one", "two", "count_all")), strict=True)
    return Counter({(first, second or ""): count for first, second, count in rows})


def npmi(both: int, one: int, other: int, total: int) -> float | None:
    """Return how much more often two things go together than if they had nothing to do with each other.

    Normalised pointwise mutual information: -1 never together, 0 as chance has it, 1 always together (G. Bouma,
    "Normalized (pointwise) mutual information in collocation extraction", GSCL 2009; for labels and groups of people
    O. Aka and others, "Measuring model biases in the absence of ground truth", AIES 2021).

    Args:
        both: Rows that have both.
        one: Rows that have the first.
        other: Rows that have the second.
        total: All rows.

    Returns:
        None where one of them is in no row.
    """
    if not one or not other or not total:
        return None
    if not both:
        return -1.0
    if both == total:
        return 0.0  # all rows have both, so that neither says anything about the other
    return min(1.0, log(both * total / (one * other)) / -log(both / total))
