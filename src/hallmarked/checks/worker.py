"""The child process of one check: read a request, give up rights, run the check, write what it sees.

Line by line, so that everything said before a crash arrives.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Any, cast

from hallmarked.artifacts import source
from hallmarked.checks import registry
from hallmarked.checks.earlier import Edition, Said
from hallmarked.checks.parted import CONCLUDE, CUT, Concluding, Cut, Cutting, read_learned
from hallmarked.checks.runner import compact, watch
from hallmarked.core.check import Check, Note, PartCheck
from hallmarked.core.sandbox import Limits, confine
from hallmarked.corpus.engine.frame import read_answer

MAX_NOTE = 1 << 16
"""Characters of a note's data; what needs more is established again the next time."""


def send(kind: str, body: Any) -> None:
    """Write one message."""
    sys.stdout.write(json.dumps({"kind": kind, "body": body}) + "\n")
    sys.stdout.flush()


def tell(said: Said | Cut) -> None:
    """Write what a check says."""
    if isinstance(said, Cut):
        send(Cut.__name__, said.part)
        return
    if isinstance(said, Note) and len(json.dumps(said.data)) > MAX_NOTE:
        said = Note(said.path, alone=False)
    send(type(said).__name__, asdict(said) if isinstance(said, Note | Edition) else compact(said))


def ask(number: int, start: int, size: int) -> bytes:
    """Ask the process that started this one for a range of a file.

    Raises:
        BackendError: When it cannot be had.
    """
    send("read", [number, start, size])
    return read_answer(sys.stdin.buffer)


def main() -> None:
    """Serve one request from standard input."""
    request = json.loads(sys.stdin.buffer.readline())
    check: Check = registry.load(request["check"])[0]
    artifact = source.from_description(request["artifact"], ask)
    send("isolation", confine(Limits(**request["limits"]), allow_socket=check.needs_socket))
    stage = request.get("stage")
    if stage == CUT:
        check = cast("Check", Cutting(cast("PartCheck", check)))
    elif stage == CONCLUDE:
        lines = [json.loads(sys.stdin.buffer.readline()) for _ in range(request["learned"])]
        learned = read_learned(request["folder"], lines)
        check = cast("Check", Concluding(cast("PartCheck", check), learned))
    notes = {path: Note(path, data) for path, data in request.get("notes", {}).items()}
    applied, broke = watch(check, artifact, tell, request.get("edition"), notes)
    send("done", {"applied": applied, "broke": broke})


if __name__ == "__main__":
    main()
