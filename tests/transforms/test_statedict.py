"""The weights of a checkpoint are found where that is unambiguous, and refused where it is not."""

from __future__ import annotations

from typing import Any

import pytest

from hallmarked.core.errors import FormatError, InputError, LimitExceeded
from hallmarked.formats.pickle.values import Call, Dict, Global, Persistent, Set, Value
from hallmarked.transforms.statedict import Weights, find_weights

FLOATS = Global("torch", "FloatStorage", 0, 2)
HOOKS = Call("reduce", Global("collections", "OrderedDict", 0, 2), (), 0)


def rebuilding(name: str, *args: Value, module: str = "torch._utils") -> Call:
    """A call of one of torch's functions."""
    return Call("reduce", Global(module, name, 0, 2), args, 0)


def tensor(*extra: Value, shape: Value = (2,), stride: Value = (1,), kind: Global = FLOATS, view: Any = ()) -> Call:
    """What torch writes for a tensor."""
    storage = Persistent(("storage", kind, "0", "cpu", 8, *view), 0)
    return rebuilding("_rebuild_tensor_v2", storage, 0, shape, stride, False, HOOKS, *extra)


def typed(module: str, name: str) -> Call:
    """A tensor of a class, as torch writes those with attributes."""
    inner = tensor()
    kind = Global(module, name, 0, 2)
    return rebuilding("_rebuild_from_type_v2", inner.func, kind, inner.args, Dict(), module="torch._tensor")


def mapping(**entries: Value) -> Dict:
    """A dict as the machine builds it."""
    return Dict([part for pair in entries.items() for part in pair])


def names(weights: Weights) -> tuple[list[str], list[str]]:
    """Names of what was taken, and of what was left out."""
    return list(weights.tensors), [entry.name for entry in weights.dropped]


NOT_WEIGHTS = mapping(state=Dict([0, mapping(step=tensor())]), param_groups=[mapping(lr=0.1)])

FOUND = {
    "plain": (mapping(a=tensor(), b=tensor()), ["a", "b"], []),
    "with plain data": (
        mapping(a=tensor(), epoch=3, note="x", tags=Set([1], frozen=False)),
        ["a"],
        ["epoch", "note", "tags"],
    ),
    "wrapped": (mapping(epoch=3, state_dict=mapping(a=tensor())), ["a"], ["epoch"]),
    "wrapped twice": (mapping(model=mapping(state_dict=mapping(a=tensor()))), ["a"], []),
    "beside optimiser state": (mapping(model=mapping(a=tensor()), optimizer=NOT_WEIGHTS), ["a"], ["optimizer"]),
    "beside a loose tensor": (mapping(model=mapping(a=tensor()), rng=tensor()), ["a"], ["rng"]),
    "under an unusual key": (mapping(acme=mapping(a=tensor()), lr=0.1), ["a"], ["lr"]),
    "beside a copy": (mapping(model=mapping(a=tensor()), ema=mapping(a=tensor())), ["a"], ["ema"]),
    "nested": (mapping(encoder=mapping(a=tensor()), decoder=mapping(a=tensor())), ["encoder.a", "decoder.a"], []),
    "a key set twice": (Dict(["a", 1, "a", tensor()]), ["a"], []),
    "a tensor with attributes": (mapping(a=typed("torch", "Tensor")), ["a"], []),
    "an empty part": (mapping(a=tensor(), b=Dict()), ["a"], ["b"]),
}


@pytest.mark.parametrize("case", FOUND)
def test_weights_are_found(case: str) -> None:
    """Each common layout gives its weights, and a list of everything else."""
    root, taken, dropped = FOUND[case]
    assert names(find_weights(root)) == (taken, dropped)


REFUSED = {
    "a tensor without a name": (tensor(), "not tensors by name"),
    "a list": ([tensor()], "not tensors by name"),
    "nothing": (Dict(), "no tensors"),
    "only optimiser state": (NOT_WEIGHTS, "neither a tensor nor plain data"),
    "an object": (rebuilding("Net", module="acme"), "acme.Net"),
    "an object among tensors": (mapping(a=tensor(), b=rebuilding("array", module="acme")), "acme.array"),
    "two sets and a loose tensor": (mapping(x=mapping(a=tensor()), y=mapping(a=tensor()), z=tensor(), n=1), "select"),
    "two usual keys": (mapping(model=mapping(a=tensor()), state_dict=mapping(a=tensor())), "select"),
    "two names that join to one": (Dict(["a.b", tensor(), "a", mapping(b=tensor())]), "two tensors"),
    "a number as name": (Dict(["a", tensor(), 1, tensor()]), "not text"),
    "quantised": (mapping(a=rebuilding("_rebuild_qtensor")), "quantised"),
    "sparse": (mapping(a=rebuilding("_rebuild_sparse_tensor")), "sparse"),
    "without data": (mapping(a=rebuilding("_rebuild_meta_tensor_no_storage")), "without data"),
    "unknown": (mapping(a=rebuilding("_rebuild_something_new")), "_rebuild_something_new"),
    "conjugated": (mapping(a=tensor(mapping(conj=True))), "conjugated"),
    "outside of its storage": (mapping(a=tensor(shape=(9,))), "end of its storage"),
    "negative stride": (mapping(a=tensor(stride=(-1,))), "strides"),
    "a type the format lacks": (mapping(a=tensor(kind=Global("torch", "ComplexDoubleStorage", 0, 2))), "complex128"),
    "part of a storage": (mapping(a=tensor(view=(("1", 0, 4),))), "part of another"),
    "a class of its own": (mapping(a=typed("acme", "T")), "acme.T"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_certain_is_refused(case: str) -> None:
    """Each case is refused with a reason that names it."""
    root, reason = REFUSED[case]
    with pytest.raises(FormatError, match=reason):
        find_weights(root)


def test_a_tensor_that_is_changed_after_it_was_rebuilt_is_refused() -> None:
    """A state given to a tensor may replace what its arguments say."""
    changed = tensor()
    changed.states.append((0, (2,), (1,)))
    with pytest.raises(FormatError, match="changed"):
        find_weights(mapping(a=changed))


def test_the_caller_can_select_a_part() -> None:
    """Where several sets are meant the caller chooses; a key without weights is the caller's mistake."""
    root = mapping(x=mapping(a=tensor()), y=mapping(b=tensor()), z=tensor(), n=1)
    assert names(find_weights(root, select="y")) == (["b"], ["x", "z", "n"])
    with pytest.raises(InputError, match="x, y"):
        find_weights(root, select="n")


def test_attributes_are_listed() -> None:
    """What parameters and mappings carry besides numbers is named as left out."""
    parameter = rebuilding("_rebuild_parameter_with_state", tensor(), True, HOOKS, mapping(tag="x"))
    plain = rebuilding("_rebuild_parameter", tensor(), True, HOOKS)
    root = Call("reduce", Global("collections", "OrderedDict", 0, 2), (), 0)
    root.items = ["a", parameter, "b", plain]
    root.states.append(mapping(_metadata=mapping(x=1)))
    assert names(find_weights(root)) == (["a", "b"], ["_metadata", "a"])


def test_pairs_given_to_an_ordered_dict_count() -> None:
    """The way in which Python 2 wrote such mappings is understood."""
    root = Call("reduce", Global("collections", "OrderedDict", 0, 2), ([["a", tensor()]],), 0)
    assert names(find_weights(root)) == (["a"], [])


def test_shared_nesting_is_not_unfolded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few mappings that refer to each other many times are refused before their names fill the memory."""
    monkeypatch.setattr("hallmarked.transforms.statedict.MAX_ENTRIES", 10_000)
    inner = mapping(a=tensor())
    for _ in range(12):
        inner = mapping(**{f"k{i}": inner for i in range(10)})
    with pytest.raises(LimitExceeded):
        find_weights(inner)


def test_cycles_and_depth_end() -> None:
    """A mapping within itself, or within very many, is refused."""
    cycle = Dict()
    cycle.items += ["state_dict", cycle, "a", tensor()]
    with pytest.raises(LimitExceeded):
        find_weights(cycle)
    deep = mapping(a=tensor())
    for _ in range(2000):
        deep = mapping(x=deep)
    with pytest.raises(LimitExceeded):
        find_weights(deep)
