"""Append to a log and print each index once it is acknowledged; run by the tests, and killed by them.

With a place, a count and a seed it appends so many batches to the log there. Without, it forks a writer for each line
it reads, to the log in the place the line names: a file or a database's URL.
"""

from __future__ import annotations

import os
import random
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.ledger.support import make_entry, open_log


def append(place: str, count: int, seed: int) -> None:
    dice, log = random.Random(seed), open_log(place if "://" in place else Path(place))
    for _ in range(count):
        for receipt in log.append([make_entry(dice.randrange(10**9)) for _ in range(dice.choice([1, 1, 3, 20]))]):
            os.write(1, b"%d\n" % receipt.index)
    log.close()


def main() -> None:
    if len(sys.argv) > 1:
        append(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
        return
    if find_spec("psycopg"):
        import_module("hallmarked.ledger.postgres")  # once, instead of in each writer's short life
    for line in sys.stdin:
        if pid := os.fork():
            os.waitpid(pid, 0)
            os.write(1, b"dead\n")
        else:
            os.write(1, b"pid %d\n" % os.getpid())
            append(line.strip(), 10**9, os.getpid())


if __name__ == "__main__":
    main()
