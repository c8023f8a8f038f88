"""What checks that learn part by part have in common."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, TypeVar

from hallmarked.core.artifact import Artifact
from hallmarked.core.check import Check, Extent, Learned, Part, PartCheck
from hallmarked.core.errors import BackendError, FormatError, NotFound
from hallmarked.core.evidence import Gap, Item, Location
from hallmarked.corpus.engine.meter import count_rows
from hallmarked.corpus.engine.model import size_of
from hallmarked.corpus.engine.task import attempt

if TYPE_CHECKING:
    from hallmarked.corpus.table.model import Piece

T = TypeVar("T")


def run_parts(check: PartCheck, artifact: Artifact) -> Iterator[Item]:
    """Do all of a check here, one part after the other."""
    learned = []
    for part in check.cut(artifact):
        data, broke = attempt(partial(check.learn, artifact, part))
        learned.append(Learned(part, partial(io.BytesIO, data), len(data), broke))
    yield from tell_broken(learned)
    yield from check.conclude(artifact, learned)


def tell_broken(learned: Sequence[Learned]) -> Iterator[Gap]:
    """Say of which parts nothing was learned: the result is about the others."""
    for path, parts in by_path(learned).items():
        for number, each in enumerate(parts, 1):
            if each.broke:
                size = f", about {size_of(each.part):,} bytes" if size_of(each.part) else ""
                shown = f"{path}, part {number:,} of {len(parts):,}{size}"
                yield Gap(f"{shown}: not looked at: {each.broke}", Location(path) if path else None)


def missing_module() -> str | None:
    """Name what is missing of the extra ``data``; None when tables can be read."""
    return next((name for name in ("pyarrow", "phonenumbers", "re2") if find_spec(name) is None), None)


def speaker(check: Check) -> Callable[[T], T]:
    """Return what masks personal data in all that a check of data sets says; nothing is changed for other checks."""
    if check.extent is not Extent.PARTS or missing_module():
        return lambda said: said
    from hallmarked.corpus.personal.veil import veil_item  # noqa: PLC0415 -- needs the extra "data"

    return veil_item


def cut_tables(artifact: Artifact) -> Iterator[Part]:
    """Yield the parts of every table of an artifact, in the order of their paths.

    A part has a ``path``, where it begins and ends in the terms of its format (``start``, ``stop``), and about how many
    ``bytes`` of the file it is. When a table cannot be cut, a part says why instead (``broken``).
    """
    from hallmarked.corpus.table.find import find_tables  # noqa: PLC0415 -- needs the extra "data"

    for table in find_tables(artifact):
        try:
            parts = table.cut()
        except (FormatError, BackendError, NotFound) as error:
            yield {"path": table.path, "broken": str(error)}
            continue
        size = table.blob.size // max(1, len(parts))
        for part in parts:
            yield {"path": table.path, "start": part.start, "stop": part.stop, "bytes": size}


def cut_texts(artifact: Artifact) -> Iterator[Part]:
    """Yield the parts of every table, each with the names of the columns that hold its texts (``texts``).

    They are those that ``dataset.toml`` declares, else found in the first rows of the file, so that they are the same
    for all of its parts.

    Raises:
        FormatError: When ``dataset.toml`` cannot be understood.
    """
    from hallmarked.corpus.declaration import read_declaration  # noqa: PLC0415 -- needs the extra "data"

    declared = list(read_declaration(artifact).columns.text)
    found: dict[str, list[str]] = {}
    for part in cut_tables(artifact):
        if "broken" in part:
            yield part
            continue
        path = part["path"]
        if path not in found:
            found[path] = declared or _first_texts(artifact, part)
        yield {**part, "texts": found[path]}


def _first_texts(artifact: Artifact, part: Part) -> list[str]:
    from hallmarked.corpus.table.model import Skipped  # noqa: PLC0415 -- needs the extra "data"
    from hallmarked.corpus.text.column import text_columns  # noqa: PLC0415 -- likewise

    try:
        for piece in read_part(artifact, part):
            if not isinstance(piece, Skipped):
                return text_columns(piece)
    except (FormatError, BackendError, NotFound):
        return []  # whoever learns from the part is told the same, and says so
    return []


def read_part(artifact: Artifact, part: Part) -> Iterator[Piece]:
    """Read the rows of a part of a table.

    Raises:
        NotFound: When the artifact has no such table.
        FormatError: When the part cannot be read at all.
    """
    from hallmarked.corpus.table import find, model  # noqa: PLC0415 -- needs the extra "data"

    table = find.table_at(artifact, str(part["path"]))
    for piece in table.read(model.Part(int(part["start"]), int(part["stop"]))):
        if not isinstance(piece, model.Skipped):
            count_rows(artifact, piece.num_rows)
        yield piece


def read_whole(learned: Learned) -> bytes:
    """Return all that was learned from a part, when it is small enough to be held."""
    with learned.open() as stream:
        return stream.read()


def by_path(learned: Sequence[Learned]) -> dict[str, list[Learned]]:
    """Put what was learned together by file, in order."""
    files: dict[str, list[Learned]] = {}
    for each in learned:
        files.setdefault(str(each.part.get("path", "")), []).append(each)
    return files
