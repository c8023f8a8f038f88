"""Import the newest revision of a repository from another hub, and state where it came from.

Nothing is believed: every file is compared with the digest that the other hub lists before it is kept, and what this
hub tells its clients is made anew from the bytes. So nothing of the other hub's own (Xet hashes and routes in its
listings and headers) can reach them. A pull that broke off goes on where it was: large files that were fetched whole
are in the store, and the part of the one that broke off lies in the data folder.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import io
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import select

from hallmarked.artifacts.remote.address import Address
from hallmarked.artifacts.remote.answer import TryAgain
from hallmarked.artifacts.remote.client import HubClient
from hallmarked.artifacts.remote.listing import Listing, RemoteFile
from hallmarked.core.errors import BackendError, InputError
from hallmarked.core.evidence import Statement, Subject
from hallmarked.hub.access import Action, Actor
from hallmarked.hub.clock import now, to_text
from hallmarked.hub.commit import MAX_INLINE, Change, Delete, Message, Put, PutLarge, commit
from hallmarked.hub.creation import create
from hallmarked.hub.error import RepositoryNotFound, RevisionNotFound
from hallmarked.hub.hub import Hub
from hallmarked.hub.path import check_path
from hallmarked.hub.possession import note_arrival
from hallmarked.hub.repository import Repository, find_repository, open_repository
from hallmarked.hub.revision import Entry, Revision, find_revision, list_files
from hallmarked.hub.schema.object import possession, usage

PREDICATE_TYPE = "https://slsa.dev/provenance/v1"
BUILD_TYPE = "urn:hallmarked:pull:v1"
FOLDER = "pull"
"""Where parts of files lie, inside of the data folder."""
MOST_INLINE = 64 << 20
"""Bytes of small files in one commit; beyond, the largest of them are kept as large files."""
KINDS = {"model": "model", "dataset": "dataset", "space": "system"}
CHUNK = 1 << 20

Progress = Callable[[str, int, int], None]
"""Told the path of a file, how much of it is here and its size."""


@dataclass(frozen=True, slots=True)
class Pulled:
    """What a pull came to."""

    repository: str
    """``owner/name`` on this hub."""
    revision: Revision
    commit: str
    """What the other hub calls the revision."""
    files: int
    fetched: int
    """Bytes that had to be fetched."""
    changed: bool
    """False when this hub had all of it."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a repository goes."""

    actor: Actor
    """On whose behalf."""
    name: str
    """``owner/name`` on this hub."""
    visibility: str = "private"
    """Of a repository that has to be made."""


def pull(hub: Hub, client: HubClient, address: Address, target: Target, progress: Progress = lambda *_: None) -> Pulled:
    """Import the newest revision of a repository.

    Args:
        hub: This hub.
        client: Reads from the other one. A hub that pulls for other people gives it ``hub.outbound.Transport``.
        address: The repository there, and which branch, tag or commit.
        target: Where it goes.
        progress: Told as bytes arrive.

    Raises:
        NotFound: When there is no such repository or revision there.
        Forbidden: When the other hub does not let us see it, or the actor may not write here.
        InputError: When a file is not what the other hub lists, or cannot be kept here.
        Outdated: When somebody commits here meanwhile.
        BackendError: When the other hub cannot be reached; a later pull goes on from there.
    """
    started = now()
    pinned = replace(address, revision=client.revision(address).commit)
    assert pinned.revision is not None
    listing = client.files(pinned)
    _require_names(listing, address)
    repo, base = _prepare(hub, target, KINDS[address.kind])
    job = _Job(hub, client, pinned, target.actor, repo, progress)
    changes = job.changes(listing, base.files)
    message = Message(
        f"Import {address.repo} from {client.endpoint}"[:200],
        f"Revision {pinned.revision} of {client.endpoint}{address.page}, {len(listing.files)} files.",
    )
    with hub.database.write() as db:
        open_repository(db, target.actor, repo.scope.kind, repo.name, Action.WRITE)
        made = commit(db, repo, target.actor, changes, message, parent=base.commit or None)
    changed = made.oid != base.commit
    if changed or not hub.journal.find([f"gitCommit:{made.oid}"]):
        stated = _provenance(client.endpoint, address, pinned.revision, repo.name, made, started)
        hub.journal.attest([stated], hidden=repo.scope.private)
    return Pulled(repo.name, made, pinned.revision, len(listing.files), job.fetched, changed)


def _require_names(listing: Listing, address: Address) -> None:
    """Refuse a revision that cannot be kept whole: leaving files out would make another one of it."""
    if not listing.files:
        raise InputError(f"{address} holds no files: nothing to import")
    if listing.omitted:
        first = listing.omitted[0]
        raise InputError(f"{address} holds names that cannot be kept, such as {first.path[:80]!r}: {first.reason}")
    for file in listing.files:
        check_path(file.path)


def _prepare(hub: Hub, target: Target, kind: str) -> tuple[Repository, _Base]:
    """Find or make the repository, and list what its main branch has."""
    owner, _, name = target.name.partition("/")
    with hub.database.write() as db:
        try:
            repo = open_repository(db, target.actor, kind, target.name, Action.WRITE)
        except RepositoryNotFound:
            create(db, target.actor, kind, name, visibility=target.visibility, owner=owner)
            repo = find_repository(db, kind, target.name)
        try:
            at = find_revision(db, repo, "main")
        except RevisionNotFound:
            return repo, _Base("", {})
        return repo, _Base(at.oid, {entry.path: entry for entry in list_files(db, at)})


@dataclass(frozen=True, slots=True)
class _Base:
    """What the main branch has."""

    commit: str
    """Empty when there is none."""
    files: Mapping[str, Entry]


@dataclass(slots=True)
class _Job:
    """One pull."""

    hub: Hub
    client: HubClient
    source: Address
    actor: Actor
    repo: Repository
    progress: Progress
    fetched: int = 0

    def changes(self, listing: Listing, ours: Mapping[str, Entry]) -> list[Change]:
        """Fetch what is missing, and return the changes that make the main branch what the other hub has."""
        new = [file for file in listing.files if not _is_here(ours.get(file.path), file)]
        inline, theirs = _choose_inline(new), {file.path for file in listing.files}
        large = [PutLarge(file.path, self._keep(file)) for file in new if file.path not in inline]
        small = [Put(file.path, self._small(file)) for file in new if file.path in inline]
        return [*(Delete(path) for path in ours if path not in theirs), *small, *large]

    def _small(self, file: RemoteFile) -> bytes:
        data = self.client.read(self.source, file.path, 0, file.size)
        if _git_blob(io.BytesIO(data), file.size) != file.oid:
            raise _other_bytes(file)
        self.fetched += file.size
        self.progress(file.path, file.size, file.size)
        return data

    def _keep(self, file: RemoteFile) -> str:
        """Make sure that a large file is in the store, and that the actor may use it; return its SHA-256."""
        if file.sha256 is not None and self._may_use(file.sha256) and self.hub.blobs.size(file.sha256) == file.size:
            self.progress(file.path, file.size, file.size)
            return file.sha256
        with _part(self.hub.settings.data / FOLDER, file.sha256 or f"git-{file.oid}") as (path, stream):
            self._download(file, stream)
            sha256 = self._store(file, stream, path)
            path.unlink()
        return sha256

    def _may_use(self, sha256: str) -> bool:
        """Whether the actor sent these bytes, or the repository has them.

        That another hub names a digest proves nothing: else whoever runs one could have any file of this hub.
        """
        sent, here = possession.c, usage.c
        mine = select(sent.sha256).where(sent.sha256 == sha256, sent.account_id == self.actor.account_id)
        ours = select(here.sha256).where(here.sha256 == sha256, here.repository_id == self.repo.id)
        with self.hub.database.read() as db:
            return db.execute(mine.union_all(ours)).first() is not None

    def _download(self, file: RemoteFile, stream: io.BufferedRandom) -> None:
        """Fetch the rest of a file, going on from where it breaks as long as there is progress."""
        at = stream.seek(0, os.SEEK_END)
        if at > file.size:
            at = stream.truncate(0)
            stream.seek(0)
        patience, failures = self.client.patience, 0
        while at < file.size:
            before = at
            try:
                with self.client.stream(self.source, file.path, at, file.size - at) as chunks:
                    for chunk in chunks:
                        _write(stream, chunk)
                        at += len(chunk)
                        self.fetched += len(chunk)
                        self.progress(file.path, at, file.size)
            except TryAgain as error:
                failures = 0 if at > before else failures + 1
                if failures >= patience.attempts:
                    raise
                patience.sleep(max(error.after, patience.first_delay * 2**failures))

    def _store(self, file: RemoteFile, stream: io.BufferedRandom, path: Path) -> str:
        stream.seek(0)
        if file.sha256 is None:
            if _git_blob(stream, file.size) != file.oid:
                path.unlink()
                raise _other_bytes(file)
            stream.seek(0)
        with self.hub.blobs.receive(file.sha256, file.size) as incoming:
            while chunk := stream.read(CHUNK):
                incoming.write(chunk)
            try:
                stored = incoming.finish(file.sha256, file.size)
            except InputError as error:
                path.unlink()  # it would be refused again
                raise _other_bytes(file) from error
        note_arrival(self.hub.database, self.hub.blobs, stored, self.actor.account_id)
        return stored.sha256


def _choose_inline(files: Sequence[RemoteFile]) -> set[str]:
    """Choose the files that are kept as git objects: those the other hub keeps so, smallest first, while they fit."""
    chosen, total = set(), 0
    for file in sorted(files, key=lambda file: file.size):
        if file.sha256 is not None or file.size > MAX_INLINE:
            continue
        total += file.size
        if total > MOST_INLINE:
            break
        chosen.add(file.path)
    return chosen


def _is_here(entry: Entry | None, file: RemoteFile) -> bool:
    """Whether our file of that path is the one that is listed."""
    if entry is None:
        return False
    return entry.sha256 == file.sha256 if file.sha256 is not None else entry.oid == file.oid


@contextmanager
def _part(folder: Path, name: str) -> Iterator[tuple[Path, io.BufferedRandom]]:
    """Open the part of a file that was fetched so far, for this process alone."""
    path = folder / f"{name}.part"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        stream = path.open("a+b")
    except OSError as error:
        raise BackendError(f"{path} cannot be written: {error.strerror}") from error
    with stream:
        try:
            fcntl.flock(stream.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InputError("another pull is fetching the same file; wait for it") from error
        yield path, stream


def _write(stream: io.BufferedRandom, chunk: bytes) -> None:
    try:
        stream.write(chunk)
        stream.flush()
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise BackendError("the disk is full" if full else "the disk cannot be written") from error


def _git_blob(stream: io.BufferedRandom | io.BytesIO, size: int) -> str:
    digest = hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
    while chunk := stream.read(CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


def _other_bytes(file: RemoteFile) -> InputError:
    return InputError(f"{file.path} holds other bytes than the other hub's own list says; nothing was imported")


def _provenance(endpoint: str, address: Address, source: str, name: str, made: Revision, started: int) -> Statement:
    """State where a revision came from: SLSA provenance v1."""
    predicate = {
        "buildDefinition": {
            "buildType": BUILD_TYPE,
            "externalParameters": {
                "endpoint": endpoint,
                "repository": address.page[1:],
                "revision": address.revision or "main",
            },
            "resolvedDependencies": [{"uri": f"{endpoint}{address.page}", "digest": {"gitCommit": source}}],
        },
        "runDetails": {
            "builder": {"id": "urn:hallmarked:hub"},
            "metadata": {"startedOn": to_text(started), "finishedOn": to_text(now())},
        },
    }
    return Statement((Subject(name, {"gitCommit": made.oid}),), PREDICATE_TYPE, predicate)
