"""JSON documents that loaders act on: indexes of sharded weights, and Keras configurations.

Most JSON files are settings, vocabularies or data. They are only looked at more closely when they hold the keys that
such a loader goes by.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from hallmarked.checks.serialization.contract import Seen
from hallmarked.checks.serialization.keras import examine_keras_config, looks_like_config
from hallmarked.checks.serialization.safetensors import examine_json
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
    is_index, is_config = b'"weight_map"' in text, looks_like_config(text)
    if not (is_index or is_config) or _is_records(raw, budget):
        return
    if is_index:
        yield from examine_json(blob, budget)
    if is_config:
        yield from examine_keras_config(blob, budget)


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
