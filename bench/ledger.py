"""The ledger's figures: how fast statements are signed and logged, how fast and small their proofs are.

``python -m bench.ledger`` prints the tables. Beside each figure stands what its parts cost alone, in the same run.
"""

from __future__ import annotations

import os
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from hallmarked.core.evidence import Statement, Subject
from hallmarked.ledger.canonical import statement_bytes
from hallmarked.ledger.dsse import sign_envelope
from hallmarked.ledger.key import SigningKey
from hallmarked.ledger.ledger import Ledger
from hallmarked.ledger.log import Entry
from hallmarked.ledger.proof import write_proof
from hallmarked.ledger.verify import verify_bundle
from hallmarked.ledger.writer import GroupWriter

ENTRIES = 10_000
BATCH = 256
NOW = datetime(2026, 11, 21, tzinfo=UTC)


def report() -> str:
    """Measure and return the tables."""
    statements = [make_statement(number) for number in range(ENTRIES)]
    with tempfile.TemporaryDirectory(dir=os.environ.get("HALLMARKED_BENCH_DIR")) as folder:
        return _appending(Path(folder), statements) + "\n" + _verifying(Path(folder) / "batches")


def make_statement(number: int) -> Statement:
    """Return a test result of ordinary size."""
    findings = [
        {"rule": "PKL001", "level": "warning", "message": "calls a name that is not known", "path": f"{number}.pt"}
    ]
    predicate = {
        "result": "WARNED",
        "configuration": [{"name": "serialization", "digest": {"sha256": "ab" * 32}}],
        "warnedTests": ["serialization"],
        "findings": findings,
    }
    subject = Subject(f"acme/model-{number}", {"dirHash": f"{number:064x}"})
    return Statement((subject,), "https://in-toto.io/attestation/test-result/v0.1", predicate)


def _appending(folder: Path, statements: Sequence[Statement]) -> str:
    ways: dict[str, Callable[[], int]] = {
        "parts: sign only (canonical JSON, DSSE)": lambda: _sign(statements),
        f"parts: SQLite rows only, commits of {BATCH}": lambda: _rows(folder / "rows.db", statements),
        "attest, one statement per commit": lambda: _attest(folder / "single", statements[:2000], 1),
        f"attest, commits of {BATCH}": lambda: _attest(folder / "batches", statements, BATCH),
        "sign and append, 64 threads through the group writer": lambda: _group(folder / "group", statements),
    }
    rows = []
    for name, run in ways.items():
        start = time.perf_counter()
        count = run()
        seconds = time.perf_counter() - start
        rows.append([name, f"{count:,}", f"{seconds:.2f}", f"{count / seconds:,.0f}"])
    header = ["signing and appending (SQLite, WAL, synchronous=FULL)", "statements", "seconds", "per second"]
    return _markdown(header, rows)


def _sign(statements: Sequence[Statement]) -> int:
    key = SigningKey.generate()
    return len([sign_envelope(statement_bytes(statement), key).to_json() for statement in statements])


def _rows(path: Path, statements: Sequence[Statement]) -> int:
    body = sign_envelope(statement_bytes(statements[0]), SigningKey.generate()).to_json()
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    db.execute("CREATE TABLE row (idx INTEGER PRIMARY KEY, leaf BLOB, body BLOB)")
    for start in range(0, len(statements), BATCH):
        db.execute("BEGIN IMMEDIATE")
        rows = [(index, body[:300], body) for index in range(start, min(start + BATCH, len(statements)))]
        db.executemany("INSERT INTO row VALUES (?, ?, ?)", rows)
        db.execute("COMMIT")
    db.close()
    return len(statements)


def _attest(folder: Path, statements: Sequence[Statement], batch: int) -> int:
    with Ledger.open(folder) as ledger:
        for start in range(0, len(statements), batch):
            ledger.attest(statements[start : start + batch], time=NOW)
        return ledger.log.size


def _group(folder: Path, statements: Sequence[Statement]) -> int:
    with Ledger.open(folder) as ledger, GroupWriter(ledger.log) as writer, ThreadPoolExecutor(64) as pool:

        def log(statement: Statement) -> None:
            entry: Entry = ledger.sign(statement, NOW)
            writer.append([entry])

        list(pool.map(log, statements))
        return ledger.log.size


def _verifying(folder: Path) -> str:
    with Ledger.open(folder, create=False) as ledger:
        size, trust = ledger.log.size, ledger.trust
        proofs = [len(write_proof(proof).encode()) for _, _, proof in ledger.log.prove(range(0, size, 97))]
        one = ledger.export_bundle([ledger.log.receipt(size // 2)])
        audit = ledger.export_bundle([ledger.log.receipt(index) for index in range(20)])
        start = time.perf_counter()
        found = ledger.log.check()
        seconds = time.perf_counter() - start
    database = (folder / "log.sqlite3").stat().st_size / 1e6
    rows = [
        [f"proof file at {size:,} entries, largest", f"{max(proofs):,} bytes"],
        ["evidence file of 1 statement", f"{len(one):,} bytes"],
        ["verify it, after import (median of 50)", f"{_median(lambda: verify_bundle(one, trust)):.2f} ms"],
        ["evidence file of 20 statements", f"{len(audit):,} bytes"],
        ["verify it, after import (median of 50)", f"{_median(lambda: verify_bundle(audit, trust)):.2f} ms"],
        [f"check the whole log ({size:,} entries, {database:.1f} MB)", f"{seconds:.2f} s, {len(found.faults)} faults"],
    ]
    return _markdown(["verifying", "figure"], rows)


def _median(run: Callable[[], object]) -> float:
    times = []
    for _ in range(50):
        start = time.perf_counter()
        run()
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times)


def _markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


if __name__ == "__main__":
    print(report())
