"""``hallmarked corpus leakage``: which items of benchmarks stand in a data set."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from hallmarked.artifacts.source import open_artifact
from hallmarked.audit.audit import write
from hallmarked.audit.examine import examine
from hallmarked.audit.leakage import CHECK, to_split
from hallmarked.checks.runner import Result
from hallmarked.cli.benchmark import BENCHMARK, open_benchmarks
from hallmarked.cli.setting import PATH
from hallmarked.core.errors import InputError
from hallmarked.core.text import clean

FOUND, UNKNOWN = 1, 2


@click.command()
@click.argument("data", type=PATH)
@BENCHMARK
@click.option("--split-out", type=PATH, metavar="FILE", help="Write which items were found, for evaluations, as JSON.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="What to print.")
@click.pass_context
def command(ctx: click.Context, data: Path, benchmarks: Sequence[str], split_out: Path | None, form: str) -> None:
    """Find items of benchmarks in the data set DATA, also when some of their words were changed.

    A benchmark is a file or folder with rows (JSON Lines, CSV, Parquet, Arrow, text) on this machine. What columns make
    an item is known for common benchmarks; a file benchmark.toml in its folder says it for others.

    Signed evidence of the same is written by: hallmarked audit DATA --benchmark NAME=PATH

    Exit status: 0 nothing found by this method, 1 items stand in the data, 2 could not do it or something stayed
    unknown.
    """
    if not benchmarks:
        raise InputError("name a benchmark to look for: --benchmark NAME=PATH")
    artifact = open_artifact(data)
    artifact.beside = open_benchmarks(benchmarks)
    with Console(stderr=True).status(f"Looking through {clean(str(data))}"):
        examination = examine(artifact, checks=[CHECK])
    if not examination.results:
        raise InputError(f"{data} holds no tables or texts to look through")
    result, statement = examination.results[0], examination.statements[0]
    split = to_split(statement)
    if split_out is not None:
        text = json.dumps(split, indent=1, ensure_ascii=False) + "\n"
        write(split_out.absolute().parent, {split_out.name: text.encode()})
    click.echo(json.dumps(statement.to_dict(), ensure_ascii=False) if form == "json" else _text(split, result))
    strong = any(benchmark["strong"] for benchmark in split["benchmarks"])
    ctx.exit(FOUND if strong else UNKNOWN if result.outcome == "unknown" else 0)


def _text(split: dict[str, Any], result: Result) -> str:
    lines = []
    for benchmark in split["benchmarks"]:
        lines.append(f"{benchmark['name']}: {benchmark['items']:,} items, read as {benchmark['recipe'] or 'nothing'}")
        rows = [
            ("stand in the data", len(benchmark["strong"])),
            ("may stand in the data", len(benchmark["possible"])),
            ("not found by this method", benchmark.get("not_found", 0)),
            ("too short to be looked for", benchmark.get("too_short", 0)),
        ]
        lines += [f"  {count:>9,}  {words}" for words, count in rows if count or words.startswith("not")]
    lines += [f"{'!' if finding.level != 'note' else '-'} {finding.message}" for finding in result.findings]
    if result.outcome == "unknown":
        lines.append(f"? {result.reason}")
    return "\n".join(map(clean, lines))
