"""An index of the items of benchmarks: which runs of words belong to which items, and how much each word tells.

Items of 16 words and more are found by runs of four words, shorter ones by runs of three. A run that many items of one
benchmark share says little about any of them and is left out, unless an item has no other. Words that many items share
weigh less than those that few have.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from hallmarked.core.errors import LimitExceeded
from hallmarked.corpus.leak.item import Benchmark
from hallmarked.corpus.leak.word import Hashes, Places, Words, words_of

LONG_RUN, SHORT_RUN = 4, 3
"""Words of the runs by which items are found."""
LONG_ITEM = 16
"""Words from which an item is looked for by long runs."""
WHOLE_ITEM = 8
"""Words below which all of an item has to be there, word for word."""
LEAST_ITEM = 3
"""Words below which an item is not looked for: it would be found everywhere."""
PIECE = 512
"""Words of the pieces into which longer items are cut; each is looked for by itself."""
MOST_SHARING = 64
"""Items from which a run that they share is left out."""
MOST_WORDS = 8_000_000
"""Words of all benchmarks together, so that the index fits into memory."""
UNIT = 1_000
"""What the words of a piece weigh on average; weights are whole numbers so that sums never depend on their order."""
LEAST_WEIGHT = 0.15
"""What the most common word of a benchmark weighs beside the rarest."""
ANSWER_WORDS = 256
"""Words of an answer that are looked for."""
_BASE = np.uint64(0x9E3779B97F4A7C15)
_TABLE_BITS = 5
"""Bits by which a table of which runs there are is larger than their number, so that few others look alike."""


@dataclass(frozen=True, slots=True)
class Target:
    """A piece of an item, as it is looked for."""

    item: int
    """Number of the item, over all benchmarks."""
    start: int
    """Words of the item before this piece."""
    words: Hashes
    weights: Places
    """Of each word; they sum up to about ``UNIT`` times their number."""
    answer: Hashes
    """Words of the answer; none when it has none, or this is not the item's last piece."""

    @property
    def whole(self) -> bool:
        """Whether it is so short that all of it has to be there."""
        return len(self.words) < WHOLE_ITEM


@dataclass(frozen=True, slots=True)
class Runs:
    """All runs of one length that items have."""

    length: int
    keys: Hashes
    """Hashes of the runs, ascending."""
    table: npt.NDArray[np.bool_]
    """Says by the first bits of a hash whether any run has them; most runs of a text are not even looked up."""
    shift: np.uint64
    begins: Places
    """Where the places of each run begin, and at the end their number."""
    target: npt.NDArray[np.int32]
    place: npt.NDArray[np.int32]
    """In which target a run stands, and after how many words."""
    first: int
    """Number of the first run, over all lengths."""


@dataclass(frozen=True, slots=True)
class Index:
    """What is looked for."""

    benchmarks: Sequence[Benchmark]
    targets: Sequence[Target]
    runs: Sequence[Runs]
    lengths: Places
    """Words of each target."""
    needed: Places
    """Runs of each target that have to be in one place before it is compared word by word."""
    owner: Places
    """Number of the benchmark of each target."""
    short: Sequence[int]
    """Items, by number over all benchmarks, that are too short to be looked for."""

    @property
    def size(self) -> int:
        """How many different runs there are."""
        return sum(len(runs.keys) for runs in self.runs)

    def run_length(self, target: int) -> int:
        """Return the length of the runs by which a target is found."""
        return LONG_RUN if self.lengths[target] >= LONG_ITEM else SHORT_RUN

    def items(self) -> Iterator[tuple[Benchmark, int]]:
        """Yield, by number over all benchmarks, the benchmark and the number of an item in it."""
        for benchmark in self.benchmarks:
            for number in range(len(benchmark.items)):
                yield benchmark, number


def run_hashes(words: Hashes, length: int) -> Hashes:
    """Return a hash of every run of so many words."""
    count = max(0, len(words) - length + 1)
    found = words[:count].copy()
    for offset in range(1, length):
        found *= _BASE
        found += words[offset : offset + count]
    return found


def build_index(benchmarks: Sequence[Benchmark]) -> Index:
    """Index the items of benchmarks.

    Raises:
        LimitExceeded: When they hold more words than can be looked for at once.
    """
    targets: list[Target] = []
    short: list[int] = []
    first = 0
    for benchmark in benchmarks:
        questions = words_of(pa.array([item.question for item in benchmark.items], pa.large_string()))
        answers = words_of(pa.array([item.answer for item in benchmark.items], pa.large_string()))
        for number, target in _targets(questions, answers):
            if target is None:
                short.append(first + number)
            else:
                targets.append(Target(first + number, *target))
        first += len(benchmark.items)
        if sum(len(target.words) for target in targets) > MOST_WORDS:
            raise LimitExceeded(f"the benchmarks hold more than {MOST_WORDS:,} words; look for fewer at once")
    lengths = np.array([len(target.words) for target in targets], np.int64)
    bounds = np.cumsum([0, *(len(benchmark.items) for benchmark in benchmarks)])
    owner = np.searchsorted(bounds, [target.item for target in targets], "right") - 1
    needed = np.zeros(len(targets), np.int64)
    runs, numbered = [], 0
    for length, chosen in (
        (LONG_RUN, np.flatnonzero(lengths >= LONG_ITEM)),
        (SHORT_RUN, np.flatnonzero(lengths < LONG_ITEM)),
    ):
        if len(chosen):
            runs.append(_runs(targets, chosen, owner, length, numbered))
            numbered += len(runs[-1].keys)
            _need(needed, runs[-1], lengths)
    return Index(tuple(benchmarks), targets, runs, lengths, needed, owner, short)


def _targets(questions: Words, answers: Words) -> Iterator[tuple[int, tuple[int, Hashes, Places, Hashes] | None]]:
    """Yield the pieces of the items of one benchmark, by number; None for an item that is too short."""
    count = len(questions.stops) - 1
    owner = np.repeat(np.arange(count), np.diff(questions.stops))
    weights = _weights(questions.hashes, owner, count)
    for number in range(count):
        begin, end = int(questions.stops[number]), int(questions.stops[number + 1])
        answer = answers.hashes[int(answers.stops[number]) : int(answers.stops[number + 1])][:ANSWER_WORDS]
        if end - begin < LEAST_ITEM:
            yield number, None
            continue
        pieces = -(-(end - begin) // PIECE)
        edges = np.linspace(begin, end, pieces + 1).astype(int).tolist()
        for start, stop in pairwise(edges):
            found = weights[start:stop]
            scaled = np.maximum(1, np.rint(found * (UNIT * len(found) / found.sum()))).astype(np.int64)
            last = answer if stop == end else answer[:0]
            yield number, (start - begin, questions.hashes[start:stop], scaled, last)


def _weights(words: Hashes, owner: Places, items: int) -> npt.NDArray[np.float64]:
    """Return how much each word tells: the rarer among the items, the more."""
    kinds, which = np.unique(words, return_inverse=True)
    pairs = np.unique(which.astype(np.int64) * max(1, items) + owner)
    holding = np.bincount(pairs // max(1, items), minlength=len(kinds))
    rarity = np.log((items + 1) / (holding + 0.5)) / np.log((items + 1) / 1.5)
    weights: npt.NDArray[np.float64] = LEAST_WEIGHT + (1 - LEAST_WEIGHT) * np.clip(rarity, 0, 1)[which]
    return weights


def _runs(targets: Sequence[Target], chosen: Places, owner: Places, length: int, first: int) -> Runs:
    """Put the runs of some targets in order of their hashes."""
    hashes = [run_hashes(targets[number].words, length) for number in chosen.tolist()]
    counts = [len(each) for each in hashes]
    all_hashes = np.concatenate(hashes)
    target = np.repeat(chosen, counts).astype(np.int32)
    place = np.fromiter(chain.from_iterable(map(range, counts)), np.int32, len(all_hashes))
    order = np.argsort(all_hashes, kind="stable")
    all_hashes, target, place = all_hashes[order], target[order], place[order]
    kept = _telling(all_hashes, target, owner)
    all_hashes, target, place = all_hashes[kept], target[kept], place[kept]
    keys, begins = np.unique(all_hashes, return_index=True)
    bits = min(26, max(10, len(keys).bit_length() + _TABLE_BITS))
    shift = np.uint64(64 - bits)
    table = np.zeros(1 << bits, bool)
    table[keys >> shift] = True
    return Runs(length, keys, table, shift, np.append(begins, len(all_hashes)), target, place, first)


def _telling(hashes: Hashes, target: npt.NDArray[np.int32], owner: Places) -> npt.NDArray[np.bool_]:
    """Say which runs to keep: those that few items share, and of a target without such the one that fewest share."""
    _, which = np.unique(hashes, return_inverse=True)
    # Benchmarks do not count for each other: what is said of one must not depend on which others are looked for.
    _, which, count = np.unique(which * (int(owner.max()) + 1) + owner[target], return_inverse=True, return_counts=True)
    sharing = count[which]
    kept: npt.NDArray[np.bool_] = sharing <= MOST_SHARING
    order = np.lexsort((sharing, target))  # of each target the run that fewest share comes first
    firsts = order[np.flatnonzero(np.diff(target[order], prepend=-1))]
    kept[firsts[~np.isin(target[firsts], target[kept])]] = True
    return kept


def _need(needed: Places, runs: Runs, lengths: Places) -> None:
    """Set how many runs of a target have to be in one place before it is compared."""
    counts = np.bincount(runs.target, minlength=len(lengths))
    mine = np.unique(runs.target)
    share = np.ceil(0.07 * counts[mine]).astype(np.int64)
    whole = lengths[mine] < WHOLE_ITEM
    needed[mine] = np.where(whole, counts[mine], np.minimum(counts[mine], np.clip(share, 2, 4)))
