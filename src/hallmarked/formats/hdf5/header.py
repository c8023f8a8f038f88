"""Object headers of HDF5: the messages of one group, dataset or named type.

https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html, section IV.A.1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from hallmarked.core.errors import FormatError
from hallmarked.formats.cursor import Cursor
from hallmarked.formats.hdf5.image import Image

DATASPACE, LINK_INFO, DATATYPE, LINK, EXTERNAL_FILES, LAYOUT = 0x01, 0x02, 0x03, 0x06, 0x07, 0x08
FILTERS, ATTRIBUTE, CONTINUATION, SYMBOL_TABLE, ATTRIBUTE_INFO = 0x0B, 0x0C, 0x10, 0x11, 0x15
KNOWN = frozenset(range(0x19))
# Bits of a message's flags that make a reader stop at a message it does not know.
_FAIL_IF_UNKNOWN = 0x80


@dataclass(frozen=True, slots=True)
class Message:
    """One message of an object header."""

    kind: int
    flags: int
    data: bytes
    offset: int
    """Where the data lies in the file."""

    @property
    def shared(self) -> bool:
        """Whether the data is not the message but says where it is."""
        return bool(self.flags & 2)

    @property
    def cursor(self) -> Cursor:
        """A cursor over the data."""
        return Cursor(self.data, self.offset)


def read_header(image: Image, address: int) -> list[Message]:
    """Return the messages of an object header, those of its continuation blocks included.

    Raises:
        FormatError: When it is broken, or when a block continues in itself.
    """
    image.check(address, 16)
    lead = image.cursor(address, 16)
    if lead.data[:4] == b"OHDR":
        return _read_v2(image, address)
    if lead.uint(1) != 1:
        raise FormatError("HDF5 object header of unknown version", offset=lead.offset)
    lead.take(7)
    return _follow(image, [(address + 16, lead.uint(4))], _messages_v1, b"")


def _read_v2(image: Image, address: int) -> list[Message]:
    head = image.cursor(address, min(40, image.room(address)), b"OHDR")
    if head.uint(1) != 2:
        raise FormatError("HDF5 object header of unknown version", offset=head.offset)
    flags = head.uint(1)
    head.take((16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0))
    size = head.uint(1 << (flags & 3))
    ordered = bool(flags & 4)

    def messages(cursor: Cursor) -> Iterator[Message]:
        # A gap that is too small for another message may follow the last one.
        while cursor.left >= (6 if ordered else 4):
            kind, length, marks = cursor.uint(1), cursor.uint(2), cursor.uint(1)
            cursor.take(2 if ordered else 0)
            offset = cursor.offset
            yield Message(kind, marks, cursor.take(length), offset)

    return _follow(image, [(address + head.at, size)], messages, b"OCHK")


def _messages_v1(cursor: Cursor) -> Iterator[Message]:
    while cursor.left >= 8:
        kind, length, marks = cursor.uint(2), cursor.uint(2), cursor.uint(1)
        cursor.take(3)
        offset = cursor.offset
        yield Message(kind, marks, cursor.take(length), offset)


_Parse = Callable[[Cursor], Iterator[Message]]


def _follow(image: Image, blocks: list[tuple[int, int]], parse: _Parse, signature: bytes) -> list[Message]:
    found: list[Message] = []
    seen: set[int] = set()
    while blocks:
        address, size = blocks.pop(0)
        if address in seen:
            raise FormatError("HDF5 object header continues in itself", offset=address)
        seen.add(address)
        # Later blocks of a new header are framed by a signature and a checksum.
        framed = bool(signature) and len(seen) > 1
        cursor = image.cursor(address, size, signature if framed else b"")
        if framed:
            cursor = Cursor(cursor.take(max(0, cursor.left - 4)), cursor.offset)
        for message in parse(cursor):
            image.budget.spend("nodes")
            if message.kind == CONTINUATION:
                link = message.cursor
                blocks.append((link.uint(image.offsets), link.uint(image.lengths)))
            elif message.kind not in KNOWN and message.flags & _FAIL_IF_UNKNOWN:
                raise FormatError(f"HDF5 message {message.kind:#x} that a reader must know", offset=message.offset)
            else:
                found.append(message)
    return found
