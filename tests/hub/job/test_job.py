"""Audits of what was pushed: states, evidence, exactly once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select, update

from hallmarked.artifacts.source import from_description
from hallmarked.checks.malware import signatures
from hallmarked.core.errors import BackendError, InputError, NotFound
from hallmarked.core.evidence import Statement, Subject
from hallmarked.corpus.engine.model import Engine
from hallmarked.hub.blob.local import LocalBlobs
from hallmarked.hub.blob.possession import add_blob
from hallmarked.hub.change.commit import Delete, Message, Put, PutLarge, commit
from hallmarked.hub.change.creation import create
from hallmarked.hub.job import audit as job
from hallmarked.hub.job.audit import engine_of, task_of
from hallmarked.hub.job.queue import auditing
from hallmarked.hub.job.stage import stage
from hallmarked.hub.job.waiting import list_new, list_outdated
from hallmarked.hub.repository.repository import delete_repository, find_repository
from hallmarked.hub.repository.revision import Revision, find_revision
from hallmarked.hub.schema.repository import revision
from hallmarked.hub.schema.review import audit
from hallmarked.hub.setting import Job, Settings, Storage
from tests.checks.test_malware import FakeDaemon
from tests.hubs import RunningHub, open_test_hub

PICKLE = b"cos\nsystem\n(S'true'\ntR."


def push(hub: RunningHub, name: str, files: dict[str, bytes], who: str = "ada") -> str:
    """Commit files to a model, which is made when it is not there."""
    actor = hub.actor(who)
    with hub.hub.database.write() as db:
        try:
            repo = find_repository(db, "model", f"{who}/{name}")
        except NotFound:
            repo = create(db, actor, "model", name)
        return commit(db, repo, actor, [Put(path, data) for path, data in files.items()], Message("push")).oid


def look(hub: RunningHub, name: str, oid: str) -> Revision:
    with hub.hub.database.read() as db:
        return find_revision(db, find_repository(db, "model", name), oid)


def task(hub: RunningHub, name: str, oid: str) -> job.Task:
    with hub.hub.database.read() as db:
        return task_of(find_repository(db, "model", name).id, oid)


def audits(hub: RunningHub, oid: str) -> list[list[int]]:
    with hub.hub.database.read() as db:
        return list(db.execute(select(audit.c.entries).where(audit.c.revision == oid)).scalars())


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[RunningHub]:
    with open_test_hub(tmp_path) as running:
        yield running


@pytest.mark.slow
def test_workflows_come_to_an_end_and_set_the_state(hub: RunningHub) -> None:
    """A revision with a pickle that runs a command is held back for that reason; a harmless one becomes available."""
    bad = push(hub, "bad", {"model.pkl": PICKLE})
    good = push(hub, "good", {"README.md": b"# Nothing here"})
    assert look(hub, "ada/bad", bad).state == "checking"
    with auditing(hub.hub):
        hub.await_audits()
    held, available = look(hub, "ada/bad", bad), look(hub, "ada/good", good)
    assert (held.state, held.audited) == ("held", True)
    assert held.reason.startswith("model.pkl: ")
    assert "os.system" in held.reason
    assert "PKL001" in held.reason
    assert (available.state, available.reason) == ("available", "")


def test_a_step_that_is_repeated_has_its_effect_once(hub: RunningHub) -> None:
    """However often the steps of an audit are repeated, one audit is kept and its statements are logged once."""
    oid = push(hub, "good", {"README.md": b"# Nothing here"})
    todo = task(hub, "ada/good", oid)
    assert job.begin(hub.hub, todo)
    job.examine(hub.hub, todo)
    job.examine(hub.hub, todo)
    first = job.attest(hub.hub, todo)
    size = hub.hub.journal.size
    assert job.begin(hub.hub, todo)
    assert job.attest(hub.hub, todo) == first
    job.settle(hub.hub, todo, first)
    job.settle(hub.hub, todo, first)
    assert not job.begin(hub.hub, todo)
    assert hub.hub.journal.size == size
    assert audits(hub, oid) == [first]


def test_an_audit_that_never_ends_is_given_up(hub: RunningHub) -> None:
    """After so many attempts the answer is unknown, with a reason, and nobody tries again."""
    oid = push(hub, "good", {"README.md": b"# Nothing here"})
    todo = task(hub, "ada/good", oid)
    for _ in range(hub.hub.settings.job.attempts):
        assert job.begin(hub.hub, todo)
    assert not job.begin(hub.hub, todo)
    at = look(hub, "ada/good", oid)
    assert at.state == "unknown"
    assert "never came to its end" in at.reason


def test_the_last_failure_is_the_reason(hub: RunningHub) -> None:
    """When the bytes of a file are gone, the revision ends as unknown and says so."""
    oid = push(hub, "good", {"README.md": b"# Nothing here"})
    todo = task(hub, "ada/good", oid)
    job.note_failure(hub.hub, todo, "the storage is away")
    assert look(hub, "ada/good", oid).reason == "it could not be checked yet: the storage is away"
    for _ in range(hub.hub.settings.job.attempts + 1):
        job.begin(hub.hub, todo)
    assert look(hub, "ada/good", oid).state == "unknown"
    assert "the storage is away" in look(hub, "ada/good", oid).reason


def test_a_revision_without_files_is_unknown(hub: RunningHub) -> None:
    """Where nothing was looked at, nothing is claimed."""
    push(hub, "good", {"README.md": b"# Nothing here"})
    with hub.hub.database.write() as db:
        repo = find_repository(db, "model", "ada/good")
        changes = [Delete("README.md"), Delete(".gitattributes")]
        oid = commit(db, repo, hub.actor("ada"), changes, Message("empty it")).oid
    job.audit_revision(hub.hub, task(hub, "ada/good", oid))
    assert look(hub, "ada/good", oid).state == "unknown"


def test_whoever_pushes_much_keeps_nobody_waiting(hub: RunningHub) -> None:
    """Of each account a few audits at most are handed out at once, oldest first."""
    flood = [push(hub, "many", {f"{n}.txt": str(n).encode()}) for n in range(5)]
    one = push(hub, "one", {"a.txt": b"a"}, who="bob")
    with hub.hub.database.read() as db:
        waiting = [item.task.oid for item in list_new(db, 100)]
    assert one in waiting
    assert flood[0] in waiting
    assert flood[4] not in waiting


def test_new_rules_judge_old_revisions_again(hub: RunningHub) -> None:
    """A revision that other rules judged is listed, the one first that was audited longest ago; never a deleted one."""
    made = [push(hub, "good", {"a.txt": str(number).encode()}) for number in range(3)]
    push(hub, "gone", {"a.txt": b"a"})
    with hub.hub.database.write() as db:
        delete_repository(db, find_repository(db, "model", "ada/gone").id)
        for settled, oid in zip((3, 1, 2), made, strict=True):
            marks = {"audited": True, "state": "available", "rule_set": "0" * 64, "settled": settled}
            db.execute(update(revision).where(revision.c.oid == oid).values(**marks))
    with hub.hub.database.read() as db:
        assert [item.task.oid for item in list_outdated(db, 10)] == [made[1], made[2], made[0]]
        assert [item.task.oid for item in list_outdated(db, 1)] == [made[1]]
        again = list_outdated(db, 1)[0].task
    job.give_up(hub.hub, again, "only for the order")
    with hub.hub.database.read() as db:
        assert [item.task.oid for item in list_outdated(db, 10)] == [made[2], made[0]]


def test_newer_signatures_judge_old_revisions_again(hub: RunningHub) -> None:
    """A revision is listed when the scanner knows more than it did then, and not when a scanner here knows less."""
    oid = push(hub, "good", {"a.txt": b"a"})
    job.give_up(hub.hub, replace(task(hub, "ada/good", oid), signatures=27001), "only for the mark")
    with hub.hub.database.read() as db:
        assert list_outdated(db, 10, 0) == list_outdated(db, 10, 27000) == list_outdated(db, 10, 27001) == []
        newer = [item.task for item in list_outdated(db, 10, 27002)]
    assert [(one.oid, one.signatures) for one in newer] == [(oid, 27002)]
    assert newer[0].id != task(hub, "ada/good", oid).id


@pytest.mark.slow
def test_malware_that_becomes_known_is_found_in_what_is_there(
    hub: RunningHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """New signatures hold back an old revision; of what had been said before, nothing is logged again."""
    monkeypatch.setenv("HALLMARKED_CLAMD", f"unix:{tmp_path}/clamd")
    daemon = FakeDaemon(tmp_path / "clamd", {})
    daemon.start()
    oid = push(hub, "good", {"a.bin": b"unknown as yet"})
    job.audit_revision(hub.hub, replace(task(hub, "ada/good", oid), signatures=signatures()))
    assert look(hub, "ada/good", oid).state == "available"
    first, size = audits(hub, oid)[0], hub.hub.journal.size
    daemon.version = "ClamAV 1.4.3/27001/Fri Jan  2 10:00:00 2026"
    daemon.answers[b"unknown as yet"] = "stream: Win.Test.X-1 FOUND"
    with hub.hub.database.read() as db:
        todo = list_outdated(db, 10, signatures())
    assert [item.task.oid for item in todo] == [oid]
    job.audit_revision(hub.hub, todo[0].task)
    assert look(hub, "ada/good", oid).state == "held"
    second = next(entries for entries in audits(hub, oid) if entries != first)
    assert len(second) == len(first)
    assert len(set(second) - set(first)) == hub.hub.journal.size - size == 2  # of the scanner, and the decision
    with hub.hub.database.read() as db:
        assert list_outdated(db, 10, signatures()) == []
        kept = list(db.execute(select(audit.c.statements, audit.c.entries)))
    for bodies, entries in kept:
        assert hub.hub.journal.holds([Statement.from_dict(body) for body in bodies], entries)
    assert not job.begin(hub.hub, replace(todo[0].task, signatures=27002))  # nobody here knows so much
    monkeypatch.setenv("HALLMARKED_CLAMD", f"unix:{tmp_path}/away")
    for other in ("0" * 64, "1" * 64):
        job.audit_revision(hub.hub, replace(todo[0].task, rule_set=other, signatures=0))
        assert look(hub, "ada/good", oid).state == "held"  # a scanner that is away clears nobody
    assert len(audits(hub, oid)) == 4


@pytest.mark.slow
def test_new_revisions_do_not_wait_for_old_ones(tmp_path: Path) -> None:
    """While older revisions are audited again, few at a time, what is pushed is audited at once."""
    chosen = Settings(storage=Storage(data=str(tmp_path / "data")), job=Job(recheck_per_minute=2))
    with open_test_hub(tmp_path, chosen) as running:
        old = [push(running, f"old{number}", {"a.txt": b"a"}) for number in range(5)]
        with running.hub.database.write() as db:
            marks = {"audited": True, "state": "available", "rule_set": "0" * 64}
            db.execute(update(revision).values(**marks))
        new = push(running, "new", {"a.txt": b"a"}, who="bob")
        with auditing(running.hub):
            running.await_audits()
        assert look(running, "bob/new", new).audited
        with running.hub.database.read() as db:
            done = db.execute(select(audit.c.revision)).scalars().all()
        assert new in done
        assert len([oid for oid in done if oid in old]) <= 2


def test_what_was_hidden_is_logged_anew_once_it_is_public(hub: RunningHub) -> None:
    """An entry that hides its subject is not used for a public revision, nor the other way round."""
    oid = push(hub, "good", {"a.txt": b"a"})
    with hub.hub.database.read() as db:
        name = find_repository(db, "model", "ada/good").name
    said = Statement((Subject(name, {"gitCommit": oid}),), "urn:example:said:v1", {"a": "b"})
    open_, hidden = (hub.hub.journal.attest([said], hidden=flag)[0].index for flag in (False, True))
    assert hub.hub.journal.stands(open_, said, hidden=False)
    assert not hub.hub.journal.stands(open_, said, hidden=True)
    assert hub.hub.journal.stands(hidden, said, hidden=True)
    assert not hub.hub.journal.stands(hidden, said, hidden=False)
    assert not hub.hub.journal.stands(open_, replace(said, predicate={}), hidden=False)


def test_missing_bytes_are_an_error_not_a_verdict(hub: RunningHub) -> None:
    """A file that storage lost fails the audit; nothing is said of the revision."""
    data = b"x" * 1000
    with hub.hub.blobs.receive() as incoming:
        incoming.write(data)
        stored = incoming.finish()
    push(hub, "large", {"a.txt": b"a"})
    with hub.hub.database.write() as db:
        add_blob(db, stored.sha256, stored.size, passive=False, account_id=hub.actor("ada").account_id)
        repo = find_repository(db, "model", "ada/large")
        oid = commit(db, repo, hub.actor("ada"), [PutLarge("w.bin", stored.sha256)], Message("large")).oid
    hub.hub.blobs.delete(hashlib.sha256(data).hexdigest())
    todo = task(hub, "ada/large", oid)
    job.begin(hub.hub, todo)
    with pytest.raises((BackendError, NotFound)):
        job.examine(hub.hub, todo)
    assert look(hub, "ada/large", oid).state == "checking"
    assert audits(hub, oid) == []


class Far(LocalBlobs):
    """A storage whose files are on no disk of this machine, like S3's."""

    def path(self, sha256: str) -> Path | None:
        return None


def test_files_on_other_machines_are_fetched_and_compared(hub: RunningHub, tmp_path: Path) -> None:
    """Checks read what was fetched; other bytes than the hub stored are an error, and nothing stays behind."""
    blobs = Far(tmp_path / "far")
    with blobs.receive() as incoming:
        incoming.write(PICKLE)
        stored = incoming.finish()
    push(hub, "far", {"a.txt": b"a"})
    with hub.hub.database.write() as db:
        add_blob(db, stored.sha256, stored.size, passive=False, account_id=hub.actors["ada"].account_id)
        repo = find_repository(db, "model", "ada/far")
        changes = [PutLarge("w.pkl", stored.sha256), PutLarge("again.pkl", stored.sha256)]
        oid = commit(db, repo, hub.actors["ada"], changes, Message("large")).oid
        at = find_revision(db, repo, oid)
    scratch = tmp_path / "scratch"
    with stage(hub.hub.database, blobs, repo, at, scratch) as artifact:
        with artifact.open("w.pkl") as stream:
            assert stream.read() == PICKLE
        assert artifact.digests()["again.pkl"] == stored.sha256
        again = from_description(artifact.describe())
        assert again.subject == artifact.subject
        with again.open("a.txt") as stream:
            assert stream.read() == b"a"
    LocalBlobs.path(blobs, stored.sha256).write_bytes(PICKLE[::-1])  # type: ignore[union-attr]
    with (
        pytest.raises(BackendError, match="other bytes"),
        stage(hub.hub.database, blobs, repo, at, scratch),
    ):
        pass
    assert list(scratch.iterdir()) == []


def test_an_artifact_notices_what_changed_under_it(hub: RunningHub, tmp_path: Path) -> None:
    """A manifest that somebody wrote to, or bytes of another size, are refused."""
    oid = push(hub, "m", {"a.txt": b"abc"})
    with hub.hub.database.read() as db:
        repo = find_repository(db, "model", "ada/m")
        at = find_revision(db, repo, oid)
    with stage(hub.hub.database, hub.hub.blobs, repo, at, tmp_path) as artifact:
        described = artifact.describe()
        manifest = Path(described["stored"])
        kept = manifest.read_bytes()
        manifest.write_bytes(kept.replace(b"a.txt", b"b.txt"))
        with pytest.raises(InputError, match="changed"):
            from_description(described)
        manifest.write_bytes(kept)
        for pack in manifest.parent.glob("small"):
            pack.write_bytes(b"")
        with pytest.raises(BackendError, match="not those the hub stored"):
            artifact.open("a.txt")
        with pytest.raises(NotFound):
            artifact.open("c.txt")


def test_so_many_processes_read_a_data_set_as_the_settings_say() -> None:
    """One when they say nothing, one per core and at most four for 0; a number that nobody can mean is refused."""
    assert engine_of(Settings(job=Job(processes=3))) == Engine(3)
    assert engine_of(Settings()) == Engine(1)
    assert 1 <= engine_of(Settings(job=Job(processes=0))).processes <= 4
    with pytest.raises(InputError, match="-1 processes"):
        engine_of(Settings(job=Job(processes=-1)))
