"""The fixed structures of a zip archive: end records, central directory, local headers.

Format: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, sections 4.3 to 4.5.
"""

from __future__ import annotations

import stat
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from hallmarked.formats.archive.model import Defect, Listing, decode_name
from hallmarked.formats.blob import Blob, Budget

LOCAL_SIGNATURE = b"PK\x03\x04"
CENTRAL_SIGNATURE = b"PK\x01\x02"
END_SIGNATURE = b"PK\x05\x06"
END64_SIGNATURE = b"PK\x06\x06"
LOCATOR_SIGNATURE = b"PK\x06\x07"
END_SIZE = 22
TAIL = END_SIZE + 0xFFFF
"""An end record can only lie this close to the end."""
UTF8 = 0x800

_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_END64 = struct.Struct("<4sQ2H2I4Q")
_LOCATOR = struct.Struct("<4sIQI")


@dataclass(frozen=True, slots=True)
class Header:
    """What one header says about a member."""

    at: int
    """Where this header lies."""
    offset: int
    """Where the local header lies (as the directory says; not yet shifted)."""
    data: int
    """Where the content starts; known from local headers only."""
    raw_name: bytes
    name: str
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    is_link: bool = False
    oddities: tuple[str, ...] = ()
    """Contradictions within this header."""

    def found(self, offset: int, data: int) -> Header:
        """Return the header with where the member was found to lie."""
        return Header(
            self.at,
            offset,
            data,
            self.raw_name,
            self.name,
            self.flags,
            self.method,
            self.crc,
            self.packed,
            self.size,
            self.is_link,
            self.oddities,
        )


@dataclass(frozen=True, slots=True)
class Directory:
    """A central directory that some reader would use."""

    start: int
    end: int
    """End of the end record with its comment: everything from ``start`` to here is accounted for."""
    size: int
    count: int
    shift: int
    """What to add to the offsets in the directory: bytes put in front of the archive."""


def has_directory(blob: Blob, tail: bytes) -> bool:
    """Say whether a reader that looks for the end record would take these bytes for a zip archive.

    Args:
        blob: The file.
        tail: Its last ``TAIL`` bytes, or all of it.
    """
    if tail.rfind(END_SIGNATURE) < 0:  # searching backwards is twice as fast
        return False
    with blob.open() as stream:
        found = find_directories(stream, blob.size, Listing())
    return any(directory.size or directory.start == 0 for directory in found)


def find_directories(stream: BinaryIO, size: int, listing: Listing) -> list[Directory]:
    """Return every central directory that some reader would find, the usual one first.

    Most readers take the last end record. Others want one whose comment reaches the end of the file, which only tells
    records apart when the last one is not of that kind, or when an earlier one is (an archive within the comment).
    """
    reach = min(size, TAIL)
    stream.seek(size - reach)
    tail = stream.read(reach)
    found: list[Directory] = []
    last_fits = False
    at = len(tail)
    while (at := tail.rfind(END_SIGNATURE, 0, at)) >= 0 and len(found) < 16:
        if len(tail) - at < END_SIZE:
            continue
        record = tail[at : at + END_SIZE]
        fits = at + END_SIZE + int.from_bytes(record[20:22], "little") == len(tail)
        if last_fits and not fits:
            continue  # content of a member, or part of a comment that only looks like a record
        reports = Listing()
        directory = _directory(stream, size - reach + at, record, size, reports)
        if directory is None or directory.start in {other.start for other in found}:
            continue
        listing.irregularities += reports.irregularities
        last_fits = last_fits or (fits and not found)
        found.append(directory)
    if len(found) > 1:
        listing.report(Defect.CONFLICT, f"{len(found)} end records: readers find different directories", found[1].end)
    return found


def _directory(stream: BinaryIO, at: int, record: bytes, size: int, listing: Listing) -> Directory | None:
    _, disk, start_disk, here, count, length, offset, comment = _END.unpack(record)
    end_of_directory = at
    wide = _end64(stream, at)
    if wide is not None:
        where, count64, length64, offset64 = wide
        for narrow, full, limit in (
            (count, count64, 0xFFFF),
            (length, length64, 0xFFFFFFFF),
            (offset, offset64, 0xFFFFFFFF),
        ):
            if narrow not in {full, limit}:
                listing.report(Defect.CONFLICT, "the two end records (zip and zip64) disagree", at)
        if where + _END64.size + _LOCATOR.size != at:
            listing.report(Defect.FOREIGN, "bytes hidden between the end records", where)
        end_of_directory, count, length, offset = where, count64, length64, offset64
    elif 0xFFFFFFFF in {length, offset}:
        listing.report(Defect.CONFLICT, "the end record refers to a zip64 record that is not there", at)
        return None
    if length > end_of_directory or (not length and count):
        return None
    start = end_of_directory - length
    shift = start - offset
    stream.seek(start)
    if length and stream.read(4) != CENTRAL_SIGNATURE:
        stream.seek(min(offset, size))
        if stream.read(4) != CENTRAL_SIGNATURE:
            return None
        start, shift = offset, 0
        listing.report(
            Defect.CONFLICT, "the directory is not where its size says: readers look in different places", offset
        )
    elif shift:
        listing.report(Defect.CONFLICT, f"offsets are off by {shift:,}: only some readers correct that", at)
    if disk or start_disk or (here != count and wide is None):
        listing.report(Defect.CONFLICT, "the archive claims to be one part of several", at)
    end = at + END_SIZE + comment
    if end > size:
        listing.report(Defect.CONFLICT, "the archive comment is longer than the file", at)
        end = size
    return Directory(start, end, length, count, shift)


def _end64(stream: BinaryIO, at: int) -> tuple[int, int, int, int] | None:
    """Return where the zip64 end record lies and what it says, when there is one in front of the end record."""
    if at < _LOCATOR.size:
        return None
    stream.seek(at - _LOCATOR.size)
    signature, _, offset, _ = _LOCATOR.unpack(stream.read(_LOCATOR.size))
    if signature != LOCATOR_SIGNATURE:
        return None
    # The offset is wrong when bytes were put in front of the archive; the record then still precedes its locator.
    for where in (offset, at - _LOCATOR.size - _END64.size):
        if not 0 <= where <= at - _LOCATOR.size - _END64.size:
            continue
        stream.seek(where)
        record = stream.read(_END64.size)
        if len(record) == _END64.size and record[:4] == END64_SIGNATURE:
            _, _, _, _, _, _, _, count, length, start = _END64.unpack(record)
            return where, count, length, start
    return None


def read_directory(stream: BinaryIO, directory: Directory, budget: Budget, listing: Listing) -> Iterator[Header]:
    """Yield the headers of a central directory.

    Raises:
        LimitExceeded: When there are more than the budget allows.
    """
    at, end, count = directory.start, directory.start + directory.size, 0
    while at + _CENTRAL.size <= end:
        stream.seek(at)
        data = stream.read(_CENTRAL.size)
        if len(data) < _CENTRAL.size or data[:4] != CENTRAL_SIGNATURE:
            break
        budget.spend("members")
        fields = _CENTRAL.unpack(data)
        name_size, extra_size, comment_size = fields[10:13]
        variable = stream.read(name_size + extra_size)
        if len(variable) < name_size + extra_size:
            break
        yield _central(at, fields, variable[:name_size], variable[name_size:])
        at += _CENTRAL.size + name_size + extra_size + comment_size
        count += 1
    if at != end:
        listing.report(Defect.CONFLICT, "the central directory does not fill its declared size", at)
    if count != directory.count:
        listing.report(Defect.CONFLICT, f"the directory holds {count:,} members but declares {directory.count:,}", at)


def _central(at: int, fields: tuple[int, ...], raw: bytes, extra: bytes) -> Header:
    _, made_by, _, flags, method, _, _, crc, packed, size = fields[:10]
    attributes, offset = fields[15], fields[16]
    oddities: list[str] = []
    wide = _zip64(extra, [size, packed, offset], oddities)
    size, packed, offset = wide
    is_link = made_by >> 8 in {3, 19} and stat.S_ISLNK(attributes >> 16)
    name = _name(raw, flags, extra, oddities)
    return Header(at, offset, -1, raw, name, flags, method, crc, packed, size, is_link, tuple(oddities))


def read_local(stream: BinaryIO, at: int, limit: int) -> Header | None:
    """Return the local header at an offset, or nothing when there is none."""
    if not 0 <= at <= limit - _LOCAL.size:
        return None
    stream.seek(at)
    data = stream.read(_LOCAL.size)
    if len(data) < _LOCAL.size or data[:4] != LOCAL_SIGNATURE:
        return None
    _, _, flags, method, _, _, crc, packed, size, name_size, extra_size = _LOCAL.unpack(data)
    variable = stream.read(name_size + extra_size)
    if len(variable) < name_size + extra_size:
        return None
    raw, extra = variable[:name_size], variable[name_size:]
    oddities: list[str] = []
    size, packed = _zip64(extra, [size, packed], oddities)
    start = at + _LOCAL.size + name_size + extra_size
    return Header(
        at, at, start, raw, _name(raw, flags, extra, oddities), flags, method, crc, packed, size, False, tuple(oddities)
    )


def _extra(extra: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 4 <= len(extra):
        tag, length = struct.unpack_from("<HH", extra, at)
        yield tag, extra[at + 4 : at + 4 + length]
        at += 4 + length


def _zip64(extra: bytes, values: list[int], oddities: list[str]) -> list[int]:
    """Replace the fields that are too small for their value (section 4.5.3): size, packed size, offset."""
    if not extra:
        return values
    fields = [value for tag, value in _extra(extra) if tag == 1]
    if len(fields) > 1:
        oddities.append("two zip64 fields")
    if not any(value == 0xFFFFFFFF for value in values):
        return values
    data, at = (fields[0] if fields else b""), 0
    wide = []
    for value in values:
        if value == 0xFFFFFFFF and len(data) >= at + 8:
            value = int.from_bytes(data[at : at + 8], "little")  # noqa: PLW2901 -- the field's true value
            at += 8
        wide.append(value)
    return wide


def _name(raw: bytes, flags: int, extra: bytes, oddities: list[str]) -> str:
    if b"\0" in raw:
        oddities.append("its name holds a zero byte, where some readers end it")
    if flags & UTF8 and decode_name(raw).encode("utf-8", "replace") != raw:
        oddities.append("its name is not the UTF-8 it claims to be")
    for tag, value in _extra(extra):
        # section 4.6.9: a second name, which some readers prefer
        if tag == 0x7075 and value[5:] != raw:
            oddities.append(f"a second name {decode_name(value[5:])!r} that only some readers use")
    return decode_name(raw)
