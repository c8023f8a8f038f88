"""Uploads by Xet: files come out as they went in, and nobody gets what they cannot prove to have."""

from __future__ import annotations

import hashlib
import os
import threading
import tracemalloc
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, func, select

from hallmarked.core.errors import InputError
from hallmarked.hub.change.commit import Message, PutLarge, commit
from hallmarked.hub.change.creation import create
from hallmarked.hub.clock import now
from hallmarked.hub.error import NotSignedIn, TooLarge
from hallmarked.hub.schema.object import blob, possession
from hallmarked.hub.schema.xet import xorb, xorb_extent
from hallmarked.hub.setting import Limit, Settings, Storage
from hallmarked.hub.upkeep.garbage import Terms, collect_garbage
from hallmarked.hub.upload.xet import rebuild as rebuilding
from hallmarked.hub.upload.xet.body import Bodies
from hallmarked.hub.upload.xet.collect import REMEMBERED, UNFINISHED, collect
from hallmarked.hub.upload.xet.grant import Grant, decode_grant, encode_grant
from hallmarked.hub.upload.xet.known import add_xorb
from hallmarked.hub.upload.xet.rebuild import rebuild
from hallmarked.hub.upload.xet.source import Gone
from tests.formats.xet_writer import Part, Xorb, chunk_hash, file_records, shard
from tests.hubs import RunningHub, open_test_hub

SECRET = Xorb((b"first secret " * 700, b"second secret " * 600, b"third " * 1000), (0, 1, 2))
OTHER = Xorb((b"something else " * 900, b"tail"), (2, 0))
SINGLE = Xorb((b"a short secret " * 20,), (1,))


@dataclass
class Uploads:
    """A hub that takes xorbs and shards."""

    running: RunningHub

    @property
    def bodies(self) -> Bodies:
        return Bodies(self.running.hub.settings.data / "xet")

    def send(self, xorb: Xorb, who: str = "ada", *, body: bytes | None = None, name: str | None = None) -> None:
        account_id = self.id(who)
        with self.bodies.receive(name or xorb.name) as incoming:
            incoming.write(xorb.body if body is None else body)
            received = incoming.finish()
        with self.running.hub.database.write() as db:
            add_xorb(db, received, account_id)

    def build(self, data: bytes, who: str = "ada") -> None:
        for _ in rebuild(self.running.hub, self.bodies, data, self.id(who)):
            pass

    def id(self, who: str) -> str:
        account_id = self.running.actor(who).account_id
        assert account_id is not None
        return account_id

    def read(self, sha256: str) -> bytes:
        with self.running.hub.blobs.open(sha256) as file:
            return file.read()

    def owners(self, sha256: str) -> set[str]:
        """Return who may use a file in a commit."""
        with self.running.hub.database.read() as db:
            ids = set(db.scalars(select(possession.c.account_id).where(possession.c.sha256 == sha256)))
        return {name for name, actor in self.running.actors.items() if actor.account_id in ids}

    def remove(self, sha256: str) -> None:
        """Delete a file as the hub's garbage collection would."""
        with self.running.hub.database.write() as db:
            db.execute(delete(possession).where(possession.c.sha256 == sha256))
            db.execute(delete(blob).where(blob.c.sha256 == sha256))
        self.running.hub.blobs.delete(sha256)

    def names(self) -> list[str]:
        return sorted(name for name, _ in self.bodies.list())


def join(parts: Sequence[Part]) -> tuple[bytes, str]:
    """Return the content of a file and its SHA-256."""
    data = b"".join(b"".join(xorb.chunks[first:end]) for xorb, first, end in parts)
    return data, hashlib.sha256(data).hexdigest()


def whole(*xorbs: Xorb) -> list[Part]:
    return [(xorb, 0, len(xorb.chunks)) for xorb in xorbs]


def describe(parts: Sequence[Part], *xorbs: Xorb) -> bytes:
    """Describe a file as honest clients do."""
    return shard([file_records(parts, join(parts)[1])], xorbs)


@pytest.fixture
def uploads(hub: RunningHub) -> Uploads:
    return Uploads(hub)


@pytest.fixture(params=["sqlite", "postgres", "s3"])
def anywhere(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Uploads]:
    """Uploads on every database and storage."""
    storage = Storage(
        data=str(tmp_path / "data"),
        database=request.getfixturevalue("postgres_url") if request.param == "postgres" else "",
        blobs=request.getfixturevalue("s3_url").format(prefix=tmp_path.name) if request.param == "s3" else "",
    )
    with open_test_hub(tmp_path, Settings(storage=storage)) as opened:
        yield Uploads(opened)


@pytest.mark.enable_socket
def test_files_come_out_as_they_went_in(anywhere: Uploads) -> None:
    """Files are rebuilt from chunks in any order, and again from the files once the xorbs are gone."""
    uploads = anywhere
    uploads.send(SECRET)
    uploads.send(OTHER)
    first = [(SECRET, 0, 2), (OTHER, 0, 2), (SECRET, 2, 3)]
    second = [(OTHER, 1, 2), (SECRET, 1, 3), (SECRET, 1, 2)]
    uploads.build(shard([file_records(first, join(first)[1])], [SECRET, OTHER]))
    assert uploads.names() == []
    uploads.build(shard([file_records(parts, join(parts)[1]) for parts in (second, first)]))
    for parts in (first, second):
        data, sha256 = join(parts)
        assert uploads.read(sha256) == data
        assert uploads.owners(sha256) == {"ada"}


def test_committed(uploads: Uploads) -> None:
    """Who has uploaded a file can commit it, and nobody else by its digest alone."""
    uploads.send(SECRET)
    uploads.build(describe(whole(SECRET), SECRET))
    sha256 = join(whole(SECRET))[1]

    def put(who: str) -> None:
        actor = uploads.running.actor(who)  # before the transaction: this makes the account
        with uploads.running.hub.database.write() as db:
            repo = create(db, actor, "model", f"of-{who}", visibility="private", owner=None)
            commit(db, repo, actor, [PutLarge("weights.bin", sha256)], Message("Add weights"))

    put("ada")
    with pytest.raises(InputError, match="were not uploaded"):
        put("bob")


@pytest.mark.parametrize("stated", [True, False])
def test_hash_of_a_xorb_is_not_enough(uploads: Uploads, stated: bool) -> None:
    """Who knows the hash of somebody's xorb and file, but not the chunks, gets nothing."""
    uploads.send(SECRET)
    uploads.build(describe(whole(SECRET), SECRET))
    sha256 = join(whole(SECRET))[1]
    honest = file_records(whole(SECRET), sha256 if stated else None)
    guess = bytearray(honest)
    guess[96:128] = bytes(32)
    for forged in (bytes(guess), file_records(whole(SECRET), sha256 if stated else None, verified=False)):
        with pytest.raises(Gone):
            uploads.build(shard([forged]), "bob")
    assert "bob" not in uploads.owners(sha256)


def test_hash_of_a_single_chunk_is_not_enough(uploads: Uploads) -> None:
    """A xorb of one chunk has the hash of that chunk; the digest of the bytes is then what has to be known."""
    uploads.send(SINGLE)
    uploads.build(describe(whole(SINGLE), SINGLE))
    assert SINGLE.hash == chunk_hash(SINGLE.chunks[0])
    sha256 = join(whole(SINGLE))[1]
    with pytest.raises(Gone):
        uploads.build(shard([file_records(whole(SINGLE), None)]), "bob")
    with pytest.raises(InputError) as told:
        uploads.build(shard([file_records(whole(SINGLE), "0" * 64)]), "bob")
    assert sha256 not in str(told.value)
    uploads.running.person("bob")
    mixed = [*whole(SINGLE), *whole(OTHER)]
    uploads.send(OTHER, "bob")
    with pytest.raises(Gone):
        uploads.build(shard([file_records(mixed, None)], [OTHER]), "bob")
    assert uploads.owners(sha256) == {"ada"}


def test_absent_and_unproven_look_the_same(uploads: Uploads) -> None:
    """Nobody learns from a refusal whether the hub has a xorb."""
    uploads.send(SECRET)
    texts = set()
    for xorb_ in (SECRET, OTHER):
        forged = file_records(whole(xorb_), join(whole(xorb_))[1], verified=False)
        with pytest.raises(Gone) as told:
            uploads.build(shard([forged]), "bob")
        texts.add(str(told.value))
    assert len(texts) == 1
    assert "HF_XET_CACHE" in texts.pop()


def test_sender_needs_no_proof(uploads: Uploads) -> None:
    """Who has sent the xorbs may leave out proofs and digests; the files are what their hashes say."""
    uploads.send(SECRET)
    uploads.build(shard([file_records(whole(SECRET), None, verified=False)], [SECRET]))
    assert uploads.read(join(whole(SECRET))[1]) == join(whole(SECRET))[0]


def test_two_accounts_on_one_machine(uploads: Uploads) -> None:
    """A client that has sent chunks under another account refers to them with proofs, and that is enough."""
    for xorb_ in (SECRET, SINGLE):
        uploads.send(xorb_)
        uploads.build(describe(whole(xorb_), xorb_))
        uploads.build(describe(whole(xorb_)), "bob")
        assert uploads.owners(join(whole(xorb_))[1]) == {"ada", "bob"}


def test_chunks_live_as_long_as_any_file(uploads: Uploads) -> None:
    """When one of two files with the same chunks is deleted, a later upload is made from the other; then from none."""
    uploads.send(SECRET)
    one, two = whole(SECRET), [(SECRET, 1, 3), (SECRET, 0, 1)]
    uploads.build(shard([file_records(parts, join(parts)[1]) for parts in (one, two)], [SECRET]))
    uploads.remove(join(one)[1])
    third = [(SECRET, 0, 3), (SECRET, 0, 1)]
    uploads.build(describe(third))
    assert uploads.read(join(third)[1]) == join(third)[0]
    uploads.remove(join(two)[1])
    uploads.remove(join(third)[1])
    with pytest.raises(Gone):
        uploads.build(describe(one))
    uploads.send(SECRET)
    uploads.build(describe(one))


@pytest.mark.parametrize("damage", ["gone", "cut", "changed"])
def test_body_lost_in_a_power_cut(uploads: Uploads, damage: str) -> None:
    """A body that was lost or damaged makes the upload fail, and what the client sends again heals it."""
    uploads.send(SECRET)
    (path,) = (uploads.running.hub.settings.data / "xet").glob("[0-9a-f]*/*")
    if damage == "gone":
        path.unlink()
    else:
        data = path.read_bytes()
        path.write_bytes(data[:-1] if damage == "cut" else b"x" + data[1:])
    with pytest.raises(InputError):
        uploads.build(describe(whole(SECRET), SECRET))
    assert uploads.owners(join(whole(SECRET))[1]) == set()
    uploads.send(SECRET)
    uploads.build(describe(whole(SECRET), SECRET))
    assert uploads.read(join(whole(SECRET))[1]) == join(whole(SECRET))[0]


@pytest.mark.parametrize("case", ["other", "cut", "noise", "empty", "name", "slash"])
def test_refused_xorbs_leave_nothing(uploads: Uploads, case: str) -> None:
    """A xorb that is broken, or is not the one it is said to be, is refused and leaves nothing behind."""
    body = {"other": OTHER.body, "cut": SECRET.body[:-1], "noise": b"\1" * 100, "empty": b""}.get(case, SECRET.body)
    name = {"name": "abc", "slash": "../" + "0" * 61}.get(case)
    with pytest.raises(InputError):
        uploads.send(SECRET, body=body, name=name)
    folder = uploads.running.hub.settings.data / "xet"
    assert [path for path in folder.rglob("*") if path.is_file()] == []


def test_wrong_shards(uploads: Uploads) -> None:
    """A shard that is broken or not true is refused, and no file appears."""
    uploads.send(SECRET)
    sha256 = join(whole(SECRET))[1]
    good = file_records(whole(SECRET), sha256)
    longer = bytearray(good)
    longer[48 + 36] ^= 1
    wrong = [
        b"\1" * 48,
        shard([file_records(whole(SECRET), sha256, hash_=bytes(32))]),
        shard([file_records(whole(SECRET), sha256[::-1])]),
        shard([bytes(longer)]),
    ]
    for data in wrong:
        with pytest.raises(InputError):
            uploads.build(data)
    beyond = Xorb((*SECRET.chunks, b"one more"))
    forged = file_records(whole(beyond), sha256).replace(beyond.hash, SECRET.hash)
    with pytest.raises(Gone):
        uploads.build(shard([forged]))
    assert list(uploads.running.hub.blobs.list()) == []


def test_file_larger_than_accepted(tmp_path: Path) -> None:
    """A small shard cannot make a file larger than the hub accepts."""
    chunk = Xorb((bytes(128 << 10),))
    settings = Settings(storage=Storage(data=str(tmp_path / "data")), limit=Limit(file_gib=1))
    with open_test_hub(tmp_path, settings) as opened:
        uploads = Uploads(opened)
        uploads.send(chunk)
        with pytest.raises(TooLarge):
            uploads.build(shard([file_records([(chunk, 0, 1)] * 8193, "0" * 64, verified=False, hash_=bytes(32))]))


def test_a_small_upload_cannot_fill_the_disk(uploads: Uploads, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that repeat the same few chunks over and over are refused from some size on, and nothing is written."""
    monkeypatch.setattr(rebuilding, "_REPEATED", 20 * len(SINGLE.chunks[0]))
    monkeypatch.setattr(rebuilding, "_TIMES", 10)
    uploads.send(SINGLE)
    uploads.send(SECRET)
    few, many = whole(SINGLE) * 20, whole(SINGLE) * 21
    uploads.build(describe(few, SINGLE))
    uploads.send(SINGLE)
    with pytest.raises(TooLarge, match="repeat"):
        uploads.build(describe(many, SINGLE))
    assert uploads.running.hub.blobs.size(join(many)[1]) is None
    varied = [*whole(SINGLE) * 21, *whole(SECRET)]
    uploads.build(describe(varied, SINGLE, SECRET))
    with pytest.raises(Gone):  # to whoever proves nothing it looks as if the xorb were not there
        uploads.build(shard([file_records(many, None, verified=False)], []), "eve")


def test_memory_does_not_grow_with_the_file(uploads: Uploads) -> None:
    """A file of 100 MiB is rebuilt in a few MiB of memory."""
    chunk = Xorb(tuple(bytes([number]) * (128 << 10) for number in range(64)), (1,))
    parts = [(chunk, 0, 64)] * 13
    data = shard([file_records(parts, None)], [chunk])
    uploads.send(chunk)
    tracemalloc.start()
    uploads.build(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    ((_, size, _),) = uploads.running.hub.blobs.list()
    assert size == 13 * 64 * (128 << 10)
    assert peak < 12 << 20


@pytest.mark.enable_socket
def test_many_at_once(anywhere: Uploads) -> None:
    """Several clients that send the same xorbs and shards at once all succeed."""
    uploads = anywhere
    people = ["ada", "bob", "eve", "dan"]
    for person in people:
        uploads.running.person(person)
    failed: list[BaseException] = []

    def upload(who: str) -> None:
        try:
            for _ in range(3):
                uploads.send(SECRET, who)
                uploads.send(OTHER, who)
                uploads.build(describe(whole(SECRET, OTHER), SECRET, OTHER), who)
                collect(uploads.running.hub, uploads.bodies)
        except BaseException as error:
            failed.append(error)
            raise

    threads = [threading.Thread(target=upload, args=(person,)) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    data, sha256 = join(whole(SECRET, OTHER))
    assert uploads.read(sha256) == data
    assert uploads.owners(sha256) == set(people)


def test_collect(uploads: Uploads) -> None:
    """What no file needs goes after its time; what a file has stays known."""
    hub, bodies = uploads.running.hub, uploads.bodies
    uploads.send(SECRET)
    uploads.send(OTHER)
    part = [(SECRET, 0, 1)]
    uploads.build(describe(part, SECRET))
    (hub.settings.data / "xet" / "incoming" / "old").write_bytes(b"x")
    os.utime(hub.settings.data / "xet" / "incoming" / "old", (0, 0))

    def after(time: timedelta) -> tuple[int, int]:
        done = collect(hub, bodies, now() / 1000 + time.total_seconds())
        return done.bodies, done.xorbs

    assert after(timedelta(minutes=1)) == (0, 0)
    assert list((hub.settings.data / "xet" / "incoming").iterdir()) == []
    assert after(UNFINISHED + timedelta(minutes=1)) == (1, 1)
    assert uploads.names() == [SECRET.name]
    assert after(REMEMBERED + timedelta(minutes=1)) == (1, 0)
    uploads.build(describe(part))
    with pytest.raises(Gone):
        uploads.build(describe(whole(SECRET)))
    uploads.remove(join(part)[1])
    assert after(REMEMBERED + timedelta(minutes=1)) == (0, 1)
    with hub.database.read() as db:
        assert db.scalar(select(func.count()).select_from(xorb)) == 0
        assert db.scalar(select(func.count()).select_from(xorb_extent)) == 0


def test_clean_up_of_the_hub(uploads: Uploads) -> None:
    """The hub's own clean-up takes what a broken upload left, and nothing that is needed."""
    uploads.send(SECRET)
    uploads.send(OTHER)
    (stale,) = (uploads.running.hub.settings.data / "xet").glob(f"*/{OTHER.name}")
    os.utime(stale, (0, 0))
    collect_garbage(uploads.running.hub, Terms())
    assert uploads.names() == [SECRET.name]
    uploads.build(describe(whole(SECRET), SECRET))


def test_grants(uploads: Uploads) -> None:
    """An upload token says for whom it is, and works only where and as long as it should."""
    secret = uploads.running.hub.secret
    grant = Grant("someone", "repo", now() // 1000 + 60)
    token = encode_grant(secret, grant)
    assert decode_grant(secret, token) == grant
    late = encode_grant(secret, Grant("someone", "repo", now() // 1000 - 1))
    for wrong in ("", "a.b.c", token[:-4] + "AAAA", late, encode_grant(b"x" * 32, grant)):
        with pytest.raises(NotSignedIn):
            decode_grant(secret, wrong)
