"""Duplicates beside other tools on the same texts: ``python -m bench.duplicate [PYTHON with the peers]``.

Texts are made here: words of a vocabulary with the frequencies of natural language (Zipf), in documents of the lengths
of web pages. Each measurement runs in a process of its own; ours and the peer's take turns, and the best of three is
taken. Megabytes are those of the texts as UTF-8; seconds are those of the processor, reading of files left out where
the table says so.
"""

from __future__ import annotations

import itertools
import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from bench.table import markdown

WORKER = Path(__file__).with_name("duplicate_worker.py")
ROUNDS = 3
SKETCHING = ("hallmarked", "rensa", "datasketch", "datatrove")
EXACT = ("hallmarked", "duckdb")
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def main() -> None:
    """Print the tables."""
    print(report(Path(sys.argv[1] if len(sys.argv) > 1 else sys.executable)))


def report(peers: Path) -> str:
    """Measure, and return tables."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = {
            "documents (median 245 words)": _write(folder / "long.parquet", make_texts(12_000_000, 5.5)),
            "messages (median 30 words)": _write(folder / "short.parquet", make_texts(3_000_000, 3.4)),
        }
        large = _write(folder / "large.parquet", make_texts(60_000_000, 5.5))
        return "\n".join(
            [
                "Sketches of 125 numbers in 25 bands, shingles of 5 words, texts in memory:\n",
                _sketching(files, peers),
                "Distinct texts of a Parquet file, reading included:\n",
                _exact(large, peers),
                "Pairs of texts of known similarity:\n",
                _accuracy(),
                "A data set as JSON Lines, reading included, states on disk:\n",
                _memory(folder),
            ]
        )


def make_texts(size: int, log_words: float, seed: int = 5) -> Iterator[str]:
    """Make about so many bytes of texts, a tenth of them copies and a tenth edited copies."""
    chance = random.Random(seed)
    words = ["".join(chance.choices(LETTERS, k=chance.randrange(2, 11))) for _ in range(60_000)]
    weights = list(itertools.accumulate(1 / (rank + 5) for rank in range(len(words))))
    earlier: list[list[str]] = []
    made = 0
    while made < size:
        kind = chance.random() if earlier else 1.0
        if kind < 0.2:
            text = list(chance.choice(earlier))
            if kind < 0.1:
                for _ in range(1 + len(text) // 50):
                    text[chance.randrange(len(text))] = "edit"
        else:
            text = chance.choices(words, cum_weights=weights, k=max(5, int(chance.lognormvariate(log_words, 1))))
            earlier = [*earlier[-2000:], text]
        made += sum(map(len, text)) + len(text)
        yield " ".join(text)


def _write(path: Path, texts: Iterator[str]) -> Path:
    pq.write_table(pa.table({"text": list(texts)}), path, row_group_size=5_000, compression="zstd")
    return path


def _run(python: Path | str, *arguments: str) -> dict[str, Any] | None:
    done = subprocess.run([str(python), str(WORKER), *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"{arguments[1]}: {(done.stderr.strip().splitlines() or ['no output'])[-1]}", file=sys.stderr)
        return None
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def _best(task: str, tools: Sequence[str], path: Path, peers: Path) -> dict[str, dict[str, Any]]:
    """Run tools in turns, and return the best of each; those that are not installed are left out."""
    best: dict[str, dict[str, Any]] = {}
    missing: set[str] = set()
    for _ in range(ROUNDS):
        for tool in tools:
            if tool in missing:
                continue
            found = _run(sys.executable if tool == "hallmarked" else peers, task, tool, str(path))
            if found is None:
                missing.add(tool)
            elif tool not in best or found["rate"] > best[tool]["rate"]:
                best[tool] = found
    return best


def _sketching(files: dict[str, Path], peers: Path) -> str:
    rows = []
    for name, path in files.items():
        best = _best("sketch", SKETCHING, path, peers)
        ours = best["hallmarked"]["rate"]
        for tool in SKETCHING:
            if tool in best:
                found = best[tool]
                version = f"{tool} {found['version']}"
                rows.append((name, version, f"{found['rate']:.2f}", f"{ours / found['rate']:.1f}", found["note"]))
            else:
                rows.append((name, tool, "not installed", "", ""))
    return markdown(("texts", "tool", "MB per CPU-second", "ours is times as fast", "what is timed"), rows)


def _exact(path: Path, peers: Path) -> str:
    best = _best("exact", EXACT, path, peers)
    rows = [
        (f"{tool} {found['version']}", f"{found['rate']:.0f}", f"{found['distinct']:,}", f"{found['peak']:.0f}")
        for tool, found in best.items()
    ]
    return markdown(("tool", "MB per CPU-second", "distinct texts", "peak MB"), rows)


def _accuracy() -> str:
    found = _run(sys.executable, "accuracy", "hallmarked", "6000")
    return markdown(
        ("Jaccard similarity", "pairs", "found as near duplicates"), [] if found is None else map(tuple, found["rows"])
    )


def _memory(folder: Path) -> str:
    rows = []
    for size in (50, 200):
        data = folder / f"data-{size}"
        data.mkdir()
        with (data / "a.jsonl").open("w") as file:
            for text in make_texts(size * 1_000_000, 5.5, size):
                file.write(json.dumps({"text": text}) + "\n")
        found = _run(sys.executable, "whole", "hallmarked", str(data))
        if found is not None:
            rows.append(
                [f"{size} MB", *(f"{found[name]:,.0f}" for name in ("rows", "peak", "states", "learn", "conclude"))]
            )
    header = ("text", "rows", "peak MB", "states on disk MB", "CPU-seconds to learn", "CPU-seconds to conclude")
    return markdown(header, rows)


if __name__ == "__main__":
    main()
