"""Measuring a data set beside other libraries: rows, columns and texts of the same JSON Lines.

The peers do less: polars counts rows, nulls, different values, lengths and words of columns as written here by hand;
ydata-profiling makes its smallest profile. Neither cuts words of all scripts, finds languages, repetition, hosts and
ages. What is compared is the time for what somebody gets, so each row says what that is.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

from bench.table import markdown

MEGABYTES = 64
RUNS = 3
CLOCK = """
import json, resource, sys
def cpu():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
"""
REPORT = """
print(json.dumps({"seconds": cpu() - start, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                  "rows": rows, "words": words}))
"""
OURS = """
from hallmarked.artifacts.source import open_artifact
from hallmarked.checks.registry import load
from hallmarked.checks.runner import run
check, artifact = load(sys.argv[2])[0], open_artifact(sys.argv[1])
start = cpu()
found = {m.metric: m.value for m in run(check, artifact).measurements if not m.slice or m.slice.get("column") == "text"}
rows, words = found.get("rows.total") or found["text.rows"], found.get("column.words") or found["text.words"]
"""
POLARS = """
import polars
start = cpu()
frame = polars.read_ndjson(sys.argv[1] + "/data.jsonl")
rows, words = frame.height, frame["text"].str.count_matches(r"\\S+").sum()
for name in frame.columns:
    column = frame[name]
    column.null_count(), column.n_unique()
    if column.dtype == polars.String:
        lengths = column.str.len_chars()
        lengths.mean(), [lengths.quantile(share) for share in (0.05, 0.25, 0.5, 0.75, 0.95)]
    if column.n_unique() <= 50:
        column.value_counts()
frame.is_duplicated().sum()
"""
PROFILE = """
import pandas, warnings
warnings.simplefilter("ignore")
from ydata_profiling import ProfileReport
start = cpu()
frame = pandas.read_json(sys.argv[1] + "/data.jsonl", lines=True)
report = ProfileReport(frame, minimal=True, progress_bar=False)
rows, words = len(frame), report.get_description().table["n"] and None
"""
TOOLS = (
    ("hallmarked tables", "tables", OURS, "columns, copies, labels, hosts, ages"),
    ("hallmarked texts", "texts", OURS, "words of all scripts, vocabulary, languages of a sample, repetition"),
    ("polars", "", POLARS, "nulls, different values, lengths, words, labels, copies"),
    ("ydata-profiling (minimal)", "", PROFILE, "its smallest profile, not rendered"),
)


def report(scratch: Path, peers: Path) -> str:
    """Return the table of one run of all, alternating; the median of three.

    Args:
        scratch: Where the data is made.
        peers: Python in which peers are installed.
    """
    size = make(scratch)
    runs: dict[str, list[dict[str, float]]] = {name: [] for name, *_ in TOOLS}
    for _ in range(RUNS):
        for name, check, code, _ in TOOLS:
            python = sys.executable if check else str(peers)
            command = [python, "-c", CLOCK + code + REPORT, str(scratch), check]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                reason = (done.stderr.strip().splitlines() or ["no output"])[-1]
                print(f"{name} could not run: {reason}", file=sys.stderr)
                continue
            runs[name].append(json.loads(done.stdout.strip().splitlines()[-1]))
    rows = []
    for name, _, _, what in TOOLS:
        if not (found := sorted(runs[name], key=lambda run: run["seconds"])):
            rows.append((name, "could not run", "", "", "", what))
            continue
        middle = found[len(found) // 2]
        speed, span = size / middle["seconds"], f"{size / found[-1]['seconds']:.0f}–{size / found[0]['seconds']:.0f}"
        words = f"{int(middle['words']):,}" if middle["words"] else "–"
        rows.append((name, f"{speed:.0f} ({span})", f"{middle['peak']:.0f}", f"{int(middle['rows']):,}", words, what))
    head = f"{size:.0f} MB of JSON Lines, {RUNS} runs each, alternating; CPU time with reading, without starting.\n\n"
    return head + markdown(("tool", "MB/CPU-s (least–most)", "peak MB", "rows", "words", "what it tells"), rows)


def make(folder: Path) -> float:
    """Write rows with texts, addresses, dates and labels, and return how many megabytes they are."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = random.Random(4)
    vocabulary = ["".join(rng.choices("abcdefghijklmnoprstuvwz", k=rng.randint(2, 10))) for _ in range(50_000)]
    weights = [1 / (rank + 1) for rank in range(len(vocabulary))]
    size = number = 0
    with (folder / "data.jsonl").open("w") as file:
        while size < MEGABYTES * 1_000_000:
            row = {
                "id": number,
                "text": " ".join(rng.choices(vocabulary, weights, k=rng.randint(20, 600))),
                "url": f"https://site{rng.randint(0, 3000)}.example/{number}",
                "date": f"20{rng.randint(10, 24)}-{rng.randint(1, 12):02d}-01",
                "label": rng.choice(["a", "b", "c"]),
            }
            size += file.write(json.dumps(row) + "\n")
            number += 1
    return size / 1e6
