"""Chains made for tests."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta

from hallmarked.core.evidence import Attestation, Statement, Subject
from hallmarked.records.stage import Stage, Step
from tests.records.example import NOW, signed


def thing(name: str, **digest: str) -> Subject:
    """Return a thing whose digest follows from its name."""
    return Subject(name, digest or {"sha256": hashlib.sha256(name.encode()).hexdigest()})


def stage(
    what: Subject,
    step: Step,
    *materials: Subject,
    role: str = "maker",
    signer: str = "",
    time: datetime = NOW,
    files: dict[str, str] | None = None,
) -> Attestation:
    """Return a signed stage of a thing."""
    record = Stage(stage=step, by=f"who {step} it", time=time, materials=materials, files=files or {})
    return signed(record.to_statement(what), role=role, signer=signer, at=time)


def whole() -> list[Attestation]:
    """Return a chain in which nothing is missing: two collections, curated, a base model, fine-tuned, in use."""
    web, books, mix, base, tuned = map(thing, ("web", "books", "mix", "base", "tuned"))
    days = [NOW + timedelta(days=day) for day in range(8)]
    return [
        stage(web, Step.COLLECTED, time=days[0]),
        stage(books, Step.COLLECTED, time=days[1]),
        stage(mix, Step.CURATED, web, books, time=days[2]),
        stage(base, Step.TRAINED, mix, time=days[3]),
        stage(tuned, Step.FINE_TUNED, base, books, time=days[4], signer="Example Lab"),
        stage(tuned, Step.EVALUATED, time=days[5], role="auditor"),
        stage(tuned, Step.APPROVED, time=days[6]),
        stage(tuned, Step.DEPLOYED, time=days[7]),
    ]


def provenance(outputs: Sequence[Subject], inputs: Sequence[Subject], role: str = "maker") -> Attestation:
    """Return what a program wrote down of a build."""
    rows = [{"name": one.name, "digest": dict(one.digest)} for one in inputs]
    predicate = {"buildDefinition": {"buildType": "urn:example:build", "resolvedDependencies": rows}}
    return signed(Statement(tuple(outputs), "https://slsa.dev/provenance/v1", predicate), role=role)


def check_report(what: Subject, check: str, **said: object) -> Attestation:
    """Return the report of a check."""
    predicate = {
        "result": "PASSED",
        "configuration": [{"name": f"hallmarked/checks/{check}"}],
        "outcome": "pass",
        **said,
    }
    return signed(Statement((what,), "https://in-toto.io/attestation/test-result/v0.1", predicate))
