"""Keep the report of one file brief: the same finding a thousand times says no more than once."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Iterator
from typing import ParamSpec

from hallmarked.checks.serialization.contract import Seen
from hallmarked.core.evidence import Finding, Gap

MOST = 1_000
"""Findings of one rule in one file; what lies beyond is counted, and leaves a gap."""

_P = ParamSpec("_P")


def brief(examiner: Callable[_P, Iterator[Seen]]) -> Callable[_P, Iterator[Seen]]:
    """Make an examiner yield each finding once.

    Findings with data are the same when rule, level and data are; others when the message is. Gaps are compared by
    their reason.
    """

    @functools.wraps(examiner)
    def examine(*args: _P.args, **kwargs: _P.kwargs) -> Iterator[Seen]:
        known: set[object] = set()
        counts: Counter[str] = Counter()
        for item in examiner(*args, **kwargs):
            if not isinstance(item, Finding | Gap):
                yield item
                continue
            key, rule = _key(item)
            if key in known:
                continue
            counts[rule] += 1
            if counts[rule] <= MOST:
                known.add(key)
                yield item
        left_out = sum(max(0, number - MOST) for number in counts.values())
        if left_out:
            yield Gap(f"{left_out:,} more findings and gaps of the same kinds")

    return examine


def _key(item: Finding | Gap) -> tuple[object, str]:
    if isinstance(item, Gap):
        return item.reason, ""
    what = tuple(sorted(item.data.items())) or item.message
    return (item.rule, item.level, what), item.rule
