"""Audits that somebody asks for again: who may, when, and what is looked at then."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, select, update

from hallmarked.checks.ruleset import rule_set_digest
from hallmarked.core.errors import Forbidden
from hallmarked.hub.access import Role
from hallmarked.hub.change.creation import create
from hallmarked.hub.clock import now
from hallmarked.hub.error import Conflict, TooMany
from hallmarked.hub.job.again import PAUSE_SECONDS, audit_again, is_waiting
from hallmarked.hub.job.audit import begin, task_of
from hallmarked.hub.job.waiting import list_new, list_outdated
from hallmarked.hub.repository.collaborator import set_collaborator
from hallmarked.hub.repository.repository import MAIN, Repository
from hallmarked.hub.repository.revision import Revision, find_revision
from hallmarked.hub.schema.repository import revision
from hallmarked.hub.schema.review import audit
from tests.hubs import RunningHub


@pytest.fixture
def audited(hub: RunningHub) -> tuple[Repository, Revision]:
    """A revision that was audited long ago under the rules there are."""
    ada, ben = hub.actor("ada"), hub.actor("ben")
    with hub.hub.database.write() as db:
        repo = create(db, ada, "model", "tiny")
        set_collaborator(db, ada, repo, ben.name, Role.REVIEWER)
        at = find_revision(db, repo, MAIN)
        judged = {"audited": True, "rule_set": rule_set_digest(), "state": "available"}
        db.execute(update(revision).values(**judged))
        row = {"id": task_of(repo.id, at.oid).id, "repository_id": repo.id, "revision": at.oid, "outcome": "pass"}
        said = {"statements": [], "entries": [], "files": {}, "rule_set": rule_set_digest()}
        db.execute(insert(audit).values(**row, **said, created=now() - PAUSE_SECONDS * 1000))
    return repo, at


def test_who_asks_again_gets_an_audit_before_older_ones(hub: RunningHub, audited: tuple[Repository, Revision]) -> None:
    """A reviewer asks; the revision waits as a new one does, its state stays, and an audit of it begins."""
    repo, at = audited
    ben, task = hub.actor("ben"), task_of(repo.id, at.oid)
    assert not begin(hub.hub, task)
    with hub.hub.database.write() as db:
        assert list_new(db, 10) == []
        audit_again(db, ben, repo, at)
        assert is_waiting(db, repo.id, at.oid)
        assert [each.task for each in list_new(db, 10)] == [task]
        assert find_revision(db, repo, at.oid).state == "available"
        assert db.execute(select(audit.c.id)).scalars().all() == [task.id]
        with pytest.raises(Conflict):
            audit_again(db, ben, repo, at)
    assert begin(hub.hub, task)


def test_newer_signatures_are_a_reason_too(
    hub: RunningHub, audited: tuple[Repository, Revision], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was judged with older malware signatures is judged again with newer ones, and not with the same."""
    repo, at = audited
    monkeypatch.setattr("hallmarked.hub.job.audit.signatures", lambda: 4)  # as a scanner of this machine would say
    with hub.hub.database.write() as db:
        db.execute(update(revision).values(signatures=3))
    assert not begin(hub.hub, task_of(repo.id, at.oid, 3))
    assert begin(hub.hub, task_of(repo.id, at.oid, 4))


def test_not_again_at_once(hub: RunningHub, audited: tuple[Repository, Revision]) -> None:
    """After an audit there is a pause, and the refusal says how long; one that never ended can be asked for at once."""
    repo, at = audited
    ada = hub.actor("ada")
    with hub.hub.database.write() as db:
        db.execute(update(audit).values(created=now()))
        with pytest.raises(TooMany) as refused:
            audit_again(db, ada, repo, at)
        assert PAUSE_SECONDS - 30 < refused.value.seconds <= PAUSE_SECONDS
        db.execute(audit.delete())  # as when it was given up
        audit_again(db, ada, repo, at)


def test_others_may_not_ask(hub: RunningHub, audited: tuple[Repository, Revision]) -> None:
    """A writer and a stranger may not; nothing waits afterwards."""
    repo, at = audited
    eve, ada = hub.actor("eve"), hub.actor("ada")
    with hub.hub.database.write() as db:
        with pytest.raises(Forbidden):
            audit_again(db, eve, repo, at)
        set_collaborator(db, ada, repo, eve.name, Role.WRITER)
        with pytest.raises(Forbidden):
            audit_again(db, eve, repo, at)
        assert list_new(db, 10) == list_outdated(db, 10) == []


def test_a_first_audit_is_waited_for(hub: RunningHub) -> None:
    """What was never audited waits already."""
    ada = hub.actor("ada")
    with hub.hub.database.write() as db:
        repo = create(db, ada, "model", "tiny")
        at = find_revision(db, repo, MAIN)
        assert is_waiting(db, repo.id, at.oid)
        with pytest.raises(Conflict):
            audit_again(db, ada, repo, at)
