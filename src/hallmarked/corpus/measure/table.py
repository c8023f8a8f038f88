"""What a data set holds: its columns, its rows, and what could not be read of it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field

import pyarrow as pa

from hallmarked.corpus.measure.column import Column, Role
from hallmarked.corpus.measure.cross import Cross
from hallmarked.corpus.measure.row import Repeats
from hallmarked.corpus.table.column import MAX_COLUMNS, flatten
from hallmarked.corpus.table.model import Piece, Skipped

MOST_SHOWN = 20
"""Places of rows that could not be read that are told one by one."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Which columns are for what, as somebody declares it."""

    url: str = ""
    date: str = ""
    label: str = ""
    slices: tuple[str, ...] = ()
    """Columns whose values divide the rows: sources, groups of people."""


@dataclass(frozen=True, slots=True)
class Unread:
    """Rows that could not be read, at their place in a file."""

    row: int | None
    """From 1 at the beginning of the file; None when it is a part as a whole."""
    rows: int | None
    reason: str


@dataclass(slots=True)
class Measure:
    """What is known of some rows of a data set. Measures of parts merge into that of the whole, in their order."""

    rows: int = 0
    """Those that were read."""
    skipped: int = 0
    """Those that could not be, as far as their number is known."""
    lost: int = 0
    """Places from which an unknown number of rows could not be read."""
    columns: dict[str, Column] = field(default_factory=dict)
    repeats: Repeats = field(default_factory=Repeats)
    unread: list[Unread] = field(default_factory=list)
    crowded: bool = False
    """More columns than are looked at."""
    plan: Plan = Plan()
    """Which columns are for what."""
    crosses: dict[str, Cross] = field(default_factory=dict)
    """How many rows are of which slice, and have which label there; by the column that says the slice."""

    def take(self, pieces: Iterable[Piece]) -> None:
        """Measure what a reader yields of one part."""
        for piece in pieces:
            if isinstance(piece, Skipped):
                self._skip(piece)
            else:
                self._add(piece)

    def lose(self, reason: str) -> None:
        """Take that a part could not be read, nor how many rows it has."""
        self._skip(Skipped(reason, None, None))

    def _skip(self, piece: Skipped) -> None:
        if piece.rows is None:
            self.lost += 1
        else:
            self.skipped += piece.rows
        if len(self.unread) < MOST_SHOWN:
            self.unread.append(Unread(None if piece.row is None else piece.row + 1, piece.rows, piece.reason))

    def _add(self, batch: pa.RecordBatch) -> None:
        before = self.rows
        self.rows += batch.num_rows
        self.repeats.add(batch)
        seen: set[str] = set()
        for column, array in flatten(batch):
            name = column.name
            if name in seen:  # two columns of one name; the first counts
                continue
            if name not in self.columns and len(self.columns) >= MAX_COLUMNS:
                self.crowded = True
                continue
            seen.add(name)
            role = Role(name == self.plan.url, name == self.plan.date)
            self.columns.setdefault(name, Column(missing=before)).add(array, column, role)
        for name in self.columns.keys() - seen:
            self.columns[name].missing += batch.num_rows
        for name in self.plan.slices:
            self.crosses.setdefault(name, Cross()).add(batch, name, self.plan.label)

    def merge(self, other: Measure) -> None:
        """Take what is known of the part that follows."""
        for name in {**self.columns, **other.columns}:
            mine = self.columns.setdefault(name, Column(missing=self.rows))
            mine.merge(other.columns.get(name) or Column(missing=other.rows))
        shift = self.rows + self.skipped
        for place in other.unread[: MOST_SHOWN - len(self.unread)]:
            row = None if place.row is None else place.row + shift
            self.unread.append(Unread(row, place.rows, place.reason))
        self.crowded = self.crowded or other.crowded
        self.take_rows(other)

    def take_rows(self, other: Measure) -> None:
        """Take what is known of the rows of another table, but not of its columns."""
        self.rows += other.rows
        self.skipped += other.skipped
        self.lost += other.lost
        self.repeats.merge(other.repeats)
        for name, cross in other.crosses.items():
            self.crosses.setdefault(name, Cross()).merge(cross)

    def dump(self) -> bytes:
        """Write it: a line of JSON, and the digests of the rows."""
        head = {
            "rows": self.rows,
            "skipped": self.skipped,
            "lost": self.lost,
            "columns": {name: column.to_json() for name, column in self.columns.items()},
            "unread": [asdict(place) for place in self.unread],
            "crowded": self.crowded,
            "repeats": self.repeats.rows,
            "crosses": {name: cross.to_json() for name, cross in self.crosses.items()},
        }
        return json.dumps(head).encode() + b"\n" + self.repeats.dump()

    @classmethod
    def load(cls, data: bytes) -> Measure:
        """Read what :meth:`dump` wrote."""
        line, _, digests = data.partition(b"\n")
        head = json.loads(line)
        columns = {name: Column.from_json(column) for name, column in head["columns"].items()}
        repeats = Repeats.load(head["repeats"], digests)
        unread = [Unread(**place) for place in head["unread"]]
        crosses = {name: Cross.from_json(cross) for name, cross in head["crosses"].items()}
        return cls(**{**head, "columns": columns, "unread": unread, "repeats": repeats, "crosses": crosses})
