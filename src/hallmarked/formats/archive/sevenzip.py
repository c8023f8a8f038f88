"""A 7z reader: parses the headers and decodes folders that use one of the usual compression methods.

Filters, encryption and rarer methods are left alone and named, so that the members are known not to have been read.

Format: https://py7zr.readthedocs.io/en/latest/archive_format.html
"""

from __future__ import annotations

import lzma
import stat
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from hallmarked.core.errors import FormatError
from hallmarked.formats.archive.model import (
    Defect,
    Entry,
    Expanded,
    Irregularity,
    Listing,
    check_link,
    check_names,
)
from hallmarked.formats.archive.sevenzip_headers import FileInfo, Folder, Header, Streams, parse_header, parse_streams
from hallmarked.formats.archive.stream import (
    Cache,
    Content,
    Decoder,
    ZlibDecoder,
    bzip2_decoder,
    decode,
    raw_lzma_decoder,
)
from hallmarked.formats.blob import Blob, Budget

SIGNATURE_SIZE = 32
COPY, LZMA1, LZMA2, DEFLATE, BZIP2 = b"\x00", b"\x03\x01\x01", b"\x21", b"\x04\x01\x08", b"\x04\x02\x02"
FILTERS = {
    b"\x03": lzma.FILTER_DELTA,
    b"\x03\x03\x01\x03": lzma.FILTER_X86,
    b"\x03\x03\x02\x05": lzma.FILTER_POWERPC,
    b"\x03\x03\x04\x01": lzma.FILTER_IA64,
    b"\x03\x03\x05\x01": lzma.FILTER_ARM,
    b"\x03\x03\x07\x01": lzma.FILTER_ARMTHUMB,
    b"\x03\x03\x08\x05": lzma.FILTER_SPARC,
}
"""Filters that make programs compress better; archivers set one by default."""
NAMES = {
    b"\x06\xf1\x07\x01": "encryption",
    b"\x03\x04\x01": "PPMd",
    b"\x04\x01\x09": "Deflate64",
    b"\x04\xf7\x11\x01": "Zstandard",
    b"\x04\xf7\x11\x04": "LZ4",
}


def read_7z(blob: Blob, budget: Budget) -> Listing:
    """List an archive.

    Raises:
        FormatError: When its headers cannot be followed.
        LimitExceeded: When it has more members, or expands to more, than the budget allows.
    """
    listing, cache = Listing(), Cache()
    start = blob.head(SIGNATURE_SIZE)
    if len(start) < SIGNATURE_SIZE or zlib.crc32(start[12:32]) != int.from_bytes(start[8:12], "little"):
        raise FormatError("the 7z start header is cut off or has a wrong checksum", offset=0)
    offset, size = int.from_bytes(start[12:20], "little"), int.from_bytes(start[20:28], "little")
    if not size:
        if blob.size > SIGNATURE_SIZE:
            listing.report(Defect.FOREIGN, "bytes follow an empty archive", SIGNATURE_SIZE)
        return listing
    end = SIGNATURE_SIZE + offset + size
    raw = blob.window(SIGNATURE_SIZE + offset, size).read_all(budget)
    if zlib.crc32(raw) != int.from_bytes(start[28:32], "little"):
        listing.report(Defect.CHECKSUM, "the directory does not have its recorded checksum", SIGNATURE_SIZE + offset)
    if end < blob.size:
        listing.report(Defect.FOREIGN, f"{blob.size - end:,} bytes follow the archive", end)
    reader = _Archive(blob, budget, listing, cache)
    header = reader.header(raw, SIGNATURE_SIZE + offset)
    reader.list(header)
    return listing


@dataclass(slots=True)
class _Archive:
    blob: Blob
    budget: Budget
    listing: Listing
    cache: Cache
    used: list[tuple[int, int]] = field(default_factory=list)
    """Ranges that hold packed streams."""

    def header(self, raw: bytes, end: int) -> Header:
        """Parse the directory, which may itself be compressed, several times over."""
        for _ in range(self.budget.limits.depth):
            if raw[:1] == b"\x01":
                header = parse_header(raw, self.budget)
                self._account(header.streams, end)
                return header
            if raw[:1] != b"\x17":
                raise FormatError("the 7z directory is of an unknown kind", offset=end)
            streams = parse_streams(raw[1:], self.budget)
            self._note(streams)
            if len(streams.folders) != 1 or _method(streams.folders[0]):
                raise FormatError("the 7z directory is encrypted or packed in a way that is not supported", offset=end)
            content = self._content(streams, 0)
            if content.error:
                raise content.error
            raw = content.blob(self.blob.path, self.blob.depth).read_all(self.budget)
        raise FormatError("the 7z directory is compressed too many times over", offset=end)

    def _note(self, streams: Streams) -> None:
        at = SIGNATURE_SIZE + streams.position
        for size in streams.packed:
            self.used.append((at, at + size))
            at += size

    def _account(self, streams: Streams, end: int) -> None:
        """Report packed bytes that belong to no stream, or to several."""
        self._note(streams)
        reached = SIGNATURE_SIZE
        for first, last in sorted(self.used):
            if first < reached:
                self.listing.report(Defect.CONFLICT, "two packed streams share bytes", first)
            elif first > reached:
                self.listing.report(Defect.FOREIGN, f"{first - reached:,} bytes belong to no member", reached)
            reached = max(reached, last)
        if reached < end:
            self.listing.report(Defect.FOREIGN, f"{end - reached:,} bytes belong to no member", reached)

    # -- members -------------------------------------------------------------------------------------------------

    def list(self, header: Header) -> None:
        """Add an entry for every file, in the order in which folders hold them."""
        check_names(dict.fromkeys(info.name for info in header.files), self.listing)
        seen: set[str] = set()
        for info in header.files:
            if info.name in seen:
                self.listing.report(Defect.CONFLICT, f"several members are called {info.name!r}", None, info.name)
            seen.add(info.name)
        filled = iter([info for info in header.files if info.has_stream])
        for index, folder in enumerate(header.streams.folders):
            self._list_folder(header.streams, index, folder, filled)
        if next(filled, None) is not None:
            self.listing.report(Defect.CONFLICT, "the archive names more members than it has content for")

    def _list_folder(self, streams: Streams, index: int, folder: Folder, filled: Iterator[FileInfo]) -> None:
        opened: list[Content] = []

        def content() -> Content:
            if not opened:
                opened.append(self._content(streams, index))
            return opened[0]

        reason, at = _method(folder), 0
        for size, crc in folder.parts:
            info = next(filled, None)
            if info is None:
                self.listing.report(Defect.CONFLICT, "the archive has content that it gives no name")
                info = FileInfo(f"unnamed-{index}", True)
            member = _Member(self.blob, info, at, size, crc)
            expand = None if reason else (lambda member=member: member.expand(content()))
            self.listing.entries.append(Entry(info.name, size, expand, reason))
            at += size

    def _content(self, streams: Streams, index: int) -> Content:
        """Run through a folder once."""
        first = sum(folder.inputs for folder in streams.folders[:index])
        if first >= len(streams.packed):
            raise FormatError("a folder has no packed stream")
        start = SIGNATURE_SIZE + streams.position + sum(streams.packed[:first])
        packed = self.blob.window(start, streams.packed[first])
        folder = streams.folders[index]
        cap = folder.size if folder.chain()[-1][0] in {LZMA1, COPY} else None
        return Content(lambda: _chunks(packed, folder), self.budget, self.cache, cap)


@dataclass(frozen=True, slots=True)
class _Member:
    blob: Blob
    info: FileInfo
    at: int
    size: int
    crc: int | None

    def expand(self, content: Content) -> Expanded:
        """Cut the member out of its folder."""
        name, problems = self.info.name, list[Irregularity]()
        whole = content.blob(self.blob.path, self.blob.depth + 1)
        size = max(0, min(self.size, whole.size - self.at))
        member = whole.window(min(self.at, whole.size), size, name)
        if size < self.size:
            reason = content.error or "its content ends early"
            problems.append(Irregularity(Defect.TRUNCATED, f"{name!r}: {reason}", None, name))
        elif self.crc is not None and _checksum(member) != self.crc:
            message = f"{name!r} does not have the recorded checksum: only strict readers refuse it"
            problems.append(Irregularity(Defect.CHECKSUM, message, None, name))
        if self.info.attributes & 0x8000 and stat.S_ISLNK(self.info.attributes >> 16):
            found = Listing()
            check_link(name, member.head(4096).decode("utf-8", "backslashreplace"), found)
            problems += found.irregularities
        return Expanded(replace(member), tuple(problems))


def _checksum(blob: Blob) -> int:
    crc = 0
    with blob.open() as stream:
        while data := stream.read(1 << 20):
            crc = zlib.crc32(data, crc)
    return crc


def _method(folder: Folder) -> str:
    """Say why a folder cannot be decoded; nothing when it can."""
    if any(coder[:3] == b"\x06\xf1\x07" for coder, _ in folder.coders):
        return "it is encrypted"
    kinds = [kind for kind, _ in folder.chain()]
    if not (len(kinds) == 1 or (len(kinds) == 2 and kinds[0] in FILTERS and kinds[1] == LZMA2)):
        return "it is compressed with several methods at once"
    if kinds[-1] not in {COPY, LZMA1, LZMA2, DEFLATE, BZIP2}:
        return f"compression method {NAMES.get(kinds[-1], kinds[-1].hex())} is not supported"
    return ""


def _chunks(packed: Blob, folder: Folder) -> Iterator[bytes]:
    *filters, (kind, properties) = folder.chain()
    with packed.open() as source:
        decoder: Decoder
        if kind == COPY:
            while data := source.read(1 << 18):
                yield data
            return
        if kind in {LZMA1, LZMA2}:
            if not folder.size:
                return
            method = lzma.FILTER_LZMA1 if kind == LZMA1 else lzma.FILTER_LZMA2
            decoder = raw_lzma_decoder(method, properties, folder.size, [_filter(*spec) for spec in filters])
        elif kind == DEFLATE:
            decoder = ZlibDecoder(-zlib.MAX_WBITS)
        else:
            decoder = bzip2_decoder()
        yield from decode(decoder, source)


def _filter(kind: bytes, properties: bytes) -> dict[str, int]:
    if kind == b"\x03":
        return {"id": FILTERS[kind], "dist": (properties[0] if properties else 0) + 1}
    return {"id": FILTERS[kind]}
