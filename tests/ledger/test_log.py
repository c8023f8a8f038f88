"""The append-only log: durable, whole, and honest about damage."""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from hallmarked.core.errors import BackendError, InputError, NotFound, VerificationError
from hallmarked.core.evidence import Statement, Subject
from hallmarked.ledger.bundle import export_bundle
from hallmarked.ledger.canonical import statement_bytes
from hallmarked.ledger.checkpoint import Checkpoint, read_checkpoint
from hallmarked.ledger.dsse import sign_envelope
from hallmarked.ledger.log import Entry, Log
from hallmarked.ledger.merkle import Frontier, leaf_hash, prove_consistency, verify_consistency
from hallmarked.ledger.note import NoteKey, open_note, sign_note, split_note
from hallmarked.ledger.place import open_store
from hallmarked.ledger.sqlite import SqliteMemory, SqliteStore
from hallmarked.ledger.tile import TileTree, list_tiles
from hallmarked.ledger.verify import verify_bundle
from hallmarked.ledger.witness import Witness, WitnessRefusal
from hallmarked.ledger.writer import GroupWriter
from tests import postgres
from tests.ledger.place import Place, broken
from tests.ledger.support import (
    LOG_KEY,
    MAKER,
    NOW,
    ORIGIN,
    STRANGER,
    TEST_RESULT,
    TRUST,
    WITNESS,
    fill_log,
    make_entry,
    make_statement,
)

WRITER = Path(__file__).with_name("crash_writer.py")


def test_receipts(place: Place) -> None:
    """Indexes count up, and each receipt's checkpoint covers its entry."""
    log = place.open()
    receipts = [r for numbers in ((0,), (1, 2, 3), (4,)) for r in log.append([make_entry(n) for n in numbers])]
    assert [receipt.index for receipt in receipts] == [0, 1, 2, 3, 4]
    sizes = [read_checkpoint(split_note(receipt.checkpoint)[0]).size for receipt in receipts]
    assert sizes == [1, 4, 4, 4, 5]
    assert log.receipt(2).leaf == receipts[2].leaf == make_entry(2).leaf
    with pytest.raises(InputError):
        log.receipt(5)
    log.close()


def test_checkpoint_is_signed_by_the_log(place: Place) -> None:
    """The checkpoint is a note under the log's origin over exactly the entries there are, also when there are none."""
    log = place.open()
    assert log.append([]) == []
    for count in (0, 3):
        log.append([make_entry(number) for number in range(count)])
        text, signed = open_note(log.checkpoint(), [NoteKey(ORIGIN, LOG_KEY.public)])
        root = Frontier(leaf_hash(make_entry(number).leaf) for number in range(count)).root()
        assert read_checkpoint(text) == Checkpoint(ORIGIN, count, root)
        assert len(signed) == 1
    log.close()


def test_unverified_envelopes_do_not_enter() -> None:
    """An envelope that its key did not sign makes no entry."""
    with pytest.raises(VerificationError):
        Entry.of(make_entry(0).envelope, STRANGER.public, NOW)
    assert Entry.of(make_entry(0).envelope, MAKER.public, NOW) == make_entry(0)


def test_check_of_a_whole_log(place: Place) -> None:
    """A log of several tiles and commits passes its own check; erased envelopes are counted."""
    log = place.open()
    for start in range(0, 1500, 50):
        log.append([make_entry(number) for number in range(start, start + 50)])
    log.erase(make_entry(7).envelope.digest)
    report = log.check()
    assert (report.size, report.erased, report.faults) == (1500, 1, ())
    log.close()
    for tile in ((0, 1), (0, 5), (1, 0)):
        ((good,),) = place.edit("SELECT hashes FROM tile WHERE level = ? AND idx = ?", *tile)
        place.edit("UPDATE tile SET hashes = ? WHERE level = ? AND idx = ?", bytes(32), *tile)
        assert place.check()[1] == (f"tile {tile[1]} at level {tile[0]} differs from the entries",)
        place.edit("UPDATE tile SET hashes = ? WHERE level = ? AND idx = ?", good, *tile)


THIRD, FIRST = (make_entry(number).envelope for number in (2, 0))


@pytest.mark.parametrize(
    ("sql", "values", "fault"),
    [
        ("UPDATE leaf SET record = (SELECT record FROM leaf WHERE idx = 1) WHERE idx = 2", [], "root"),
        ("DELETE FROM leaf WHERE idx = 2", [], "missing"),
        ("DELETE FROM leaf WHERE idx = 4", [], "more than"),
        ("INSERT INTO leaf SELECT 5, record FROM leaf WHERE idx = 1", [], "no checkpoint covers"),
        ("UPDATE leaf SET record = ? WHERE idx = 2", [b"{}"], "entry 2"),
        ("DELETE FROM envelope WHERE digest = ?", [THIRD.digest], "entry 2"),
        ("UPDATE envelope SET body = ? WHERE digest = ?", [FIRST.to_json(), THIRD.digest], "entry 2"),
        ("UPDATE envelope SET body = ? WHERE digest = ?", [THIRD.to_json() + b" ", THIRD.digest], "one form"),
        ("UPDATE envelope SET body = ? WHERE digest = ?", [b"", THIRD.digest], "entry 2"),
        ("UPDATE tile SET hashes = ?", [bytes(160)], "tile"),
        ("DELETE FROM tile", [], "tile"),
        ("DELETE FROM signer WHERE use = 'signer'", [], "not known"),
        ("DELETE FROM signer WHERE use = 'log'", [], "not signed"),
        ("DELETE FROM checkpoint", [], "no checkpoint covers the entries from 0 on"),
        ("DELETE FROM checkpoint WHERE size = 5", [], "no checkpoint covers"),
        ("UPDATE checkpoint SET root = ? WHERE size = 5", [bytes(32)], "something else"),
        ("UPDATE checkpoint SET note = 'x' WHERE size = 5", [], "signed note"),
        (
            "UPDATE checkpoint SET note = (SELECT note FROM checkpoint WHERE size = 3) WHERE size = 5",
            [],
            "something else",
        ),
        ("UPDATE log SET name = 'other.example.org'", [], "not signed"),
        ("DELETE FROM subject WHERE idx = 2", [], "entry 2: the index"),
    ],
)
def test_check_finds_damage(place: Place, sql: str, values: list[object], fault: str) -> None:
    """Whatever is changed behind the log's back, its check names it."""
    log = place.fill(range(3))
    log.append([make_entry(3), make_entry(4)])
    log.close()
    assert place.check() == (5, ())
    place.edit(sql, *values)
    assert fault in " / ".join(place.check()[1])


@pytest.mark.parametrize(
    ("sql", "fault"),
    [
        ("UPDATE leaf SET record = '{}' WHERE idx = 2", "wrong type"),
        ("UPDATE checkpoint SET note = 7.5 WHERE size = 5", "7.5|wrong type|signed note"),
    ],
)
def test_check_finds_values_of_the_wrong_type(tmp_path: Path, sql: str, fault: str) -> None:
    """SQLite takes a value of any type; the check does not."""
    place = Place(tmp_path / "log")
    place.fill(range(5)).close()
    place.edit(sql)
    faults = " / ".join(place.check()[1])
    assert any(part in faults for part in fault.split("|")), faults


def test_check_finds_a_lying_leaf(place: Place) -> None:
    """A leaf that names another subject than its statement is a fault although everything is signed."""
    entry = make_entry(0)
    liar = Entry(entry.envelope, entry.public, entry.leaf.replace(b"dirHash:", b"dirHash:f")[:-1] + b"}")
    log = place.open()
    log.append([liar])
    assert "other subjects" in log.check().faults[0]
    log.close()


@pytest.mark.parametrize(
    ("sql", "values"),
    [
        ("UPDATE tile SET hashes = ?", [bytes(96)]),
        ("UPDATE checkpoint SET root = ? WHERE size = 3", [bytes(32)]),
        ("UPDATE checkpoint SET note = 'x' WHERE size = 3", []),
        ("UPDATE checkpoint SET note = '7' WHERE size = 3", []),
        ("DELETE FROM checkpoint WHERE size = 3", []),
        ("DELETE FROM checkpoint", []),
        ("DELETE FROM log", []),
    ],
)
def test_damaged_log_signs_nothing(place: Place, sql: str, values: list[object]) -> None:
    """A log that does not hold what it signed last refuses to sign anything else, and stays as it is."""
    place.fill(range(3)).close()
    place.edit(sql, *values)

    def append() -> None:
        store = open_store(place.where, ORIGIN)
        try:
            Log(store, LOG_KEY).append([make_entry(9)])
        finally:
            store.close()

    query = "SELECT (SELECT count(*) FROM leaf), (SELECT count(*) FROM checkpoint)"
    before = place.edit(query)
    with pytest.raises(BackendError, match="damaged"):
        append()
    assert place.edit(query) == before


@pytest.mark.parametrize("sql", ["DELETE FROM leaf WHERE record <> ?", "UPDATE leaf SET record = ? WHERE idx = 1"])
def test_lost_leaf_is_not_proven(place: Place, sql: str) -> None:
    """A log that has lost a record says so instead of proving something else."""
    log = place.fill(range(3))
    place.edit(sql, b"{}")
    for read in (lambda: log.prove([1]), lambda: export_bundle(log, [1], TRUST)):
        with pytest.raises(BackendError):
            read()
    log.close()


def test_log_without_checkpoints_cannot_be_read(place: Place) -> None:
    """A reader of a log that has lost its checkpoints is told."""
    place.fill(range(3)).close()
    place.edit("DELETE FROM checkpoint")
    log = place.open(None)
    with pytest.raises(BackendError, match="no checkpoint"):
        log.checkpoint()
    log.close()


def test_erasing_waits_for_readers(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """While somebody reads the log, bytes may stay on disk: that is said, and trying again helps."""
    monkeypatch.setattr(f"{place.module}.PATIENCE", 0.05)
    log = place.fill(range(3))
    digest = make_entry(1).envelope.digest
    with place.behind() as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM envelope").fetchone()
        log.append([make_entry(3)])
        with pytest.raises(BackendError, match="try again"):
            log.erase(digest)
        reader.execute("ROLLBACK")
    log.erase(digest)
    assert log.check().erased == 1
    log.close()


def test_failed_commit_leaves_nothing(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the store fails in the middle, nothing was logged and the next append works."""
    log = place.fill(range(3))
    with monkeypatch.context() as patch:
        patch.setattr(place.add_head, broken)
        with pytest.raises(BackendError):
            log.append([make_entry(3)])
    assert log.size == 3
    assert [receipt.index for receipt in log.append([make_entry(4)])] == [3]
    assert log.check().faults == ()
    log.close()


def test_erased_bytes_are_gone(place: Place, tmp_path: Path) -> None:
    """After erasing, no file of the log holds the envelope's bytes, and every proof still verifies."""
    log = place.fill(range(5))
    envelope = make_entry(2).envelope
    signature = envelope.to_json()[-90:-10]
    files = stored_files(place, tmp_path)
    assert any(signature in file.read_bytes() for file in files())
    log.erase(envelope.digest)
    for file in files():
        assert signature not in file.read_bytes()
    assert verify_bundle(export_bundle(log, [0, 1, 3, 4], TRUST), TRUST).trusted
    assert (log.check().erased, log.check().faults) == (1, ())
    with pytest.raises(NotFound):
        log.erase("00" * 32)
    log.close()


def test_bytes_are_erased_although_somebody_reads_on(postgres_url: str, tmp_path: Path) -> None:
    """A transaction that was open before keeps nothing of what is erased."""
    place = Place(postgres_url)
    log = place.fill(range(3))
    envelope = make_entry(1).envelope
    with psycopg.connect(postgres_url, autocommit=False) as reader:
        reader.execute("SELECT txid_current()")
        log.erase(envelope.digest)
        assert not any(envelope.to_json()[-90:-10] in file.read_bytes() for file in stored_files(place, tmp_path)())
    log.close()


def stored_files(place: Place, folder: Path) -> Callable[[], list[Path]]:
    """Return what lists the files of a database; PostgreSQL's write-ahead log lies elsewhere and has its own terms."""

    def database() -> list[Path]:
        ((data, number),) = place.edit(
            "SELECT current_setting('data_directory'), oid FROM pg_database WHERE datname = current_database()"
        )
        place.edit("CHECKPOINT")
        return list((Path(data) / "base" / str(number)).iterdir())

    return database if isinstance(place.where, str) else lambda: list(folder.iterdir())


def test_served_tiles(place: Place) -> None:
    """The served tiles alone give the checkpoint's root, and tiles that do not exist are refused."""
    log = place.fill(range(300))
    tiles = {(level, index): log.tile(level, index, width) for level, index, width in list_tiles(300)}
    root = TileTree(300, lambda level, index: tiles[level, index]).root()
    assert root == read_checkpoint(split_note(log.checkpoint())[0]).root
    for wrong in ((0, 1, 45), (0, 2, 1), (1, 0, 2), (3, 0, 1), (0, 0, 0)):
        with pytest.raises(InputError):
            log.tile(*wrong)
    with pytest.raises(InputError):
        log.prove_consistency(1, 301)
    log.close()


def test_reader_cannot_write(place: Place) -> None:
    """A log opened without a key can be read and checked but not written."""
    place.fill(range(2)).close()
    log = place.open(None)
    for write in (lambda: log.append([make_entry(2)]), lambda: log.rotate_key(STRANGER)):
        with pytest.raises(InputError):
            write()
    assert log.size == 2
    log.close()


def test_foreign_key_cannot_write(place: Place) -> None:
    """Only the log's own key opens it for writing."""
    place.fill(range(2)).close()
    with closing(open_store(place.where)) as store, pytest.raises(InputError):
        Log(store, STRANGER)


def test_rotated_log_key(place: Place) -> None:
    """After the log's key changed, old and new checkpoints pass the check and new evidence names the new key."""
    log = place.fill(range(2))
    log.rotate_key(STRANGER)
    log.append([make_entry(2)])
    assert log.check().faults == ()
    assert str(NoteKey(ORIGIN, STRANGER.public)).encode() in export_bundle(log, [0], TRUST)
    log.close()


@pytest.mark.parametrize("content", [b"", b"plain text " * 500, b"SQLite format 3\x00" + bytes(4080)])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    """An empty file, a text and a broken database are not opened as logs, and not changed."""
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises((InputError, BackendError)) as caught:
        SqliteStore(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert path.read_bytes() == content


def test_foreign_database_is_refused(tmp_path: Path) -> None:
    """Somebody else's database is neither read as a log nor turned into one; nor is a newer layout."""
    path = tmp_path / "theirs"
    Place(path).edit("CREATE TABLE leaf (x)")
    for origin in (None, ORIGIN):
        with pytest.raises(InputError, match="not a log"):
            SqliteStore(path, origin)
    fill_log(tmp_path / "log", range(1)).close()
    Place(tmp_path / "log").edit("PRAGMA user_version = 99")
    with pytest.raises(InputError, match="layout 99"):
        SqliteStore(tmp_path / "log")


def test_unreachable_logs(tmp_path: Path) -> None:
    """A missing log, a folder and a missing folder are told in one sentence."""
    with pytest.raises(NotFound):
        SqliteStore(tmp_path / "none")
    for path in (tmp_path, tmp_path / "no" / "folder"):
        with pytest.raises(BackendError):
            SqliteStore(path, ORIGIN)


def test_locked_log(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """When another program keeps the log locked, the error says so and nothing is lost."""
    monkeypatch.setattr(f"{place.module}.PATIENCE", 0.05)
    log = place.fill(range(1))
    with place.behind() as other:
        other.execute("BEGIN" if isinstance(place.where, str) else "BEGIN IMMEDIATE")
        other.execute("UPDATE log SET name = name")
        with pytest.raises(BackendError, match="in use"):
            log.append([make_entry(1)])
        other.execute("ROLLBACK")
    assert log.append([make_entry(1)])[0].index == 1
    log.close()


def test_damaged_pages_raise_only_our_errors(tmp_path: Path) -> None:
    """Random bytes changed anywhere in the file lead to our errors or to faults, never to another exception."""
    fill_log(tmp_path / "log", range(40)).close()
    whole, dice = (tmp_path / "log").read_bytes(), random.Random(1)
    noticed = 0
    for number in range(60):
        data, path = bytearray(whole), tmp_path / f"damaged{number}"
        for _ in range(20):
            data[dice.randrange(len(data))] = dice.randrange(256)
        path.write_bytes(data)
        try:
            noticed += bool(Place(path).check()[1])
        except (InputError, BackendError):
            noticed += 1
    assert noticed > 50  # the rest hit unused space


def test_operator_cannot_change_the_past(tmp_path: Path) -> None:
    """Entries changed, removed, moved or cut off and signed again by the log's own key: who saw it before notices."""
    leaves = [leaf_hash(make_entry(number).leaf) for number in range(40)]
    roots, dice = [Frontier(leaves[:size]).root() for size in range(41)], random.Random(2)
    memory = SqliteMemory(tmp_path / "seen", "witness.example.net/w1")
    witness = Witness(memory.origin, WITNESS, {ORIGIN: [NoteKey(ORIGIN, LOG_KEY.public)]}, memory)
    witness.cosign(sign_note(str(Checkpoint(ORIGIN, 40, roots[40])), ORIGIN, LOG_KEY), 0, [], NOW)
    for _ in range(1000):
        forged, place, other = list(leaves), dice.randrange(40), dice.randrange(40)
        match dice.choice(["change", "remove", "move", "cut"]):
            case "change":
                forged[place] = dice.randbytes(32)
            case "remove":
                del forged[place]
            case "move":
                forged.insert(other, forged.pop(place))
            case "cut":
                forged = forged[:place]
        grown = forged + [dice.randbytes(32) for _ in range(dice.randrange(10))]
        if grown[:40] == leaves:
            continue  # moved to where it was
        tree = _tree_of(grown)
        note = sign_note(str(Checkpoint(ORIGIN, len(grown), tree.root())), ORIGIN, LOG_KEY)
        proof = prove_consistency(40, len(grown), tree.node) if len(grown) >= 40 else []
        with pytest.raises(WitnessRefusal):
            witness.cosign(note, 40, proof, NOW)


def _tree_of(hashes: list[bytes]) -> TileTree:
    tree = TileTree(0, lambda _level, _index: b"")
    for value in hashes:
        tree.append(value)
    return tree


class Interleaving(RuleBasedStateMachine):
    """Several handles on one log append in any order, are closed and reopened; the log only ever grows."""

    place: Place

    @initialize(data=st.data())
    def open(self, data: st.DataObject) -> None:
        self.logs = [self.place.open() for _ in range(3)]
        self.leaves: list[bytes] = []
        self.seen: list[Checkpoint] = []

    @rule(which=st.integers(0, 2), count=st.integers(0, 5))
    def append(self, which: int, count: int) -> None:
        entries = [make_entry(len(self.leaves) + i) for i in range(count)]
        receipts = self.logs[which].append(entries)
        assert [receipt.index for receipt in receipts] == list(range(len(self.leaves), len(self.leaves) + count))
        self.leaves += [entry.leaf for entry in entries]

    @rule(which=st.integers(0, 2))
    def reopen(self, which: int) -> None:
        self.logs[which].close()
        self.logs[which] = self.place.open()

    @rule(which=st.integers(0, 2))
    def fail(self, which: int) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(self.place.add_head, broken)
            with pytest.raises(BackendError):
                self.logs[which].append([make_entry(10**6)])

    @invariant()
    def grows(self) -> None:
        now = read_checkpoint(split_note(self.logs[0].checkpoint())[0])
        assert now.size == len(self.leaves)
        assert now.root == Frontier(leaf_hash(leaf) for leaf in self.leaves).root()
        for old in self.seen[-3:]:
            proof = self.logs[1].prove_consistency(old.size, now.size)
            verify_consistency(old.size, now.size, old.root, now.root, proof)
        self.seen.append(now)

    def teardown(self) -> None:
        if hasattr(self, "logs"):
            assert self.logs[2].check().faults == ()
            for log in self.logs:
                log.close()
            if isinstance(self.place.where, Path):
                for file in self.place.where.parent.glob("log*"):
                    file.unlink()
            else:
                self.place.edit("DROP SCHEMA hallmarked_ledger CASCADE")


def test_interleavings(place: Place) -> None:
    """However several writers interleave, fail and reopen, the log is append-only."""
    machine = type("Case", (Interleaving,), {"place": place}).TestCase
    machine.settings = settings(max_examples=15, stateful_step_count=12, deadline=None)
    machine("runTest").runTest()


def test_threads_share_a_log(place: Place) -> None:
    """Threads that append to one log at once get indexes of their own."""
    log = place.open()
    with ThreadPoolExecutor(8) as pool:
        batches = [[make_entry(n * 10 + i) for i in range(n % 4 + 1)] for n in range(40)]
        receipts = [receipt for batch in pool.map(log.append, batches) for receipt in batch]
    assert sorted(receipt.index for receipt in receipts) == list(range(len(receipts)))
    assert log.check().faults == ()
    log.close()


def test_processes_share_a_log(place: Place) -> None:
    """Processes that make and append to one log at once get indexes of their own."""
    command = [sys.executable, str(WRITER), str(place.where), "40"]
    writers = [subprocess.Popen([*command, str(seed)], stdout=subprocess.PIPE, text=True) for seed in range(3)]
    indexes = [int(line) for writer in writers for line in writer.communicate(timeout=60)[0].split()]
    assert [writer.returncode for writer in writers] == [0, 0, 0]
    assert sorted(indexes) == list(range(len(indexes)))
    assert place.check() == (len(indexes), ())
    assert len(indexes) >= 120


def test_group_writer(place: Place) -> None:
    """Entries that many threads hand in share few commits, and each caller gets the receipt of its own entry."""
    log = place.open()
    entries = [make_entry(number) for number in range(300)]
    with GroupWriter(log, limit=64) as writer, ThreadPoolExecutor(8) as pool:
        receipts = list(pool.map(lambda entry: writer.append([entry])[0], entries[:40]))
        futures = [writer.submit(entries[start : start + 2]) for start in range(40, 300, 2)]
    receipts += [receipt for future in futures for receipt in future.result(timeout=0)]
    assert [receipt.leaf for receipt in receipts] == [entry.leaf for entry in entries]
    assert sorted(receipt.index for receipt in receipts) == list(range(300))
    assert len({receipt.checkpoint for receipt in receipts[40:]}) < 15
    assert log.check().faults == ()
    with pytest.raises(InputError):
        writer.submit(entries[:1])
    log.close()


def test_group_writer_tells_failures(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """When a commit fails every waiting caller learns it, and the writer goes on."""
    log = place.open()
    with GroupWriter(log, linger=0.01) as writer:
        with monkeypatch.context() as patch:
            patch.setattr(place.add_head, broken)
            futures = [writer.submit([make_entry(number)]) for number in range(3)]
            assert all(isinstance(future.exception(timeout=10), BackendError) for future in futures)
        assert writer.append([make_entry(7)])[0].index == 0
    log.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_group_writer_leaves_nobody_waiting(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """After an error nobody foresaw, every caller gets an answer and nobody can hand in more."""
    log = place.open()
    monkeypatch.setattr(log, "append", lambda entries: 1 // 0)
    writer = GroupWriter(log, limit=1)
    futures = []
    with contextlib.suppress(InputError):
        while True:
            futures.append(writer.submit([make_entry(0)]))
    assert all(isinstance(future.exception(timeout=10), BackendError) for future in futures)
    writer.close()
    log.close()


def test_group_writer_waits_for_more(place: Place) -> None:
    """A commit waits at most as long as it says for more entries to share it with."""
    log = place.open()
    with GroupWriter(log, linger=30, pause=30, limit=2) as writer:
        first = writer.submit([make_entry(0)])
        threading.Timer(0.1, writer.submit, [[make_entry(1)]]).start()
        assert first.result(timeout=10)[0].index == 0
        assert log.size == 2
    log.close()


def kill_at_random(fresh: Callable[[], Place], rounds: int) -> int:
    """Kill a writing process at random instants, and check the log after each time; begin another log now and then.

    So often, and on a slow machine until more entries than that were acknowledged; return how many were.
    """
    dice, total, acknowledged = random.Random(3), 0, 0
    with subprocess.Popen([sys.executable, str(WRITER)], stdout=-1, stdin=-1, text=True) as parent:
        for number in range(10 * rounds):
            if number >= rounds and total + acknowledged > rounds:
                break
            if number % 8 == 0:
                total, acknowledged, place = total + acknowledged, 0, fresh()
            parent.stdin.write(f"{place.where}\n")
            parent.stdin.flush()
            pid = int(parent.stdout.readline().removeprefix("pid "))
            threading.Event().wait(dice.uniform(0.0, 0.05 if isinstance(place.where, Path) else 0.15))
            os.kill(pid, signal.SIGKILL)
            while (line := parent.stdout.readline()) != "dead\n":
                acknowledged = max(acknowledged, int(line) + 1)
            try:
                size, faults = place.check()
            except (NotFound, InputError, BackendError):
                size, faults = 0, ()  # killed before the log was made
            assert faults == ()
            assert size >= acknowledged
        parent.stdin.close()
    return total + acknowledged


@pytest.fixture
def fresh(place: Place, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Place]]:
    """Gives as many places as one likes."""
    with contextlib.ExitStack() as databases:

        def make() -> Place:
            if isinstance(place.where, Path):
                return Place(tmp_path / f"log{random.getrandbits(64)}")
            return Place(databases.enter_context(postgres.database(request.getfixturevalue("postgres_server"))))

        yield make


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_killed_writer_loses_nothing(fresh: Callable[[], Place]) -> None:
    """A writer killed at any instant leaves a log that has all it acknowledged and passes its own check."""
    assert kill_at_random(fresh, 30) > 30


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_writer_killed_many_times_loses_nothing(fresh: Callable[[], Place]) -> None:
    """Likewise, often enough to hit rare instants."""
    assert kill_at_random(fresh, 200) > 200


def test_leaves_are_listed(place: Place) -> None:
    """A reader without a key gets each record, from any index on."""
    place.fill(range(5)).close()
    log = place.open(None)
    assert [index for index, _ in log.leaves()] == [0, 1, 2, 3, 4]
    assert [leaf.subjects for _, leaf in log.leaves(3)] == [
        (f"dirHash:{make_statement(number).subjects[0].digest['dirHash']}",) for number in (3, 4)
    ]
    assert list(log.leaves(-2)) == list(log.leaves())
    assert list(log.leaves(5)) == []
    assert log.keyid == ""
    log.close()


def test_entries_are_found_by_any_digest(place: Place) -> None:
    """Also by digests that did not fit into the record, or that it hides; not after the envelope was erased."""
    subjects = tuple(Subject(f"part-{i}", {"sha256": hashlib.sha256(b"part %d" % i).hexdigest()}) for i in range(40))
    statement = Statement(subjects, TEST_RESULT, {})
    envelope = sign_envelope(statement_bytes(statement), MAKER)
    log = place.open()
    hidden = make_entry(7, secret=b"secret")
    log.append([Entry.of(envelope, MAKER.public, NOW), make_entry(7), hidden])
    last = subjects[-1].digest["sha256"]
    assert log.find(last) == log.find(f"sha256:{last}") == [0]
    assert log.find(f"dirHash:{last}") == log.find(last[:-1]) == []
    digest = make_statement(7).subjects[0].digest["dirHash"]
    assert log.find(digest) == [1, 2]
    log.erase(hidden.envelope.digest)
    assert log.find(digest) == [1]
    log.close()


def test_damaged_records_are_not_searched(place: Place) -> None:
    """A search over records that cannot be read says so, and does not answer without them."""
    log = place.fill(range(2))
    place.edit("UPDATE leaf SET record = ? WHERE idx = 1", b"{}")
    place.edit("UPDATE indexed SET stop = 0")
    with pytest.raises(BackendError, match="damaged at entry 1"):
        log.find("ab" * 32)
    log.close()


def test_entries_without_an_index_are_found(place: Place) -> None:
    """Entries that an earlier version logged are found, and get into the index with the next entry."""
    log = place.fill(range(3))
    digest = make_statement(1).subjects[0].digest["dirHash"]
    place.edit("DROP TABLE subject" if isinstance(place.where, Path) else "DELETE FROM subject")
    place.edit("DROP TABLE indexed" if isinstance(place.where, Path) else "UPDATE indexed SET stop = 0")
    assert log.find(digest) == [1]
    assert log.check().faults == ()
    log.append([make_entry(1)])
    assert place.edit("SELECT idx FROM subject WHERE value = ? ORDER BY idx", digest) == [(1,), (3,)]
    assert log.find(digest) == [1, 3]
    assert log.check().faults == ()
    log.close()


def test_old_checkpoints(place: Place) -> None:
    """Every checkpoint that was signed can be had again; sizes in between were never signed."""
    log = place.fill(range(3))
    first = log.checkpoint()
    log.append([make_entry(3), make_entry(4)])
    assert (log.checkpoint(3), log.checkpoint(5)) == (first, log.checkpoint())
    assert log.read_checkpoint(first).size == 3
    with pytest.raises(InputError, match="signed no checkpoint over 4 entries"):
        log.checkpoint(4)
    log.close()


def test_foreign_checkpoints_are_not_this_logs(place: Place) -> None:
    """A note that is broken, unsigned or of another log is damage when it lies in this one."""
    log = place.fill(range(1))
    other = sign_note(str(Checkpoint("log.example.org/other", 1, bytes(32))), ORIGIN, LOG_KEY)
    stranger = sign_note(str(Checkpoint(ORIGIN, 1, bytes(32))), ORIGIN, STRANGER)
    for note in ("garbage", other, stranger, log.checkpoint().replace("\n1\n", "\n2\n")):
        with pytest.raises(BackendError, match="damaged"):
            log.read_checkpoint(note)
    log.close()


def test_a_proof_that_does_not_hold_is_not_handed_out(place: Place) -> None:
    """Proofs are verified before anybody gets them."""
    log = place.fill(range(3))
    assert log.prove_entry(1).extra == log.leaf(1)
    place.edit("UPDATE tile SET hashes = ?", bytes(96))
    with pytest.raises(BackendError, match="damaged"):
        log.prove_entry(1)
    log.close()
