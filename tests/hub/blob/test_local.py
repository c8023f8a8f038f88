"""The folder that holds blobs: what lies in it during, after and without a finished upload."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hallmarked.core.errors import BackendError, InputError, NotFound
from hallmarked.hub.blob.local import LocalBlobs

TEXT = b"what was sent\n"
DIGEST = hashlib.sha256(TEXT).hexdigest()

RECEIVE_AND_WAIT = """
import sys, pathlib
from hallmarked.hub.blob.local import LocalBlobs
with LocalBlobs(pathlib.Path(sys.argv[1])).receive() as incoming:
    incoming.write(b"half of it")
    print("ready", flush=True)
    sys.stdin.read()
"""

RECEIVE_UNTIL_FULL = """
import pathlib, resource, sys
from hallmarked.core.errors import BackendError
from hallmarked.hub.blob.local import LocalBlobs
store = LocalBlobs(pathlib.Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
try:
    with store.receive() as incoming:
        for _ in range(100):
            incoming.write(bytes(64_000))
except BackendError as error:
    sys.exit(str(error))
"""


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def put(store: LocalBlobs, data: bytes = TEXT) -> str:
    with store.receive() as incoming:
        incoming.write(data)
        return incoming.finish().sha256


def test_a_finished_blob_is_one_file_under_its_digest(tmp_path: Path) -> None:
    """Two levels of folders, then the digest; nothing else stays behind."""
    store = LocalBlobs(tmp_path)
    assert put(store) == DIGEST
    assert files(tmp_path) == [f"{DIGEST[:2]}/{DIGEST[2:4]}/{DIGEST}"]
    assert store.path(DIGEST) == tmp_path / DIGEST[:2] / DIGEST[2:4] / DIGEST


def test_a_large_file_is_what_was_sent(tmp_path: Path) -> None:
    """What does not stay in memory is on the disk, whatever the pieces in which it came."""
    store, chance, digest = LocalBlobs(tmp_path), random.Random(5), hashlib.sha256()
    with store.receive() as incoming:
        for length in (70 << 20, 1, 300_001, 2 << 20, 5000, 0, (1 << 20) + 7):
            piece = chance.randbytes(length)
            digest.update(piece)
            incoming.write(piece)
        name = incoming.finish(digest.hexdigest()).sha256
    with store.open(name) as file:
        assert hashlib.file_digest(file, "sha256").hexdigest() == name


def test_nothing_can_be_read_before_the_end(tmp_path: Path) -> None:
    """A blob appears under its digest only when it is finished."""
    store = LocalBlobs(tmp_path)
    with store.receive() as incoming:
        incoming.write(TEXT)
        assert store.size(DIGEST) is None
        assert store.path(DIGEST) is None
    assert files(tmp_path) == []


def test_a_blob_that_comes_again_is_young_again(tmp_path: Path) -> None:
    """Its time of arrival moves on, so that clean-up counts from the newest upload."""
    store = LocalBlobs(tmp_path)
    put(store)
    path = store.path(DIGEST)
    assert path is not None
    os.utime(path, (1, 1))
    put(store)
    [(digest, size, arrived)] = store.list()
    assert (digest, size) == (DIGEST, len(TEXT))
    assert arrived > time.time() - 60


def test_a_damaged_blob_is_replaced_by_the_one_that_comes(tmp_path: Path) -> None:
    """A file of another size than the digest's is not taken for the blob."""
    store = LocalBlobs(tmp_path)
    put(store)
    path = store.path(DIGEST)
    assert path is not None
    path.write_bytes(b"cut")
    put(store)
    assert path.read_bytes() == TEXT


@pytest.mark.parametrize("name", ["", "../../etc/passwd", DIGEST.upper(), DIGEST[:-1], DIGEST + "\n", "/" + DIGEST[1:]])
def test_only_digests_become_paths(tmp_path: Path, name: str) -> None:
    """Anything but 64 lower-case hexadecimal digits is refused before a path is made of it."""
    store = LocalBlobs(tmp_path / "blobs")
    for method in (store.size, store.open, store.path, store.delete):
        with pytest.raises(InputError, match="SHA-256"):
            method(name)


def test_other_files_in_the_folder_are_not_blobs(tmp_path: Path) -> None:
    """The list names digests only, and follows no links."""
    store = LocalBlobs(tmp_path)
    put(store)
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / DIGEST[:2] / DIGEST[2:4] / "README").write_text("mine")
    (tmp_path / DIGEST[:2] / DIGEST[2:4] / ("0" * 64)).symlink_to("/etc/hostname")
    assert [digest for digest, _, _ in store.list()] == [DIGEST]


def test_a_full_disk_is_one_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    """The operating system refuses the millionth byte: the sender is told and the space is free again."""
    done = subprocess.run(
        [sys.executable, "-c", RECEIVE_UNTIL_FULL, str(tmp_path)],
        capture_output=True,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGXFSZ, signal.SIG_IGN),
        check=False,
    )
    assert done.stderr.strip() == "the hub's storage is full, so nothing was kept; tell whoever runs it"
    assert files(tmp_path) == []


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    """A file where the folder should be is reported without a traceback's words."""
    (tmp_path / "blobs").write_text("not a folder")
    with pytest.raises(BackendError, match=r"^the hub's storage could not be read or written$"):
        LocalBlobs(tmp_path / "blobs")


def test_what_a_killed_process_left_is_removed_but_not_what_another_is_receiving(tmp_path: Path) -> None:
    """An old file without a living writer goes when the store is opened; one that is being written stays."""
    command = [sys.executable, "-c", RECEIVE_AND_WAIT, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as killed:
        assert killed.stdout is not None
        killed.stdout.readline()
        killed.kill()
    [left] = (tmp_path / "incoming").iterdir()
    LocalBlobs(tmp_path)
    assert left.exists(), "too young to be judged"
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as living:
        assert living.stdout is not None
        living.stdout.readline()
        for path in (tmp_path / "incoming").iterdir():
            os.utime(path, (1, 1))
        LocalBlobs(tmp_path)
        assert not left.exists()
        assert len(list((tmp_path / "incoming").iterdir())) == 1
        living.communicate(b"")
    assert files(tmp_path) == []


def test_an_absent_blob_is_not_found(tmp_path: Path) -> None:
    """Opening it is refused in one sentence, deleting it is fine."""
    store = LocalBlobs(tmp_path)
    with pytest.raises(NotFound, match=r"^the hub does not have the bytes of this file$"):
        store.open(DIGEST)
    store.delete(DIGEST)
