"""Looking for items in texts: runs of words that they share first, then a comparison word by word.

Most of the work is done on all words of many texts at once; only places that share several runs with one item, close
to each other and in order, are compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from hallmarked.corpus.leak.align import Alignment, align
from hallmarked.corpus.leak.index import LONG_RUN, UNIT, Index, Runs, Target, run_hashes
from hallmarked.corpus.leak.word import Hashes, Places, Words, word_slices

POSSIBLE, STRONG = 0.25, 0.63
"""Shares of an item's weight that an alignment has to reach."""
ANY_ORDER = 0.4
"""Share that has to be there in whatever order, so that the order is looked at."""
QUOTED = 8
"""Words in a row from which an item is possibly there although less of it is."""
BETTER = 0.05
"""By how much a sibling's share of the same words is greater so that they count as its."""
ANSWER_SHARE = 0.6
"""Share of an answer's words that has to stand behind, or before, the question so that the answer is there too."""
ANSWER_NEAR = 64
"""Words between a question and its answer that are passed over at most, and three times the answer's own."""
NEIGHBOURHOOD, SIBLINGS = 64, 8
"""Words of a place, and how many items that it resembles are compared with it."""
PLACES_PER_WORD = 1 / 8
"""Places that are compared per word of text, and some more; a text made to match all over cannot take all time."""
FEW_PLACES = 500
STRETCH = 256
"""Words of the stretches of a text by which matches near each other are found."""


@dataclass(frozen=True, slots=True)
class Match:
    """An item that stands, more or less changed, in a text."""

    target: int
    text: int
    """Number of the text among those that were scanned."""
    start: int
    stop: int
    """First word of the text that matches, from 0, and the one behind the last."""
    share: float
    """Of the item's weight that matches less what was changed, from 0 to 1."""
    matched: tuple[tuple[int, int], ...]
    """Words of the target that match: from, to."""
    longest: int
    """Most words in a row that match."""
    answer: bool | None
    """Whether the answer stands near; None when the item has none that could be looked for."""
    shadowed: bool = False
    """Whether a sibling of the item matches the same words better, so that these are rather its."""

    @property
    def words(self) -> int:
        """How many words match."""
        return sum(stop - start for start, stop in self.matched)

    @property
    def strong(self) -> bool:
        """Whether so much of the item is there that chance or a common turn of phrase do not explain it."""
        return self.share >= STRONG and not self.shadowed


@dataclass(frozen=True, slots=True)
class Scanned:
    """What was found in some texts."""

    matches: list[Match]
    runs: Places
    """Numbers of the runs that occur, one per occurrence."""
    inside: Places
    """The same, of occurrences that lie in a strong match of an item that has them."""
    words: int
    passed_over: int
    """Places that were not compared because there were too many of them."""


@dataclass(frozen=True, slots=True)
class _Candidates:
    """Places where a target may stand: the words of the slice from where, to where."""

    target: Places
    start: Places
    stop: Places
    count: Places
    """Runs that they share."""
    origins: list[Places]
    """Where, in words of the slice, the target would begin by each of them."""


def scan(index: Index, texts: pa.Array) -> Iterator[Scanned]:
    """Look for items in texts, some texts at a time.

    Args:
        index: What to look for.
        texts: A ``large_string`` array without nulls.
    """
    for first, words in word_slices(texts):
        yield _scan(index, words, first)


def _scan(index: Index, words: Words, first: int) -> Scanned:
    runs, matches, inside = [], [], []
    passed_over = 0
    for kind in index.runs:
        at, which = _occurrences(kind, words)
        if not len(at):
            continue
        runs.append(which + kind.first)
        candidates = _gather(index, kind, words, at, which)
        room = FEW_PLACES + int(len(words.hashes) * PLACES_PER_WORD)
        chosen = _nearest(index, kind, candidates)
        passed_over += max(0, len(chosen) - room)
        for number in chosen[:room].tolist():
            found = _compare(index, words, candidates, number)
            if found is not None:
                matches.append(found)
        inside.append(_inside(kind, words, at, which, matches))
    matches = _best(index, matches, first)
    none = np.empty(0, np.int64)
    return Scanned(
        matches,
        np.concatenate(runs) if runs else none,
        np.concatenate(inside) if inside else none,
        len(words.hashes),
        passed_over,
    )


def _occurrences(kind: Runs, words: Words) -> tuple[Places, Places]:
    """Return where runs of items begin in the texts, and which they are."""
    hashes = run_hashes(words.hashes, kind.length)
    at = np.flatnonzero(kind.table[hashes >> kind.shift])
    order = np.argsort(hashes[at])  # what is looked up in order is found faster
    at = at[order]
    hashes = hashes[at]
    which = np.searchsorted(kind.keys, hashes)
    which[which == len(kind.keys)] = 0
    found = kind.keys[which] == hashes
    at, which = at[found], which[found]
    order = np.argsort(at)
    at, which = at[order], which[order]
    text = np.searchsorted(words.stops, at, "right") - 1
    found = at + kind.length <= words.stops[text + 1]
    return at[found], which[found]


def _gather(index: Index, kind: Runs, words: Words, at: Places, which: Places) -> _Candidates:
    """Put runs together that lie as in an item: at about the same distance from where it would begin."""
    counts = kind.begins[which + 1] - kind.begins[which]
    postings = np.repeat(kind.begins[which] - np.append(0, np.cumsum(counts)[:-1]), counts) + np.arange(counts.sum())
    target = kind.target[postings].astype(np.int64)
    spot = np.repeat(at, counts)
    origin = spot - kind.place[postings]
    order = np.argsort((target << 40) + origin + (1 << 20), kind="stable")
    target, spot, origin = target[order], spot[order], origin[order]
    text = np.searchsorted(words.stops, spot, "right") - 1
    length = index.lengths[target]
    stretch = origin // (2 * length)
    apart = (np.diff(target) != 0) | (np.diff(text) != 0) | (np.diff(stretch) != 0)
    apart |= np.diff(origin) > np.maximum(3, length[1:] // 4)
    begins = np.append(0, np.flatnonzero(apart) + 1)
    count = np.diff(np.append(begins, len(target)))
    enough = count >= index.needed[target[begins]]
    begins, count = begins[enough], count[enough]
    if not len(begins):
        none = np.empty(0, np.int64)
        return _Candidates(none, none, none, none, [])
    ends = begins + count - 1
    target, text, slack = target[begins], text[begins], length[begins] // 3 + 2
    start = np.maximum(origin[begins] - slack, words.stops[text])
    stop = np.minimum(origin[ends] + length[begins] + slack, words.stops[text + 1])
    origins = [origin[begin : end + 1] for begin, end in zip(begins.tolist(), ends.tolist(), strict=True)]
    return _Candidates(target, start, stop, count, origins)


def _nearest(index: Index, kind: Runs, candidates: _Candidates) -> Places:
    """Return the numbers of the candidates to compare, those first that share most of their runs.

    Of many siblings that a place resembles, those count that resemble it most, and all that share every run with it.
    """
    runs = np.maximum(1, index.lengths[candidates.target] - kind.length + 1)
    share = candidates.count / runs
    place = (candidates.start + candidates.stop) // (2 * NEIGHBOURHOOD)
    order = np.lexsort((candidates.target, -share, place))
    begins = np.flatnonzero(np.diff(place[order], prepend=-1))
    rank = np.arange(len(order)) - np.repeat(begins, np.diff(np.append(begins, len(order))))
    kept = order[(rank < SIBLINGS) | (share[order] >= 1)]
    nearest: Places = kept[np.argsort(-share[kept], kind="stable")]
    return nearest


def _compare(index: Index, words: Words, candidates: _Candidates, number: int) -> Match | None:
    """Compare a target with a place word by word."""
    target = index.targets[int(candidates.target[number])]
    start, stop = int(candidates.start[number]), int(candidates.stop[number])
    place = words.hashes[start:stop]
    total = int(target.weights.sum())
    if int(target.weights[np.isin(target.words, place)].sum()) >= ANY_ORDER * total:
        found = align(target.words, target.weights, place)
    elif candidates.count[number] > QUOTED - LONG_RUN:
        found = _quoted(target, place, np.unique(candidates.origins[number]) - start)
    else:
        return None
    share, longest = found.score / total, found.longest
    if target.whole and longest < len(target.words):
        return None
    if share < POSSIBLE and longest < QUOTED:
        return None
    text = int(np.searchsorted(words.stops, start, "right")) - 1
    begin, end = int(words.stops[text]), int(words.stops[text + 1])
    first, last = start + int(found.places[0]), start + int(found.places[-1]) + 1
    return Match(
        int(candidates.target[number]),
        text,
        first - begin,
        last - begin,
        round(share, 4),
        _ranges(found),
        longest,
        _answered(target, words, (first, last), (begin, end)),
    )


def _quoted(target: Target, place: Hashes, origins: Places) -> Alignment:
    """Return the most words in a row that a target shares with a place, if it begins at one of some words."""
    best = np.empty(0, np.int64), 0
    for origin in origins.tolist():
        first, last = max(0, -origin), min(len(target.words), len(place) - origin)
        same = np.concatenate([[0], target.words[first:last] == place[first + origin : last + origin], [0]])
        edges = np.flatnonzero(np.diff(same))
        lengths = edges[1::2] - edges[0::2]
        if len(lengths) and lengths.max() > len(best[0]):
            begin = first + int(edges[0::2][lengths.argmax()])
            best = np.arange(begin, begin + int(lengths.max())), origin
    return Alignment(int(target.weights[best[0]].sum()), best[0], best[0] + best[1])


def _ranges(found: Alignment) -> tuple[tuple[int, int], ...]:
    """Write places that follow each other as ranges."""
    breaks = np.flatnonzero(np.diff(found.matched) != 1) + 1
    return tuple((int(each[0]), int(each[-1]) + 1) for each in np.split(found.matched, breaks))


def _answered(target: Target, words: Words, place: tuple[int, int], text: tuple[int, int]) -> bool | None:
    """Say whether the answer stands behind the question, or before it."""
    count = len(target.answer)
    if not count:
        return None
    reach = ANSWER_NEAR + 3 * count
    behind = words.hashes[place[1] : min(text[1], place[1] + reach)]
    before = words.hashes[max(text[0], place[0] - reach) : place[0]]
    weights = np.full(count, UNIT)
    for near in (behind, before):
        if not len(near):
            continue
        if count < QUOTED:
            if count <= len(near) and bool(
                (np.lib.stride_tricks.sliding_window_view(near, count) == target.answer).all(1).any()
            ):
                return True
        elif align(target.answer, weights, near).score >= ANSWER_SHARE * UNIT * count:
            return True
    return False


def _inside(kind: Runs, words: Words, at: Places, which: Places, matches: list[Match]) -> Places:
    """Return the occurrences of runs that are explained by a strong match."""
    strong = [match for match in matches if match.strong]
    covered = np.zeros(len(words.hashes) + 1, np.int64)
    for match in strong:
        begin = int(words.stops[match.text])
        covered[begin + match.start] += 1
        covered[begin + match.stop] -= 1
    inside = np.cumsum(covered)
    return which[inside[at] > 0] + kind.first


def _best(index: Index, matches: list[Match], first: int) -> list[Match]:
    """Keep of matches of one target that overlap the best one, and number the texts.

    Words that a sibling matches better are no evidence of an item unless most of it is there too; then they are marked.
    """
    kept: list[Match] = []
    stretches: dict[tuple[int, int], list[Match]] = {}
    for match in sorted(matches, key=lambda m: (m.text, -m.share, m.target, m.start)):
        places = [(match.text, number) for number in range(match.start // STRETCH, match.stop // STRETCH + 1)]
        near = [other for place in places for other in stretches.get(place, ()) if _shared(match, other) > 0]
        if any(other.target == match.target for other in near):
            continue
        shadowed = any(
            2 * _shared(match, other) > match.stop - match.start
            and other.share >= match.share + BETTER
            and index.owner[other.target] == index.owner[match.target]
            for other in near
        )
        if not shadowed or match.share >= STRONG:
            kept.append(replace(match, shadowed=shadowed))
            for place in places:
                stretches.setdefault(place, []).append(kept[-1])
    return [replace(match, text=match.text + first) for match in kept]


def _shared(one: Match, other: Match) -> int:
    """Return how many words of their text two matches have in common; none when it is negative."""
    return min(one.stop, other.stop) - max(one.start, other.start)
