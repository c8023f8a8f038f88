"""Xorbs: what clients write is read back, whatever else comes is refused within bounds."""

from __future__ import annotations

import hashlib
import resource
import struct

import lz4.frame
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallmarked.core.errors import FormatError, LimitExceeded
from hallmarked.formats.xet.hash import Aggregate, from_text, hash_chunk, hash_segment, to_text
from hallmarked.formats.xet.xorb import MAX_BODY, MAX_CHUNK, MAX_CHUNKS, XorbDecoder, decode_chunk
from tests.formats.xet_writer import SEGMENT_KEY, Xorb, aggregate, blake3, chunk_header, pack_chunk, text

chunks = st.binary(min_size=1, max_size=400) | st.builds(bytes, st.integers(1, MAX_CHUNK))
xorbs = st.builds(
    Xorb,
    st.lists(chunks, min_size=1, max_size=12).map(tuple),
    st.lists(st.integers(0, 2), min_size=1, max_size=5).map(tuple),
)


def decode(data: bytes, step: int = 1 << 20) -> list[bytes]:
    decoder = XorbDecoder()
    made = [chunk for at in range(0, len(data), step) for chunk in decoder.feed(data[at : at + step])]
    decoder.finish()
    return made


@given(xorbs, st.integers(1, 5000))
def test_round_trip(xorb: Xorb, step: int) -> None:
    """Chunks packed in any way come back the same, however the bytes arrive."""
    assert decode(xorb.body, max(step, len(xorb.body) // 300)) == list(xorb.chunks)


@given(xorbs)
def test_footer_is_left_out(xorb: Xorb) -> None:
    """A xorb with the footer of the stored form gives the same chunks."""
    assert decode(xorb.body + b"XETBLOB" + b"anything") == list(xorb.chunks)
    assert decode(xorb.body + b"XETBLOB") == list(xorb.chunks)


@given(st.binary(max_size=300))
def test_arbitrary_bytes(data: bytes) -> None:
    """Bytes that are no xorb are refused with one kind of error."""
    with pytest.raises(FormatError):
        decode(data + b"\1")


@given(xorbs, st.data())
def test_damaged(xorb: Xorb, data: st.DataObject) -> None:
    """A xorb with one byte changed or the end cut off gives other chunks or an error, never a crash."""
    body = bytearray(xorb.body)
    at = data.draw(st.integers(0, len(body) - 1))
    if data.draw(st.booleans()):
        del body[at:]
    else:
        body[at] ^= data.draw(st.integers(1, 255))
    try:
        got = decode(bytes(body))
    except FormatError:
        return
    assert all(0 < len(chunk) <= MAX_CHUNK for chunk in got)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (chunk_header(10, 0, MAX_CHUNK + 1), LimitExceeded),
        (chunk_header(0, 0, 0), LimitExceeded),
        (chunk_header(2 * MAX_CHUNK + 1, 1, 5), LimitExceeded),
        (chunk_header(4, 3, 4) + b"abcd", FormatError),
        (chunk_header(4, 0, 5) + b"abcd", FormatError),
        (chunk_header(4, 0, 4, version=1) + b"abcd", FormatError),
        (chunk_header(4, 0, 4) + b"abc", FormatError),
        (pack_chunk(b"a", 0) * (MAX_CHUNKS + 1), LimitExceeded),
        (pack_chunk(bytes(MAX_CHUNK), 0) * 513, LimitExceeded),
        (pack_chunk(b"a", 0) + b"XETBLOB" + bytes(MAX_BODY), LimitExceeded),
        (b"", FormatError),
    ],
    ids=["long", "empty", "packed", "scheme", "length", "version", "cut", "count", "size", "footer", "nothing"],
)
def test_limits(body: bytes, error: type[FormatError]) -> None:
    """What a xorb may not have is refused."""
    with pytest.raises(error):
        decode(body)


def test_frame_that_grows() -> None:
    """A packed chunk that would unpack to more than its header says is refused before memory is spent on it."""
    bomb = lz4.frame.compress(bytes(60 << 20), block_size=lz4.frame.BLOCKSIZE_MAX4MB)
    lying = bomb[:6] + struct.pack("<Q", 1 << 60) + b"\0" + bomb[7:]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for frame in (bomb, lying):
        with pytest.raises(FormatError):
            decode_chunk(1, frame, MAX_CHUNK)
    with pytest.raises(FormatError):
        decode_chunk(1, lz4.frame.compress(b"ab") + b"more", 2)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 32 << 10


@given(st.lists(st.tuples(st.binary(min_size=32, max_size=32), st.integers(1, MAX_CHUNK)), min_size=1, max_size=300))
def test_tree(nodes: list[tuple[bytes, int]]) -> None:
    """The hash that is computed as chunks come is that of the whole list."""
    tree = Aggregate()
    for hash_, length in nodes:
        tree.add(hash_, length)
    assert tree.xorb_hash() == aggregate(nodes)
    assert tree.file_hash() == blake3(aggregate(nodes), key=bytes(32)).digest()


def test_tree_of_nothing() -> None:
    """The hash of an empty list is all zeros, as the format says."""
    assert Aggregate().xorb_hash() == bytes(32)


@given(st.binary(min_size=32, max_size=32))
def test_text(raw: bytes) -> None:
    """A hash is written and read in the clients' way, which reverses groups of eight bytes."""
    assert from_text(to_text(raw)) == raw
    assert to_text(raw) == text(raw)
    assert to_text(bytes(range(32))).startswith("0706050403020100")


@pytest.mark.parametrize("wrong", ["", "0" * 63, "0" * 65, "G" * 64, "A" * 64, "٣" * 64, "0" * 63 + "\n"])
def test_wrong_text(wrong: str) -> None:
    """Only 64 lower-case hexadecimal digits are a hash."""
    with pytest.raises(FormatError):
        from_text(wrong)


def test_keys() -> None:
    """The hashes of a chunk and of a segment are keyed, so that neither can stand for the other."""
    data = hashlib.sha256(b"x").digest()
    assert hash_segment(data) == blake3(data, key=SEGMENT_KEY).digest()
    assert len({hash_segment(data), hash_chunk(data), blake3(data).digest()}) == 3
