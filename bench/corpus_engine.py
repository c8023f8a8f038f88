"""What it costs to read data sets and to count what they hold, beside the engines for tables, and how it scales.

``python -m bench.corpus_engine [PEERS]``, with the Python in which pyarrow, polars and duckdb are installed.
"""

from __future__ import annotations

import csv
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from bench.table import markdown
from hallmarked.artifacts.source import describe, open_artifact
from hallmarked.checks.parted import run_in_parts
from hallmarked.checks.table import TableCheck
from hallmarked.core.sandbox import Limits
from hallmarked.corpus.engine.model import Engine

WORKER = Path(__file__).with_name("corpus_engine_worker.py")
SIZE, RUNS, SMALL = 60_000_000, 3, 200
TOOLS = ("pyarrow", "polars", "duckdb", "reading", "tables")
WORDS = ("reading", "tables")
SHOWN = {"reading": "hallmarked, reading alone", "tables": "hallmarked, the whole check `tables`"}


def rows(size: int) -> Iterator[dict[str, object]]:
    """Make rows of a few sentences, one in ten a copy of an earlier one."""
    chance = random.Random(7)
    words = [f"{chance.choice('bcdfglmnprst')}{chance.choice('aeiou')}{n:x}" for n in range(5_000)]
    made: list[dict[str, object]] = []
    held = 0
    while held < size:
        text = " ".join(chance.choices(words, k=chance.randrange(20, 200)))
        row = (
            chance.choice(made)
            if made and chance.random() < 0.1
            else {"id": len(made), "label": "abc"[len(made) % 3], "text": text}
        )
        made.append(row)
        held += len(str(row["text"])) + 40
        yield row


def write(folder: Path, size: int) -> list[Path]:
    """Write the same rows in three formats."""
    given = list(rows(size))
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"data.{kind}" for kind in ("jsonl", "csv", "parquet")]
    paths[0].write_text("".join(json.dumps(row) + "\n" for row in given))
    with paths[1].open("w", newline="") as out:
        writer = csv.DictWriter(out, ["id", "label", "text"])
        writer.writeheader()
        writer.writerows(given)
    pq.write_table(pa.Table.from_pylist(given), paths[2], row_group_size=20_000, compression="zstd")
    return paths


def beside(paths: list[Path], peers: Path, plain: int) -> str:
    """Count the same with every tool, in turns."""
    table = []
    for path in paths:
        seen: dict[str, list[dict[str, object]]] = {}
        for _ in range(RUNS):
            for tool in TOOLS:
                python = sys.executable if tool in WORDS else str(peers)
                done = subprocess.run([python, WORKER, tool, path], capture_output=True, text=True, check=False)
                if done.returncode:
                    print(f"{tool} could not run: {(done.stderr.strip().splitlines() or ['?'])[-1]}", file=sys.stderr)
                    continue
                seen.setdefault(tool, []).append(json.loads(done.stdout.splitlines()[-1]))
        counted = {run["counts"]["rows"] for runs in seen.values() for run in runs}  # type: ignore[index]
        assert len(counted) == 1, counted
        for tool, runs in seen.items():
            cpu = [float(run["cpu"]) for run in runs]  # type: ignore[arg-type]
            rates = sorted(plain / 1e6 / one for one in cpu)
            peak = max(float(run["peak_mb"]) for run in runs)  # type: ignore[arg-type]
            spread = f"{statistics.median(rates):.0f} ({rates[0]:.0f} to {rates[-1]:.0f})"
            table.append((path.suffix[1:], f"{SHOWN.get(tool, tool)} {runs[0]['version']}", spread, f"{peak:.0f}"))
    return markdown(("format", "tool", "MB of JSON Lines per CPU-second", "peak memory, MB"), table)


def scaling(path: Path) -> str:
    """Run the check in one and in two confined processes."""
    table = []
    for processes in (1, 2, 1, 2):
        before, started = _cpu(), time.perf_counter()
        result = run_in_parts("tables", TableCheck.version, describe(open_artifact(path)), Limits(), Engine(processes))
        wall, cpu = time.perf_counter() - started, _cpu() - before
        assert result.measurements, result.reason
        total = sum(file.stat().st_size for file in path.iterdir())
        table.append((processes, f"{wall:.1f}", f"{cpu:.1f}", f"{total / 1e6 / wall:.1f}", f"{total / 1e6 / cpu:.1f}"))
    return markdown(("processes", "wall s", "CPU s", "MB/s", "MB/CPU-s"), table)


def small(folder: Path) -> str:
    """Run the check over many files of one row: what a part costs besides its bytes."""
    folder.mkdir()
    for number in range(SMALL):
        (folder / f"{number:04}.jsonl").write_text('{"text": "a"}\n')
    table = []
    for processes in (1, 2):
        before, started = _cpu(), time.perf_counter()
        run_in_parts("tables", TableCheck.version, describe(open_artifact(folder)), Limits(), Engine(processes))
        wall, cpu = time.perf_counter() - started, _cpu() - before
        table.append((processes, SMALL, f"{SMALL / wall:.0f}", f"{1_000 * cpu / SMALL:.1f}"))
    return markdown(("processes", "parts", "parts/s", "CPU ms per part"), table)


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def report(scratch: Path, peers: Path) -> str:
    """Measure all of it.

    Args:
        scratch: A folder to write to.
        peers: Python in which the other tools are installed; those that are not are left out.
    """
    paths = write(scratch / "one", SIZE)
    plain = paths[0].stat().st_size
    many = scratch / "many"
    many.mkdir()
    for number in range(4):
        os.link(paths[0], many / f"{number}.jsonl")
    return (
        f"Reading {plain / 1e6:.0f} MB of JSON Lines, and the same rows as CSV and zstd Parquet, and counting rows,\n"
        "missing values, characters and different rows, on one core; "
        f"median of {RUNS} runs, with the least and greatest.\n"
        "The check counts more than that: kinds, lengths and their quantiles, words, labels, dates and hosts.\n\n"
        f"{beside(paths, peers, plain)}\n"
        f"The check in confined processes, four files of {plain / 1e6:.0f} MB:\n\n{scaling(many)}\n"
        f"The check over {SMALL} files of one row:\n\n{small(scratch / 'small')}"
    )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        print(report(Path(folder), Path(sys.argv[1] if len(sys.argv) > 1 else sys.executable)))
