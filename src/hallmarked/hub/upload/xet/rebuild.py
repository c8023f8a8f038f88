"""Files rebuilt from xorbs, as a shard says.

Nothing is believed that the sender says. A segment is only taken when the sender proves to have its chunks: by stating
the hash over all their hashes, or by having sent the xorb. Knowing the hash of a xorb alone is not enough, and since a
xorb with one chunk has the hash of that chunk, the SHA-256 of the whole file has to be stated as well, by whoever did
not send all of it; nobody can who does not have the bytes.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from hmac import compare_digest
from typing import NamedTuple

from hallmarked.core.errors import FormatError, InputError
from hallmarked.formats.xet.hash import SIZE, Aggregate, hash_segment, to_text
from hallmarked.formats.xet.shard import FileRecord, Segment, Shard
from hallmarked.hub.blob.possession import add_arrival, judge
from hallmarked.hub.error import TooLarge
from hallmarked.hub.hub import Hub
from hallmarked.hub.upload.xet.body import Bodies
from hallmarked.hub.upload.xet.known import Known, Run, add_extents, find_xorb, is_covered
from hallmarked.hub.upload.xet.source import Gone, Source

_CHUNKS = 1 << 24
"""Chunks that the files of one shard may have together: a terabyte in chunks of the usual size."""
_REPEATED, _TIMES = 4 << 30, 64
"""Bytes of a shard's files from which on they may be so many times as long as the xorbs they are made of: a shard of a
few kilobytes could fill the disk otherwise."""
_REMEMBERED = 64
"""Xorbs whose chunks are held in memory."""


class Progress(NamedTuple):
    """How far the files of a shard are."""

    done: int
    """Bytes."""
    total: int


def rebuild(hub: Hub, bodies: Bodies, data: bytes | memoryview, account_id: str) -> Iterator[Progress]:
    """Rebuild the files of a shard, each into a blob, and note that the account has sent them.

    Everything happens while the result is iterated over; whoever stops early gets no more files.

    Args:
        hub: The hub.
        bodies: Xorbs that have arrived.
        data: The shard; it may be a mapped file.
        account_id: Who sent it.

    Yields:
        How far it is, every few milliseconds.

    Raises:
        InputError: When the shard is broken, or says something else than is true. Files before that one are kept.
        Gone: When data it refers to is not there (any more), or nothing proves that the sender has it.
        TooLarge: When a file is larger than the hub accepts.
        BackendError: When the storage fails.
    """
    try:
        shard = Shard(data)
    except FormatError as error:
        raise InputError(f"this is not a shard as clients send it: {error}") from error
    work = _Work(hub, bodies, account_id)
    limit = hub.settings.limit.file_gib << 30
    total = done = 0
    for file in shard.files():
        if file.size > limit:
            raise TooLarge(f"a file of {file.size:,} bytes is larger than the {limit >> 30:,} GiB accepted here")
        for _ in work.prove(file):
            yield Progress(0, total)
        total += file.size
    if total > _REPEATED and total > _TIMES * sum(work.sizes.values()):
        raise TooLarge(
            f"these files repeat the same data more than {_TIMES} times; send them by Git LFS (HF_HUB_DISABLE_XET=1)"
        )
    for file in shard.files():
        for _ in work.verify(file):
            yield Progress(0, total)
    with Source(hub, bodies) as source:
        for file in shard.files():
            for count in work.make(file, source):
                done += count
                yield Progress(done, total)
    work.tidy()


@dataclass(slots=True)
class _Work:
    """One shard being worked on."""

    hub: Hub
    bodies: Bodies
    account_id: str
    budget: int = _CHUNKS
    recent: OrderedDict[str, Known] = field(default_factory=OrderedDict)
    used: dict[str, int] = field(default_factory=dict)
    """Chunks of every xorb that the shard refers to."""
    sizes: dict[str, int] = field(default_factory=dict)
    """Bytes of each of them."""

    def prove(self, file: FileRecord) -> Iterator[None]:
        """Check that a file is made of known chunks, which the sender has."""
        for segment in file.segments():
            xorb = self._find(to_text(segment.xorb))
            if not _is_proven(segment, xorb, stated=file.sha256 is not None):
                raise Gone
            if xorb.length(segment.first, segment.end) != segment.length:
                raise InputError("the shard states another length than a segment has")
            self.budget -= segment.end - segment.first
            if self.budget < 0:
                raise TooLarge(f"the files of one shard have more than {_CHUNKS:,} chunks")
            yield

    def verify(self, file: FileRecord) -> Iterator[None]:
        """Check that a file whose chunks are known has the hash that is stated."""
        tree = Aggregate()
        for segment in file.segments():
            xorb = self._find(to_text(segment.xorb))
            for hash_, length in xorb.chunks(segment.first, segment.end):
                tree.add(hash_, length)
            yield
        if tree.file_hash() != file.hash:
            raise InputError("a file's chunks have another hash than the shard states")

    def make(self, file: FileRecord, source: Source) -> Iterator[int]:
        """Rebuild one file, note what it is made of, and yield the length of each piece."""
        extents: dict[Run, int] = {}
        at = 0
        with self.hub.blobs.receive(file.sha256, file.size) as incoming, ThreadPoolExecutor(1, "rebuild") as writer:
            writing: Future[None] | None = None
            for run in _runs(file):
                xorb = self._find(run.xorb)
                extents.setdefault(run, at)
                for piece in source.read(xorb, run):  # the next one is read while this one is hashed and written
                    if writing is not None:
                        writing.result()
                    writing = writer.submit(incoming.write, piece)
                    at += len(piece)
                    yield len(piece)
            if writing is not None:
                writing.result()
            try:
                stored = incoming.finish()
            except InputError:
                # NOTE: what the digest is must not be told: it would be the proof that was missing.
                raise InputError("a file that was rebuilt does not have the SHA-256 that the shard states") from None
        passive = judge(self.hub.blobs, stored)
        with self.hub.database.write() as db:
            add_arrival(db, self.hub.blobs, stored, passive=passive, account_id=self.account_id)
            add_extents(db, stored.sha256, extents)

    def tidy(self) -> None:
        """Delete the bodies of xorbs whose chunks all are in files now."""
        for name, count in self.used.items():
            with self.hub.database.read() as db:
                covered = is_covered(db, name, count)
            if covered:
                self.bodies.delete(name)

    def _find(self, name: str) -> Known:
        known = self.recent.get(name)
        if known is None:
            with self.hub.database.read() as db:
                known = find_xorb(db, name, self.account_id)
            if known is None:
                raise Gone
            self.recent[name] = known
            self.used[name], self.sizes[name] = known.count, known.size
        self.recent.move_to_end(name)
        if len(self.recent) > _REMEMBERED:
            self.recent.popitem(last=False)
        return known


def _is_proven(segment: Segment, xorb: Known, *, stated: bool) -> bool:
    """Say whether the sender has the chunks of a segment. ``stated``: the SHA-256 of the whole file is stated."""
    if segment.end > xorb.count:
        return False
    if xorb.mine and segment.proof is None:
        return True
    hashes = xorb.hashes[segment.first * SIZE : segment.end * SIZE]
    known = segment.proof is not None and compare_digest(hash_segment(hashes), segment.proof)
    return known and (stated or xorb.mine)


def _runs(file: FileRecord) -> Iterator[Run]:
    """Yield what a file is made of, segments that go on from each other together."""
    run: Run | None = None
    for segment in file.segments():
        name = to_text(segment.xorb)
        if run is not None and run.xorb == name and run.until == segment.first:
            run = run._replace(until=segment.end)
            continue
        if run is not None:
            yield run
        run = Run(name, segment.first, segment.end)
    if run is not None:
        yield run
