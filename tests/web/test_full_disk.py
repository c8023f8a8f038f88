"""A hub on a disk without room: every kind of push is refused in a sentence, and nothing is damaged."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from hallmarked.core.errors import BackendError
from hallmarked.hub.event import log_events
from hallmarked.hub.upkeep.backup import back_up
from hallmarked.hub.upkeep.integrity import check_hub
from tests.hub.programs import Pusher, make_people
from tests.hubs import RunningHub, serve_test_hub

pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, of 24 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    if shutil.which("mount") is None or os.geteuid():
        pytest.skip("only root may mount file systems")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", place], check=False).returncode:
        pytest.skip("no file system can be mounted here")
    yield place
    subprocess.run(["umount", place], check=True)


def leave(disk: Path, free: int) -> None:
    """Fill a disk up to some bytes."""
    with (disk / "ballast").open("wb") as ballast:
        while (rest := os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize - free) > 0:
            ballast.write(bytes(min(rest, 1 << 20)))
            ballast.flush()


def pusher_of(running: RunningHub) -> Pusher:
    return Pusher(running.url, "ada", make_people(running, ("ada",))["ada"], random.Random(1))


@pytest.mark.parametrize("free", [0, 50_000, 400_000])
def test_pushes_are_refused_in_a_sentence(disk: Path, free: int) -> None:
    """By LFS, by Xet and inline: 507 with a sentence; audits, the ledger and backups say it too; later all goes on."""
    with serve_test_hub(disk) as running:
        pusher = pusher_of(running)
        pusher.push(0)
        leave(disk, free)
        for number in (2, 3):
            with pytest.raises(httpx.HTTPStatusError) as refused:
                pusher.push(number)
            assert refused.value.response.status_code == 507
            assert "the hub's storage is full" in refused.value.response.json()["error"]
        refused_commit = pusher.commit_text("x" * 1_000_000)
        assert refused_commit.status_code == 507
        assert "the hub's storage is full" in refused_commit.json()["error"]
        if not free:
            with pytest.raises(BackendError, match=r"full|nothing can be written"):
                running.audit_all()
            with pytest.raises(BackendError, match="full"):
                log_events(running.hub.database, running.hub.journal)
        with pytest.raises(BackendError):
            back_up(running.hub, disk / "backup")
        (disk / "ballast").unlink()
        shutil.rmtree(disk / "backup", ignore_errors=True)
        for number in (2, 3):
            pusher.push(number)
        assert pusher.commit_text("small").status_code == 200
        running.audit_all()
        log_events(running.hub.database, running.hub.journal)
        back_up(running.hub, disk / "backup")
        assert list(check_hub(running.hub, deep=True)) == []


def test_audits_go_on_when_there_is_room_again(disk: Path) -> None:
    """A disk that fills up during audits keeps none of them from its end once there is room."""
    with serve_test_hub(disk, audits=True) as running:
        pusher = pusher_of(running)
        pusher.push(0)
        leave(disk, 0)
        with pytest.raises(httpx.HTTPStatusError):
            pusher.push(2)
        threading.Event().wait(8)  # in which audits are tried
        (disk / "ballast").unlink()
        pusher.push(2)
        running.await_audits()
        log_events(running.hub.database, running.hub.journal)
        assert list(check_hub(running.hub, deep=True)) == []
