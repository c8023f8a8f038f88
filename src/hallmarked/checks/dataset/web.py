"""What is told of columns that hold addresses of pages.

========================= ============================================================================================
``host.values``           values that are addresses; the slice names the ``column`` and the ``folder``
``host.other``            values that are none
``host.secure``           share of the addresses that begin with ``https``
``host.different``        how many hosts there are; at least so many, when the rarest are not kept apart
``host.count``            values at one ``host``, for the most frequent that occur often
``host.end.count``        values by the last two parts of their hosts' names (``end``); this is not the list of domains
                          that somebody can register, which is ``example.co.uk`` of ``www.example.co.uk``
``host.rest``             values at hosts that are not named
``host.error``            how many more values a host may have than are told of it, where there were too many hosts
========================= ============================================================================================
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from hallmarked.checks.dataset.column import OFTEN, named, share_of
from hallmarked.core.evidence import Finding, Item, Level, Measurement, Rule

if TYPE_CHECKING:
    from hallmarked.corpus.measure.column import Column
    from hallmarked.corpus.measure.host import Hosts

ONE_HOST = Rule(
    "WEB001",
    Level.NOTE,
    "Most rows come from one host",
    "Say so in the card; what a model learns from it is what is written there.",
)
RULES = (ONE_HOST,)
MOST_SHOWN = 50
"""Hosts that are told one by one."""
ADDRESSES = 0.9
"""Share of values that are addresses from which a column is one of addresses."""
MOSTLY = 0.5


def tell_hosts(place: Mapping[str, str], column: Column, declared: bool) -> Iterator[Item]:
    """Tell from which hosts the addresses of a column are, when it is a column of addresses.

    Args:
        place: Its slice.
        column: What was counted.
        declared: Whether the makers say that it holds addresses.
    """
    hosts = column.hosts
    total = hosts.total
    if not (declared or total >= ADDRESSES * column.values) or not column.values:
        return
    yield Measurement("host.values", str(total), n=column.values + column.missing, slice=place)
    yield Measurement("host.other", str(hosts.other), n=column.values, slice=place)
    if not total:
        return
    yield Measurement("host.secure", share_of(hosts.secure, total), n=total, slice=place)
    yield Measurement("host.different", str(len(hosts.counts)), n=total, slice=place)
    if hosts.error:
        yield Measurement("host.error", str(hosts.error), slice=place)
    yield from _table("host.count", "host", hosts.counts, hosts, place)
    yield from _table("host.end.count", "end", hosts.ends(), hosts, place)
    most = max(hosts.counts.items(), key=lambda item: (item[1], item[0]))
    if most[1] > MOSTLY * total and most[1] >= OFTEN and len(hosts.counts) > 1:
        yield Finding.of(
            ONE_HOST, f"{most[0]} gives {most[1] / total:.1%} of the {total:,} addresses in {named(place)}"
        )


def _table(
    metric: str, part: str, counts: Counter[str], hosts: Hosts, place: Mapping[str, str]
) -> Iterator[Measurement]:
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    shown = [(name, count) for name, count in ranked[:MOST_SHOWN] if count >= OFTEN]
    for name, count in shown:
        yield Measurement(metric, str(count), n=hosts.total, slice={**place, part: name})
    rest = hosts.total - sum(count for _, count in shown)
    if rest:
        yield Measurement(f"{metric.removesuffix('.count')}.rest", str(rest), n=hosts.total, slice=place)
