"""What a pickled numpy data type says about the bytes of an array.

Specification: https://numpy.org/doc/stable/reference/arrays.dtypes.html and ``dtype.__reduce__``: the type is rebuilt
from a short string, then a state adds byte order, fields and, for flexible types, the size.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from hallmarked.core.errors import FormatError
from hallmarked.formats.pickle.values import ByteString, Call, Dict, Global, Value

_NAME = re.compile(r"([<>|=]?)([?bBhHiIlLqQpPefdgFDGOSUVMmcu])([0-9]{0,9})\Z")
_LETTER_SIZES = {"?": 1, "b": 1, "B": 1, "h": 2, "H": 2, "i": 4, "I": 4, "q": 8, "Q": 8}
_LETTER_SIZES |= {"e": 2, "f": 4, "d": 8, "F": 8, "D": 16}
_NUMBER_SIZES = {"b": (1,), "i": (1, 2, 4, 8), "u": (1, 2, 4, 8), "f": (2, 4, 8, 12, 16), "c": (8, 16, 24, 32)}
_ORDERS = ("<", ">", "|", "=")
_OBJECT_FLAGS = 63
"""Flags of the object type: reference counted, needs initialisation, needs the interpreter, pickled as list."""
MAX_ITEM = 1 << 31
MAX_DEPTH = 16
MAX_FIELDS = 1_000


@dataclass(frozen=True, slots=True)
class DType:
    """Size and nature of one element."""

    itemsize: int
    """Bytes."""
    has_object: bool
    """Whether elements are references to Python objects, which are pickled one by one."""
    kind: str
    """The letter of the kind: ``f``, ``i``, ``u``, ``b``, ``c``, ``O``, ``S``, ``U``, ``V``, ``M`` or ``m``."""


def read_dtype(value: Value, depth: int = 0) -> DType:
    """Read a pickled ``numpy.dtype`` and check that its state cannot contradict its name.

    Raises:
        FormatError: When it is anything else, or its parts do not fit each other: numpy trusts them.
    """
    if depth > MAX_DEPTH:
        raise FormatError(f"data types nested more than {MAX_DEPTH} deep")
    if not isinstance(value, Call) or value.target() != ("numpy", "dtype") or value.kind != "reduce":
        raise FormatError("an array without a plain data type")
    name = value.args[0] if type(value.args) is tuple and value.args else None
    base = _record(value) if _is_record(name) else parse_name(name)
    if len(value.args) > 3 or not all(flag in (0, 1) for flag in value.args[1:]):
        raise FormatError("a data type with unknown arguments")
    if len(value.states) > 1 or (value.states and not (len(value.args) == 3 and value.args[2])):
        raise FormatError("a data type with two states, or with a state for one that is shared")
    if value.outgrown():
        raise FormatError("a data type whose fields are added after it was used")
    return _with_state(base, value.states[0], depth) if value.states else base


def _is_record(name: Value) -> bool:
    return isinstance(name, Global) and name.resolved in (("numpy", "record"), ("numpy", "void"))


def _record(value: Call) -> DType:
    """Read the size of a record type, which only its state has."""
    state = value.states[0] if value.states else None
    size = state[5] if type(state) is tuple and len(state) > 5 else None
    if type(size) is not int or size < 0:
        raise FormatError("a record type without a size")
    return DType(_bounded(size), False, "V")


def parse_name(name: Value) -> DType:
    """Read a type string such as ``f8`` or ``<U5``.

    Raises:
        FormatError: When it is not one.
    """
    match = _NAME.match(name) if type(name) is str else None
    if match is None:
        raise FormatError("a data type that is not named by a plain type string")
    letter, digits = match[2], match[3]
    if letter in "SUV":
        size = int(digits or 0) * (4 if letter == "U" else 1)
        return DType(_bounded(size), False, letter)
    if letter in "Mm":
        if digits not in ("", "8"):
            raise FormatError("a date type of unknown size")
        return DType(8, False, letter)
    if letter == "O":
        return DType(8, True, "O")
    if letter == "c" and not digits:
        return DType(1, False, "S")
    if digits:  # "f8": kind and bytes
        if int(digits) not in _NUMBER_SIZES.get(letter, ()):
            raise FormatError("a data type of unknown size")
        return DType(int(digits), False, letter)
    if letter not in _LETTER_SIZES:
        raise FormatError("a data type whose size depends on the machine")
    return DType(_LETTER_SIZES[letter], False, letter)


def _bounded(size: int) -> int:
    if size > MAX_ITEM:
        raise FormatError(f"array elements of {size:,} bytes")
    return size


def _with_state(base: DType, state: Value, depth: int) -> DType:
    """Read (version, byte order, subarray, names, fields, size, alignment[, flags[, metadata]])."""
    if type(state) is not tuple or not 7 <= len(state) <= 9:
        raise FormatError("a data type with a state of unknown form")
    version, order, subarray, names, fields, size, alignment, *rest = state
    if version not in (3, 4) or type(version) is not int or _text(order) not in _ORDERS:
        raise FormatError("a data type state of an unknown version or byte order")
    if type(size) is not int or type(alignment) is not int or not -1 <= alignment <= 64:
        raise FormatError("a data type state with an impossible size or alignment")
    if base.kind in "SUV" and size not in (-1, base.itemsize):
        raise FormatError("a data type whose name and state give different sizes")
    if base.kind not in "SUV" and (size, alignment) != (-1, -1):
        raise FormatError("a size for a data type that has a fixed one")
    flags = rest[0] if rest else 0
    has_object = _parts_have_object(base, subarray, names, fields, depth)
    # numpy believes these flags when it decides whether elements are pointers.
    if type(flags) is not int or bool(flags & 1) != has_object or not 0 <= flags <= 255:
        raise FormatError("a data type whose flags contradict its fields")
    if has_object and base.kind == "O" and flags != _OBJECT_FLAGS:
        raise FormatError("an object type with other flags than numpy's")
    if len(rest) > 1 and not _is_date_metadata(base, rest[1]):
        raise FormatError("a data type with metadata")
    return DType(base.itemsize, has_object, base.kind)


def _parts_have_object(base: DType, subarray: Value, names: Value, fields: Value, depth: int) -> bool:
    if subarray is None and names is None and fields is None:
        return base.has_object
    if base.kind != "V":
        raise FormatError("fields in a data type that has none")
    if subarray is not None:
        if names is not None or fields is not None or type(subarray) is not tuple or len(subarray) != 2:
            raise FormatError("a subarray of unknown form")
        inner = read_dtype(subarray[0], depth + 1)
        if (
            element_count(subarray[1] if type(subarray[1]) is tuple else (subarray[1],)) * inner.itemsize
            != base.itemsize
        ):
            raise FormatError("a subarray that does not fill its element")
        return inner.has_object
    return _fields_have_object(base, names, fields, depth)


def _fields_have_object(base: DType, names: Value, fields: Value, depth: int) -> bool:
    if type(names) is not tuple or not isinstance(fields, Dict) or len(names) > MAX_FIELDS:
        raise FormatError("fields of unknown form")
    table = {_text(name): entry for name, entry in fields.pairs()}
    if len(set(map(_text, names))) != len(names) or len(fields.items) != 2 * len(names):
        raise FormatError("field names that do not match the fields")
    has_object, used = False, []
    for name in names:
        entry = table.get(_text(name))
        if _text(name) is None or type(entry) is not tuple or not 2 <= len(entry) <= 3 or type(entry[1]) is not int:
            raise FormatError("a field of unknown form")
        inner = read_dtype(entry[0], depth + 1)
        if entry[1] < 0 or entry[1] + inner.itemsize > base.itemsize:
            raise FormatError("a field outside of its element")
        has_object |= inner.has_object
        used.append((entry[1], entry[1] + inner.itemsize))
    used.sort()
    if has_object and any(left[1] > right[0] for left, right in pairwise(used)):
        raise FormatError("overlapping fields, one of which holds references")
    return has_object


def _is_date_metadata(base: DType, metadata: Value) -> bool:
    if metadata is None:
        return True
    if base.kind not in "Mm" or type(metadata) is not tuple or len(metadata) != 2:
        return False
    if metadata[0] is not None and not (isinstance(metadata[0], Dict) and not metadata[0].items):
        return False
    unit = metadata[1]
    plain = type(unit) is tuple and len(unit) == 4 and all(type(part) is int for part in unit[1:])
    return plain and (type(unit[0]) in (str, bytes) or _is_encoded_text(unit[0]))


def _is_encoded_text(value: Value) -> bool:
    """Recognise the call that stands for a ``bytes`` constant below protocol 3."""
    return isinstance(value, Call) and value.target() == ("_codecs", "encode")


def _text(value: Value) -> str | None:
    if isinstance(value, ByteString):
        return None
    return value if type(value) is str else None


def element_count(shape: Value) -> int:
    """Return the number of elements of a shape.

    Raises:
        FormatError: When it is not a tuple of sizes, or the product is beyond any file.
    """
    if type(shape) is not tuple or len(shape) > 64 or not all(type(size) is int and size >= 0 for size in shape):
        raise FormatError("an array shape that is not a tuple of sizes")
    count = 1
    for size in shape:
        count *= size
        if count > 1 << 62:
            raise FormatError("an array shape beyond any file")
    return count
