"""Bytes that pass through this machine: on Linux they go to the disk at once, and do not stay in memory.

A hub that takes in large files would otherwise push out of memory what everybody else reads, pay for finding that
memory, and keep all waiting when the last of it has to reach the disk. Where the kernel or the file system does not
know how (RWF_DONTCACHE, Linux 6.14) this is plain reading and writing.

https://man7.org/linux/man-pages/man2/readv.2.html
"""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from io import FileIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_PASSING = 0x80 if hasattr(os, "RWF_NOWAIT") else 0
"""RWF_DONTCACHE, for which Python has no name; that it has one for another flag says that it can pass on any."""


def write_all(descriptor: int, pieces: Sequence[bytes | memoryview], at: int, *, keep: bool) -> None:
    """Write pieces one after the other.

    Args:
        descriptor: An open file.
        pieces: Linux takes at most 1024.
        at: Where the first one begins in the file, bytes.
        keep: Let them stay in memory, for somebody who reads them soon.

    Raises:
        OSError: When the disk is full or fails.
    """
    left = sum(map(len, pieces))
    while left:
        count = _write(descriptor, pieces, at, 0 if keep else _PASSING)
        at, left = at + count, left - count
        if left:
            pieces = [memoryview(b"".join(pieces))[count:]]


class PassingFile(FileIO):
    """A file that is read once."""

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Read some bytes and return how many.

        Raises:
            OSError: When the disk fails.
        """
        count = _read(self.fileno(), buffer, self.tell())
        self.seek(count, os.SEEK_CUR)
        return count


def _write(descriptor: int, pieces: Sequence[bytes | memoryview], at: int, flags: int) -> int:
    try:
        return os.pwritev(descriptor, pieces, at, flags)
    except OSError as problem:
        if flags and problem.errno == errno.EOPNOTSUPP:
            return os.pwritev(descriptor, pieces, at)
        raise


def _read(descriptor: int, buffer: WriteableBuffer, at: int) -> int:
    try:
        return os.preadv(descriptor, [buffer], at, _PASSING)
    except OSError as problem:
        if _PASSING and problem.errno == errno.EOPNOTSUPP:
            return os.preadv(descriptor, [buffer], at)
        raise
