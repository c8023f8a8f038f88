"""Understand the calls with which torch rebuilds tensors, without making them.

The calls are those that torch writes (``torch/_tensor.py``, ``torch/_utils.py`` in
https://github.com/pytorch/pytorch); what each argument means is written here once. Anything else that looks like a
tensor is refused with its reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hallmarked.core.errors import FormatError
from hallmarked.formats.pickle.values import Call, Dict, Global, Persistent, Value
from hallmarked.transforms.tensor import DTYPES, MAX_BYTES, STORAGES, Storage, Tensor

UTILS = "torch._utils"
MAPPINGS = frozenset({("collections", "OrderedDict"), ("collections", "defaultdict")})
"""Calls that build a mapping."""

_PLAIN_TENSORS = frozenset(
    {
        ("torch", "Tensor"),
        ("torch._tensor", "Tensor"),
        ("torch.nn.parameter", "Parameter"),
        ("torch.nn.parameter", "Buffer"),
    }
)
_STORAGE_MODULES = frozenset({"torch", "torch.storage", "torch.cuda"})


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """A tensor a reader would get."""

    tensor: Tensor
    attributes: Value = None
    """State set on the tensor object besides its numbers, when there is any."""


def is_tensor(value: Value) -> bool:
    """Say whether a value is a call that rebuilds some kind of tensor, readable here or not."""
    target = value.target() if isinstance(value, Call) else None
    return target is not None and (
        (target[0] == UTILS and target[1].startswith("_rebuild_"))
        or target[1] in {"_rebuild_from_type_v2", "_rebuild_from_type"}
    )


def rebuild(call: Call, storages: Mapping[str, Storage]) -> Rebuilt:
    """Read the call that rebuilds a dense tensor.

    Args:
        call: The call.
        storages: Every storage of the file by its key.

    Raises:
        FormatError: When it is another kind of tensor, or its arguments are not what torch writes.
    """
    target = call.target()
    reader = _READERS.get(target) if target else None
    if reader is None:
        raise FormatError(_refusal(target), offset=call.offset)
    if call.kind != "reduce" or call.kwargs is not None or call.states or call.appended or call.items or call.added:
        raise FormatError("a tensor is changed after it was rebuilt", offset=call.offset)
    if type(call.args) is not tuple:
        raise FormatError("a tensor is rebuilt from something that is not fixed", offset=call.offset)
    return reader(call.args, storages)


def _refusal(target: tuple[str, str] | None) -> str:
    name = target[1] if target else "something computed"
    kinds = {"qtensor": "quantised", "sparse": "sparse", "nested": "nested", "meta": "without data (meta device)"}
    for part, kind in kinds.items():
        if part in name:
            return f"a tensor is {kind}, which cannot be converted without interpretation"
    return f"a tensor is rebuilt by {name}, which is not understood here"


def _arguments(args: tuple[Value, ...], least: int, most: int) -> None:
    if not least <= len(args) <= most:
        raise FormatError(f"a tensor is rebuilt from {len(args)} arguments")


def _dense(args: tuple[Value, ...], storages: Mapping[str, Storage]) -> Rebuilt:
    """``_rebuild_tensor(storage, offset, size, stride)``; v2 adds ``requires_grad, hooks[, metadata]``."""
    _arguments(args, 4, 7)
    storage, dtype = _storage(args[0], storages)
    return Rebuilt(_view(args, storage, dtype), _extras(args[5:7]))


def _typed(args: tuple[Value, ...], storages: Mapping[str, Storage]) -> Rebuilt:
    """``_rebuild_tensor_v3(storage, offset, size, stride, requires_grad, hooks, dtype[, metadata])``."""
    _arguments(args, 7, 8)
    storage, _ = _storage(args[0], storages)
    name = args[6].resolved if isinstance(args[6], Global) else ("", "")
    if name[0] != "torch":
        raise FormatError("the element type of a tensor is not one of torch")
    return Rebuilt(_view(args, storage, name[1]), _extras((args[5], *args[7:])))


def _parameter(args: tuple[Value, ...], storages: Mapping[str, Storage]) -> Rebuilt:
    """``_rebuild_parameter(data, requires_grad, hooks)``; another function adds ``state``."""
    _arguments(args, 3, 4)
    if not isinstance(args[0], Call):
        raise FormatError("a parameter is not made from a tensor")
    inner = rebuild(args[0], storages)
    return Rebuilt(inner.tensor, _first(inner.attributes, _extras(args[2:3]), *args[3:]))


def _from_type(args: tuple[Value, ...], storages: Mapping[str, Storage]) -> Rebuilt:
    """``_rebuild_from_type_v2(func, type, args, state)``: ``func(*args)``, then attributes."""
    _arguments(args, 4, 4)
    function, kind, inner, state = args
    if not isinstance(kind, Global) or kind.resolved not in _PLAIN_TENSORS:
        raise FormatError(
            f"a tensor is of a class of its own ({kind.label if isinstance(kind, Global) else 'unknown'})"
        )
    if not isinstance(function, Global):
        raise FormatError("a tensor is rebuilt by something computed")
    rebuilt = rebuild(Call("reduce", function, inner, function.offset), storages)
    return Rebuilt(rebuilt.tensor, _first(rebuilt.attributes, state))


_READERS: dict[tuple[str, str] | None, Callable[[tuple[Value, ...], Mapping[str, Storage]], Rebuilt]] = {
    (UTILS, "_rebuild_tensor"): _dense,
    (UTILS, "_rebuild_tensor_v2"): _dense,
    (UTILS, "_rebuild_tensor_v3"): _typed,
    (UTILS, "_rebuild_parameter"): _parameter,
    (UTILS, "_rebuild_parameter_with_state"): _parameter,
    ("torch._tensor", "_rebuild_from_type_v2"): _from_type,
    ("torch.tensor", "_rebuild_from_type_v2"): _from_type,
}


def storage_id(value: Value) -> tuple[str, str, int]:
    """Read the persistent id of a storage: key, name of its class, number of elements.

    Raises:
        FormatError: When it is not the id of a whole storage.
    """
    pid = value.pid if isinstance(value, Persistent) else None
    if type(pid) is tuple and pid[:1] == ("module",):
        raise FormatError("it holds a whole module with its code, not only weights")
    if type(pid) is not tuple or len(pid) not in {5, 6} or pid[0] != "storage" or pid[5:] not in {(), (None,)}:
        raise FormatError("a tensor is not on a storage of this file, or on a part of one")
    _, kind, key, _, count = pid[:5]
    if not isinstance(kind, Global) or kind.resolved[0] not in _STORAGE_MODULES or type(key) is not str:
        raise FormatError("a storage is named in a way torch does not write")
    if kind.resolved[1] not in STORAGES:
        raise FormatError(f"storages of the class {kind.resolved[1]} are not understood here")
    if type(count) is not int or not 0 <= count <= MAX_BYTES:
        raise FormatError("a storage has no size")
    return key, kind.resolved[1], count


def _storage(value: Value, storages: Mapping[str, Storage]) -> tuple[Storage, str]:
    key, kind, _ = storage_id(value)
    return storages[key], STORAGES[kind][0]


def _view(args: tuple[Value, ...], storage: Storage, dtype: str) -> Tensor:
    if dtype not in DTYPES:
        raise FormatError(f"safetensors has no element type for {dtype}")
    offset, shape, strides = args[1], _integers(args[2]), _integers(args[3])
    if type(offset) is not int:
        raise FormatError("the place of a tensor in its storage is not a number")
    return Tensor(storage, DTYPES[dtype], offset, shape, strides)


def _integers(value: Value) -> tuple[int, ...]:
    if isinstance(value, Call) and value.target() == ("torch", "Size") and type(value.args) is tuple and value.args:
        value = value.args[0]
    if type(value) not in {tuple, list} or any(type(number) is not int for number in value):
        raise FormatError("the shape of a tensor is not made of numbers")
    return tuple(value)


def _extras(parts: tuple[Value, ...]) -> Value:
    """Return what hooks and metadata add; metadata that change how the bytes are read are refused.

    Raises:
        FormatError: When the tensor is a lazily conjugated or negated view.
    """
    for part in parts:
        if isinstance(part, Dict) and any(part.get(bit) not in {None, False} for bit in ("conj", "neg")):
            raise FormatError("a tensor is a conjugated or negated view, its bytes are not its values")
    return _first(*parts)


def _first(*parts: Value) -> Value:
    """Return the first part that says anything."""
    return next((part for part in parts if not is_empty(part)), None)


def is_empty(value: Value) -> bool:
    """Say whether a value is None or an empty container."""
    if isinstance(value, Dict):
        return not value.items
    if isinstance(value, Call):
        return value.target() in MAPPINGS and not (value.items or value.states or _has_arguments(value))
    return value is None or (type(value) in {tuple, list} and all(is_empty(part) for part in value))


def _has_arguments(call: Call) -> bool:
    arguments: Any = call.args
    return type(arguments) is not tuple or any(not is_empty(part) for part in arguments)
