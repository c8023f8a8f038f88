"""CPython's own unpicklers, made harmless: every import gives an inert recorder. Only for streams that tests wrote."""

from __future__ import annotations

import io
import pickle
from typing import Any

from hallmarked.formats.pickle.values import ByteString, Call, Dict, Global, Persistent, Set, Span, Value


class Recorder:
    """Stands in for whatever a stream imports; remembers what was done to it."""

    label = ""

    def __new__(cls, *args: Any, **kwargs: Any) -> Recorder:
        made = super().__new__(cls)
        made.events = [("new", args, tuple(kwargs.items()))]
        return made

    def __setstate__(self, state: Any) -> None:
        self.events.append(("state", state))

    def append(self, item: Any) -> None:
        self.events.append(("append", item))

    def extend(self, items: Any) -> None:
        self.events.extend(("append", item) for item in items)

    def __setitem__(self, key: Any, value: Any) -> None:
        self.events.append(("set", key, value))

    def add(self, item: Any) -> None:
        self.events.append(("add", item))


class Kept:
    """Stands in for an object under a persistent id."""

    def __init__(self, pid: Any) -> None:
        self.pid = pid


def _hooks(base: type) -> type:
    class Inert(base):  # type: ignore[misc]
        def find_class(self, module: str, name: str) -> type:
            return type("R", (Recorder,), {"label": f"{module}.{name}"})

        def persistent_load(self, pid: Any) -> Kept:
            return Kept(pid)

    return Inert


C_UNPICKLER = _hooks(pickle.Unpickler)
PYTHON_UNPICKLER = _hooks(pickle._Unpickler)  # type: ignore[attr-defined]


def load(unpickler: type, data: bytes) -> tuple[Any, int]:
    """Return what an unpickler builds, and how many bytes it consumed."""
    stream = io.BytesIO(data)
    value = unpickler(stream, encoding="latin1").load()
    return value, stream.tell()


def shape_of_real(value: Any, seen: tuple[int, ...] = ()) -> Any:
    """Describe a built object by nested tuples that can be compared."""
    if id(value) in seen:
        return ("cycle", seen[::-1].index(id(value)))
    inner = (*seen, id(value))

    def down(part: Any) -> Any:
        return shape_of_real(part, inner)

    if isinstance(value, tuple | list):
        return (type(value).__name__, tuple(map(down, value)))
    if isinstance(value, dict):
        return ("dict", tuple((down(key), down(item)) for key, item in value.items()))
    if isinstance(value, set | frozenset):
        return (type(value).__name__, frozenset(map(down, value)))
    if isinstance(value, Kept):
        return ("persistent", down(value.pid))
    if isinstance(value, type):
        return ("global", value.label)
    if isinstance(value, Recorder):
        return ("made", type(value).label, *_split_real(value, down))
    return (type(value).__name__, repr(bytes(value) if isinstance(value, bytearray) else value))


def _split_real(value: Recorder, down: Any) -> tuple[Any, ...]:
    _, args, kwargs = value.events[0]
    parts: dict[str, list[Any]] = {"state": [], "append": [], "set": [], "add": []}
    for kind, *what in value.events[1:]:
        parts[kind].extend(map(down, what))
    return (tuple(map(down, args)), tuple((k, down(v)) for k, v in kwargs), *(tuple(part) for part in parts.values()))


def shape_of_symbol(value: Value, data: bytes, seen: tuple[int, ...] = ()) -> Any:
    """Describe a symbolic object the same way."""
    if id(value) in seen:
        return ("cycle", seen[::-1].index(id(value)))
    inner = (*seen, id(value))

    def down(part: Any) -> Any:
        return shape_of_symbol(part, data, inner)

    if isinstance(value, tuple | list):
        return (type(value).__name__, tuple(map(down, value)))
    if isinstance(value, Dict):
        return ("dict", tuple({down(key): (down(key), down(item)) for key, item in value.pairs()}.values()))
    if isinstance(value, Set):
        return ("frozenset" if value.frozen else "set", frozenset(map(down, value.items)))
    if isinstance(value, Persistent):
        return ("persistent", down(value.pid))
    if isinstance(value, Global):
        return ("global", value.label)
    if isinstance(value, Call):
        assert isinstance(value.func, Global)
        keywords = tuple((key, down(item)) for key, item in value.kwargs.pairs()) if value.kwargs else ()
        parts = (value.states, value.appended, value.items, value.added)
        listed = (tuple(map(down, part)) for part in parts)
        return ("made", value.func.label, tuple(map(down, value.args)), keywords, *listed)
    if isinstance(value, Span):
        raw = data[value.offset : value.offset + value.length]
        return (value.kind, repr(raw.decode("utf-8", "surrogatepass") if value.kind == "str" else raw))
    if isinstance(value, ByteString):
        return ("str", repr(value.raw.decode("latin1")))
    return (type(value).__name__, repr(value))
