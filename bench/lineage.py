"""A chain back to the data, with 10,000 statements at hand.

``python -m bench.lineage`` prints the table alone. CPU time of this process, the median of several runs; nothing is
signed or verified here, and no peer is known that follows signed stages from a model back to its data.
"""

from __future__ import annotations

import hashlib
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from bench.table import markdown
from hallmarked.cards.lineage.chain import follow
from hallmarked.cards.lineage.collection import collect
from hallmarked.cards.lineage.drawing import draw
from hallmarked.cards.lineage.graph import Manifest, build
from hallmarked.cards.lineage.inherit import inherited
from hallmarked.cards.lineage.view import table
from hallmarked.core.evidence import Attestation, Statement, Subject
from hallmarked.records.stage import Stage, Step

NOW = datetime(2026, 6, 1, tzinfo=UTC)
THINGS, STATEMENTS, FILES = 3_000, 10_000, 50_000
RUNS = 3


def thing(name: str) -> Subject:
    """Name some bytes."""
    return Subject(name, {"sha256": hashlib.sha256(name.encode()).hexdigest()})


def signed(statement: Statement, number: int) -> Attestation:
    """Return a statement as if a maker had signed it."""
    return Attestation(statement, f"sha256:{number:064x}", NOW + timedelta(seconds=number), "maker", "Maker", "k")


def statements() -> list[Attestation]:
    """Make a chain of thousands of data sets, each made from the next three, and a report of a check on each."""
    made = []
    for at in range(THINGS):
        materials = tuple(thing(f"t{to}") for to in range(at + 1, min(at + 4, THINGS)))
        stage = Stage(stage=Step.CURATED if materials else Step.COLLECTED, by="team", time=NOW, materials=materials)
        made.append(signed(stage.to_statement(thing(f"t{at}")), at))
    finding = {"rule": "ABC001", "level": "error", "message": "something"}
    for number in range(THINGS, STATEMENTS):
        report = {"configuration": [{"name": f"hallmarked/checks/c{number // THINGS}"}], "findings": [finding]}
        kind = "https://in-toto.io/attestation/test-result/v0.1"
        made.append(signed(Statement((thing(f"t{number % THINGS}"),), kind, report), number))
    return made


def median(run: Callable[[], object]) -> float:
    """Return the median CPU time of a run, in milliseconds."""
    times = []
    for _ in range(RUNS):
        started = time.process_time()
        run()
        times.append(1000 * (time.process_time() - started))
    return statistics.median(times)


def report() -> str:
    """Measure, and return the table."""
    made = statements()
    graph = build(made, thing("t0"))
    chain = follow(graph)
    files = {f"{number}.parquet": thing(str(number)).digest["sha256"] for number in range(FILES)}
    manifest = Manifest(thing("data"), files)
    event = Stage(stage=Step.COLLECTED, by="team", time=NOW, files=files).to_statement(thing("data"))
    rows = [
        ["build the graph", f"{median(lambda: build(made, thing('t0'))):.0f}"],
        [f"follow {len(chain.order):,} things back, and name what is wrong", f"{median(lambda: follow(graph)):.0f}"],
        ["what is inherited from all of them", f"{median(lambda: inherited(graph, made)):.0f}"],
        ["table", f"{median(lambda: table(chain)):.0f}"],
        ["drawing", f"{median(lambda: draw(chain)):.0f}"],
        [f"hold {FILES:,} files against a collection", f"{median(lambda: collect([signed(event, 1)], manifest)):.0f}"],
    ]
    return f"{len(made):,} statements, {len(graph.edges):,} links.\n\n" + markdown(["what", "CPU ms"], rows)


if __name__ == "__main__":
    print(report())
