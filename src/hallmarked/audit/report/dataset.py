"""What reports and pages show of a data set: worked out from the measurements of the checks of data sets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from hallmarked.audit.report import view
from hallmarked.audit.report.chart import Chart
from hallmarked.audit.report.figure import charts, share_bar
from hallmarked.audit.report.language import language_name
from hallmarked.audit.report.measured import Found, against_chance, percent
from hallmarked.checks.runner import Result
from hallmarked.core.evidence import Measurement
from hallmarked.corpus.personal.kind import KINDS

MOST_COLUMNS = 200
GLANCE = ("Rows", "Texts alike", "Personal data")
"""What people who look after a data set ask first."""


@dataclass(frozen=True, slots=True)
class ColumnRow:
    """A column, as a row of a table."""

    name: str
    folder: str
    kind: str
    missing: str
    different: str
    size: str
    """Typical and greatest length, or where numbers lie."""


@dataclass(frozen=True, slots=True)
class SliceRow:
    """A source or group, as a row of a table."""

    column: str
    value: str
    rows: str
    share: str
    reference: str
    words: str
    languages: str


@dataclass(frozen=True, slots=True)
class PairRow:
    """How a label goes with a group, as a row of a table."""

    group: str
    label: str
    share: str
    npmi: str


@dataclass(frozen=True, slots=True)
class DataSet:
    """What is shown of a data set."""

    facts: Sequence[tuple[str, str]]
    """Label and sentence."""
    glance: Sequence[tuple[str, str]]
    """Those of them that stand at the top."""
    charts: Sequence[Chart]
    columns: Sequence[ColumnRow]
    columns_hidden: int
    slices: Sequence[SliceRow]
    pairs: Sequence[PairRow]


def data_set(results: Sequence[Result], today: date) -> DataSet | None:
    """Work out what is shown; None when no rows were counted.

    Args:
        results: What the checks saw.
        today: The day on which it is shown; what has expired depends on it.
    """
    found = Found(results)
    if not found.by["rows.total"]:
        return None
    columns, facts = _columns(found), _facts(found, today)
    return DataSet(
        facts=facts,
        glance=[fact for fact in facts if fact[0] in GLANCE],
        charts=[*charts(found)],
        columns=columns[:MOST_COLUMNS],
        columns_hidden=max(0, len(columns) - MOST_COLUMNS),
        slices=_slices(found),
        pairs=_pairs(found),
    )


def _facts(found: Found, today: date) -> list[tuple[str, str]]:
    facts = [("Rows", view.number(found.value("rows.total")))]
    copies = found.one("rows.repeated")
    if copies and copies.n:
        facts.append(("Copies", f"{view.number(copies.value)} rows are copies of others{_part(copies)}"))
    facts += _compared(found)
    if texts := found.value("text.texts"):
        words, mean = found.value("text.words"), found.value("text.length.mean")
        facts.append(("Texts", f"{view.number(texts)} with {view.number(words)} words, {_round(mean)} on average"))
    if vocabulary := found.one("text.vocabulary"):
        near = "about " if vocabulary.interval else ""
        top = found.value("text.vocabulary.top")
        facts.append(
            ("Vocabulary", f"{near}{view.number(vocabulary.value)} different words; "
             f"the 100 commonest make up {percent(top)} of all")
        )  # fmt: skip
    if languages := found.each("text.language", "language"):
        shown = ", ".join(f"{language_name(each.slice['language'])} {percent(each.value)}" for each in languages[:4])
        more = f" and {len(languages) - 4} more" if len(languages) > 4 else ""
        facts.append(("Languages", f"{shown}{more} (of {languages[0].n or 0:,} texts looked at)"))
    facts += [("Ages", _age(found, place)) for place in found.places("date.oldest")]
    facts += [("Hosts", _host(found, place)) for place in found.places("host.different")]
    facts += _synthetic(found)
    facts += _purpose(found, today)
    return facts


def _compared(found: Found) -> list[tuple[str, str]]:
    """Tell of copies of texts, personal data and items of benchmarks, as far as they were looked for."""
    facts = []
    if removed := found.one("duplicates.removed"):
        told = f"{view.number(removed.value)} of {removed.n or 0:,} texts are the same or nearly the same as others"
        facts.append(("Texts alike", told))
    if rows := found.one("personal.rows"):
        kinds = found.each("personal.found", "kind")
        told = f"found in {view.number(rows.value)} of {rows.n or 0:,} rows"
        if kinds:
            told += f": {', '.join(f'{KINDS[kind].title} ({view.number(count)})' for kind, count in _ranked(kinds))}"
        facts.append(("Personal data", told))
    for each in found.by["leak.strong"]:
        told = f"{view.number(each.value)} of {each.n or 0:,} items of {each.slice['benchmark']} stand in the data"
        facts.append(("Benchmarks", told))
    return facts


def _ranked(kinds: Sequence[Measurement]) -> list[tuple[str, str]]:
    """Return kinds that are known here with their counts, the commonest first."""
    known = [each for each in kinds if each.slice["kind"] in KINDS]
    return [(each.slice["kind"], each.value) for each in sorted(known, key=lambda each: -int(each.value))]


def _age(found: Found, place: Mapping[str, str]) -> str:
    oldest, newest = found.value("date.oldest", **place), found.value("date.newest", **place)
    middle, missing = found.value("date.p50", **place), found.value("date.missing", **place)
    unread = found.value("date.unread", **place)
    without = int(missing or 0) + int(unread or 0)
    return f"{oldest} to {newest}, half of them up to {middle}; {without:,} rows without a date ({found.named(place)})"


def _host(found: Found, place: Mapping[str, str]) -> str:
    different, total = found.value("host.different", **place), found.one("host.values", **place)
    assert total is not None
    without = (total.n or 0) - int(total.value)
    return f"{view.number(different)} hosts; {without:,} rows without an address ({found.named(place)})"


def _synthetic(found: Found) -> list[tuple[str, str]]:
    share = found.one("synthetic.share")
    if share is None:
        return []
    depth = view.plural(int(found.value("synthetic.depth")), "generation")
    return [("Made by models", f"{percent(share.value)} of {share.n or 0:,} rows, in up to {depth}")]


def _purpose(found: Found, today: date) -> list[tuple[str, str]]:
    facts = [("Purpose", each.value) for each in found.by["purpose.declared"]]
    collected = found.value("context.collected")
    if collected:
        use = ", ".join(each.value for each in found.by["context.use"])
        facts.append(("Collected in", collected))
        facts.append(("To be used for", use + (f" ({basis})" if (basis := found.value("context.basis")) else "")))
    techniques: dict[str, list[str]] = {}
    for each in found.by["privacy.claimed"]:
        parameter = each.slice.get("parameter", "")
        techniques.setdefault(each.slice["technique"], []).extend([f"{parameter} {each.value}"] if parameter else [])
    for technique, parameters in techniques.items():
        facts.append(("Privacy", f"{technique}{' with ' if parameters else ''}{', '.join(parameters)}, as declared"))
    days = found.value("retention.days")
    for each in found.by["retention.expires"]:
        limit = (today - timedelta(min(int(days), today.toordinal() - 1))).isoformat()
        place = dict(each.slice)
        old = sum(
            int(count.value)
            for count in found.within("date.count", place)
            if count.slice["period"] < limit[: len(count.slice["period"])]
        )
        sentence = f"{int(days):,} days; the first rows expire on {each.value}"
        if each.value <= today.isoformat():
            sentence = f"{int(days):,} days; the first rows expired on {each.value}, and at least {old:,} have today"
        facts.append(("Kept for", sentence))
    return facts


def _columns(found: Found) -> list[ColumnRow]:
    rows = []
    for each in found.by["column.values"]:
        place = dict(each.slice)
        missing, n = int(found.value("column.missing", **place) or 0), each.n or 0
        different = found.one("column.different", **place)
        rows.append(
            ColumnRow(
                name=place["column"],
                folder=place.get("folder", ""),
                kind=found.value("column.kind", **place) or "empty",
                missing=f"{missing:,}{f' ({percent(missing / n)})' if missing and n else ''}",
                different=("about " if different.interval else "") + view.number(different.value) if different else "–",
                size=_size(found, place),
            )
        )
    return rows


def _size(found: Found, place: Mapping[str, str]) -> str:
    unit = {"text": "characters", "mixed": "characters", "bytes": "bytes", "list": "items"}
    kind = found.value("column.kind", **place)
    if middle := found.value("column.length.p50", **place):
        greatest = _round(found.value("column.length.greatest", **place))
        return f"{_round(middle)} {unit.get(kind, '')}; longest {greatest}"
    if least := found.value("column.least", **place):
        return f"{least} to {found.value('column.greatest', **place)}; mean {found.value('column.mean', **place)}"
    return "–"


def _slices(found: Found) -> list[SliceRow]:
    rows = []
    for each in found.by["slice.share"]:
        place = dict(each.slice)
        rows.append(
            SliceRow(
                column=place["column"],
                value=place["value"],
                rows=view.number(found.value("slice.rows", **place)),
                share=share_bar("", each).share,
                reference=percent(reference) if (reference := found.value("slice.reference", **place)) else "–",
                words=view.number(found.value("text.words", **place)) or "–",
                languages=_spoken(found.of("text.language", place)),
            )
        )
    return rows


def _spoken(languages: Sequence[Measurement]) -> str:
    return ", ".join(f"{language_name(each.slice['language'])} {percent(each.value)}" for each in languages[:3]) or "–"


def _pairs(found: Found) -> list[PairRow]:
    shares = {tuple(sorted(each.slice.items())): each for each in found.by["label.share"]}
    rows = []
    for each in sorted(found.by["label.npmi"], key=lambda item: -abs(float(item.value))):
        place = dict(each.slice)
        share = shares[tuple(sorted(place.items()))]
        group = f"{place['column']}: {place['value']}" if "value" in place else place["terms"]
        rows.append(PairRow(group, place["label"], share_bar("", share).share, against_chance(float(each.value))))
    return rows[:MOST_COLUMNS]


def _part(measured: Measurement) -> str:
    return f" ({percent(int(measured.value) / measured.n)})" if measured.n and measured.value != "0" else ""


def _round(text: str) -> str:
    return f"{round(float(text)):,}" if text else "–"
