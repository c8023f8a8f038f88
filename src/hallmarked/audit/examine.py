"""Run the checks on an artifact, each in a process of its own, while this process hashes the files."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass

from hallmarked.artifacts.local import LocalArtifact
from hallmarked.artifacts.source import Auditable, describe
from hallmarked.checks import registry
from hallmarked.checks.earlier import Earlier
from hallmarked.checks.registry import Origin
from hallmarked.checks.ruleset import rule_set_digest
from hallmarked.checks.runner import Result, run_isolated
from hallmarked.core.check import Check
from hallmarked.core.errors import InputError
from hallmarked.core.evidence import Rule, Statement, Subject
from hallmarked.core.sandbox import Limits

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
    beside: Mapping[str, LocalArtifact] | None = None,
    progress: Callable[[str], None] = lambda _check: None,
) -> Examination:
    """Run checks.

    Args:
        artifact: What to look at.
        checks: Ids of the checks to run; by default all that are installed.
        limits: What each check may use.
        earlier: What is known of single files, by check; what these say of others is then in their results.
        beside: What to compare it with, by name: benchmarks. A statement that rests on them is about them too.
        progress: Called with the id of each check that ends.

    Raises:
        InputError: When there is nothing to audit, or the files changed while they were read.
        BackendError: When a file cannot be read.
    """
    if not artifact.files:
        raise InputError(f"{artifact.name} holds no files: nothing to audit")
    loaded = {name: registry.load(name) for name in (checks if checks is not None else registry.available())}
    beside = beside or {}
    description = describe(artifact, beside)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        hashing = pool.submit(artifact.prepare)
        running = {
            pool.submit(
                run_isolated, name, check.version, description, limits or Limits(), artifact.serve,
                (earlier or {}).get(name),
            ): name
            for name, (check, _) in loaded.items()
        }  # fmt: skip
        try:
            for future in as_completed(running):
                progress(running[future])
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)  # start no more checks
            raise
        results = sorted((future.result() for future in running), key=lambda result: result.check)
        hashing.result()
    for each in (artifact, *beside.values()):
        each.confirm_unchanged()
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
        statements=[_statement(result, artifact, beside) for result in applied],
        origin=artifact.origin,
    )


def _statement(result: Result, artifact: Auditable, beside: Mapping[str, LocalArtifact]) -> Statement:
    """Write a result as a statement.

    The inventory's lists every file, so that others can say which one differs. That of a comparison is about both.
    """
    statement = result.to_statement(artifact.subject, rule_set_digest())
    if result.check in COMPARING:
        named = [Subject(name, other.subject.digest) for name, other in beside.items()]
        given = [{"name": f"beside/{subject.name}", "digest": dict(subject.digest)} for subject in named]
        configuration = [*statement.predicate["configuration"], *given]
        predicate = {**statement.predicate, "configuration": configuration}
        return Statement((*statement.subjects, *named), statement.predicate_type, predicate)
    if result.check != "inventory":
        return statement
    return Statement(statement.subjects, statement.predicate_type, {**statement.predicate, **artifact.coverage()})


def _rules(checks: Sequence[Check]) -> dict[str, Rule]:
    return {rule.id: rule for check in checks for rule in check.rules}
