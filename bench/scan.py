"""What the serialization check says about malicious and benign files, and what it costs, beside other scanners."""

from __future__ import annotations

import json
import os
import pickle
import random
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import torch

from bench.table import PEERS, Run, markdown, run_tool

PICKLED = ("state-dict", "checkpoint", "module", "pickle", "joblib")
"""Kinds of the benign corpus that hold pickles."""


def detection(data: Path, peers: Path) -> str:
    """Compare tools on the labelled development corpus (bytes only, nothing is loaded)."""
    labels: dict[str, str] = {}
    for entry in json.loads((data / "labels.json").read_text())["files"]:
        labels[str(data / entry["path"])] = entry["label"]
    ours = run_tool("hallmarked", map(Path, labels), peers)
    rows, missed = [], []
    if ours is not None:
        missed = [p for p, r in ours.results.items() if labels[p] == "malicious" and r.startswith("pass")]
        missed += [p for p, r in ours.results.items() if labels[p] == "junk" and r.startswith("pass")]
        rows.append(["hallmarked", *_count(ours, labels, alarm="fail", quiet="pass")])
        wrong = [p for p, r in ours.results.items() if labels[p] == "benign" and r.startswith(("fail", "error"))]
    for tool in PEERS:
        run = run_tool(tool, map(Path, labels), peers)
        if run is not None:
            rows.append([f"{tool} {run.version}", *_count(run, labels, alarm="flagged", quiet="clean")])
    text = markdown(
        ["tool", "malicious", "alarm", "passed quietly", "benign", "alarm", "passed", "other content: alarm"], rows
    )
    for title, paths in (("Malicious or junk passed by us", missed), ("Benign graded error by us", wrong)):
        text += f"\n{title}: {', '.join(str(Path(p).relative_to(data)) for p in paths) or 'none'}.\n"
    return text


def _count(run: Run, labels: dict[str, str], *, alarm: str, quiet: str) -> Iterator[int]:
    def of(label: str, word: str = "") -> int:
        return sum(labels[path] == label and result.startswith(word) for path, result in run.results.items())

    yield from (of("malicious"), of("malicious", alarm), of("malicious", quiet))
    yield from (of("benign"), of("benign", alarm), of("benign", quiet), of("suspicious-content", alarm))


def benign(corpus: Path, peers: Path) -> str:
    """Compare tools on benign files written by the real libraries: shares proven, false alarms."""
    rows = json.loads((corpus / "corpus.json").read_text())
    paths = [corpus / row["path"] for row in rows]
    runs = {tool: run for tool in ("hallmarked", *PEERS) if (run := run_tool(tool, paths, peers)) is not None}
    if "hallmarked" not in runs:
        return "The check could not run.\n"
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in rows:
        path = str(corpus / row["path"])
        groups[row["family"], row["kind"]].append(path)
        if row["kind"] == "state-dict":
            groups["all", "plain torch state dicts"].append(path)
        if row["kind"] in PICKLED:
            groups["all", "pickles"].append(path)
        groups["all", "files"].append(path)
    header = [
        "family",
        "kind",
        "files",
        "proven",
        "graded error",
        *(f"{tool}: alarm / error / not scanned" for tool in PEERS if tool in runs),
    ]
    ours, table = runs["hallmarked"].results, []
    for (family, kind), members in sorted(groups.items(), key=lambda item: (item[0][0] == "all", item[0])):
        proven = sum(ours[path].endswith(" proven") for path in members)
        errors = sum(ours[path].startswith(("fail", "error")) for path in members)
        others = [
            " / ".join(str(_words(runs[tool], members, word)) for word in ("flagged", "error", "unscanned"))
            for tool in PEERS
            if tool in runs
        ]
        table.append([family, kind, len(members), f"{proven} ({proven / len(members):.0%})", errors, *others])
    unproven = [
        row["path"]
        for row in rows
        if row["kind"] in PICKLED and not ours[str(corpus / row["path"])].endswith(" proven")
    ]
    return markdown(header, table) + f"\nPickles not proven: {', '.join(unproven) or 'none'}.\n"


def _words(run: Run, paths: list[str], word: str) -> int:
    return sum(run.results[path].startswith(word) for path in paths)


def throughput(scratch: Path, peers: Path) -> str:
    """Compare time and memory with hashing the same bytes and with other scanners.

    Caches are warm, each tool has a process of its own, and what it loads once for all files is not counted.
    """
    archives = [scratch / f"weights{i}.pt" for i in range(60)]
    for number, path in enumerate(archives):
        torch.manual_seed(number)
        torch.save({f"layer{i}.weight": torch.randn(64, 1024) for i in range(12)}, path)
    vocabulary = scratch / "vocabulary.pkl"
    words = random.Random(7)
    entries = {"".join(words.choices("abcdefghijklmnop", k=4)) + str(i): i for i in range(500_000)}
    vocabulary.write_bytes(pickle.dumps(entries, 4))
    rows = []
    for title, paths in (("60 torch zips", archives), ("vocabulary pickle", [vocabulary])):
        size = sum(path.stat().st_size for path in paths)
        for tool in ("sha256", "hallmarked", *PEERS):
            best = min(
                (run for _ in range(3) if (run := run_tool(tool, paths, peers))),
                key=lambda run: run.seconds,
                default=None,
            )
            if best is not None:
                rows.append([f"{title}, {size / 1e6:.1f} MB", tool, f"{best.seconds:.3f}", f"{best.peak_mb:.0f}"])
    return markdown(["input", "tool", "seconds (best of 3)", "peak memory MB"], rows)


def large_files(scratch: Path, peers: Path) -> str:
    """Show that cost and memory do not follow the size of a file whose header says everything."""
    rows = []
    for size in (10**6, 10**9, 20 * 10**9):
        path = scratch / f"sparse{size}.safetensors"
        _sparse_safetensors(path, size)
        rows.append(["safetensors (sparse)", path, size])
    path = scratch / "large.pt"
    torch.save({f"layer{i}": torch.zeros(25_000_000) for i in range(20)}, path)
    rows.append(["torch zip", path, path.stat().st_size])
    table = []
    for title, path, size in rows:
        run = run_tool("hallmarked", [path], peers)
        if run is not None:
            table.append(
                [title, f"{size / 1e9:.3f}", f"{run.seconds:.3f}", f"{run.peak_mb:.0f}", run.results[str(path)]]
            )
        path.unlink()
    return markdown(["input", "GB", "seconds", "peak memory MB", "result"], table)


def _sparse_safetensors(path: Path, size: int) -> None:
    count = 100
    each = size // count // 4
    header = {
        f"layer{i}": {"dtype": "F32", "shape": [each], "data_offsets": [i * each * 4, (i + 1) * each * 4]}
        for i in range(count)
    }
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as stream:
        stream.write(len(text).to_bytes(8, "little") + text)
        os.ftruncate(stream.fileno(), 8 + len(text) + count * each * 4)
