"""A zip reader that looks at an archive the way every other zip reader might.

Some readers believe the central directory at the end, others the local header in front of each member, others walk
local headers one after the other. This one reads all of them and reports every place where they could come to
different content, and offers the members of each reading.

Format: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
"""

from __future__ import annotations

import io
import lzma
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

from hallmarked.core.errors import FormatError
from hallmarked.formats.archive.model import (
    Defect,
    Entry,
    Expanded,
    Irregularity,
    Listing,
    check_link,
    check_names,
    decode_name,
)
from hallmarked.formats.archive.stream import (
    CHUNK,
    Cache,
    Content,
    Decoder,
    ZlibDecoder,
    bzip2_decoder,
    decode,
    pooled,
    raw_lzma_decoder,
)
from hallmarked.formats.archive.zip_headers import (
    LOCAL_SIGNATURE,
    Directory,
    Header,
    find_directories,
    read_directory,
    read_local,
)
from hallmarked.formats.blob import Blob, Budget

STORED, DEFLATED, BZIP2, LZMA = 0, 8, 12, 14
METHODS = {1: "shrink", 6: "implode", 9: "deflate64", 20: "zstd", 93: "zstd", 95: "xz", 98: "ppmd", 99: "AES"}
FLAG_ENCRYPTED, FLAG_DESCRIPTOR, FLAG_PATCHED, FLAG_STRONG, FLAG_UTF8, FLAG_MASKED = 1, 8, 0x20, 0x40, 0x800, 0x2000
SEARCH = 1 << 16
SMALL = 1 << 14
"""Bytes of a member that is read at once and kept, as reading it again would cost more than that."""

_DESCRIPTORS = [(struct.Struct(form), form[1] == "4") for form in ("<4sIII", "<4sIQQ", "<III", "<IQQ")]


@dataclass(frozen=True, slots=True)
class _Range:
    """Bytes of the file that a member accounts for."""

    start: int
    end: int
    name: str


def read_zip(blob: Blob, budget: Budget) -> Listing:
    """List an archive under every reading.

    Raises:
        FormatError: When there is neither a directory nor a local header.
        LimitExceeded: When it has more members than the budget allows.
    """
    return _Reader(blob, budget).read()


class _Reader:
    def __init__(self, blob: Blob, budget: Budget) -> None:
        self.blob, self.budget, self.listing, self.cache = pooled(blob), budget, Listing(), Cache()
        self.ranges: list[_Range] = []
        self.seen: set[tuple[int, bytes]] = set()
        """Where a member's local header lies and what it is called: readings that agree are listed once."""

    def read(self) -> Listing:
        with self.blob.open() as stream:
            self.stream = stream
            directories = find_directories(stream, self.blob.size, self.listing)
            for directory in directories:
                self._read_directory(directory)
            self._read_between()
        if not self.listing.entries and not directories:
            raise FormatError("no zip directory and no member", offset=0)
        if not directories:
            self.listing.report(
                Defect.TRUNCATED, "the archive has no central directory: readers that need one refuse it"
            )
        return self.listing

    # -- the reading of the central directory --------------------------------------------------------------------

    def _read_directory(self, directory: Directory) -> None:
        names: list[str] = []
        headers: dict[bytes, int] = {}
        for header in read_directory(self.stream, directory, self.budget, self.listing):
            self._add_central(header, directory)
            names.append(header.name)
            headers[header.raw_name] = headers.get(header.raw_name, 0) + 1
        for raw, count in headers.items():
            if count > 1:
                name = decode_name(raw)
                self.listing.report(
                    Defect.CONFLICT, f"{count} members are called {name!r}: readers pick different ones", None, name
                )
        check_names(dict.fromkeys(names), self.listing)
        self.ranges.append(_Range(directory.start, directory.end, "central directory"))

    def _add_central(self, header: Header, directory: Directory) -> None:
        report = self.listing.report
        at = header.offset + directory.shift
        local = read_local(self.stream, at, self.blob.size)
        if local is None and directory.shift:
            at = header.offset
            local = read_local(self.stream, at, self.blob.size)
        if local is None:
            report(
                Defect.CONFLICT, f"{header.name!r} has no local header where the directory says", header.at, header.name
            )
            return
        for difference in _differences(header, local):
            report(
                Defect.CONFLICT,
                f"directory and local header of {header.name!r} disagree: {difference}",
                at,
                header.name,
            )
        for oddity in header.oddities:
            report(Defect.CONFLICT, f"{header.name!r}: {oddity}", header.at, header.name)
        end = local.data + header.packed
        if end > self.blob.size:
            report(Defect.TRUNCATED, f"{header.name!r} extends beyond the end of the archive", at, header.name)
            end = self.blob.size
        self._descriptor(header, local, end)
        self._offer(header.found(at, local.data))
        if local.raw_name != header.raw_name:
            check_names([local.name], self.listing)
            # the same bytes again under the name that the other readers see: names decide what loaders look at
            self._offer(replace(header, offset=at, data=local.data, raw_name=local.raw_name, name=local.name))
        declared = local.data + local.packed
        if (
            not local.flags & FLAG_DESCRIPTOR
            and (local.packed, local.method) != (header.packed, header.method)
            and declared <= self.blob.size
        ):
            self._offer(replace(local, name=f"{local.name} (local header)"), always=True)

    def _descriptor(self, header: Header, local: Header, end: int) -> None:
        """Account for a member's bytes, with the data descriptor that may follow them (section 4.3.9)."""
        if local.flags & FLAG_DESCRIPTOR:
            self.stream.seek(end)
            data = self.stream.read(24)
            expected = (header.crc, header.packed, header.size)
            for form, is_signed in _DESCRIPTORS:
                if len(data) < form.size:
                    continue
                fields = form.unpack_from(data)
                if fields[-3:] == expected and (not is_signed or fields[0] == b"PK\x07\x08"):
                    end += form.size
                    break
            else:
                if local.crc != header.crc or local.packed != header.packed:
                    message = f"the data descriptor of {header.name!r} is missing or disagrees with the directory"
                    self.listing.report(Defect.CONFLICT, message, end, header.name)
        self.ranges.append(_Range(local.offset, end, header.name))

    # -- the reading of those who walk local headers -------------------------------------------------------------

    def _read_between(self) -> None:
        """Look at every byte that no member of a directory accounts for."""
        for start, end in self._uncovered():
            at = start
            while at < end and (found := self._find(LOCAL_SIGNATURE, at, end)) >= 0:
                local = read_local(self.stream, found, self.blob.size)
                at = found + 4
                if local is None:
                    continue
                self.budget.spend("members")
                deferred = not local.packed and bool(local.flags & FLAG_DESCRIPTOR)
                if deferred:
                    local = self._guess_size(local, end)
                if local.data + local.packed <= self.blob.size:
                    message = f"{local.name!r} has a local header but is not in the directory: only some readers see it"
                    self.listing.report(Defect.CONFLICT, message, found, local.name)
                    check_names([local.name], self.listing)
                    self._offer(local)
                    at = at if deferred else max(at, min(local.data + local.packed, end))
            if end > start:
                self.listing.report(Defect.FOREIGN, f"{end - start:,} bytes at {start} belong to no member", start)

    def _guess_size(self, local: Header, end: int) -> Header:
        """Let a member whose size is only known from a lost directory reach to the next structure."""
        if local.method == STORED:
            following = (self._find(signature, local.data, end) for signature in (b"PK\x07\x08", LOCAL_SIGNATURE))
            end = min((at for at in following if at >= 0), default=end)
        size = max(0, end - local.data)
        return replace(local, packed=size, size=size, crc=-1)

    def _uncovered(self) -> list[tuple[int, int]]:
        """Return the gaps between what was accounted for; report where members share bytes."""
        gaps: list[tuple[int, int]] = []
        reached, last = 0, ""
        for part in sorted(set(self.ranges), key=lambda r: (r.start, r.end)):
            if part.start < reached:
                self.listing.report(
                    Defect.CONFLICT, f"{part.name!r} and {last!r} share bytes of the archive", part.start
                )
            elif part.start > reached:
                gaps.append((reached, part.start))
            if part.end > reached:
                reached, last = part.end, part.name
        if reached < self.blob.size:
            gaps.append((reached, self.blob.size))
        return gaps

    def _find(self, needle: bytes, start: int, end: int) -> int:
        while start < end:
            self.stream.seek(start)
            data = self.stream.read(min(SEARCH, end - start))
            if (index := data.find(needle)) >= 0:
                return start + index
            if len(data) <= len(needle):
                return -1
            start += len(data) - len(needle) + 1
        return -1

    # -- members -------------------------------------------------------------------------------------------------

    def _offer(self, header: Header, *, always: bool = False) -> None:
        key = (header.offset, header.raw_name)
        if key in self.seen and not always:
            return
        self.seen.add(key)
        if header.raw_name.endswith(b"/") and not header.packed:
            return
        if header.is_link:
            self._link(header)
        reason = ""
        if header.method == 99 or (
            header.flags & (FLAG_ENCRYPTED | FLAG_STRONG | FLAG_PATCHED) and not self._is_plain(header)
        ):
            reason = "it is encrypted"
        elif header.method not in {STORED, DEFLATED, BZIP2, LZMA}:
            reason = f"compression method {METHODS.get(header.method, header.method)} is not supported"
        member = _Member(self.blob, header, self.budget, self.cache)
        at = header.data if header.method == STORED and not reason else None
        self.listing.entries.append(Entry(header.name, header.size, None if reason else member.expand, reason, at))

    def _is_plain(self, header: Header) -> bool:
        """Say whether the bytes of a member flagged as unreadable have the checksum of its plain content."""
        if header.method == STORED and header.packed != header.size:
            return False
        plain = bool(header.packed) and not _Member(self.blob, header, self.budget, self.cache).expand().check()
        if plain:
            message = f"{header.name!r} is flagged as encrypted or patched but is plain: only some readers refuse it"
            self.listing.report(Defect.CONFLICT, message, header.offset, header.name)
        return plain

    def _link(self, header: Header) -> None:
        if header.method != STORED or header.packed > 4096:
            self.listing.report(
                Defect.CONFLICT, f"the target of the link {header.name!r} cannot be read", header.offset, header.name
            )
            return
        self.stream.seek(header.data)
        target = decode_name(self.stream.read(header.packed))
        check_link(header.name, target, self.listing, header.offset)


@dataclass(frozen=True, slots=True)
class _Member:
    blob: Blob
    header: Header
    budget: Budget
    cache: Cache

    def expand(self) -> Expanded:
        """Run through the member once and say what it holds and what is wrong with it."""
        header = self.header
        size = min(header.packed, max(0, self.blob.size - header.data))
        if header.method == STORED:
            blob = self.blob.window(header.data, size, header.name, deeper=1)
            if size > SMALL or not self.cache.reserve(size):
                return Expanded(blob, (), lambda: self._compare(size, self._checksum(blob)))
            self.budget.expand(size)
            data = blob.ends(size, size)[0]
            problems = list(self._compare(len(data), zlib.crc32(data)))
            return Expanded(Blob.of_bytes(blob.path, data, blob.depth), tuple(problems))
        packed = self.blob.window(header.data, size, header.name)
        problems = []
        tail: list[int] = []
        cap = header.size if header.method == LZMA else None
        content = Content(lambda: self._chunks(packed, tail), self.budget, self.cache, cap)
        if content.error:
            message = f"{header.name!r}: {content.error}"
            problems.append(Irregularity(Defect.TRUNCATED, message, header.data, header.name))
        elif tail and tail[0]:
            message = f"{tail[0]:,} bytes follow the compressed content of {header.name!r}"
            problems.append(Irregularity(Defect.FOREIGN, message, header.data, header.name))
        problems += self._compare(content.size, content.crc)
        return Expanded(content.blob(packed.path, self.blob.depth + 1), tuple(problems))

    def _compare(self, size: int, crc: int) -> tuple[Irregularity, ...]:
        """Compare size and checksum with what the directory records."""
        header = self.header
        if header.crc < 0 or (size, crc) == (header.size, header.crc):
            return ()
        if size == header.size and header.crc == 0:
            message = f"the checksum of {header.name!r} was left out"
            return (Irregularity(Defect.UNCHECKED, message, header.offset, header.name),)
        message = f"{header.name!r} does not have the recorded size and checksum: only strict readers refuse it"
        return (Irregularity(Defect.CHECKSUM, message, header.offset, header.name),)

    def _checksum(self, blob: Blob) -> int:
        """Run through stored content. Members that share bytes would multiply that, so it is accounted for."""
        self.budget.expand(blob.size)
        crc = 0
        with blob.open() as stream:
            while data := stream.read(CHUNK):
                crc = zlib.crc32(data, crc)
        return crc

    def _chunks(self, packed: Blob, tail: list[int]) -> Iterator[bytes]:
        """Decompress; note in ``tail`` how many bytes were left over."""
        with packed.open() as source:
            decoder: Decoder
            if self.header.method == DEFLATED:
                decoder = ZlibDecoder(-zlib.MAX_WBITS)
            elif self.header.method == BZIP2:
                decoder = bzip2_decoder()
            else:
                # section 5.8.8: version (2 bytes), size of the properties (2 bytes), properties
                start = source.read(9)
                if len(start) < 9 or start[2:4] != b"\x05\x00":
                    raise FormatError("invalid LZMA header", offset=self.header.data)
                decoder = raw_lzma_decoder(lzma.FILTER_LZMA1, start[4:9], self.header.size)
                if not self.header.size:
                    return
            yield from decode(decoder, source)
            tail.append(len(decoder.unused_data) + packed.size - source.seek(0, io.SEEK_CUR))


def _differences(central: Header, local: Header) -> Iterator[str]:
    if central.raw_name != local.raw_name:
        yield f"name {local.name!r}"
    if central.method != local.method:
        yield f"compression method {local.method} and {central.method}"
    # the bits that decide how content or name is read; bit 13 blanks local fields on purpose
    mask = FLAG_ENCRYPTED | FLAG_DESCRIPTOR | FLAG_PATCHED | FLAG_STRONG | FLAG_UTF8 | FLAG_MASKED
    if (central.flags ^ local.flags) & mask:
        yield f"flags {local.flags:#x} and {central.flags:#x}"
    deferred = bool(local.flags & FLAG_DESCRIPTOR)
    for label, ours, theirs in (
        ("checksum", central.crc, local.crc),
        ("packed size", central.packed, local.packed),
        ("size", central.size, local.size),
    ):
        if ours != theirs and not (deferred and theirs == 0):
            yield f"{label} {theirs:,} and {ours:,}"
    yield from local.oddities
    if central.method == STORED and central.packed != central.size and not central.flags & FLAG_ENCRYPTED:
        yield f"stored, but {central.packed:,} bytes are said to hold {central.size:,}"
