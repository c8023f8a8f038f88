"""What files of one folder have not in common, though they look like pieces of one table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from hallmarked.core.evidence import Finding, Level, Location, Rule

ABSENT = Rule(
    "TAB006",
    Level.WARNING,
    "A column is missing in some files",
    "Add it, empty if need be, or put the files into a folder of their own; loaders stop there or guess.",
)
DIFFERENT = Rule(
    "TAB007",
    Level.WARNING,
    "A column is of another kind in some files",
    "Write its values in one way in all files; loaders stop there, or turn its values into something else.",
)
RULES = (ABSENT, DIFFERENT)
ALIKE = 0.5
"""Share of their columns that files have in common when they are taken for pieces of one table."""
NAMED = 5
"""Files that are named in a finding."""
MOST = 50
"""Columns of a folder that are told of one by one."""

Shape: TypeAlias = Mapping[str, str]
"""Columns of a file, and the kind of each; an empty one has no kind."""


def tell_shards(shapes: Mapping[str, Shape]) -> Iterator[Finding]:
    """Tell of columns that some files of a folder lack, or hold in another kind, and name these files.

    Args:
        shapes: Of each file with rows, by path.
    """
    shapes = _pieces(shapes)
    counts = Counter(name for shape in shapes.values() for name in shape)
    told = 0
    for name in sorted(counts):
        found = [*_absent(name, shapes), *_different(name, shapes)]
        if found and (told := told + 1) <= MOST:
            yield from found
    if told > MOST:
        yield Finding.of(ABSENT, f"{told - MOST:,} more columns differ between files")


def _pieces(shapes: Mapping[str, Shape]) -> Mapping[str, Shape]:
    """Return the files that are pieces of one table: those that are like the columns most of them have."""
    most = Counter(frozenset(shape) for shape in shapes.values()).most_common(1)
    if not most:
        return {}
    common = most[0][0]
    return {
        path: shape
        for path, shape in shapes.items()
        if len(common & shape.keys()) >= ALIKE * len(common | shape.keys())
    }


def _absent(name: str, shapes: Mapping[str, Shape]) -> Iterator[Finding]:
    lacking = [path for path, shape in shapes.items() if name not in shape]
    if lacking:
        message = f"Column {name!r} is missing in {_files(lacking, len(shapes))}"
        yield Finding.of(ABSENT, message, Location(lacking[0]))


def _different(name: str, shapes: Mapping[str, Shape]) -> Iterator[Finding]:
    kinds: dict[str, list[str]] = {}
    for path, shape in shapes.items():
        if shape.get(name):
            kinds.setdefault(shape[name], []).append(path)
    if len(kinds) < 2:
        return
    usual, *others = sorted(kinds, key=lambda kind: (-len(kinds[kind]), kind))
    for kind in others:
        message = f"Column {name!r} is of the kind {kind} in {_files(kinds[kind], len(shapes))}, elsewhere {usual}"
        yield Finding.of(DIFFERENT, message, Location(kinds[kind][0]))


def _files(paths: Sequence[str], total: int) -> str:
    more = f" and {len(paths) - NAMED:,} more" if len(paths) > NAMED else ""
    return f"{len(paths):,} of {total:,} files: {', '.join(paths[:NAMED])}{more}"
