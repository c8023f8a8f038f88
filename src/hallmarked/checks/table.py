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

from hallmarked.checks.part import by_path, cut_tables, missing_module, read_part, read_whole, run_parts
from hallmarked.core.artifact import Artifact
from hallmarked.core.check import Extent, Learned, Part
from hallmarked.core.errors import BackendError, FormatError, NotFound
from hallmarked.core.evidence import Finding, Gap, Item, Level, Location, Measurement, Rule
from hallmarked.corpus.table.ending import table_paths

if TYPE_CHECKING:
    from hallmarked.corpus.measure.column import Column, Range
    from hallmarked.corpus.measure.table import Measure, Unread

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
    version: ClassVar[str] = "2"
    title: ClassVar[str] = "What do the tables hold?"
    rules: ClassVar[Sequence[Rule]] = (UNREADABLE, REPEATED, EMPTY, MIXED)
    needs_socket: ClassVar[bool] = False
    extent: ClassVar[Extent] = Extent.PARTS

    def applies(self, artifact: Artifact) -> bool:
        """Apply to whatever has files with rows."""
        return bool(table_paths([file.path for file in artifact.files]))

    def run(self, artifact: Artifact) -> Iterator[Item]:
        """Read every table once, and tell what was counted."""
        if missing := missing_module():
            yield Gap(f'tables were not read: {missing} is missing; install "hallmarked[data]"')
            return
        yield from run_parts(self, artifact)

    def cut(self, artifact: Artifact) -> Iterator[Part]:
        """Yield the parts of all tables."""
        return cut_tables(artifact)

    def learn(self, artifact: Artifact, part: Part) -> bytes:
        """Measure the rows of a part."""
        from hallmarked.corpus.measure.table import Measure  # noqa: PLC0415 -- needs the extra "data"

        measure = Measure()
        reason = str(part.get("broken", ""))
        if not reason:
            try:
                measure.take(read_part(artifact, part))
            except (FormatError, BackendError, NotFound) as error:
                reason = str(error)
        if reason:
            measure.lose(reason)
        return measure.dump()

    def conclude(self, artifact: Artifact, learned: Sequence[Learned]) -> Iterator[Item]:
        """Tell what was counted, file by file and column by column."""
        from hallmarked.corpus.measure.table import Measure  # noqa: PLC0415 -- needs the extra "data"

        folders: dict[str, Measure] = {}
        for path, parts in by_path(learned).items():
            whole = Measure()
            for part in parts:
                if part.broke:
                    whole.lose(part.broke)
                else:
                    whole.merge(Measure.load(read_whole(part)))
            yield from _unread(path, whole)
            yield Measurement("rows.total", str(whole.rows), slice={"path": path})
            folders.setdefault(path.rpartition("/")[0], Measure()).merge(whole)
        yield from _total(list(folders.values()))
        for folder, measure in folders.items():
            for name, column in measure.columns.items():
                yield from _column({"column": name, "folder": folder}, column)


def _unread(path: str, whole: Measure) -> Iterator[Item]:
    """Tell which rows could not be read, and say so when they are too many to be passed over."""
    for place in whole.unread:
        where = f"{path} cannot be read" if place.row is None and not whole.rows else f"{path}: {_where(place)}"
        yield Finding.of(UNREADABLE, f"{where}: {place.reason}", Location(path), row=str(place.row or ""))
    if whole.skipped > len(whole.unread):
        yield Finding.of(UNREADABLE, f"{path}: {whole.skipped:,} rows cannot be read", Location(path))
    if whole.lost or whole.skipped > TOLERATED * (whole.rows + whole.skipped):
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
