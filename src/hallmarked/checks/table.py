"""The check of data sets: what their tables hold, counted row by row.

Measurements (views rely on these names):

======================= ==============================================================================================
``rows.total``          rows that were read; with ``path`` in the slice those of one file
``rows.unread``         rows that could not be read
``rows.repeated``       rows that are a copy of one before them, in whatever file
``column.values``       values of a column that are there; the slice names the ``column`` and the ``folder``
``column.missing``      rows that have no value there
``column.kind``         ``text``, ``integer``, ``number``, ``boolean``, ``time``, ``bytes``, ``list``, ``object``, or
                        ``mixed`` when rows differ
``column.words``        words of its texts, as separated by white space
``column.length.mean``  characters of texts, bytes of binary values, items of lists; likewise ``.least``, ``.greatest``
``column.mean``         of numbers; likewise ``.least`` and ``.greatest``
``column.share``        share of the values that are ``value``, for columns of a few values that each occur often
======================= ==============================================================================================
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar

from hallmarked.core.artifact import Artifact
from hallmarked.core.check import Extent
from hallmarked.core.errors import BackendError, FormatError, NotFound
from hallmarked.core.evidence import Finding, Gap, Item, Level, Location, Measurement, Rule
from hallmarked.corpus.table.ending import table_paths

if TYPE_CHECKING:
    from hallmarked.corpus.measure.column import Column, Range
    from hallmarked.corpus.measure.table import Measure, Unread
    from hallmarked.corpus.table.find import Table

UNREADABLE = Rule(
    "TAB001",
    Level.WARNING,
    "Rows of a table cannot be read",
    "Repair or remove them; what reads the data set passes them over, or stops there.",
)
REPEATED = Rule(
    "TAB002",
    Level.NOTE,
    "Rows occur more than once",
    "Keep one of each, unless repeating is what the data set is for; models learn repeated texts by heart.",
)
EMPTY = Rule("TAB003", Level.NOTE, "A column holds nothing", "Fill it, or leave it out.")
MIXED = Rule(
    "TAB004",
    Level.NOTE,
    "Values of a column are of several kinds",
    "Write them all in one way; loaders refuse such a column, or turn its values into something else.",
)

TOLERATED = 0.001
"""Share of unread rows up to which the others stand for all."""
RARELY = 0.01
"""Share of repeated rows from which it is a warning."""
OFTEN = 5
"""How often a value has to occur so that it can be shown; rarer ones may point to a person."""


class TableCheck:
    """What do the tables hold?"""

    id: ClassVar[str] = "tables"
    version: ClassVar[str] = "1"
    title: ClassVar[str] = "What do the tables hold?"
    rules: ClassVar[Sequence[Rule]] = (UNREADABLE, REPEATED, EMPTY, MIXED)
    needs_socket: ClassVar[bool] = False
    extent: ClassVar[Extent] = Extent.ARTIFACT

    def applies(self, artifact: Artifact) -> bool:
        """Apply to whatever has files with rows."""
        return bool(table_paths([file.path for file in artifact.files]))

    def run(self, artifact: Artifact) -> Iterator[Item]:
        """Read every table once, and tell what was counted."""
        try:
            from hallmarked.corpus.measure.table import Measure  # noqa: PLC0415 -- needs the extra "data"
            from hallmarked.corpus.table.find import find_tables  # noqa: PLC0415 -- likewise
        except ModuleNotFoundError as error:
            yield Gap(f'tables were not read: {error.name} is missing; install "hallmarked[data]"')
            return
        folders: dict[str, Measure] = {}
        for table in find_tables(artifact):
            whole = Measure()
            yield from _read(table, whole)
            yield from _unread(table.path, whole)
            yield Measurement("rows.total", str(whole.rows), slice={"path": table.path})
            folders.setdefault(table.path.rpartition("/")[0], Measure()).merge(whole)
        yield from _total(list(folders.values()))
        for folder, measure in folders.items():
            for name, column in measure.columns.items():
                yield from _column({"column": name, "folder": folder}, column)


def _read(table: Table, whole: Measure) -> Iterator[Item]:
    """Measure a table part by part."""
    try:
        for part in table.cut():
            measure = type(whole)()
            try:
                measure.take(table.read(part))
            finally:
                whole.merge(measure)
    except (FormatError, BackendError, NotFound) as error:
        whole.lost += 1
        yield Finding.of(UNREADABLE, f"{table.path} cannot be read: {error}", Location(table.path))
        yield Gap(f"{table.path} could not be counted: {error}", Location(table.path))


def _unread(path: str, whole: Measure) -> Iterator[Item]:
    """Tell which rows could not be read, and say so when they are too many to be passed over."""
    for place in whole.unread:
        message = f"{path}: {_where(place)}: {place.reason}"
        yield Finding.of(UNREADABLE, message, Location(path), row=str(place.row or ""))
    if whole.skipped > len(whole.unread):
        yield Finding.of(UNREADABLE, f"{path}: {whole.skipped:,} rows cannot be read", Location(path))
    if whole.skipped > TOLERATED * (whole.rows + whole.skipped) or any(place.rows is None for place in whole.unread):
        yield Gap(f"{path} was not read as a whole; the numbers are of the rest", Location(path))


def _where(place: Unread) -> str:
    if place.row is None:
        return "a part"
    return f"row {place.row:,}" if place.rows == 1 else f"rows from {place.row:,} on"


def _total(measures: Sequence[Measure]) -> Iterator[Item]:
    whole = type(measures[0])()
    for measure in measures:
        whole.rows += measure.rows
        whole.skipped += measure.skipped
        whole.repeats.merge(measure.repeats)
    yield Measurement("rows.total", str(whole.rows))
    if whole.skipped:
        yield Measurement("rows.unread", str(whole.skipped), n=whole.rows + whole.skipped)
    repeated = whole.repeats.repeated
    if repeated is None:
        yield Gap("rows that occur more than once were not counted: there are too many rows to remember")
        return
    yield Measurement("rows.repeated", str(repeated), n=whole.rows)
    if repeated:
        level = Level.WARNING if repeated > RARELY * whole.rows else Level.NOTE
        message = f"{repeated:,} of {whole.rows:,} rows are copies of others ({repeated / whole.rows:.1%})"
        yield Finding.of(REPEATED, message, level=level)


def _column(place: dict[str, str], column: Column) -> Iterator[Item]:
    shown = f"{place['column']!r}" + (f" in {place['folder']}" if place["folder"] else "")
    place = {key: value for key, value in place.items() if value}
    yield Measurement("column.values", str(column.values), n=column.values + column.missing, slice=place)
    yield Measurement("column.missing", str(column.missing), n=column.values + column.missing, slice=place)
    if not column.values:
        yield Finding.of(EMPTY, f"Column {shown} holds nothing in {column.missing:,} rows")
        return
    kind = "mixed" if len(column.kinds) > 1 else next(iter(column.kinds))
    yield Measurement("column.kind", kind, slice=place)
    if kind == "mixed":
        kinds = ", ".join(f"{count:,} {name}" for name, count in sorted(column.kinds.items()))
        yield Finding.of(MIXED, f"Column {shown} holds values of several kinds: {kinds}")
    if column.words:
        yield Measurement("column.words", str(column.words), slice=place)
    yield from _range("column.length", column.lengths, place)
    yield from _range("column", column.numbers, place)
    labels = column.labels
    if labels is not None and min(labels.values()) >= OFTEN:
        for value, count in sorted(labels.items()):
            yield Measurement(
                "column.share", f"{count / column.values:.6f}", n=column.values, slice={**place, "value": value}
            )


def _range(name: str, found: Range, place: dict[str, str]) -> Iterator[Measurement]:
    if found.count:
        values = {"mean": found.total / found.count, "least": found.least, "greatest": found.greatest}
        for part, value in values.items():
            yield Measurement(f"{name}.{part}", f"{value:.6g}", n=found.count, slice=place)
