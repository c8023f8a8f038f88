"""Look at all parts of something, and keep what is learned in the order of the parts."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import BinaryIO

from hallmarked.core.check import Learned, Part
from hallmarked.core.errors import BackendError, InputError
from hallmarked.corpus.engine.crew import Crew
from hallmarked.corpus.engine.model import Engine, Job, Progress, Report, Serve, size_of
from hallmarked.corpus.engine.process import Answer


def map_parts(
    job: Job, parts: Sequence[Part], engine: Engine, folder: Path, *, serve: Serve | None = None,
    report: Report = lambda _progress: None,
) -> list[Learned]:  # fmt: skip
    """Do a job with every part, each in a confined process, and keep the states in files.

    The result is the same whoever computed it, in whatever order and by how many.

    Args:
        job: What is done.
        parts: The parts.
        engine: Who computes. One part, or one process, needs no engine but a child of this process.
        folder: An empty folder for the states; whoever asked removes it.
        serve: Gives children ranges of files that they cannot open.
        report: Is told of progress.

    Returns:
        What was learned from each part, in their order; where nothing was, the reason.

    Raises:
        InputError: When a cluster cannot reach the artifact.
        BackendError: When no process comes up, the cluster fails, or a state cannot be written.
    """
    store = Store(folder, parts, report)
    if engine.address:
        if serve is not None:
            raise InputError(
                "a cluster cannot read what lies on a hub: download it to a folder that all its machines see"
            )
        _on_cluster(job, store, engine)
    else:
        width = max(1, min(engine.width, len(parts)))
        with Crew(job, width, serve) as crew:
            if width == 1:
                for number, part in enumerate(parts):
                    store.look(crew, number, part)
            else:
                _natively(crew, store, engine)
    return store.learned()


def _natively(crew: Crew, store: Store, engine: Engine) -> None:
    from hallmarked.corpus.engine import plan  # noqa: PLC0415 -- Daft takes its time, and one process does without

    width = plan.choose(engine)
    for _ in plan.follow(plan.build(store.parts, Here(crew, store), width)):
        pass


def _on_cluster(job: Job, store: Store, engine: Engine) -> None:
    from hallmarked.corpus.engine import plan  # noqa: PLC0415 -- likewise

    if not store.parts:
        return
    portions = plan.portions_of(len(store.parts), plan.choose(engine))
    for number, said in plan.follow(plan.build(store.parts, There(job), 1, portions)):
        line, _, state = said.partition(b"\n")
        head = json.loads(line)
        if "failure" in head:
            raise BackendError(head["failure"])
        with store.open(number) as out:
            _write(out, state)
        store.take(number, Answer(**head))


def _write(out: BinaryIO, data: bytes) -> None:
    view = memoryview(data)
    try:
        while view:  # without a buffer, a disk that is nearly full takes a part and says so only the next time
            view = view[out.write(view) :]
    except OSError as error:
        raise BackendError(f"what was learned cannot be written down: {(error.strerror or '').lower()}") from error


def _read(path: Path) -> BinaryIO:
    return path.open("rb")


@dataclass(slots=True)
class Store:
    """Keeps the states of parts in files, and counts what is done."""

    folder: Path
    parts: Sequence[Part]
    report: Report
    answers: dict[int, Answer] = field(default_factory=dict)
    failure: BackendError | None = None
    """Why the work had to stop."""
    _size: int = 0
    _rows: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _total: int = 0

    def __post_init__(self) -> None:
        self._total = sum(map(size_of, self.parts))

    def path(self, number: int) -> Path:
        """Return where the state of a part is kept."""
        return self.folder / str(number)

    def open(self, number: int) -> BinaryIO:
        """Begin the file of a state anew.

        Raises:
            BackendError: When it cannot be written.
        """
        try:
            return self.path(number).open("wb", buffering=0)
        except OSError as error:
            raise BackendError(f"what was learned cannot be written down: {(error.strerror or '').lower()}") from error

    def look(self, crew: Crew, number: int, part: Part) -> Answer:
        """Let a crew look at a part, and keep the state.

        Raises:
            BackendError: When no child comes up, or the state cannot be written.
        """
        with self.open(number) as out:

            def begin() -> partial[None]:
                out.seek(0)
                out.truncate()
                return partial(_write, out)

            answer = crew.learn(part, begin)
            if answer.broke:
                out.truncate(0)
        self.take(number, answer)
        return answer

    def take(self, number: int, answer: Answer) -> None:
        """Take that a part is done."""
        with self._lock:
            self.answers[number] = answer
            self._size += size_of(self.parts[number])
            self._rows += answer.rows
            self.report(Progress(len(self.answers), len(self.parts), self._size, self._total, self._rows))

    def learned(self) -> list[Learned]:
        """Return what was learned, in the order of the parts.

        Raises:
            BackendError: When the work had to stop.
        """
        if self.failure is not None:
            raise self.failure
        return [
            Learned(part, partial(_read, self.path(number)), answer.size, answer.broke)
            for number, part in enumerate(self.parts)
            for answer in (self.answers[number],)
        ]


class Here:
    """Does the work of a plan in this process: states go to files at once, and nothing travels."""

    def __init__(self, crew: Crew, store: Store) -> None:
        self._crew, self._store = crew, store

    def look(self, number: int, part: Part) -> bytes:
        """Look at a part, unless the work had to stop; the plan is not told of failures, which it would try again."""
        if self._store.failure is None:
            try:
                self._store.look(self._crew, number, part)
            except BackendError as error:
                self._store.failure = error
        return b""

    def __reduce__(self) -> tuple[object, ...]:
        return nobody, ()


def nobody() -> None:
    """Refuse to work in another process than the one that has the children.

    Raises:
        BackendError: Always.
    """
    raise BackendError("this work cannot be done by another process")


class There:
    """Does the work of a plan on a machine of a cluster: states travel back."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._crew: Crew | None = None

    def look(self, number: int, part: Part) -> bytes:
        """Look at a part, and return the answer as a line of JSON, and the state."""
        if self._crew is None:
            self._crew = Crew(self._job, 1)
        state: list[bytes] = []

        def begin() -> Callable[[bytes], object]:
            state.clear()
            return state.append

        try:
            answer = self._crew.learn(part, begin)
        except BackendError as error:
            return json.dumps({"failure": str(error)}).encode()
        head = json.dumps({"size": answer.size, "rows": answer.rows, "broke": answer.broke})
        return b"".join((head.encode(), b"\n", *state))

    def __reduce__(self) -> tuple[object, ...]:
        return There, (self._job,)

    def __del__(self) -> None:
        if self._crew is not None:
            self._crew.close()
