"""An upload by Xet that ends with the power: nothing half is visible, and the next try works."""

from __future__ import annotations

import hashlib
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import select

from hallmarked.hub.schema.object import blob, possession
from hallmarked.hub.schema.xet import xorb_extent
from tests.hub.upload.test_xet import Uploads, describe, join, whole
from tests.hub.upload.xet_writer import make_xorbs
from tests.hubs import RunningHub

ROUNDS = 5


@pytest.mark.slow
def test_killed_at_any_moment(hub: RunningHub) -> None:
    """After each kill every file is what its name says, every row has its file, and the same upload succeeds."""
    uploads = Uploads(hub)
    xorbs = make_xorbs()
    parts = whole(*xorbs)
    for number in range(ROUNDS):
        kill_writer(hub.hub.settings.data, f"user-{number}")
        files = {sha256 for sha256, _, _ in hub.hub.blobs.list()}
        assert all(hashlib.sha256(uploads.read(sha256)).hexdigest() == sha256 for sha256 in files)
        with hub.hub.database.read() as db:
            named = {*db.scalars(select(blob.c.sha256)), *db.scalars(select(possession.c.sha256))}
            named |= set(db.scalars(select(xorb_extent.c.sha256)))
        assert named <= files
        for xorb in xorbs:
            uploads.send(xorb)
        uploads.build(describe(parts, *xorbs))
        assert uploads.read(join(parts)[1]) == join(parts)[0]


def kill_writer(data: Path, who: str) -> None:
    """Let a program upload and kill it somewhere in the middle."""
    command = [sys.executable, "-m", "tests.hub.upload.xet_writer", str(data), who]
    with subprocess.Popen(command, cwd=Path(__file__).parents[3], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
        time.sleep(random.uniform(0, 1.5))
        writer.kill()
