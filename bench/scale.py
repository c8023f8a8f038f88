"""What every step over a data set costs per byte of text, and what follows for 10 TB.

``python -m bench.scale`` prints the tables as Markdown; ``--page docs/explanation/scale.md`` puts them into the page.
Texts are made here, see ``bench.duplicate``; every step runs in a process of its own, ``bench.scale_worker``, on one
core. What is extrapolated follows from the numbers as they are printed, and a test computes it again.
"""

from __future__ import annotations

import argparse
import csv
import datetime
import importlib.metadata
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from bench import search
from bench.duplicate import make_texts
from bench.table import markdown
from hallmarked.checks import runner
from hallmarked.core import sandbox
from hallmarked.corpus.duplicate import candidate, find, group, passage
from hallmarked.corpus.engine import frame
from hallmarked.corpus.measure import row
from hallmarked.corpus.search import manifest
from hallmarked.corpus.table import model

MB = 1_000_000
FILES, FILE_MB = 2, 24
ITEMS = 1_000
"""Items of the benchmark that is looked for."""
ASKED = 150
WHOLE_TB = 10
CORES = (1, 16, 640)
MANY = "many processes"
ONE = "one process"
BEGIN, END = "<!-- measured: begin -->\n", "<!-- measured: end -->\n"
STEPS: dict[tuple[str, str], tuple[str, str]] = {
    ("jsonl", "read"): ("reading: JSON Lines", MANY),
    ("csv", "read"): ("reading: CSV", MANY),
    ("parquet", "read"): ("reading: Parquet, zstd", MANY),
    ("digest", "digest"): ("audit: SHA-256 of the files", MANY),
    ("tables", "learn"): ("audit: tables", MANY),
    ("tables", "conclude"): ("audit: tables, conclude", ONE),
    ("texts", "learn"): ("audit: texts", MANY),
    ("texts", "conclude"): ("audit: texts, conclude", ONE),
    ("personal", "learn"): ("audit: personal data", MANY),
    ("personal", "conclude"): ("audit: personal data, conclude", ONE),
    ("duplicates", "learn"): ("audit: duplicates, sketches and names", MANY),
    ("duplicates", "bands"): ("audit: duplicates, groups and bands", ONE),
    ("duplicates", "verify"): ("audit: duplicates, texts compared", ONE),
    ("duplicates", "passages"): ("audit: duplicates, passages", ONE),
    ("leakage", "learn"): (f"audit: leakage of {ITEMS:,} items", MANY),
    ("leakage", "conclude"): ("audit: leakage, conclude", ONE),
    ("search", "passages"): ("passages alone, no keywords", ONE),
    ("search", "keywords"): ("index: passages and keywords", ONE),
    ("consent", "exact"): ("consents: account, address, content", MANY),
    ("consent", "near"): ("consents: texts nearly alike too", MANY),
    ("build", "survey"): ("build: first pass", MANY),
    ("build", "copies"): ("build: copies and near copies", ONE),
    ("build", "write"): ("build: second pass, redaction", MANY),
    ("build", "commit"): ("build: commitment, account, signature", ONE),
}
"""Stages by step, what they are called, and who does them today."""
JOBS = {
    "audit: ": "an audit, all checks, JSON Lines",
    "index: ": "an index with keywords",
    "build: ": "a build without near copies and personal data",
}


@dataclass(frozen=True, slots=True)
class Cost:
    """What a step costs, as it is printed."""

    name: str
    by: str
    rate: float
    """Megabytes of text per second of processor time."""
    kept: float
    """Bytes on the disk per byte of text."""
    peak: float
    """Peak memory of the process, MB."""

    @property
    def hours(self) -> float:
        """Hours of one core for all of it."""
        return WHOLE_TB * 1e12 / MB / self.rate / 3600

    def wall(self, cores: int) -> float:
        """Hours on some cores."""
        return self.hours / (cores if self.by == MANY else 1)


def shown(value: float) -> str:
    """Write a number with three significant digits, without powers of ten."""
    return format(Decimal(f"{value:.3g}"), ",f")


def rounded(value: float) -> float:
    """Return the number that is shown."""
    return float(f"{value:.3g}")


def make(folder: Path) -> dict[str, float]:
    """Write the data set in three formats and a benchmark, and return bytes of text, rows and words."""
    dice = random.Random(3)
    texts = [list(make_texts(FILE_MB * MB, 5.5, seed)) for seed in range(FILES)]
    for name in ("data", "csv", "parquet", "tiny"):
        (folder / name).mkdir(parents=True)
    number = 0
    for file, some in enumerate(texts):
        rows = []
        for text in some:
            mail = f" person{number}@example.org" if number % 50 == 0 else ""
            date = f"20{dice.randint(10, 24)}-{dice.randint(1, 12):02}-01"
            url = f"https://host{dice.randrange(3000)}.example/{number}"
            rows.append({"id": number, "text": text + mail, "url": url, "date": date, "label": "abc"[number % 3]})
            number += 1
        (folder / "data" / f"{file}.jsonl").write_text("".join(json.dumps(each) + "\n" for each in rows))
        with (folder / "csv" / f"{file}.csv").open("w", newline="") as out:
            writer = csv.DictWriter(out, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        (folder / "tiny" / "0.jsonl").write_text("".join(json.dumps(each) + "\n" for each in rows[:20]))
        path = folder / "parquet" / f"{file}.parquet"
        pq.write_table(pa.Table.from_pylist(rows), path, row_group_size=5_000, compression="zstd")
    whole = [text for some in texts for text in some]
    items = [dice.choice(whole).split() for _ in range(ITEMS // 10)]
    given = [" ".join(text[:40]) for text in items] + [
        " ".join(f"x{dice.randrange(10**5)}" for _ in range(40)) for _ in range(ITEMS - len(items))
    ]
    lines = [json.dumps({"question": text, "answer": str(place)}) for place, text in enumerate(given)]
    (folder / "benchmark.jsonl").write_text("\n".join(lines) + "\n")
    return {
        "bytes": sum(len(text.encode()) for text in whole),
        "rows": number,
        "words": sum(text.count(" ") + 1 for text in whole),
    }


def run(step: str, folder: Path) -> dict[str, Any]:
    """Measure one step in a process of its own."""
    print(f"measuring {step}", file=sys.stderr)
    command = [sys.executable, "-m", "bench.scale_worker", step, str(folder)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return dict(json.loads(done.stdout))


def indexed(folder: Path) -> tuple[list[dict[str, Any]], float]:
    """Make indexes, and return what they cost, and the milliseconds that one more block adds to a question."""
    costs, source = [], folder / "data" / "0.jsonl"
    for stage, keywords in (("passages", False), ("keywords", True)):
        print(f"measuring index, {stage}", file=sys.stderr)
        found = search.build(source, folder / stage, 64, keywords)
        kept = sum(file.stat().st_size for file in (folder / stage).iterdir())
        costs.append({"stage": stage, "seconds": found["cpu"], "kept": kept, "peak": found["peak"]} | found)
    search.build(source, folder / "blocks", 1, keywords=False)
    queries = search.plant(source, ASKED)
    one, many = (statistics.median(search.ask(folder / name, queries)[0]) for name in ("passages", "blocks"))
    blocks = json.loads((folder / "blocks" / manifest.MANIFEST).read_text())["blocks"]
    return costs, (many - one) / (blocks - 1)


def measure(folder: Path) -> tuple[list[Cost], dict[str, float]]:
    """Measure everything; return costs and other numbers, all as they are printed."""
    made = make(folder)
    found = {step: run(step, folder) for step in dict.fromkeys(step for step, _ in STEPS) if step != "search"}
    found["search"] = {"costs": (searched := indexed(folder))[0]}
    costs = []
    for (step, stage), (name, by) in STEPS.items():
        one = next(each for each in found[step]["costs"] if each["stage"] == stage)
        size = one.get("bytes", made["bytes"])
        peak = found["build"]["peak"] if step == "build" and stage != "commit" else one["peak"]
        rate = size / MB / max(one["seconds"], 1e-3)
        costs.append(Cost(name, by, rounded(rate), rounded(one["kept"] / size), rounded(peak)))
    cut = run("cut", folder)
    numbers = {
        "MB of text that were measured": made["bytes"] / MB,
        "bytes of text of a row": made["bytes"] / made["rows"],
        "bytes of text of a word": made["bytes"] / made["words"],
        "bytes of text of a name of a passage": made["bytes"] / found["duplicates"]["names"],
        "CPU ms to cut a file": cut["seconds"] * 1e3,
        "bytes said per part": cut["bytes"],
        "CPU ms that a block adds to a question": searched[1],
    }
    return costs, {name: rounded(value) for name, value in numbers.items()}


def limits(numbers: dict[str, float]) -> list[tuple[str, float, float, str]]:
    """Return limits: name, value, bytes of text for each one of it, and what happens then. The least comes first."""
    of_row, part, block = numbers["bytes of text of a row"], model.PART_BYTES, manifest.Options().block_mib << 20
    given = [
        ("corpus.duplicate.find.Limits.sets", find.Limits().sets, numbers["bytes of text of a word"] / 8,
         "bytes of shingles of texts that are compared at once; with more, parts are read again for each lot"),
        ("corpus.duplicate.candidate.RANGE_SKETCHES", candidate.RANGE_SKETCHES, of_row,
         "sketches; with more, all bands are read again for each such number: the cost grows with the square"),
        ("corpus.duplicate.group.RANGE_ROWS", group.RANGE_ROWS, of_row,
         "rows; with more, all digests are read again for each such number: the cost grows with the square"),
        ("corpus.duplicate.passage.RANGE_NAMES", passage.RANGE_NAMES, numbers["bytes of text of a name of a passage"],
         "names of passages; with more, all names are read again for each such number, likewise"),
        ("corpus.duplicate.find.Limits.rows", find.Limits().rows, of_row,
         "rows; duplicates are unknown, and a build that looks for copies stops"),
        ("corpus.measure.row.MOST_ROWS", row.MOST_ROWS, of_row,
         "different rows; copies among rows are unknown, the rest is told"),
        ("corpus.search.manifest.MOST_BLOCKS", manifest.MOST_BLOCKS, block,
         "blocks of an index, at the usual size; it cannot be opened"),
        ("50 ms of computing", 50, block / numbers["CPU ms that a block adds to a question"],
         "milliseconds for a question of 200 words, which asks every block"),
        ("checks.runner.MAX_ITEMS", runner.MAX_ITEMS, part, "parts, when they are full; the check breaks"),
        ("checks.runner.MAX_BYTES", runner.MAX_BYTES, part / numbers["bytes said per part"],
         "bytes said of parts; the check breaks"),
        ("core.sandbox.Limits.cpu_seconds", sandbox.Limits().cpu_seconds, part / numbers["CPU ms to cut a file"] * 1e3,
         "seconds to cut all files, when each is one full part; the check breaks"),
        ("corpus.engine.frame.MAX_STATE", frame.MAX_STATE, of_row / 5,
         "bytes of what a build is told of copies, 5 for a row; it stops"),
        ("numbers of 32 bits", 1 << 32, of_row, "rows that can be told apart when duplicates are looked for"),
    ]  # fmt: skip
    return sorted(((n, v, rounded(per), then) for n, v, per, then in given), key=lambda each: each[1] * each[2])


def tables(costs: Sequence[Cost], numbers: dict[str, float]) -> str:
    """Write what was measured and what follows from it."""
    head = ("step", "done by", "MB of text per CPU-second", "bytes kept per byte of text", "peak memory, MB")
    units = markdown(head, ((c.name, c.by, shown(c.rate), shown(c.kept), shown(c.peak)) for c in costs))
    others = markdown(("number", "value"), ((name, shown(value)) for name, value in numbers.items()))
    walls = [f"hours, {cores} core{'s'[: cores > 1]}" for cores in CORES]
    large = markdown(
        (f"step, {WHOLE_TB} TB", "CPU-hours", *walls, "kept, TB"),
        ((c.name, shown(c.hours), *(shown(c.wall(n)) for n in CORES), shown(c.kept * WHOLE_TB)) for c in costs),
    )
    names = (
        f"job, {WHOLE_TB} TB",
        "CPU-hours",
        "of these in one process",
        *walls,
        f"if all of it were parted, {CORES[-1]} cores",
    )
    jobs = markdown(names, (_job(title, [c for c in costs if c.name.startswith(name)]) for name, title in JOBS.items()))
    bounds = markdown(
        ("limit", "value", "bytes of text for each", "reached at, GB of text", "of what, and what happens then"),
        (
            (f"`{name}`" if "." in name else name, f"{value:,}", shown(per), shown(value * per / 1e9), then)
            for name, value, per, then in limits(numbers)
        ),
    )
    return (
        f"### Unit costs\n\n{units}\n{others}\n### {WHOLE_TB} TB, if every cost stays what it is per byte\n\n"
        f"{large}\n{jobs}\n"
        f"### Where the code stops, the least first\n\n{bounds}"
    )


def _job(title: str, costs: Iterable[Cost]) -> Sequence[str]:
    chosen = list(costs)
    hours = sum(each.hours for each in chosen)
    alone = sum(each.hours for each in chosen if each.by == ONE)
    walls = (sum(each.wall(cores) for each in chosen) for cores in CORES)
    return (title, shown(hours), shown(alone), *map(shown, walls), shown(hours / CORES[-1]))


def report(folder: Path) -> str:
    """Measure, and return the tables with what was measured where."""
    load = os.getloadavg()[0]
    costs, numbers = measure(folder)
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("pyarrow", "numpy", "daft"))
    said = (
        f"Measured on {datetime.date.today()} with hallmarked {importlib.metadata.version('hallmarked')}, Python "
        f"{platform.python_version()}, {versions}, on {platform.system()} {platform.machine()} with {os.cpu_count()} "
        f"cores; one run of each step. When it began, {load:.1f} processes of this machine were at work besides.\n"
    )
    return f"{said}\n{tables(costs, numbers)}"


def main() -> None:
    """Print the tables, or put them into a page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--page", type=Path, help="page whose tables are replaced")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        text = report(Path(folder))
    print(text)
    if arguments.page:
        before, _, rest = arguments.page.read_text().partition(BEGIN)
        arguments.page.write_text(f"{before}{BEGIN}\n{text}\n{END}{rest.partition(END)[2]}")


if __name__ == "__main__":
    main()
