"""What a pickle stream builds, as symbols.

Constants are Python's own (``None``, ``bool``, ``int``, ``float``, ``str``, ``bytes``); so are ``tuple`` and ``list``.
Everything else is one of the classes here. They compare by identity, so that shared objects can be recognised and
hostile nesting never recurses.

Specification: https://docs.python.org/3.11/library/pickle.html
"""

from __future__ import annotations

from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING
from collections.abc import Iterator
from typing import Any

Value = Any
"""A constant, ``tuple``, ``list`` or one of the classes below."""


class Global:
    """An object that a reader would import: ``module.name``, as written in the stream."""

    __slots__ = ("module", "name", "offset", "protocol")

    def __init__(self, module: str, name: str, offset: int, protocol: int) -> None:
        self.module, self.name, self.offset, self.protocol = module, name, offset, protocol

    def __repr__(self) -> str:
        return f"Global({self.label})"

    @property
    def label(self) -> str:
        """``module.name`` for people."""
        return f"{self.module}.{self.name}"

    @property
    def readings(self) -> tuple[tuple[str, str], ...]:
        """Every (module, name) a reader may import: as written and, below protocol 3, with Python 2 names mapped."""
        written = (self.module, self.name)
        if self.protocol >= 3:
            return (written,)
        if written in NAME_MAPPING:
            return (written, NAME_MAPPING[written])
        if self.module in IMPORT_MAPPING:
            return (written, (IMPORT_MAPPING[self.module], self.name))
        return (written,)

    @property
    def resolved(self) -> tuple[str, str]:
        """The (module, name) that Python 3 imports by default."""
        return self.readings[-1]


class Call:
    """The result of calling something, with everything that was done to it afterwards.

    ``kind`` is the instruction: ``reduce`` (``func(*args)``), ``newobj`` and ``newobj_ex`` (``func.__new__(func, …)``),
    ``obj`` and ``inst`` (either, depending on what ``func`` is and whether there are arguments).
    """

    __slots__ = ("added", "appended", "args", "func", "items", "kind", "kwargs", "offset", "sizes", "states")

    def __init__(self, kind: str, func: Value, args: Value, offset: int, kwargs: Value = None) -> None:
        self.kind, self.func, self.args, self.kwargs, self.offset = kind, func, args, kwargs, offset
        self.states: list[Value] = []
        """State of each BUILD, in order."""
        self.sizes: list[tuple[int, ...]] = []
        """For each state that is a tuple: how long the containers in it were when the reader used them."""
        self.appended: list[Value] = []
        """Values of APPEND and APPENDS."""
        self.items: list[Value] = []
        """Keys and values of SETITEM and SETITEMS, alternating."""
        self.added: list[Value] = []
        """Values of ADDITEMS."""

    def __repr__(self) -> str:
        return f"Call({self.kind} {self.func!r} @{self.offset})"

    def target(self) -> tuple[str, str] | None:
        """Return (module, name) that Python 3 would call, or None when the target is not a plain global."""
        return self.func.resolved if isinstance(self.func, Global) else None

    def instance_of(self) -> tuple[str, str] | None:
        """Return (module, name) of the class of the result, when the call is one way or another of creating it."""
        target = self.target()
        if target == ("copyreg", "_reconstructor") and type(self.args) is tuple and self.args:
            return self.args[0].resolved if isinstance(self.args[0], Global) else None
        return target

    def build(self, state: Value) -> None:
        """Give it a state, as BUILD does."""
        self.states.append(state)
        self.sizes.append(_sizes(state))

    def outgrown(self) -> bool:
        """Say whether a container in a state got longer after the reader had used it."""
        return any(map(lambda state, sizes: _sizes(state) != sizes, self.states, self.sizes))

    def pairs(self) -> Iterator[tuple[Value, Value]]:
        """Iterate over the (key, value) pairs set on it, in order."""
        return zip(self.items[::2], self.items[1::2], strict=True)


class Dict:
    """A ``dict`` under construction: pairs in the order they were set; the last of equal keys counts."""

    __slots__ = ("items",)

    def __init__(self, items: list[Value] | None = None) -> None:
        self.items: list[Value] = items if items is not None else []
        """Keys and values, alternating."""

    def __repr__(self) -> str:
        return f"Dict({len(self.items) // 2} pairs)"

    def pairs(self) -> Iterator[tuple[Value, Value]]:
        """Iterate over (key, value), in order, repeated keys included."""
        return zip(self.items[::2], self.items[1::2], strict=True)

    def get(self, key: str) -> Value:
        """Return the value a reader ends up with under a text key, or None."""
        found = None
        for name, value in self.pairs():
            if type(name) is str and name == key:
                found = value
        return found


class Set:
    """A ``set`` or ``frozenset``; members as written, repeats included."""

    __slots__ = ("frozen", "items")

    def __init__(self, items: list[Value], *, frozen: bool) -> None:
        self.items, self.frozen = items, frozen


class Span:
    """A constant that is left where it lies because it is long.

    ``kind`` is ``bytes``, ``bytearray``, ``str`` (UTF-8), ``int`` or ``array`` (raw array data between the
    instructions of a joblib file). ``offset`` is where its content starts.
    """

    __slots__ = ("kind", "length", "offset")

    def __init__(self, kind: str, offset: int, length: int) -> None:
        self.kind, self.offset, self.length = kind, offset, length

    def __repr__(self) -> str:
        return f"Span({self.kind} {self.length} bytes @{self.offset})"


class ByteString:
    """A Python 2 ``str`` that is not ASCII: text or bytes, depending on how the reader is called."""

    __slots__ = ("raw",)

    def __init__(self, raw: bytes) -> None:
        self.raw = raw


class Persistent:
    """An object kept outside of the stream under a persistent id."""

    __slots__ = ("offset", "pid")

    def __init__(self, pid: Value, offset: int) -> None:
        self.pid, self.offset = pid, offset


class OutOfBand:
    """A buffer that the reader has to bring along (protocol 5)."""

    __slots__ = ("offset",)

    def __init__(self, offset: int) -> None:
        self.offset = offset


class Unknown:
    """Something this stream alone does not determine, e.g. an entry of the extension registry."""

    __slots__ = ("offset", "reason")

    def __init__(self, reason: str, offset: int) -> None:
        self.reason, self.offset = reason, offset


class Array:
    """A numpy array whose data stand between the instructions of a joblib file."""

    __slots__ = ("data", "wrapper")

    def __init__(self, wrapper: Call, data: Value) -> None:
        self.wrapper = wrapper
        """The ``NumpyArrayWrapper`` that describes it."""
        self.data = data
        """A ``Span`` of kind ``array``, or what the nested pickle of an object array builds."""


def _sizes(state: Value) -> tuple[int, ...]:
    if type(state) is not tuple:
        return ()
    return tuple(len(part) for part in state if type(part) is list) + tuple(
        len(part.items) for part in state if isinstance(part, Dict | Set)
    )


def children(value: Value) -> Iterator[Value]:
    """Iterate over what a value directly refers to."""
    if type(value) in (tuple, list):
        yield from value
    elif isinstance(value, Dict | Set):
        yield from value.items
    elif isinstance(value, Call):
        yield from (value.func, value.args, value.kwargs)
        for part in (value.states, value.appended, value.items, value.added):
            yield from part
    elif isinstance(value, Persistent):
        yield value.pid
    elif isinstance(value, Array):
        yield from (value.wrapper, value.data)


def is_leaf(value: Value) -> bool:
    """Say whether a value refers to no other value."""
    return type(value) in _LEAVES


_LEAVES = frozenset({type(None), bool, int, float, str, bytes, Global, Span, ByteString, OutOfBand, Unknown})
