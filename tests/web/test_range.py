"""Which bytes of a file a request asks for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallmarked.web.range import Part, choose_part

TAG = '"abc"'
SIZES = st.integers(0, 40)


def choose(method: str = "GET", size: int = 10, **headers: str) -> Part:
    return choose_part(method, {name.replace("_", "-"): value for name, value in headers.items()}, size=size, etag=TAG)


@given(SIZES, st.integers(0, 45), st.integers(0, 45))
def test_a_range_is_the_slice_of_the_same_numbers(size: int, first: int, last: int) -> None:
    """First and last byte, both counted; what lies beyond the end is cut off, and nothing left is 416."""
    data = bytes(range(size))
    part = choose(size=size, range=f"bytes={first}-{last}")
    if last < first:
        assert part == Part(200, 0, size)
    elif first >= size:
        assert part.status == 416
    else:
        assert part.status == 206
        assert data[part.start : part.end] == data[first : last + 1]


@given(SIZES, st.integers(0, 45))
def test_open_ranges_are_slices_from_there_or_of_the_last_bytes(size: int, number: int) -> None:
    """``5-`` is everything from byte 5, ``-5`` the last five."""
    data = bytes(range(size))
    for text, wanted in ((f"{number}-", data[number:]), (f"-{number}", data[-number:] if number else b"")):
        part = choose(size=size, range=f"bytes={text}")
        assert (part.status == 206) == bool(wanted)
        assert data[part.start : part.end] == wanted


@given(st.text(max_size=20))
def test_any_text_gives_an_answer(text: str) -> None:
    """Whatever a range header says, the answer lies within the file."""
    part = choose(range=text)
    assert part.status in (200, 206, 416)
    assert 0 <= part.start <= part.end <= 10
    part = choose(range="bytes=" + text)
    assert 0 <= part.start <= part.end <= 10


@pytest.mark.parametrize(
    "text", ["items=0-1", "bytes=a-b", "bytes=-", "bytes=0-1,3-4", "bytes=0", f"bytes={'9' * 50}-"]
)
def test_what_is_not_one_range_of_bytes_is_ignored(text: str) -> None:
    """Other units, several ranges and nonsense get the whole file, as the standard allows."""
    assert choose(range=text) == Part(200, 0, 10)


def test_a_range_counts_only_while_the_file_is_the_same() -> None:
    """If-Range with another tag, a weak one or a date gets the whole file."""
    assert choose(range="bytes=2-3", if_range=TAG) == Part(206, 2, 4)
    for other in ('"other"', f"W/{TAG}", "Wed, 21 Oct 2026 07:28:00 GMT"):
        assert choose(range="bytes=2-3", if_range=other) == Part(200, 0, 10)


def test_ranges_mean_nothing_to_head() -> None:
    """HEAD describes the whole file, so that a client learns its size."""
    assert choose("HEAD", range="bytes=2-3") == Part(200, 0, 10)


def test_who_has_the_file_gets_no_bytes() -> None:
    """If-None-Match compares weakly, If-Match strictly, and both take lists."""
    for text in (TAG, f"W/{TAG}", "*", f'"x", {TAG}'):
        assert choose(if_none_match=text).status == 304
    assert choose(if_none_match='"x"').status == 200
    assert choose(if_match=f'"x", {TAG}').status == 200
    assert choose(if_match=f"W/{TAG}").status == 412
