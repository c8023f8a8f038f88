"""All that is stated about a repository is gathered once, and again when something was added or removed."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from sqlalchemy import Connection

from hallmarked.hub.change.commit import Message, Put, commit
from hallmarked.hub.memory import Kept
from hallmarked.hub.repository.repository import Repository, find_repository
from hallmarked.hub.repository.revision import find_revision
from hallmarked.hub.repository.subject import subject_of
from hallmarked.hub.review.attested import Attested, gather
from hallmarked.hub.review.outside import Removal, list_outside, remove, take_in
from hallmarked.ledger.verify import verify_bundle
from tests.hub.evidence import push
from tests.hub.signer import Signer, about, measured
from tests.hubs import RunningHub


def gathered(hub: RunningHub, db: Connection) -> Attested:
    return gather(hub.hub, db, repo_of(db))


def repo_of(db: Connection) -> Repository:
    return find_repository(db, "model", "ada/model")


def bring(hub: RunningHub, signer: Signer, value: str) -> None:
    bob = hub.actor("bob")
    with hub.hub.database.write() as db:
        data = signer.sign([measured(about(db, "ada/model"), value)])
        take_in(hub.hub, db, bob, repo_of(db), data)


def test_audits_and_others(hub: RunningHub, tmp_path: Path) -> None:
    """The hub's audits and what others brought come together, with roles; a push makes all of it about other bytes."""
    push(hub)
    hub.audit_all()
    auditor = Signer(tmp_path / "auditor", "Example Auditors")
    auditor.register(hub)
    bring(hub, auditor, "0.97")
    with hub.hub.database.read() as db:
        found = gathered(hub, db)
        assert {one.role for one in found.attestations} == {"hub", "auditor"}
        facts = found.facts(about(db, "ada/model"))
        assert [(fact.value, fact.current, fact.source.signer) for fact in facts.find("eval.recall")] == [
            ("0.97", True, "Example Auditors")
        ]
        assert any(fact.current for fact in facts.find("check.documentation"))
    with hub.hub.database.write() as db:
        repo = repo_of(db)
        commit(db, repo, hub.actor("ada"), [Put("new.txt", b"new")], Message("second"))
    with hub.hub.database.read() as db:
        facts = gathered(hub, db).facts(about(db, "ada/model"))
        assert not any(fact.current for fact in facts.find("eval.recall") + facts.find("check.documentation"))


def test_ids_are_those_of_the_ledger(hub: RunningHub) -> None:
    """A statement of an audit has the id by which whoever verifies the evidence file knows it."""
    push(hub)
    hub.audit_all()
    with hub.hub.database.read() as db:
        ids = {one.id for one in gathered(hub, db).attestations}
    file = hub.hub.journal.export(range(hub.hub.journal.size))
    payloads = {entry.payload for entry in verify_bundle(file).entries}
    assert {hub.hub.journal.payload(index) for index in range(hub.hub.journal.size)} == payloads
    assert ids <= {f"sha256:{hashlib.sha256(payload).hexdigest()}" for payload in payloads}
    assert ids


def test_what_is_known_is_not_read_again(hub: RunningHub, tmp_path: Path) -> None:
    """Nothing is worked out twice while nothing changed; what is brought or removed shows at once."""
    push(hub)
    auditor = Signer(tmp_path / "auditor", "Example Auditors")
    auditor.register(hub)
    bring(hub, auditor, "0.97")
    with hub.hub.database.read() as db:
        first = gathered(hub, db)
        assert gathered(hub, db) is first
        at = subject_of(db, repo_of(db), find_revision(db, repo_of(db), "main"))
        assert first.facts(at) is gathered(hub, db).facts(at)
    bring(hub, auditor, "0.98")
    with hub.hub.database.read() as db:
        assert [fact.value for fact in gathered(hub, db).facts(at).find("eval.recall")] == ["0.98"]
    hub.person("root", administrator=True)
    with hub.hub.database.write() as db:
        newest = list_outside(db, repo_of(db))[0]
        remove(hub.hub, db, hub.actor("root"), repo_of(db), newest.id, Removal("it was about another model"))
    with hub.hub.database.read() as db:
        assert [fact.value for fact in gathered(hub, db).facts(at).find("eval.recall")] == ["0.97"]


@pytest.mark.parametrize(("weight", "kept"), [(1, 4), (4, 2), (100, 1)])
def test_little_is_remembered(weight: int, kept: int) -> None:
    """What was not asked for the longest is forgotten when it becomes too much, and the last thing never."""
    memory, loaded = Kept(8), []

    def ask(key: int, version: int = 0) -> int:
        def load() -> tuple[int, int]:
            loaded.append(key)
            return key * 10, weight

        return memory.recall(key, version, load)

    assert [ask(key) for key in range(4)] == [0, 10, 20, 30]
    loaded.clear()
    for key in reversed(range(4 - kept, 4)):
        ask(key)
    assert loaded == []
    assert ask(3, version=1) == 30
    assert loaded == [3]
