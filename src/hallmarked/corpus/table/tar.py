"""Members of a tar archive, one after the other, from a stream that may only go forward.

Format: https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html; long names also as GNU tar writes them. The
reader of :mod:`hallmarked.formats.archive.tar` shows every reading of an archive; this one reads what loaders read.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import BinaryIO

from hallmarked.core.errors import FormatError

BLOCK = 512
META_LIMIT = 1 << 20
"""Largest extended header; real ones are a few hundred bytes."""
CHUNK = 1 << 20
REGULAR = frozenset((b"0", b"\0", b"7"))
NAME, PAX, SHARED = b"L", b"x", b"g"


@dataclass(slots=True)
class Member:
    """A regular file in an archive; it can be read until the next one is asked for."""

    name: str
    size: int
    stream: BinaryIO = field(repr=False)
    left: int = 0

    def read(self, most: int) -> bytes:
        """Return the next bytes, at most so many.

        Raises:
            FormatError: When the archive ends before the member does.
        """
        data = self.stream.read(min(most, self.left))
        if len(data) < min(most, self.left):
            raise FormatError("the archive ends early")
        self.left -= len(data)
        return data


def walk_tar(stream: BinaryIO) -> Iterator[Member]:
    """Yield the regular files of an archive in their order.

    Raises:
        FormatError: Where a header is none, or the archive ends early.
    """
    name: str | None = None
    size: int | None = None
    while (header := _header(stream)) is not None:
        kind, length = header[156:157], _number(header[124:136])
        if kind in (NAME, PAX, SHARED, b"K"):
            if length > META_LIMIT:
                raise FormatError(f"a header of the archive is {length:,} bytes long")
            data = Member("", length, stream, length).read(length)
            _skip(stream, -length % BLOCK)
            if kind == NAME:
                name = _text(data)
            elif kind == PAX:
                found = _records(data)
                name = found.get("path", name)
                with suppress(ValueError):
                    size = int(found["size"]) if "size" in found else size
            continue
        actual = length if size is None else max(0, size)
        if kind in REGULAR:
            member = Member(name or _named(header), actual, stream, actual)
            yield member
            _skip(stream, member.left)
        else:
            _skip(stream, actual if kind not in b"123456" else 0)
        _skip(stream, -actual % BLOCK if kind not in b"123456" else 0)
        name = size = None


def _header(stream: BinaryIO) -> bytes | None:
    """Read a header; None at the end of the archive.

    Raises:
        FormatError: When it is none.
    """
    block = stream.read(BLOCK)
    if not block or not block.strip(b"\0"):
        return None
    if len(block) < BLOCK:
        raise FormatError("the archive ends early")
    total = sum(block) - sum(block[148:156]) + 8 * 0x20
    if _number(block[148:156]) != total:
        raise FormatError("the archive is broken")
    return block


def _number(data: bytes) -> int:
    """Read an octal number, or a binary one as GNU tar writes large ones.

    Raises:
        FormatError: When it is neither.
    """
    if data[0] & 0x80:
        return int.from_bytes(bytes([data[0] & 0x7F]) + data[1:], "big")
    try:
        return int(data.strip(b" \0") or b"0", 8)
    except ValueError as error:
        raise FormatError("the archive is broken") from error


def _named(header: bytes) -> str:
    name = _text(header[:100])
    prefix = _text(header[345:500]) if header[257:263] == b"ustar\0" else ""
    return f"{prefix}/{name}" if prefix else name


def _text(data: bytes) -> str:
    return data.partition(b"\0")[0].decode("utf-8", "replace")


def _records(data: bytes) -> dict[str, str]:
    """Read the records of a pax header: ``length keyword=value`` and a line feed each."""
    records: dict[str, str] = {}
    while data:
        digits, _, _ = data[:20].partition(b" ")
        if not digits.isdigit() or not len(digits) < int(digits) <= len(data):
            break
        record, data = data[len(digits) + 1 : int(digits)], data[int(digits) :]
        keyword, _, value = record.rstrip(b"\n").partition(b"=")
        records[_text(keyword)] = _text(value)
    return records


def _skip(stream: BinaryIO, count: int) -> None:
    """Go on by so many bytes.

    Raises:
        FormatError: When there are fewer.
    """
    if count and stream.seekable():
        stream.seek(count - 1, 1)
        count = 1  # nobody says no to a place behind the end, but nothing can be read there
    while count:
        data = stream.read(min(count, CHUNK))
        if not data:
            raise FormatError("the archive ends early")
        count -= len(data)
