"""The indexes of HDF5: B-trees of both versions and the fractal heap that dense groups keep links and attributes in.

https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html, sections III.A and III.G.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from hallmarked.core.errors import FormatError
from hallmarked.formats.cursor import Cursor
from hallmarked.formats.hdf5.image import Image

_MAX_LEVEL = 64


class UnsupportedError(Exception):
    """Part of the format that is not followed; caught inside this package and reported, never passed on."""


def btree1_leaves(image: Image, root: int, kind: int, key_size: int) -> Iterator[tuple[bytes, int]]:
    """Yield (key, child address) of the lowest level of a version 1 B-tree.

    Args:
        image: The file.
        root: Address of the root node.
        kind: 0 for a group, 1 for the chunks of a dataset.
        key_size: Bytes per key.

    Raises:
        FormatError: When it is broken or not a tree.
    """
    pending, seen = [root], set[int]()
    while pending:
        address = pending.pop()
        if address in seen:
            raise FormatError("HDF5 B-tree node that is its own relative", offset=address)
        seen.add(address)
        image.budget.spend("nodes")
        head_size = 8 + 2 * image.offsets
        head = image.cursor(address, head_size, b"TREE")
        found, level, used = head.uint(1), head.uint(1), head.uint(2)
        if found != kind or level > _MAX_LEVEL:
            raise FormatError("HDF5 B-tree of the wrong kind or depth", offset=head.offset)
        entries = image.cursor(address + head_size, used * (key_size + image.offsets))
        for _ in range(used):
            key, child = entries.take(key_size), entries.uint(image.offsets)
            if level:
                pending.append(child)
            else:
                image.budget.spend("nodes")
                yield key, child


def btree2_records(image: Image, address: int, kinds: tuple[int, ...]) -> Iterator[Cursor]:
    """Yield the records of a version 2 B-tree.

    Raises:
        FormatError: When it is broken or not a tree.
    """
    head = image.cursor(address, 16 + image.offsets + 2 + image.lengths, b"BTHD")
    head.take(1)
    kind, node_size, record_size, depth = head.uint(1), head.uint(4), head.uint(2), head.uint(2)
    head.take(2)
    root, number = head.uint(image.offsets), head.uint(2)
    if kind not in kinds or not record_size or record_size > node_size or depth > _MAX_LEVEL:
        raise FormatError("HDF5 B-tree of the wrong kind or shape", offset=address)
    if not number:
        return
    counts = _count_widths(image, node_size, record_size, depth)
    pending, seen = [(root, number, depth)], set[int]()
    while pending:
        address, number, level = pending.pop()
        if address in seen:
            raise FormatError("HDF5 B-tree node that is its own relative", offset=address)
        seen.add(address)
        image.budget.spend("nodes", 1 + number)
        node = image.cursor(address, node_size, b"BTIN" if level else b"BTLF")
        node.take(2)
        for _ in range(number):
            offset = node.offset
            yield Cursor(node.take(record_size), offset)
        if level:
            own, total = counts[level - 1]
            for _ in range(number + 1):
                child, records = node.uint(image.offsets), node.uint(own)
                node.take(total if level > 1 else 0)
                pending.append((child, records, level - 1))


def _count_widths(image: Image, node_size: int, record_size: int, depth: int) -> list[tuple[int, int]]:
    """Return, for children of each level, the widths of their record count and of the count in their subtree."""
    most = max(1, (node_size - 10) // record_size)
    width, subtree, total_width = _width(most), most, 0
    widths = [(width, 0)]
    for _ in range(depth):
        most_here = max(
            1,
            (node_size - 10 - image.offsets - width - total_width)
            // (record_size + image.offsets + width + total_width),
        )
        subtree = min((most_here + 1) * subtree + most_here, 1 << 63)
        total_width = _width(subtree)
        widths.append((width, total_width))
    return widths


def _width(value: int) -> int:
    return (value.bit_length() + 7) // 8


@dataclass(slots=True)
class _Geometry:
    """Sizes of the blocks of a fractal heap."""

    width: int
    start: int
    max_direct: int

    def row_size(self, row: int) -> int:
        return self.start if row < 2 else self.start << (row - 1)

    @property
    def direct_rows(self) -> int:
        return (self.max_direct // self.start).bit_length() + 1


class FractalHeap:
    """Objects of a fractal heap by their ids.

    Args:
        image: The file.
        address: Address of the heap's header.

    Raises:
        FormatError: When it is broken.
        UnsupportedError: When its blocks are filtered.
    """

    def __init__(self, image: Image, address: int) -> None:
        self._image = image
        offsets, lengths = image.offsets, image.lengths
        head = image.cursor(address, 22 + 3 * offsets + 12 * lengths, b"FRHP")
        head.take(1)
        self.id_size, filtered = head.uint(2), head.uint(2)
        head.take(1)
        max_managed = head.uint(4)
        head.take(lengths + offsets + lengths + offsets + 4 * lengths + 4 * lengths)
        self._geometry = _Geometry(head.uint(2), head.uint(lengths), head.uint(lengths))
        bits = head.uint(2)
        head.take(2)
        self._root, self._rows = head.uint(offsets), head.uint(2)
        geometry = self._geometry
        if filtered:
            raise UnsupportedError("a fractal heap with filters")
        powers = (geometry.width, geometry.start, geometry.max_direct)
        if any(n < 1 or n & (n - 1) for n in powers) or geometry.max_direct < geometry.start or not 1 <= bits <= 64:
            raise FormatError("HDF5 fractal heap of impossible geometry", offset=address)
        self._offset_width = (bits + 7) // 8
        self._length_width = min(_width(geometry.max_direct), _width(max_managed))

    def get(self, identity: bytes) -> bytes:
        """Return an object.

        Raises:
            FormatError: When there is none.
            UnsupportedError: When it is a huge object.
        """
        cursor = Cursor(identity)
        lead = cursor.uint(1)
        kind = lead >> 4 & 3
        if kind == 2:
            return cursor.take(min((lead & 0xF) + 1, cursor.left))
        if kind == 1:
            raise UnsupportedError("a huge object of a fractal heap")
        offset, length = cursor.uint(self._offset_width), cursor.uint(self._length_width)
        block, start, size = self._find(offset)
        if offset - start + length > size:
            raise FormatError("HDF5 fractal heap object leaves its block", offset=block)
        return self._image.read(block + offset - start, length)

    def _find(self, offset: int) -> tuple[int, int, int]:
        """Return address, heap offset and size of the direct block that holds a heap offset."""
        image, geometry = self._image, self._geometry
        address, rows, start = self._root, self._rows, 0
        if rows == 0:
            return address, 0, geometry.start
        for _ in range(_MAX_LEVEL):
            image.budget.spend("nodes")
            row, base = 0, start
            while row < rows and offset >= base + geometry.width * geometry.row_size(row):
                base += geometry.width * geometry.row_size(row)
                row += 1
            if row >= rows:
                break
            size = geometry.row_size(row)
            column = (offset - base) // size
            # Address table: direct blocks row by row, then indirect ones, all of one width as nothing is filtered.
            entry = row * geometry.width + column
            table = address + 5 + image.offsets + self._offset_width
            image.cursor(address, 5, b"FHIB")
            child = image.cursor(table + entry * image.offsets, image.offsets).uint(image.offsets)
            start = base + column * size
            if row < geometry.direct_rows:
                return child, start, size
            address = child
            rows = (size // (geometry.width * geometry.start)).bit_length()
        raise FormatError("HDF5 fractal heap has no such object", offset=address)
