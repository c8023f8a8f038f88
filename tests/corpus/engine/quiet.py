"""Compute a plan where asking for a socket to another machine ends the process: run in a process of its own.

Prints what was learned. With the argument ``try`` it opens such a socket, to show that the trap works.
"""

from __future__ import annotations

import ctypes
import platform
import socket
import struct
import sys
from pathlib import Path

KILL_PROCESS, ALLOW = 0x80000000, 0x7FFF0000
LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06
SOCKET = {"x86_64": 41, "aarch64": 198}


def set_trap() -> None:
    """End this process, and all that it starts, when one asks for a socket of the internet's families."""
    families = [socket.AF_INET, socket.AF_INET6]
    code = [(LOAD, 0, 0, 0), (EQUAL, len(families) + 2, 0, SOCKET[platform.machine()]), (LOAD, 0, 0, 16)]
    code[1] = (EQUAL, 0, len(families) + 1, SOCKET[platform.machine()])
    code += [(EQUAL, len(families) - index, 0, family) for index, family in enumerate(families)]
    code += [(RETURN, 0, 0, ALLOW), (RETURN, 0, 0, KILL_PROCESS)]
    program = b"".join(struct.pack("HBBI", op, yes, no, value) for op, yes, no, value in code)
    libc = ctypes.CDLL(None)
    body = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("HxxxxxxP", len(code), ctypes.addressof(body))
    assert libc.prctl(38, 1, 0, 0, 0) == 0
    assert libc.prctl(22, 2, header, 0, 0) == 0


def main() -> None:
    """Set the trap, compute, and print."""
    set_trap()
    if sys.argv[1] == "try":
        socket.socket(socket.AF_INET)
        return
    from hallmarked.artifacts.source import describe, open_artifact  # noqa: PLC0415 -- after the trap is set
    from hallmarked.checks.parted import run_in_parts  # noqa: PLC0415 -- likewise
    from hallmarked.core.sandbox import Limits  # noqa: PLC0415 -- likewise
    from hallmarked.corpus.engine.model import Engine  # noqa: PLC0415 -- likewise

    artifact = open_artifact(Path(sys.argv[1]))
    result = run_in_parts("tables", "1", describe(artifact), Limits(), Engine(3))
    assert "daft" in sys.modules
    sys.stdout.write(next(m.value for m in result.measurements if m.metric == "rows.total" and not m.slice))


if __name__ == "__main__":
    main()
