"""How many different things there are: exact where few, near where many, and the same for every partition."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

np = pytest.importorskip("numpy")
pa = pytest.importorskip("pyarrow", reason="tables are read with the extra data")

from hallmarked.corpus.measure.distinct import Distinct, hash_values  # noqa: E402


def measured(values: list[str], most: int) -> Distinct:
    found = Distinct(most)
    found.add(hash_values(pa.array(values, pa.string())))
    return found


@given(st.lists(st.text("abcd", max_size=3), max_size=60), st.integers(1, 12), st.integers(0, 60))
def test_parts_together_are_the_whole(values: list[str], most: int, cut: int) -> None:
    """What is kept of parts is what is kept of the whole, with exact counts."""
    whole, first = measured(values, most), measured(values[:cut], most)
    first.merge(Distinct.from_json(measured(values[cut:], most).to_json()))
    assert first.to_json() == whole.to_json()
    assert whole.more == (len(set(values)) > most)
    if not whole.more:
        assert whole.number == len(set(values))
        assert whole.interval is None
    kept = dict(zip(whole.hashes.tolist(), whole.counts.tolist(), strict=True))
    for value in set(values):
        if (hashed := int(hash_values(pa.array([value]))[0])) in kept:
            assert kept[hashed] == values.count(value)


def test_an_estimate_is_near() -> None:
    """Of 100,000 different values the number is told within the stated interval, and that each occurs once."""
    found = Distinct()
    for start in range(0, 100_000, 10_000):
        found.add(hash_values(pa.array(range(start, start + 10_000))))
    assert found.interval is not None
    assert found.interval[0] < 100_000 <= found.interval[1]
    assert found.number <= 100_000  # no more than there were values
    assert found.interval[1] - found.interval[0] < 10_000
    assert found.once == 1.0


def test_kinds_of_values() -> None:
    """Numbers, truth values, times and bytes are told apart by their values."""
    for array in (
        pa.array([1, 2, 2]),
        pa.array([1.5, 2.5, 2.5]),
        pa.array([True, False, False]),
        pa.array([1, 2, 2], pa.timestamp("s")),
        pa.array([b"a", b"b", b"b"]),
        pa.array([2**63, 1, 1], pa.uint64()),
        pa.array([-(2**63), 2**63 - 1, 2**63 - 1]),
    ):
        assert len(set(hash_values(array).tolist())) == 2
    assert hash_values(pa.array([3, -1])).tolist() == hash_values(pa.array([3.0, -1.0])).tolist()
