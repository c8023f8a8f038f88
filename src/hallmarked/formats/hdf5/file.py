"""Walk over an HDF5 file: every link, attribute and dataset, and the files outside of it that it names.

https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html. Follows superblocks 0 to 3, both kinds of object
headers, old and dense groups. Data is never read, decompressed or converted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from hallmarked.core.errors import FormatError, LimitExceeded
from hallmarked.formats.blob import Blob, Budget
from hallmarked.formats.cursor import Cursor
from hallmarked.formats.hdf5 import header as h
from hallmarked.formats.hdf5.header import Message, read_header
from hallmarked.formats.hdf5.image import Image, find_superblock
from hallmarked.formats.hdf5.index import FractalHeap, UnsupportedError, btree1_leaves, btree2_records
from hallmarked.formats.hdf5.message import (
    VLEN,
    Datatype,
    External,
    Filter,
    Layout,
    count,
    read_dataspace,
    read_datatype,
    read_filters,
    read_layout,
)


@dataclass(frozen=True, slots=True)
class Link:
    """A name in a group that does not simply stand for an object of this file."""

    path: str
    kind: str
    """``soft``, ``external`` or ``user``."""
    target: str
    """Path of the object it leads to."""
    file: str = ""
    """The other file, of an external link."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """A small value attached to an object."""

    path: str
    """Of the object it belongs to."""
    name: str
    datatype: Datatype
    shape: tuple[int, ...] | None
    values: tuple[bytes, ...]
    """One per element, of strings of variable length; otherwise the stored bytes as one."""

    @property
    def text(self) -> bytes | None:
        """The value of a single string, without its padding."""
        if not self.datatype.text or count(self.shape) != 1 or len(self.values) != 1:
            return None
        return self.values[0].rstrip(b"\0")


@dataclass(frozen=True, slots=True)
class Dataset:
    """An array."""

    path: str
    datatype: Datatype
    shape: tuple[int, ...] | None
    layout: Layout
    stored: int | None
    """Bytes stored in this file; ``None`` when the index was not followed."""
    filters: tuple[Filter, ...]
    external: tuple[External, ...]
    """Ranges of other files that hold the data."""
    sources: tuple[str, ...]
    """Other files that a virtual dataset takes its data from."""
    place: int | None = None
    """Offset in the file of data that lies there in one piece, without filters."""

    @property
    def unfolded(self) -> int:
        """Bytes of the array in memory."""
        return count(self.shape) * self.datatype.size


@dataclass(frozen=True, slots=True)
class Unread:
    """Something that was not followed."""

    path: str
    what: str


Part = Link | Attribute | Dataset | Unread


def read_hdf5(blob: Blob, budget: Budget) -> Iterator[Part]:
    """Yield what an HDF5 file holds, objects reached by several names once.

    Raises:
        FormatError: When the file is broken.
        LimitExceeded: When reading on would cost too much.
    """
    start = find_superblock(blob)
    if start is None:
        raise FormatError("no HDF5 superblock", offset=0)
    with blob.open() as stream:
        yield from _Walk(Image(stream, blob.size, start, budget)).parts()


def _text(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")


class _Walk:
    def __init__(self, image: Image) -> None:
        self._image = image
        self._pending: list[tuple[str, int]] = [("", image.root)]
        self._seen: set[int] = set()

    def parts(self) -> Iterator[Part]:
        while self._pending:
            path, address = self._pending.pop()
            if address in self._seen:
                continue
            self._seen.add(address)
            self._image.budget.spend("nodes")
            messages = read_header(self._image, address)
            yield from self._attributes(path or "/", messages)
            by_kind = {message.kind: message for message in messages}
            if h.SYMBOL_TABLE in by_kind:
                yield from self._old_group(path, by_kind[h.SYMBOL_TABLE].cursor)
            for message in messages:
                if message.kind == h.LINK:
                    yield from self._link(path, message.cursor)
            if h.LINK_INFO in by_kind:
                yield from self._dense_group(path, by_kind[h.LINK_INFO].cursor)
            if h.LAYOUT in by_kind:
                yield from self._dataset(path, by_kind)

    # Groups

    def _old_group(self, path: str, cursor: Cursor) -> Iterator[Part]:
        image = self._image
        tree, heap = cursor.uint(image.offsets), cursor.uint(image.offsets)
        names = image.local_heap(heap)
        entry_size = 2 * image.offsets + 24
        for _, node in btree1_leaves(image, tree, 0, image.lengths):
            head = image.cursor(node, 8, b"SNOD")
            head.take(2)
            entries = image.cursor(node + 8, head.uint(2) * entry_size)
            while entries.left:
                image.budget.spend("nodes")
                name = Cursor(names)
                name.skip(entries.uint(image.offsets))
                target, cache = entries.uint(image.offsets), entries.uint(4)
                entries.take(4)
                scratch = entries.take(16)
                child = f"{path}/{_text(name.until_nul())}"
                if cache == 2:  # a soft link, whose path lies in the same heap
                    value = Cursor(names)
                    value.skip(int.from_bytes(scratch[:4], "little"))
                    yield Link(child, "soft", _text(value.until_nul()))
                else:
                    self._pending.append((child, target))

    def _dense_group(self, path: str, cursor: Cursor) -> Iterator[Part]:
        image = self._image
        cursor.take(1)
        cursor.take(8 if cursor.uint(1) & 1 else 0)
        heap, tree = cursor.uint(image.offsets), cursor.uint(image.offsets)
        if not image.defined(heap):
            return
        try:
            store = FractalHeap(image, heap)
            for record in btree2_records(image, tree, (5,)):
                record.take(4)
                yield from self._link(path, Cursor(store.get(record.take(store.id_size))))
        except UnsupportedError as error:
            yield Unread(path or "/", str(error))

    def _link(self, path: str, cursor: Cursor) -> Iterator[Part]:
        if cursor.uint(1) != 1:
            raise FormatError("HDF5 link of unknown version", offset=cursor.offset)
        flags = cursor.uint(1)
        kind = cursor.uint(1) if flags & 8 else 0
        cursor.take((8 if flags & 4 else 0) + (1 if flags & 16 else 0))
        child = f"{path}/{_text(cursor.take(cursor.uint(1 << (flags & 3))))}"
        if kind == 0:
            self._pending.append((child, cursor.uint(self._image.offsets)))
            return
        value = Cursor(cursor.take(cursor.uint(2)), cursor.offset)
        if kind == 1:
            yield Link(child, "soft", _text(value.data))
        elif kind == 64:
            value.take(1)
            file = _text(value.until_nul())
            yield Link(child, "external", _text(value.until_nul()), file)
        else:
            yield Link(child, "user", f"type {kind}")

    # Attributes

    def _attributes(self, path: str, messages: list[Message]) -> Iterator[Part]:
        image = self._image
        for message in messages:
            if message.kind == h.ATTRIBUTE:
                if message.shared:
                    yield Unread(path, "a shared attribute message")
                else:
                    yield from self._attribute(path, message.cursor)
            elif message.kind == h.ATTRIBUTE_INFO:
                cursor = message.cursor
                cursor.take(1)
                cursor.take(2 if cursor.uint(1) & 1 else 0)
                heap, tree = cursor.uint(image.offsets), cursor.uint(image.offsets)
                if image.defined(heap):
                    yield from self._dense_attributes(path, heap, tree)

    def _dense_attributes(self, path: str, heap: int, tree: int) -> Iterator[Part]:
        try:
            store = FractalHeap(self._image, heap)
            for record in btree2_records(self._image, tree, (8,)):
                identity = record.take(8)
                if record.uint(1) & 2:
                    yield Unread(path, "a shared attribute message")
                else:
                    yield from self._attribute(path, Cursor(store.get(identity)))
        except UnsupportedError as error:
            yield Unread(path, str(error))

    def _attribute(self, path: str, cursor: Cursor) -> Iterator[Part]:
        version, flags = cursor.uint(1), cursor.uint(1)
        if version not in (1, 2, 3):
            raise FormatError("HDF5 attribute of unknown version", offset=cursor.offset)
        sizes = [cursor.uint(2) for _ in range(3)]
        cursor.take(1 if version == 3 else 0)
        padded = [(size + 7) // 8 * 8 if version == 1 else size for size in sizes]
        name = _text(cursor.take(padded[0]).rstrip(b"\0"))
        kind, space = (Cursor(cursor.take(size), cursor.offset) for size in padded[1:])
        if version > 1 and flags & 2:
            yield Unread(path, f"attribute {name!a} with a shared shape")
            return
        datatype = self._datatype(kind, shared=version > 1 and bool(flags & 1))
        if datatype is None:
            yield Unread(path, f"attribute {name!a} with a type of the shared message heap")
            return
        shape = read_dataspace(space, self._image.lengths)
        number = count(shape)
        if number * datatype.size > cursor.left:
            raise FormatError("HDF5 attribute with more elements than bytes", offset=cursor.offset)
        stored = cursor.take(number * datatype.size)
        values = tuple(self._strings(stored, number)) if datatype.kind == VLEN else (stored,)
        yield Attribute(path, name, datatype, shape, values)

    def _strings(self, stored: bytes, number: int) -> Iterator[bytes]:
        """Look up the elements of variable length, which lie in global heaps."""
        image, cursor, total = self._image, Cursor(stored), 0
        for _ in range(number):
            image.budget.spend("nodes")
            cursor.take(4)
            address, index = cursor.uint(image.offsets), cursor.uint(4)
            value = image.global_object(address, index) if address and image.defined(address) else b""
            total += len(value)
            if total > image.budget.limits.text:
                raise LimitExceeded("HDF5 attribute that unfolds to more than it may")
            yield value

    # Datasets

    def _datatype(self, cursor: Cursor, *, shared: bool) -> Datatype | None:
        """Read a datatype in place or, when shared, that of a named type; ``None`` when it is in a message heap."""
        if not shared:
            return read_datatype(cursor)
        version, kind = cursor.uint(1), cursor.uint(1)
        if version == 1:
            cursor.take(6)
        elif version == 3 and kind == 1:
            return None
        elif version not in (2, 3):
            raise FormatError("HDF5 shared message of unknown version", offset=cursor.offset)
        for message in read_header(self._image, cursor.uint(self._image.offsets)):
            if message.kind == h.DATATYPE and not message.shared:
                return read_datatype(message.cursor)
        raise FormatError("HDF5 shared type that is not there", offset=cursor.offset)

    def _dataset(self, path: str, messages: dict[int, Message]) -> Iterator[Part]:
        image = self._image
        if h.DATATYPE not in messages or h.DATASPACE not in messages:
            raise FormatError("HDF5 dataset without a type or a shape", offset=messages[h.LAYOUT].offset)
        kind, space = messages[h.DATATYPE], messages[h.DATASPACE]
        datatype = self._datatype(kind.cursor, shared=kind.shared)
        if datatype is None or space.shared or messages[h.LAYOUT].shared:
            yield Unread(path, "a dataset described in the shared message heap")
            return
        shape = read_dataspace(space.cursor, image.lengths)
        layout = read_layout(messages[h.LAYOUT].cursor, image.offsets, image.lengths)
        filters: tuple[Filter, ...] = ()
        if h.FILTERS in messages:
            if messages[h.FILTERS].shared:
                yield Unread(path, "filters described in the shared message heap")
            else:
                filters = read_filters(messages[h.FILTERS].cursor)
        external = tuple(self._external(messages[h.EXTERNAL_FILES].cursor)) if h.EXTERNAL_FILES in messages else ()
        sources: tuple[str, ...] = ()
        if layout.kind == "virtual":
            try:
                sources = tuple(self._sources(layout))
            except UnsupportedError as error:
                yield Unread(path, str(error))
        stored = 0 if external else self._stored(layout, count(shape) * datatype.size)
        place = layout.inline
        if layout.kind == "contiguous" and layout.address is not None and not external:
            place = image.offset(layout.address)
        yield Dataset(path, datatype, shape, layout, stored, filters, external, sources, place)

    def _external(self, cursor: Cursor) -> Iterator[External]:
        image = self._image
        cursor.take(6)
        used = cursor.uint(2)
        names = image.local_heap(cursor.uint(image.offsets))
        for _ in range(used):
            name = Cursor(names)
            name.skip(cursor.uint(image.lengths))
            offset, size = cursor.uint(image.lengths), cursor.uint(image.lengths)
            unlimited = (1 << 8 * image.lengths) - 1
            yield External(_text(name.until_nul()), offset, None if size in (0, unlimited) else size)

    def _sources(self, layout: Layout) -> Iterator[str]:
        image = self._image
        if layout.address is None:
            return
        block = Cursor(image.global_object(layout.address, layout.index))
        if block.uint(1) != 0:
            raise UnsupportedError("the mapping of a virtual dataset of a later version")
        for _ in range(block.uint(image.lengths)):
            image.budget.spend("nodes")
            yield _text(block.until_nul())
            block.until_nul()
            for _ in range(2):
                _skip_selection(block)

    def _stored(self, layout: Layout, unfolded: int) -> int | None:
        """Return the bytes stored for a dataset, and check that they lie in the file."""
        image = self._image
        if layout.inline is not None and layout.size is not None:
            image.check(layout.inline - image.offset(0), layout.size)
            if layout.size < unfolded:
                raise FormatError("HDF5 dataset that is larger than its storage", offset=layout.inline)
            return layout.size
        if layout.kind == "virtual" or layout.address is None:
            return 0
        if layout.kind == "contiguous" or layout.index in (1, 2):
            size = unfolded if layout.size is None else layout.size
            if layout.kind == "contiguous" and size < unfolded:
                raise FormatError("HDF5 dataset that is larger than its storage", offset=layout.address)
            image.check(layout.address, size if layout.index != 2 else 1)
            return size
        if layout.index:
            image.check(layout.address, 4)
            return None
        total = 0
        for key, address in btree1_leaves(image, layout.address, 1, 8 + 8 * layout.rank):
            size = int.from_bytes(key[:4], "little")
            image.check(address, size)
            total += size
        return total


def _skip_selection(cursor: Cursor) -> None:
    """Step over a serialized selection.

    Raises:
        UnsupportedError: When it is of a kind that is not followed.
    """
    kind, version = cursor.uint(4), cursor.uint(4)
    if kind in (0, 3) and version == 1:  # nothing, everything
        cursor.take(8)
    elif kind == 2 and version == 1:  # blocks, after a length
        cursor.take(4)
        cursor.take(cursor.uint(4))
    elif kind == 2 and version == 2:  # regular blocks: start, stride, count and block for each dimension
        cursor.take(5)
        cursor.take(cursor.uint(4) * 32)
    elif kind == 2 and version == 3:
        flags, width, rank = cursor.uint(1), cursor.uint(1), cursor.uint(4)
        if flags & 1:
            cursor.take(rank * 4 * width)
        else:
            cursor.take(cursor.uint(width) * rank * 2 * width)
    else:
        raise UnsupportedError("a selection of a virtual dataset of unknown kind")
