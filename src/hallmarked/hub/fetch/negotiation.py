"""Serve ``git fetch`` and ``git clone``: what is to be sent is decided first, then sent object by object.

Only commits that the caller may have leave the hub, and only what they reach. Objects are sent as they are kept,
without deltas: large files are pointers anyway, and a few objects at a time are all that is in memory.

Sources: https://git-scm.com/docs/http-protocol, https://git-scm.com/docs/pack-format.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from hallmarked import __version__
from hallmarked.core.errors import BackendError, InputError
from hallmarked.hub.database import MANY, in_parts
from hallmarked.hub.error import HeldBack
from hallmarked.hub.fetch.graph import Commit, Reader, ancestors, content_of, load_history, to_depth
from hallmarked.hub.fetch.packet import DATA, FLUSH, PROGRESS, Wants, banded, packet
from hallmarked.hub.git.object import EMPTY_TREE
from hallmarked.hub.repository.repository import MAIN, Repository
from hallmarked.hub.schema.object import object_

SERVICE = "git-upload-pack"
CAPABILITIES = "multi_ack_detailed no-done side-band-64k shallow no-progress object-format=sha1"
AT_ONCE = 8 << 20
"""Bytes of objects in memory."""
MOST_BYTES = 8 << 30
"""Of all objects in one pack."""
ABSENT = "0" * 40
_CODES = {"commit": 1, "tree": 2, "blob": 3, "tag": 4}

Opener = Callable[[], AbstractContextManager[Connection]]
"""Opens a reading transaction."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a fetch is answered with."""

    head: bytes
    """What is said before the pack."""
    batches: Sequence[Sequence[str]] | None
    """Ids of the objects of the pack, a few at a time; None when the negotiation goes on."""
    quiet: bool = False


def advertise(reader: Reader) -> bytes:
    """Say which branches and tags there are.

    Raises:
        Forbidden: When the caller may have none of them.
    """
    refs = {ref.name: ref.oid for ref in reader.refs()}
    words = f"{CAPABILITIES} agent=hallmarked/{__version__}"
    if MAIN in refs:
        refs = {"HEAD": refs[MAIN], **refs}
        words += f" symref=HEAD:{MAIN}"
    rows = list(refs.items()) or [("capabilities^{}", ABSENT)]
    lines = [f"{oid} {name}" for name, oid in rows]
    lines[0] += f"\0{words}"
    return packet(f"# service={SERVICE}\n") + FLUSH + b"".join(packet(f"{line}\n") for line in lines) + FLUSH


def negotiate(db: Connection, repo: Repository, reader: Reader, wants: Wants) -> Answer:
    """Decide what a client gets.

    Raises:
        InputError: When it asks for what is not offered, or for too much.
        HeldBack: When what it asks for includes a revision that is not given out.
        BackendError: When an object is missing.
    """
    offered = {ref.oid for ref in reader.refs()}
    if not wants.wants or not offered.issuperset(wants.wants):
        raise InputError("git asked for a commit that is not the end of a branch or tag")
    history = load_history(db, repo)
    common = [oid for oid in wants.haves if oid in history]
    cut = _Cut.of(history, wants, reader)
    ready = bool(common)
    head = _acknowledge(wants, common)
    if not wants.done and not (ready and "no-done" in wants.capabilities):
        # NOTE: the boundary is said in every answer, since the protocol keeps nothing between requests.
        return Answer(cut.text + head, None)
    there = ancestors(history, common, wants.shallow)
    missing = cut.commits - there
    for oid in missing:
        if refusal := reader.refusal(oid):
            raise HeldBack(f"{refusal}; without older revisions it can be had by git clone --depth 1")
    nearest = {parent for oid in missing for parent in history[oid].parents if parent in there} | set(common)
    known = content_of(db, [history[oid].tree for oid in nearest])
    objects = content_of(db, [history[oid].tree for oid in missing], known)
    return Answer(cut.text + head, _batches(db, [*missing, *objects]), "no-progress" in wants.capabilities)


@dataclass(frozen=True, slots=True)
class _Cut:
    """The commits a client will have, and where its history ends."""

    commits: set[str]
    text: bytes

    @classmethod
    def of(cls, history: Mapping[str, Commit], wants: Wants, reader: Reader) -> _Cut:
        if not wants.depth:
            return cls(ancestors(history, wants.wants, wants.shallow), b"")
        kept = to_depth(history, wants.wants, wants.depth)
        if wants.depth > 1:  # a part of the history: what may not be had is left out of it
            given = {oid: commit for oid, commit in history.items() if oid in kept and reader.refusal(oid) is None}
            kept = to_depth(given, wants.wants, wants.depth)
        ends = {oid for oid in kept if any(parent not in kept for parent in history[oid].parents)}
        lines = [f"shallow {oid}" for oid in sorted(ends - wants.shallow)]
        lines += [f"unshallow {oid}" for oid in sorted((wants.shallow & set(kept)) - ends)]
        return cls(set(kept), b"".join(packet(f"{line}\n") for line in lines) + FLUSH)


def _acknowledge(wants: Wants, common: Sequence[str]) -> bytes:
    """Say which commits both sides have; nothing to a client that only asks where its history will end."""
    if not wants.haves and not wants.done:
        return b""
    if "multi_ack_detailed" not in wants.capabilities:
        return packet(f"ACK {common[0]}\n" if common else "NAK\n")
    if wants.done:
        lines = [f"ACK {common[-1]}" if common else "NAK"]
    else:
        lines = [f"ACK {oid} common" for oid in common]
        lines += [f"ACK {common[-1]} ready", "NAK"] if common else ["NAK"]
        if common and "no-done" in wants.capabilities:
            lines.append(f"ACK {common[-1]}")
    return b"".join(packet(f"{line}\n") for line in lines)


def _batches(db: Connection, oids: Sequence[str]) -> Sequence[Sequence[str]]:
    """Cut a list of objects into parts that fit into memory.

    Raises:
        InputError: When all together are too much.
        BackendError: When one is missing.
    """
    sizes = {EMPTY_TREE: 0}
    for part in in_parts(oids):
        rows = db.execute(select(object_.c.oid, func.length(object_.c.data)).where(object_.c.oid.in_(part)))
        sizes.update((row[0], row[1]) for row in rows)
    if sum(sizes.values()) > MOST_BYTES:
        raise InputError(f"more than {MOST_BYTES >> 30} GiB would have to be sent; fetch less with --depth 1")
    batches: list[list[str]] = []
    room = 0
    for oid in oids:
        if oid not in sizes:
            raise BackendError(f"the git object {oid} is missing from the database")
        if not batches or sizes[oid] > room or len(batches[-1]) >= MANY:
            batches.append([])
            room = AT_ONCE
        batches[-1].append(oid)
        room -= sizes[oid]
    return batches


def send(answer: Answer, opener: Opener, *, banding: bool) -> Iterator[bytes]:
    """Yield the answer, reading a few objects at a time, each time in a transaction of its own.

    Raises:
        BackendError: When an object went away meanwhile; the client notices that the pack is cut off.
    """
    yield answer.head
    if answer.batches is None:
        return
    if banding and not answer.quiet:
        count = sum(map(len, answer.batches))
        yield from banded(
            PROGRESS, f"Sending {count} objects; large files are pointers to be fetched by LFS\n".encode()
        )
    for part in _pack(answer.batches, opener):
        if banding:
            yield from banded(DATA, part)
        else:
            yield part
    if banding:
        yield FLUSH


def _pack(batches: Sequence[Sequence[str]], opener: Opener) -> Iterator[bytes]:
    digest = hashlib.sha1(usedforsecurity=False)
    head = b"PACK" + struct.pack(">II", 2, sum(map(len, batches)))
    digest.update(head)
    yield head
    for batch in batches:
        with opener() as db:
            rows = {row.oid: row for row in db.execute(select(object_).where(object_.c.oid.in_(batch)))}
        for oid in batch:
            if oid not in rows and oid != EMPTY_TREE:
                raise BackendError(f"the git object {oid} is missing from the database")
            kind, data = (rows[oid].kind, rows[oid].data) if oid in rows else ("tree", b"")
            part = _object_head(_CODES[kind], len(data)) + zlib.compress(data, 1)
            digest.update(part)
            yield part
    yield digest.digest()


def _object_head(code: int, size: int) -> bytes:
    """Write kind and size: four bits of the size, then seven at a time."""
    first, size = code << 4 | size & 15, size >> 4
    out = bytearray()
    while size:
        out.append(first | 0x80)
        first, size = size & 0x7F, size >> 7
    out.append(first)
    return bytes(out)
