"""Columns in the forms that every reader of batches knows, whatever form a file has them in."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc


def plain_batch(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return the same rows with views, runs and time zones replaced by plain values; names and marks stay."""
    arrays = [plain(array) for array in batch.columns]
    fields = [field.with_type(array.type) for field, array in zip(batch.schema, arrays, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=pa.schema(fields))


def plain(array: Any) -> Any:
    """Return an array without views and runs; of times with a zone those of UTC."""
    if pa.types.is_run_end_encoded(array.type):
        array = pc.run_end_decode(array)
    if isinstance(array.type, pa.BaseExtensionType):
        array = array.storage
    kind = array.type
    if pa.types.is_string_view(kind):
        array = array.cast(pa.large_string())
    elif pa.types.is_binary_view(kind):
        array = array.cast(pa.large_binary())
    elif pa.types.is_list_view(kind) or pa.types.is_large_list_view(kind):
        array = array.cast(pa.large_list(kind.value_field))
    elif pa.types.is_timestamp(kind) and kind.tz is not None:
        array = array.cast(pa.timestamp(kind.unit))
    return array
