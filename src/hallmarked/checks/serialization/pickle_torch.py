"""Which arguments PyTorch's rebuilding functions may be given; see ``pickle_arguments``.

Specification: ``torch/_utils.py`` and ``torch/_tensor.py`` of PyTorch.
"""

from __future__ import annotations

import re

from hallmarked.checks.serialization.pickle_arguments import RULES, Context, is_data, named, one_of, rule, target_of
from hallmarked.checks.serialization.pickle_states import attributes_complaint
from hallmarked.formats.pickle.tensor import read_tensor, sizes_of, text_of
from hallmarked.formats.pickle.values import Call, Dict, Global, Value

_LAYOUTS = frozenset(
    f"torch.{name}" for name in ("strided", "sparse_coo", "sparse_csr", "sparse_csc", "sparse_bsr", "sparse_bsc")
)
_DEVICE = re.compile(r"[a-z]{1,16}(:[0-9]{1,4})?\Z")


def _requires_grad(value: Value) -> bool:
    return type(value) is bool


def _no_hooks(value: Value) -> bool:
    empty = (
        isinstance(value, Call)
        and value.target() == ("collections", "OrderedDict")
        and not value.items
        and not value.args
    )
    return value is None or empty or (isinstance(value, Dict) and not value.items)


def _metadata(value: Value) -> bool:
    if value is None:
        return True
    return isinstance(value, Dict) and all(key in ("conj", "neg") and type(flag) is bool for key, flag in value.pairs())


@rule
def _tensor(call: Call, context: Context) -> str | None:
    args, name, storage = call.args, (call.target() or ("", ""))[1], None
    if args and target_of(args[0]) == _LOAD_FROM_BYTES:
        storage = context.nested_storage(args[0])
        if storage is None:
            return "on bytes that are not a stored storage"
    read_tensor(call, storage)
    more = args[4:]
    if name == "_rebuild_tensor":
        return "with unknown arguments" if more else None
    if name == "_rebuild_tensor_v3":
        more = (*more[:2], *more[3:])
    if (
        not 2 <= len(more) <= 3
        or not _requires_grad(more[0])
        or not _no_hooks(more[1])
        or not all(map(_metadata, more[2:]))
    ):
        return "with hooks or metadata that are not plain"
    return None


_LOAD_FROM_BYTES = ("torch.storage", "_load_from_bytes")


@rule
def _qtensor(call: Call, context: Context) -> str | None:
    args = call.args
    if len(args) != 7 or type(args[4]) is not tuple or not _requires_grad(args[5]) or not _no_hooks(args[6]):
        return "with unknown arguments"
    read_tensor(call)
    scheme, *parameters = args[4]
    known = isinstance(scheme, Global) and scheme.module == "torch"
    return (
        None if known and all(is_data(part, context) for part in parameters) else "with an unknown quantisation scheme"
    )


def _is_tensor(value: Value, context: Context) -> bool:
    return isinstance(value, Call) and context.policy.has_role(value.target(), "rebuild")


@rule
def _parameter(call: Call, context: Context) -> str | None:
    args = call.args
    if (
        len(args) not in (3, 4)
        or not _is_tensor(args[0], context)
        or not _requires_grad(args[1])
        or not _no_hooks(args[2])
    ):
        return "with something that is not a tensor"
    return None if len(args) == 3 or attributes_complaint(args[3]) is None else "with attributes that are not data"


@rule
def _from_type(call: Call, context: Context) -> str | None:
    """Judge ``_rebuild_from_type_v2(function, type, arguments, state)``, which calls its first argument."""
    if len(call.args) != 4:
        return "with unknown arguments"
    function, kind, args, state = call.args
    entry = context.policy.entry(named(function))
    if entry is None or "rebuild" not in entry.role or entry.call in (None, "from_type") or type(args) is not tuple:
        return "with a function that is not vetted for that"
    if not context.policy.has_role(named(kind), "tensor"):
        return "with a type that is no tensor"
    inner = RULES[entry.call](Call("reduce", function, args, call.offset), context)
    return inner or attributes_complaint(state)


@rule
def _sparse(call: Call, context: Context) -> str | None:
    if (
        len(call.args) != 2
        or target_of(call.args[0]) != ("torch.serialization", "_get_layout")
        or type(call.args[1]) is not tuple
    ):
        return "with unknown arguments"
    for part in call.args[1]:
        if not _is_tensor(part, context) and sizes_of(part) is None and type(part) not in (bool, type(None)):
            return "with parts that are not tensors or sizes"
    return None


@rule
def _sizes(call: Call, _context: Context) -> str | None:
    return None if sizes_of(call) is not None or not call.args else "with something that is not a tuple of sizes"


@rule
def _device(call: Call, _context: Context) -> str | None:
    args = call.args
    known = 1 <= len(args) <= 2 and _DEVICE.match(text_of(args[0]) or "") and all(type(arg) is int for arg in args[1:])
    return None if known else "with something that is not a device"


@rule
def _layout(call: Call, _context: Context) -> str | None:
    return None if len(call.args) == 1 and one_of(call.args[0], _LAYOUTS) else "with an unknown layout"


@rule
def _meta_tensor(call: Call, _context: Context) -> str | None:
    args = call.args
    plain = (
        len(args) == 4
        and isinstance(args[0], Global)
        and sizes_of(args[1]) is not None
        and sizes_of(args[2]) is not None
    )
    return None if plain and _requires_grad(args[3]) else "with unknown arguments"


@rule
def _numpy_tensor(call: Call, _context: Context) -> str | None:
    args = call.args
    array = args and (target_of(args[0]) or ("", ""))[1] in ("_reconstruct", "_frombuffer")
    plain = array and len(args) == 4 and isinstance(args[1], Global) and _DEVICE.match(text_of(args[2]) or "")
    return None if plain and _requires_grad(args[3]) else "with unknown arguments"


@rule
def _load_from_bytes(call: Call, context: Context) -> str | None:
    return context.nested(call) if len(call.args) == 1 else "with unknown arguments"
