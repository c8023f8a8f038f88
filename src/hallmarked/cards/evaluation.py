"""Hold a result that a card reports against what others measured."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from hallmarked.cards.held import hold
from hallmarked.cards.known import Known, squeeze
from hallmarked.cards.record import Evidence
from hallmarked.cards.status import Standing, Status, worst_first
from hallmarked.policy.fact import Fact
from hallmarked.policy.requirement import THIRD_PARTY, Judged, Operator, Outcome, Requirement, decimal

REPEAT = Decimal("0.01")
"""Share by which two runs of one evaluation may differ, where neither gives an interval, before one contradicts."""
WIDEST = Decimal("0.1")
"""Widest interval that bears out a value, as a share of the scale (of the value, when it is larger than one)."""
_ABOUT_DATA = ("dataset", "benchmark", "task")
_DETAILS = frozenset({*_ABOUT_DATA, "split", "config", "revision"})


@dataclass(frozen=True, slots=True)
class Compared:
    """How a reported result stands against what others measured."""

    standings: tuple[Standing, ...]
    evidence: tuple[Evidence, ...]


def paths_of(claim: Evidence, known: Known) -> tuple[str, ...]:
    """Return the paths under which others may have measured what a card reports."""
    names = (claim.slice.get(key, "") for key in ("type", "metric", "task"))
    found = dict.fromkeys(path for name in names if name for path in known.results.get(squeeze(name), ()))
    return tuple(found)


def compare(claim: Evidence, known: Known, time: datetime, *, alone: bool) -> Compared | None:
    """Hold a reported result against results of others.

    Args:
        claim: The result, as the documentation check recorded it.
        known: What is stated.
        time: When it is judged.
        alone: Whether the card reports this metric for one data set only, so that a result without a data set is
            about the same.

    Returns:
        None when nobody measured the same on the same data.
    """
    value = decimal(claim.value)
    if value is None:
        return None
    compared: list[Compared] = []
    for path in paths_of(claim, known):
        places = {fact.place: fact for fact in known.facts.find(path) if _same_data(claim, fact, alone=alone)}
        compared += [_compare(value, claim, fact, known, time) for fact in places.values()]
    return min(compared, key=lambda one: one.standings[0].status.severity) if compared else None


def _same_data(claim: Evidence, fact: Fact, *, alone: bool) -> bool:
    if not fact.slice.keys() <= _DETAILS:
        return False  # a part of the data, such as a group of people
    for key in ("split", "config"):
        if key in fact.slice and key in claim.slice and squeeze(fact.slice[key]) != squeeze(claim.slice[key]):
            return False
    named = [fact.slice[key] for key in _ABOUT_DATA if key in fact.slice]
    if not named:
        return alone
    said = {squeeze(name) for key in ("dataset", "task") for name in _short(claim.slice.get(key, ""))}
    return any(squeeze(name) in said for each in named for name in _short(each))


def _short(name: str) -> Iterator[str]:
    """Yield a name, and its last part: “stanfordnlp/imdb” is “imdb”."""
    if name:
        yield name
        yield name.rpartition("/")[2]


def _compare(value: Decimal, claim: Evidence, fact: Fact, known: Known, time: datetime) -> Compared:
    """Judge whether what was measured agrees, by asking whether it is neither below nor above what is reported."""
    measured = decimal(fact.value)
    scale = Decimal(100 if measured is not None and abs(measured) <= 1 < abs(value) <= 100 else 1)  # given in percent
    value, near = value / scale, _step(claim.value) / 2 / scale
    standings: list[Standing] = []
    facts: dict[tuple[object, ...], Fact] = {}
    for op, bound in ((Operator.AT_LEAST, value - near), (Operator.AT_MOST, value + near)):
        asked = Requirement("evaluation", fact.path, op, format(bound, "f"), slice=fact.slice, by=(THIRD_PARTY,))
        said, judged = hold(asked, known, time, "card.evaluation")
        standings += [_soften(said[0], judged, value, claim), *said[1:]]
        facts |= {(one.source.id, one.place): one for one in judged.facts}
    return Compared(worst_first(standings), tuple(map(Evidence.of_fact, facts.values())))


def _step(written: str) -> Decimal:
    """Return what the last digit of a number is worth: a hundredth for “0.87”."""
    number = decimal(written)
    exponent = number.as_tuple().exponent if number is not None else 0
    return Decimal(1).scaleb(exponent) if isinstance(exponent, int) else Decimal(0)


def _soften(standing: Standing, judged: Judged, value: Decimal, claim: Evidence) -> Standing:
    """Let an interval that covers the value bear it out, and no small difference without an interval contradict it."""
    if not judged.facts or judged.outcome not in {Outcome.FAILS, Outcome.UNDERPOWERED, Outcome.MET}:
        return standing
    fact = judged.facts[0]
    said = f"{_shown(fact)} was measured by {fact.source.signer or fact.source.role}"
    against = f"{said}, and the card says {claim.value}"
    if judged.outcome is Outcome.MET:
        return Standing(standing.status, f"{said}, which agrees with the card")
    if judged.outcome is Outcome.UNDERPOWERED:
        if _width(fact) <= WIDEST * max(Decimal(1), abs(value)):
            return Standing(Status.SUPPORTED, f"{said}, which agrees with the card")
        return Standing(Status.UNKNOWN, f"{against}; the interval is too wide to tell")
    measured = decimal(fact.value)
    if fact.interval is None and measured is not None and abs(measured - value) <= REPEAT * abs(value):
        return Standing(Status.UNKNOWN, f"{against}; without an interval nobody can tell whether they differ")
    return Standing(standing.status, against)


def _width(fact: Fact) -> Decimal:
    low, high = (decimal(bound) for bound in fact.interval or ("", ""))
    return high - low if low is not None and high is not None else Decimal("Infinity")


def _shown(fact: Fact) -> str:
    part = ", ".join(f"{key} {value}" for key, value in fact.place)
    bounds = f" ({fact.interval[0]} to {fact.interval[1]})" if fact.interval else ""
    return f"{fact.path}{f' for {part}' if part else ''} = {fact.value}{bounds}"


def reported_once(claims: Iterable[Evidence]) -> frozenset[str]:
    """Return the metrics, see ``metric_of``, that a card reports for one data set only."""
    counts = Counter(metric_of(claim) for claim in claims if claim.metric == "claim.evaluation")
    return frozenset(metric for metric, count in counts.items() if count == 1)


def metric_of(claim: Evidence) -> str:
    """Return the name of the metric that a result is of, without case and punctuation."""
    names = (claim.slice.get(key, "") for key in ("type", "metric", "task"))
    return next((squeeze(name) for name in names if name), "")
