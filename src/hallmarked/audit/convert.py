"""Convert weights as a whole: prove each file, convert it, sign how the results came about; all of it or nothing."""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from hallmarked.artifacts.local import LocalArtifact
from hallmarked.artifacts.source import describe, open_artifact
from hallmarked.audit.audit import with_keys, write
from hallmarked.audit.report.view import plural, size
from hallmarked.audit.whole import whole_folder
from hallmarked.checks import registry
from hallmarked.checks.runner import Result, run_isolated
from hallmarked.core.errors import InputError
from hallmarked.core.evidence import Level, Subject
from hallmarked.core.sandbox import Limits
from hallmarked.core.text import clean
from hallmarked.ledger.ledger import Ledger
from hallmarked.transforms.conversion import Conversion, Vouch, convert

CHECK = "serialization"
REPORT, EVIDENCE = "conversion.json", "evidence.json"
PROVEN = "proven"
MOST_NAMES = 5
"""How many tied or dropped names the summary lists."""


@dataclass(frozen=True, slots=True)
class Request:
    """What shall be converted, and where to."""

    artifact: LocalArtifact
    folder: Path
    """Where the results go; there must be nothing yet."""
    paths: Sequence[str] = ()
    """Files or indexes of the artifact; all that look like weights when empty."""
    select: str | None = None
    """Key of the part that is meant, when a checkpoint holds several sets of tensors."""


@dataclass(frozen=True, slots=True)
class Converted:
    """What was converted, signed and written."""

    folder: Path
    conversion: Conversion
    report: bytes
    """``conversion.json``."""
    others: int
    """Files of the artifact that were neither converted nor refused by name."""
    command: Sequence[str]
    """The command that verifies the evidence, line by line."""

    @property
    def complete(self) -> bool:
        """Whether nothing that looks like weights was refused and every tensor is equal."""
        return not self.conversion.refused and all(tensor.equal for tensor in self.conversion.tensors)


def prepare(artifact: LocalArtifact, output: Path | None) -> Path:
    """Return the folder for the results: beside the artifact unless the caller chose one.

    Raises:
        InputError: When it lies inside of the artifact or holds something already.
    """
    path = artifact.path.resolve()
    if output is None and not path.name:
        raise InputError(f"{path} has no place beside it; choose an --output")
    folder = (output or path.with_name(f"{path.name}-safetensors")).resolve()
    if folder.is_relative_to(path):
        raise InputError(f"{folder} lies inside of what is converted; choose another --output")
    try:
        taken = folder.exists() and not (folder.is_dir() and not any(folder.iterdir()))
    except OSError as error:
        raise InputError(f"{folder}: {(error.strerror or 'cannot be read').lower()}") from error
    if taken:
        raise InputError(f"{folder} is there already; nothing is overwritten, choose another --output")
    return folder


def convert_weights(
    request: Request, ledger: Ledger, time: datetime, progress: Callable[[str], None] = lambda _text: None
) -> Converted:
    """Convert what is proven, and sign and log how it came about.

    Args:
        request: What and where to.
        ledger: Whose key and log.
        time: When, UTC.
        progress: Called with what is being done.

    Raises:
        InputError: When there is nothing to convert, or files changed while they were read.
        FormatError: When a file named in the request cannot be converted without guessing.
        BackendError: When a file cannot be read or written, or the log cannot be written.
    """
    artifact, folder = request.artifact, request.folder
    with whole_folder(folder) as draft:
        vouch = voucher(artifact, progress)
        conversion = convert(artifact, draft, vouch=vouch, paths=request.paths, select=request.select)
        # What was proven is what was converted only if nobody wrote to it between.
        artifact.confirm_unchanged()
        progress("Signing")
        report = write_report(conversion)
        stated = Subject(REPORT, {"sha256": hashlib.sha256(report).hexdigest()})
        statement = replace(conversion.statement, subjects=(*conversion.statement.subjects, stated))
        bundle = ledger.export_bundle(ledger.attest([statement], time=time))
        write(draft, {REPORT: report, EVIDENCE: bundle})
    known = {row["name"] for row in _inputs(conversion)} | conversion.refused.keys()
    others = sum(file.path not in known for file in artifact.files)
    command = shlex.join(["hallmarked", "verify", str(folder / EVIDENCE), str(folder)])
    return Converted(folder, conversion, report, others, with_keys(command, ledger))


def voucher(artifact: LocalArtifact, progress: Callable[[str], None], limits: Limits | None = None) -> Vouch:
    """Return a function that runs the serialization check on one file, confined, and says why it is not proven.

    Each file has a process of its own: what one file does to the check does not count for another.
    """
    check, _ = registry.load(CHECK)

    def vouch(path: str) -> list[str]:
        progress(f"Checking {path}")
        single = open_artifact(artifact.path / path) if artifact.path.is_dir() else artifact
        result = run_isolated(CHECK, check.version, describe(single), limits or Limits())
        reasons = _doubts(result, single.files[0].path)
        progress(f"Converting {path}")
        return reasons

    return vouch


def _doubts(result: Result, path: str) -> list[str]:
    """Say why a file is not proven, the worst first; nothing when it is."""
    if result.broke:
        return [f"the check did not finish ({result.broke})"]
    wanted = {"path": path}
    verdicts = {m.value for m in result.measurements if m.metric == "file.verdict" and m.slice == wanted}
    if verdicts == {PROVEN}:
        return []
    errors = [finding.message for finding in result.findings if finding.level is Level.ERROR]
    reasons = [*(gap.reason for gap in result.gaps), *errors]
    return reasons or [f"its verdict is {', '.join(sorted(verdicts)) or 'missing'}"]


def _inputs(conversion: Conversion) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = conversion.statement.predicate["buildDefinition"]["resolvedDependencies"]
    return rows


def write_report(conversion: Conversion) -> bytes:
    """Write ``conversion.json``: the files, and what became of each tensor."""
    details = conversion.statement.predicate["runDetails"]["byproducts"][0]["annotations"]
    report = {
        "inputs": [{"name": row["name"], "sha256": row["digest"]["sha256"]} for row in _inputs(conversion)],
        "files": [{"name": file.name, "size": file.size, "sha256": file.sha256} for file in conversion.files],
        **details,
    }
    return (json.dumps(report, indent=1, ensure_ascii=False) + "\n").encode()


def summarise(converted: Converted) -> list[str]:
    """Say in a few aligned lines what was done."""
    conversion = converted.conversion
    tensors, total = conversion.tensors, sum(file.size for file in conversion.files)
    equal = sum(tensor.equal for tensor in tensors)
    tied = [f"{gone} = {kept}" for names in conversion.tied.values() for gone, kept in names.items()]
    dropped = [f"{d.name}: {d.what}, {d.reason}" for entries in conversion.dropped.values() for d in entries]
    refused = list(conversion.refused.values())
    lines = [
        *_row("Files", f"{len(conversion.files)} written, {size(total)}", [file.name for file in conversion.files]),
        *_row("Tensors", f"{len(tensors):,}, equal {equal:,} of {len(tensors):,}"),
        *_row("Tied", f"{len(tied):,} left out, the same as another" if tied else "none", tied),
        *_row("Dropped", f"{len(dropped):,} not part of the weights" if dropped else "none", dropped),
        *_row("Refused", f"{len(refused):,} not converted" if refused else "none", refused, len(refused)),
        *_row("Not copied", plural(converted.others, "other file")),
        *_row("Written to", clean(converted.folder)),
    ]
    return [*lines, "", "Verify with", *(f"  {line}" for line in converted.command)]


def _row(label: str, text: str, details: Sequence[str] = (), most: int = MOST_NAMES) -> list[str]:
    """Lay out one line of the summary, and some details below it."""
    rest = [f"… and {len(details) - most:,} more in {REPORT}"] if len(details) > most else []
    return [f"{label:12}{text}", *(f"{'':12}{clean(line)}" for line in [*details[:most], *rest])]
