"""Records that people file through the hub: waivers, disputes, withdrawals, decisions and stages of responsibility.

The hub signs for them, and names in the predicate (``onBehalfOf``) for which account and as what that account speaks:
whoever belongs to the repository speaks as its maker, an auditor of it as somebody outside, and only those who manage
the hub as the hub. Otherwise an owner could waive, or settle, with the hub's word.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select

from hallmarked.audit.attested import ON_BEHALF, key_for
from hallmarked.core.errors import Forbidden, InputError
from hallmarked.core.evidence import Statement
from hallmarked.hub.access import Action, Actor, decide, load_standing, require
from hallmarked.hub.access import Role as Standing
from hallmarked.hub.account.notice import Kind, notify_all
from hallmarked.hub.clock import now
from hallmarked.hub.error import Conflict
from hallmarked.hub.hub import Hub
from hallmarked.hub.kind import page_path
from hallmarked.hub.repository.collaborator import list_owners
from hallmarked.hub.repository.repository import Repository
from hallmarked.hub.repository.revision import Revision
from hallmarked.hub.repository.subject import subject_of
from hallmarked.hub.review.attested import statement_id
from hallmarked.hub.review.outside import MOST_KEPT, Outside, read_row
from hallmarked.hub.schema.base import new_id
from hallmarked.hub.schema.evidence import evidence
from hallmarked.hub.trail import Tag, record
from hallmarked.ledger.canonical import statement_bytes
from hallmarked.ledger.trust import Role
from hallmarked.records.decision import Decision
from hallmarked.records.dispute import Dispute
from hallmarked.records.record import Record
from hallmarked.records.stage import Stage
from hallmarked.records.waiver import Waiver
from hallmarked.records.withdrawal import Withdrawal

_PEOPLE = frozenset({Standing.OWNER, Standing.WRITER})
_ALL = _PEOPLE | {Standing.REVIEWER, Standing.AUDITOR}
WHO: Mapping[type[Record], frozenset[Standing]] = {
    Decision: _PEOPLE | {Standing.REVIEWER},
    Dispute: _ALL,
    Stage: _PEOPLE,
    Waiver: frozenset({Standing.OWNER, Standing.REVIEWER}),
    Withdrawal: frozenset({Standing.OWNER}),
}
"""What can be filed, and by whom."""
KINDS = {kind.NAME: kind for kind in WHO}


@dataclass(frozen=True, slots=True)
class Speaker:
    """Somebody for whom the hub signs."""

    account: str
    """Name of the account."""
    role: Role
    """As what they speak."""

    def to_dict(self) -> dict[str, str]:
        """Return what the predicate says of them."""
        return {"account": self.account, "role": self.role.value}


def speaker(db: Connection, actor: Actor, repo: Repository) -> tuple[Speaker, frozenset[Standing]]:
    """Return as what somebody speaks about a repository, and what they are to it by themselves."""
    own = load_standing(db, Actor(actor.account_id, actor.name), repo.scope).roles
    if own - {Standing.AUDITOR, Standing.READER}:
        role = Role.MAKER  # also who manages the hub, as long as it is about their own
    elif actor.administrator:
        role = Role.HUB
    else:
        role = Role.COMMUNITY
    return Speaker(actor.name, role), own


def list_kinds(db: Connection, actor: Actor, repo: Repository) -> tuple[str, ...]:
    """Return the kinds of records that somebody may file about a repository."""
    if decide(actor, Action.RECORD, repo.scope, load_standing(db, actor, repo.scope)) is not None:
        return ()
    _, roles = speaker(db, actor, repo)
    return tuple(kind.NAME for kind, who in WHO.items() if actor.administrator or roles & who)


def file_record(
    hub: Hub, db: Connection, actor: Actor, about: tuple[Repository, Revision], kind: str, said: Mapping[str, Any]
) -> Outside:
    """File a record about a revision; the hub signs it on behalf of the account, and logs it.

    Args:
        hub: The hub.
        db: A writing transaction.
        actor: Who files it.
        about: The repository and its revision.
        kind: ``decision``, ``dispute``, ``stage``, ``waiver`` or ``withdrawal``.
        said: The record's fields; ``by`` is the account when nothing is said, the time of a decision is now.

    Raises:
        InputError: When there is no such kind of record.
        FormatError: When a field is missing or wrong; the message names each.
        Forbidden: When the actor may not file such a record here.
        Conflict: When exactly this was filed already, or so much is kept that no more is.
        BackendError: When the ledger cannot be written; then nothing was filed.
    """
    repo, at = about
    made = KINDS.get(kind)
    if made is None:
        raise InputError(f"records that are filed here are: {', '.join(KINDS)}")
    require(db, actor, Action.RECORD, repo.scope)
    who, roles = speaker(db, actor, repo)
    if not (actor.administrator or roles & WHO[made]):
        raise Forbidden(f"you may not file a {kind} about {repo.name}: {_names(WHO[made])} may")
    written = made.of(_completed(made, said, actor))
    subject = subject_of(db, repo, at)
    statement = Statement((subject,), made.predicate_type(), {**written.predicate(), ON_BEHALF: who.to_dict()})
    filed = _keep(hub, db, actor, (repo, at), statement, who)
    record(db, actor, Tag.RECORD_FILED, f"repository:{repo.id}", {"evidence": filed.id, "kind": kind})
    people = [one for one in list_owners(db, repo) if one != actor.account_id]
    text = f"A {kind} about {repo.name} was filed by {actor.name}"
    notify_all(db, people, Kind.REVIEW, text, page_path(repo.scope.kind, repo.name))
    return filed


def _completed(kind: type[Record], said: Mapping[str, Any], actor: Actor) -> Mapping[str, Any]:
    """Put in what the hub knows by itself."""
    known = {"by": actor.name}
    if kind is Decision:
        known["time"] = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    return {**known, **said}


def _keep(
    hub: Hub, db: Connection, actor: Actor, about: tuple[Repository, Revision], statement: Statement, who: Speaker
) -> Outside:
    repo, at = about
    named, payload, table = statement_id(statement), statement_bytes(statement), evidence.c
    keyid = key_for(hub.journal.keyid, who.account)
    here = select(func.count()).where(table.repository_id == repo.id)
    if db.execute(here.where(table.statement == named, table.keyid == keyid)).scalar_one():
        raise Conflict("exactly this was filed already")
    if db.execute(here).scalar_one() >= MOST_KEPT:
        raise Conflict(f"so many statements are kept about {repo.name} already that no more are taken in")
    place = hub.journal.attest([statement], hidden=repo.scope.private)[0].index
    time, made = now(), new_id()
    row = {
        "id": made, "repository_id": repo.id, "revision": at.oid, "statement": named, "payload": payload,
        "predicate_type": statement.predicate_type, "keyid": keyid, "role": who.role.value,
        "signer": who.account, "entry": place, "receipt": None, "account_id": actor.account_id, "stated": time,
        "created": time, "removed": None, "reason": "",
    }  # fmt: skip
    db.execute(insert(evidence).values(**row))
    return read_row(db.execute(select(evidence).where(table.id == made)).one())


def _names(roles: frozenset[Standing]) -> str:
    listed = [f"{role.value}s" for role in Standing if role in roles]
    return " and ".join(part for part in (", ".join(listed[:-1]), listed[-1]) if part)
