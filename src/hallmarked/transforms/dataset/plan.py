"""What a confined process is told of a recipe: all it needs to look at the rows of one source, as JSON."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from hallmarked.transforms.dataset.filter import Filter
from hallmarked.transforms.dataset.recipe import Recipe, Source


@dataclass(frozen=True, slots=True)
class Plan:
    """How the rows of one source are looked at and written."""

    source: str
    texts: tuple[str, ...]
    keep: tuple[str, ...]
    group: tuple[str, ...]
    reasons: tuple[str, ...]
    """Why a row may be missing; a row's mark is the place of its reason in this list, counted from 1."""
    expired: bool
    """Whether the source as a whole may not be kept any more."""
    day_column: str
    oldest: str
    """The first day from which rows are kept, when rows have a day."""
    drop_undated: bool
    sample: float
    seed: int
    filters: tuple[Filter, ...]
    format: str
    shard_bytes: int
    source_column: str
    columns: Mapping[str, str]
    """Columns that say whose a row is."""
    place: Mapping[str, str]
    """Whose all rows are."""
    copies: Mapping[str, Any] | None
    """How copies are looked for, see ``duplicate.sketch.Settings``; None when they are kept."""
    near: bool
    consent: Mapping[str, Any] | None
    signals: Mapping[str, Any] | None
    benchmarks: tuple[tuple[str, Mapping[str, Any]], ...]
    """Names of benchmarks, and how a process reaches them."""
    redaction: Mapping[str, Any] | None

    def to_dict(self) -> dict[str, Any]:
        """Write it as JSON."""
        return asdict(self)

    def mark(self, reason: str) -> int:
        """Return what marks a row that is missing for a reason."""
        return self.reasons.index(reason) + 1


@dataclass(frozen=True, slots=True)
class Given:
    """What the recipe's sections turned out to be when they were opened."""

    consent: Mapping[str, Any] | None = None
    benchmarks: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    redaction: Mapping[str, Any] | None = None


def make_plan(recipe: Recipe, source: Source, texts: Sequence[str], given: Given) -> Plan:
    """Take from a recipe what matters for a source.

    Args:
        recipe: The recipe.
        source: One of its sources.
        texts: Columns of it that hold texts.
        given: What was opened for its sections.
    """
    held = recipe.retention
    oldest = ""
    if held is not None and held.days is not None:
        oldest = (held.as_of - datetime.timedelta(days=min(held.days, held.as_of.toordinal() - 1))).isoformat()
    return Plan(
        source=source.name,
        texts=tuple(texts),
        keep=recipe.keep,
        group=recipe.group,
        reasons=recipe.reasons,
        expired=held is not None and source.keep_until is not None and source.keep_until < held.as_of,
        day_column=held.column if held else "",
        oldest=oldest,
        drop_undated=held is not None and held.undated == "remove",
        sample=recipe.sample,
        seed=recipe.seed,
        filters=recipe.filters,
        format=recipe.output.format,
        shard_bytes=recipe.output.shard_bytes,
        source_column=recipe.output.source_column,
        columns=recipe.places,
        place=source.place,
        copies=asdict(recipe.copies.settings) if recipe.copies.exact else None,
        near=recipe.copies.near,
        consent=given.consent,
        signals=asdict(recipe.signals) if recipe.signals else None,
        benchmarks=given.benchmarks,
        redaction=given.redaction,
    )


def read_plan(options: Mapping[str, Any]) -> Plan:
    """Read what :meth:`Plan.to_dict` wrote, in the process that follows it."""
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in options.items()}
    values["filters"] = tuple(Filter(**each) for each in options["filters"])
    return Plan(**values)
