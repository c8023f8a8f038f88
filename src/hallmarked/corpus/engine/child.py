"""The process that looks at parts: read a job, give up rights, and answer for one part after the other."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Mapping
from functools import partial
from typing import Any, BinaryIO

from hallmarked.artifacts import source
from hallmarked.core.errors import Error
from hallmarked.core.sandbox import Limits, confine
from hallmarked.corpus.engine.frame import Kind, read_answer, write_frame
from hallmarked.corpus.engine.meter import Metered
from hallmarked.corpus.engine.task import SPENT, attempt, load_task


def main() -> None:
    """Serve one job from standard input."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # so that the parent sees what ended it
    out = _own_output()
    request = json.loads(sys.stdin.buffer.readline())
    try:
        task = load_task(request["task"])
        isolation = confine(Limits(**request["limits"]), allow_socket=False)
        artifact = Metered(source.from_description(request["artifact"], partial(_ask, out)))
    except Error as error:
        write_frame(out, Kind.BROKE, _words(str(error)))
        return
    write_frame(out, Kind.READY, json.dumps(isolation).encode())
    options: Mapping[str, Any] = request["options"]
    for line in sys.stdin.buffer:
        artifact.rows = 0
        state, broke = attempt(partial(task, artifact, json.loads(line), options))
        if broke:
            write_frame(out, Kind.SPENT if broke == SPENT else Kind.BROKE, _words(broke), artifact.rows)
        else:
            write_frame(out, Kind.STATE, state, artifact.rows)
        if broke == SPENT:
            return


def _own_output() -> BinaryIO:
    """Keep the way to the parent for frames: what libraries print goes where their errors go."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return out


def _ask(out: BinaryIO, number: int, start: int, size: int) -> bytes:
    """Ask the process that started this one for a range of a file.

    Raises:
        BackendError: When it cannot be had.
    """
    write_frame(out, Kind.ASK, json.dumps([number, start, size]).encode())
    return read_answer(sys.stdin.buffer)


def _words(text: str) -> bytes:
    return text.encode("utf-8", "replace")[:2_000]


if __name__ == "__main__":
    main()
