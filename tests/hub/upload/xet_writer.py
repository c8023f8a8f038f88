"""A program that uploads by Xet until it is killed: started with the hub's data folder by test_xet_crash."""

from __future__ import annotations

import random
import sys
from pathlib import Path

from hallmarked.hub.setting import Settings, Storage
from tests.formats.xet_writer import Xorb
from tests.hub.upload.test_xet import Uploads, describe, whole
from tests.hubs import open_test_hub


def make_xorbs() -> list[Xorb]:
    """Make the same xorbs in every process."""
    source = random.Random(1)
    return [Xorb(tuple(source.randbytes(100_000) for _ in range(40)), (0, 2)) for _ in range(2)]


def main() -> None:
    """Upload a new file again and again."""
    data = Path(sys.argv[1])
    xorbs = make_xorbs()
    bodies = [xorb.body for xorb in xorbs]
    shards = [describe([*whole(*xorbs), (xorbs[0], 0, count)], *xorbs) for count in range(1, 41)]
    with open_test_hub(data.parent, Settings(storage=Storage(data=str(data)))) as opened:
        uploads = Uploads(opened)
        uploads.running.person(sys.argv[2])
        print("ready", flush=True)  # noqa: T201 - tells the test to kill
        for shard in shards:
            for xorb, body in zip(xorbs, bodies, strict=True):
                uploads.send(xorb, sys.argv[2], body=body)
            uploads.build(shard, sys.argv[2])


if __name__ == "__main__":
    main()
