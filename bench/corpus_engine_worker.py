"""One tool reads one file and counts what is in it: ``python corpus_engine_worker.py TOOL PATH``, in its own process.

Prints JSON: version, CPU and wall seconds without importing, peak memory, and what was counted.
"""

from __future__ import annotations

import importlib
import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

NAMES = {"jsonl": "json", "csv": "csv", "parquet": "parquet"}
Counts = dict[str, int]


def pyarrow(path: Path) -> Counts:
    """Count with Arrow's own readers and functions."""
    kind = NAMES[path.suffix[1:]]
    arrow, compute = importlib.import_module("pyarrow"), importlib.import_module("pyarrow.compute")
    arrow.set_cpu_count(1)
    reader = importlib.import_module(f"pyarrow.{kind}")
    table = {"json": "read_json", "csv": "read_csv", "parquet": "read_table"}[kind]
    found = getattr(reader, table)(path)
    text = found.column("text")
    rows = found.select(["id", "label", "text"]).group_by(["id", "label", "text"]).aggregate([]).num_rows
    return {
        "rows": found.num_rows,
        "missing": sum(column.null_count for column in found.columns),
        "characters": compute.sum(compute.utf8_length(text)).as_py(),
        "different": rows,
    }


def polars(path: Path) -> Counts:
    """Count with a lazy plan of polars."""
    pl = importlib.import_module("polars")
    kind = path.suffix[1:]
    frame = {"jsonl": pl.scan_ndjson, "csv": pl.scan_csv, "parquet": pl.scan_parquet}[kind](path)
    plan = frame.select(
        rows=pl.len(),
        missing=pl.sum_horizontal(pl.all().null_count()),
        characters=pl.col("text").str.len_chars().sum(),
        different=pl.struct(pl.all()).hash().n_unique(),
    )
    return {name: int(value) for name, value in plan.collect(engine="streaming").row(0, named=True).items()}


def duckdb(path: Path) -> Counts:
    """Count with a query of DuckDB."""
    connection = importlib.import_module("duckdb").connect(config={"threads": 1})
    reader = {"jsonl": "read_ndjson", "csv": "read_csv", "parquet": "read_parquet"}[path.suffix[1:]]
    query = (
        "select count(*), count(*) - count(id) + count(*) - count(label) + count(*) - count(text), sum(length(text)), "
        f"count(distinct hash(id, label, text)) from {reader}(?)"
    )
    row = connection.execute(query, [str(path)]).fetchone()
    return dict(zip(("rows", "missing", "characters", "different"), map(int, row), strict=True))


def _parts(path: Path) -> tuple[object, list[dict[str, object]], object]:
    source = importlib.import_module("hallmarked.artifacts.source")
    registry = importlib.import_module("hallmarked.checks.registry")
    artifact, check = source.open_artifact(path), registry.load("tables")[0]
    return artifact, list(check.cut(artifact)), check


def reading(path: Path) -> Counts:
    """Read as our checks do, and count rows only."""
    part = importlib.import_module("hallmarked.checks.part")
    model = importlib.import_module("hallmarked.corpus.table.model")
    artifact, parts, _ = _parts(path)
    pieces = (piece for each in parts for piece in part.read_part(artifact, each))
    return {"rows": sum(piece.num_rows for piece in pieces if not isinstance(piece, model.Skipped))}


def tables(path: Path) -> Counts:
    """Run the check of tables here."""
    runner = importlib.import_module("hallmarked.checks.runner")
    artifact, _, check = _parts(path)
    found = {m.metric: m.value for m in runner.run(check, artifact).measurements if not m.slice}
    return {"rows": int(found["rows.total"]), "different": int(found["rows.total"]) - int(found["rows.repeated"])}


TOOLS: dict[str, tuple[Callable[[Path], Counts], str]] = {
    "pyarrow": (pyarrow, "pyarrow.compute pyarrow.json pyarrow.csv pyarrow.parquet"),
    "polars": (polars, "polars"),
    "duckdb": (duckdb, "duckdb"),
    "reading": (reading, "hallmarked.corpus.table.find"),
    "tables": (tables, "hallmarked.corpus.table.find hallmarked.corpus.measure.table"),
}


def _peak() -> float:
    """Return the highest resident memory of this program; what ``getrusage`` says may be its parent's."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)


def main() -> None:
    """Import, measure, and print."""
    tool, path = sys.argv[1], Path(sys.argv[2])
    run, modules = TOOLS[tool]
    for name in modules.split():
        module = importlib.import_module(name)
    package = importlib.import_module(module.__name__.partition(".")[0])
    before, started = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    counts = run(path)
    after = resource.getrusage(resource.RUSAGE_SELF)
    said = {
        "version": getattr(package, "__version__", "?"),
        "cpu": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "wall": time.perf_counter() - started,
        "peak_mb": _peak(),
        "counts": counts,
    }
    print(json.dumps(said))


if __name__ == "__main__":
    main()
