"""What audits said about a revision, as pages and gates read it back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from sqlalchemy import Connection, Row, select

from hallmarked.core.errors import BackendError, Forbidden
from hallmarked.core.evidence import Statement
from hallmarked.hub.access import ANYBODY, Action, decide
from hallmarked.hub.access import Standing as Nobody
from hallmarked.hub.journal import Journal
from hallmarked.hub.repository.repository import MAIN, Repository, load_repositories
from hallmarked.hub.repository.revision import Revision, list_history
from hallmarked.hub.repository.subject import alike, subject_of
from hallmarked.hub.schema.evidence import evidence
from hallmarked.hub.schema.repository import ref, revision
from hallmarked.hub.schema.review import audit, decision
from hallmarked.ledger.strict import parse_json
from hallmarked.policy.fact import is_about

MOST_BACK = 50
"""How many commits back an audit is looked for."""


@dataclass(frozen=True, slots=True)
class Audit:
    """One audit of one revision."""

    id: str
    revision: str
    """Commit id."""
    rule_set: str
    """Digest of the rules it was made with."""
    outcome: str
    """``pass``, ``fail`` or ``unknown``."""
    statements: tuple[Statement, ...]
    """What was stated, in order."""
    entries: tuple[int, ...]
    """Index of each statement in the hub's ledger."""
    created: int
    """Milliseconds since the epoch."""


def list_audits(db: Connection, repository_id: str, revision: str, count: int) -> list[Audit]:
    """Return the newest audits of a revision, the very newest first.

    Raises:
        BackendError: When what was kept cannot be read back.
    """
    made = audit.c
    rows = db.execute(
        select(audit)
        .where(made.repository_id == repository_id, made.revision == revision)
        .order_by(made.created.desc(), made.id.desc())
        .limit(count)
    )
    return [_from_row(row) for row in rows]


def find_audit(db: Connection, repository_id: str, revision: str) -> Audit | None:
    """Return the newest audit of a revision; None when there is none yet.

    Raises:
        BackendError: When what was kept cannot be read back.
    """
    return next(iter(list_audits(db, repository_id, revision, 1)), None)


def find_audit_before(db: Connection, repo: Repository, at: Revision) -> Audit | None:
    """Return the newest audit of the nearest ancestor that has one, not looking further back than people would.

    Raises:
        BackendError: When what was kept cannot be read back.
    """
    ancestors = islice(list_history(db, repo, at), 1, MOST_BACK)
    return next((found for each in ancestors if (found := find_audit(db, repo.id, each.oid)) is not None), None)


def list_entries(db: Connection, repo: Repository, at: Revision) -> list[int]:
    """Return where the statements of all audits of a revision lie in the ledger, and those of others about it.

    A commit may be in several repositories, and not everybody may know of each: only what was stated about it as a
    revision of this one is listed.
    """
    made = audit.c
    rows = db.execute(select(made.entries).where(made.repository_id == repo.id, made.revision == at.oid))
    found = {int(index) for row in rows for index in row.entries}
    said = evidence.c
    where = (said.repository_id == repo.id, said.revision.in_(alike(db, repo, at)), said.removed.is_(None))
    current = subject_of(db, repo, at)
    for row in db.execute(select(said.payload, said.entry, said.receipt).where(*where)):
        if is_about(Statement.from_dict(parse_json(row.payload, "payload")), current):
            found |= {index for index in (row.entry, row.receipt) if index is not None}
    return sorted(found)


def public_envelope(db: Connection, journal: Journal, index: int) -> bytes:
    """Return the signed statement of an entry when it is about what everybody may see now.

    A repository that was public may be private, deleted or disabled since. Then its statements, which name it and its
    files, are handed out with its evidence to those who may see it, and to nobody else; the entry stays.

    Raises:
        NotFound: When there is no such entry, or its statement was erased.
        Forbidden: When the entry, or what it is about, is not public.
        BackendError: When the log is damaged.
    """
    envelope = journal.envelope(index)
    leaf = journal.entry(index)
    commits = [one.partition(":")[2] for one in leaf.subjects if one.startswith("gitCommit:")]
    # What others state may name the files alone, or so many things that the log's record does not list the commit.
    of_files = commits or leaf.more or any(one.startswith("dirHash:") for one in leaf.subjects)
    if of_files and _is_removed(db, index):
        raise Forbidden(f"what entry {index} says was removed; the page of what it was about says why")
    if of_files and not any(_is_public(repo) for repo in _about(db, index, commits)):
        raise Forbidden(f"entry {index} is about something that is not public")
    return envelope


def _is_removed(db: Connection, index: int) -> bool:
    """Say whether an entry is what somebody stated, and moderation removed wherever it was."""
    rows = db.execute(select(evidence.c.removed).where(evidence.c.entry == index)).scalars().all()
    return bool(rows) and all(removed is not None for removed in rows)


def _about(db: Connection, index: int, commits: Sequence[str]) -> Sequence[Repository]:
    """Return the repositories of which an entry speaks: a commit may be in others, of which it does not."""
    rows = db.execute(select(audit.c.repository_id, audit.c.entries).where(audit.c.revision.in_(commits)))
    ids = {row.repository_id for row in rows if index in row.entries}
    ids |= set(db.execute(select(decision.c.repository_id).where(decision.c.entry == index)).scalars())
    brought = select(evidence.c.repository_id).where((evidence.c.entry == index) | (evidence.c.receipt == index))
    ids |= set(db.execute(brought).scalars())
    if not ids:  # no audit and no decision, so what was stated when it came here
        ids = set(db.execute(select(revision.c.repository_id).where(revision.c.oid.in_(commits))).scalars())
    return load_repositories(db, sorted(ids))


def _is_public(repo: Repository) -> bool:
    return decide(ANYBODY, Action.SEE, repo.scope, Nobody()) is None


@dataclass(frozen=True, slots=True)
class Standing:
    """How the main branch of a repository stands."""

    state: str
    """``checking``, ``available``, ``held`` or ``unknown``."""
    outcome: str
    """Of its newest audit; empty when there was none."""


def list_standing(db: Connection, ids: Sequence[str]) -> dict[str, Standing]:
    """Return how the main branches of repositories stand, by id of the repository; one query for all."""
    made = audit.c
    newest = (
        select(made.outcome)
        .where(made.repository_id == revision.c.repository_id, made.revision == revision.c.oid)
        .order_by(made.created.desc())
        .limit(1)
        .scalar_subquery()
    )
    rows = db.execute(
        select(revision.c.repository_id, revision.c.state, newest.label("outcome"))
        .join(ref, (ref.c.repository_id == revision.c.repository_id) & (ref.c.oid == revision.c.oid))
        .where(ref.c.name == MAIN, revision.c.repository_id.in_(ids))
    )
    return {row.repository_id: Standing(row.state, row.outcome or "") for row in rows}


def _from_row(row: Row[tuple[object, ...]]) -> Audit:
    try:
        statements = tuple(Statement.from_dict(body) for body in row.statements)
    except (ValueError, TypeError, AttributeError) as error:
        raise BackendError(f"audit {row.id} holds something that is not a statement") from error
    entries = tuple(int(index) for index in row.entries)
    return Audit(row.id, row.revision, row.rule_set, row.outcome, statements, entries, row.created)
