"""Keccak-256 gives the digests that its authors publish."""

from __future__ import annotations

import pytest

from hallmarked.corpus.personal.keccak import keccak256


@pytest.mark.parametrize(
    ("data", "digest"),
    [
        (b"", "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"),
        (b"abc", "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"),
    ],
)
def test_digests(data: bytes, digest: str) -> None:
    """Short inputs have their known digests, and a block's length is no exception."""
    assert keccak256(data).hex() == digest
    assert len({keccak256(b"a" * length) for length in (134, 135, 136, 137)}) == 4
