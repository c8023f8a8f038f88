"""Audits as durable workflows: killed half-way, they go on where they were. The only module that knows DBOS.

Its own tables lie beside the hub's: in ``jobs.sqlite3``, or in a schema of the same PostgreSQL database. The truth is
in the hub's tables (see ``waiting``); when these are lost, every audit that is due is simply begun again.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

from dbos import DBOS, DBOSConfig, SetEnqueueOptions, SetWorkflowID, error
from dbos import DBOSPortableJSONSerializer as JsonSerializer
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from hallmarked.checks.malware import signatures
from hallmarked.core.errors import BackendError, Error, InputError
from hallmarked.hub.clock import now, to_text
from hallmarked.hub.event import log_events
from hallmarked.hub.hub import Hub
from hallmarked.hub.job import audit
from hallmarked.hub.job.audit import Task
from hallmarked.hub.job.slot import Slots
from hallmarked.hub.job.stage import clear
from hallmarked.hub.job.waiting import list_new, list_outdated
from hallmarked.hub.review.judgement import redecide_due
from hallmarked.hub.review.reason import log_decisions
from hallmarked.hub.schema.review import decision, event

log = logging.getLogger(__name__)

NAME, QUEUE, VERSION = "hallmarked", "audit", "2"
"""``VERSION`` is of the workflow's steps: raise it when they change."""
SCHEMA = "hallmarked_jobs"
LOOK_SECONDS = 1.0
"""How often this process looks for new revisions."""
OLDER_SECONDS = 60.0
"""How often it looks for older ones that new rules have to judge, and for audits that failed."""
ORPHAN_SECONDS = 10.0
"""How often it looks for workflows whose process is gone."""
KEEP_SECONDS = 7 * 24 * 3600
EXECUTOR = "slot-"
LATER = 10
"""Priority of older revisions; new ones have the highest."""
TRIES = 3
RETRY_SECONDS = 2.0
MANY = 200
OVER = frozenset({"ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED", "SUCCESS"})
"""States in which nothing will happen to a workflow any more."""
OLDER = "older revisions"
"""Stands for an account, so that at most one of them is audited at once."""


@dataclass(slots=True)
class _Open:
    """The hub whose audits this process does; DBOS knows only one per process as well."""

    hub: Hub | None = None
    going: int = 0
    """Audits that are in a thread now."""
    lock: threading.Lock = field(default_factory=threading.Lock)


_open = _Open()


def _hub() -> Hub:
    if _open.hub is None:
        raise BackendError("this process does not audit any more")
    return _open.hub


@DBOS.step(retries_allowed=True, max_attempts=TRIES, interval_seconds=RETRY_SECONDS)
def _begin(repository_id: str, oid: str, rule_set: str, signatures: int) -> bool:
    return audit.begin(_hub(), Task(repository_id, oid, rule_set, signatures))


@DBOS.step(retries_allowed=True, max_attempts=TRIES, interval_seconds=RETRY_SECONDS)
def _examine(repository_id: str, oid: str, rule_set: str, signatures: int) -> str:
    """Return why it cannot be examined at all; empty when it was."""
    try:
        audit.examine(_hub(), Task(repository_id, oid, rule_set, signatures))
    except InputError as problem:
        return str(problem)
    return ""


@DBOS.step(retries_allowed=True, max_attempts=TRIES, interval_seconds=RETRY_SECONDS)
def _attest(repository_id: str, oid: str, rule_set: str, signatures: int) -> list[int]:
    return audit.attest(_hub(), Task(repository_id, oid, rule_set, signatures))


@DBOS.step(retries_allowed=True, max_attempts=TRIES, interval_seconds=RETRY_SECONDS)
def _settle(repository_id: str, oid: str, rule_set: str, signatures: int, entries: list[int]) -> None:
    audit.settle(_hub(), Task(repository_id, oid, rule_set, signatures), entries)


@DBOS.step()
def _note_failure(repository_id: str, oid: str, rule_set: str, signatures: int, reason: str) -> None:
    audit.note_failure(_hub(), Task(repository_id, oid, rule_set, signatures), reason)


@DBOS.step(retries_allowed=True, max_attempts=TRIES, interval_seconds=RETRY_SECONDS)
def _give_up(repository_id: str, oid: str, rule_set: str, signatures: int, reason: str) -> None:
    audit.give_up(_hub(), Task(repository_id, oid, rule_set, signatures), reason)


@DBOS.workflow(name="audit")
def _audit(repository_id: str, oid: str, rule_set: str, signatures: int) -> None:
    with _counted():
        _do_steps(repository_id, oid, rule_set, signatures)


def _do_steps(*named: *tuple[str, str, str, int]) -> None:
    if not _begin(*named):
        return
    try:
        if reason := _examine(*named):
            _give_up(*named, reason)
        else:
            _settle(*named, _attest(*named))
    except error.DBOSMaxStepRetriesExceeded as failure:
        _note_failure(*named, str(failure.errors[-1]))
        raise  # it is begun again later, a few times


class Auditor:
    """Does the audits of a hub in this process. Use :func:`auditing`.

    Args:
        hub: The hub.
        slots: The places of the processes that audit.
        slot: The place of this one.
    """

    def __init__(self, hub: Hub, slots: Slots, slot: int) -> None:
        self._hub, self._slots, self._slot = hub, slots, slot
        self._stop = threading.Event()
        self._handed: set[str] = set()
        self._signatures = 0
        self._thread = threading.Thread(target=self._run, name="hallmarked-auditor")

    def start(self) -> None:
        """Begin to look for revisions that wait."""
        self._thread.start()

    def stop(self) -> None:
        """Hand out nothing more."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        older = orphans = 0.0
        while not self._stop.is_set():
            try:
                if time.monotonic() >= older:
                    self._signatures = signatures()
                self._hand_out_new()
                _log_events(self._hub)
                if time.monotonic() >= orphans:
                    orphans = time.monotonic() + ORPHAN_SECONDS
                    self._adopt()
                if time.monotonic() >= older:
                    older = time.monotonic() + OLDER_SECONDS
                    self._handed.clear()
                    self._hand_out_older()
                    _forget_finished()
                redecide_due(self._hub)
            except (Error, error.DBOSException, SQLAlchemyError) as problem:
                log.warning("audits cannot be handed out now: %s", problem)
            self._stop.wait(LOOK_SECONDS)

    def _hand_out_new(self) -> None:
        with self._hub.database.read() as db:
            waiting = list_new(db, MANY, self._signatures)
        for item in waiting:
            if item.task.id not in self._handed:
                _enqueue(item.task, item.owner_id)
                self._handed.add(item.task.id)

    def _hand_out_older(self) -> None:
        most = self._hub.settings.job.recheck_per_minute
        with self._hub.database.read() as db:
            waiting = list_outdated(db, most, self._signatures)
        for item in waiting:
            _enqueue(item.task, OLDER, priority=LATER)

    def _adopt(self) -> None:
        """Let go on what was going on in processes that are gone."""
        going = DBOS.list_workflows(status="PENDING", load_input=False, load_output=False, limit=MANY)
        for executor in {item.executor_id for item in going} - {_executor(self._slot)}:
            number = (executor or "").removeprefix(EXECUTOR)
            if number.isdecimal():
                with self._slots.holding(int(number)) as gone:
                    for item in going if gone else ():
                        if item.executor_id == executor:
                            DBOS.resume_workflow(item.workflow_id, queue_name=item.queue_name)


@contextmanager
def auditing(hub: Hub) -> Iterator[None]:
    """Audit what is pushed to a hub, in threads of this process, until the context is left.

    What is not finished then goes on when a process audits again.

    Raises:
        InputError: When this process audits for a hub already.
        BackendError: When the database for jobs cannot be used.
    """
    with _open.lock:
        if _open.hub is not None:
            raise InputError("this process audits for a hub already")
        _open.hub = hub
    try:
        slots = Slots(hub.database, hub.settings.data / "slots")
        with slots.take() as slot:
            clear(hub.settings.scratch)
            _launch(hub, slot)
            auditor = Auditor(hub, slots, slot)
            auditor.start()
            try:
                yield
            finally:
                auditor.stop()
                DBOS.destroy(workflow_completion_timeout_sec=hub.settings.job.grace_seconds)
    finally:
        _open.hub = None


def leave() -> None:
    """End this process at once when an audit is still in one of its threads: it goes on elsewhere, or later."""
    if _open.going:
        log.warning("%s audits did not end in time; they go on when a process audits again", _open.going)
        sys.stderr.flush()
        os._exit(0)


@contextmanager
def _counted() -> Iterator[None]:
    with _open.lock:
        _open.going += 1
    try:
        yield
    finally:
        with _open.lock:
            _open.going -= 1


def _launch(hub: Hub, slot: int) -> None:
    logger = logging.getLogger("dbos")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())  # else it would add one that writes lines of its own form
        logger.propagate = True
    job = hub.settings.job
    config = DBOSConfig(
        name=NAME,
        application_version=VERSION,
        executor_id=_executor(slot),
        system_database_url=_place(hub),
        dbos_system_schema=SCHEMA,
        serializer=JsonSerializer(),
        use_listen_notify=False,
        enable_otlp=False,
        log_level="ERROR",
        sys_db_pool_size=job.threads + 4,
    )
    try:
        DBOS(config=config)
        DBOS.launch()
        DBOS.register_queue(
            QUEUE,
            worker_concurrency=job.threads,
            partition_concurrency=1,
            polling_interval_sec=LOOK_SECONDS / 2,
            on_conflict="always_update",
        )
    except (error.DBOSException, SQLAlchemyError, sqlite3.Error) as problem:
        DBOS.destroy()
        raise BackendError(f"the database for jobs cannot be used: {problem}") from problem


def _place(hub: Hub) -> str:
    if hub.database.dialect == "postgresql":
        return hub.settings.database_url
    path = hub.settings.data / "jobs.sqlite3"
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA journal_mode=WAL")  # kept in the file: readers do not wait for writers
    return f"sqlite:///{path.absolute()}"


def _executor(slot: int) -> str:
    return f"{EXECUTOR}{slot}"


def _enqueue(task: Task, partition: str, *, priority: int = 0) -> None:
    """Put an audit into the queue, unless it stands there already or goes on."""
    known = DBOS.list_workflows(workflow_id_prefix=f"{task.id}-", load_input=False, load_output=False)
    if any(item.status not in OVER for item in known):
        return
    # NOTE: old ones are forgotten, so their number says nothing; an id that was used does not run again
    used = [int(item.workflow_id.rpartition("-")[2]) for item in known]
    with (
        SetWorkflowID(f"{task.id}-{max(used, default=-1) + 1}"),
        SetEnqueueOptions(queue_partition_key=partition, priority=priority or None),
    ):
        DBOS.enqueue_workflow(QUEUE, _audit, task.repository_id, task.oid, task.rule_set, task.signatures)


def _log_events(hub: Hub) -> None:
    with hub.database.read() as db:
        waiting = db.execute(select(event.c.id).where(event.c.entry.is_(None)).limit(1)).first()
        decided = db.execute(select(decision.c.id).where(decision.c.entry.is_(None)).limit(1)).first()
    if waiting:
        log_events(hub.database, hub.journal)
    if decided:
        log_decisions(hub.database, hub.journal)


def _forget_finished() -> None:
    """Remove from the jobs' tables what ended long ago; what was found is in the hub's own."""
    before = to_text(now() - KEEP_SECONDS * 1000)
    over = DBOS.list_workflows(completed_before=before, load_input=False, load_output=False, limit=MANY)
    if over:
        DBOS.delete_workflows([item.workflow_id for item in over])
