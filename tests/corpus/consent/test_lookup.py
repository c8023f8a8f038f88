"""The list that askers compare with: buckets of one size, lines that only the asker can read."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hallmarked.core.errors import InputError
from hallmarked.corpus.consent.blind import create_secret, evaluate_plain
from hallmarked.corpus.consent.lookup import (
    LINE,
    SMALLEST,
    bits_for,
    bucket_of,
    find_line,
    make_buckets,
    make_line,
    question,
)
from hallmarked.corpus.consent.record import Mode
from hallmarked.corpus.consent.selector import Kind, make_selector

KEY = create_secret()


def element(name: str) -> bytes:
    return evaluate_plain(KEY, question(make_selector(Kind.ACCOUNT, name)))


def test_who_is_in_the_list_is_found_with_what_they_said_and_others_are_not() -> None:
    """Through the bucket that belongs to each."""
    modes = list(Mode)
    people = {f"person{number}": modes[number % 3] for number in range(300)}
    buckets = make_buckets([make_line(element(name), mode) for name, mode in people.items()], b"filler")
    assert buckets.bits == 2
    for name, mode in people.items():
        found = element(name)
        assert find_line(buckets.bucket(bucket_of(found, buckets.bits)), found) is mode
    for number in range(100):
        other = element(f"other{number}")
        assert find_line(buckets.bucket(bucket_of(other, buckets.bits)), other) is None


@settings(max_examples=30)
@given(st.sets(st.binary(min_size=LINE, max_size=LINE), max_size=400))
def test_every_bucket_has_one_size_and_enough_real_lines(lines: set[bytes]) -> None:
    """Whatever the lines are, also when they all fall into few buckets; and the same again."""
    buckets = make_buckets(lines, b"filler")
    assert len({len(bucket) for bucket in buckets.buckets}) == 1
    assert len(buckets.buckets) == 1 << buckets.bits
    kept = [{bucket[start : start + LINE] for start in range(0, len(bucket), LINE)} for bucket in buckets.buckets]
    assert set().union(*kept) >= lines
    assert buckets.bits == 0 or min(len(part & lines) for part in kept) >= SMALLEST
    assert make_buckets(lines, b"filler") == buckets


def test_filling_stays_the_same_when_somebody_joins() -> None:
    """Two copies of the list differ by the one who joined and one line of filling, not by all the filling."""
    before = make_buckets([make_line(element("ada"), Mode.OPT_OUT)], b"filler").bucket(0)
    after = make_buckets([make_line(element(name), Mode.OPT_OUT) for name in ("ada", "bea")], b"filler").bucket(0)
    one, two = ({bucket[at : at + LINE] for at in range(0, len(bucket), LINE)} for bucket in (before, after))
    assert len(one - two) == len(two - one) == 1


@pytest.mark.parametrize(("count", "bits"), [(0, 0), (79, 0), (1_000, 4), (10_000, 7), (100_000, 11), (1_000_000, 14)])
def test_the_number_of_bits_follows_the_number_of_lines(count: int, bits: int) -> None:
    """So few that a bucket says little about who asked for it."""
    assert bits_for(count) == bits


def test_a_text_nearly_alike_cannot_be_looked_up() -> None:
    """There is no single identifier to blind; a list without such a bucket says so too."""
    with pytest.raises(InputError, match="exact content"):
        question(make_selector(Kind.SIMILAR, "words " * 100))
    with pytest.raises(InputError):
        make_buckets([], b"filler").bucket(1)
    with pytest.raises(InputError):
        bucket_of(element("ada"), 99)
