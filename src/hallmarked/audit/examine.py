"""Run the checks on an artifact, each in a process of its own, while this process hashes the files."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial

from hallmarked.artifacts.local import LocalArtifact
from hallmarked.artifacts.source import Auditable, describe
from hallmarked.checks import registry
from hallmarked.checks.earlier import Earlier
from hallmarked.checks.parted import run_in_parts
from hallmarked.checks.registry import Origin
from hallmarked.checks.ruleset import rule_set_digest
from hallmarked.checks.runner import Result, run_isolated
from hallmarked.core.check import Check, Extent
from hallmarked.core.errors import BackendError, InputError
from hallmarked.core.evidence import Rule, Statement, Subject
from hallmarked.core.sandbox import Limits
from hallmarked.corpus.engine.model import Engine, Progress

ALONE = Engine(1)

COMPARING = frozenset({"benchmark-leakage"})
"""Checks that compare the artifact with what lies beside it."""


@dataclass(frozen=True, slots=True)
class Examination:
    """What the checks saw."""

    subject: Subject
    files: int
    size: int
    """Bytes of all files."""
    excluded: Sequence[str]
    results: Sequence[Result]
    """One per check that applied, in order of id."""
    inapplicable: Sequence[str]
    """Ids of checks that had nothing to look at."""
    titles: dict[str, str]
    """What each check asks, by id."""
    rules: dict[str, Rule]
    """Every rule a finding may cite, by id."""
    origins: dict[str, Origin]
    rule_set: str
    statements: Sequence[Statement]
    """One per result, in the same order."""
    origin: str = ""
    """Where the bytes came from and how far they were seen; empty for files on this machine."""


def examine(
    artifact: Auditable,
    *,
    checks: Sequence[str] | None = None,
    limits: Limits | None = None,
    earlier: Mapping[str, Earlier] | None = None,
    progress: Callable[[str], None] = lambda _check: None,
    engine: Engine = ALONE,
    meter: Callable[[str, Progress], None] = lambda _check, _progress: None,
) -> Examination:
    """Run checks.

    Args:
        artifact: What to look at, with what lies beside it; a statement that rests on that is about it too.
        checks: Ids of the checks to run; by default all that are installed.
        limits: What each check may use.
        earlier: What is known of single files, by check; what these say of others is then in their results.
        progress: Called with the id of each check that ends.
        engine: Who computes the checks that learn part by part; by default one process after the other.
        meter: Called with the id of such a check and how far it has come, by any thread.

    Raises:
        InputError: When there is nothing to audit, or the files changed while they were read.
        BackendError: When a file cannot be read.
    """
    if not artifact.files:
        raise InputError(f"{artifact.name} holds no files: nothing to audit")
    loaded = {name: registry.load(name) for name in (checks if checks is not None else registry.available())}
    description = describe(artifact)
    stopped = threading.Event()

    def watched(check: str, so_far: Progress) -> None:
        if stopped.is_set():
            raise BackendError("the audit was stopped")
        meter(check, so_far)

    # Checks in parts have the engine one after the other: it is as wide as the machine.
    with ThreadPoolExecutor(os.cpu_count()) as pool, ThreadPoolExecutor(1) as single:
        hashing = pool.submit(artifact.prepare)
        running: dict[Future[Result], str] = {}
        for name, (check, _) in loaded.items():
            what = (name, check.version, description, limits or Limits())
            if check.extent is Extent.PARTS:
                future = single.submit(run_in_parts, *what, engine, artifact.serve, partial(watched, name))
            else:
                future = pool.submit(run_isolated, *what, artifact.serve, (earlier or {}).get(name))
            running[future] = name
        try:
            for future in as_completed(running):
                progress(running[future])
        except KeyboardInterrupt:
            stopped.set()
            for each in (pool, single):
                each.shutdown(wait=False, cancel_futures=True)  # start no more checks
            raise
        results = sorted((future.result() for future in running), key=lambda result: result.check)
        hashing.result()
    artifact.confirm_unchanged()
    for other in artifact.beside.values():
        if isinstance(other, LocalArtifact):
            other.confirm_unchanged()
    applied = [result for result in results if result.applied]
    found = [check for check, _ in loaded.values()]
    return Examination(
        subject=artifact.subject,
        files=len(artifact.files),
        size=sum(file.size for file in artifact.files),
        excluded=artifact.excluded,
        results=applied,
        inapplicable=[result.check for result in results if not result.applied],
        titles={check.id: check.title for check in found},
        rules=_rules(found),
        origins={name: origin for name, (_, origin) in loaded.items()},
        rule_set=rule_set_digest(),
        statements=[_statement(result, artifact) for result in applied],
        origin=artifact.origin,
    )


def _statement(result: Result, artifact: Auditable) -> Statement:
    """Write a result as a statement.

    The inventory's lists every file, so that others can say which one differs. That of a comparison is about both.
    """
    statement = result.to_statement(artifact.subject, rule_set_digest())
    if result.check in COMPARING:
        named = [Subject(name, other.subject.digest) for name, other in artifact.beside.items()]
        given = [{"name": f"beside/{subject.name}", "digest": dict(subject.digest)} for subject in named]
        configuration = [*statement.predicate["configuration"], *given]
        predicate = {**statement.predicate, "configuration": configuration}
        return Statement((*statement.subjects, *named), statement.predicate_type, predicate)
    if result.check != "inventory":
        return statement
    return Statement(statement.subjects, statement.predicate_type, {**statement.predicate, **artifact.coverage()})


def _rules(checks: Sequence[Check]) -> dict[str, Rule]:
    return {rule.id: rule for check in checks for rule in check.rules}
