from __future__ import annotations

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from hallmarked.core.errors import LimitExceeded
from hallmarked.formats.archive.compressed import expand
from hallmarked.formats.archive.model import Defect, Expanded
from hallmarked.formats.blob import Blob, Budget, Limits

DATA = b"weights and measures " * 400

COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "zlib": zlib.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "lzma": lambda data: lzma.compress(data, lzma.FORMAT_ALONE),
    "zstd": zstandard.compress,
}


def unpack(name: str, data: bytes, **limits: int) -> Expanded:
    return expand(Blob.of_bytes("x", data), Budget(len(data), Limits(**limits)), name)


def content(expanded: Expanded) -> bytes:
    with expanded.blob.open() as stream:
        return stream.read()


def kinds(expanded: Expanded) -> set[Defect]:
    return {problem.kind for problem in expanded.irregularities}


@pytest.mark.parametrize("name", COMPRESS)
def test_reads_what_was_written(name: str) -> None:
    """Each format gives back its content, one level deeper, without a complaint."""
    expanded = unpack(name, COMPRESS[name](DATA))
    assert content(expanded) == DATA
    assert (expanded.blob.depth, expanded.blob.size, kinds(expanded)) == (1, len(DATA), set())


@pytest.mark.parametrize("name", ["gzip", "bzip2", "xz", "zstd"])
def test_streams_in_a_row_are_one_content(name: str) -> None:
    """Concatenated streams are read through, as the usual tools do."""
    expanded = unpack(name, COMPRESS[name](DATA) + COMPRESS[name](b"more"))
    assert (content(expanded), kinds(expanded)) == (DATA + b"more", set())


@pytest.mark.parametrize("name", COMPRESS)
def test_trailing_bytes_are_reported(name: str) -> None:
    """What follows the last stream is foreign; zeros are padding."""
    assert kinds(unpack(name, COMPRESS[name](DATA) + b"cos\nsystem\n")) == {Defect.FOREIGN}
    assert kinds(unpack(name, COMPRESS[name](DATA) + bytes(512))) == set()


@pytest.mark.parametrize("name", COMPRESS)
def test_cut_streams_offer_what_there_is(name: str) -> None:
    """A cut stream is reported, and what could be decompressed is offered, since a reader may stop before the cut."""
    whole = COMPRESS[name](bytes(range(256)) * 4000)
    expanded = unpack(name, whole[: len(whole) - 5])
    assert kinds(expanded) == {Defect.TRUNCATED}
    assert len(content(expanded)) == expanded.blob.size


@pytest.mark.parametrize("name", COMPRESS)
def test_bombs_are_stopped(name: str) -> None:
    """Content beyond the budget is not unfolded."""
    data = COMPRESS[name](bytes(4 << 20))
    with pytest.raises(LimitExceeded):
        unpack(name, data, expansion_floor=1 << 20)


def test_reading_back_and_forth_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever jumps around in compressed content pays for decompressing it again, up to a limit."""
    monkeypatch.setattr("hallmarked.formats.archive.stream.Cache.put", lambda *_: None)
    monkeypatch.setattr("hallmarked.formats.archive.stream.SLACK", 0)
    data = bytes(range(256)) * 20_000
    expanded = unpack("gzip", gzip.compress(data))

    def jump() -> None:
        with expanded.blob.open() as stream:
            for at in [0, len(data) - 8] * 20:
                stream.seek(at)
                stream.read(8)

    with pytest.raises(LimitExceeded):
        jump()


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(sorted(COMPRESS)),
    st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=4),
    st.integers(0, 10_000),
    st.binary(max_size=64),
)
def test_damaged_streams_never_raise(name: str, changes: list[tuple[int, int]], cut: int, tail: bytes) -> None:
    """Damage is reported; what is offered is readable to its end."""
    data = bytearray(COMPRESS[name](DATA))
    for at, value in changes:
        data[at % len(data)] = value
    try:
        expanded = unpack(name, bytes(data[: cut % len(data) or len(data)]) + tail, expansion_floor=1 << 22)
    except LimitExceeded:
        return
    assert len(content(expanded)) == expanded.blob.size
    if expanded.blob.size != len(DATA) or content(expanded) != DATA:
        assert kinds(expanded) or name == "lzma"  # the old format has no checksum
