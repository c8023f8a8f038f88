"""Columns that a recipe names, and which of them no row has: a misspelt one would leave out its rule without a word."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import pyarrow as pa

from hallmarked.core.errors import FormatError, InputError
from hallmarked.transforms.dataset.decide import Group
from hallmarked.transforms.dataset.recipe import Recipe


def refuse_absent(recipe: Recipe, groups: Sequence[Group]) -> None:
    """Refuse a recipe that names a column which no row of any source has.

    Args:
        recipe: The recipe.
        groups: What was seen of all sources.

    Raises:
        InputError: With every such column, and the columns that there are.
        FormatError: When a process sent something else.
    """
    seen = {column for group in groups if len(group.marks) for column in _seen(group.received.head)}
    if not seen:
        return
    missing = [f"{place} = {name!r}" for place, name in _named(recipe) if not _is_there(name, seen)]
    if missing:
        there = sorted(name for name in seen if "." not in name)
        more = f" and {len(there) - 30} more" if len(there) > 30 else ""
        raise InputError(
            f"the recipe names columns that no row has: {', '.join(missing)}; there are: {', '.join(there[:30])}{more}"
        )


def column_names(schema: pa.Schema) -> Iterator[str]:
    """Yield the names of all columns, members of objects by their path, joined by dots."""
    for field in schema:
        yield from _paths(field, "")


def _paths(field: pa.Field, above: str) -> Iterator[str]:
    yield f"{above}{field.name}"
    kind = field.type
    while pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        kind = kind.value_type
    if pa.types.is_struct(kind):
        for inner in kind:
            yield from _paths(inner, f"{above}{field.name}.")


def _named(recipe: Recipe) -> Iterator[tuple[str, str]]:
    """Yield each column that a recipe names, after the place in the recipe that names it."""
    groups: Mapping[str, Iterable[str]] = {"text": recipe.text, "keep": recipe.keep, "group": recipe.group}
    for role, names in groups.items():
        for name in names:
            yield f"columns.{role}", name
    for role, name in recipe.places.items():
        yield f"columns.{role}", name
    if recipe.retention and recipe.retention.column:
        yield "retention.column", recipe.retention.column
    for each in recipe.filters:
        if "column" in each.settings:
            yield f"the column of filter {each.name}", str(each.settings["column"])


def _is_there(name: str, seen: set[str]) -> bool:
    """Say whether a column is there; what is in one that holds maps, or objects of several kinds, nobody knows."""
    first, dot, _ = name.partition(".")
    return name in seen or (bool(dot) and first in seen and not any(each.startswith(f"{first}.") for each in seen))


def _seen(head: Mapping[str, object]) -> list[str]:
    columns = head.get("columns")
    if not isinstance(columns, list) or not all(isinstance(each, str) for each in columns):
        raise FormatError("a process sent something that is no survey")
    return columns
