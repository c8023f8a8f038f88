"""From matches to items: how strong the evidence is, once it is known how common each run of words is in the corpus."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from hallmarked.corpus.leak.found import Found, Place
from hallmarked.corpus.leak.index import Index, Runs, run_hashes
from hallmarked.corpus.leak.scan import Match

COMMON_ROWS = 1e-4
"""Share of rows from which a run of words outside of strong matches is a common turn of phrase."""
COMMON_LEAST = 20
"""Times it has to occur at least."""
TELLING = 0.35
"""Share of an item's weight that has to be of uncommon words for the evidence to stay strong."""
TELLING_LEAST = 0.1
"""The same, for it to be evidence at all."""


class Strength(StrEnum):
    """How strong the evidence is that an item stands in a corpus."""

    STRONG = "strong"
    """Most of it is there, in order, and not only by common turns of phrase."""
    POSSIBLE = "possible"
    """A part of it is there: a quotation, a sibling, or a heavily changed copy."""


@dataclass(frozen=True, slots=True)
class ItemFound:
    """An item that stands in a corpus."""

    benchmark: str
    id: str
    strength: Strength
    places: Sequence[Place]
    """The best ones."""
    count: int
    """In how many places it was found."""
    answer: bool | None
    """Whether its answer stands near any of them; None when that could not be looked for."""
    words: int
    """Of the piece that was found best."""


def judge(index: Index, found: Found) -> list[ItemFound]:
    """Say of which items there is evidence, in the order of the benchmarks."""
    common = _common(found)
    items: dict[int, list[tuple[Strength, Place]]] = {}
    counts: dict[int, int] = {}
    for target, places in sorted(found.places.items()):
        item = index.targets[target].item
        for place in places:
            strength = _strength(index, place.match, common)
            if strength is not None:
                items.setdefault(item, []).append((strength, place))
        counts[item] = counts.get(item, 0) + found.strong.get(target, 0) + found.possible.get(target, 0)
    owners = list(index.items()) if items else []
    results = []
    for item, judged in sorted(items.items()):
        benchmark, number = owners[item]
        strength = Strength.STRONG if any(each is Strength.STRONG for each, _ in judged) else Strength.POSSIBLE
        places = [place for _, place in sorted(judged, key=lambda j: (j[0] is not Strength.STRONG, j[1].rank))]
        answers = {place.match.answer for place in places}
        results.append(
            ItemFound(
                benchmark.name,
                benchmark.items[number].id,
                strength,
                places,
                counts[item],
                True if True in answers else None if answers == {None} else False,
                len(index.targets[places[0].match.target].words),
            )
        )
    return results


def _common(found: Found) -> npt.NDArray[np.bool_]:
    """Say of each run whether it is a common turn of phrase in the corpus."""
    limit = max(COMMON_LEAST, COMMON_ROWS * found.rows)
    common: npt.NDArray[np.bool_] = (found.occurrences - found.inside) > limit
    return common


def _strength(index: Index, match: Match, common: npt.NDArray[np.bool_]) -> Strength | None:
    """Weigh a match without the words that only stand in common turns of phrase; None when too little is left."""
    target = index.targets[match.target]
    telling = np.zeros(len(target.words), bool)
    for kind in index.runs:
        if (kind.length == index.run_length(match.target)) and len(target.words) >= kind.length:
            telling |= _telling(kind, match, run_hashes(target.words, kind.length), common)
    share = int(target.weights[telling].sum()) / int(target.weights.sum())
    if match.strong and share >= TELLING:
        return Strength.STRONG
    return Strength.POSSIBLE if share >= TELLING_LEAST else None


def _telling(
    kind: Runs, match: Match, hashes: npt.NDArray[np.uint64], common: npt.NDArray[np.bool_]
) -> npt.NDArray[np.bool_]:
    """Say which words that match are not, by all runs that match too, part of a common turn of phrase."""
    which = np.minimum(np.searchsorted(kind.keys, hashes), len(kind.keys) - 1)
    rare = (kind.keys[which] == hashes) & ~common[which + kind.first]
    telling = np.zeros(len(hashes) + kind.length - 1, bool)
    for begin, end in match.matched:
        if end - begin < kind.length:
            telling[begin:end] = True  # no run says anything about them
            continue
        for place in (np.flatnonzero(rare[begin : end - kind.length + 1]) + begin).tolist():
            telling[place : place + kind.length] = True
    return telling
