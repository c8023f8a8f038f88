"""One child process that looks at parts, as seen by the process that started it. Nothing it says is trusted."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import BinaryIO, cast

from hallmarked.core.check import Part
from hallmarked.core.errors import BackendError, Error, FormatError
from hallmarked.corpus.engine.frame import ANSWER, Kind, copy_exactly, read_exactly, read_header
from hallmarked.corpus.engine.model import Job, Serve, size_of

ORDINARY = 64 << 20
"""Bytes of a part for which the limits of a job are meant; a larger one has a second more for each MiB above."""
START_SECONDS = 120
"""Time to start in, on a machine that is busy."""
ENVIRONMENT = ("SYSTEMROOT",)
"""What a child sees of the environment."""
COMMAND = (sys.executable, "-I", "-B", "-m", "hallmarked.corpus.engine.child")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one part."""

    size: int = 0
    """Bytes of the state."""
    rows: int = 0
    broke: str = ""
    """Why there is no state."""
    ended: bool = False
    """Whether the process ended over it: it died, or has no memory left."""
    late: bool = False
    """Whether it was ended because it took too long."""


def extra_seconds(part: Part) -> int:
    """Return how much longer than usual a part may take, for its size."""
    return max(0, size_of(part) - ORDINARY) >> 20


class Child:
    """A process that has the rights to read and to compute, and no others.

    Args:
        job: What it does.
        serve: Gives it ranges of files that it cannot open; the only thing it can ask for.
        extra: Seconds that it may take longer than the job's limits say.

    Raises:
        BackendError: When it does not come up, with its reason.
    """

    def __init__(self, job: Job, serve: Serve | None, extra: int = 0) -> None:
        self.extra, self.served = extra, 0
        self._serve = serve
        self._limits = replace(
            job.limits, cpu_seconds=job.limits.cpu_seconds + extra, wall_seconds=job.limits.wall_seconds + extra
        )
        self._spent = 0.0
        self._process = subprocess.Popen(  # noqa: S603 -- this interpreter and a module of ours
            COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={name: os.environ[name] for name in ENVIRONMENT if name in os.environ},
        )
        self._in, self._out = cast("BinaryIO", self._process.stdin), cast("BinaryIO", self._process.stdout)
        request = {
            "task": job.task, "artifact": job.artifact, "options": job.options, "limits": asdict(self._limits),
        }  # fmt: skip
        said: list[bytes] = []
        answer = self._exchange(request, said.append, START_SECONDS)
        if answer.broke:
            self.close()
            raise BackendError(f"nobody can look at the parts: {answer.broke}")
        self.isolation = _isolation(b"".join(said))

    def learn(self, part: Part, take: Callable[[bytes], object]) -> Answer:
        """Let it look at a part.

        Args:
            part: The part.
            take: Gets the state piece by piece.
        """
        started = time.monotonic()
        answer = self._exchange(part, take, self._limits.wall_seconds)
        self._spent += time.monotonic() - started
        self.served += 1
        return answer

    @property
    def worn(self) -> bool:
        """Whether it may soon reach its limit of computing time, which counts for all parts together."""
        return self._spent > self._limits.cpu_seconds / 2

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        with suppress(BrokenPipeError):
            self._in.close()
        self._out.close()

    def _exchange(self, message: object, take: Callable[[bytes], object], seconds: int) -> Answer:
        """Send a message, and wait for the answer, but not for ever.

        Raises:
            BackendError: When somebody at the keyboard ended it.
        """
        late = threading.Event()

        def end() -> None:
            late.set()
            self._process.kill()

        timer = threading.Timer(seconds, end)
        timer.start()
        try:
            with suppress(BrokenPipeError):  # it died; its silence says so
                self._in.write(json.dumps(message).encode() + b"\n")
                self._in.flush()
            return self._receive(take)
        except EOFError:
            code = self._process.wait()
            if code == -signal.SIGINT:
                raise BackendError("the work was stopped") from None
            if late.is_set():
                return Answer(broke=f"it was not done after {seconds} s", ended=True, late=True)
            return Answer(broke=_ending(code), ended=True)
        except FormatError as error:
            self._process.kill()  # it was taken over, or its library is broken
            return Answer(broke=str(error), ended=True)
        finally:
            timer.cancel()

    def _receive(self, take: Callable[[bytes], object]) -> Answer:
        while True:
            kind, rows, size = read_header(self._out)
            if kind is Kind.ASK:
                self._give(read_exactly(self._out, size))
                continue
            if kind in (Kind.STATE, Kind.READY):
                copy_exactly(self._out, size, take)
                return Answer(size, rows)
            reason = read_exactly(self._out, size).decode("utf-8", "replace")
            return Answer(rows=rows, broke=reason or "no reason given", ended=kind is Kind.SPENT)

    def _give(self, body: bytes) -> None:
        """Give a range that was asked for, or say why not.

        Raises:
            FormatError: When it asks for what it cannot have.
        """
        try:
            wanted = json.loads(body)
        except ValueError as error:
            raise FormatError("a process asked for something that is no range of a file") from error
        if self._serve is None or not isinstance(wanted, list) or len(wanted) != 3:
            raise FormatError("a process asked for something that it cannot have")
        try:
            failed, data = 0, self._serve(*wanted)
        except Error as error:
            failed, data = 1, str(error).encode("utf-8", "replace")[:500]
        with suppress(BrokenPipeError):
            self._in.write(ANSWER.pack(failed, len(data)) + data)
            self._in.flush()


def _isolation(said: bytes) -> tuple[str, ...]:
    """Read what a child said before it saw a part."""
    return tuple(map(str, json.loads(said)))


def _ending(code: int) -> str:
    if code < 0:
        return f"its process was ended by signal {-code} (out of time or memory)"
    return f"its process ended early with status {code}"
