"""The header database of a 7z archive: streams, folders, files.

Format: https://py7zr.readthedocs.io/en/latest/archive_format.html
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hallmarked.core.errors import FormatError
from hallmarked.formats.blob import Budget

END, PROPERTIES, EXTRA_STREAMS, MAIN_STREAMS, FILES = 0x00, 0x02, 0x03, 0x04, 0x05
PACK, UNPACK, SUBSTREAMS, SIZES, DIGESTS = 0x06, 0x07, 0x08, 0x09, 0x0A
FOLDER, UNPACK_SIZES, COUNTS, EMPTY_STREAM, NAMES, ATTRIBUTES = 0x0B, 0x0C, 0x0D, 0x0E, 0x11, 0x15
MAX_CODERS = 32


@dataclass(slots=True)
class Folder:
    """One compressed stream that holds the content of one or more files."""

    coders: list[tuple[bytes, bytes]]
    """Method id and properties, in order."""
    inputs: int
    """Packed streams it reads."""
    outputs: int
    bonds: list[tuple[int, int]] = field(default_factory=list)
    """Which coder's input is which other coder's output."""
    size: int = 0
    """Expanded size."""
    crc: int | None = None
    parts: list[tuple[int, int | None]] = field(default_factory=list)
    """Size and checksum of each file in it."""

    def chain(self) -> list[tuple[bytes, bytes]]:
        """Return the coders from the one that gives the content to the one that reads the packed stream.

        Empty when they do not form a simple chain.
        """
        feeds = dict(self.bonds)
        final = set(range(self.outputs)) - set(feeds.values())
        chain: list[tuple[bytes, bytes]] = []
        at: int | None = final.pop() if self.inputs == 1 and len(feeds) == len(self.bonds) else None
        while at is not None and at < len(self.coders) and len(chain) < len(self.coders):
            chain.append(self.coders[at])
            at = feeds.get(at)
        return chain if len(chain) == len(self.coders) and at is None else []


@dataclass(slots=True)
class Streams:
    """Where packed streams lie and what they hold."""

    position: int = 0
    packed: list[int] = field(default_factory=list)
    folders: list[Folder] = field(default_factory=list)


@dataclass(slots=True)
class FileInfo:
    """A file by its entry in the directory."""

    name: str
    has_stream: bool
    attributes: int = 0


@dataclass(slots=True)
class Header:
    """The whole directory."""

    streams: Streams
    files: list[FileInfo]


def parse_header(raw: bytes, budget: Budget) -> Header:
    """Parse an unpacked directory.

    Raises:
        FormatError: When it is damaged.
        LimitExceeded: When it lists more than the budget allows.
    """
    cursor = _Cursor(raw, budget)
    cursor.byte()
    header = Header(Streams(), [])
    while (kind := cursor.byte()) != END:
        if kind == MAIN_STREAMS:
            header.streams = _streams(cursor)
        elif kind == FILES:
            header.files = _files(cursor)
        elif kind == PROPERTIES:
            while cursor.byte() != END:
                cursor.take(cursor.number())
        else:
            raise FormatError(f"unexpected part {kind:#x} of the 7z directory", offset=cursor.at)
    if cursor.at != len(raw):
        raise FormatError("bytes follow the 7z directory", offset=cursor.at)
    return header


def parse_streams(raw: bytes, budget: Budget) -> Streams:
    """Parse the description of a packed directory.

    Raises:
        FormatError: When it is damaged.
    """
    return _streams(_Cursor(raw, budget))


class _Cursor:
    """Reads the primitive fields, within bounds."""

    def __init__(self, data: bytes, budget: Budget) -> None:
        self.data, self.budget, self.at = data, budget, 0

    def take(self, count: int) -> bytes:
        if count > len(self.data) - self.at:
            raise FormatError("the 7z directory ends early", offset=self.at)
        self.at += count
        return self.data[self.at - count : self.at]

    def byte(self) -> int:
        return self.take(1)[0]

    def number(self) -> int:
        """Read a number whose first byte says how many more follow."""
        first, mask, value = self.byte(), 0x80, 0
        for index in range(8):
            if not first & mask:
                return value + ((first & (mask - 1)) << 8 * index)
            value |= self.byte() << 8 * index
            mask >>= 1
        return value

    def count(self) -> int:
        """Read how many things follow, and account for them."""
        count = self.number()
        self.budget.spend("members", count)
        return count

    def bits(self, count: int) -> list[bool]:
        data = self.take((count + 7) // 8)
        return [bool(data[index // 8] & 0x80 >> index % 8) for index in range(count)]

    def optional_bits(self, count: int) -> list[bool]:
        return [True] * count if self.byte() else self.bits(count)

    def digests(self, count: int) -> list[int | None]:
        return [int.from_bytes(self.take(4), "little") if known else None for known in self.optional_bits(count)]

    def expect(self, kind: int) -> None:
        if (found := self.byte()) != kind:
            raise FormatError(f"the 7z directory has {found:#x} where {kind:#x} belongs", offset=self.at - 1)

    def internal(self) -> None:
        """Refuse parts that are stored elsewhere; no known writer makes them."""
        if self.byte():
            raise FormatError("part of the 7z directory is stored elsewhere", offset=self.at - 1)


def _streams(cursor: _Cursor) -> Streams:
    streams = Streams()
    while (kind := cursor.byte()) != END:
        if kind == PACK:
            _pack(cursor, streams)
        elif kind == UNPACK:
            _unpack(cursor, streams)
        elif kind == SUBSTREAMS:
            _substreams(cursor, streams)
        else:
            raise FormatError(f"unexpected part {kind:#x} in a 7z stream description", offset=cursor.at)
    return streams


def _pack(cursor: _Cursor, streams: Streams) -> None:
    streams.position, count = cursor.number(), cursor.count()
    while (kind := cursor.byte()) != END:
        if kind == SIZES:
            streams.packed = [cursor.number() for _ in range(count)]
        elif kind == DIGESTS:
            cursor.digests(count)
        else:
            raise FormatError(f"unexpected part {kind:#x} in a 7z pack description", offset=cursor.at)


def _unpack(cursor: _Cursor, streams: Streams) -> None:
    cursor.expect(FOLDER)
    count = cursor.count()
    cursor.internal()
    streams.folders = [_folder(cursor) for _ in range(count)]
    cursor.expect(UNPACK_SIZES)
    for folder in streams.folders:
        sizes = [cursor.number() for _ in range(folder.outputs)]
        final = set(range(folder.outputs)) - {output for _, output in folder.bonds}
        if len(final) != 1:
            raise FormatError("a 7z folder whose coders are not connected", offset=cursor.at)
        folder.size = sizes[final.pop()]
    while (kind := cursor.byte()) != END:
        if kind != DIGESTS:
            raise FormatError(f"unexpected part {kind:#x} in a 7z folder description", offset=cursor.at)
        for folder, crc in zip(streams.folders, cursor.digests(count), strict=True):
            folder.crc = crc
    for folder in streams.folders:
        folder.parts = [(folder.size, folder.crc)]


def _folder(cursor: _Cursor) -> Folder:
    count = cursor.number()
    if not 1 <= count <= MAX_CODERS:
        raise FormatError(f"a 7z folder with {count} coders", offset=cursor.at)
    coders: list[tuple[bytes, bytes]] = []
    inputs = outputs = 0
    for _ in range(count):
        flags = cursor.byte()
        method = cursor.take(flags & 0x0F)
        ins, outs = (cursor.number(), cursor.number()) if flags & 0x10 else (1, 1)
        if not 1 <= ins <= MAX_CODERS or outs != 1:
            raise FormatError("a 7z coder with an unusual number of streams", offset=cursor.at)
        coders.append((method, cursor.take(cursor.number()) if flags & 0x20 else b""))
        inputs, outputs = inputs + ins, outputs + outs
    bonds = [(cursor.number(), cursor.number()) for _ in range(outputs - 1)]
    packed = inputs - (outputs - 1)
    if packed < 1:
        raise FormatError("a 7z folder without packed stream", offset=cursor.at)
    if packed > 1:
        for _ in range(packed):
            cursor.number()
    return Folder(coders, packed, outputs, bonds)


def _substreams(cursor: _Cursor, streams: Streams) -> None:
    counts = [1] * len(streams.folders)
    kind = cursor.byte()
    if kind == COUNTS:
        counts = [cursor.count() for _ in streams.folders]
        kind = cursor.byte()
    sizes: list[list[int]] = []
    for folder, count in zip(streams.folders, counts, strict=True):
        given = [cursor.number() for _ in range(count - 1)] if kind == SIZES else []
        if count and sum(given) > folder.size:
            raise FormatError("files of a 7z folder are larger than the folder", offset=cursor.at)
        sizes.append([*given, folder.size - sum(given)][:count])
        if count > 1 and kind != SIZES:
            raise FormatError("a 7z folder with several files does not give their sizes", offset=cursor.at)
    if kind == SIZES:
        kind = cursor.byte()
    known = [count == 1 and folder.crc is not None for folder, count in zip(streams.folders, counts, strict=True)]
    open_count = sum(count for count, have in zip(counts, known, strict=True) if not have)
    digests: list[int | None] = [None] * open_count
    while kind != END:
        if kind == DIGESTS:
            digests = cursor.digests(open_count)
        else:
            raise FormatError(f"unexpected part {kind:#x} in a 7z file description", offset=cursor.at)
        kind = cursor.byte()
    remaining = iter(digests)
    for folder, own, have in zip(streams.folders, sizes, known, strict=True):
        folder.parts = [(size, folder.crc if have else next(remaining, None)) for size in own]


def _files(cursor: _Cursor) -> list[FileInfo]:
    count = cursor.count()
    empty, names, attributes = [False] * count, [""] * count, [0] * count
    while (kind := cursor.byte()) != END:
        part = _Cursor(cursor.take(cursor.number()), cursor.budget)
        if kind == EMPTY_STREAM:
            empty = part.bits(count)
        elif kind == NAMES:
            part.internal()
            names = _names(part, count)
        elif kind == ATTRIBUTES:
            defined = part.optional_bits(count)
            part.internal()
            attributes = [int.from_bytes(part.take(4), "little") if known else 0 for known in defined]
    return [FileInfo(names[index], not empty[index], attributes[index]) for index in range(count)]


def _names(part: _Cursor, count: int) -> list[str]:
    raw = part.take(len(part.data) - part.at)
    text = raw.decode("utf-16-le", "replace")
    names = text.split("\0")
    if len(names) != count + 1 or names[-1]:
        raise FormatError("the 7z directory does not name each file once", offset=part.at)
    return names[:-1]
