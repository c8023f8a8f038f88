"""A tar reader that walks the header blocks and never extracts.

Understands v7, ustar, pax and GNU archives. Where readers could come to different members (a pax record that changes
the size, content behind the end marker) both readings are followed.

Format: https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html and
https://www.gnu.org/software/tar/manual/html_node/Standard.html
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from hallmarked.core.errors import FormatError, LimitExceeded
from hallmarked.formats.archive.model import (
    Defect,
    Entry,
    Expanded,
    Listing,
    check_link,
    check_names,
    decode_name,
)
from hallmarked.formats.blob import Blob, Budget

BLOCK = 512
META_LIMIT = 1 << 20
"""Largest pax header or long name; real ones are a few kilobytes."""
REGULAR = {b"0", b"\0", b"7"}
SPECIAL = {b"3": "a character device", b"4": "a block device", b"6": "a pipe"}
HUGE = 8 << 30
"""Sizes from here on do not fit into the octal field, so a pax record may have to give them."""


@dataclass(slots=True)
class _Pending:
    """What extended headers say about the next member."""

    name: bytes | None = None
    link: bytes | None = None
    size: int | None = None
    sparse: bool = False


@dataclass(slots=True)
class _Walk:
    """One sequence of headers, from one offset on."""

    at: int
    pending: _Pending = field(default_factory=_Pending)
    shared: dict[str, bytes] = field(default_factory=dict)


def read_tar(blob: Blob, budget: Budget) -> Listing:
    """List an archive under every reading.

    Raises:
        FormatError: When the first block is no tar header.
        LimitExceeded: When it has more members than the budget allows.
    """
    return _Reader(blob, budget).read()


class _Reader:
    def __init__(self, blob: Blob, budget: Budget) -> None:
        self.blob, self.budget, self.listing = blob, budget, Listing()
        self.starts, self.visited = [0], set[int]()
        self.names: list[str] = []

    def read(self) -> Listing:
        with self.blob.open() as stream:
            self.stream = stream
            if _checksum(self._block(0)) is None:
                raise FormatError("the first block is not a tar header", offset=0)
            while self.starts:
                self._walk(_Walk(self.starts.pop()))
        check_names(dict.fromkeys(self.names), self.listing)
        seen: set[str] = set()
        for name in self.names:
            if name in seen:
                message = f"several members are called {name!r}: the last one wins, or the first"
                self.listing.report(Defect.CONFLICT, message, None, name)
            seen.add(name)
        return self.listing

    def _block(self, at: int) -> bytes:
        self.stream.seek(at)
        return self.stream.read(BLOCK)

    def _walk(self, walk: _Walk) -> None:
        while walk.at not in self.visited:
            self.visited.add(walk.at)
            block = self._block(walk.at)
            if len(block) < BLOCK:
                self.listing.report(Defect.TRUNCATED, "the archive ends without an end marker", walk.at)
                return
            if not block.strip(b"\0"):
                if len(self._block(walk.at + BLOCK)) < BLOCK:
                    self.listing.report(Defect.TRUNCATED, "the archive ends within its end marker", walk.at)
                self._behind_the_end(walk.at + BLOCK)
                return
            if _checksum(block) is None:
                self.listing.report(
                    Defect.TRUNCATED, "a header block has a wrong checksum: readers stop or skip here", walk.at
                )
                self._behind_the_end(walk.at + BLOCK)
                return
            self.budget.spend("members")
            self._member(walk, block)

    def _behind_the_end(self, at: int) -> None:
        """Look behind the end marker, where readers that ignore it go on."""
        self.stream.seek(at)
        while data := self.stream.read(BLOCK * 128):
            if data.strip(b"\0"):
                first = at + (len(data) - len(data.lstrip(b"\0"))) // BLOCK * BLOCK
                self.listing.report(
                    Defect.FOREIGN, "bytes follow the end of the archive, where some readers go on", first
                )
                if _checksum(self._block(first)) is not None:
                    self.starts.append(first)
                return
            at += len(data)

    # -- one member ----------------------------------------------------------------------------------------------

    def _member(self, walk: _Walk, block: bytes) -> None:
        at, kind = walk.at, block[156:157]
        size = _number(block[124:136])
        if size is None or size < 0:
            self.listing.report(Defect.TRUNCATED, "a header gives no valid size", at)
            walk.at = -1
            self.visited.add(-1)
            return
        if kind in {b"x", b"X", b"g", b"L", b"K"}:
            self._extended(walk, kind, at, size)
            return
        pending, walk.pending = walk.pending, _Pending()
        data = at + BLOCK
        if kind == b"S":  # old GNU sparse files: more headers may follow this one
            pending.sparse = True
            more = block[482:483]
            while more and more != b"\0" and data + BLOCK <= self.blob.size:
                more = self._block(data)[504:505]
                data += BLOCK
        name = decode_name(pending.name if pending.name is not None else _header_name(block))
        true_size = size if pending.size is None else pending.size
        following = data + _padded(true_size)
        if true_size != size and not (size == 0 and true_size >= HUGE):
            message = f"{name!r} has {size:,} bytes by its header and {true_size:,} by its pax record: readers disagree"
            self.listing.report(Defect.CONFLICT, message, at, name)
            self.starts.append(data + _padded(size))
        if kind in REGULAR or kind == b"S" or kind not in {b"1", b"2", b"3", b"4", b"5", b"6"}:
            self._offer(name, data, true_size, at, sparse=pending.sparse)
        else:
            self._special(name, kind, block, pending, at)
            # A size on something that has no content: some readers skip that many bytes, some do not.
            following = data
            if true_size:
                message = f"{name!r} has no content but declares {true_size:,} bytes: readers go on in different places"
                self.listing.report(Defect.CONFLICT, message, at, name)
                self.starts.append(data + _padded(true_size))
        walk.at = following

    def _special(self, name: str, kind: bytes, block: bytes, pending: _Pending, at: int) -> None:
        self.names.append(name) if kind != b"5" else check_names([name], self.listing)
        if kind in {b"1", b"2"}:
            target = decode_name(pending.link if pending.link is not None else block[157:257].split(b"\0", 1)[0])
            # hard links name a member from the archive's root, symbolic links from their own folder
            check_link(name if kind == b"2" else "", target, self.listing, at)
        elif kind in SPECIAL:
            self.listing.report(Defect.DEVICE, f"{name!r} is {SPECIAL[kind]}", at, name)

    def _offer(self, name: str, data: int, size: int, at: int, *, sparse: bool) -> None:
        if name.endswith("/") and not size:
            return
        self.names.append(name)
        if data + size > self.blob.size:
            self.listing.report(Defect.TRUNCATED, f"{name!r} extends beyond the end of the archive", at, name)
            size = max(0, self.blob.size - data)
            data = min(data, self.blob.size)
        if sparse:
            self.listing.entries.append(Entry(name, size, None, "it is stored as a sparse file"))
            return
        blob = self.blob.window(data, size, name)
        member = replace(blob, depth=self.blob.depth + 1)
        self.listing.entries.append(Entry(name, size, lambda: Expanded(member)))

    # -- extended headers ----------------------------------------------------------------------------------------

    def _extended(self, walk: _Walk, kind: bytes, at: int, size: int) -> None:
        data = at + BLOCK
        walk.at = data + _padded(size)
        if size > META_LIMIT:
            raise LimitExceeded(f"an extended header of {size:,} bytes", offset=at)
        self.stream.seek(data)
        content = self.stream.read(size)
        if len(content) < size:
            self.listing.report(Defect.TRUNCATED, "the archive ends within an extended header", at)
        if kind == b"L":
            walk.pending.name = content.split(b"\0", 1)[0]
        elif kind == b"K":
            walk.pending.link = content.split(b"\0", 1)[0]
        else:
            self._pax(walk, content, at, shared=kind == b"g")

    def _pax(self, walk: _Walk, content: bytes, at: int, *, shared: bool) -> None:
        records = _pax_records(content)
        if records is None:
            self.listing.report(Defect.CONFLICT, "a pax header is broken: readers skip or refuse it", at)
            return
        if shared and {b"path", b"linkpath", b"size"} & records.keys():
            self.listing.report(Defect.CONFLICT, "a global pax header sets name or size for all members", at)
        pending = walk.pending
        pending.name = records.get(b"GNU.sparse.name", records.get(b"path", pending.name))
        pending.link = records.get(b"linkpath", pending.link)
        pending.sparse |= any(key.startswith(b"GNU.sparse.") for key in records)
        if b"size" in records:
            text = records[b"size"]
            if text.isdigit() and len(text) < 20:
                pending.size = int(text)
            else:
                self.listing.report(Defect.CONFLICT, "a pax record gives no valid size", at)


def _pax_records(content: bytes) -> dict[bytes, bytes] | None:
    """Split ``length key=value`` records; nothing when a length or a separator is wrong."""
    records: dict[bytes, bytes] = {}
    at = 0
    while at < len(content) and content[at : at + 1] != b"\0":
        space = content.find(b" ", at, at + 20)
        if space < 0 or not content[at:space].isdigit():
            return None
        end = at + int(content[at:space])
        record = content[space + 1 : end]
        if end > len(content) or not record.endswith(b"\n") or b"=" not in record:
            return None
        key, value = record[:-1].split(b"=", 1)
        records[key] = value
        at = end
    return records


def _header_name(block: bytes) -> bytes:
    name = block[:100].split(b"\0", 1)[0]
    prefix = block[345:500].split(b"\0", 1)[0]
    return prefix + b"/" + name if block[257:263] == b"ustar\0" and prefix else name


def _checksum(block: bytes) -> int | None:
    """Return the checksum of a header block when it is right."""
    if len(block) < BLOCK:
        return None
    recorded = _number(block[148:156])
    blanked = block[:148] + b" " * 8 + block[156:]
    signed = sum(byte - 256 if byte > 127 else byte for byte in blanked)
    return recorded if recorded in {sum(blanked), signed} else None


def _number(data: bytes) -> int | None:
    """Read an octal number, or a binary one (GNU)."""
    if data[:1] in {b"\x80", b"\xff"}:
        value = int.from_bytes(data[1:], "big")
        return value if data[:1] == b"\x80" else value - (1 << 8 * (len(data) - 1))
    text = data.split(b"\0", 1)[0].strip()
    if any(byte not in b"01234567" for byte in text):
        return None
    return int(text or b"0", 8)


def _padded(size: int) -> int:
    return -(-size // BLOCK) * BLOCK
