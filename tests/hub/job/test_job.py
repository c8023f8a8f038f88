"""Audits of what was pushed: states, evidence, exactly once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select, update

from hallmarked.artifacts.source import from_description
from hallmarked.core.errors import BackendError, InputError, NotFound
from hallmarked.core.evidence import Statement
from hallmarked.hub.blob.local import LocalBlobs
from hallmarked.hub.blob.possession import add_blob
from hallmarked.hub.change.commit import Delete, Message, Put, PutLarge, commit
from hallmarked.hub.change.creation import create
from hallmarked.hub.job import audit as job
from hallmarked.hub.job.audit import task_of
from hallmarked.hub.job.queue import auditing
from hallmarked.hub.job.stage import stage
from hallmarked.hub.job.waiting import list_new, list_outdated
from hallmarked.hub.repository.repository import change_settings, find_repository
from hallmarked.hub.repository.revision import Revision, find_revision
from hallmarked.hub.review.finding import check_of
from hallmarked.hub.schema.repository import revision
from hallmarked.hub.schema.review import audit
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


@pytest.mark.slow
def test_new_rules_judge_old_revisions_again(hub: RunningHub) -> None:
    """A revision that other rules judged is listed: what a branch names first, then the others."""
    old, new = push(hub, "good", {"a.txt": b"a"}), push(hub, "good", {"a.txt": b"b"})
    hub.audit_all()
    with hub.hub.database.write() as db:
        assert list_outdated(db, 10) == []
        db.execute(update(revision).values(rule_set="0" * 64))
        db.execute(update(audit).values(id=audit.c.id + "-old", rule_set="0" * 64))
        listed = [item.task.oid for item in list_outdated(db, 10)]
    assert listed[0] == new
    assert old in listed[1:]
    job.audit_revision(hub.hub, task(hub, "ada/good", new))
    assert len(audits(hub, new)) == 2
    with hub.hub.database.read() as db:
        assert new not in [item.task.oid for item in list_outdated(db, 10)]


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


def stated(hub: RunningHub, oid: str) -> dict[str, Statement]:
    with hub.hub.database.read() as db:
        bodies = db.execute(select(audit.c.statements).where(audit.c.revision == oid)).scalar_one()
    return {check_of(one): one for one in map(Statement.from_dict, bodies) if check_of(one)}


@pytest.mark.slow
def test_the_same_files_are_not_examined_twice(hub: RunningHub) -> None:
    """The same tree under the same rules gets the same statements about itself, which say where they come from."""
    files = {"model.pkl": PICKLE, "README.md": b"# A"}
    first = push(hub, "one", files)
    push(hub, "one", {"README.md": b"# B"})
    again = push(hub, "one", files)
    hub.audit_all()
    old, new = stated(hub, first), stated(hub, again)
    assert old.keys() == new.keys()
    reused = {check for check, one in new.items() if "reused" in one.predicate}
    assert reused == set(new) - {"malware"}
    for check in reused:
        note = new[check].predicate["reused"]
        assert note["gitCommit"] == first
        assert hub.hub.journal.holds([old[check]], [note["entry"]])
        rest = {key: value for key, value in new[check].predicate.items() if key != "reused"}
        assert rest == old[check].predicate
        assert new[check].subjects[0].digest["gitCommit"] == again
        assert new[check].subjects[0].digest["dirHash"] == old[check].subjects[0].digest["dirHash"]
    assert look(hub, "ada/one", again).reason == look(hub, "ada/one", first).reason


@pytest.mark.slow
def test_nobody_learns_that_somebody_has_the_same_files_in_private(hub: RunningHub) -> None:
    """What was said of a private repository is not used for another one."""
    files = {"README.md": b"# Only here"}
    push(hub, "hidden", files)
    with hub.hub.database.write() as db:
        change_settings(db, find_repository(db, "model", "ada/hidden").id, visibility="private")
    hub.audit_all()
    other = push(hub, "other", files, who="bob")
    hub.audit_all()
    assert not any("reused" in one.predicate for one in stated(hub, other).values())


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
