"""Finding duplicates keeps to its bound of memory."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytest.importorskip("resource", reason="limits of memory are those of Unix")

PROGRAM = """
import random, resource, sys
import numpy as np
from tests.corpus.duplicate.texts import load
from hallmarked.corpus.duplicate.find import Limits, find_duplicates
from hallmarked.corpus.duplicate.state import Builder

chance = random.Random(1)
vocabulary = np.array([f"word{number}" for number in range(20_000)])

def make(part):  # a fifth of the rows of a part are edited copies of rows of the part before it
    texts = []
    for row in range(2_000):
        old = int(part > 0 and row % 5 == 0)
        words = vocabulary[np.random.default_rng([part - old, row + old]).integers(0, len(vocabulary), 1_000)]
        if old:
            words[500] = "edited"
        texts.append(" ".join(words.tolist()))
    return texts

if __name__ == "__main__":
    import os, tempfile
    from functools import partial
    from pathlib import Path
    from hallmarked.corpus.duplicate.state import State
    def used():
        return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    states, size = [], 0
    with tempfile.TemporaryDirectory() as folder:
        for part in range(int(sys.argv[1])):
            texts = make(part)
            size += sum(map(len, texts))
            builder = Builder()
            builder.add(texts)
            path = Path(folder, str(part))
            path.write_bytes(builder.dump())
            states.append(State.load(partial(path.open, "rb"), path.stat().st_size, builder.settings))
            del texts, builder
        room = int(sys.argv[2])
        resource.setrlimit(resource.RLIMIT_AS, (used() + room, used() + room))
        def read(index, rows):
            texts = make(index)
            yield rows, [texts[row] for row in rows.tolist()]
        found = find_duplicates(states, read, limits=Limits(pairs=1 << 14, sets=8 << 20))
        print(size, found.texts, found.removed, found.unread)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="address space is limited on Linux only")
def test_texts_need_not_fit_into_memory() -> None:
    """Of 115 MB of text duplicates are found in 96 MiB besides what the interpreter has, one part of 16 MB included."""
    command = [sys.executable, "-c", PROGRAM, "8", str(96 << 20)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-1500:]
    size, texts, removed, unread = map(int, done.stdout.split())
    assert size > 115_000_000
    assert (texts, removed, unread) == (16_000, 7 * 400, 0)
