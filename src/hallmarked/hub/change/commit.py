"""Commits: changes to a branch that are wholly there or not at all."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, insert, select, update

from hallmarked.core.errors import InputError
from hallmarked.formats.blob import Blob
from hallmarked.hub.access import Action, Actor, Bytes, require
from hallmarked.hub.account.token import PREFIX, revoke_leaked
from hallmarked.hub.blob.possession import find_usable, is_passive
from hallmarked.hub.catalog.listing import refresh
from hallmarked.hub.clock import now
from hallmarked.hub.database import add_new
from hallmarked.hub.error import EntryNotFound, Outdated
from hallmarked.hub.git.object import EMPTY_TREE, Author, add_objects, encode_blob, encode_commit
from hallmarked.hub.git.pointer import encode_pointer, parse_pointer
from hallmarked.hub.git.tree import Absent, edit, find
from hallmarked.hub.outbound.announcement import announce, moved
from hallmarked.hub.path import check_path
from hallmarked.hub.repository.card import read_card
from hallmarked.hub.repository.repository import MAIN, Repository
from hallmarked.hub.repository.revision import Revision, find_entry, find_revision, move_ref, read_text
from hallmarked.hub.review.carry import carry_holds
from hallmarked.hub.schema.object import content, usage
from hallmarked.hub.schema.repository import ref, repository, revision

MAX_INLINE = 10 << 20
"""Bytes of a file that is kept as a git object."""
MAX_TITLE, MAX_MESSAGE = 1_000, 100_000
OUTDATED = "The branch was updated since you opened this page. Please refresh and try again."
"""Clients know this very wording."""


@dataclass(frozen=True, slots=True)
class Put:
    """A small file with its bytes."""

    path: str
    data: bytes


@dataclass(frozen=True, slots=True)
class PutLarge:
    """A file whose bytes are in the blob store."""

    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Delete:
    """A file or a folder that goes."""

    path: str


@dataclass(frozen=True, slots=True)
class Copy:
    """A file that is the same as one of another revision of the repository."""

    path: str
    source: str
    revision: str


Change = Put | PutLarge | Delete | Copy


@dataclass(frozen=True, slots=True)
class Message:
    """What a commit says of itself."""

    title: str
    description: str = ""

    @property
    def text(self) -> str:
        """As git keeps it."""
        return f"{self.title}\n\n{self.description}" if self.description else self.title


def commit(
    db: Connection,
    repo: Repository,
    actor: Actor,
    changes: Iterable[Change],
    message: Message,
    *,
    branch: str = MAIN,
    parent: str | None = None,
) -> Revision:
    """Commit changes to a branch.

    Args:
        db: A writing transaction.
        repo: The repository; the caller has asked whether the actor may write.
        actor: Who commits.
        changes: In order; a later one about the same path wins.
        message: What the commit says.
        branch: Full name of the ref.
        parent: The commit the caller believes the branch is at.

    Raises:
        InputError: When a change cannot be made.
        Forbidden: When a file is to be copied that the actor may not get.
        EntryNotFound: When what is to be deleted is not there.
        Outdated: When the branch is somewhere else.
        RevisionNotFound: When there is no such branch.
    """
    if not message.title or len(message.title) > MAX_TITLE or len(message.description) > MAX_MESSAGE:
        raise InputError(f"a commit needs a title of at most {MAX_TITLE} characters")
    # NOTE: the lock comes first, so that nobody moves the branch between reading and writing it
    head = db.execute(
        select(ref.c.oid).where(ref.c.repository_id == repo.id, ref.c.name == branch).with_for_update()
    ).scalar()
    base = find_revision(db, repo, head) if head else None
    if base is None and branch != MAIN:
        find_revision(db, repo, branch)  # raises
    if parent is not None and (base is None or not base.oid.startswith(parent)):
        raise Outdated(f"{OUTDATED} It is at {head or 'no commit'}, not at {parent[:40]}.")
    files = _Files(db, repo, actor)
    oids: dict[str, str | None] = {}
    for change in changes:
        path = check_path(change.path.removesuffix("/") if isinstance(change, Delete) else change.path)
        oids[path] = None if isinstance(change, Delete) else files.oid(change)
    files.keep()
    try:
        tree = edit(db, base.tree if base else EMPTY_TREE, oids)
    except Absent as error:
        raise EntryNotFound(str(error), base.oid if base else "") from error
    if base is not None and tree == base.tree:
        return base  # nothing changed: no empty commits
    return add_revision(db, repo, actor, tree, message, branch=branch, base=base)


def add_revision(
    db: Connection, repo: Repository, actor: Actor, tree: str, message: Message, *, branch: str, base: Revision | None
) -> Revision:
    """Make a commit of a tree and let the branch lead to it.

    Raises:
        Outdated: When the branch is not at ``base`` any more.
    """
    oid = record(db, repo, actor, tree, message, parent=base.oid if base else "")
    if base is None:
        db.execute(insert(ref).values(repository_id=repo.id, name=branch, oid=oid, message=""))
    else:
        advance(db, repo, branch, base.oid, oid)
    made = find_revision(db, repo, oid)
    if branch == MAIN:
        follow_main(db, repo, made)
    announce(db, repo.scope, moved(branch, base.oid if base else None, oid))
    return made


def advance(db: Connection, repo: Repository, branch: str, old: str, new: str) -> None:
    """Let a branch lead to another commit.

    Raises:
        Outdated: When it is not at ``old`` any more.
    """
    if not move_ref(db, repo, branch, old, new):
        raise Outdated(OUTDATED)


def record(db: Connection, repo: Repository, actor: Actor, tree: str, message: Message, *, parent: str) -> str:
    """Make a commit of a tree that no branch leads to yet, and return its id.

    Args:
        db: A writing transaction.
        repo: The repository that gets it.
        actor: Who commits.
        tree: Id of the root folder, which is kept already.
        message: What the commit says.
        parent: The commit before it; empty for none.
    """
    time = now()
    author = Author(actor.name or "hallmarked", time // 1000)
    oid, body = encode_commit(tree, [parent] if parent else [], author, message.text)
    add_objects(db, "commit", [(oid, body)])
    add_new(
        db,
        revision,
        [
            {
                "repository_id": repo.id, "oid": oid, "tree": tree, "parent": parent,
                "account_id": actor.account_id, "title": message.title, "created": time, "state": "checking",
                "reason": "", "audited": False,
            }
        ],
    )  # fmt: skip
    carry_holds(db, repo, find_revision(db, repo, oid))
    return oid


def follow_main(db: Connection, repo: Repository, at: Revision) -> None:
    """Bring what is known of a repository up to its main branch."""
    entry = find(db, at.tree, "README.md")
    card: Mapping[str, Any] = {}
    if entry is not None and not entry.folder:
        found = find_entry(db, at, "README.md")
        if not found.large:
            card = read_card(read_text(db, found))
    db.execute(update(repository).where(repository.c.id == repo.id).values(modified=now(), card=card))
    refresh(db, repo.id)


@dataclass(slots=True)
class _Files:
    """Collects the files of one commit, so that they are kept by few statements."""

    db: Connection
    repo: Repository
    actor: Actor
    objects: dict[str, bytes] = field(default_factory=dict)
    contents: dict[str, dict[str, object]] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)

    def oid(self, change: Put | PutLarge | Copy) -> str:
        if isinstance(change, Put):
            return self._small(change)
        if isinstance(change, PutLarge):
            return self._large(change)
        at = find_revision(self.db, self.repo, change.revision)
        # NOTE: who offers changes may not get every file, and could otherwise read it as the card of their offer
        require(self.db, self.actor, Action.READ, self.repo.scope, Bytes(at.state, lenient=False, reason=at.reason))
        found = find_entry(self.db, at, change.source)
        if found.folder:
            raise InputError(f"{change.source} is a folder; only files are copied")
        return found.oid

    def _small(self, change: Put) -> str:
        if len(change.data) > MAX_INLINE:
            raise InputError(f"{change.path} is larger than {MAX_INLINE >> 20} MiB: send it as a large file")
        pointer = parse_pointer(change.data)
        if pointer is not None:
            # NOTE: what is known of a file hangs on its git id alone. A text that is the pointer of a large file has
            # the id of that file, wherever it is kept: so it counts as the file, and is refused like it.
            return self._large(PutLarge(change.path, pointer[0]), pointer[1])
        oid, body = encode_blob(change.data)
        self.objects[oid] = body
        if PREFIX.encode() in body:
            revoke_leaked(self.db, body, self.repo.scope, change.path)
        self._describe(
            oid,
            len(body),
            hashlib.sha256(body).hexdigest(),
            large=False,
            passive=is_passive(Blob(change.path, len(body), lambda: io.BytesIO(body))),
        )
        return oid

    def _large(self, change: PutLarge, size: int | None = None) -> str:
        known = find_usable(self.db, self.actor.account_id, self.repo.id, [change.sha256], lock=True)
        file = known.get(change.sha256)
        if file is None or size not in (None, file.size):
            raise InputError(f"the bytes of {change.path} (sha256 {change.sha256[:80]}) were not uploaded")
        oid, body = encode_blob(encode_pointer(file.sha256, file.size))
        self.objects[oid] = body
        self.used.add(file.sha256)
        self._describe(oid, file.size, file.sha256, large=True, passive=file.passive)
        return oid

    def _describe(self, oid: str, size: int, sha256: str, *, large: bool, passive: bool) -> None:
        self.contents[oid] = {"oid": oid, "size": size, "sha256": sha256, "large": large, "passive": passive}

    def keep(self) -> None:
        add_objects(self.db, "blob", self.objects.items())
        add_new(self.db, content, list(self.contents.values()))
        add_new(self.db, usage, [{"repository_id": self.repo.id, "sha256": sha256} for sha256 in sorted(self.used)])
