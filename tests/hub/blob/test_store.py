"""What holds for every place where blobs are kept: a folder and object storage answer alike."""

from __future__ import annotations

import contextlib
import hashlib
import random
import secrets
import shutil
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from hallmarked.core.errors import InputError, NotFound
from hallmarked.hub.blob.place import open_blobs
from hallmarked.hub.blob.store import BlobStore

ABSENT = hashlib.sha256(b"never stored").hexdigest()
BIG = random.Random(7).randbytes(20 * 2**20 + 11)  # more than two parts of an upload


def place(kind: str, request: pytest.FixtureRequest, folder: Path) -> str:
    return str(folder) if kind == "folder" else request.getfixturevalue("s3_url").format(prefix=secrets.token_hex(8))


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    return open_blobs(place(request.param, request, tmp_path))


def put(store: BlobStore, data: bytes, *, announced: bool = True) -> str:
    digest = hashlib.sha256(data).hexdigest()
    with store.receive(*((digest, len(data)) if announced else ())) as incoming:
        for start in range(0, len(data), 2**20):
            incoming.write(memoryview(data)[start : start + 2**20])
        assert incoming.finish(digest, len(data)).sha256 == digest
    return digest


def interrupt(store: BlobStore, digest: str, data: bytes) -> None:
    with contextlib.suppress(ConnectionError), store.receive(digest, len(BIG)) as incoming:
        incoming.write(data)
        raise ConnectionError


def test_memory_may_be_used_again(store: BlobStore) -> None:
    """Whoever sends a blob through one small piece of memory sends what was in it each time."""
    digest, buffer = hashlib.sha256(BIG).hexdigest(), bytearray(2**20)
    with store.receive(digest) as incoming:
        for start in range(0, len(BIG), len(buffer)):
            piece = BIG[start : start + len(buffer)]
            buffer[: len(piece)] = piece
            incoming.write(memoryview(buffer)[: len(piece)])
            buffer[:] = bytes(len(buffer))
        incoming.finish()
    with store.open(digest) as file:
        assert file.read() == BIG


@pytest.mark.parametrize("announced", [True, False])
@pytest.mark.parametrize("data", [b"", b"x", BIG], ids=["empty", "small", "big"])
def test_what_was_received_is_read_back(store: BlobStore, data: bytes, announced: bool) -> None:
    """Bytes, size and age of a blob are those of the upload, whether or not its digest was announced."""
    digest = put(store, data, announced=announced)
    with store.open(digest) as file:
        assert file.read() == data
    assert store.size(digest) == len(data)
    [(listed, size, arrived)] = store.list()
    assert (listed, size) == (digest, len(data))
    assert abs(arrived - time.time()) < 300


@pytest.mark.parametrize(("sha256", "size"), [(ABSENT, None), (None, 4), (ABSENT, 3)])
@pytest.mark.parametrize("when", ["first", "last"])
def test_a_broken_promise_is_refused_and_nothing_kept(
    store: BlobStore, sha256: str | None, size: int | None, when: str
) -> None:
    """Another digest or size than what arrives is the sender's mistake, whenever it was announced."""
    with store.receive(*((sha256, size) if when == "first" else ())) as incoming:
        incoming.write(b"abc")
        with pytest.raises(InputError, match="nothing was kept"):
            incoming.finish(*((sha256, size) if when == "last" else ()))
    assert list(store.list()) == []


def test_an_interrupted_upload_keeps_nothing(store: BlobStore) -> None:
    """Leaving with an error in the middle of several parts leaves no blob and no earlier one changed."""
    digest = hashlib.sha256(BIG).hexdigest()
    interrupt(store, digest, BIG[: 17 * 2**20])
    assert store.size(digest) is None
    put(store, BIG)
    interrupt(store, digest, b"something else")
    with store.open(digest) as file:
        assert file.read() == BIG


def test_absence_is_said_plainly(store: BlobStore) -> None:
    """An absent blob has no size and no file, cannot be opened, and can be deleted."""
    assert store.size(ABSENT) is None
    assert store.path(ABSENT) is None
    with pytest.raises(NotFound, match="does not have the bytes"):
        store.open(ABSENT)
    store.delete(ABSENT)


@pytest.mark.parametrize("name", ["", "../../etc/passwd", ABSENT.upper(), ABSENT[:-1], ABSENT + "\n"])
def test_only_digests_are_looked_up(store: BlobStore, name: str) -> None:
    """No path and no key is made of anything but a digest."""
    for method in (store.size, store.open, store.path, store.delete):
        with pytest.raises(InputError, match="SHA-256"):
            method(name)


def test_reads_anywhere_agree_with_slices(store: BlobStore) -> None:
    """Seeking and reading give what slicing gives, near window borders and past the end too."""
    digest = put(store, BIG)
    chance = random.Random(3)
    with store.open(digest) as file:
        for _ in range(40):
            start, length = chance.randrange(len(BIG) + 9), chance.choice([0, 1, 100, 2**16, 2**20 + 1])
            assert file.seek(start) == start
            assert file.read(length) == BIG[start : start + length]
            assert file.tell() == min(len(BIG), start + length) or start > len(BIG)
        file.seek(-11, 2)
        assert file.read() == BIG[-11:]


class Model(RuleBasedStateMachine):
    """A store and a dictionary that must agree after every step."""

    digests = Bundle("digests")
    place = ""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.mkdtemp()
        self.store = open_blobs(self.place.format(prefix=secrets.token_hex(8)) or self.folder)
        self.model: dict[str, bytes] = {}

    @rule(target=digests, data=st.binary(max_size=3), announced=st.booleans())
    def put(self, data: bytes, announced: bool) -> str:
        digest = put(self.store, data, announced=announced)
        self.model[digest] = data
        return digest

    @rule(digest=digests, data=st.binary(max_size=3))
    def lie(self, digest: str, data: bytes) -> None:
        if hashlib.sha256(data).hexdigest() != digest:
            with self.store.receive(digest, None) as incoming:
                incoming.write(data)
                with pytest.raises(InputError):
                    incoming.finish()

    @rule(digest=digests)
    def delete(self, digest: str) -> None:
        self.store.delete(digest)
        self.model.pop(digest, None)

    @rule(digest=digests)
    def read(self, digest: str) -> None:
        if digest in self.model:
            with self.store.open(digest) as file:
                assert file.read() == self.model[digest]
        else:
            with pytest.raises(NotFound):
                self.store.open(digest)

    @invariant()
    def agree(self) -> None:
        listed = {digest: size for digest, size, _ in self.store.list()}
        assert listed == {digest: len(data) for digest, data in self.model.items()}

    def teardown(self) -> None:
        shutil.rmtree(self.folder)


@pytest.mark.parametrize(("kind", "examples"), [("folder", 30), ("s3", 6)], ids=["folder", "s3"])
def test_any_sequence_of_acts_agrees_with_a_dictionary(
    kind: str, examples: int, request: pytest.FixtureRequest
) -> None:
    """Whatever is put, misannounced, deleted and read in whatever order, the store holds what a dictionary would."""
    machine = type("Machine", (Model,), {"place": request.getfixturevalue("s3_url") if kind == "s3" else ""})
    run_state_machine_as_test(machine, settings=settings(max_examples=examples, stateful_step_count=12))


def test_other_addresses_are_refused() -> None:
    """An address the hub cannot use is one sentence, not a folder of that name."""
    for address in ("gs://bucket", "https://example.org/x", "s3://", "s3://bucket?colour=red"):
        with pytest.raises(InputError, match="s3://bucket/prefix"):
            open_blobs(address)
