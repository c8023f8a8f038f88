"""Read the log of a training run: hardware and hours, or steps and tokens, in a TOML or YAML file.

Either ``[[segment]]`` tables with ``accelerator`` (an id or a peak rate), ``count``, ``hours`` and, where it was
measured, ``utilisation``; or ``steps``, ``tokens`` of one step and ``sequence``, with ``config`` for the architecture.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from hallmarked.core.errors import InputError
from hallmarked.policy.requirement import decimal
from hallmarked.profiles.compute.formula import Estimate, Kernel, Recomputation
from hallmarked.profiles.compute.runlog import Segment, estimate_from_hours, estimate_from_steps, peak_of
from hallmarked.profiles.run.file import read_bytes, read_configuration, read_document

MOST_SEGMENTS = 10_000


@dataclass(frozen=True, slots=True)
class Logged:
    """What a log says."""

    estimate: Estimate
    hours: Decimal | None = None
    """How long it took, where the log says it."""


def read_log(path: Path) -> Logged:
    """Read a log and estimate what it comes to.

    Raises:
        InputError: When it cannot be read or says something that is no log.
    """
    document = read_document(read_bytes(path), path.name)
    listed = document.get("segment")
    if listed is not None:
        _refuse_others(document, {"segment"}, path.name)
        if not isinstance(listed, list) or not 0 < len(listed) <= MOST_SEGMENTS:
            raise InputError(f"{path.name}: segment is not a list of 1 to {MOST_SEGMENTS:,} tables")
        segments = tuple(_segment(row, f"{path.name}: segment {at}") for at, row in enumerate(listed, 1))
        return Logged(estimate_from_hours(segments), sum((one.hours for one in segments), Decimal(0)))
    _refuse_others(document, {"steps", "tokens", "sequence", "config", "attention", "recomputation"}, path.name)
    if not isinstance(document.get("config"), str):
        raise InputError(f"{path.name} has neither [[segment]] nor config, the configuration of what was trained")
    architecture = read_configuration(path.parent / document["config"])
    numbers = [_number(document, name, path.name) for name in ("steps", "tokens", "sequence")]
    kernel = _word(document, "attention", Kernel, path.name)
    again = _word(document, "recomputation", Recomputation, path.name)
    return Logged(estimate_from_steps(architecture, *map(int, numbers), kernel=kernel, recomputation=again))


def _segment(row: Any, where: str) -> Segment:
    if not isinstance(row, dict):
        raise InputError(f"{where} is not a table")
    _refuse_others(row, {"accelerator", "count", "hours", "utilisation"}, where)
    share = _number(row, "utilisation", where) if "utilisation" in row else None
    peak = peak_of(str(row.get("accelerator", "")))
    return Segment(int(_number(row, "count", where)), _number(row, "hours", where), peak, share)


def _number(row: Mapping[str, Any], name: str, where: str) -> Decimal:
    value = row.get(name)
    number = decimal(str(value)) if isinstance(value, int | float | str) and not isinstance(value, bool) else None
    if number is None or abs(number.adjusted()) > 40:
        raise InputError(f"{where}: {name} is missing, or no number")
    return number


def _word(row: Mapping[str, Any], name: str, words: Any, where: str) -> Any:
    value = row.get(name, "unknown")
    if value not in list(words):
        raise InputError(f"{where}: {name} is none of {', '.join(words)}")
    return words(value)


def _refuse_others(row: Mapping[str, Any], known: set[str], where: str) -> None:
    if others := sorted(set(row) - known):
        raise InputError(f"{where}: {others[0]!r} is not known here; there are {', '.join(sorted(known))}")
