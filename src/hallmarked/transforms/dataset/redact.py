"""Take personal data and secrets out of the rows that are written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

import pyarrow as pa

from hallmarked.corpus.personal.find import Detector, Search
from hallmarked.corpus.personal.redact import Mode, Redactor
from hallmarked.corpus.personal.table import redact_array
from hallmarked.transforms.dataset.plan import Plan


@lru_cache(maxsize=1)
def _redactor(mode: str, kinds: tuple[str, ...], key: str) -> Redactor:
    return Redactor(Mode(mode), bytes.fromhex(key), Detector(Search(kinds=frozenset(kinds))))


def redact(plan: Plan, batch: pa.RecordBatch) -> tuple[pa.RecordBatch, dict[int, Counter[str]]]:
    """Redact rows, and say of each that changed how many values of which kind were replaced, by number from 0."""
    said = plan.redaction
    if said is None:
        return batch, {}
    redactor = _redactor(said["mode"], tuple(said["kinds"]), said["key"])
    arrays, counts = [], dict[int, Counter[str]]()
    for column, array in zip(batch.schema, batch.columns, strict=True):
        if said["columns"] and column.name not in said["columns"]:
            arrays.append(array)
            continue
        redacted, found = redact_array(redactor, array, column.name)
        arrays.append(redacted)
        for row, kinds in found.items():
            counts.setdefault(row, Counter()).update(kinds)
    return pa.RecordBatch.from_arrays(arrays, schema=batch.schema), counts


def redact_texts(plan: Plan, texts: Sequence[str]) -> list[str]:
    """Redact texts by themselves: rows that differ only in what is replaced will say the same."""
    said = plan.redaction
    if said is None:
        return list(texts)
    redacted, _ = _redactor(said["mode"], tuple(said["kinds"]), said["key"]).redact_all(texts)
    return [text or "" for text in redacted]
