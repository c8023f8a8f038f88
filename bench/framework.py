"""Answering every action of NIST AI 600-1 beside 10,000 statements, and showing the answers.

``python -m bench.framework`` prints the table. Time is CPU time. A page of a hub indexes the statements of a revision
once for all that it shows, and reads an edition once; both are measured. One
statement in twenty is on what actions ask.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from bench.table import markdown
from hallmarked.core.evidence import Attestation, Statement, Subject
from hallmarked.policy.fact import Facts
from hallmarked.profiles.document import to_document
from hallmarked.profiles.nist.edition import DRAFT, FINAL, load, maps
from hallmarked.profiles.page import Shown, render_page
from hallmarked.profiles.profile import State, build_profile

STATEMENTS, ROUNDS = 10_000, 9
NOW = datetime(2026, 1, 1, tzinfo=UTC)
HERE = Subject("acme/triage", {"dirHash": "a" * 64})


def report() -> str:
    """Measure, and write it as Markdown."""
    stated = [_state(number) for number in range(STATEMENTS)]
    facts = Facts(stated, HERE)
    rows: list[tuple[str, Callable[[], object]]] = [
        ("index the statements", lambda: Facts(stated, HERE)),
        ("read the map between the editions", maps),
    ]
    for name in (FINAL, DRAFT):
        edition = load(name)
        profile = build_profile(edition, facts, NOW)
        assert profile.counts[State.EVIDENCED] > 0
        assert sum(profile.counts.values()) == len(edition.controls)
        title = f"{len(edition.controls)} actions"
        rows += [
            (f"{title}: read the edition", lambda name=name: load(name)),
            (f"{title}: answer", lambda edition=edition: build_profile(edition, facts, NOW)),
            (f"{title}: page", lambda profile=profile: render_page(profile, Shown(HERE, NOW))),
            (f"{title}: JSON", lambda profile=profile: to_document(profile, HERE, NOW)),
        ]
    table = markdown(("Work", "ms"), [(name, f"{_milliseconds(work):.1f}") for name, work in rows])
    return f"{STATEMENTS:,} statements. Median of {ROUNDS} runs, CPU time of one core.\n\n{table}"


def _milliseconds(work: Callable[[], object]) -> float:
    def once() -> float:
        start = time.process_time()
        work()
        return (time.process_time() - start) * 1000

    return statistics.median(once() for _ in range(ROUNDS))


def _state(number: int) -> Attestation:
    kinds = ("performance", "privacy", "bias", "harm", "security")
    kind = kinds[number % 5] if number % 100 < 5 else f"metric_{number % 500}"
    row = {"metric": f"eval.{kind}", "value": "0.93", "n": 400, "slice": {"group": str(number // 5)}}
    statement = Statement((HERE,), "https://in-toto.io/attestation/test-result/v0.1", {"measurements": [row]})
    signer = f"Example auditor {number % 7}"
    return Attestation(statement, f"sha256:{number:064x}", NOW - timedelta(minutes=number), "auditor", signer, signer)


if __name__ == "__main__":
    print(report())
