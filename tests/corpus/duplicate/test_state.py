"""Tests of what is kept of a part's texts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallmarked.core.errors import FormatError
from hallmarked.corpus.duplicate import state as subject
from hallmarked.corpus.duplicate.sketch import Settings, Sketcher, bands_of, prints_of
from hallmarked.corpus.duplicate.state import WORDS, Builder, least_shingles
from tests.corpus.duplicate.texts import load

LONG = "one two three four five six seven eight nine"


def built(*batches: list[str]) -> Builder:
    """Make a state of some batches of texts."""
    builder = Builder()
    for batch in batches:
        builder.add(batch)
    return builder


def test_what_is_written_is_read_back() -> None:
    """Digests, sizes, counts, sketches and splits of every row come back, whatever the batches."""
    builder = Builder()
    builder.add([LONG, "", "two words"], ["train", "", "test"])
    builder.add([LONG + " ten"], ["train"])
    state = load(builder.dump())
    assert (state.rows, state.sketches) == (4, 2)
    assert state.sizes().tolist() == [44, 0, 9, 48]
    assert state.counts().tolist() == [9, 0, 2, 10]
    assert [((("", *state.splits))[code]) for code in state.codes().tolist()] == ["train", "", "test", "train"]
    assert state.sketched().tolist() == [0, 3]
    sketches = Sketcher().sketch([LONG, LONG + " ten"])
    assert (state.prints(0, 2) == prints_of(sketches)).all()
    for band in range(25):
        assert (state.band(band) == bands_of(sketches, Settings())[band]).all()
    assert not state.raw(1, 2).any()
    assert (state.raw(0, 4) == load(built([LONG, "", "two words", LONG + " ten"]).dump()).raw(0, 4)).all()


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 4)), max_size=12))
def test_rows_keep_their_numbers(runs: list[tuple[bool, int]]) -> None:
    """Rows that could not be read are counted in the numbers of those behind them."""
    builder, number, expected = Builder(), 0, []
    skips = []
    for readable, count in runs:
        if readable:
            builder.add(["text"] * count)
            expected += range(number, number + count)
        else:
            skips.append((number, count))
        number += count
    for skip in reversed(skips):  # readers may tell of them before or after the rows around them
        builder.skip(*skip)
    numbers, count = load(builder.dump()).numbers()
    assert (numbers.tolist(), count) == (expected, number)


@given(st.binary(max_size=300))
def test_other_bytes_are_refused(data: bytes) -> None:
    """What nobody wrote is refused with one sentence."""
    for written in (data, subject.MAGIC + data):
        with pytest.raises(FormatError, match="what was learned of texts"):
            load(written)


@given(st.integers(0, 10_000), st.integers(0, 255))
def test_damage_is_refused_or_read_within_bounds(place: int, value: int) -> None:
    """A state that somebody changed is refused, or read as other numbers; never beyond its rows."""
    data = bytearray(built([LONG, LONG + " ten", "few words"]).dump())
    data[place % len(data)] = value
    try:
        state = load(bytes(data))
        assert (state.sketched() < state.rows).all()
        assert (state.codes() <= len(state.splits)).all()
        assert len(state.numbers()[0]) == state.rows
    except FormatError:
        pass


def test_a_shorter_or_longer_state_is_refused() -> None:
    """A state has the length that its head says."""
    data = built([LONG]).dump()
    for wrong in (data[:-1], data + b"\0"):
        with pytest.raises(FormatError, match="length"):
            load(wrong)


def test_other_settings_are_refused() -> None:
    """Sketches of other settings cannot be compared, so they are not."""
    with pytest.raises(FormatError, match="settings"):
        load(built([LONG]).dump(), Settings(seed=2))


def test_bounds_are_kept_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """More rows or sketches than are kept are counted, so that they can be told of."""
    monkeypatch.setattr(subject, "MOST_ROWS", 5)
    monkeypatch.setattr(subject, "MOST_SKETCHES", 2)
    state = load(built([LONG] * 4, [LONG] * 4).dump())
    assert (state.rows, state.left, state.sketches, state.bare) == (5, 3, 2, 3)
    assert state.sketched().tolist() == [0, 1]


def test_only_texts_that_can_have_near_duplicates_are_sketched() -> None:
    """At 0.7 a set of three members can resemble one of four; one of two resembles only itself."""
    assert least_shingles(Settings()) == 3
    assert least_shingles(Settings(threshold=0.5)) == 1
    state = load(built(["a b c d e f", "a b c d e f g"]).dump())
    assert state.sketched().tolist() == [1]
    exact = Builder(depth=WORDS)
    exact.add([LONG])
    assert load(exact.dump()).sketches == 0


def test_arrays_have_fixed_widths() -> None:
    """The size of a state follows from its rows: 41 bytes, and 229 more for a sketch."""
    small, large = (built([LONG] * count).dump() for count in (1000, 3000))
    assert len(large) - len(small) == 2000 * (41 + 229)
    assert load(large).raw(0, 1).dtype == np.uint8
