"""Which tensors PyTorch checkpoints and NumPy archives hold, found without loading anything.

Layouts of checkpoints (https://docs.pytorch.org/docs/stable/notes/serialization.html): a zip archive with
``<name>/data.pkl`` and one member ``<name>/data/<key>`` per storage, or before version 1.6 five pickles followed by the
storages. What the pickle builds is evaluated symbolically (see ``pickle``); tensors are taken from mappings by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from hallmarked.core.errors import FormatError, LimitExceeded
from hallmarked.formats.archive.model import Entry
from hallmarked.formats.archive.zip import read_zip
from hallmarked.formats.blob import Blob, Budget
from hallmarked.formats.npy import MAGIC as NPY_MAGIC
from hallmarked.formats.pickle.stream import evaluate
from hallmarked.formats.pickle.tensor import ITEM_SIZES, TensorRef, read_tensor
from hallmarked.formats.pickle.torchfile import evaluate_legacy, is_magic
from hallmarked.formats.pickle.values import Call, Dict, Value
from hallmarked.formats.tensor import Tensor, npy_tensors

_ZIP = b"PK\x03\x04"
_DATA = "/data.pkl"
_MAX_DEPTH = 50
_WRAPPERS = ("state_dict", "model_state_dict", "model", "module", "net", "network", "params", "weights")
"""Keys under which training frameworks put the weights beside other things, the first that is there."""
_BESIDE = ("optim", "sched", "scaler")
"""Beginnings of keys for what training needs and the model does not."""
_MAPPINGS = frozenset({("collections", "OrderedDict"), ("collections", "defaultdict")})
_REBUILD = "_rebuild_"
_NAMES: Mapping[str, str] = {
    "bfloat16": "bf16", "bool": "bool", "complex128": "c128", "complex32": "c32", "complex64": "c64",
    "float16": "f16", "float32": "f32", "float64": "f64", "float4_e2m1fn_x2": "f4x2",
    "float8_e4m3fn": "f8_e4m3", "float8_e8m0fnu": "f8_e8m0", "float8_e4m3fnuz": "f8_e4m3fnuz",
    "float8_e5m2": "f8_e5m2", "float8_e5m2fnuz": "f8_e5m2fnuz", "int8": "i8", "int16": "i16", "int32": "i32",
    "int64": "i64", "uint8": "u8", "uint16": "u16", "uint32": "u32", "uint64": "u64",
}  # fmt: skip

Places = Mapping[str, tuple[str, int | None]]
"""Where each storage begins, by its key: path and offset, which is unknown when it is compressed."""


def is_torch(blob: Blob) -> bool:
    """Say whether a blob is a checkpoint in either layout, by content."""
    head = blob.head(64)
    if head.startswith(_ZIP):
        return _is_layout(blob, lambda names: sum(n.count("/") == 1 and n.endswith(_DATA) for n in names) == 1)
    return head[:1] == b"\x80" and is_magic(evaluate(Blob.of_bytes(blob.path, head), Budget(len(head))))


def is_npz(blob: Blob) -> bool:
    """Say whether a blob is an archive of arrays, by content."""
    return blob.head(4) == _ZIP and _is_layout(blob, lambda names: all(n.endswith(".npy") for n in names))


def torch_tensors(blob: Blob, budget: Budget) -> list[Tensor]:
    """Return the weights of a checkpoint; none when it holds something else than tensors by name.

    Raises:
        FormatError: When it is broken, or readers would disagree about it.
    """
    root, places = _open_zip(blob, budget) if blob.head(4) == _ZIP else _open_legacy(blob, budget)
    return [_place(name, ref, places) for name, ref in _weights(root, budget)]


def npz_tensors(blob: Blob, budget: Budget) -> list[Tensor]:
    """Return the arrays of a NumPy archive.

    Raises:
        FormatError: When it is broken, or readers would disagree about it.
    """
    found: list[Tensor] = []
    for entry in _entries(blob, budget).values():
        member = _content(blob, entry)
        if member.head(len(NPY_MAGIC)) == NPY_MAGIC:
            for tensor in npy_tensors(replace(member, path=f"{blob.path}!{entry.name}"), budget):
                lies = entry.at is not None and tensor.offset is not None
                offset = (entry.at or 0) + (tensor.offset or 0) if lies else None
                found.append(replace(tensor, path=blob.path, offset=offset))
    return found


def _is_layout(blob: Blob, fits: Callable[[list[str]], bool]) -> bool:
    try:
        names = [entry.name for entry in read_zip(blob, Budget(blob.size)).entries]
    except FormatError:
        return False
    return bool(names) and fits(names)


def _entries(blob: Blob, budget: Budget) -> dict[str, Entry]:
    listing = read_zip(blob, budget)
    if listing.irregularities:
        raise FormatError(f"the archive is irregular: {listing.irregularities[0].message}")
    return {entry.name: entry for entry in listing.entries}


def _content(blob: Blob, entry: Entry) -> Blob:
    if entry.at is not None:
        return blob.window(entry.at, entry.size, entry.name)
    if entry.expand is None:
        raise FormatError(f"member {entry.name} cannot be read: {entry.unreadable}")
    return entry.expand().blob


def _open_zip(blob: Blob, budget: Budget) -> tuple[Value, Places]:
    members = _entries(blob, budget)
    pickles = [name for name in members if name.count("/") == 1 and name.endswith(_DATA)]
    if len(pickles) != 1:
        raise FormatError("an archive without the one pickle of a checkpoint")
    prefix = pickles[0].removesuffix("data.pkl")
    order = members.get(f"{prefix}byteorder")
    little = order is None or _content(blob, order).head(8).strip() == b"little"
    places = {
        name.removeprefix(f"{prefix}data/"): (blob.path, entry.at if little else None)
        for name, entry in members.items()
        if name.startswith(f"{prefix}data/")
    }
    return evaluate(_content(blob, members[pickles[0]]), budget).require(), places


def _open_legacy(blob: Blob, budget: Budget) -> tuple[Value, Places]:
    legacy = evaluate_legacy(blob, budget)
    if legacy.error is not None:
        raise legacy.error
    return legacy.root, {key: (blob.path, offset) for key, (offset, _) in legacy.storages.items()}


def _place(name: str, ref: TensorRef, places: Places) -> Tensor:
    item = ITEM_SIZES[ref.dtype]
    path, start = places.get(ref.storage.key, ("", None))
    offset = None
    if start is not None and ref.contiguous:
        view = ref.storage.view[1] * ITEM_SIZES[ref.storage.dtype] if ref.storage.view else 0
        offset = start + view + ref.offset * item
    return Tensor(name, _NAMES.get(ref.dtype, ref.dtype), ref.shape, path, offset, ref.count * item)


def _weights(root: Value, budget: Budget) -> Iterator[tuple[str, TensorRef]]:
    """Return the tensors of the part of a checkpoint that is the model."""
    pairs = dict(_pairs(root))
    for key in _WRAPPERS:
        found = list(_named(pairs.get(key), "", 0, budget))
        if found:
            yield from found
            return
    for key, value in pairs.items():
        if not key.startswith(_BESIDE):
            yield from _one(key, value, 0, budget)


def _named(mapping: Value, prefix: str, depth: int, budget: Budget) -> Iterator[tuple[str, TensorRef]]:
    for key, value in _pairs(mapping):
        yield from _one(f"{prefix}{key}", value, depth, budget)


def _one(name: str, value: Value, depth: int, budget: Budget) -> Iterator[tuple[str, TensorRef]]:
    budget.spend("nodes")
    if depth > _MAX_DEPTH:
        raise LimitExceeded("mappings nested too deeply")
    tensor = _tensor(value, 0)
    if tensor is not None:
        yield name, tensor
    else:
        yield from _named(value, f"{name}.", depth + 1, budget)


def _pairs(value: Value) -> Iterator[tuple[str, Value]]:
    """Return the entries of a mapping whose key is text, each key once with the value that counts."""
    if isinstance(value, Dict) or (isinstance(value, Call) and value.target() in _MAPPINGS):
        yield from {key: item for key, item in value.pairs() if type(key) is str}.items()


def _tensor(value: Value, depth: int) -> TensorRef | None:
    """Return the tensor that a call rebuilds, looking into parameters and subclasses; nothing when it is none."""
    target = value.target() if isinstance(value, Call) else None
    if target is None or not target[1].startswith(_REBUILD) or depth > 4:
        return None
    assert isinstance(value, Call)
    args = value.args if type(value.args) is tuple else ()
    if target[1].startswith("_rebuild_parameter"):
        return _tensor(args[0], depth + 1) if args else None
    if target[1].startswith("_rebuild_from_type") and len(args) > 2:
        return _tensor(Call("reduce", args[0], args[2], value.offset), depth + 1)
    if not target[1].startswith(("_rebuild_tensor", "_rebuild_qtensor")):
        return None
    return read_tensor(value)
