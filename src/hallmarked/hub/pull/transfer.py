"""Import the newest revision of a repository from another hub, and state where it came from.

Nothing is believed: every file is compared with the digest that the other hub lists before it is kept, and what this
hub tells its clients is made anew from the bytes. So nothing of the other hub's own (Xet hashes and routes in its
listings and headers) can reach them. A pull that broke off goes on where it was: large files that were fetched whole
are in the store, and the part of the one that broke off lies in the data folder.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from hallmarked.artifacts.remote.address import Address
from hallmarked.artifacts.remote.client import HubClient
from hallmarked.artifacts.remote.listing import Listing, RemoteFile
from hallmarked.core.evidence import Statement, Subject
from hallmarked.hub.access import Action, Actor
from hallmarked.hub.blob.possession import find_usable, note_arrival
from hallmarked.hub.change.commit import MAX_INLINE, Change, Delete, Message, Put, PutLarge, commit
from hallmarked.hub.change.creation import create
from hallmarked.hub.clock import now, to_text
from hallmarked.hub.error import RepositoryNotFound, RevisionNotFound
from hallmarked.hub.hub import Hub
from hallmarked.hub.kind import FROM_CLIENTS
from hallmarked.hub.pull.part import CHUNK, Fetcher, Progress, require_names
from hallmarked.hub.repository.repository import Repository, find_repository, open_repository
from hallmarked.hub.repository.revision import Entry, Revision, find_revision, list_files

PREDICATE_TYPE = "https://slsa.dev/provenance/v1"
BUILD_TYPE = "urn:hallmarked:pull:v1"
FOLDER = "pull"
"""Where parts of files lie, inside of the data folder."""
MOST_INLINE = 64 << 20
"""Bytes of small files in one commit; beyond, the largest of them are kept as large files."""


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
        client: Reads from the other one. A hub that pulls for other people gives it ``hub.outbound.client.Transport``.
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
    require_names(listing, address)
    repo, base = _prepare(hub, target, FROM_CLIENTS[address.kind])
    fetcher = Fetcher(client, pinned, hub.settings.data / FOLDER, progress)
    changes = _Job(hub, target.actor, repo, fetcher).changes(listing, base.files)
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
    return Pulled(repo.name, made, pinned.revision, len(listing.files), fetcher.fetched, changed)


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


@dataclass(frozen=True, slots=True)
class _Job:
    """One pull."""

    hub: Hub
    actor: Actor
    repo: Repository
    fetcher: Fetcher

    def changes(self, listing: Listing, ours: Mapping[str, Entry]) -> list[Change]:
        """Fetch what is missing, and return the changes that make the main branch what the other hub has."""
        new = [file for file in listing.files if not _is_here(ours.get(file.path), file)]
        inline, theirs = choose_inline(new), {file.path for file in listing.files}
        large = [PutLarge(file.path, self._keep(file)) for file in new if file.path not in inline]
        small = [Put(file.path, self.fetcher.read(file)) for file in new if file.path in inline]
        return [*(Delete(path) for path in ours if path not in theirs), *small, *large]

    def _keep(self, file: RemoteFile) -> str:
        """Make sure that a large file is in the store, and that the actor may use it; return its SHA-256."""
        if file.sha256 is not None and self._may_use(file.sha256) and self.hub.blobs.size(file.sha256) == file.size:
            self.fetcher.progress(file.path, file.size, file.size)
            return file.sha256
        with self.fetcher.complete(file) as stream, self.hub.blobs.receive(file.sha256, file.size) as incoming:
            while chunk := stream.read(CHUNK):
                incoming.write(chunk)
            stored = incoming.finish(file.sha256, file.size)
        note_arrival(self.hub.database, self.hub.blobs, stored, self.actor.account_id)
        return stored.sha256

    def _may_use(self, sha256: str) -> bool:
        """Whether the actor sent these bytes, or the repository has them.

        That another hub names a digest proves nothing: else whoever runs one could have any file of this hub.
        """
        with self.hub.database.read() as db:
            return sha256 in find_usable(db, self.actor.account_id, self.repo.id, [sha256])


def choose_inline(files: Sequence[RemoteFile]) -> set[str]:
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
