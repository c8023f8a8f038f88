"""Run every benchmark and write ``bench/RESULTS.md``: ``python -m bench.run [--peers PYTHON] [--only NAME …]``."""

from __future__ import annotations

import argparse
import datetime
import importlib.metadata
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench import (
    build,
    card,
    card_view,
    claim,
    compute,
    conformance,
    consent,
    conversion,
    corpus_engine,
    corpus_measure,
    decision,
    duplicate,
    footprint,
    framework,
    hub,
    leak,
    ledger,
    lineage,
    listing,
    personal,
    policy,
    reaudit,
    scale,
    scan,
    search,
    transfer,
    xet,
)

HERE = Path(__file__).parent
DATA = Path(os.environ.get("HALLMARKED_TEST_DATA", HERE.parents[1] / "shared" / "data")) / "model-files"
LIBRARIES = (
    "torch",
    "safetensors",
    "numpy",
    "scikit-learn",
    "pandas",
    "transformers",
    "picklescan",
    "modelscan",
    "fickling",
    "datasketch",
    "datatrove",
    "duckdb",
    "infini-gram",
    "polars",
    "presidio-analyzer",
    "rensa",
)


def main() -> None:
    """Parse, run, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--peers", type=Path, default=Path(sys.executable), help="Python in which the peers are installed"
    )
    parser.add_argument(
        "--only", nargs="+", metavar="NAME", help="sections to run; the results file is then left alone"
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sections = _sections(Path(folder), arguments.peers)
        chosen = arguments.only or list(sections)
        text = "\n".join(_section(name, *sections[name]) for name in chosen)
    print(text)
    if not arguments.only:
        (HERE / "RESULTS.md").write_text(f"{_preface(arguments.peers)}\n{text}")


Section = tuple[str, Callable[[], str]]


def _sections(scratch: Path, peers: Path) -> dict[str, Section]:
    def benign() -> str:
        subprocess.run([sys.executable, HERE / "corpus.py", scratch / "corpus"], check=True, stdout=subprocess.DEVNULL)
        return scan.benign(scratch / "corpus", peers)

    def detection() -> str:
        return scan.detection(DATA, peers) if DATA.is_dir() else f"Left out: no development corpus at {DATA}.\n"

    return {
        "detection": ("Labelled development corpus", detection),
        "benign": ("Benign files written by real libraries", benign),
        "throughput": ("Time and memory beside hashing and other scanners", lambda: scan.throughput(scratch, peers)),
        "large": ("Large files", lambda: scan.large_files(scratch, peers)),
        "conversion": ("Conversion to safetensors", lambda: conversion.conversion(scratch)),
        "ledger": ("Ledger", ledger.report),
        "transfer": ("Large files in and out of a hub", lambda: transfer.report(scratch / "transfer")),
        "xet": ("Large files by Xet", lambda: xet.report(scratch / "xet")),
        "reaudit": ("Audit of a push to a repository with a large file", lambda: reaudit.report(scratch / "reaudit")),
        "hub": ("Answers of a hub", lambda: hub.report(scratch / "answers")),
        "listing": ("Listing and search of 10,000 repositories", listing.report),
        "clients": ("The client's own tests against a hub", lambda: conformance.report(scratch / "clients")),
        "consent": ("Registry of consents", consent.report),
        "search": ("Passages in large corpora", lambda: search.report(scratch / "search", peers)),
        "duplicates": ("Duplicates beside other tools", lambda: duplicate.report(peers)),
        "leak": ("Items of benchmarks in texts", leak.report),
        "personal": ("Personal data", lambda: personal.report(peers)),
        "policy": ("Decisions over 10,000 statements", lambda: policy.report(peers)),
        "build": ("Building data sets, and proofs about contents", lambda: build.report(scratch / "build")),
        "scale": ("Every step over a data set, and what follows for 10 TB", lambda: scale.report(scratch / "scale")),
        "tables": ("Reading and counting tables", lambda: corpus_engine.report(scratch / "tables", peers)),
        "measure": ("Measuring data sets", lambda: corpus_measure.report(scratch / "measure", peers)),
        "compute": ("Operations of training beside torch's counter", compute.report),
        "cards": ("Reading, judging and editing cards", card.report),
        "claims": ("How claims stand with 10,000 statements", claim.report),
        "lineage": ("A chain back to the data with 10,000 statements", lineage.report),
        "card-view": ("A card with the statuses of its claims", card_view.report),
        "decision": ("Deciding about a revision in a context", decision.report),
        "framework": ("A framework answered from evidence", framework.report),
        "footprint": ("Footprint", footprint.report),
    }


def _section(name: str, title: str, run: Callable[[], str]) -> str:
    print(f"running {name}", file=sys.stderr)
    return f"## {title}\n\n`python -m bench.run --only {name}`\n\n{run()}"


def _preface(peers: Path) -> str:
    found: list[str] = []
    for python in dict.fromkeys((sys.executable, str(peers))):
        command = [python, "-m", "pip", "list", "--format", "freeze", "--disable-pip-version-check"]
        lines = subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()
        found += [line.replace("==", " ") for line in lines if line.partition("==")[0] in LIBRARIES]
    return (
        f"# Results\n\nWritten by `python -m bench.run` on {datetime.date.today()}: hallmarked "
        f"{importlib.metadata.version('hallmarked')}, Python {platform.python_version()}, {platform.system()} "
        f"{platform.machine()}, {os.cpu_count()} cores; {', '.join(dict.fromkeys(found))}.\n\n"
        "Timings are from one machine and one run; ratios within a table are what they are for. Nothing is loaded or "
        "unpickled: all tools read bytes.\n"
    )


if __name__ == "__main__":
    main()
