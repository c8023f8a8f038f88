"""The bytes of an HDF5 file: superblock, addresses, local and global heaps.

https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html, sections II and III.D to III.E. Checksums are not
compared: a file whose checksums are wrong is refused by the library, so that nothing is missed by being laxer here.
"""

from __future__ import annotations

from typing import BinaryIO

from hallmarked.core.errors import FormatError, LimitExceeded
from hallmarked.formats.blob import Blob, Budget
from hallmarked.formats.cursor import Cursor

SIGNATURE = b"\x89HDF\r\n\x1a\n"


def find_superblock(blob: Blob) -> int | None:
    """Return the offset of the superblock: 0, or a power of two from 512 on behind a user block."""
    with blob.open() as stream:
        at = 0
        while at + len(SIGNATURE) <= blob.size:
            stream.seek(at)
            if stream.read(len(SIGNATURE)) == SIGNATURE:
                return at
            at = max(512, at * 2)
    return None


class Image:
    """Random access to the parts of one HDF5 file, within its size and the budget.

    Args:
        stream: The opened file.
        size: Its size.
        budget: Pays for everything that is read.

    Raises:
        FormatError: When there is no superblock that can be followed.
    """

    def __init__(self, stream: BinaryIO, size: int, start: int, budget: Budget) -> None:
        self._stream, self._size, self.budget = stream, size, budget
        self._base = start
        self._collections: dict[int, dict[int, tuple[int, int]]] = {}
        self.offsets = self.lengths = 8
        self.root = self._read_superblock(start)

    def _read_superblock(self, start: int) -> int:
        head = Cursor(self.read(0, min(128, self._size - start)), start)
        head.take(8)
        version = head.uint(1)
        if version in (0, 1):
            head.take(4)
            self.offsets, self.lengths = head.uint(1), head.uint(1)
            head.take(9 if version == 0 else 13)
        elif version in (2, 3):
            self.offsets, self.lengths = head.uint(1), head.uint(1)
            head.take(1)
        else:
            raise FormatError(f"HDF5 superblock version {version}", offset=start)
        if self.offsets not in (2, 4, 8) or self.lengths not in (2, 4, 8):
            raise FormatError("HDF5 addresses of unknown width", offset=start)
        base = head.uint(self.offsets)
        head.take(self.offsets)
        end = head.uint(self.offsets)
        if version in (0, 1):
            head.take(self.offsets * 2)  # driver block, and the name in the root's symbol table entry
        root = head.uint(self.offsets)
        # A base address other than the superblock's own would let two readers see two files.
        if base != start or base + end > self._size + start or end > self._size:
            raise FormatError("HDF5 superblock disagrees with the size or start of the file", offset=start)
        return root

    def defined(self, address: int) -> bool:
        """Say whether an address points anywhere."""
        return address != (1 << 8 * self.offsets) - 1

    def offset(self, address: int) -> int:
        """Return the offset in the file of an address."""
        return self._base + address

    def room(self, address: int) -> int:
        """Return how many bytes follow an address; negative when it lies outside."""
        return self._size - self._base - address

    def check(self, address: int, count: int) -> None:
        """Check that a range lies inside of the file.

        Raises:
            FormatError: When it does not.
        """
        if count < 0 or address + count > self._size - self._base:
            raise FormatError(f"HDF5 range of {count:,} bytes leaves the file", offset=self._base + address)

    def read(self, address: int, count: int) -> bytes:
        """Read a range.

        Raises:
            FormatError: When it does not lie inside of the file.
            LimitExceeded: When it is too large to be held, or too much was read already.
        """
        self.check(address, count)
        if count > self.budget.limits.text:
            raise LimitExceeded(f"HDF5 metadata of {count:,} bytes", offset=self._base + address)
        self.budget.expand(count)
        self._stream.seek(self._base + address)
        data = self._stream.read(count)
        if len(data) != count:
            raise FormatError("HDF5 file is shorter than its size", offset=self._base + address)
        return data

    def cursor(self, address: int, count: int, signature: bytes = b"") -> Cursor:
        """Read a range and step over the signature it must begin with.

        Raises:
            FormatError: When it lies outside, or begins with something else.
        """
        cursor = Cursor(self.read(address, count), self._base + address)
        if cursor.take(len(signature)) != signature:
            raise FormatError(f"HDF5 {signature.decode()} expected", offset=self._base + address)
        return cursor

    def local_heap(self, address: int) -> bytes:
        """Return the data segment of a local heap, in which old groups keep names.

        Raises:
            FormatError: When there is none.
        """
        head = self.cursor(address, 8 + 2 * self.lengths + self.offsets, b"HEAP")
        head.take(4)
        size = head.uint(self.lengths)
        head.take(self.lengths)
        return self.read(head.uint(self.offsets), size)

    def global_object(self, address: int, index: int) -> bytes:
        """Return an object of a global heap collection.

        Raises:
            FormatError: When there is none.
        """
        if address not in self._collections:
            self._collections[address] = self._index_collection(address)
        try:
            at, size = self._collections[address][index]
        except KeyError:
            raise FormatError(f"HDF5 global heap has no object {index}", offset=self._base + address) from None
        return self.read(at, size)

    def _index_collection(self, address: int) -> dict[int, tuple[int, int]]:
        head = self.cursor(address, 8 + self.lengths, b"GCOL")
        head.take(4)
        total = head.uint(self.lengths)
        self.check(address, total)
        found: dict[int, tuple[int, int]] = {}
        at, end, width = address + 8 + self.lengths, address + total, 8 + self.lengths
        while at + width <= end:
            self.budget.spend("nodes")
            entry = self.cursor(at, width)
            index = entry.uint(2)
            entry.take(6)
            size = entry.uint(self.lengths)
            if index == 0:  # the free space that ends a collection
                break
            if at + width + size > end:
                raise FormatError("HDF5 global heap object leaves its collection", offset=self._base + at)
            found.setdefault(index, (at + width, size))
            at += width + (size + 7) // 8 * 8
        return found
