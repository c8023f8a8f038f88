"""JSON documents that loaders act on: indexes of sharded weights, Keras configurations, XGBoost models.

Most JSON files are settings, vocabularies or data. They are only looked at more closely when they hold the keys that
such a loader goes by.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from hallmarked.checks.serialization.contract import Seen
from hallmarked.checks.serialization.keras import examine_keras_config, looks_like_config
from hallmarked.checks.serialization.safetensors import examine_json
from hallmarked.checks.serialization.ubjson import examine_xgboost_json
from hallmarked.core.errors import FormatError
from hallmarked.formats.blob import Blob, Budget
from hallmarked.formats.document import read_json

_ESCAPED = re.compile(rb"\\u00([2-7][0-9A-Fa-f])")


def examine_document(blob: Blob, budget: Budget) -> Iterator[Seen]:
    """Examine a JSON file as what it may be loaded as.

    Raises:
        FormatError: When it has the keys of such a document but is broken.
    """
    if blob.size > budget.limits.text:
        return  # no loader of configurations reads that much; it is data
    raw = blob.read_all(budget)
    # keys may be spelled with escapes
    text = _ESCAPED.sub(lambda match: bytes([int(match[1], 16)]), raw)
    readers = (
        (b'"weight_map"' in text, examine_json),
        (looks_like_config(text), examine_keras_config),
        (b'"left_children"' in text, examine_xgboost_json),
    )
    if not any(applies for applies, _ in readers) or _is_records(raw, budget):
        return
    for applies, examine in readers:
        if applies:
            yield from examine(blob, budget)


def _is_records(raw: bytes, budget: Budget) -> bool:
    """Say whether the first line is a document of its own and more follow: a table, which no such loader accepts."""
    first, _, rest = raw.strip().partition(b"\n")
    if not rest:
        return False
    try:
        read_json(first, budget, constants=True)
    except FormatError:
        return False
    return True
