"""How much personal data there are in some rows, of which kinds and in which columns; never the data themselves."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

import pyarrow as pa
import pyarrow.compute as pc

from hallmarked.corpus.measure.column import LONGEST_LABEL, MOST_VALUES
from hallmarked.corpus.personal.find import Detector, Joined
from hallmarked.corpus.personal.kind import KINDS, Family
from hallmarked.corpus.personal.mask import mask
from hallmarked.corpus.personal.model import Strength
from hallmarked.corpus.table.model import Piece, Skipped
from hallmarked.corpus.text.column import strings

EXAMPLES = 3
"""Masked samples per column and kind."""
MOST_COLUMNS = 1_000
"""Columns that are told apart; what is found in others is counted under an empty name."""


@dataclass(slots=True)
class Found:
    """What was found of one kind in one column."""

    values: int = 0
    rows: int = 0
    checked: int = 0
    """Values that have a check digit or the like."""
    examples: list[tuple[int | None, str]] = field(default_factory=list)
    """Rows, from 1, and masked samples; no row where some before it could not be counted."""

    def merge(self, other: Found, shift: int | None) -> None:
        """Take what was found in rows that follow; ``shift`` is how many are before them."""
        self.values += other.values
        self.rows += other.rows
        self.checked += other.checked
        for row, sample in other.examples[: EXAMPLES - len(self.examples)]:
            self.examples.append((None if row is None or shift is None else row + shift, sample))


@dataclass(slots=True)
class Tally:
    """What was found in some rows. Tallies of parts merge into that of the whole, in their order."""

    rows: int = 0
    skipped: int = 0
    """Rows that could not be read."""
    lost: int = 0
    """Places from which an unknown number of rows could not be read."""
    touched: int = 0
    """Rows in which something was found, other than web addresses."""
    kinds: Counter[str] = field(default_factory=Counter)
    """Rows in which something of a kind was found."""
    columns: dict[tuple[str, str], Found] = field(default_factory=dict)
    """By column and kind."""
    groups: dict[str, dict[str, tuple[int, int]] | None] = field(default_factory=dict)
    """By column and value: rows, and those of them that were touched. None when there are too many values to tell."""

    def take(self, pieces: Iterable[Piece], detector: Detector, groups: Sequence[str] = ()) -> None:
        """Search what a reader yields of one part.

        Args:
            pieces: Rows, and what could not be read.
            detector: What searches.
            groups: Columns that say to which group a row belongs.
        """
        for piece in pieces:
            if isinstance(piece, Skipped):
                self.skipped += piece.rows or 0
                self.lost += piece.rows is None
            else:
                self._add(piece, detector, groups)

    def _add(self, batch: pa.RecordBatch, detector: Detector, groups: Sequence[str]) -> None:
        before = None if self.lost else self.rows + self.skipped
        by_kind: dict[str, set[int]] = {}
        for column, rows, values in searchable(batch, detector):
            seen: dict[str, set[int]] = {}
            joined = joined_of(values)
            for number, spans in detector.scan_joined(joined, column.replace("_", " ")):
                row, text = rows[number], joined.text(number)
                for span in spans:
                    found = self._found(column, span.kind)
                    found.values += 1
                    found.checked += span.strength is Strength.CHECKED
                    if len(found.examples) < EXAMPLES:
                        place = None if before is None else before + row + 1
                        found.examples.append((place, mask(span.kind, text[span.start : span.end])))
                    seen.setdefault(span.kind, set()).add(row)
            for kind, places in seen.items():
                self._found(column, kind).rows += len(places)
                by_kind.setdefault(kind, set()).update(places)
        self._count(batch, by_kind, groups)

    def _found(self, column: str, kind: str) -> Found:
        if (column, kind) not in self.columns and len({name for name, _ in self.columns}) >= MOST_COLUMNS:
            column = ""
        return self.columns.setdefault((column, kind), Found())

    def _count(self, batch: pa.RecordBatch, by_kind: Mapping[str, set[int]], groups: Sequence[str]) -> None:
        self.rows += batch.num_rows
        for kind, places in by_kind.items():
            self.kinds[kind] += len(places)
        touched = set[int]().union(*(rows for kind, rows in by_kind.items() if KINDS[kind].family is not Family.OTHER))
        self.touched += len(touched)
        for name in groups:
            if name in batch.schema.names:
                values = batch.column(batch.schema.get_field_index(name)).to_pylist()
                self._divide(name, values, touched)

    def _divide(self, name: str, values: Sequence[object], touched: set[int]) -> None:
        rows = Counter(str(value) for value in values if value is not None)
        affected = Counter(str(values[row]) for row in touched if values[row] is not None)
        self._merge_group(name, {value: (count, affected[value]) for value, count in rows.items()})

    def _merge_group(self, name: str, counts: Mapping[str, tuple[int, int]] | None) -> None:
        mine = self.groups.setdefault(name, {})
        if mine is None or counts is None:
            self.groups[name] = None
            return
        for value, (rows, affected) in counts.items():
            before = mine.get(value, (0, 0))
            mine[value] = before[0] + rows, before[1] + affected
        if len(mine) > MOST_VALUES or any(len(value) > LONGEST_LABEL for value in mine):
            self.groups[name] = None

    def merge(self, other: Tally) -> None:
        """Take what was found in the part that follows."""
        shift = None if self.lost else self.rows + self.skipped
        for (column, kind), found in other.columns.items():
            self._found(column, kind).merge(found, shift)
        self.rows += other.rows
        self.skipped += other.skipped
        self.lost += other.lost
        self.touched += other.touched
        self.kinds.update(other.kinds)
        for name, counts in other.groups.items():
            self._merge_group(name, counts)

    def dump(self) -> bytes:
        """Write it as JSON."""
        columns = [
            [column, kind, found.values, found.rows, found.checked, found.examples]
            for (column, kind), found in self.columns.items()
        ]
        counts = [self.rows, self.skipped, self.lost, self.touched]
        return json.dumps([counts, self.kinds, columns, self.groups], sort_keys=True).encode()

    @classmethod
    def load(cls, data: bytes) -> Tally:
        """Read what :meth:`dump` wrote."""
        (rows, skipped, lost, touched), kinds, columns, groups = json.loads(data)
        return cls(
            rows=rows,
            skipped=skipped,
            lost=lost,
            touched=touched,
            kinds=Counter(kinds),
            columns={(c, k): Found(v, r, n, [(row, sample) for row, sample in e]) for c, k, v, r, n, e in columns},
            groups={n: g and {value: (rows, hit) for value, (rows, hit) in g.items()} for n, g in groups.items()},
        )


def searchable(batch: pa.RecordBatch, detector: Detector) -> Iterator[tuple[str, Sequence[int], pa.Array]]:
    """Yield columns, the rows of their values, and the values as strings.

    They are texts, and whole numbers when the name of their column speaks for a kind.
    """
    for each in strings(batch):
        yield each.column, each.rows.tolist(), each.values
    for name, array in zip(batch.schema.names, batch.columns, strict=True):
        if pa.types.is_integer(array.type) and detector.takes(name.replace("_", " ")):
            there = [row for row, valid in enumerate(array.is_valid().to_pylist()) if valid]
            yield name, there, array.drop_null().cast(pa.large_string())


def joined_of(values: pa.Array) -> Joined:
    """Put strings without nulls in one piece."""
    begins = list(accumulate((length + 1 for length in pc.binary_length(values).to_pylist()), initial=1))
    ended = pc.binary_join_element_wise(values, pa.scalar("", values.type), pa.scalar("\n", values.type))
    data = ended.buffers()[2]
    return Joined(b"\n" + (data.to_pybytes()[: begins[-1] - 1] if data is not None else b""), begins, "replace")
