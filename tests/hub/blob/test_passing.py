"""Bytes that pass through are the same on every file system, whether or not it knows how to let them pass."""

from __future__ import annotations

import os
import random
import resource
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallmarked.hub.blob.passing import PassingFile, write_all

FOLDERS = [folder for folder in (tempfile.gettempdir(), "/dev/shm") if Path(folder).is_dir()]


@pytest.fixture(params=FOLDERS)
def path(request: pytest.FixtureRequest) -> Iterator[Path]:
    descriptor, name = tempfile.mkstemp(dir=request.param)
    os.close(descriptor)
    yield Path(name)
    Path(name).unlink()


@pytest.mark.parametrize("keep", [True, False])
def test_what_is_written_is_read(path: Path, keep: bool) -> None:
    """Pieces of any length, written at any place, are read back by any steps."""

    @given(st.lists(st.binary(max_size=9000), max_size=20), st.integers(0, 20_000), st.integers(1, 9000))
    def check(pieces: list[bytes], at: int, step: int) -> None:
        with path.open("wb") as file:
            file.write(b"\1" * at)
            file.flush()
            write_all(file.fileno(), pieces, at, keep=keep)
        with PassingFile(path) as read:
            buffer, got = bytearray(step), b""
            while count := read.readinto(buffer):
                got += buffer[:count]
            assert got == b"\1" * at + b"".join(pieces)
            read.seek(at)
            assert read.read() == b"".join(pieces)

    check()


@pytest.mark.parametrize("keep", [True, False])
def test_a_disk_that_fills_up(path: Path, keep: bool) -> None:
    """What still fits is written, in order, and the rest is an error."""
    pieces = [random.Random(1).randbytes(3000) for _ in range(4)]
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    with path.open("wb") as file:
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
        try:
            with pytest.raises(OSError, match="too large"):
                write_all(file.fileno(), pieces, 0, keep=keep)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == b"".join(pieces)[:10_000]
