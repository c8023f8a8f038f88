"""Read a run plan that somebody wrote: TOML or YAML, with the architecture in it or in a ``config.json`` beside it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from hallmarked.core.errors import FormatError, InputError
from hallmarked.core.evidence import Subject
from hallmarked.formats.blob import Budget
from hallmarked.formats.document import Tagged, read_json, read_yaml, walk
from hallmarked.formats.toml import read_toml
from hallmarked.policy.requirement import decimal
from hallmarked.profiles.compute.architecture import Architecture, read_architecture
from hallmarked.profiles.run.project import describe_architecture
from hallmarked.records.field import write
from hallmarked.records.record import Invalid, Record
from hallmarked.records.run_plan import RunPlan
from hallmarked.records.run_rebuttal import RunRebuttal

MOST_BYTES = 1 << 20
WHOLE = ("tokens", "parameters")
"""Fields that people write as 15e12."""
_R = TypeVar("_R", bound=Record)


@dataclass(frozen=True, slots=True)
class PlanFile:
    """A plan, and the file that says it."""

    plan: RunPlan
    subject: Subject
    """The file by its SHA-256, under the name of the model."""


def read_plan(path: Path) -> PlanFile:
    """Read a plan.

    Raises:
        InputError: When it cannot be read or says something that is none; the message names lines.
    """
    data = read_bytes(path)
    document = read_document(data, path.name)
    said = dict(_with_architecture(document, path))
    for name in WHOLE:
        said |= {name: _whole(said[name])} if name in said else {}
    if said.pop("measurements", None) is not None:
        raise InputError(f"{path.name}: measurements are computed from the plan, and not written in it")
    plan = _make(RunPlan, said, path, data)
    return PlanFile(plan, Subject(plan.model, {"sha256": hashlib.sha256(data).hexdigest()}))


def read_bytes(path: Path) -> bytes:
    """Read a file that somebody wrote by hand.

    Raises:
        InputError: When it cannot be read or is too large for one.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(MOST_BYTES + 1)
    except OSError as error:
        raise InputError(f"{path}: {(error.strerror or 'cannot be read').lower()}") from error
    if len(data) > MOST_BYTES:
        raise InputError(f"{path} is larger than {MOST_BYTES >> 20} MiB")
    return data


def read_document(data: bytes, name: str) -> Mapping[str, Any]:
    """Read a TOML or YAML file by the ending of its name.

    Raises:
        InputError: When it is not one, or holds no named fields.
    """
    try:
        if name.lower().endswith((".yaml", ".yml")):
            document = read_yaml(data, Budget(len(data)))
            if any(isinstance(node, Tagged) for _, node in walk(document)):
                raise InputError(f"{name} has a YAML tag, which means nothing here")
        else:
            document = read_toml(data, parse_float=float)
    except FormatError as error:
        raise InputError(f"{name}: {error}") from error
    if not isinstance(document, dict) or not all(isinstance(key, str) for key in document):
        raise InputError(f"{name} holds no named fields")
    return document


def read_configuration(path: Path) -> Architecture:
    """Read the architecture from a ``config.json``.

    Raises:
        InputError: When it cannot be read, or is of no family that is known.
    """
    data = read_bytes(path)
    try:
        return read_architecture(read_json(data, Budget(len(data))), path.name)
    except FormatError as error:
        raise InputError(f"{path.name}: {error}") from error


def read_rebuttal(path: Path, plan: str, by: str) -> RunRebuttal:
    """Read an argument that somebody wrote.

    Args:
        path: A TOML or YAML file.
        plan: The statement of the plan, where the file names none.
        by: Who argues, likewise.

    Raises:
        InputError: When it cannot be read or says something that is none; the message names lines.
    """
    data = read_bytes(path)
    said = {"plan": plan, "by": by, **read_document(data, path.name)}
    return _make(RunRebuttal, said, path, data)


def _make(kind: type[_R], said: Mapping[str, Any], path: Path, data: bytes) -> _R:
    written = data.decode("utf-8", "replace").splitlines()
    try:
        return kind.of(said)
    except Invalid as error:
        shown = [f"{path.name}{_line(written, field)}: {field} {problem}" for field, problem in error.problems[:5]]
        raise InputError("; ".join(shown)) from None  # which says the same without lines


def _with_architecture(document: Mapping[str, Any], path: Path) -> Mapping[str, Any]:
    """Put the architecture of the configuration that a plan names in its place."""
    named = document.get("config")
    if named is None:
        return document
    if "architecture" in document:
        raise InputError(f"{path.name} gives both config and architecture; give one")
    if not isinstance(named, str) or not named.strip():
        raise InputError(f"{path.name}: config is not the name of a file")
    found = read_configuration(path.parent / named)
    rest = {key: value for key, value in document.items() if key != "config"}
    return {**rest, "architecture": write(describe_architecture(found))}


def _whole(value: object) -> object:
    """Return a number written as 15e12 with all its digits; anything else as it is."""
    number = decimal(str(value)) if isinstance(value, int | float | str) and not isinstance(value, bool) else None
    if number is None or number != number.to_integral_value() or abs(number.adjusted()) > 40:
        return value
    return str(int(Decimal(number)))


def _line(lines: list[str], field: str) -> str:
    """Say on which line a field stands, as far as its name tells."""
    leaf = re.sub(r"\[\d+\]", "", field).rpartition(".")[2]
    at = int(found[-1]) if (found := re.findall(r"\[(\d+)\]", field)) else 0
    pattern = re.compile(rf"\s*(?:-\s*)?[\"']?{re.escape(leaf)}[\"']?\s*[:=]|\s*\[+(?:.*\.)?{re.escape(leaf)}\]")
    places = [number for number, line in enumerate(lines, 1) if pattern.match(line)] if leaf else []
    return f", line {places[min(at, len(places) - 1)]}" if places else ""
