"""What a report shows of a data set: worked out from the measurements of the checks ``tables`` and ``texts``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from hallmarked.audit.report import view
from hallmarked.audit.report.chart import Bar, Chart
from hallmarked.audit.report.language import language_name
from hallmarked.checks.runner import Result
from hallmarked.core.evidence import Measurement

CHECKS = frozenset({"tables", "texts"})
MOST_CHARTS = 6
"""Charts of labels."""
MOST_COLUMNS = 200
MOST_LABELS = 12
"""Different values up to which a column that nobody declares to be of labels is drawn."""


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
    charts: Sequence[Chart]
    columns: Sequence[ColumnRow]
    columns_hidden: int
    slices: Sequence[SliceRow]
    pairs: Sequence[PairRow]


class _Found:
    """Measurements by metric."""

    def __init__(self, results: Iterable[Result]) -> None:
        self.by: defaultdict[str, list[Measurement]] = defaultdict(list)
        for result in results:
            if result.check in CHECKS:
                for measurement in result.measurements:
                    self.by[measurement.metric].append(measurement)
        self._folders = {each.slice.get("folder", "") for each in self.by["column.values"]}

    def one(self, metric: str, **part: str) -> Measurement | None:
        """Return the measurement with exactly this slice."""
        return next((each for each in self.by[metric] if dict(each.slice) == part), None)

    def named(self, place: Mapping[str, str]) -> str:
        """Write which column it is, with its folder where there are several."""
        folder = place.get("folder", "") if len(self._folders) > 1 else ""
        return place["column"] + (f" in {folder}" if folder else "")

    def value(self, metric: str, **part: str) -> str:
        found = self.one(metric, **part)
        return found.value if found else ""

    def each(self, metric: str, *names: str) -> list[Measurement]:
        """Return the measurements whose slice has these members and no others."""
        return [each for each in self.by[metric] if each.slice.keys() == set(names)]

    def places(self, metric: str) -> list[dict[str, str]]:
        """Return the columns that a metric is told of, in order."""
        places: list[dict[str, str]] = []
        for each in self.by[metric]:
            place = {name: value for name, value in each.slice.items() if name in ("column", "folder")}
            if place and place not in places:
                places.append(place)
        return places

    def of(self, metric: str, place: Mapping[str, str]) -> list[Measurement]:
        """Return the measurements of a metric whose slice begins with these members."""
        return [each for each in self.by[metric] if place.items() <= each.slice.items()]

    def within(self, metric: str, place: Mapping[str, str]) -> list[Measurement]:
        """Return the measurements of a metric that are parts of one column."""
        return [
            each
            for each in self.by[metric]
            if {name: value for name, value in each.slice.items() if name in ("column", "folder")} == place
        ]


def data_set(results: Sequence[Result], today: date) -> DataSet | None:
    """Work out what is shown; None when no rows were counted.

    Args:
        results: What the checks saw.
        today: The day on which it is shown; what has expired depends on it.
    """
    found = _Found(results)
    if not found.by["rows.total"]:
        return None
    charts = [*_languages(found), *_lengths(found), *_dates(found), *_hosts(found), *_labels(found)]
    columns = _columns(found)
    return DataSet(
        facts=_facts(found, today),
        charts=charts,
        columns=columns[:MOST_COLUMNS],
        columns_hidden=max(0, len(columns) - MOST_COLUMNS),
        slices=_slices(found),
        pairs=_pairs(found),
    )


def _facts(found: _Found, today: date) -> list[tuple[str, str]]:
    facts = [("Rows", view.number(found.value("rows.total")))]
    copies = found.one("rows.repeated")
    if copies and copies.n:
        facts.append(("Copies", f"{view.number(copies.value)} rows are copies of others{_part(copies)}"))
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


def _age(found: _Found, place: Mapping[str, str]) -> str:
    oldest, newest = found.value("date.oldest", **place), found.value("date.newest", **place)
    middle, missing = found.value("date.p50", **place), found.value("date.missing", **place)
    unread = found.value("date.unread", **place)
    without = int(missing or 0) + int(unread or 0)
    return f"{oldest} to {newest}, half of them up to {middle}; {without:,} rows without a date ({found.named(place)})"


def _host(found: _Found, place: Mapping[str, str]) -> str:
    different, total = found.value("host.different", **place), found.one("host.values", **place)
    assert total is not None
    without = (total.n or 0) - int(total.value)
    return f"{view.number(different)} hosts; {without:,} rows without an address ({found.named(place)})"


def _synthetic(found: _Found) -> list[tuple[str, str]]:
    share = found.one("synthetic.share")
    if share is None:
        return []
    depth = found.value("synthetic.depth")
    return [("Made by models", f"{percent(share.value)} of {share.n or 0:,} rows; up to {depth} times through a model")]


def _purpose(found: _Found, today: date) -> list[tuple[str, str]]:
    facts = [("Purpose", each.value) for each in found.by["purpose.declared"]]
    collected = found.value("context.collected")
    if collected:
        use = ", ".join(each.value for each in found.by["context.use"])
        facts.append(("Collected in", collected))
        facts.append(("To be used for", use + (f" ({basis})" if (basis := found.value("context.basis")) else "")))
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


def _languages(found: _Found) -> Iterable[Chart]:
    languages = found.each("text.language", "language")
    if languages:
        n, method = languages[0].n or 0, found.value("text.method.languages")
        bars = [_share_bar(language_name(each.slice["language"]), each) for each in languages]
        about = f"Languages of {n:,} texts, by {method}. Lines show 95 % intervals."
        yield Chart("languages", "Languages", about, ("Language", "Texts", "Share"), bars)


def _lengths(found: _Found) -> Iterable[Chart]:
    lengths = found.each("text.length.count", "from", "to")
    if lengths:
        bars = [
            Bar(_range(each), view.number(each.value), float(each.value), percent(int(each.value) / (each.n or 1)))
            for each in lengths
        ]
        about = f"How many of {lengths[0].n or 0:,} texts have how many words."
        yield Chart("lengths", "Lengths of texts", about, ("Words", "Texts", "Share"), bars, standing=True)


def _dates(found: _Found) -> Iterable[Chart]:
    for number, place in enumerate(found.places("date.count"), 1):
        counts = found.within("date.count", place)
        bars = [
            Bar(
                each.slice["period"],
                view.number(each.value),
                float(each.value),
                percent(int(each.value) / (each.n or 1)),
            )
            for each in counts
        ]
        empty = sum(each.value == "0" for each in counts)
        period = "month" if len(counts[0].slice["period"]) > 4 else "year"
        about = (
            f"{counts[0].n or 0:,} dates of {found.named(place)} by {period}; {view.plural(empty, period)} without any."
        )
        yield Chart(
            f"dates-{number}", f"Ages: {found.named(place)}", about, (period.title(), "Rows", "Share"), bars, True
        )


def _hosts(found: _Found) -> Iterable[Chart]:
    for number, place in enumerate(found.places("host.end.count"), 1):
        counts = found.within("host.end.count", place)
        bars = [
            Bar(each.slice["end"], view.number(each.value), float(each.value), percent(int(each.value) / (each.n or 1)))
            for each in counts
        ]
        rest = found.value("host.end.rest", **place)
        others = f" {view.number(rest)} addresses are at others." if rest else ""
        about = f"{counts[0].n or 0:,} addresses of {found.named(place)} by the last two parts of their hosts' names.{others}"
        yield Chart(f"hosts-{number}", f"Hosts: {found.named(place)}", about, ("Host ends in", "Rows", "Share"), bars)


def _labels(found: _Found) -> Iterable[Chart]:
    declared = {
        each.slice.get("column") for each in found.by["column.role"] if each.value in ("label", "group", "source")
    }
    places = found.places("column.share")
    chosen = [place for place in places if place["column"] in declared]
    chosen += [
        place for place in places if place not in chosen and 1 < len(found.within("column.share", place)) <= MOST_LABELS
    ]
    for number, place in enumerate(chosen[:MOST_CHARTS], 1):
        shares = found.within("column.share", place)
        ranked = sorted(shares, key=lambda each: -float(each.value))
        about = f"Values of {found.named(place)} in {shares[0].n or 0:,} rows. Lines show 95 % intervals."
        bars = [_share_bar(each.slice["value"], each) for each in ranked]
        yield Chart(f"labels-{number}", f"Values: {found.named(place)}", about, ("Value", "Rows", "Share"), bars)


def _share_bar(label: str, measured: Measurement) -> Bar:
    share, n = float(measured.value), measured.n or 0
    interval = None
    written = percent(share)
    if measured.interval:
        interval = (float(measured.interval[0]), float(measured.interval[1]))
        written += f" ({percent(interval[0])} to {percent(interval[1])})"
    return Bar(label, f"{round(share * n):,}", share, written, interval)


def _columns(found: _Found) -> list[ColumnRow]:
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


def _size(found: _Found, place: Mapping[str, str]) -> str:
    unit = {"text": "characters", "mixed": "characters", "bytes": "bytes", "list": "items"}
    kind = found.value("column.kind", **place)
    if middle := found.value("column.length.p50", **place):
        return (
            f"{_round(middle)} {unit.get(kind, '')}, at most {_round(found.value('column.length.greatest', **place))}"
        )
    if least := found.value("column.least", **place):
        return f"{least} to {found.value('column.greatest', **place)}, mean {found.value('column.mean', **place)}"
    return "–"


def _slices(found: _Found) -> list[SliceRow]:
    rows = []
    for each in found.by["slice.share"]:
        place = dict(each.slice)
        rows.append(
            SliceRow(
                column=place["column"],
                value=place["value"],
                rows=view.number(found.value("slice.rows", **place)),
                share=_share_bar("", each).share,
                reference=percent(reference) if (reference := found.value("slice.reference", **place)) else "–",
                words=view.number(found.value("text.words", **place)) or "–",
                languages=_spoken(found.of("text.language", place)),
            )
        )
    return rows


def _spoken(languages: Sequence[Measurement]) -> str:
    return ", ".join(f"{language_name(each.slice['language'])} {percent(each.value)}" for each in languages[:3]) or "–"


def _pairs(found: _Found) -> list[PairRow]:
    shares = {tuple(sorted(each.slice.items())): each for each in found.by["label.share"]}
    rows = []
    for each in sorted(found.by["label.npmi"], key=lambda item: -abs(float(item.value))):
        place = dict(each.slice)
        share = shares[tuple(sorted(place.items()))]
        group = f"{place['column']}: {place['value']}" if "value" in place else place["terms"]
        rows.append(PairRow(group, place["label"], _share_bar("", share).share, f"{float(each.value):+.2f}"))
    return rows[:MOST_COLUMNS]


def _range(measured: Measurement) -> str:
    first, last = int(measured.slice["from"]), int(measured.slice["to"]) - 1
    return str(first) if first == last else f"{first}–{last}"


def _part(measured: Measurement) -> str:
    return f" ({percent(int(measured.value) / measured.n)})" if measured.n and measured.value != "0" else ""


def _round(text: str) -> str:
    return f"{round(float(text)):,}" if text else "–"


def percent(share: float | str) -> str:
    """Write a share: three digits of small ones, so that what is there never reads as nothing."""
    value = float(share) * 100
    return f"{value:.1f}%" if value == 0 or value >= 0.1 else f"{value:.2g}%"
