"""Which arguments a vetted callable may be given. Each rule is named in the data files of ``allow``.

A rule looks at a call and answers None, or a clause that completes "…, but ". Rules never trust a length, a type or a
name that the called code would trust. Those of PyTorch's functions are in ``pickle_torch``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Protocol

from hallmarked.checks.serialization.pickle_policy import Policy
from hallmarked.core.errors import FormatError
from hallmarked.formats.pickle.dtype import element_count, read_dtype
from hallmarked.formats.pickle.tensor import StorageRef
from hallmarked.formats.pickle.values import (
    Array,
    ByteString,
    Call,
    Dict,
    Global,
    OutOfBand,
    Persistent,
    Set,
    Span,
    Unknown,
    Value,
    children,
)


class Context(Protocol):
    """What a rule may ask about the stream it judges."""

    @property
    def policy(self) -> Policy:
        """The vetted set."""

    @property
    def data_known(self) -> dict[int, bool]:
        """Answers of ``is_data`` by identity: containers may be shared by many calls."""

    def nested(self, call: Call) -> str | None:
        """Hand bytes that a reader would load as a file of its own to the router; None when that is possible."""

    def nested_storage(self, call: Call) -> StorageRef | None:
        """Return the storage that such bytes hold, or None when they hold something else."""


Rule = Callable[[Call, Context], "str | None"]

MAX_PATTERN = 100_000
_PLAIN = frozenset({type(None), bool, int, float, str, bytes, Span})
_NOT_DATA = (Global, OutOfBand, Unknown, Persistent)
_CONTAINERS = (tuple, list)
_NUMBERS = (int, float, bool)
_CODECS = frozenset({"latin1", "latin-1", "iso-8859-1", "utf-8", "utf8", "ascii"})
_UFUNC_MODULES = frozenset(
    {"numpy", "numpy.core._multiarray_umath", "numpy._core._multiarray_umath", "scipy.special._ufuncs"}
)
_UFUNC_NAMES = """
    abs absolute acos acosh add arccos arccosh arcsin arcsinh arctan arctan2 arctanh asin asinh atan atan2 atanh
    bitwise_and bitwise_count bitwise_invert bitwise_left_shift bitwise_not bitwise_or bitwise_right_shift
    bitwise_xor cbrt ceil conj conjugate copysign cos cosh deg2rad degrees divide divmod equal exp exp2 expm1
    fabs float_power floor floor_divide fmax fmin fmod frexp gcd greater greater_equal heaviside hypot invert
    isfinite isinf isnan isnat lcm ldexp left_shift less less_equal log log10 log1p log2 logaddexp logaddexp2
    logical_and logical_not logical_or logical_xor matmul matvec maximum minimum mod modf multiply negative
    nextafter not_equal positive pow power rad2deg radians reciprocal remainder right_shift rint sign signbit
    sin sinh spacing sqrt square subtract tan tanh true_divide trunc vecdot vecmat
"""
_UFUNCS = frozenset(_UFUNC_NAMES.split())
"""Those of numpy 2.4; by any other name the function would give what the stream may not even mention."""
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")
_MEMBER = re.compile(r"(?:[A-Z][A-Z0-9_]*|safe|unsafe|unknown)\Z")


def is_data(value: Value, context: Context) -> bool:
    """Say whether a value holds no import of its own: constants, containers of them, results of vetted calls.

    NOTE: answers are kept by identity, so ``value`` must be a part of the trace, not a tuple made for the question.
    """
    if type(value) in _PLAIN:
        return True
    known = context.data_known
    if id(value) in known:
        return known[id(value)]
    seen: set[int] = set()
    todo = [value]
    while todo:
        item = todo.pop()
        if isinstance(item, _NOT_DATA):
            known[id(value)] = False
            return False
        if isinstance(item, (tuple, list, Dict, Set)) and id(item) not in seen and not known.get(id(item)):
            seen.add(id(item))
            todo.extend(part for part in children(item) if type(part) not in _PLAIN)
    known.update(dict.fromkeys(seen, True))
    return True


_INERT_ROOTS = frozenset(
    {"_codecs", "builtins", "collections", "datetime", "decimal", "fractions", "numpy", "pandas", "uuid"}
)
_TIME_ZONE_FILE = "dateutil/"


def is_inert(value: Value, context: Context) -> bool:
    """Say whether a value cannot pass for something else: code that asks it for a method gets its class's own.

    Libraries tell what they were given by attributes and call methods by name. An object whose attributes a stream
    chooses (a namespace, a module, an estimator) could make them call any function that the stream may mention.
    """
    seen: set[int] = set()
    todo = [value]
    while todo:
        item = todo.pop()
        if isinstance(item, _NOT_DATA) or (type(item) is str and _TIME_ZONE_FILE in item):
            return False
        if isinstance(item, (tuple, list, Dict, Set)) and id(item) not in seen:
            seen.add(id(item))
            todo.extend(children(item))
        elif isinstance(item, Call) and id(item) not in seen:
            seen.add(id(item))
            name = item.instance_of()
            entry, root = context.policy.entry(name), (name or ("", ""))[0].partition(".")[0]
            if entry is None or root not in _INERT_ROOTS or (item.states and entry.state == "attributes"):
                return False
            if root not in ("numpy", "pandas"):  # theirs have rules of their own
                todo.extend((item.args, item.appended, item.items))
    return True


def is_bytes(value: Value) -> bool:
    """Say whether a value is bytes, or the call that stands for them below protocol 3."""
    if isinstance(value, Call):
        return value.target() in (("_codecs", "encode"), ("builtins", "bytes"), ("builtins", "bytearray"))
    return (
        type(value) in (bytes, str)
        or isinstance(value, ByteString)
        or (isinstance(value, Span) and value.kind != "int")
    )


def is_container(value: Value) -> bool:
    """Say whether a value is a plain container, which is iterated without calling anything."""
    return type(value) in _CONTAINERS or isinstance(value, Dict | Set)


def target_of(value: Value) -> tuple[str, str] | None:
    """Return what a value was made by calling, or None."""
    return value.target() if isinstance(value, Call) else None


def one_of(value: Value, words: frozenset[str]) -> bool:
    """Say whether a value is one of some words."""
    return type(value) is str and value in words


def named(value: Value) -> tuple[str, str] | None:
    """Return (module, name) of an import, or None."""
    return value.resolved if isinstance(value, Global) else None


RULES: dict[str, Rule] = {}


def rule(function: Rule) -> Rule:
    """Register a rule under its function's name, without the leading underscore."""
    RULES[function.__name__.removeprefix("_")] = function
    return function


# Plain values.


@rule
def _none(call: Call, _context: Context) -> str | None:
    return "with arguments" if call.args or (isinstance(call.kwargs, Dict) and call.kwargs.items) else None


@rule
def _data(call: Call, context: Context) -> str | None:
    keywords = isinstance(call.kwargs, Dict) and call.kwargs.items
    return None if is_data(call.args, context) and not keywords else "with arguments that are not data"


@rule
def _inert(call: Call, context: Context) -> str | None:
    return None if is_inert(call.args, context) else "with arguments that could pass for something else"


@rule
def _numbers(call: Call, _context: Context) -> str | None:
    plain = all(arg is None or type(arg) in _NUMBERS or target_of(arg) in _SCALARS for arg in call.args)
    return None if plain else "with arguments that are not plain numbers"


_SCALARS = {("numpy.core.multiarray", "scalar"), ("numpy._core.multiarray", "scalar")}


@rule
def _texts(call: Call, _context: Context) -> str | None:
    return None if all(type(arg) is str for arg in call.args) else "with arguments that are not text"


@rule
def _text_or_numbers(call: Call, _context: Context) -> str | None:
    plain = all(type(arg) in (str, int, float) and len(str(arg)) < MAX_PATTERN for arg in call.args)
    if plain and call.target() == ("fractions", "Fraction") and any("e" in str(arg).lower() for arg in call.args):
        return "with an exponent, all of whose digits it would compute"
    return None if plain else "with arguments that are not text or numbers"


@rule
def _bytes(call: Call, _context: Context) -> str | None:
    args = call.args
    if not args:
        return None
    if type(args[0]) is list and len(args) == 1:
        return None if all(type(item) is int for item in args[0]) else "with items that are not numbers"
    if type(args[0]) is str or (isinstance(args[0], Span) and args[0].kind == "str"):
        return None if len(args) == 2 and one_of(args[1], _CODECS) else "with an unusual encoding"
    return None if len(args) == 1 and is_bytes(args[0]) else "with arguments that are not bytes"


@rule
def _encode(call: Call, _context: Context) -> str | None:
    args = call.args
    text = args and (
        type(args[0]) is str or isinstance(args[0], ByteString) or (isinstance(args[0], Span) and args[0].kind == "str")
    )
    return None if text and len(args) == 2 and one_of(args[1], _CODECS) else "with an unusual encoding"


@rule
def _container(call: Call, _context: Context) -> str | None:
    plain = not call.args or (len(call.args) == 1 and is_container(call.args[0]))
    return None if plain else "with something that is not a plain container"


@rule
def _deque(call: Call, _context: Context) -> str | None:
    args = call.args
    plain = (
        len(args) <= 2 and (not args or is_container(args[0])) and (len(args) < 2 or type(args[1]) in (int, type(None)))
    )
    return None if plain else "with something that is not a plain container"


@rule
def _defaultdict(call: Call, context: Context) -> str | None:
    args = call.args
    if len(args) > 2 or (len(args) == 2 and not isinstance(args[1], Dict)):
        return "with something that is not a plain dict"
    if args and args[0] is not None and not context.policy.has_role(named(args[0]), "factory"):
        return "with a factory that is not vetted"
    return None


@rule
def _regex(call: Call, _context: Context) -> str | None:
    args = call.args
    plain = len(args) == 2 and type(args[0]) in (str, bytes) and len(args[0]) <= MAX_PATTERN and type(args[1]) is int
    return None if plain else "with something that is not a pattern"


@rule
def _partial(call: Call, context: Context) -> str | None:
    # Whoever holds the partial may call it, with arguments of the stream's choice: only functions that are vetted as
    # values, none whose arguments have rules of their own.
    entry = context.policy.entry(named(call.args[0]) if len(call.args) == 1 else None)
    return None if entry is not None and entry.call is None else "with a function that is not vetted as a value"


@rule
def _enum_member(call: Call, context: Context) -> str | None:
    args = call.args
    if len(args) != 2 or not context.policy.has_role(named(args[0]), "enum"):
        return "on something that is not a vetted enumeration"
    # Lower-case attributes are methods; only uuid.SafeUUID has members that are not in capitals.
    return None if type(args[1]) is str and _MEMBER.match(args[1]) else "with a name that is no member's"


@rule
def _enum_value(call: Call, _context: Context) -> str | None:
    plain = len(call.args) == 1 and type(call.args[0]) in (str, int)
    return None if plain else "with something that is not a value"


@rule
def _reconstructor(call: Call, context: Context) -> str | None:
    if len(call.args) != 3:
        return "with unknown arguments"
    cls, base, state = call.args
    entry = context.policy.entry(named(cls))
    if entry is None or entry.new != "none":
        return "with a class that is not vetted for that"
    if named(base) == ("builtins", "object"):
        return None if state is None else "with a state for a plain object"
    return (
        None
        if context.policy.has_role(named(base), "base") and is_data(state, context)
        else "with an unknown base type"
    )


# numpy.


@rule
def _dtype(call: Call, _context: Context) -> str | None:
    try:
        read_dtype(call)
    except FormatError as error:
        return f"describing {error}"
    return None


def _empty_array(context: Context, cls: Value, shape: Value, kind: Value) -> str | None:
    if not context.policy.has_role(named(cls), "ndarray"):
        return "with a class that is no array of numpy"
    if shape != (0,) or not (kind in ("b", b"b") or target_of(kind) == ("_codecs", "encode")):
        return "with something else than an empty array"
    return None


@rule
def _ndarray_reconstruct(call: Call, context: Context) -> str | None:
    return _empty_array(context, *call.args) if len(call.args) == 3 else "with unknown arguments"


@rule
def _masked_reconstruct(call: Call, context: Context) -> str | None:
    if len(call.args) != 4 or not context.policy.has_role(named(call.args[0]), "masked"):
        return "with a class that is no masked array"
    return _empty_array(context, *call.args[1:])


@rule
def _scalar(call: Call, _context: Context) -> str | None:
    try:
        dtype = read_dtype(call.args[0] if call.args else None)
    except FormatError as error:
        return f"describing {error}"
    if dtype.has_object or len(call.args) > 2 or not all(map(is_bytes, call.args[1:])):
        return "with something that is not the bytes of a number"
    if len(call.args) == 2 and type(call.args[1]) is bytes and len(call.args[1]) != dtype.itemsize:
        return "with a number of another size"
    return None


@rule
def _frombuffer(call: Call, _context: Context) -> str | None:
    args = call.args
    if len(args) not in (3, 4) or not is_bytes(args[0]) or args[3:] not in ((), ("C",), ("F",)):
        return "with unknown arguments"
    try:
        dtype = read_dtype(args[1])
        element_count(args[2])
    except FormatError as error:
        return f"describing {error}"
    return "with a type that holds pointers" if dtype.has_object else None


@rule
def _ufunc(call: Call, _context: Context) -> str | None:
    args = call.args
    if len(args) != 2 or not one_of(args[0], _UFUNC_MODULES) or type(args[1]) is not str:
        return "with a module that it would import"
    known = args[1] in _UFUNCS or (args[0].startswith("scipy") and _WORD.match(args[1]))
    return None if known else "with a name that is no mathematical function's"


@rule
def _bit_generator(call: Call, context: Context) -> str | None:
    args = call.args
    if len(args) > 1:
        return "with unknown arguments"
    named_one = not args or args[0] in ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64")
    return None if named_one or context.policy.has_role(named(args[0]), "bitgen") else "with an unknown generator"


@rule
def _random_ctor(call: Call, _context: Context) -> str | None:
    args = call.args
    if len(args) > 2:
        return "with unknown arguments"
    known = not args or args[0] in ("MT19937", "PCG64") or target_of(args[0]) == _BIT_GENERATOR
    if not known:
        return "with an unknown generator"
    return None if len(args) < 2 or named(args[1]) == _BIT_GENERATOR else "with a function that it would call"


_BIT_GENERATOR = ("numpy.random._pickle", "__bit_generator_ctor")


@rule
def _pyx_self(call: Call, context: Context) -> str | None:
    args = call.args
    if len(args) != 3 or not context.policy.has_role(named(args[0]), "pyx_type") or type(args[1]) is not int:
        return "with a class that it is not meant for"
    return None if is_inert(args[2], context) else "with a state that could pass for something else"


@rule
def _pyx_type(call: Call, context: Context) -> str | None:
    known = len(call.args) == 1 and context.policy.has_role(named(call.args[0]), "pyx_type")
    return None if known else "with a class that it is not meant for"


@rule
def _index(call: Call, context: Context) -> str | None:
    args = call.args
    if len(args) != 2 or not context.policy.has_role(named(args[0]), "index"):
        return "with a class that is no index of pandas"
    if not isinstance(args[1], Dict) or not all(type(key) is str and _WORD.match(key) for key in args[1].items[::2]):
        return "with unknown arguments"
    return None if is_inert(args[1], context) else "with arguments that could pass for something else"


@rule
def _timestamp(call: Call, context: Context) -> str | None:
    if any(type(arg) is str and _TIME_ZONE_FILE in arg for arg in call.args):
        return "with a time zone that it would read from a file"
    return _inert(call, context)


@rule
def _text_type(call: Call, _context: Context) -> str | None:
    plain = all(type(arg) in (str, float, type(None)) or named(arg) == ("pandas", "NA") for arg in call.args)
    return None if plain else "with unknown arguments"


@rule
def _tree(call: Call, _context: Context) -> str | None:
    """Judge a decision tree, which reads as many numbers of classes from the array as it is told there are outputs."""
    args = call.args
    if len(args) != 3 or type(args[0]) is not int or type(args[2]) is not int:
        return "with unknown arguments"
    return None if array_shape(args[1]) == (args[2],) else "with more outputs than it has numbers of classes"


def array_shape(value: Value) -> tuple[int, ...] | None:
    """Return the shape of a numpy array, or None when it is something else."""
    shape: Value = None
    if isinstance(value, Array) and len(value.wrapper.states) == 1 and isinstance(value.wrapper.states[0], Dict):
        shape = value.wrapper.states[0].get("shape")
    elif target_of(value) in _RECONSTRUCT and len(value.states) == 1 and type(value.states[0]) is tuple:
        shape = value.states[0][1] if len(value.states[0]) > 1 else None
    elif target_of(value) in _FROMBUFFER and type(value.args) is tuple:
        shape = value.args[2] if len(value.args) > 2 else None
    return shape if type(shape) is tuple else None


_RECONSTRUCT = {("numpy.core.multiarray", "_reconstruct"), ("numpy._core.multiarray", "_reconstruct")}
_FROMBUFFER = {("numpy.core.numeric", "_frombuffer"), ("numpy._core.numeric", "_frombuffer")}

SKIPPED_FUNCTIONS: Mapping[str, tuple[int, ...]] = {
    "from_type": (0,),
    "random_ctor": (1,),
    "ndarray_reconstruct": (0,),
    "masked_reconstruct": (1,),
}
"""Arguments, by rule, that may be a function which is otherwise only vetted to be called."""
