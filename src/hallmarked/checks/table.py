"""The check of data sets: what their tables hold, counted row by row.

Measurements (views rely on these names):

======================= ==============================================================================================
``rows.total``          rows that were read; with ``path`` in the slice those of one file
``rows.unread``         rows that could not be read
``rows.repeated``       rows that are a copy of one before them, in whatever file
``column.role``         what ``dataset.toml`` says that a column is for: ``text``, ``label``, ``group``, ``source``,
                        ``url``, ``date``, ``licence``, ``account`` or ``split``
======================= ==============================================================================================

Those of columns, addresses, dates, sources and groups, generated rows and purpose are told in ``dataset``, each beside
what makes them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, ClassVar

from hallmarked.checks.dataset import age, balance, column, purpose, shard, synthetic, web
from hallmarked.checks.part import by_path, cut_tables, missing_module, read_part, read_whole, run_parts
from hallmarked.core.artifact import Artifact
from hallmarked.core.check import Extent, Learned, Part
from hallmarked.core.errors import BackendError, FormatError, NotFound
from hallmarked.core.evidence import Finding, Gap, Item, Level, Location, Measurement, Rule
from hallmarked.corpus.table.ending import find_table_paths

if TYPE_CHECKING:
    from hallmarked.corpus.declaration import Columns, Declaration
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
UNDERSTOOD = Rule(
    "TAB005",
    Level.WARNING,
    "What is declared cannot be understood",
    "Correct dataset.toml; until then nothing of it is used.",
)

ENCODED = Rule(
    "TAB008",
    Level.NOTE,
    "Text is not encoded as UTF-8",
    "Save it as UTF-8; what reads it otherwise guesses which characters are meant.",
)

SUBJECTS = (
    ENCODED,
    *shard.RULES,
    *column.RULES,
    *web.RULES,
    *age.RULES,
    *balance.RULES,
    *synthetic.RULES,
    *purpose.RULES,
)
DECLARATION = "dataset.toml"
TOLERATED = 0.001
"""Share of unread rows up to which the others stand for all."""
RARELY = 0.01
"""Share of repeated rows from which it is a warning."""


class TableCheck:
    """What do the tables hold?"""

    id: ClassVar[str] = "tables"
    version: ClassVar[str] = "3"
    title: ClassVar[str] = "What do the tables hold?"
    rules: ClassVar[Sequence[Rule]] = (UNREADABLE, REPEATED, UNDERSTOOD, *SUBJECTS)
    needs_socket: ClassVar[bool] = False
    extent: ClassVar[Extent] = Extent.PARTS

    def applies(self, artifact: Artifact) -> bool:
        """Apply to whatever has files with rows."""
        return bool(find_table_paths(artifact))

    def run(self, artifact: Artifact) -> Iterator[Item]:
        """Read every table once, and tell what was counted."""
        if missing := missing_module():
            yield Gap(f'tables were not read: {missing} is missing; install "hallmarked[data]"')
            return
        yield from run_parts(self, artifact)

    def cut(self, artifact: Artifact) -> Iterator[Part]:
        """Yield the parts of all tables, each with what columns are for (``plan``)."""
        said, _ = _declared(artifact)
        plan = {"url": said.columns.url, "date": said.columns.date, "label": said.columns.label}
        for part in cut_tables(artifact):
            yield {**part, "plan": {**plan, "slices": _slices(said)}}

    def learn(self, artifact: Artifact, part: Part) -> bytes:
        """Measure the rows of a part."""
        from hallmarked.corpus.measure.table import Measure, Plan  # noqa: PLC0415 -- needs the extra "data"

        measure = Measure(plan=Plan(**{**part["plan"], "slices": tuple(part["plan"]["slices"])}))
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
        shapes: dict[str, dict[str, shard.Shape]] = {}
        for path, parts in by_path(learned).items():
            whole = Measure()
            for part in parts:
                if part.broke:
                    whole.lose(part.broke)
                else:
                    whole.merge(Measure.load(read_whole(part)))
            yield from _unread(path, whole)
            yield Measurement("rows.total", str(whole.rows), slice={"path": path})
            folder = path.rpartition("/")[0]
            if whole.rows:
                shapes.setdefault(folder, {})[path] = _shape(whole)
            folders.setdefault(folder, Measure()).merge(whole)
        total = Measure()
        for measure in folders.values():
            total.take_rows(measure)
        yield from _total(total)
        for files in shapes.values():
            yield from shard.tell_shards(files)
        yield from _tell(*_declared(artifact), folders, total)


def _shape(whole: Measure) -> shard.Shape:
    """Return the columns of a file and their kinds, those alone that stand at the top."""
    return {
        name: "mixed" if len(found.kinds) > 1 else next(iter(found.kinds), "")
        for name, found in whole.columns.items()
        if name.rpartition(".")[0] not in whole.columns
    }


def _declared(artifact: Artifact) -> tuple[Declaration, str]:
    """Return what the makers declare, and why nothing of it can be used."""
    from hallmarked.corpus.declaration import Declaration, read_declaration  # noqa: PLC0415 -- needs the extra "data"

    try:
        return read_declaration(artifact), ""
    except FormatError as error:
        return Declaration(), str(error)


def _slices(said: Declaration) -> list[str]:
    """Name the columns whose values divide the rows."""
    names = (*said.columns.group, said.columns.source, said.intent.synthetic.column, *said.intent.reference)
    return [name for name in dict.fromkeys(names) if name]


def _tell(said: Declaration, reason: str, folders: Mapping[str, Measure], total: Measure) -> Iterator[Item]:
    """Tell what was counted of columns, and how it compares with what is declared."""
    from hallmarked.corpus.measure.cross import Cross  # noqa: PLC0415 -- needs the extra "data"

    if reason:
        yield Finding.of(UNDERSTOOD, reason, Location(DECLARATION))
        yield Gap(f"{DECLARATION} cannot be understood, so that nothing of it was compared", Location(DECLARATION))
    yield from _roles(said.columns, {name for measure in folders.values() for name in measure.columns})
    for folder, measure in folders.items():
        for name, found in measure.columns.items():
            place = {"column": name, **({"folder": folder} if folder else {})}
            yield from column.tell_column(place, found)
            yield from web.tell_hosts(place, found, name == said.columns.url)
            yield from age.tell_age(place, found, name == said.columns.date)
        if measure.crowded:
            yield Gap(f"{folder or 'the tables'} have too many columns; the first were counted")
    for name in _slices(said):
        if name != said.intent.synthetic.column or name in said.columns.group:
            yield from balance.tell_slices(
                name, total.crosses.get(name, Cross()), said.intent.reference.get(name, {}), total.rows
            )
    if said.intent.synthetic.declared:
        yield from synthetic.tell_synthetic(said.intent.synthetic, said.columns.source, total.crosses, total.rows)
    if not reason:
        yield from purpose.tell_purpose(said, {folder: measure.columns for folder, measure in folders.items()})


def _roles(said: Columns, there: set[str]) -> Iterator[Item]:
    """Tell what columns are for, and which of them are not there."""
    for role in fields(said):
        declared = getattr(said, role.name)
        for name in (declared,) if isinstance(declared, str) else declared:
            if name:
                yield Measurement("column.role", role.name, slice={"column": name})
            if name and not any(each == name or each.startswith(f"{name}.") for each in there):
                inside = name.rpartition(".")[0]
                if inside not in there:
                    yield Gap(f"dataset.toml says what column {name!r} is for ({role.name}), and it is not there")


def _unread(path: str, whole: Measure) -> Iterator[Item]:
    """Tell which rows could not be read, and say so when they are too many to be passed over."""
    for place in whole.unread:
        if place.rows == 0:
            yield Finding.of(ENCODED, f"{path}: {place.reason}, from row {place.row or 1:,} on", Location(path))
            continue
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


def _total(whole: Measure) -> Iterator[Item]:
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
