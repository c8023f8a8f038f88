"""Which rows machine-readable signals reserve: what sites and pages said when the rows were collected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from hallmarked.core.errors import InputError
from hallmarked.corpus.signal.model import Crawlers, Decision
from hallmarked.corpus.signal.row import SignalColumns, Sites, row_verdict
from hallmarked.transforms.dataset.plan import Plan
from hallmarked.transforms.dataset.recipe import RESERVED_ROW, UNCLEAR_SIGNAL


def mark_reserved(plan: Plan, batch: pa.RecordBatch, sites: Sites) -> npt.NDArray[np.uint8]:
    """Mark the rows that may not be used by what was said for machines; the most restrictive source counts.

    Args:
        plan: How signals are honoured.
        batch: The rows.
        sites: Signals of sites that the source keeps in its folder ``signals``.
    """
    said = plan.signals
    assert said is not None
    columns = SignalColumns(url=plan.columns.get("url", SignalColumns().url))
    named = [getattr(columns, each.name) for each in fields(columns)]
    rows = batch.select([name for name in named if name in batch.schema.names]).to_pylist()
    crawlers = Crawlers(own=tuple(said["crawlers"]))
    default = plan.place.get("url", "")
    marks = [
        _mark(plan, row if row.get(columns.url) else {**row, columns.url: default}, columns, sites, crawlers)
        for row in rows
    ]
    return np.array(marks, np.uint8)


def _mark(plan: Plan, row: Mapping[str, Any], columns: SignalColumns, sites: Sites, crawlers: Crawlers) -> int:
    assert plan.signals is not None
    unclear = plan.mark(UNCLEAR_SIGNAL) if plan.signals["drop_unclear"] else 0
    try:
        verdict = row_verdict(row, columns, sites, crawlers, media="text")
    except InputError:
        return unclear
    if verdict is None or verdict.decision is Decision.ALLOWED:
        return 0
    return unclear if verdict.decision is Decision.UNKNOWN else plan.mark(RESERVED_ROW)
