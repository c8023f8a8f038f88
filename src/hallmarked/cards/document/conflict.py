"""Claims that can never hold together, found with the evaluator that would judge them.

Two claims about one value are held against values that could satisfy both: those they name, those between and beyond
them, and a word that neither names. If none satisfies both, none can.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from hallmarked.cards.document.declared import DeclaredClaim
from hallmarked.core.evidence import Attestation, Statement
from hallmarked.policy.fact import Facts
from hallmarked.policy.requirement import Operator, Outcome, decimal, judge

MAX_PAIRS = 3_000
"""Pairs of claims about one value that are compared."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NEITHER = "a-word-that-neither-names"


def find_conflicts(claims: Sequence[DeclaredClaim]) -> Iterator[tuple[DeclaredClaim, DeclaredClaim]]:
    """Yield pairs of claims, in the order of the card, of which at most one can be true; see ``MAX_PAIRS``."""
    for first, second in itertools.islice(_pairs(claims), MAX_PAIRS):
        if _conflict(first, second):
            yield first, second


def are_too_many(claims: Sequence[DeclaredClaim]) -> bool:
    """Say whether there are more pairs of claims about one value than are compared."""
    return next(itertools.islice(_pairs(claims), MAX_PAIRS, None), None) is not None


def _pairs(claims: Sequence[DeclaredClaim]) -> Iterator[tuple[DeclaredClaim, DeclaredClaim]]:
    """Yield pairs of claims about one value, without those that ask for the same."""
    groups: defaultdict[tuple[str, object], list[DeclaredClaim]] = defaultdict(list)
    for claim in claims:
        part = claim.slice if isinstance(claim.slice, str) else tuple(sorted(claim.slice.items()))
        groups[claim.path, part].append(claim)
    for group in groups.values():
        distinct = {(claim.op, claim.value): claim for claim in reversed(group)}
        yield from itertools.combinations(sorted(distinct.values(), key=lambda claim: claim.line), 2)


def _conflict(first: DeclaredClaim, second: DeclaredClaim) -> bool:
    absent = [claim.op is Operator.ABSENT for claim in (first, second)]
    if any(absent):
        return not all(absent)
    return not any(holds(first, value) and holds(second, value) for value in candidates(first, second))


def candidates(first: DeclaredClaim, second: DeclaredClaim) -> list[str]:
    """Return values that tell two claims apart, or satisfy both, if any value does."""
    named = [
        value
        for claim in (first, second)
        for value in ((claim.value,) if isinstance(claim.value, str) else claim.value)
    ]
    numbers = sorted({number for value in named if (number := decimal(value)) is not None})
    between = [(low + high) / 2 for low, high in itertools.pairwise(numbers)]
    beyond = [numbers[0] - 1, numbers[-1] + 1] if numbers else []
    return [*named, *(format(number, "f") for number in (*between, *beyond)), _NEITHER]


def holds(claim: DeclaredClaim, value: str) -> bool:
    """Say whether a value would satisfy a claim, whoever measured it, wherever, and on however many."""
    asked = replace(claim, slice={}, min_n=0, max_age=None, by=())
    measured = {"measurements": [{"metric": claim.path, "value": value}]}
    facts = Facts((Attestation(Statement((), "urn:hallmarked:supposed", measured), "", _EPOCH),))
    return judge(asked, facts, _EPOCH).outcome is Outcome.MET
