"""All that is stated about a repository, with who stated it and when: what its pages and gates are functions of.

The hub's own audits come with the role ``hub``; what others brought, and what people stated through the hub, comes
with the role it had when it came. Of private repositories too: whoever asks has been let in before.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select

from hallmarked.core.errors import BackendError
from hallmarked.core.evidence import Attestation, Statement, Subject
from hallmarked.hub.clock import to_datetime
from hallmarked.hub.database import in_parts
from hallmarked.hub.hub import Hub
from hallmarked.hub.repository.repository import Repository
from hallmarked.hub.review.outside import read_row
from hallmarked.hub.schema.evidence import evidence
from hallmarked.hub.schema.review import audit
from hallmarked.ledger.canonical import statement_bytes
from hallmarked.ledger.trust import Role
from hallmarked.policy.fact import Facts

MOST_AUDITS = 500
"""Audits of one repository that are looked at, the newest."""
MOST_SUBJECTS = 8
"""Revisions of which one gathering remembers the facts."""


class Attested:
    """What is stated about a repository. May be shared between threads.

    Args:
        attestations: All statements, oldest first.
        rows: The same by the row of the database that they are kept in.
    """

    def __init__(self, attestations: tuple[Attestation, ...], rows: Mapping[str, tuple[Attestation, ...]]) -> None:
        self.attestations, self.rows = attestations, rows
        self._lock = threading.Lock()
        self._facts: dict[tuple[tuple[str, str], ...], Facts] = {}

    def facts(self, current: Subject) -> Facts:
        """Return what is stated as facts, of which those about a revision count as current; remembered."""
        key = tuple(sorted(current.digest.items()))
        with self._lock:
            found = self._facts.get(key)
        if found is None:
            found = Facts(self.attestations, current)
            with self._lock:
                while len(self._facts) >= MOST_SUBJECTS:
                    del self._facts[next(iter(self._facts))]
                self._facts[key] = found
        return found


def gather(hub: Hub, db: Connection, repo: Repository) -> Attested:
    """Return all that is stated about a repository: about its current revision and about older ones.

    It is read again only when something was added or removed since.

    Raises:
        BackendError: When what was kept cannot be read back.
    """
    key = ("attested", repo.id)
    found: Attested = hub.kept.recall(key, _version(db, repo), lambda: _load(hub, db, repo, hub.kept.last(key)))
    return found


def list_places(hub: Hub, db: Connection, repo: Repository) -> Mapping[str, int]:
    """Return where in the ledger each statement about a repository stands, by the id of the statement."""
    found: Mapping[str, int] = hub.kept.recall(("places", repo.id), _version(db, repo), lambda: _list_places(db, repo))
    return found


def _list_places(db: Connection, repo: Repository) -> tuple[Mapping[str, int], int]:
    made, said = audit.c, evidence.c
    found: dict[str, int] = {}
    audits = select(made.statements, made.ids, made.entries).where(made.repository_id == repo.id)
    for row in db.execute(audits.order_by(made.created.desc(), made.id).limit(MOST_AUDITS)):
        for number, entry in enumerate(row.entries):
            known = row.ids[number] if number < len(row.ids) else ""
            found.setdefault(known or statement_id(Statement.from_dict(row.statements[number])), int(entry))
    for brought in db.execute(select(said.statement, said.entry).where(said.repository_id == repo.id)):
        found.setdefault(brought.statement, int(brought.entry))
    return found, len(found)


def _version(db: Connection, repo: Repository) -> tuple[object, ...]:
    """Return what differs when something was added or removed."""
    made, said = audit.c, evidence.c
    audits = select(func.count(), func.max(made.created)).where(made.repository_id == repo.id)
    brought = select(func.count(), func.max(said.created), func.count(said.removed)).where(
        said.repository_id == repo.id
    )
    return (*db.execute(audits).one(), *db.execute(brought).one())


def _load(hub: Hub, db: Connection, repo: Repository, last: Attested | None) -> tuple[Attested, int]:
    """Gather what is stated; rows never change, so that those known from the last time are not read again."""
    known: Mapping[str, tuple[Attestation, ...]] = last.rows if last is not None else {}
    made, said = audit.c, evidence.c
    newest = select(made.id).where(made.repository_id == repo.id).order_by(made.created.desc(), made.id)
    audits = list(db.execute(newest.limit(MOST_AUDITS)).scalars())
    counted = select(said.id).where(said.repository_id == repo.id, said.removed.is_(None))
    # Of two statements of one second the one that came later is the later one.
    brought = list(db.execute(counted.order_by(said.created, said.entry)).scalars())
    found = {id_: known[id_] for id_ in (*audits, *brought) if id_ in known}
    for part in in_parts([id_ for id_ in audits if id_ not in known]):
        rows = db.execute(select(audit).where(made.id.in_(part)))
        found |= {row.id: tuple(_of_audit(hub, row)) for row in rows}
    for part in in_parts([id_ for id_ in brought if id_ not in known]):
        others = db.execute(select(evidence).where(said.id.in_(part)))
        found |= {row.id: (read_row(row).attestation,) for row in others}
    stated = [one for id_ in (*audits, *brought) for one in found[id_]]
    return Attested(tuple(sorted(stated, key=lambda one: one.time)), found), len(stated)


def _of_audit(hub: Hub, row: Row[Any]) -> Iterator[Attestation]:
    """Yield what the hub stated in an audit."""
    time = to_datetime(row.created)
    for number, body in enumerate(row.statements):
        yield _attestation(hub, body, row.ids[number] if number < len(row.ids) else "", time)


def _attestation(hub: Hub, body: Mapping[str, Any], named: str, time: datetime) -> Attestation:
    try:
        statement = Statement.from_dict(body)
    except (ValueError, TypeError, AttributeError) as error:
        raise BackendError("an audit holds something that is not a statement") from error
    # NOTE: of two audits the newer one counts, so all are by one key here, whichever the hub had then.
    named = named or statement_id(statement)
    return Attestation(statement, named, time, Role.HUB.value, hub.settings.server.name, hub.journal.keyid)


def statement_id(statement: Statement) -> str:
    """Return the id of a statement that the hub signs: the digest of the bytes that get signed."""
    return f"sha256:{hashlib.sha256(statement_bytes(statement)).hexdigest()}"
