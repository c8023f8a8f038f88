"""``hallmarked corpus rescore``: results of an evaluation with and without the items that leaked."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from hallmarked.audit.leakage import MOST_BYTES, read_split, rescore
from hallmarked.cli.benchmark import split_pair
from hallmarked.cli.setting import PATH
from hallmarked.core.errors import InputError
from hallmarked.core.text import clean


@click.command()
@click.argument("split", type=PATH)
@click.argument("results", metavar="NAME=RESULTS")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="What to print.")
def command(split: Path, results: str, form: str) -> None:
    """Average results over all items of a benchmark, and over those that leaked and those that were not found to.

    SPLIT is what `hallmarked corpus leakage --split-out` wrote. RESULTS are JSON Lines, one object per item of the
    benchmark NAME: its id (item, id, doc_id, ...) and numbers, or true and false, by metric.
    """
    name, path = split_pair(results)
    groups = rescore(read_split(_read(split)), name, _rows(Path(path)))
    if not groups:
        raise InputError(f"{path} holds no numbers")
    if form == "json":
        rows = {
            metric: [{"items": g.name, "n": g.n, "mean": g.mean, "standard_error": g.error} for g in each]
            for metric, each in groups.items()
        }
        click.echo(json.dumps({"benchmark": name, "metrics": rows}, ensure_ascii=False))
        return
    for metric, each in groups.items():
        click.echo(f"{clean(metric)} on {name}")
        for group in each:
            value = "-" if group.mean is None else f"{group.mean:.4f}"
            spread = "" if group.error is None else f" ± {1.96 * group.error:.4f}"
            click.echo(f"  {group.name:<10} {group.n:>8,} items  {value}{spread}")


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            data = stream.read(MOST_BYTES + 1)
    except OSError as error:
        raise InputError(f"{path}: {(error.strerror or 'cannot be read').lower()}") from error
    if len(data) > MOST_BYTES:
        raise InputError(f"{path} is larger than {MOST_BYTES >> 20} MiB")
    return data


def _rows(path: Path) -> Iterator[Mapping[str, Any]]:
    for number, line in enumerate(_read(path).splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise InputError(f"{path}: line {number} is not JSON") from error
        if not isinstance(row, dict):
            raise InputError(f"{path}: line {number} is not a JSON object")
        yield row
