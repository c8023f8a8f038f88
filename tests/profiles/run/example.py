"""Plans, packs and statements made for tests."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hallmarked.core.evidence import Attestation, Statement, Subject
from hallmarked.ledger.canonical import statement_bytes
from hallmarked.profiles.run.decide import Decision, decide
from hallmarked.profiles.run.pack import Pack
from hallmarked.profiles.run.project import facts_of, project
from hallmarked.records.record import Record
from hallmarked.records.run_plan import Data, Factor, Factors, Filer, Hardware, Layers, RunPlan, Transformer

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
SUBJECT = Subject("example-lab/new", {"sha256": "ab" * 32})
MODEL = Transformer(
    vocabulary=32_000,
    decoder=Layers(layers=32, width=4096, heads=32, ff=14_336, kv_heads=8, gated=True, causal=True),
)
PLAN = RunPlan(
    model="example-lab/new",
    purpose="To answer questions",
    start=datetime(2026, 12, 15, tzinfo=UTC),
    filers=(Filer(name="Example Lab", contact="lab@example.org"),),
    data=Data.TEXT,
    tokens="2000000000000",
    sequence=4096,
    attention="fused",
    recomputation="none",
    architecture=MODEL,
)
"""About 1e23 operations."""


def factors(cbrn: bool | None = None, scale: bool | None = None, novelty: bool | None = None) -> Factors:
    """Answer risk factors; None leaves one open."""
    given = {"cbrn": cbrn, "scale": scale, "novelty": novelty}
    return Factors(
        **{name: Factor(answer=answer, reason="as planned") for name, answer in given.items() if answer is not None}
    )


def with_operations(power: str, **changes: object) -> RunPlan:
    """Return a plan of so many operations, which its hardware tells exactly."""
    hours = f"{float(power) / 3600 / 1e18:.12f}"
    hardware = Hardware(accelerator="1e15", count=1000, hours=hours, utilisation="1")
    return replace(PLAN, tokens="", architecture=None, hardware=hardware, **changes)  # type: ignore[arg-type]


def decided(plan: RunPlan, pack: Pack, time: datetime = NOW) -> Decision:
    """Say what a plan comes to."""
    return decide(plan, facts_of(plan, project(plan), SUBJECT, time), pack, time)


def signed(
    said: Record | Statement, at: datetime = NOW, *, role: str = "maker", key: str = "k1", subject: Subject = SUBJECT
) -> Attestation:
    """Return a record as somebody signed it."""
    statement = said if isinstance(said, Statement) else said.to_statement(subject)
    digest = hashlib.sha256(statement_bytes(statement)).hexdigest()
    return Attestation(statement, f"sha256:{digest}", at, role, "Example Lab" if role else "", key)


def day(number: int) -> datetime:
    """Return a day before (negative) or after the planned start."""
    return PLAN.start + timedelta(days=number)
