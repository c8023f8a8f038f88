"""Understand the calls with which torch rebuilds tensors, without making them.

The calls are those that torch writes (``torch/_tensor.py``, ``torch/_utils.py`` in
https://github.com/pytorch/pytorch); what each argument means is written here once. Anything else that looks like a
tensor is refused with its reason.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hallmarked.core.errors import FormatError
from hallmarked.formats.pickle.tensor import read_tensor
from hallmarked.formats.pickle.values import Call, Dict, Global, Value
from hallmarked.transforms.tensor import Tensor

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


def rebuild(call: Call) -> Rebuilt:
    """Read the call that rebuilds a dense tensor.

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
    return reader(call)


def _refusal(target: tuple[str, str] | None) -> str:
    name = target[1] if target else "something computed"
    kinds = {"qtensor": "quantised", "sparse": "sparse", "nested": "nested", "meta": "without data (meta device)"}
    for part, kind in kinds.items():
        if part in name:
            return f"a tensor is {kind}, which cannot be converted without interpretation"
    return f"a tensor is rebuilt by {name}, which is not understood here"


def _arguments(call: Call, least: int, most: int) -> None:
    if not least <= len(call.args) <= most:
        raise FormatError(f"a tensor is rebuilt from {len(call.args)} arguments", offset=call.offset)


def _dense(call: Call) -> Rebuilt:
    """``_rebuild_tensor(storage, offset, size, stride)``; v2 adds ``requires_grad, hooks[, metadata]``."""
    _arguments(call, 4, 7)
    return Rebuilt(Tensor.of(read_tensor(call)), _extras(call.args[5:]))


def _typed(call: Call) -> Rebuilt:
    """``_rebuild_tensor_v3(storage, offset, size, stride, requires_grad, hooks, dtype[, metadata])``."""
    _arguments(call, 7, 8)
    return Rebuilt(Tensor.of(read_tensor(call)), _extras((call.args[5], *call.args[7:])))


def _parameter(call: Call) -> Rebuilt:
    """``_rebuild_parameter(data, requires_grad, hooks)``; another function adds ``state``."""
    _arguments(call, 3, 4)
    args = call.args
    if not isinstance(args[0], Call):
        raise FormatError("a parameter is not made from a tensor")
    inner = rebuild(args[0])
    return Rebuilt(inner.tensor, _first(inner.attributes, _extras(args[2:3]), *args[3:]))


def _from_type(call: Call) -> Rebuilt:
    """``_rebuild_from_type_v2(func, type, args, state)``: ``func(*args)``, then attributes."""
    _arguments(call, 4, 4)
    function, kind, inner, state = call.args
    if not isinstance(kind, Global) or kind.resolved not in _PLAIN_TENSORS:
        raise FormatError(
            f"a tensor is of a class of its own ({kind.label if isinstance(kind, Global) else 'unknown'})"
        )
    if not isinstance(function, Global):
        raise FormatError("a tensor is rebuilt by something computed")
    rebuilt = rebuild(Call("reduce", function, inner, call.offset))
    return Rebuilt(rebuilt.tensor, _first(rebuilt.attributes, state))


_READERS: dict[tuple[str, str] | None, Callable[[Call], Rebuilt]] = {
    (UTILS, "_rebuild_tensor"): _dense,
    (UTILS, "_rebuild_tensor_v2"): _dense,
    (UTILS, "_rebuild_tensor_v3"): _typed,
    (UTILS, "_rebuild_parameter"): _parameter,
    (UTILS, "_rebuild_parameter_with_state"): _parameter,
    ("torch._tensor", "_rebuild_from_type_v2"): _from_type,
    ("torch.tensor", "_rebuild_from_type_v2"): _from_type,
}


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
