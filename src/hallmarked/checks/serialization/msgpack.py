"""MessagePack files: do the values fit the file, and does any of them ask its reader for more than data?

https://github.com/msgpack/msgpack/blob/master/spec.md, and the extension types by which Flax stores arrays:
https://flax.readthedocs.io/en/latest/api_reference/flax.serialization.html.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from hallmarked.checks.serialization.brief import brief
from hallmarked.checks.serialization.contract import Seen
from hallmarked.checks.serialization.embedded import may_be_pickle, pickle_inside
from hallmarked.core.errors import FormatError
from hallmarked.core.evidence import Finding, Gap, Level, Location, Rule
from hallmarked.formats.blob import Blob, Budget
from hallmarked.formats.msgpack import HELD, Value, read_msgpack

MSG001 = Rule(
    "MSG001",
    Level.WARNING,
    "A value is of an extension type whose meaning is not known",
    "Find out which program wrote the file and what its reader does with the extension.",
)
MSG002 = Rule(
    "MSG002",
    Level.NOTE,
    "The file holds several values one after the other",
    "Readers differ: some return the first value, some all, some refuse.",
)
RULES = (MSG001, MSG002)

_TIMESTAMP, _ARRAY, _COMPLEX, _SCALAR = -1, 1, 2, 3
_DTYPE = re.compile(r"(?:u?int|float|complex|bfloat)(\d+)|bool(?:_|8)?|float8_\w+|u?int[24]|float[46]_\w+")


@brief
def examine_msgpack(blob: Blob, budget: Budget) -> Iterator[Seen]:
    """Examine a MessagePack file; pickles inside of it are yielded to be routed.

    Raises:
        FormatError: When it is broken.
    """
    location = Location(blob.path)
    strange: dict[int, int] = {}
    roots = 0
    for value in read_msgpack(blob, budget):
        roots += not value.depth
        if value.kind == "extension" and not _is_vetted(value, blob, budget):
            strange.setdefault(value.code, value.offset)
        if value.kind in ("text", "binary", "extension"):
            yield from _pickles(value, blob)
    for code, offset in sorted(strange.items()):
        place = Location(blob.path, offset)
        yield Finding.of(MSG001, f"a value is of extension type {code}", place, type=str(code))
        yield Gap(f"it is not known what a reader makes of extension type {code}", place)
    if not roots:
        raise FormatError("no MessagePack value", offset=0)
    if roots > 1:
        yield Finding.of(MSG002, f"the file holds {roots:,} values at its top", location)


def _pickles(value: Value, blob: Blob) -> Iterator[Seen]:
    """Hand on what reads as a pickle: readers that extend MessagePack for objects unpickle such values."""
    name = f"value at {value.offset}"
    if isinstance(value.value, bytes):
        if value.value[:1] and may_be_pickle(value.value):
            yield Blob.of_bytes(f"{blob.path}!{name}", value.value, blob.depth + 1)
    elif value.size > HELD and (part := pickle_inside(blob, value.offset, value.size, name)):
        yield part


def _is_vetted(value: Value, blob: Blob, budget: Budget) -> bool:
    """Say whether an extension is one of those whose readers only copy numbers, and is well formed."""
    if value.code == _TIMESTAMP:
        return value.size in (4, 8, 12)
    if value.code not in (_ARRAY, _COMPLEX, _SCALAR):
        return False
    part = blob.window(value.offset, value.size)
    try:
        inner = list(read_msgpack(part, budget)) if value.size <= HELD else _first(part, budget)
    except FormatError:
        return False
    if value.code == _COMPLEX:
        return [item.kind for item in inner] == ["array", "float", "float"]
    return _is_array(inner)


def _first(part: Blob, budget: Budget) -> list[Value]:
    """Return the values of a large extension, which are few when it is an array."""
    found = []
    for item in read_msgpack(part, budget):
        found.append(item)
        if len(found) > HELD:
            break
    return found


def _is_array(values: list[Value]) -> bool:
    """Check shape, type and bytes of an array against each other."""
    if len(values) < 4 or values[0].kind != "array" or values[0].size != 3 or values[1].kind != "array":
        return False
    shape = [item.value for item in values[2:-2]]
    name, data = values[-2], values[-1]
    if len(shape) != values[1].size or not isinstance(name.value, bytes) or data.kind != "binary":
        return False
    numbers = [n for n in shape if type(n) is int and n >= 0]
    match = _DTYPE.fullmatch(name.value.decode("utf-8", "replace"))
    if len(numbers) != len(shape) or not match:
        return False
    count, bits = math.prod(numbers), int(match[1] or 0)
    return data.size * 8 == count * bits if bits else data.size <= count
