"""Tests of finding duplicates."""

from __future__ import annotations

import random
from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hallmarked.core.errors import LimitExceeded
from hallmarked.corpus.duplicate import candidate, find, group
from hallmarked.corpus.duplicate.find import Limits
from hallmarked.corpus.duplicate.state import NEAR, SAME, WORDS, Builder
from tests.corpus.duplicate.texts import edited, jaccard, load, make_texts
from tests.corpus.duplicate.texts import find as find_in


def kept_texts(parts: list[list[str]]) -> list[str]:
    """Return the texts that are kept, in order of their letters."""
    found = find_in(parts)
    texts = [text for part in parts for text in part]
    return sorted(texts[row] for row in np.flatnonzero(found.reasons == 0).tolist())


def test_clusters_are_those_that_comparing_every_pair_finds() -> None:
    """Rows hang together exactly when a chain of pairs at 0.7 or more joins them."""
    texts = make_texts(50, random.Random(3))
    parents = list(range(len(texts)))

    def root(row: int) -> int:
        return row if parents[row] == row else root(parents[row])

    for one, other in combinations(range(len(texts)), 2):
        if jaccard(texts[one], texts[other]) >= 0.7:
            parents[root(other)] = root(one)
    found = find_in([texts])
    for one, other in combinations(range(len(texts)), 2):
        assert (root(one) == root(other)) == (found.kept[one] == found.kept[other])


def test_reasons_say_how_a_row_resembles_the_one_kept() -> None:
    """Same text, same words, near duplicate; the numbers add up."""
    base = " ".join(f"word{number}" for number in range(100))
    texts = [base, base, base.replace(" ", "\n").upper(), base + " end", "something else", "", " \n"]
    found = find_in([texts])
    assert len({int(row) for row in found.kept[:4]}) == 1
    assert sorted(found.reasons[:4].tolist())[0] == 0
    assert found.reasons[4:].tolist() == [0, 0, 0]
    assert (found.texts, found.same, found.alike, found.removed) == (5, 1, 2, 3)
    kept = int(found.kept[0])
    expected = {texts[row]: reason for row, reason in ((0, SAME), (2, WORDS), (3, NEAR))}
    for row in range(4):
        if row == kept:
            assert found.reasons[row] == 0
        elif texts[row] == texts[kept]:
            assert found.reasons[row] == SAME
        elif 3 in (row, kept):
            assert found.reasons[row] == NEAR
        else:
            assert found.reasons[row] == WORDS == expected[texts[2]]


@given(st.integers(0, 2**32), st.lists(st.integers(0, 400), max_size=6))
@settings(max_examples=20, deadline=None)
def test_the_cut_into_parts_changes_nothing(seed: int, cuts: list[int]) -> None:
    """However rows are spread over parts, the same rows are kept, for the same reasons."""
    texts = make_texts(40, random.Random(seed))
    bounds = [0, *sorted(min(cut, len(texts)) for cut in cuts), len(texts)]
    parts = [texts[start:stop] for start, stop in pairwise(bounds)]
    whole, apart = find_in([texts]), find_in(parts)
    assert (whole.kept == apart.kept).all()
    assert (whole.reasons == apart.reasons).all()


@given(st.integers(0, 2**32), st.randoms(use_true_random=False))
@settings(max_examples=20, deadline=None)
def test_the_order_of_rows_changes_no_text_that_is_kept(seed: int, chance: random.Random) -> None:
    """Files may be renamed and rows moved: the same texts are kept."""
    texts = make_texts(40, random.Random(seed))
    moved = list(texts)
    chance.shuffle(moved)
    cut = chance.randrange(len(moved))
    assert kept_texts([texts]) == kept_texts([moved[:cut], moved[cut:]])


def test_small_limits_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading in ranges, in lots and with room for two texts at a time gives what reading at once gives."""
    texts = make_texts(150, random.Random(5))
    expected = find_in([texts])
    limits = Limits(pairs=7, sets=1)
    monkeypatch.setattr(group, "RANGE_ROWS", 20)
    monkeypatch.setattr(candidate, "RANGE_SKETCHES", 30)
    found = find_in([texts[:100], texts[100:]], limits=limits)
    assert (found.kept == expected.kept).all()
    assert (found.reasons == expected.reasons).all()


def test_texts_from_one_template_do_not_make_all_pairs() -> None:
    """Thousands of texts that share most of their words are compared a bounded number of times, and copies found."""
    chance = random.Random(11)
    frame = [f"frame{number}" for number in range(60)]
    texts = []
    for _ in range(1500):
        own = chance.choices(WORDS_OF_ALL, k=40)
        words = frame[:30] + own + frame[30:]
        texts += [" ".join(words), edited(words, 0.01, chance)]
    found = find_in([texts])
    apart = [row for row in range(0, len(texts), 2) if found.kept[row] != found.kept[row + 1]]
    assert len(apart) <= 0.01 * len(texts) / 2
    assert found.compared < 40 * len(texts)


WORDS_OF_ALL = [f"v{number}" for number in range(20_000)]


def test_recall_and_precision_on_pairs_of_known_similarity() -> None:
    """At a similarity of 0.8 or more at least 99 of 100 pairs are found; what is found is at 0.7 or more."""
    chance = random.Random(17)
    pairs = []
    for _ in range(1200):
        words = chance.choices(WORDS_OF_ALL, k=chance.choice((30, 80, 200, 600)))
        pairs.append((" ".join(words), edited(words, chance.choice((0.005, 0.01, 0.02, 0.03, 0.05)), chance)))
    found = find_in([[one for one, _ in pairs], [other for _, other in pairs]])
    similar = np.array([jaccard(*pair) for pair in pairs])
    together = found.kept[: len(pairs)] == found.kept[len(pairs) :]
    assert (similar >= 0.8).sum() > 300
    assert (similar < 0.7).sum() > 100
    assert together[similar >= 0.8].mean() >= 0.99
    assert (similar[together] >= 0.7).all()


def test_texts_that_cannot_be_read_again_are_told() -> None:
    """A near duplicate that nobody could compare is no duplicate, and counted."""
    words = [f"word{number}" for number in range(80)]
    texts = [" ".join(words), " ".join([*words, "end"])]
    builder = Builder()
    builder.add(texts)
    found = find.find_duplicates([load(builder.dump())], lambda _index, _rows: iter(()))
    assert (found.removed, found.unread) == (0, 2)


def test_more_rows_than_can_be_compared_are_refused() -> None:
    """A bound on the rows is told, not passed over."""
    with pytest.raises(LimitExceeded, match="3 rows are more than the 2"):
        find_in([["a", "b", "c"]], limits=Limits(rows=2))


def test_only_copies_are_found_when_asked_for_copies() -> None:
    """Near duplicates can be left alone, and texts of the same words too."""
    words = [f"word{number}" for number in range(80)]
    for depth, removed in ((SAME, 1), (WORDS, 2)):
        builder = Builder(depth=depth)
        builder.add([" ".join(words), " ".join([*words, "end"]), " ".join(words), "  ".join(words).upper(), " "])
        found = find.find_duplicates([load(builder.dump())], lambda _index, _rows: iter(()))
        assert (found.texts, found.removed, found.unread) == (4, removed, 0)


def test_nothing_has_no_duplicates() -> None:
    """No parts, and parts without rows, are no mistake."""
    assert find_in([]).removed == find_in([[], []]).removed == 0


def test_scripts_without_spaces_have_near_duplicates() -> None:
    """A Chinese text of which a character was changed is a near duplicate."""
    chance = random.Random(2)
    one = "".join(chr(chance.randrange(0x4E00, 0x9FA5)) for _ in range(200))
    found = find_in([[one, one[:100] + "\u3042" + one[101:], one[::-1]]])
    assert found.kept[0] == found.kept[1] != found.kept[2]
