"""The bytes of chunks, wherever they lie: in the body of their xorb, or in files that have them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import BinaryIO

from hallmarked.core.errors import BackendError, InputError, NotFound
from hallmarked.hub.hub import Hub
from hallmarked.hub.upload.xet.body import Bodies
from hallmarked.hub.upload.xet.known import Extent, Known, Run, find_extents

_OPEN = 16
"""Files held open at once: the segments of a file go back and forth between few xorbs."""
_PIECE = 1 << 20
_GONE = (
    "this upload refers to data that was sent earlier and that the hub does not have any more, or does not prove that "
    "you have it; delete the folder that the client keeps such data in (~/.cache/huggingface/xet, or HF_XET_CACHE) and "
    "upload again"
)


class Gone(InputError):
    """Chunks that the upload refers to are nowhere, or nothing proves that the sender has them: one answer for both."""

    def __init__(self) -> None:
        super().__init__(_GONE)


class Source:
    """Reads chunks. A context manager, for one thread."""

    def __init__(self, hub: Hub, bodies: Bodies) -> None:
        self._hub, self._bodies = hub, bodies
        self._files: OrderedDict[str, BinaryIO] = OrderedDict()
        self._buffers = [memoryview(bytearray(_PIECE)) for _ in range(2)]

    def __enter__(self) -> Source:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        for file in self._files.values():
            file.close()

    def read(self, xorb: Known, run: Run) -> Iterator[memoryview]:
        """Yield the bytes of some chunks of a xorb, in pieces, each of which holds until the next but one.

        Raises:
            Gone: When neither its body nor a file has them.
            BackendError: When the storage fails.
        """
        body = self._open(f"xorb {xorb.name}", lambda: self._bodies.open(xorb.name, xorb.size))
        if body is not None:
            yield from self._pieces(body, int(xorb.starts[run.first]), xorb.length(run.first, run.until))
            return
        reached = run.first
        while reached < run.until:
            found = self._find(xorb.name, reached)
            if found is None:
                raise Gone
            extent, file = found
            until = min(extent.until, run.until)
            start = extent.start + xorb.length(extent.first, reached)
            yield from self._pieces(file, start, xorb.length(reached, until))
            reached = until

    def _find(self, name: str, chunk: int) -> tuple[Extent, BinaryIO] | None:
        """Return a file that has a chunk, and what else of the xorb it has in that place."""
        with self._hub.database.read() as db:
            extents = find_extents(db, name, chunk)
        for extent in extents:
            file = self._open(extent.sha256, lambda sha256=extent.sha256: self._blob(sha256))  # type: ignore[misc]
            if file is not None:
                return extent, file
        return None

    def _blob(self, sha256: str) -> BinaryIO | None:
        try:
            return self._hub.blobs.open(sha256)
        except NotFound:
            return None

    def _open(self, key: str, opener: Callable[[], BinaryIO | None]) -> BinaryIO | None:
        file = self._files.get(key) or opener()
        if file is not None:
            self._files[key] = file
            self._files.move_to_end(key)
            if len(self._files) > _OPEN:
                self._files.popitem(last=False)[1].close()
        return file

    def _pieces(self, file: BinaryIO, start: int, length: int) -> Iterator[memoryview]:
        file.seek(start)
        while length:
            self._buffers.reverse()
            count = file.readinto(self._buffers[0][:length])  # type: ignore[attr-defined]
            if not count:
                raise BackendError("the hub's storage ends before the bytes it should have")
            length -= count
            yield self._buffers[0][:count]
