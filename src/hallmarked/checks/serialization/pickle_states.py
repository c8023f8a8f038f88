"""Which states a vetted instance may be given by BUILD. Each rule is named in the data files of ``allow``.

A rule answers None, or a clause that completes "…, but ".
"""

from __future__ import annotations

from collections.abc import Callable

from hallmarked.checks.serialization.pickle_arguments import Context, is_bytes, is_data, named
from hallmarked.core.errors import FormatError
from hallmarked.formats.pickle.dtype import element_count, read_dtype
from hallmarked.formats.pickle.values import Call, Dict, Global, Span, Value, children

State = Callable[[Value, Call, Context], "str | None"]
STATES: dict[str, State] = {}
_SHADOWS = frozenset({"append", "extend", "add"})


def state(function: State) -> State:
    """Register a rule for states under its function's name, without the leading underscore and ``_state``."""
    STATES[function.__name__.removeprefix("_").removesuffix("_state")] = function
    return function


def attributes_complaint(value: Value) -> str | None:
    """Judge what becomes attributes of an instance.

    ``attribute_map`` is a table by which configurations of transformers rename attributes on access.
    A name with two underscores on either side could replace ``__class__`` or ``__setstate__``; one with two in front
    only is private and means nothing to Python. A callable named like a method that the unpickler calls would be called
    by it.
    """
    parts: tuple[Value, ...] = (value,)
    if type(value) is tuple and len(value) == 2:
        parts = value
        if not isinstance(value[1], Dict):
            return "with a state that readers do not agree on"
    for part in parts:
        if part is None:
            continue
        if not isinstance(part, Dict):
            return "with a state that is not a plain dict"
        for key, item in part.pairs():
            if type(key) is not str and not isinstance(key, int):
                return "with attributes whose names are not plain text"
            if type(key) is str and (_is_special(key) or key == "attribute_map"):
                return f"with the attribute {key[:40]!r}"
            if key in _SHADOWS and isinstance(item, Global | Call):
                return f"with an attribute that replaces its method {key!r}"
    return None


def _is_special(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


@state
def _attributes_state(value: Value, _call: Call, _context: Context) -> str | None:
    return attributes_complaint(value)


@state
def _data_state(value: Value, _call: Call, context: Context) -> str | None:
    return None if is_data(value, context) else "with a state that is not data"


@state
def _dtype_state(_value: Value, _call: Call, _context: Context) -> str | None:
    return None  # judged with the call


def _array_parts(value: Value, length: int) -> str | None:
    if type(value) is not tuple or len(value) != length or value[0] != 1:
        return "with a state of unknown form"
    _, shape, kind, fortran, raw = value[:5]
    try:
        dtype, count = read_dtype(kind), element_count(shape)
    except FormatError as error:
        return f"describing {error}"
    if type(fortran) not in (bool, int):
        return "with a state of unknown form"
    if dtype.has_object or not is_bytes(raw):
        return None if dtype.has_object and type(raw) is list else "with elements that do not fit its type"
    size = len(raw) if type(raw) is bytes else raw.length if isinstance(raw, Span) and raw.kind == "bytes" else None
    wrong = size is not None and size != count * dtype.itemsize
    return "with more or fewer bytes than its shape has elements" if wrong else None


@state
def _ndarray_state(value: Value, _call: Call, _context: Context) -> str | None:
    return _array_parts(value, 5)


@state
def _masked_state(value: Value, _call: Call, context: Context) -> str | None:
    return _array_parts(value, 7) or (
        None if all(is_data(part, context) for part in value[5:]) else "with a mask that is not data"
    )


@state
def _random_state_state(value: Value, _call: Call, context: Context) -> str | None:
    """Judge a generator's state; ``pos`` indexes the key of 624 words without a check of numpy's."""
    if not is_data(value, context):
        return "with a state that is not data"
    todo, seen = [value], set()
    while todo:
        item = todo.pop()
        if isinstance(item, (tuple, list, Dict)) and id(item) not in seen:
            seen.add(id(item))
            todo.extend(children(item))
        if isinstance(item, Dict):
            for key, position in item.pairs():
                if key == "pos" and not (type(position) is int and 0 <= position <= 624):
                    return "with a position outside of its key"
        if (
            type(item) is tuple
            and item[:1] == ("MT19937",)
            and not (len(item) > 2 and type(item[2]) is int and 0 <= item[2] <= 624)
        ):
            return "with a position outside of its key"
    return None


@state
def _partial_state(value: Value, call: Call, context: Context) -> str | None:
    if type(value) is not tuple or len(value) != 4 or not isinstance(value[0], Global):
        return "with a state of unknown form"
    if value[0].resolved != named(call.args[0] if call.args else None):
        return "with a state that replaces its function"
    if (
        type(value[1]) is not tuple
        or not isinstance(value[2], Dict)
        or not (value[3] is None or isinstance(value[3], Dict))
    ):
        return "with a state of unknown form"
    return None if all(is_data(part, context) for part in value[1:]) else "with arguments that are not data"


@state
def _array_wrapper_state(value: Value, _call: Call, context: Context) -> str | None:
    if not isinstance(value, Dict):
        return "with a state of unknown form"
    subclass = value.get("subclass")
    if subclass is not None and not context.policy.has_role(named(subclass), "ndarray"):
        return "with a class that is no array of numpy"
    return attributes_complaint(value)
