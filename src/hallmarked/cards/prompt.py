"""What different system prompts lead to: results of probes side by side, one row for each prompt.

Whoever probes a system under a prompt states results whose slice names the prompt by digest: ``prompt=sha256:…``. Other
parts of the slice, such as the probe, make columns. A prompt that is not among the components of the system any more
keeps its row, which is stale; one that nobody probed has a row that says so.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from hallmarked.core.evidence import Attestation, Subject
from hallmarked.core.text import name_part
from hallmarked.policy.requirement import decimal
from hallmarked.records.record import name_signer, records
from hallmarked.records.result import Measured, Result

PROMPT = "prompt"
MOST_COLUMNS = 200
_DIGEST = re.compile(r"(?:sha256:)?([0-9a-f]{64})")


class Standing(StrEnum):
    """How a row stands."""

    CURRENT = "current"
    """The prompt is part of the system, and was probed."""
    STALE = "stale"
    """The prompt is not part of the system any more."""
    NOT_EVALUATED = "not-evaluated"
    """The prompt is part of the system, and nobody probed it."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What somebody measured under a prompt."""

    value: str
    n: int | None
    interval: tuple[str, ...]
    unit: str
    by: str
    """Who signed."""
    source: Attestation

    @property
    def bounds(self) -> tuple[Decimal, Decimal] | None:
        """The interval, or the value itself where none is given; None when it is no number."""
        low, high = self.interval if len(self.interval) == 2 else (self.value, self.value)
        bounds = decimal(low), decimal(high)
        return (bounds[0], bounds[1]) if bounds[0] is not None and bounds[1] is not None else None


@dataclass(frozen=True, slots=True)
class Row:
    """A prompt and what came of it."""

    name: str
    """What the list of components calls it; empty for one that is not in it."""
    digest: str
    """SHA-256, lower-case hex."""
    standing: Standing
    cells: Mapping[str, tuple[Cell, ...]] = field(default_factory=dict)
    """By column: of each signer the latest."""


@dataclass(frozen=True, slots=True)
class Table:
    """Prompts side by side."""

    columns: tuple[str, ...]
    """``metric``, or ``metric (probe jailbreak)`` where the slice says more."""
    rows: tuple[Row, ...]
    """Prompts of the system in its order, then stale ones."""

    def difference(self, column: str) -> str:
        """Say in a sentence how far the prompts of the system differ in a column."""
        spans = [
            (row, cell, *cell.bounds)
            for row in self.rows
            if row.standing is Standing.CURRENT
            for cell in row.cells.get(column, ())
            if cell.bounds is not None
        ]
        pairs = [(one, other) for one in spans for other in spans if one[0].digest != other[0].digest]
        if not pairs:
            return f"{column}: fewer than two prompts were measured, so that nothing can be compared"
        high, low = max(pairs, key=lambda pair: pair[0][2] - pair[1][3])
        if high[2] <= low[3]:
            return f"{column}: no difference between prompts is shown"
        said = f"{column}: higher under {high[0].name} ({high[1].value}) than under {low[0].name} ({low[1].value})"
        if high[1].interval and low[1].interval:
            return f"{said}; their intervals do not overlap"
        return f"{said}; no interval is given, so that it may be chance"


def compare_prompts(attestations: Iterable[Attestation], prompts: Sequence[Subject]) -> Table:
    """Put results of probes side by side. The same statements give the same table in whatever order they come.

    Args:
        attestations: Results about the system; only those of signers who are known count.
        prompts: The prompts among the components of the system, each with its ``sha256``.
    """
    measured: defaultdict[str, dict[str, dict[str, Cell]]] = defaultdict(lambda: defaultdict(dict))
    for digest, column, cell in _cells(attestations):
        measured[digest][column][cell.source.keyid] = cell
    columns = sorted({column for row in measured.values() for column in row})[:MOST_COLUMNS]
    named = {prompt.digest.get("sha256", ""): prompt.name for prompt in prompts}
    rows = [_row(name or digest[:12], digest, Standing.CURRENT, measured.get(digest)) for digest, name in named.items()]
    rows += [_row("", digest, Standing.STALE, measured[digest]) for digest in sorted(measured.keys() - named.keys())]
    return Table(tuple(columns), tuple(rows))


def _row(name: str, digest: str, standing: Standing, found: Mapping[str, Mapping[str, Cell]] | None) -> Row:
    cells = {column: tuple(by[key] for key in sorted(by)) for column, by in (found or {}).items()}
    return Row(name, digest, standing if cells else Standing.NOT_EVALUATED, cells)


def _cells(attestations: Iterable[Attestation]) -> Iterator[tuple[str, str, Cell]]:
    """Yield what was measured under each prompt, oldest first."""
    known = sorted((one for one in attestations if one.role), key=lambda one: (one.time, one.id))
    for one in records(Result, known):
        for measured in one.record.measurements:
            prompt = _DIGEST.fullmatch(measured.slice.get(PROMPT, ""))
            if prompt:
                cell = Cell(
                    measured.value, measured.n, measured.interval, measured.unit, name_signer(one.source), one.source
                )
                yield prompt.group(1), _column(measured), cell


def _column(measured: Measured) -> str:
    part = name_part({key: value for key, value in measured.slice.items() if key != PROMPT})
    return f"{measured.metric} ({part})" if part else measured.metric
