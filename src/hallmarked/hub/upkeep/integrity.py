"""Prove that database, files and ledger of a hub agree; each fault is one sentence."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from dulwich.objects import ShaFile, Tree, object_class
from sqlalchemy import Connection, select

from hallmarked.core.errors import BackendError, Error
from hallmarked.core.evidence import Statement
from hallmarked.hub.clock import now
from hallmarked.hub.git.object import EMPTY_TREE, FOLDER, KINDS
from hallmarked.hub.git.pointer import parse_pointer
from hallmarked.hub.hub import Hub
from hallmarked.hub.migration.upgrade import differences
from hallmarked.hub.review.status import summarise
from hallmarked.hub.schema.evidence import evidence
from hallmarked.hub.schema.object import blob, content, object_, usage
from hallmarked.hub.schema.repository import ref, revision
from hallmarked.hub.schema.review import audit, decision, event

CHUNK = 1 << 20
PATIENCE = 600_000
"""Milliseconds after which what is not in the ledger yet counts as forgotten."""
_NUMBERS = {word: number for number, word in ((1, "commit"), (2, "tree"), (3, "blob"), (4, "tag"))}
assert set(_NUMBERS) == set(KINDS.values())


def check_hub(hub: Hub, *, deep: bool = False) -> Iterator[str]:
    """Yield every fault of a hub, which may be running meanwhile.

    Args:
        hub: The hub.
        deep: Read every large file and compare its digest as well.

    Raises:
        BackendError: When the database cannot be read.
    """
    with hub.database.read() as db:
        yield from (f"the database's tables are not those expected: {change}" for change in differences(db))
        yield from _check_objects(db)
        yield from _check_revisions(db)
        yield from _check_contents(db)
        yield from _check_audits(hub, db)
        yield from _check_evidence(hub, db)
        yield from _check_flushed(db, hub.journal.size)
        used = list(db.execute(select(blob.c.sha256, blob.c.size).where(blob.c.sha256.in_(select(usage.c.sha256)))))
    for row in used:
        yield from _check_blob(hub, row.sha256, row.size, deep=deep)
    yield from (f"the ledger: {fault}" for fault in hub.journal.check().faults)


def _check_objects(db: Connection) -> Iterator[str]:
    """Recompute the id of every git object."""
    for row in db.execute(select(object_).execution_options(yield_per=500)):
        found = ShaFile.from_raw_string(_NUMBERS.get(row.kind, 3), bytes(row.data))
        if object_class(found.type_num) is None or found.id.decode() != row.oid:
            yield f"the git object {row.oid} holds other bytes than it is named after"


def _check_revisions(db: Connection) -> Iterator[str]:
    """Follow every name to its commit, its folders and its files."""
    objects = set(db.execute(select(object_.c.oid)).scalars())
    contents = set(db.execute(select(content.c.oid)).scalars())
    commits: set[tuple[str, str]] = set()
    trees: set[str] = set()
    for row in db.execute(select(revision)):
        commits.add((row.repository_id, row.oid))
        if row.oid not in objects:
            yield f"the commit {row.oid} is missing"
        trees.add(row.tree)
    for row in db.execute(select(revision.c.repository_id, revision.c.oid, revision.c.parent)):
        if row.parent and (row.repository_id, row.parent) not in commits:
            yield f"the commit {row.oid} follows {row.parent}, which its repository does not have"
    for row in db.execute(select(ref)):
        if (row.repository_id, row.oid) not in commits:
            yield f"{row.name} leads to the commit {row.oid}, which its repository does not have"
    yield from _check_trees(db, trees, objects, contents)


def _check_trees(db: Connection, trees: set[str], objects: set[str], contents: set[str]) -> Iterator[str]:
    seen, waiting = {EMPTY_TREE}, sorted(trees)
    while waiting:
        oid = waiting.pop()
        if oid in seen:
            continue
        seen.add(oid)
        data = db.execute(select(object_.c.data).where(object_.c.oid == oid)).scalar()
        if data is None:
            yield f"the folder {oid} is missing"
            continue
        for item in Tree.from_string(bytes(data)).iteritems():
            name = item.sha.decode()
            if item.mode == FOLDER:
                waiting.append(name)
            elif name not in objects or name not in contents:
                yield f"the file {name} of the folder {oid} is missing"


def _check_contents(db: Connection) -> Iterator[str]:
    """Compare what is noted of each file with its bytes, or with its pointer and the files that are used."""
    query = select(content, object_.c.data).join(object_, object_.c.oid == content.c.oid)
    stored = set(db.execute(select(blob.c.sha256)).scalars())
    for row in db.execute(query.execution_options(yield_per=500)):
        data = bytes(row.data)
        if row.large:
            if parse_pointer(data) != (row.sha256, row.size):
                yield f"what is noted of the large file {row.oid} is not what its pointer says"
            if row.sha256 not in stored:
                yield f"the large file {row.sha256} is not noted as stored"
        elif (hashlib.sha256(data).hexdigest(), len(data)) != (row.sha256, row.size):
            yield f"what is noted of the file {row.oid} is not what it holds"


def _check_audits(hub: Hub, db: Connection) -> Iterator[str]:
    """Compare each audit with the ledger, and what clients are told with what was stated."""
    for row in db.execute(select(audit).execution_options(yield_per=50)):
        try:
            statements = [Statement.from_dict(body) for body in row.statements]
            if not hub.journal.holds(statements, row.entries):
                yield f"audit {row.id} says something else than its entries in the ledger"
            if summarise(statements) != row.files:
                yield f"what clients are told of files does not follow from audit {row.id}"
        except (Error, ValueError) as error:
            yield f"audit {row.id} cannot be compared with the ledger: {error}"
    judged = select(audit.c.id).where(audit.c.repository_id == revision.c.repository_id,
                                      audit.c.revision == revision.c.oid)  # fmt: skip
    query = select(revision.c.oid).where(revision.c.state == "available", ~judged.exists())
    released = set(db.execute(select(decision.c.revision).where(decision.c.kind == "release")).scalars())
    for oid in db.execute(query).scalars():
        if oid not in released:
            yield f"the commit {oid} is available, although no audit says so"


def _check_evidence(hub: Hub, db: Connection) -> Iterator[str]:
    """Compare what others state with the ledger."""
    made = evidence.c
    query = select(made.id, made.payload, made.statement, made.entry, made.removed).execution_options(yield_per=200)
    for row in db.execute(query):
        try:
            logged = hub.journal.payload(row.entry)
        except BackendError as error:
            yield f"evidence {row.id} cannot be compared with the ledger: {error}"
            continue
        if logged is None and row.removed is not None:
            continue  # what it said was erased
        payload = bytes(row.payload)
        if logged not in (None, payload) or f"sha256:{hashlib.sha256(payload).hexdigest()}" != row.statement:
            yield f"evidence {row.id} says something else than its entry in the ledger"


def _check_flushed(db: Connection, size: int) -> Iterator[str]:
    """See that what was done and decided is in the ledger."""
    late = now() - PATIENCE
    for table, what in ((event, "event"), (decision, "decision")):
        for row in db.execute(select(table.c.id, table.c.entry, table.c.created)):
            if row.entry is None and row.created < late:
                yield f"{what} {row.id} is not in the ledger yet; does a process audit for this hub?"
            elif row.entry is not None and row.entry >= size:
                yield f"{what} {row.id} names entry {row.entry} of the ledger, which has {size}"


def _check_blob(hub: Hub, sha256: str, size: int, *, deep: bool) -> Iterator[str]:
    try:
        if hub.blobs.size(sha256) != size:
            yield f"the large file {sha256} is missing, or of another size"
            return
        if deep:
            digest = hashlib.sha256()
            with hub.blobs.open(sha256) as stream:
                while data := stream.read(CHUNK):
                    digest.update(data)
            if digest.hexdigest() != sha256:
                yield f"the large file {sha256} holds other bytes"
    except BackendError as error:
        yield f"the large file {sha256} cannot be read: {error}"
