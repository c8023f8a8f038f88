"""The child process of one check: read a request, give up rights, run the check, write what it sees.

Line by line, so that everything said before a crash arrives.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from hallmarked.artifacts import source
from hallmarked.checks import registry
from hallmarked.checks.runner import compact, watch
from hallmarked.checks.sandbox import Limits, confine


def send(kind: str, body: Any) -> None:
    """Write one message."""
    sys.stdout.write(json.dumps({"kind": kind, "body": body}) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Serve one request from standard input."""
    request = json.loads(sys.stdin.readline())
    check, _ = registry.load(request["check"])
    artifact = source.from_description(request["artifact"])
    send("isolation", confine(Limits(**request["limits"]), allow_socket=check.needs_socket))
    applied, broke = watch(check, artifact, lambda item: send(type(item).__name__, compact(item)))
    send("done", {"applied": applied, "broke": broke})


if __name__ == "__main__":
    main()
