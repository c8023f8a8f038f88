"""Child processes that share the work on one machine."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import TypeAlias

from hallmarked.core.check import Part
from hallmarked.core.errors import BackendError
from hallmarked.corpus.engine.model import Job, Serve
from hallmarked.corpus.engine.process import Answer, Child, extra_seconds

Sink: TypeAlias = Callable[[], Callable[[bytes], object]]
"""Called before each try at a part, returns what takes its state piece by piece."""


class Crew:
    """At most so many children, each of which looks at many parts, one after the other.

    What becomes of a part depends on that part alone: when a child that has seen others dies over it, or has no memory
    left, a new one tries. Only what a fresh child cannot do is given up.

    Args:
        job: What is done.
        width: Most children at a time.
        serve: Gives children ranges of files that they cannot open.
    """

    def __init__(self, job: Job, width: int, serve: Serve | None = None) -> None:
        self._job, self._serve = job, serve
        self._places = threading.BoundedSemaphore(width)
        self._idle: list[Child] = []
        self._busy: set[Child] = set()
        self._lock = threading.Lock()
        self._closed = False
        # A child ends with the thread that started it (see core.sandbox): one thread starts all, and outlives them.
        self._starter = ThreadPoolExecutor(1, "crew")

    def __enter__(self) -> Crew:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def learn(self, part: Part, sink: Sink) -> Answer:
        """Let a child look at a part; called by as many threads as like to.

        Args:
            part: The part.
            sink: Takes the state.

        Raises:
            BackendError: When no child comes up, or the crew was closed.
        """
        with self._places:
            child = self._take(extra_seconds(part))
            try:
                fresh = not child.served
                answer = child.learn(part, sink())
                if answer.ended and not fresh and not answer.late:
                    self._end(child)
                    child = self._start(extra_seconds(part))
                    answer = child.learn(part, sink())
            except BaseException:
                self._end(child)
                raise
            if answer.ended or child.worn:
                self._end(child)
            else:
                self._give_back(child)
        if self._closed:
            raise BackendError("the work was stopped")
        return answer

    def close(self) -> None:
        """End all children; who waits for one is told that it died."""
        with self._lock:
            self._closed = True
            children = [*self._idle, *self._busy]
            self._idle.clear()
        for child in children:
            child.close()
        self._starter.shutdown()

    def _take(self, extra: int) -> Child:
        with self._lock:
            for index, child in enumerate(self._idle):
                if child.extra >= extra:
                    self._busy.add(self._idle.pop(index))
                    return child
            spare = self._idle.pop() if self._idle else None
        if spare is not None:
            spare.close()  # it has less time than this part may take
        return self._start(extra)

    def _start(self, extra: int) -> Child:
        with self._lock:
            if self._closed:
                raise BackendError("the work was stopped")
            starting = self._starter.submit(Child, self._job, self._serve, extra)
        child = starting.result()
        with self._lock:
            if not self._closed:
                self._busy.add(child)
                return child
        child.close()
        raise BackendError("the work was stopped")

    def _give_back(self, child: Child) -> None:
        with self._lock:
            self._busy.discard(child)
            if not self._closed:
                self._idle.append(child)
                return
        child.close()

    def _end(self, child: Child) -> None:
        with self._lock:
            self._busy.discard(child)
        child.close()
