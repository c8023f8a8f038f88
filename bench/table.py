"""Markdown tables, and how tools are started."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

WORKER = Path(__file__).with_name("worker.py")
PEERS = ("picklescan", "modelscan", "fickling")


@dataclass(frozen=True, slots=True)
class Run:
    """One tool over some files."""

    version: str
    seconds: float
    """Without starting and importing."""
    peak_mb: float
    """Highest resident memory of the process."""
    results: dict[str, str]


def run_tool(tool: str, paths: Iterable[Path], peers: Path) -> Run | None:
    """Run a tool over files in a process of its own; None when it is not installed."""
    python = str(peers) if tool in PEERS else sys.executable
    command, files = [python, str(WORKER), tool], json.dumps([str(path) for path in paths])
    done = subprocess.run(command, input=files, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no output"])[-1]
        print(f"{tool} could not run: {reason}", file=sys.stderr)
        return None
    return Run(**json.loads(done.stdout[done.stdout.index('{"version"') :]))


def markdown(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table."""
    lines = [list(header), ["---"] * len(header), *([str(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"
