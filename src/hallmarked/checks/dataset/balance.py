"""What is told of the sources and groups that rows are of, for columns that ``dataset.toml`` names.

========================= ============================================================================================
``slice.rows``            rows of one ``value`` of a ``column`` that says a source or a group
``slice.share``           their share of all rows that are of some slice
``slice.reference``       the share that the makers declare is to be represented
``slice.missing``         rows that are of no slice
``slice.rare``            rows of values that occur too rarely to be shown
``slice.diversity``       how many slices of equal size would be as varied: the exponential of the entropy of the shares
``label.share``           share of the rows of a slice that have a ``label``
``label.npmi``            how much more often they go together than chance has it: -1 never, 0 as chance, 1 always
========================= ============================================================================================

Shares are of the rows as they are; their intervals say how far they would vary if the rows were drawn from more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from math import exp, log
from typing import TYPE_CHECKING

from hallmarked.checks.dataset.column import OFTEN, share_of
from hallmarked.core.evidence import Finding, Gap, Item, Level, Measurement, Rule

if TYPE_CHECKING:
    from hallmarked.corpus.measure.cross import Cross

REPRESENTED = Rule(
    "GRP001",
    Level.WARNING,
    "A group is represented otherwise than declared",
    "Collect more of the group or fewer of the others, weigh rows in training, or correct the reference.",
)
ASSOCIATED = Rule(
    "GRP002",
    Level.NOTE,
    "A label goes with a group more or less often than with others",
    "Look whether that is so in the world or comes from how rows were chosen; models learn it either way.",
)
RULES = (REPRESENTED, ASSOCIATED)
LESS, MORE = 0.8, 1.25
"""Parts of the declared share from which a group counts as under- or over-represented: by a fifth of the greater."""
APART = 0.1
"""Difference of the shares of a label, in and outside of a group, from which it is told."""


def tell_slices(column: str, cross: Cross, reference: Mapping[str, float], rows: int) -> Iterator[Item]:
    """Tell how many rows are of which slice, and which labels they have.

    Args:
        column: The column that says the slice.
        cross: What was counted.
        reference: Shares that are to be represented, by value.
        rows: All rows.
    """
    place = {"column": column}
    if cross.rows is None:
        yield Gap(f"column {column!r} has too many or too long values to divide rows by them")
        return
    if not cross.rows:
        yield Gap(f"column {column!r}, which dataset.toml names, has no value in any row")
        return
    total = cross.rows.total()
    yield Measurement("slice.missing", str(rows - total), n=rows, slice=place)
    rare = sum(count for count in cross.rows.values() if count < OFTEN)
    if rare:
        yield Measurement("slice.rare", str(rare), n=rows, slice=place)
    yield Measurement("slice.diversity", f"{diversity(cross.rows):.6g}", n=total, slice=place)
    for value in sorted(name for name, count in cross.rows.items() if count >= OFTEN or name in reference):
        yield from _share(place, value, cross.rows, total, reference.get(value))
    for value in sorted(reference.keys() - cross.rows.keys()):
        yield from _share(place, value, cross.rows, total, reference[value])
    yield from _labels(place, cross)


def _share(
    place: Mapping[str, str], value: str, rows: Counter[str], total: int, reference: float | None
) -> Iterator[Item]:
    from hallmarked.corpus.measure.interval import share_interval, wilson  # noqa: PLC0415 -- needs the extra "data"

    count, part = rows[value], {**place, "value": value}
    share = count / total
    yield Measurement("slice.rows", str(count), n=total, slice=part)
    interval = share_interval(count, total)
    yield Measurement("slice.share", share_of(count, total), n=total, interval=interval, slice=part)
    if reference is None:
        return
    yield Measurement("slice.reference", f"{reference:.6f}", slice=part)
    low, high = wilson(count, total)
    if not low <= reference <= high and not LESS * reference <= share <= MORE * reference:
        less = "less" if share < reference else "more"
        message = (
            f"{value!r} is {share:.1%} of the {total:,} rows with a value of {place['column']!r} "
            f"(interval {low:.1%} to {high:.1%}), {less} than the {reference:.1%} declared"
        )
        yield Finding.of(REPRESENTED, message)


def _labels(place: Mapping[str, str], cross: Cross) -> Iterator[Item]:
    """Tell how labels go with the values of a column."""
    if cross.pairs is None:
        yield Gap(f"labels were not counted by column {place['column']!r}: there are too many different labels")
        return
    slices, labels = margins(cross.pairs)
    for value in sorted(slices):
        among = {label: cross.pairs[value, label] for label in labels}
        rest = {label: labels[label] - count for label, count in among.items()}
        yield from tell_labels({**place, "value": value}, among, rest)


def tell_labels(
    place: Mapping[str, str], among: Mapping[str, int], rest: Mapping[str, int], rule: Rule = ASSOCIATED
) -> Iterator[Item]:
    """Tell how labels go with a group; what occurs rarely is left out: it may point to a person.

    Args:
        place: The slice that is the group.
        among: Rows of the group that have each label.
        rest: Rows of all others, likewise.
        rule: What a label breaks that goes with the group much more or less often.
    """
    from hallmarked.corpus.measure.cross import npmi  # noqa: PLC0415 -- needs the extra "data"
    from hallmarked.corpus.measure.interval import share_interval, wilson  # noqa: PLC0415 -- likewise

    group, others = sum(among.values()), sum(rest.values())
    for label, both in sorted(among.items()):
        if group < OFTEN or both + rest[label] < OFTEN or 0 < both < OFTEN:
            continue
        part, share = {**place, "label": label}, both / group
        yield Measurement(
            "label.share", share_of(both, group), n=group, interval=share_interval(both, group), slice=part
        )
        together = npmi(both, group, both + rest[label], group + others)
        assert together is not None
        yield Measurement("label.npmi", f"{together:.6f}", n=group + others, slice=part)
        if not others:
            continue
        (low, high), (below, above) = wilson(both, group), wilson(rest[label], others)
        if (low > above or high < below) and abs(share - rest[label] / others) >= APART:
            name = place.get("value") or place.get("terms", "")
            message = (
                f"label {label!r} is on {share:.1%} of the {group:,} rows of {name!r}, "
                f"and on {rest[label] / others:.1%} of the {others:,} others"
            )
            yield Finding.of(rule, message, npmi=f"{together:.3f}")


def margins(pairs: Mapping[tuple[str, str], int]) -> tuple[Counter[str], Counter[str]]:
    """Return how many rows each slice and each label has, of the rows that have both."""
    slices: Counter[str] = Counter()
    labels: Counter[str] = Counter()
    for (value, label), count in pairs.items():
        slices[value] += count
        labels[label] += count
    return slices, labels


def diversity(counts: Counter[str]) -> float:
    """Return how many kinds of equal size are as varied as these (M. O. Hill, Ecology 54, 1973, of order 1)."""
    total = counts.total()
    return exp(-sum(count / total * log(count / total) for count in counts.values() if count)) if total else 0.0
