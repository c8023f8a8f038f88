"""NumPy array files (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html), versions 1 to 3.

The header is a Python literal. It is parsed here by a small grammar (texts, whole numbers, truth values, tuples, lists,
dictionaries), never evaluated. Arrays that hold Python objects are followed by a pickle instead of plain bytes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hallmarked.core.errors import FormatError, LimitExceeded
from hallmarked.formats.blob import Blob, Budget

MAGIC = b"\x93NUMPY"
MAX_HEADER = 1 << 16
_MAX_DEPTH = 40
_MAX_SIZE = 1 << 63

_TOKEN = re.compile(
    r"""[ \t\r\n]*(?: (?P<punct>[()\[\]{},:]) | (?P<number>-?[0-9]{1,20})L? | (?P<word>True|False|None)(?!\w)
    | [ub]?(?P<text>'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*") )""",
    re.VERBOSE,
)
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.DOTALL)
_PLAIN_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", "'": "'", '"': '"', "0": "\0"}
_DTYPE = re.compile(
    r"(?P<order>[<>|=])(?P<kind>[?bBiufcmMOSUVa])(?P<size>[0-9]{0,10})(?P<unit>\[[0-9A-Za-z/]{1,20}\])?"
)
_NAMES: Mapping[str, str] = {
    "f2": "F16", "f4": "F32", "f8": "F64", "f16": "F128", "c8": "C64", "c16": "C128", "i1": "I8", "i2": "I16",
    "i4": "I32", "i8": "I64", "u1": "U8", "u2": "U16", "u4": "U32", "u8": "U64", "b1": "BOOL",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Dtype:
    """What one element is."""

    name: str
    """``F32`` and the like, or as NumPy writes it (``<U10``), or ``record``."""
    itemsize: int
    has_objects: bool


@dataclass(frozen=True, slots=True)
class Npy:
    """What a header says."""

    version: int
    dtype: Dtype
    shape: tuple[int, ...]
    fortran_order: bool
    data_offset: int

    @property
    def nbytes(self) -> int:
        """Bytes of the plain array."""
        return math.prod(self.shape) * self.dtype.itemsize


def read_npy(blob: Blob, budget: Budget) -> Npy:
    """Read and check a header.

    Raises:
        FormatError: When the header is not one that NumPy writes, or the array does not fit into the file.
        LimitExceeded: When the header is larger or deeper than any NumPy writes.
    """
    head = blob.head(MAX_HEADER + 12)
    if head[:6] != MAGIC:
        raise FormatError("does not begin with the magic of NumPy", offset=0)
    if len(head) < 10 or head[6] not in (1, 2, 3) or head[7] != 0:
        raise FormatError(f"version {head[6:8].hex()} of the format is not known", offset=6)
    start = 10 if head[6] == 1 else 12
    size = int.from_bytes(head[8:start], "little")
    if size > MAX_HEADER:
        raise LimitExceeded(f"header of {size} bytes", offset=8)
    if len(head) < start + size:
        raise FormatError("header ends early", offset=len(head))
    try:
        text = head[start : start + size].decode("utf-8" if head[6] == 3 else "latin-1")
    except UnicodeDecodeError:
        raise FormatError("header is not UTF-8", offset=start) from None
    return _header(parse_literal(text, budget), head[6], start + size, blob.size)


def _header(value: Any, version: int, data_offset: int, size: int) -> Npy:
    if not isinstance(value, dict) or value.keys() != {"descr", "fortran_order", "shape"}:
        raise FormatError("header does not have exactly descr, fortran_order and shape", offset=10)
    shape, order = value["shape"], value["fortran_order"]
    if not isinstance(shape, tuple) or not all(type(n) is int and n >= 0 for n in shape) or type(order) is not bool:
        raise FormatError("shape is not a tuple of whole numbers or fortran_order not a truth value", offset=10)
    dtype = _dtype(value["descr"], 0)
    if math.prod(n for n in shape if n) * max(dtype.itemsize, 1) >= _MAX_SIZE:
        raise FormatError("array larger than any memory", offset=10)
    array = Npy(version, dtype, shape, order, data_offset)
    if not dtype.has_objects and array.nbytes > size - data_offset:
        raise FormatError(f"array of {array.nbytes} bytes, {size - data_offset} are left", offset=data_offset)
    return array


def _dtype(descr: Any, depth: int) -> Dtype:
    if depth > _MAX_DEPTH:
        raise LimitExceeded("record nested too deeply", offset=10)
    if isinstance(descr, str):
        return _simple(descr)
    if isinstance(descr, list) and descr:
        fields = [_field(field, depth) for field in descr]
        return Dtype("record", sum(f.itemsize for f in fields), any(f.has_objects for f in fields))
    if isinstance(descr, tuple) and len(descr) == 2:
        return _repeated(_dtype(descr[0], depth + 1), descr[1])
    raise FormatError("descr is not a data type", offset=10)


def _field(field: Any, depth: int) -> Dtype:
    named = isinstance(field, tuple) and len(field) in (2, 3)
    if not named or not (isinstance(field[0], str) or _is_titled(field[0])):
        raise FormatError("field of a record is not (name, type)", offset=10)
    dtype = _dtype(field[1], depth + 1)
    return _repeated(dtype, field[2]) if len(field) == 3 else dtype


def _is_titled(name: Any) -> bool:
    return isinstance(name, tuple) and len(name) == 2 and all(isinstance(part, str) for part in name)


def _repeated(dtype: Dtype, shape: Any) -> Dtype:
    sizes = (shape,) if type(shape) is int else shape
    if not isinstance(sizes, tuple) or not all(type(n) is int and n >= 0 for n in sizes):
        raise FormatError("shape of a field is not made of whole numbers", offset=10)
    itemsize = dtype.itemsize * math.prod(sizes)
    if itemsize >= _MAX_SIZE:
        raise FormatError("field larger than any memory", offset=10)
    return Dtype(dtype.name, itemsize, dtype.has_objects)


def _simple(descr: str) -> Dtype:
    match = _DTYPE.fullmatch(descr)
    # NumPy also takes names such as "object" here, but never writes them; what we do not know is not plain.
    if match is None or (match["unit"] and match["kind"] not in "mM"):
        raise FormatError(f"data type {descr[:40]!r} is not one that NumPy writes", offset=10)
    kind, size = match["kind"], int(match["size"] or 0)
    if kind == "O":
        return Dtype("object", 8, True)
    if not match["size"]:
        raise FormatError(f"data type {descr[:40]!r} has no size", offset=10)
    return Dtype(_NAMES.get(f"{kind}{size}", descr), size * 4 if kind == "U" else size, False)


def parse_literal(text: str, budget: Budget) -> Any:
    """Parse a Python literal of texts, whole numbers, truth values, tuples, lists and dictionaries.

    Raises:
        FormatError: When it is anything else.
        LimitExceeded: When it is nested too deeply or has too many parts.
    """
    parser = _Literal(text, budget)
    value = parser.value(0)
    parser.finish()
    return value


class _Literal:
    def __init__(self, text: str, budget: Budget) -> None:
        self._text, self._budget, self._at = text, budget, 0

    def _next(self) -> re.Match[str]:
        match = _TOKEN.match(self._text, self._at)
        if match is None:
            raise FormatError("header is not a plain literal", offset=self._at)
        self._budget.spend("nodes")
        self._at = match.end()
        return match

    def _peek(self) -> str:
        match = _TOKEN.match(self._text, self._at)
        return match["punct"] or "" if match else ""

    def finish(self) -> None:
        if self._text[self._at :].strip(" \t\r\n"):
            raise FormatError("header goes on after its literal", offset=self._at)

    def value(self, depth: int) -> Any:
        if depth > _MAX_DEPTH:
            raise LimitExceeded("header nested too deeply", offset=self._at)
        token = self._next()
        if token["number"]:
            return int(token["number"])
        if token["word"]:
            return {"True": True, "False": False, "None": None}[token["word"]]
        if token["text"] is not None:
            return _ESCAPE.sub(_unescape, token["text"][1:-1])
        if token["punct"] == "(":
            items, commas = self._items(")", depth)
            return items[0] if len(items) == 1 and not commas else tuple(items)
        if token["punct"] == "[":
            return self._items("]", depth)[0]
        if token["punct"] == "{":
            return self._members(depth)
        raise FormatError("header is not a plain literal", offset=self._at)

    def _items(self, close: str, depth: int) -> tuple[list[Any], int]:
        items: list[Any] = []
        commas = 0
        while self._peek() != close:
            if len(items) > commas:
                raise FormatError("missing comma in header", offset=self._at)
            items.append(self.value(depth + 1))
            if self._peek() == ",":
                self._next()
                commas += 1
        self._next()
        return items, commas

    def _members(self, depth: int) -> dict[str, Any]:
        members: dict[str, Any] = {}
        while self._peek() != "}":
            key = self.value(depth + 1)
            if not isinstance(key, str) or key in members or self._next()["punct"] != ":":
                raise FormatError("key of the header is not a text or appears twice", offset=self._at)
            members[key] = self.value(depth + 1)
            if self._peek() == ",":
                self._next()
            elif self._peek() != "}":
                raise FormatError("missing comma in header", offset=self._at)
        self._next()
        return members


def _unescape(match: re.Match[str]) -> str:
    code = match[1] or match[2] or match[3]
    if code:
        point = int(code, 16)
        if point > 0x10FFFF or 0xD800 <= point <= 0xDFFF:
            raise FormatError("escape in header is not a character")
        return chr(point)
    if match[4] not in _PLAIN_ESCAPES:
        raise FormatError(f"escape \\{match[4]} in header")
    return _PLAIN_ESCAPES[match[4]]
