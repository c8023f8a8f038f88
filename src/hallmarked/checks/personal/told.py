"""What is told of tallies: measurements and findings, none of which holds a value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hallmarked.checks.personal.rule import MACHINE, NUMBER, PERSON, SECRET, UNEVEN
from hallmarked.core.evidence import Finding, Gap, Item, Level, Location, Measurement, Rule
from hallmarked.corpus.measure.effect import effects
from hallmarked.corpus.measure.interval import share_interval
from hallmarked.corpus.personal.kind import KINDS, SEARCHED, UNSEARCHED, Family
from hallmarked.corpus.personal.tally import Found, Tally

MOST_FILES = 20
"""Files that are named for one kind; the others are counted together."""
MOST_PLACES = 2_000
"""Files and columns for which a kind is measured apart."""
OFTEN = 5
"""How often a value has to occur so that it can be shown; rarer ones may point to a person."""
_RULES: Mapping[Family, Rule] = {
    Family.CONTACT: PERSON,
    Family.PERSON: PERSON,
    Family.MONEY: NUMBER,
    Family.NUMBER: NUMBER,
    Family.SECRET: SECRET,
    Family.MACHINE: MACHINE,
}


def tell(files: Mapping[str, Tally]) -> Iterator[Item]:
    """Tell what was found in files, by path."""
    whole = Tally()
    for tally in files.values():
        whole.merge(tally)
    yield Measurement("personal.kinds", ", ".join(sorted(SEARCHED)))
    yield Measurement("personal.kinds.missing", ", ".join(sorted(UNSEARCHED)))
    yield _share("personal.rows", whole.touched, whole.rows, {})
    totals = _by_kind(whole)
    for kind, found in sorted(totals.items()):
        yield _share("personal.rows", whole.kinds[kind], whole.rows, {"kind": kind})
        yield Measurement("personal.found", str(found.values), n=whole.rows, slice={"kind": kind})
        yield Measurement("personal.checked", str(found.checked), n=found.values, slice={"kind": kind})
    yield from _places(files)
    for kind in sorted(totals):
        yield from _findings(kind, files)
    for column, counts in sorted(whole.groups.items()):
        yield from _groups(column, counts)


def _share(metric: str, count: int, rows: int, place: dict[str, str]) -> Measurement:
    return Measurement(metric, str(count), n=rows, slice=place)


def _by_kind(tally: Tally) -> dict[str, Found]:
    kinds: dict[str, Found] = {}
    for (_, kind), found in tally.columns.items():
        kinds.setdefault(kind, Found()).merge(found, 0)
    return kinds


def _places(files: Mapping[str, Tally]) -> Iterator[Item]:
    told = 0
    for path, tally in files.items():
        for (column, kind), found in sorted(tally.columns.items()):
            if told == MOST_PLACES:
                return
            told += 1
            place = {"kind": kind, "path": path, "column": column}
            yield Measurement("personal.found", str(found.values), n=tally.rows, slice=place)


def _findings(kind: str, files: Mapping[str, Tally]) -> Iterator[Item]:
    rule = _RULES.get(KINDS[kind].family)
    if rule is None:
        return
    level = Level.WARNING if kind == "password" else None
    named = others = 0
    for path, tally in files.items():
        by_column = {column: found for (column, each), found in tally.columns.items() if each == kind}
        if not by_column:
            continue
        named += 1
        if named > MOST_FILES:
            others += sum(found.values for found in by_column.values())
            continue
        for column, found in sorted(by_column.items()):
            yield _finding(rule, level, kind, Location(path), (column, found, tally.rows))
    if others:
        message = f"{named - MOST_FILES:,} more files hold {others:,} {KINDS[kind].title}"
        yield Finding.of(rule, message, level=level, kind=kind)


def _finding(
    rule: Rule, level: Level | None, kind: str, location: Location, counted: tuple[str, Found, int]
) -> Finding:
    column, found, rows = counted
    message = (
        f"{location.path} holds {found.values:,} {KINDS[kind].title} in {found.rows:,} of {rows:,} rows, "
        f"column {column!r}"
    )
    samples = {
        f"sample_{number}": sample if row is None else f"row {row:,}: {sample}"
        for number, (row, sample) in enumerate(found.examples, 1)
    }
    data = {"kind": kind, "column": column, "values": str(found.values), "rows": str(found.rows), **samples}
    return Finding.of(rule, message, location, level=level, **data)


def _groups(column: str, counts: Mapping[str, tuple[int, int]] | None) -> Iterator[Item]:
    if counts is None:
        yield Gap(f"column {column!r} has too many or too long values to compare groups by them")
        return
    shown = {value: count for value, count in counts.items() if count[0] >= OFTEN}
    for effect in effects(shown):
        place = {"column": column, "value": effect.slice}
        interval = share_interval(effect.affected, effect.rows)
        yield Measurement("personal.share", f"{effect.share:.6f}", n=effect.rows, interval=interval, slice=place)
        if effect.others_share:
            yield Measurement("personal.times", f"{effect.times:.3f}", n=effect.rows, slice=place)
        if effect.is_greater:
            low, high = effect.interval
            message = (
                f"something was found in {effect.share:.1%} of the {effect.rows:,} rows of {effect.slice!r} ({column}; "
                f"interval {low:.1%} to {high:.1%}), and in {effect.others_share:.1%} of the others"
            )
            yield Finding.of(UNEVEN, message, column=column, value=effect.slice)
