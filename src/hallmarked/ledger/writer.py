"""Group commit: many threads log a few entries each, few transactions carry them.

An fsync costs more than all the hashing and signing of an entry, so entries that arrive together share one.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from itertools import islice
from types import TracebackType

from hallmarked.core.errors import BackendError, Error, InputError
from hallmarked.ledger.log import Entry, Log, Receipt

_Job = tuple[Sequence[Entry], "Future[list[Receipt]]"]


class GroupWriter:
    """Logs entries from any number of threads. A context manager; leaving it logs what is waiting.

    Args:
        log: The log to write; others may write it meanwhile.
        limit: Commit when so many entries, or more, are waiting.
        linger: Commit when the first of them has waited so many seconds.
        pause: Commit as soon as nobody came for so many seconds: waiting on would only cost those who wait.
    """

    def __init__(self, log: Log, *, limit: int = 256, linger: float = 0.05, pause: float = 0.002) -> None:
        self._log, self._limit = log, limit
        self._linger, self._pause = linger, pause
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="hallmarked-ledger", daemon=True)
        self._thread.start()

    def submit(self, entries: Sequence[Entry]) -> Future[list[Receipt]]:
        """Hand in entries that belong together. They are in the log, all of them, when the future has their receipts.

        Raises:
            InputError: When the writer is closed.
        """
        future: Future[list[Receipt]] = Future()
        with self._lock:
            if self._closed:
                raise InputError("the log's writer is closed")
            self._jobs.put((entries, future))
        return future

    def append(self, entries: Sequence[Entry]) -> list[Receipt]:
        """Hand in entries and wait until they are in the log.

        Raises:
            InputError: When the writer is closed.
            BackendError: When the log cannot be written.
        """
        return self.submit(entries).result()

    def close(self) -> None:
        """Log what is waiting and stop."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._jobs.put(None)
        self._thread.join()

    def __enter__(self) -> GroupWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _run(self) -> None:
        try:
            while self._commit_next():
                pass
        finally:
            with self._lock:
                self._closed = True
            while not self._jobs.empty():  # only after an error we did not foresee
                _fail([job for job in [self._jobs.get()] if job is not None])

    def _commit_next(self) -> bool:
        """Collect and commit one batch; False when the writer is to stop."""
        job = self._jobs.get()
        batch: list[_Job] = []
        deadline = time.monotonic() + self._linger
        while job is not None:
            batch.append(job)
            if sum(len(entries) for entries, _ in batch) >= self._limit:
                break
            try:
                job = self._jobs.get(timeout=max(0.0, min(self._pause, deadline - time.monotonic())))
            except queue.Empty:
                break
        if batch:
            self._commit(batch)
        return job is not None

    def _commit(self, batch: list[_Job]) -> None:
        waiting = [job for job in batch if job[1].set_running_or_notify_cancel()]
        try:
            receipts = iter(self._log.append([entry for entries, _ in waiting for entry in entries]))
            for entries, future in waiting:
                future.set_result(list(islice(receipts, len(entries))))
        except Error as error:
            for _, future in waiting:
                future.set_exception(error)
        finally:
            _fail(waiting)


def _fail(jobs: list[_Job]) -> None:
    """Let nobody wait for ever."""
    for _, future in jobs:
        if not future.done():
            future.set_exception(BackendError("the log's writer failed"))
