"""What git says over HTTP, and what only looks like it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallmarked.core.errors import InputError
from hallmarked.hub.fetch.packet import FLUSH, MOST_PACKET, banded, packet, read_wants

A, B = "a" * 40, "b" * 40
OIDS = st.text("0123456789abcdef", min_size=40, max_size=40)


@given(st.lists(OIDS, min_size=1), st.lists(OIDS), st.booleans(), st.integers(0, 99))
def test_requests_are_read_as_they_were_written(wants: list[str], haves: list[str], done: bool, depth: int) -> None:
    """Wants, haves, depth and capabilities come through."""
    lines = [f"want {oid}" + (" side-band-64k agent=git/2.39" if not index else "") for index, oid in enumerate(wants)]
    lines += [f"deepen {depth}"] if depth else []
    body = b"".join(packet(f"{line}\n") for line in lines) + FLUSH + b"".join(packet(f"have {oid}\n") for oid in haves)
    found = read_wants(body + (packet("done\n") if done else FLUSH))
    assert (list(found.wants), list(found.haves), found.done, found.depth) == (wants, haves, done, depth)
    assert found.capabilities == {"side-band-64k", "agent=git/2.39"}


@given(st.binary(max_size=300) | st.lists(st.binary(max_size=60)).map(lambda lines: b"".join(map(packet, lines))))
def test_anything_else_is_refused(body: bytes) -> None:
    """Any bytes are a request or end in one sentence."""
    try:
        read_wants(body)
    except InputError as error:
        assert "\n" not in str(error)  # noqa: PT017 -- most bytes are refused, some are a request


DAMAGED = [
    b"zzzz",
    b"0001",
    b"0003x",
    b"ffff",
    b"0010want",
    b"00",
    b"-001",
    packet("want main"),
    packet(f"filter blob:none {A}"),
    packet("deepen-since 1"),
    packet("deepen -1"),
    packet(f"have {B[:39]}"),
]


@pytest.mark.parametrize("body", DAMAGED, ids=range(len(DAMAGED)))
def test_damaged_requests_are_refused(body: bytes) -> None:
    """Cut packets, odd lengths, names in the place of ids and unknown words."""
    with pytest.raises(InputError):
        read_wants(body)


def test_endless_requests_are_refused() -> None:
    """The number of commits one request may name is bounded."""
    with pytest.raises(InputError, match="more than 100,000 commits"):
        read_wants(packet(f"have {A}\n") * 100_001)


@given(st.integers(1, 200_000))
def test_side_bands_are_cut_into_packets(size: int) -> None:
    """No packet is longer than git accepts, and nothing is lost."""
    parts = list(banded(1, b"x" * size))
    assert all(len(part) <= MOST_PACKET and int(part[:4], 16) == len(part) for part in parts)
    assert b"".join(part[5:] for part in parts) == b"x" * size
