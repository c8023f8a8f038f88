"""Reading a benchmark: the rows of its tables, made items by a recipe."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa

from hallmarked.core.artifact import Artifact
from hallmarked.core.errors import BackendError, FormatError, LimitExceeded, NotFound
from hallmarked.corpus.leak.item import Benchmark, BenchmarkItem
from hallmarked.corpus.leak.recipe import MOST_BYTES, PATH, Recipe, choose_recipe, parse_recipe
from hallmarked.corpus.table.find import Table, find_tables
from hallmarked.corpus.table.model import Skipped
from hallmarked.corpus.text.column import strings, text_columns

MOST_ITEMS = 500_000
TRAINING = re.compile(r"(^|[^a-z])train(ing)?([^a-z]|$)", re.IGNORECASE)
"""How files of a training split are called: nobody evaluates with them."""


@dataclass(frozen=True, slots=True)
class Unused:
    """A file or row of a benchmark that made no item."""

    path: str
    reason: str


def read_benchmark(name: str, artifact: Artifact) -> tuple[Benchmark, Sequence[Unused]]:
    """Read the items of a benchmark, and say what could not be read.

    Args:
        name: What to call it.
        artifact: Its files. ``benchmark.toml`` among them is its recipe; else a known one is taken that fits, else
            the columns that hold texts are what is asked.

    Raises:
        FormatError: When its recipe cannot be understood, or it holds no items.
        LimitExceeded: When it holds too many.
    """
    own = _own_recipe(artifact)
    tables = _chosen(find_tables(artifact), own)
    items: list[BenchmarkItem] = []
    unused: list[Unused] = []
    recipes: dict[str, None] = {}
    for table in tables:
        place = table.path if len(tables) > 1 else ""
        for found in _items(table, own, place):
            if isinstance(found, Unused):
                unused.append(found)
                continue
            recipe, item = found
            recipes[recipe] = None
            items.append(item)
            if len(items) > MOST_ITEMS:
                raise LimitExceeded(f"the benchmark {name} has more than {MOST_ITEMS:,} items")
    if not items:
        why = f": {unused[0].reason}" if unused else ""
        raise FormatError(f"the benchmark {name} holds no items that could be read{why}")
    return Benchmark(name, _distinct(items), ", ".join(recipes)), unused


def _own_recipe(artifact: Artifact) -> Recipe | None:
    try:
        with artifact.open(PATH) as stream:
            return parse_recipe(stream.read(MOST_BYTES + 1))
    except NotFound:
        return None


def _chosen(tables: Sequence[Table], own: Recipe | None) -> Sequence[Table]:
    if own is not None and own.files:
        there = {table.path: table for table in tables}
        missing = [path for path in own.files if path not in there]
        if missing:
            raise FormatError(f"{PATH} names {missing[0]}, which is no table of the benchmark")
        return [there[path] for path in own.files]
    return [table for table in tables if not TRAINING.search(table.path)] or tables


def _items(table: Table, own: Recipe | None, place: str) -> Iterator[Unused | tuple[str, BenchmarkItem]]:
    recipe = own
    row = 0
    try:
        for part in table.cut():
            for piece in table.read(part):
                if isinstance(piece, Skipped):
                    row += piece.rows or 0
                    yield Unused(table.path, piece.reason)
                    continue
                if recipe is None:
                    recipe = choose_recipe(_names(piece.schema)) or Recipe("texts", tuple(text_columns(piece)))
                for value in piece.to_pylist():
                    row += 1
                    yield recipe.name, recipe.item(value, f"{place}:{row}" if place else str(row))
    except (FormatError, BackendError, NotFound) as error:
        yield Unused(table.path, str(error))


def _names(schema: pa.Schema) -> set[str]:
    """Return the names of columns, and of the members of objects in them."""
    empty = pa.RecordBatch.from_arrays([pa.array([], field.type) for field in schema], schema=schema)
    return {*schema.names, *(found.column for found in strings(empty))}


def _distinct(items: Sequence[BenchmarkItem]) -> Sequence[BenchmarkItem]:
    """Tell items apart that the benchmark calls by the same name: by the number of the one that is meant."""
    seen: dict[str, int] = {}
    distinct = []
    for item in items:
        count = seen[item.id] = seen.get(item.id, 0) + 1
        distinct.append(item if count == 1 else BenchmarkItem(f"{item.id} ({count})", item.question, item.answer))
    return distinct
