"""What children of these tests do with a part, good and bad; run by :data:`SCRIPT`."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hallmarked.core.artifact import Artifact
from hallmarked.core.check import Part
from hallmarked.core.errors import FormatError
from hallmarked.corpus.engine.meter import count_rows

SCRIPT = f"""
import sys
sys.path.insert(0, {str(Path(__file__).resolve().parents[3])!r})
from hallmarked.corpus.engine.child import main
main()
"""
SEEN: list[int] = []
"""Parts that this process has seen before."""


def learn(artifact: Artifact, part: Part, options: Mapping[str, Any]) -> bytes:
    """Do what the part says, else return bytes of the file, how many parts this process saw before, and its number."""
    SEEN.append(1)
    act = str(part.get("do", "read"))
    if act != "read":
        return ACTS[act]()
    with artifact.open(part["path"]) as stream:
        stream.seek(part["start"])
        data = stream.read(part["stop"] - part["start"])
    count_rows(artifact, data.count(b"\n"))
    return str(options.get("before", "")).encode() + data


def seen(_artifact: Artifact, _part: Part, _options: Mapping[str, Any]) -> bytes:
    """Return how many parts this process has seen, this one too, and which process it is."""
    SEEN.append(1)
    return json.dumps([len(SEEN), os.getpid()]).encode()


def second_dies(_artifact: Artifact, part: Part, _options: Mapping[str, Any]) -> bytes:
    """Die over every part but the first that this process sees."""
    SEEN.append(1)
    if len(SEEN) > 1:
        os._exit(3)
    return str(part["n"]).encode()


def _fail() -> bytes:
    raise FormatError("the part is broken")


def _crash() -> bytes:
    raise KeyError("someone@example.org")


def _die() -> bytes:
    ctypes.string_at(0)
    return b""


def _kill() -> bytes:
    os.abort()


def _grow() -> bytes:
    return b"x" * (3 << 30)


def _write() -> bytes:
    try:
        Path("/tmp/hallmarked-was-here").write_text("x")
    except OSError:
        return b"refused"
    return b"written"


def _connect() -> bytes:
    try:
        socket.create_connection(("127.0.0.1", 9), timeout=1)
    except PermissionError:
        return b"refused"
    except OSError:
        return b"tried"
    return b"connected"


def _print() -> bytes:
    sys.stdout.write("text of a library")
    sys.stdout.flush()
    os.write(1, b"more of it")
    return b"printed"


def _wait() -> bytes:
    time.sleep(60)
    return b""


def _interrupt() -> bytes:
    signal.raise_signal(signal.SIGINT)
    return b""


def _babble() -> bytes:
    """Write to every descriptor, as a process would that was taken over."""
    for number in range(3, 20):
        try:
            os.write(number, b"\xff" * 100)
        except OSError:
            continue
    return b""


ACTS = {
    "fail": _fail, "crash": _crash, "die": _die, "kill": _kill, "grow": _grow, "write": _write, "connect": _connect,
    "print": _print, "wait": _wait, "interrupt": _interrupt, "babble": _babble,
}  # fmt: skip
