"""Which charts a data set has: languages, lengths, ages, hosts and labels."""

from __future__ import annotations

from collections.abc import Iterator

from hallmarked.audit.report import view
from hallmarked.audit.report.chart import Bar, Chart
from hallmarked.audit.report.language import language_name
from hallmarked.audit.report.measured import Found, percent
from hallmarked.core.evidence import Measurement

MOST_CHARTS = 6
"""Charts of labels."""
MOST_LABELS = 12
"""Different values up to which a column that nobody declares to be of labels is drawn."""


def charts(found: Found) -> Iterator[Chart]:
    """Yield the charts of a data set, in the order in which they are shown."""
    yield from _languages(found)
    yield from _lengths(found)
    yield from _dates(found)
    yield from _hosts(found)
    yield from _labels(found)


def _languages(found: Found) -> Iterator[Chart]:
    languages = found.each("text.language", "language")
    if languages:
        n, method = languages[0].n or 0, found.value("text.method.languages")
        bars = [share_bar(language_name(each.slice["language"]), each) for each in languages]
        about = f"Languages of {n:,} texts, by {method}. Lines show intervals of 95 percent."
        yield Chart("languages", "Languages", about, ("Language", "Texts", "Share"), bars)


def _lengths(found: Found) -> Iterator[Chart]:
    lengths = found.each("text.length.count", "from", "to")
    if lengths:
        bars = [_count_bar(_range(each), each) for each in lengths]
        about = f"How many of {lengths[0].n or 0:,} texts have how many words."
        yield Chart("lengths", "Lengths of texts", about, ("Words", "Texts", "Share"), bars, standing=True)


def _dates(found: Found) -> Iterator[Chart]:
    for number, place in enumerate(found.places("date.count"), 1):
        counts = found.within("date.count", place)
        bars = [_count_bar(each.slice["period"], each) for each in counts]
        empty = sum(each.value == "0" for each in counts)
        period = "month" if len(counts[0].slice["period"]) > 4 else "year"
        about = (
            f"{counts[0].n or 0:,} dates of {found.named(place)} by {period}; {view.plural(empty, period)} without any."
        )
        yield Chart(
            f"dates-{number}", f"Ages: {found.named(place)}", about, (period.title(), "Rows", "Share"), bars, True
        )


def _hosts(found: Found) -> Iterator[Chart]:
    for number, place in enumerate(found.places("host.end.count"), 1):
        counts = found.within("host.end.count", place)
        bars = [_count_bar(each.slice["end"], each) for each in counts]
        rest = found.value("host.end.rest", **place)
        others = f" {view.number(rest)} addresses are at others." if rest else ""
        named = found.named(place)
        about = f"{counts[0].n or 0:,} addresses of {named} by the last two parts of their hosts' names.{others}"
        yield Chart(f"hosts-{number}", f"Hosts: {named}", about, ("Host ends in", "Rows", "Share"), bars)


def _labels(found: Found) -> Iterator[Chart]:
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
        about = f"Values of {found.named(place)} in {shares[0].n or 0:,} rows. Lines show intervals of 95 percent."
        bars = [share_bar(each.slice["value"], each) for each in ranked]
        yield Chart(f"labels-{number}", f"Values: {found.named(place)}", about, ("Value", "Rows", "Share"), bars)


def _count_bar(label: str, measured: Measurement) -> Bar:
    """Make a bar of a count."""
    count = int(measured.value)
    return Bar(label, f"{count:,}", float(count), percent(count / (measured.n or 1)))


def share_bar(label: str, measured: Measurement) -> Bar:
    """Make a bar of a share, with its interval."""
    share, n = float(measured.value), measured.n or 0
    interval = None
    written = percent(share)
    if measured.interval:
        interval = (float(measured.interval[0]), float(measured.interval[1]))
        written += f" ({percent(interval[0])} to {percent(interval[1])})"
    return Bar(label, f"{round(share * n):,}", share, written, interval)


def _range(measured: Measurement) -> str:
    first, last = int(measured.slice["from"]), int(measured.slice["to"]) - 1
    return str(first) if first == last else f"{first}–{last}"
