"""Bounded reader of R's serialized objects (``.rds``, ``.rda``): a walk over everything in a file.

https://cran.r-project.org/doc/manuals/r-release/R-ints.html#Serialization-Formats, versions 2 and 3, in the XDR and
the native little-endian form. R evaluates nothing while it reads, but promises, active bindings and functions run when
they are used later, so each is yielded together with where it stands.
"""

from __future__ import annotations

import struct
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from enum import Enum

from hallmarked.core.errors import FormatError, LimitExceeded
from hallmarked.formats.blob import Blob, Budget
from hallmarked.formats.cursor import StreamCursor

_LONGEST_NAME = 200
# Fitted models with calls and environments nest deeper than documents; nothing here recurses.
_DEPTH_FACTOR = 100

_SYMBOL, _PAIRS, _CLOSURE, _ENVIRONMENT, _PROMISE, _CALL = 1, 2, 3, 4, 5, 6
_SPECIAL, _BUILTIN, _CHARS, _DOTS, _BYTECODE, _POINTER, _WEAK, _S4 = 7, 8, 9, 17, 21, 22, 23, 25
_VECTORS = {10: 4, 13: 4, 14: 8, 15: 16, 24: 1}
_LISTS = frozenset({16, 19, 20})
_CELLS = frozenset({_PAIRS, _CLOSURE, _PROMISE, _CALL, _DOTS})
_ALTREP, _CALL_WITH_ATTRIBUTES, _PAIRS_WITH_ATTRIBUTES, _SHARED, _SHARED_HERE = 238, 240, 239, 243, 244
_CODE_CELLS = frozenset({_PAIRS, _CALL, _CALL_WITH_ATTRIBUTES, _PAIRS_WITH_ATTRIBUTES, _SHARED_HERE})
_PERSISTENT, _PACKAGE, _NAMESPACE, _REFERENCE = 247, 248, 249, 255
_UNBOUND = 252
_SINGLE = frozenset({241, 242, 250, 251, _UNBOUND, 253, 254})
_ACTIVE_BINDING = 1 << 15
_ATTRIBUTES, _TAG = 0x200, 0x400


@dataclass(frozen=True, slots=True)
class Item:
    """Something in the file that is more than data."""

    kind: str
    """``closure``, ``environment``, ``call``, ``builtin``, ``bytecode``, ``pointer``, ``weak reference``, ``promise``
    (not yet evaluated), ``kept promise`` (evaluated), ``active binding``, ``namespace``, ``package``, ``persistent``,
    ``altrep`` or ``trailing`` (bytes behind the object)."""
    offset: int
    name: str = ""
    """Function that is called, name of a builtin, namespace, package or persistent object, class of an ``altrep``."""
    in_environment: bool = False
    """Whether it stands in the frame of an environment, where ordinary programs leave it."""


@dataclass(frozen=True, slots=True)
class _Read:
    """What a part turned out to be: its type, and its name when it is or begins with a symbol or text."""

    kind: int
    name: str = ""


class _Place(Enum):
    """Where an object stands, as far as environments are concerned."""

    ELSEWHERE = "elsewhere"
    TABLE = "a table of frames"
    FRAME = "a list of bindings"
    BOUND = "the value of a binding"


# A part of the walk yields items, or further parts to be read first, whose result it is sent.
_Part = Generator["Item | _Part", "_Read", _Read]


def read_rds(blob: Blob, budget: Budget) -> Iterator[Item]:
    """Yield what a file holds besides plain data.

    Raises:
        FormatError: When it is broken or of another form.
        LimitExceeded: When it is too deep or has too many parts.
    """
    with StreamCursor(blob) as cursor:
        walk = _Walk(cursor, budget)
        walk.header()
        stack: list[_Part] = [walk.item(place=_Place.ELSEWHERE)]
        result: _Read | None = None
        while stack:
            try:
                # A part that was just begun takes no result.
                out = stack[-1].send(result)  # type: ignore[arg-type]
            except StopIteration as stop:
                stack.pop()
                result = stop.value
                continue
            result = None
            if isinstance(out, Item):
                yield out
            else:
                stack.append(out)
                if len(stack) > budget.limits.node_depth * _DEPTH_FACTOR:
                    raise LimitExceeded("R object nested too deeply", offset=cursor.at)
        if cursor.left:
            yield Item("trailing", cursor.at)


class _Walk:
    def __init__(self, cursor: StreamCursor, budget: Budget) -> None:
        self._cursor, self._budget = cursor, budget
        self._number = struct.Struct(">i")
        self._names: list[str] = []

    def header(self) -> None:
        """Read up to the first object."""
        cursor = self._cursor
        magic = cursor.take(2)
        if magic == b"RD":  # a saved workspace: one list of named objects
            if cursor.take(3) not in (b"X2\n", b"X3\n", b"B2\n", b"B3\n"):
                raise FormatError("R workspace in text form or of unknown version", offset=0)
            magic = cursor.take(2)
        if magic == b"B\n":
            self._number = struct.Struct("<i")
        elif magic != b"X\n":
            raise FormatError("R object in text form or of unknown form", offset=0)
        version = self._int()
        cursor.skip(8)
        if version not in (2, 3):
            raise FormatError(f"R serialization version {version}", offset=2)
        if version == 3:
            self._text(self._length())

    def _int(self) -> int:
        return self._cursor.unpack(self._number)

    def _length(self) -> int:
        size = self._int()
        if size == -1:
            high, low = self._int(), self._int()
            size = (high << 32) + (low & 0xFFFFFFFF)
        if size < 0:
            raise FormatError("R length below zero", offset=self._cursor.at)
        return size

    def _text(self, size: int) -> str:
        """Read a name; a text that is too long for one is stepped over."""
        if size > _LONGEST_NAME:
            self._cursor.skip(size)
            return ""
        return self._cursor.take(size).decode("utf-8", "backslashreplace")

    def _refer(self, name: str) -> None:
        """Number an object that later ones may refer to."""
        self._names.append(name)

    # Objects

    def item(self, *, place: _Place) -> _Part:
        """Read one object."""
        at = self._cursor.at
        return (yield self._object(self._int(), at, place=place))

    def _object(self, flags: int, at: int, *, place: _Place) -> _Part:
        self._budget.spend("nodes")
        kind = flags & 0xFF
        if kind in _CELLS:
            return (yield self._cells(flags, at, place=place))
        if kind == _REFERENCE:
            index = flags >> 8 or self._int()
            if not 0 < index <= len(self._names):
                raise FormatError("R reference to an object that was not there before", offset=at)
            return _Read(_SYMBOL, self._names[index - 1])
        if kind == _SYMBOL:
            text = yield self.item(place=_Place.ELSEWHERE)
            self._refer(text.name)
            return _Read(_SYMBOL, text.name)
        if kind in _SINGLE:
            return _Read(kind)
        if kind in (_ENVIRONMENT, _ALTREP):
            return (yield self._environment(at) if kind == _ENVIRONMENT else self._altrep(at))
        name = yield self._plain(kind, at, place=place)
        if flags & _ATTRIBUTES:
            yield self.item(place=_Place.ELSEWHERE)
        return name

    def _cells(self, flags: int, at: int, *, place: _Place) -> _Part:
        """Read a chain of cells: a list, a call, a function or a promise. The chain is a loop, so it has no depth."""
        first: _Read | None = None
        while True:
            kind, inside = flags & 0xFF, place in (_Place.FRAME, _Place.BOUND)
            if flags >> 12 & _ACTIVE_BINDING:
                yield Item("active binding", at, in_environment=inside)
            if flags & _ATTRIBUTES:
                yield self.item(place=_Place.ELSEWHERE)
            if flags & _TAG:
                yield self.item(place=_Place.ELSEWHERE)
            bindings = kind == _PAIRS and place == _Place.FRAME
            head = yield self.item(place=_Place.BOUND if bindings else _Place.ELSEWHERE)
            first = first or _Read(kind, head.name)
            if kind == _CLOSURE:
                yield Item("closure", at, in_environment=inside)
            elif kind == _CALL:
                yield Item("call", at, head.name if head.kind == _SYMBOL else "", inside)
            elif kind == _PROMISE:
                yield Item("promise" if head.kind == _UNBOUND else "kept promise", at, in_environment=inside)
            at = self._cursor.at
            # Only the rest of a list of bindings is still part of a frame: a body or expression is not.
            place = _Place.FRAME if bindings else _Place.ELSEWHERE
            flags = self._int()
            if flags & 0xFF not in _CELLS:
                yield self._object(flags, at, place=place)
                return first
            self._budget.spend("nodes")

    def _environment(self, at: int) -> _Part:
        yield Item("environment", at)
        self._refer("")
        self._int()
        yield self.item(place=_Place.ELSEWHERE)  # the enclosing environment
        yield self.item(place=_Place.FRAME)
        yield self.item(place=_Place.TABLE)
        yield self.item(place=_Place.ELSEWHERE)  # attributes
        return _Read(_ENVIRONMENT)

    def _altrep(self, at: int) -> _Part:
        info = yield self.item(place=_Place.ELSEWHERE)
        yield Item("altrep", at, info.name)
        yield self.item(place=_Place.ELSEWHERE)  # state
        yield self.item(place=_Place.ELSEWHERE)  # attributes
        return _Read(_ALTREP)

    def _plain(self, kind: int, at: int, *, place: _Place) -> _Part:
        """Read what comes before the attributes of a vector, a builtin, a pointer or the like."""
        name = ""
        if kind == _CHARS:
            size = self._int()
            name = self._text(size) if size >= 0 else ""
        elif kind in _VECTORS:
            self._cursor.skip(self._length() * _VECTORS[kind])
        elif kind in _LISTS:
            size = self._length()
            self._cursor.need(4 * size)
            for _ in range(size):
                yield self.item(place=_Place.FRAME if place == _Place.TABLE else _Place.ELSEWHERE)
        elif kind in (_SPECIAL, _BUILTIN):
            name = self._text(self._length())
            yield Item("builtin", at, name)
        elif kind in (_PERSISTENT, _PACKAGE, _NAMESPACE):
            yield self._named(kind, at)
        elif kind in (_POINTER, _WEAK):
            yield Item("pointer" if kind == _POINTER else "weak reference", at)
            self._refer("")
            for _ in range(2 if kind == _POINTER else 0):
                yield self.item(place=_Place.ELSEWHERE)
        elif kind == _BYTECODE:
            yield Item("bytecode", at)
            self._length()
            yield self._code()
        elif kind != _S4:
            raise FormatError(f"R object of unknown type {kind}", offset=at)
        return _Read(kind, name)

    def _named(self, kind: int, at: int) -> _Part:
        """Read the strings that name a namespace, a package or a persistent object."""
        if self._int():
            raise FormatError("R names with names of their own", offset=at)
        size = self._length()
        self._cursor.need(4 * size)
        names = []
        for _ in range(size):
            text = yield self.item(place=_Place.ELSEWHERE)
            names.append(text.name)
        name = " ".join(names[:2])
        yield Item({_PERSISTENT: "persistent", _PACKAGE: "package"}.get(kind, "namespace"), at, name)
        self._refer("")
        return _Read(kind)

    # Byte code

    def _code(self) -> _Part:
        yield self.item(place=_Place.ELSEWHERE)  # the instructions, as integers
        size = self._length()
        self._cursor.need(4 * size)
        for _ in range(size):
            yield self._constant(self._int())
        return _Read(_BYTECODE)

    def _constant(self, kind: int) -> _Part:
        self._budget.spend("nodes")
        if kind == _BYTECODE:
            yield self._code()
        elif kind in _CODE_CELLS or kind == _SHARED:
            yield self._expression(kind)
        else:
            yield self.item(place=_Place.ELSEWHERE)
        return _Read(kind)

    def _expression(self, kind: int) -> _Part:
        """Read a call or list as byte code keeps it."""
        first: _Read | None = None
        while True:
            self._budget.spend("nodes")
            at = self._cursor.at
            if kind == _SHARED:
                self._int()
                return first or _Read(kind)
            if kind not in _CODE_CELLS:
                yield self.item(place=_Place.ELSEWHERE)
                return first or _Read(kind)
            if kind == _SHARED_HERE:
                self._int()
                kind = self._int()
            if kind in (_CALL_WITH_ATTRIBUTES, _PAIRS_WITH_ATTRIBUTES):
                yield self.item(place=_Place.ELSEWHERE)
            yield self.item(place=_Place.ELSEWHERE)  # tag
            head = yield self._head()
            first = first or head
            if kind in (_CALL, _CALL_WITH_ATTRIBUTES):
                yield Item("call", at, head.name if head.kind == _SYMBOL else "")
            kind = self._int()

    def _head(self) -> _Part:
        kind = self._int()
        if kind in _CODE_CELLS or kind == _SHARED:
            return (yield self._expression(kind))
        return (yield self.item(place=_Place.ELSEWHERE))
