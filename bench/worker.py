"""Run one tool over files in a process of its own: ``python bench/worker.py TOOL < paths.json > results.json``.

The peers may live in another environment than this project, so nothing is imported before the tool is known. All
tools here read bytes only; nothing is ever loaded.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import importlib.metadata
import json
import logging
import resource
import sys
import tempfile
import time
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

Scan = Callable[[str], str]
"""Path to one word: ``clean``, ``flagged``, ``error`` or ``unscanned``; our own says more (``_hallmarked``)."""


def _hallmarked() -> Scan:
    """Our check: ``outcome verdict``, e.g. ``pass proven``; the outcome ``fail`` means a finding of level error."""
    check = importlib.import_module("hallmarked.checks.serialization.check").SerializationCheck()
    open_artifact = importlib.import_module("hallmarked.artifacts.source").open_artifact
    result_class = importlib.import_module("hallmarked.checks.runner").Result

    def scan(path: str) -> str:
        result = result_class(check.id, check.version)
        artifact = open_artifact(path)
        for item in check.run(artifact):
            result.add(item)
        name = artifact.files[0].path
        verdicts = [m.value for m in result.measurements if m.metric == "file.verdict" and m.slice.get("path") == name]
        return f"{result.outcome} {verdicts[0] if verdicts else 'none'}"

    return scan


def _picklescan() -> Scan:
    scanner = importlib.import_module("picklescan.scanner")

    def scan(path: str) -> str:
        result = scanner.scan_file_path(path)
        if result.issues_count:
            return "flagged"
        return "error" if result.scan_err else "clean" if result.scanned_files else "unscanned"

    return scan


def _modelscan() -> Scan:
    scanner = importlib.import_module("modelscan.modelscan").ModelScan

    def scan(path: str) -> str:
        result = scanner().scan(path)
        if result["summary"]["total_issues"]:
            return "flagged"
        if result["errors"]:
            return "error"
        return "clean" if result["summary"]["scanned"]["total_scanned"] else "unscanned"

    return scan


def _fickling() -> Scan:
    loader = importlib.import_module("fickling.loader")

    def scan(path: str) -> str:
        if zipfile.is_zipfile(path):
            results = list(loader.scan_zip_archive(path, graceful=True).values())
        else:
            results = [loader.scan_file(path, graceful=True)]
        if any(result.errors for result in results):
            return "error"
        if not results:
            return "unscanned"
        return "clean" if all(result.is_safe for result in results) else "flagged"

    return scan


def _sha256() -> Scan:
    def scan(path: str) -> str:
        with Path(path).open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()

    return scan


TOOLS = {
    "hallmarked": _hallmarked,
    "picklescan": _picklescan,
    "modelscan": _modelscan,
    "fickling": _fickling,
    "sha256": _sha256,
}


def _peak_memory() -> int:
    """Return the highest resident memory of this program in KiB; ``ru_maxrss`` also counts who started it."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(status.read_text().partition("VmHWM:")[2].split()[0])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _warm_up(scan: Scan) -> None:
    """Scan one tiny pickle, so that lists which a tool reads once are not counted as time per byte."""
    with tempfile.NamedTemporaryFile(suffix=".pkl") as small:
        small.write(b"\x80\x02ccollections\nOrderedDict\n)R.")
        small.flush()
        with contextlib.suppress(Exception):
            scan(small.name)


def main() -> None:
    """Read paths, run the tool, write one result per path with the time and the memory it took."""
    tool, paths = sys.argv[1], json.load(sys.stdin)
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    scan, results = TOOLS[tool](), {}
    _warm_up(scan)
    start = time.perf_counter()
    for path in paths:
        try:
            results[path] = scan(path)
        except Exception as error:  # noqa: BLE001 -- a tool that breaks on a file has not examined it
            results[path] = f"error {type(error).__name__}"
    report = {
        "version": importlib.metadata.version(tool) if tool != "sha256" else "",
        "seconds": time.perf_counter() - start,
        "peak_mb": _peak_memory() / 1024,
        "results": results,
    }
    json.dump(report, sys.stdout)


if __name__ == "__main__":
    main()
