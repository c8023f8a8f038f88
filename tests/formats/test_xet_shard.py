"""Shards: what clients write is read back, whatever else comes is refused within bounds."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallmarked.core.errors import FormatError
from hallmarked.formats.xet.shard import MAX_SHARD, Shard
from hallmarked.formats.xet.xorb import MAX_CHUNKS
from tests.formats.xet_writer import END, Xorb, file_records, shard, shard_header, xorb_records

XORB = Xorb((b"one", b"two", b"three", b"four"))
parts = st.lists(
    st.tuples(st.just(XORB), st.integers(0, 3), st.integers(1, 4)).filter(lambda part: part[1] < part[2]),
    min_size=1,
    max_size=6,
)
sums = st.binary(min_size=32, max_size=32).map(bytes.hex)


@given(st.lists(st.tuples(parts, sums | st.none(), st.booleans()), max_size=5), st.booleans())
def test_round_trip(files: list[tuple[list[tuple[Xorb, int, int]], str | None, bool]], new: bool) -> None:
    """Files, their segments, proofs and digests are read back as they were written."""
    data = shard([file_records(*file[:2], verified=file[2]) for file in files], [XORB] if new else [])
    read = list(Shard(data).files())
    assert len(read) == len(files)
    for got, (wanted, sha256, verified) in zip(read, files, strict=True):
        segments = list(got.segments())
        assert [(s.xorb, s.first, s.end) for s in segments] == [(x.hash, first, end) for x, first, end in wanted]
        assert got.size == sum(len(b"".join(x.chunks[first:end])) for x, first, end in wanted)
        assert got.sha256 == sha256
        assert all((s.proof is not None) is verified for s in segments)


@given(st.binary(max_size=600))
def test_arbitrary_bytes(data: bytes) -> None:
    """Bytes that are no shard are refused with one kind of error."""
    for begin in (b"", shard_header()):
        with pytest.raises(FormatError):
            Shard(begin + data + b"\1")


@given(parts, sums, st.data())
def test_damaged(segments: list[tuple[Xorb, int, int]], sha256: str, data: st.DataObject) -> None:
    """A shard with one byte changed or the end cut off is refused or read, never a crash."""
    body = bytearray(shard([file_records(segments, sha256)], [XORB]))
    at = data.draw(st.integers(0, len(body) - 1))
    if data.draw(st.booleans()):
        del body[at:]
    else:
        body[at] ^= data.draw(st.integers(1, 255))
    try:
        read = Shard(bytes(body))
    except FormatError:
        return
    assert all(len(list(file.segments())) == file.count for file in read.files())


def record(layout: str, *values: object) -> bytes:
    return struct.pack(layout, *values).ljust(48, b"\0")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        shard_header(version=1) + END + END,
        shard_header(footer=200) + END + END,
        shard_header(tag=bytes(32)) + END + END,
        shard_header() + END,
        shard_header() + END + END + bytes(48),
        shard_header() + record("<32s2I", bytes(32), 0, 0xFFFFFFFF) + END + END,
        shard_header() + record("<32s2I", bytes(32), 3 << 30, 0x7FFFFFFF) + END + END,
        shard_header() + record("<32s2I", bytes(32), 0, 1) + record("<32s4I", bytes(32), 0, 5, 2, 2) + END + END,
        shard_header() + record("<32s2I", bytes(32), 0, 1) + record("<32s4I", bytes(32), 0, 5, 3, 2) + END + END,
        shard_header() + record("<32s2I", bytes(32), 0, 1) + record("<32s4I", bytes(32), 0, 0, 0, 1) + END + END,
        shard_header() + record("<32s2I", bytes(32), 0, 1) + record("<32s4I", bytes(32), 0, 1 << 18, 0, 1) + END + END,
        shard_header()
        + record("<32s2I", bytes(32), 0, 1)
        + record("<32s4I", bytes(32), 0, 5, 0, MAX_CHUNKS + 1)
        + END
        + END,
        shard_header() + END + record("<32s3I", bytes(32), 0, MAX_CHUNKS + 1, 5) + END,
        shard_header() + END + record("<32s3I", bytes(32), 0, 0, 0) + END,
        shard_header() + END + xorb_records(XORB)[:-48] + END,
        shard_header() + END + record("<32s3I", bytes(32), 0, 1, 5) + record("<32s2I", bytes(32), 1, 5) + END,
        shard_header() + END + record("<32s3I", bytes(32), 0, 1, 5) + record("<32s2I", bytes(32), 0, 6) + END,
        bytes(MAX_SHARD + 1),
    ],
    ids=[
        "nothing", "version", "footer", "tag", "one-end", "more", "many", "many-verified", "empty-run", "backwards",
        "no-length", "length", "end", "xorb-many", "xorb-empty", "xorb-cut", "chunk-start", "xorb-length", "size",
    ],
)  # fmt: skip
def test_limits(body: bytes) -> None:
    """What a shard may not have is refused."""
    with pytest.raises(FormatError):
        Shard(body)
