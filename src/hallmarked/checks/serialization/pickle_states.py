"""Which states a vetted instance may be given by BUILD. Each rule is named in the data files of ``allow``.

A rule answers None, or a clause that completes "…, but ".
"""

from __future__ import annotations

from collections.abc import Callable

from hallmarked.checks.serialization.pickle_arguments import Context, is_bytes, is_data, is_inert, named, target_of
from hallmarked.core.errors import FormatError
from hallmarked.formats.pickle.dtype import element_count, read_dtype
from hallmarked.formats.pickle.values import Call, Dict, Global, Span, Value, children

State = Callable[[Value, Call, Context], "str | None"]
STATES: dict[str, State] = {}
_SHADOWS = frozenset({"append", "extend", "add"})
MAX_LAYERS = 100_000
_LOADING = frozenset({"_build_f", "_patch_step_function", "profile_hook_step"})
"""Methods that loading calls by name on the object itself."""
_SLOTS = frozenset(
    {"_y_axis", "_y_extra_shape", "dtype", "c", "x", "_c", "_x", "t", "k", "extrapolate", "axis", "_asarray"}
)
_FRAME = frozenset(
    {
        "_mgr",
        "_data",
        "_typ",
        "_metadata",
        "attrs",
        "_attrs",
        "_flags",
        "_name",
        "name",
        "_index",
        "index",
        "_item_cache",
    }
)
_MANAGERS = frozenset({"BlockManager", "SingleBlockManager", "ArrayManager", "SingleArrayManager"})


def state(function: State) -> State:
    """Register a rule for states under its function's name, without the leading underscore and ``_state``."""
    STATES[function.__name__.removeprefix("_").removesuffix("_state")] = function
    return function


def attributes_complaint(value: Value) -> str | None:
    """Judge what becomes attributes of an instance.

    ``attribute_map`` is a table by which configurations of transformers rename attributes on access.
    A name with two underscores on either side could replace ``__class__`` or ``__setstate__``; one with two in front
    only is private and means nothing to Python. A callable named like a method that the unpickler calls would be called
    by it. The second half of a pair is for slots; readers set it attribute by attribute, which runs property setters,
    so that it must be empty.
    """
    parts: tuple[Value, ...] = (value,)
    if type(value) is tuple and len(value) == 2:
        parts = value
        if not isinstance(value[1], Dict):
            return "with a state that readers do not agree on"
        if value[1].items:
            return "with values for slots, which it does not have"
    for part in parts:
        if part is None:
            continue
        if not isinstance(part, Dict):
            return "with a state that is not a plain dict"
        for key, item in part.pairs():
            complaint = _attribute_complaint(key, item)
            if complaint is not None:
                return complaint
    return None


def _attribute_complaint(key: Value, item: Value) -> str | None:
    if type(key) is not str and not isinstance(key, int):
        return "with attributes whose names are not plain text"
    if type(key) is str and (_is_special(key) or key == "attribute_map" or key in _LOADING):
        return f"with the attribute {key[:40]!r}"
    if key == "num_layers" and type(item) is int and item > MAX_LAYERS:
        return "with more layers than any network has"  # recurrent layers list the names of them all
    if key == "_sklearn_version" and type(item) is not str:
        return "with a version that is not text"  # it would be shown, which calls methods
    if key in _SHADOWS and isinstance(item, Global | Call):
        return f"with an attribute that replaces its method {key!r}"
    return None


def _is_special(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


@state
def _attributes_state(value: Value, _call: Call, _context: Context) -> str | None:
    return attributes_complaint(value)


def _inert_complaint(value: Value, context: Context, *, only: frozenset[str] | None = None) -> str | None:
    """Judge attributes none of which may pass for something else, of all names or only those given."""
    complaint = attributes_complaint(value)
    if complaint is not None:
        return complaint
    for part in value if type(value) is tuple else (value,):
        for key, item in part.pairs() if isinstance(part, Dict) else ():
            if (only is None or key in only) and not is_inert(item, context):
                return f"with something that is no data under {str(key)[:40]!r}"
    return None


@state
def _inert_state(value: Value, _call: Call, context: Context) -> str | None:
    if type(value) is tuple:  # compiled classes take one of arrays, a data type and attributes
        last = value[-1] if value else None
        rest = _inert_complaint(last, context) if isinstance(last, Dict) else None
        return rest or (None if is_inert(value, context) else "with a state that could pass for something else")
    return _inert_complaint(value, context)


@state
def _isotonic_state(value: Value, _call: Call, context: Context) -> str | None:
    """Judge an IsotonicRegression, which interpolates between its thresholds when it is loaded."""
    return _inert_complaint(value, context, only=frozenset({"X_thresholds_", "y_thresholds_"}))


@state
def _predictor_state(value: Value, _call: Call, context: Context) -> str | None:
    """Judge a TreePredictor, which may convert its nodes to another type when it is loaded."""
    return _inert_complaint(value, context, only=frozenset({"nodes"}))


@state
def _frame_state(value: Value, _call: Call, context: Context) -> str | None:
    """Judge a table or column of pandas, which sets attributes one by one, properties included."""
    if not isinstance(value, Dict):
        return "with a state of unknown form"
    for key, item in value.pairs():
        if key not in _FRAME:
            return f"with the attribute {str(key)[:40]!r}"
        if key in ("_mgr", "_data") and not _is_manager(item):
            return "with something that is no manager of blocks"
    return _inert_complaint(value, context)


def _is_manager(value: Value) -> bool:
    name = value.instance_of() if isinstance(value, Call) else None
    return name is not None and name[0].startswith("pandas.") and name[1] in _MANAGERS


@state
def _slots_state(value: Value, _call: Call, _context: Context) -> str | None:
    """Judge an interpolator, parts of which are in slots."""
    if type(value) is not tuple or len(value) != 2 or not isinstance(value[1], Dict):
        return attributes_complaint(value)
    if not all(type(key) is str and key in _SLOTS for key in value[1].items[::2]):
        return "with values for slots that it does not have"
    return attributes_complaint(value[0])


@state
def _optimizer_state(value: Value, _call: Call, _context: Context) -> str | None:
    """Judge an optimizer, which looks through its parameters and their states when it is loaded."""
    complaint = attributes_complaint(value)
    if complaint is not None or not isinstance(value, Dict):
        return complaint or "with a state of unknown form"
    for key, item in value.pairs():
        if key == "defaults" and not isinstance(item, Dict):
            return "with settings that are not a plain dict"
        if key == "param_groups" and not _are_groups(item):
            return "with groups of parameters that are not plain dicts"
        if key == "state" and not _are_steps(item):
            return "with states of parameters that are not plain dicts"
    return None


_TABLES = {("collections", "defaultdict"), ("collections", "OrderedDict")}


def _table(value: Value) -> list[Value] | None:
    """Return keys and values of a dict or of one of its plain relatives, or None."""
    if isinstance(value, Dict):
        return value.items
    return value.items if isinstance(value, Call) and target_of(value) in _TABLES and not value.states else None


def _are_groups(value: Value) -> bool:
    return type(value) is list and all(
        isinstance(group, Dict)
        and all(type(item) in (list, tuple) for key, item in group.pairs() if key == "params")
        and not any(isinstance(item, Call) and not _is_tensor(item) for item in group.items[1::2])
        for group in value
    )


def _are_steps(value: Value) -> bool:
    rows = _table(value)
    if rows is None:
        return False
    for row in rows[1::2]:
        items = _table(row)
        if items is None or any(isinstance(item, (Call, Global)) and not _is_tensor(item) for item in items[1::2]):
            return False
    return True


def _is_tensor(value: Value) -> bool:
    return (target_of(value) or ("", ""))[0] in ("torch._utils", "torch._tensor")


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
        if not dtype.has_object or type(raw) is not list:
            return "with elements that do not fit its type"
        # numpy takes as many elements as the shape says, wherever the list ends.
        return None if len(raw) == count else "with more or fewer elements than its shape says"
    size = len(raw) if type(raw) is bytes else raw.length if isinstance(raw, Span) and raw.kind == "bytes" else None
    wrong = size is not None and size != count * dtype.itemsize
    return "with more or fewer bytes than its shape has elements" if wrong else None


@state
def _ndarray_state(value: Value, call: Call, _context: Context) -> str | None:
    return _outgrown(call) or _array_parts(value, 5)


def _outgrown(call: Call) -> str | None:
    return "with elements that are added after it was used" if call.outgrown() else None


@state
def _masked_state(value: Value, call: Call, context: Context) -> str | None:
    return (
        _outgrown(call)
        or _array_parts(value, 7)
        or (None if all(is_data(part, context) for part in value[5:]) else "with a mask that is not data")
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
