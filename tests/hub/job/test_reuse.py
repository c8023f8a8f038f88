"""What was said of a file is not established twice, and no statement differs for that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select, update

from hallmarked.checks import registry
from hallmarked.checks.earlier import Look
from hallmarked.checks.runner import Result, run
from hallmarked.core.check import Extent
from hallmarked.core.errors import BackendError
from hallmarked.core.evidence import Gap, Measurement, Statement
from hallmarked.core.sandbox import Limits
from hallmarked.hub.blob.local import LocalBlobs
from hallmarked.hub.blob.possession import add_blob
from hallmarked.hub.blob.remote import ObjectBlobs
from hallmarked.hub.change.commit import Delete, Message, Put, PutLarge, commit
from hallmarked.hub.change.creation import create
from hallmarked.hub.clock import now
from hallmarked.hub.job import audit as job
from hallmarked.hub.job import reuse
from hallmarked.hub.job.audit import task_of
from hallmarked.hub.job.reuse import Memory
from hallmarked.hub.job.stage import stage
from hallmarked.hub.repository.repository import Repository
from hallmarked.hub.repository.revision import Entry, Revision, find_revision, list_files
from hallmarked.hub.review.finding import check_of
from hallmarked.hub.schema.repository import repository
from hallmarked.hub.schema.review import audit, draft, look
from hallmarked.hub.setting import Settings, Storage
from hallmarked.hub.upkeep.garbage import Terms, collect_garbage
from tests.checks.test_earlier import CONTENTS, EXTERNAL, PATHS
from tests.checks.test_malware import FakeDaemon
from tests.hubs import RunningHub, open_test_hub

SINGLE = [name for name in registry.available() if registry.load(name)[0].extent is Extent.FILE]
LARGE = b"cos\nsystem\n(S'true'\ntR." + bytes(1 << 16)
AT_ONCE = Terms(grace=timedelta(0), remembered=timedelta(0), restore=timedelta(0))


def make(hub: RunningHub, name: str, *, private: bool = False, who: str = "ada") -> Repository:
    actor = hub.actor(who)
    with hub.hub.database.write() as db:
        return create(db, actor, "model", name, visibility="private" if private else "public")


def change(hub: RunningHub, repo: Repository, files: Mapping[str, bytes | None], who: str = "ada") -> Revision:
    """Commit files; None removes one."""
    changes = [Delete(path) if data is None else Put(path, data) for path, data in files.items()]
    actor = hub.actor(who)
    with hub.hub.database.write() as db:
        made = commit(db, repo, actor, changes, Message("change"))
        return find_revision(db, repo, made.oid)


def upload(hub: RunningHub, repo: Repository, path: str, data: bytes) -> str:
    """Commit a large file and return its digest."""
    with hub.hub.blobs.receive() as incoming:
        incoming.write(data)
        stored = incoming.finish()
    actor = hub.actor("ada")
    with hub.hub.database.write() as db:
        add_blob(db, stored.sha256, stored.size, passive=False, account_id=actor.account_id)
        commit(db, repo, actor, [PutLarge(path, stored.sha256)], Message("large"))
    return stored.sha256


def examine(hub: RunningHub, repo: Repository, at: Revision, memory: Memory) -> tuple[list[Result], set[str]]:
    """Run the checks of single files in this process as an audit does; return what they said and the files read."""
    with hub.hub.database.read() as db:
        entries = list_files(db, at)
        earlier = memory.recall(db, entries)
    opened: set[str] = set()
    with stage(hub.hub.database, hub.hub.blobs, repo, at, hub.hub.settings.scratch) as artifact:
        whole = artifact.open

        def note(path: str) -> BinaryIO:
            opened.add(path)
            return whole(path)

        artifact.open = note  # type: ignore[method-assign]
        results = [run(registry.load(name)[0], artifact, earlier[name]) for name in SINGLE]
    memory.keep(hub.hub.database, entries, results)
    return results, opened


def stated(results: list[Result], at: Revision, repo: Repository, hub: RunningHub) -> list[Statement]:
    with stage(hub.hub.database, hub.hub.blobs, repo, at, hub.hub.settings.scratch) as artifact:
        return [result.to_statement(artifact.subject, "0") for result in results]


def count(hub: RunningHub) -> int:
    with hub.hub.database.read() as db:
        return db.execute(select(func.count()).select_from(look)).scalar_one()


def test_after_any_edits_the_statements_are_those_of_a_whole_audit(tmp_path: Path) -> None:
    """Whatever sequence of commits, an audit that remembers states what one that looks at everything does."""
    edits = st.dictionaries(st.sampled_from(PATHS), st.none() | st.sampled_from(CONTENTS), min_size=1, max_size=4)
    with open_test_hub(tmp_path) as hub:
        number = iter(range(10_000))

        @settings(max_examples=12)
        @given(st.lists(edits, min_size=2, max_size=4))
        def compare(history: list[dict[str, bytes | None]]) -> None:
            repo = make(hub, f"m{next(number)}")
            there: dict[str, bytes] = {}
            for step in history:
                wanted = {path: data for path, data in step.items() if data is not None or path in there}
                there = {path: data for path, data in (there | wanted).items() if data is not None}
                if not wanted or not there:
                    continue
                at = change(hub, repo, wanted)
                some, opened = examine(hub, repo, at, Memory(repo.id, Limits(), least=0))
                again, none = examine(hub, repo, at, Memory(repo.id, Limits(), least=0))
                whole, every = examine(hub, repo, at, Memory(repo.id, Limits(), least=1 << 30))
                assert stated(some, at, repo, hub) == stated(whole, at, repo, hub) == stated(again, at, repo, hub)
                assert opened <= every
                assert {there[path] for path in none} <= {EXTERNAL}  # what that says hangs on another file

        compare()


@pytest.fixture
def daemon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeDaemon:
    monkeypatch.setenv("HALLMARKED_CLAMD", f"unix:{tmp_path}/clamd")
    started = FakeDaemon(tmp_path / "clamd", {LARGE: "stream: Win.Test.X-1 FOUND"})
    started.start()
    return started


def statements(hub: RunningHub, at: Revision) -> dict[str, Statement]:
    with hub.hub.database.read() as db:
        bodies = db.execute(select(audit.c.statements).where(audit.c.revision == at.oid)).scalar_one()
    return {check_of(one): one for one in map(Statement.from_dict, bodies) if check_of(one)}


@pytest.mark.slow
def test_an_edit_of_the_card_leaves_a_large_file_alone(hub: RunningHub, daemon: FakeDaemon) -> None:
    """The audit of the new revision hands the large file to nobody, and states all of its files as a whole one does."""
    repo = make(hub, "m")
    change(hub, repo, {"README.md": b"# A"})
    upload(hub, repo, "model.pkl", LARGE)
    hub.audit_all()
    assert daemon.streams.count(LARGE) == 1
    daemon.streams.clear()
    at = change(hub, repo, {"README.md": b"# B"})
    hub.audit_all()
    assert LARGE not in daemon.streams
    assert b"# B" in daemon.streams
    some = statements(hub, at)
    assert set(some["inventory"].predicate["files"]) == {".gitattributes", "README.md", "model.pkl"}
    assert {finding["rule"] for finding in some["malware"].predicate["findings"]} == {"MAL001"}
    with hub.hub.database.write() as db:
        db.execute(delete(look))
        db.execute(update(audit).where(audit.c.revision == at.oid).values(id="old", revision="old"))
    task = task_of(repo.id, at.oid)
    job.examine(hub.hub, task)
    with hub.hub.database.read() as db:
        bodies = db.execute(select(draft.c.statements).where(draft.c.id == task.id)).scalar_one()
    whole = {check_of(one): one for one in map(Statement.from_dict, bodies) if check_of(one)}
    assert LARGE in daemon.streams
    assert some == whole


def test_nothing_is_known_of_another_repository(hub: RunningHub) -> None:
    """Whoever sends a file that somebody else has in private is told nothing sooner, nor what was said there."""
    mine, other = make(hub, "mine", private=True), make(hub, "other", who="bob")
    files = {"model.pkl": LARGE}
    examine(hub, mine, change(hub, mine, files), Memory(mine.id, Limits()))
    at = change(hub, other, files, who="bob")
    with hub.hub.database.read() as db:
        entries = list_files(db, at)
        assert all(not known.looks for known in Memory(other.id, Limits()).recall(db, entries).values())
        assert all(known.looks for name, known in Memory(mine.id, Limits()).recall(db, entries).items()
                   if name != "malware")  # fmt: skip


@pytest.mark.parametrize("changed", ["rules", "limits", "edition", "bytes", "path"])
def test_whatever_a_result_hangs_on_is_part_of_its_key(
    hub: RunningHub, monkeypatch: pytest.MonkeyPatch, changed: str
) -> None:
    """Other rules, limits, signatures, bytes or another name: the file is looked at again."""
    repo = make(hub, "m")
    at = change(hub, repo, {"model.pkl": LARGE})
    memory = Memory(repo.id, Limits())
    examine(hub, repo, at, memory)
    if changed == "rules":
        monkeypatch.setattr(reuse, "tool_digest", lambda: "others")
    elif changed == "limits":
        memory = Memory(repo.id, replace(Limits(), memory_bytes=1 << 30))
    elif changed == "edition":
        memory = Memory(repo.id, Limits(), checks={name: (check, "2") for name, (check, _) in memory.checks.items()})
    elif changed == "bytes":
        at = change(hub, repo, {"model.pkl": LARGE + b"."})
    else:
        at = change(hub, repo, {"model.pkl": None, "other.pkl": LARGE})
    with hub.hub.database.read() as db:
        assert not any(known.looks for known in memory.recall(db, list_files(db, at)).values())


def said(path: str, reason: str = "said") -> Result:
    """Return what a check could have said of a file."""
    result = Result("secrets", "1")
    result.looks = {path: Look((Gap(reason), Measurement("m", "1")), {"searched": True})}
    return result


def test_what_is_remembered_is_bounded(hub: RunningHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small files and long answers are not kept, and what was not used for longest makes room."""
    repo = make(hub, "m")
    memory = Memory(repo.id, Limits())
    entries = [Entry(f"{n}.bin", "0" * 40, size=1 << 20, sha256=f"{n:064}") for n in range(6)]
    memory.keep(hub.hub.database, [replace(entries[0], size=100)], [said("0.bin")])
    memory.keep(hub.hub.database, entries, [said("0.bin", "x" * reuse.LONGEST), said("elsewhere.bin")])
    assert count(hub) == 0
    monkeypatch.setattr(reuse, "MOST", 3)
    for number, entry in enumerate(entries):
        memory.keep(hub.hub.database, entries, [said(entry.path)])
        with hub.hub.database.write() as db:
            db.execute(update(look).where(look.c.path == entry.path).values(used=now() + number))
    memory.keep(hub.hub.database, entries, [])
    with hub.hub.database.read() as db:
        assert set(db.execute(select(look.c.path)).scalars()) == {"3.bin", "4.bin", "5.bin"}


@pytest.mark.slow
def test_it_is_remembered_in_postgresql_too(tmp_path: Path, postgres_url: str) -> None:
    """What one audit said comes back in the next one, is brought up to date, and goes with the repository."""
    chosen = Settings(storage=Storage(data=str(tmp_path / "data"), database=postgres_url))
    with open_test_hub(tmp_path, chosen) as running:
        repo = make(running, "m")
        at = change(running, repo, {"model.pkl": LARGE})
        first, _ = examine(running, repo, at, Memory(repo.id, Limits()))
        again, opened = examine(running, repo, at, Memory(repo.id, Limits()))
        assert "model.pkl" not in opened
        assert stated(again, at, repo, running) == stated(first, at, repo, running)
        other = replace(Limits(), memory_bytes=1 << 30)
        examine(running, repo, at, Memory(repo.id, other))
        _, opened = examine(running, repo, at, Memory(repo.id, other))
        assert "model.pkl" not in opened
        rows = count(running)
        with running.hub.database.write() as db:
            db.execute(update(repository).values(deleted=1))
        collect_garbage(running.hub, AT_ONCE)
        assert (rows, count(running)) == (3, 0)


def test_what_is_used_stays(hub: RunningHub) -> None:
    """What an audit asked for is forgotten later than what none did."""
    repo = make(hub, "m")
    memory = Memory(repo.id, Limits())
    entries = [Entry(f"{n}.bin", "0" * 40, size=1 << 20, sha256=f"{n:064}") for n in range(2)]
    memory.keep(hub.hub.database, entries, [said("0.bin"), said("1.bin")])
    with hub.hub.database.write() as db:
        db.execute(update(look).values(used=now() - reuse.UNUSED - reuse.DAY))
    memory.keep(hub.hub.database, entries[:1], [])
    collect_garbage(hub.hub, Terms())
    with hub.hub.database.read() as db:
        assert list(db.execute(select(look.c.path)).scalars()) == ["0.bin"]


def test_what_was_said_goes_with_the_bytes(hub: RunningHub) -> None:
    """When a large file is cleaned up, or its repository, so is what was said of it."""
    repo = make(hub, "m")
    digest = upload(hub, repo, "model.pkl", LARGE)
    with hub.hub.database.read() as db:
        at = find_revision(db, repo, "main")
    examine(hub, repo, at, Memory(repo.id, Limits()))
    assert count(hub)
    with hub.hub.database.write() as db:
        reuse.forget(db, "0" * 64)
    assert count(hub)
    with hub.hub.database.write() as db:
        reuse.forget(db, digest)
    assert not count(hub)
    examine(hub, repo, at, Memory(repo.id, Limits()))
    with hub.hub.database.write() as db:
        db.execute(update(repository).values(deleted=1))
    collect_garbage(hub.hub, AT_ONCE)
    assert not count(hub)
    assert hub.hub.blobs.size(digest) is None


class Far(LocalBlobs):
    """A storage whose files are on no disk of this machine; it counts what is read of them."""

    read = 0

    def path(self, sha256: str) -> Path | None:
        return None

    def open(self, sha256: str) -> BinaryIO:
        if self.lost:
            raise BackendError("the storage is away")
        stream, whole = super().open(sha256), Far

        class Counted:
            def __enter__(self) -> Counted:
                return self

            def __exit__(self, *_: object) -> None:
                stream.close()

            def seek(self, offset: int) -> int:
                return stream.seek(offset)

            def read(self, size: int) -> bytes:
                data = stream.read(size)
                whole.read += len(data)
                return data

        return Counted()  # type: ignore[return-value]

    lost = False


@pytest.fixture
def far(tmp_path: Path) -> Iterator[RunningHub]:
    with open_test_hub(tmp_path) as running:
        Far.read = 0
        running.hub = replace(running.hub, blobs=Far(tmp_path / "far"))
        yield running


@pytest.mark.slow
def test_a_file_on_another_machine_is_fetched_once(far: RunningHub) -> None:
    """The first audit of a file fetches it; the next one asks for a little of it, and states the same about it."""
    repo = make(far, "m")
    large = LARGE + bytes(4 << 20)
    upload(far, repo, "model.pkl", large)
    far.audit_all()
    assert Far.read >= len(large)
    Far.read = 0
    at = change(far, repo, {"README.md": b"# B"})
    far.audit_all()
    assert 0 < Far.read < 3 << 20
    found = statements(far, at)["serialization"].predicate["findings"]
    assert "PKL001" in {finding["rule"] for finding in found}


def test_a_settled_file_that_storage_lost_is_an_error(far: RunningHub) -> None:
    """A file that need not be fetched still has to be there, and be readable while checks ask for it."""
    repo = make(far, "m")
    digest = upload(far, repo, "model.pkl", LARGE)
    with far.hub.database.read() as db:
        at = find_revision(db, repo, "main")
    place = far.hub, repo, at, far.hub.settings.scratch
    with stage(place[0].database, place[0].blobs, *place[1:], {"model.pkl"}) as artifact:
        with artifact.open("model.pkl") as stream:
            assert stream.read() == LARGE
        artifact.confirm_unchanged()
        Far.lost = True
        try:
            with pytest.raises(BackendError), artifact.open("model.pkl") as stream:
                stream.read(1)
        finally:
            Far.lost = False
        with pytest.raises(BackendError, match="storage is away"):
            artifact.confirm_unchanged()
    far.hub.blobs.delete(digest)
    with (
        pytest.raises(BackendError, match=r"does not have the bytes of model\.pkl"),
        stage(place[0].database, place[0].blobs, *place[1:], {"model.pkl"}),
    ):
        pass


@pytest.mark.slow
@pytest.mark.enable_socket
def test_files_in_object_storage_are_read_by_ranges(tmp_path: Path, s3_url: str) -> None:
    """What is settled is asked of object storage range by range, as far as checks of all files need it."""
    with open_test_hub(tmp_path) as running:
        running.hub = replace(running.hub, blobs=ObjectBlobs(s3_url.format(prefix="reuse"), ""))
        repo = make(running, "m")
        upload(running, repo, "model.pkl", LARGE)
        running.audit_all()
        at = change(running, repo, {"README.md": b"# B"})
        running.audit_all()
        found = statements(running, at)
        assert "PKL001" in {finding["rule"] for finding in found["serialization"].predicate["findings"]}
        assert not found["code"].predicate.get("gaps")
