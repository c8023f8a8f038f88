"""Tests of passages that return."""

from __future__ import annotations

import random
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hallmarked.core.errors import LimitExceeded
from hallmarked.corpus.duplicate import passage as subject
from hallmarked.corpus.duplicate.name import GRAM, LENGTH, names_of, passages_of
from hallmarked.corpus.duplicate.passage import Repeated, find_repeated
from hallmarked.corpus.duplicate.sketch import Settings
from hallmarked.corpus.duplicate.state import Builder
from hallmarked.corpus.duplicate.whole import I64, Whole
from hallmarked.corpus.text.shingle import Shingler
from hallmarked.corpus.text.word import split
from tests.corpus.duplicate.texts import load


def find(parts: list[list[str]], kept: list[bool] | None = None) -> Repeated:
    """Find the passages that return in texts that lie in parts."""
    states = []
    for part in parts:
        builder = Builder(passages=True)
        builder.add(part)
        states.append(load(builder.dump()))

    def read(index: int, rows: I64) -> Iterator[tuple[I64, list[str]]]:
        yield rows, [parts[index][row] for row in rows.tolist()]

    whole = Whole.of(states)
    return find_repeated(whole, read, np.array(kept or [True] * whole.rows, bool), Settings())


def plain(texts: list[str]) -> tuple[int, int, int, int, int]:
    """Count passages, those that return, words covered, the longest run and the texts of the most frequent one."""
    places: dict[tuple[str, ...], dict[int, int]] = {}
    total = 0
    for row, text in enumerate(texts):
        words = split(text)
        for start in range(len(words) - LENGTH + 1):
            total += 1
            places.setdefault(tuple(words[start : start + LENGTH]), {}).setdefault(row, start)
    returning = [(row, start) for rows in places.values() if len(rows) > 1 for row, start in rows.items()]
    covered = {(row, start + step) for row, start in returning for step in range(LENGTH)}
    longest = 0
    found = set(returning)
    for row, start in returning:
        if (row, start - 1) not in found:
            run = 1
            while (row, start + run) in found:
                run += 1
            longest = max(longest, run + LENGTH - 1)
    return total, len(returning), len(covered), longest, max((len(rows) for rows in places.values()), default=0)


def make(chance: random.Random, texts: int = 12) -> list[str]:
    """Make texts of which some share runs of 30 to 150 words."""
    shared = [[f"s{chance.randrange(10**6)}" for _ in range(chance.randrange(30, 150))] for _ in range(4)]
    result = []
    for _ in range(texts):
        words: list[str] = []
        for _ in range(chance.randrange(4)):
            words += [f"o{chance.randrange(10**6)}" for _ in range(chance.randrange(60))]
            run = chance.choice(shared)
            first = chance.randrange(len(run))
            words += run[first:] if chance.random() < 0.3 else run
        result.append(" ".join(words))
    return result


@given(st.integers(0, 2**32), st.integers(0, 12))
@settings(max_examples=40, deadline=None)
def test_passages_are_those_that_comparing_all_finds(seed: int, cut: int) -> None:
    """Counts, words covered, the longest run and the most frequent passage are exact, however texts are cut."""
    texts = make(random.Random(seed))
    found = find([texts[:cut], texts[cut:]])
    total, returning, covered, longest, frequent = plain(texts)
    assert (found.passages, found.returning, found.covered) == (total, returning, covered)
    assert (found.longest[0] if found.longest else 0) == longest
    assert (found.frequent[0] if found.frequent else 0) == (frequent if returning else 0)
    assert found.words == sum(len(split(text)) for text in texts)
    assert (found.part, found.unread) == (1, 0)


def test_places_are_those_of_the_passages() -> None:
    """The longest run and the most frequent passage are named by row and word."""
    own = [f"own{number}" for number in range(100)]
    run = [f"run{number}" for number in range(80)]
    texts = [" ".join(own), " ".join(own[:7] + run), " ".join(run + own[20:30]), " ".join(run[10:70])]
    found = find([texts])
    assert found.longest == (80, 1, 7)
    assert found.frequent == (3, 1, 17)
    assert found.covered == 80 + 80 + 60


def test_rows_that_are_not_kept_do_not_count() -> None:
    """A copy of a text is a duplicate, not a passage that returns."""
    text = " ".join(f"word{number}" for number in range(90))
    assert find([[text, text]]).returning == 2 * 41
    left = find([[text, text]], [True, False])
    assert (left.returning, left.passages, left.words) == (0, 41, 90)


def test_names_are_few_and_equal_for_equal_passages() -> None:
    """About two names in 32 words are kept, and a passage has its name wherever it stands."""
    chance = random.Random(1)
    words = [f"w{chance.randrange(10**6)}" for _ in range(20_000)]
    numbers = Shingler().words([" ".join(words), " ".join(["before", *words[100:150]])])
    owners, names = names_of(numbers)
    assert (owners == 0).sum() < 20_000 * 2.2 / (LENGTH - GRAM + 2)
    found = passages_of(numbers)
    at = np.flatnonzero((found.owners == 0) & (found.starts == 100))[0]
    twin = np.flatnonzero((found.owners == 1) & (found.starts == 1))[0]
    assert found.names[at] == found.names[twin] in names
    assert found.numbers[at] == found.numbers[twin]


def test_of_too_many_passages_a_part_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """When there is no room for all, the share is estimated by a part chosen by content, the same for any cut."""
    chance = random.Random(2)
    runs = [" ".join(f"w{chance.randrange(10**6)}" for _ in range(120)) for _ in range(300)]
    texts = runs + [f"before{number} {run} after{number}" for number, run in enumerate(runs)]
    exact = find([texts])
    monkeypatch.setattr(subject, "MOST_PASSAGES", 9_000)
    monkeypatch.setattr(subject, "MOST_NAMES", 1_500)
    monkeypatch.setattr(subject, "RANGE_NAMES", 500)
    found = find([texts])
    assert found == find([texts[:77], texts[77:]])
    assert found.part < 0.6
    assert found.covered is None
    assert found.longest is None
    assert abs(found.returning / exact.returning - 1) < 0.15


def test_ranges_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names sorted range by range lead to what sorting all leads to."""
    texts = make(random.Random(5), 40)
    exact = find([texts])
    monkeypatch.setattr(subject, "RANGE_NAMES", 17)
    assert find([texts]) == exact


def test_one_passage_without_end_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A word that fills texts is one passage per text; when even those are too many, it is said."""
    texts = ["same " * 5_000, "same " * 6_000]
    found = find([texts])
    assert (found.returning, found.frequent) == (2, (2, 0, 0))
    monkeypatch.setattr(subject, "MOST_PASSAGES", 1)
    with pytest.raises(LimitExceeded, match="too many texts"):
        find([texts])


def test_nothing_returns_in_nothing() -> None:
    """No texts, short texts: no passages."""
    assert find([]).passages == find([["few words", ""]]).passages == 0
