"""PyTorch archives: state and weights (``torch.save``), TorchScript, and the old tar layout.

A ``torch.save`` archive is a pickle and raw storages; the pickle is examined with the sizes of the storages. A
TorchScript archive is read by another machine, which cannot import Python objects: its pickles may only name types of
the archive's own code and a few fixed helpers, and its code is judged by the operators it names.

Layout: https://docs.pytorch.org/docs/stable/notes/serialization.html and
https://github.com/pytorch/pytorch/blob/main/torch/csrc/jit/docs/serialization.md
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping
from functools import cache, partial
from importlib.resources import files

from hallmarked.checks.serialization.contract import Examiner, Known, Seen
from hallmarked.checks.serialization.pickle import examine_pickle, examine_torch_object
from hallmarked.core.errors import FormatError, LimitExceeded
from hallmarked.core.evidence import Finding, Gap, Level, Location, Measurement, Rule
from hallmarked.formats.blob import Blob, Budget
from hallmarked.formats.pickle.stream import evaluate
from hallmarked.formats.pickle.values import Global

TOR_ACCESS = Rule(
    "TOR001",
    Level.WARNING,
    "The TorchScript program reads or writes files, or reaches other machines",
    "Do not run it outside of an isolated environment: a model has no reason to do this.",
)
TOR_OPERATOR = Rule(
    "TOR002",
    Level.WARNING,
    "The TorchScript program uses operators that are not known to be harmless",
    "They come from a separate library that must be loaded first: audit that library.",
)
TOR_MEMBER = Rule(
    "TOR003",
    Level.NOTE,
    "A PyTorch archive has a member that PyTorch does not write",
    "It was looked at like any other file; ask what it is for.",
)
RULES = (TOR_ACCESS, TOR_OPERATOR, TOR_MEMBER)

MAX_CODE = 16 << 20
"""Bytes of one TorchScript source file."""
MAX_NESTING = 100
"""Brackets within brackets in TorchScript source; generated code stays far below."""

_ACCESS = frozenset(
    {"aten::from_file", "aten::save", "aten::load", "prim::rpc_async", "prim::rpc_sync", "prim::rpc_remote"}
)
_BUILTINS = frozenset(
    [
        "Exception",
        "abs",
        "all",
        "annotate",
        "any",
        "bool",
        "chr",
        "complex",
        "dict",
        "divmod",
        "enumerate",
        "fill",
        "filter",
        "float",
        "fork",
        "getattr",
        "hasattr",
        "hash",
        "hex",
        "int",
        "isinstance",
        "len",
        "list",
        "max",
        "min",
        "oct",
        "ord",
        "pow",
        "print",
        "range",
        "reversed",
        "round",
        "set",
        "sorted",
        "str",
        "sum",
        "super",
        "tuple",
        "unchecked_cast",
        "uninitialized",
        "unwrap_optional",
        "wait",
        "zip",
        "awaitable",
        "awaitable_nowait",
        "awaitable_wait",
    ]
)
_CLASSES = frozenset({"quantized", "sparse", "rnn"})
"""Namespaces of compiled classes that come with PyTorch itself and hold packed weights."""
_HELPERS = frozenset(
    {
        ("collections", "OrderedDict"),
        ("torch", "Size"),
        ("torch", "device"),
        ("torch._utils", "_rebuild_qtensor"),
        ("torch._utils", "_rebuild_sparse_tensor"),
        ("torch._utils", "_rebuild_tensor_v2"),
        ("torch._utils", "_rebuild_parameter"),
    }
)
_BOOKKEEPING = frozenset(
    {"version", "byteorder", ".format_version", ".storage_alignment", ".data/version", ".data/serialization_id"}
    | {"attributes.pkl", "model.json", "bytecode.pkl", "mobile_debug_handles.pkl", "producer_info.json"}
)


# -- which archives ------------------------------------------------------------------------------------------------


def roots(names: Collection[str], member: str) -> list[str]:
    """Return the folders (ending in a slash, or empty) that hold a member of a given name."""
    return [name[: -len(member)] for name in names if name == member or name.endswith(f"/{member}")]


def is_torch(names: Collection[str]) -> bool:
    """Say whether members look like what ``torch.save`` writes."""
    return bool(roots(names, "data.pkl")) and not is_torchscript(names)


def is_torchscript(names: Collection[str]) -> bool:
    """Say whether members look like a TorchScript archive; PyTorch itself goes by ``constants.pkl``."""
    return bool(roots(names, "constants.pkl"))


def is_npz(names: Collection[str]) -> bool:
    """Say whether members look like an archive of numpy arrays."""
    return bool(names) and all(name.endswith(".npy") for name in names)


def is_torch_tar(names: Collection[str]) -> bool:
    """Say whether members look like the tar layout that PyTorch wrote before 2017."""
    return {"pickle", "storages", "tensors"} <= set(names)


# -- torch.save ----------------------------------------------------------------------------------------------------


def examine_torch(members: Mapping[str, Blob], _: Budget) -> Iterator[Seen]:
    """Examine what ``torch.save`` wrote: the pickle with its storages, and that nothing else is in there."""
    expected: set[str] = set()
    for root in roots(members, "data.pkl"):
        storages = _under(members, f"{root}data/")
        yield from _raw(storages)
        sizes = {key: blob.size for key, blob in storages.items()}
        yield Known(members[f"{root}data.pkl"], "pickle", partial(_torch_object, sizes))
        expected |= (
            {f"{root}data.pkl"} | {f"{root}data/{key}" for key in storages} | {root + name for name in _BOOKKEEPING}
        )
    yield from _unexpected(members, expected)


def _torch_object(sizes: Mapping[str, int], blob: Blob, budget: Budget) -> Iterator[Seen]:
    yield from examine_torch_object(blob, budget, sizes)


def _under(members: Mapping[str, Blob], prefix: str) -> dict[str, Blob]:
    return {name[len(prefix) :]: blob for name, blob in members.items() if name.startswith(prefix)}


def _raw(storages: Mapping[str, Blob]) -> Iterator[Seen]:
    for blob in storages.values():
        yield Known(blob, "")


def _unexpected(members: Mapping[str, Blob], expected: set[str]) -> Iterator[Finding]:
    for name in members.keys() - expected:
        yield Finding.of(TOR_MEMBER, f"{name!r} has no place in a PyTorch archive", Location(members[name].path))


def examine_torch_tar(members: Mapping[str, Blob], _: Budget) -> Iterator[Seen]:
    """Examine the old tar layout; how its raw numbers are cut is decided by code that is not followed here."""
    blob = members["pickle"]
    yield Gap(
        f"{blob.path.rpartition('!')[0]} has the layout of 2017 and before, which is not followed", Location(blob.path)
    )


def examine_npz(_members: Mapping[str, Blob], _: Budget) -> Iterator[Seen]:
    """Examine an archive of arrays: each is examined on its own, and nothing more is read."""
    yield from ()


# -- TorchScript ---------------------------------------------------------------------------------------------------


def examine_torchscript(members: Mapping[str, Blob], _: Budget) -> Iterator[Seen]:
    """Examine a TorchScript archive: its pickles under its own reader's rules, and the operators of its code."""
    expected: set[str] = set()
    for root in roots(members, "constants.pkl"):
        pickles = [name[:-4] for name in _under(members, root) if name.endswith(".pkl") and "/" not in name]
        for kind in sorted({*pickles, "data", "constants"}):
            raw = _under(members, f"{root}{kind}/")
            yield from _raw(raw)
            expected |= {f"{root}{kind}/{key}" for key in raw} | {f"{root}{kind}.pkl"}
            if f"{root}{kind}.pkl" in members:
                yield Known(members[f"{root}{kind}.pkl"], "torchscript-pickle", examine_script_pickle)
        for name, blob in _under(members, f"{root}code/").items():
            kind, examiner = _code(name)
            yield Known(blob, kind, examiner)
            expected.add(f"{root}code/{name}")
        expected |= {root + name for name in _BOOKKEEPING} | {root + name for name in _under(members, f"{root}extra/")}
    yield from _unexpected(members, expected)


def _code(name: str) -> tuple[str, Examiner]:
    return (
        ("torchscript-code", examine_script) if name.endswith(".py") else ("torchscript-pickle", examine_script_pickle)
    )


def examine_script_pickle(blob: Blob, budget: Budget) -> Iterator[Seen]:
    """Examine a pickle that TorchScript's own reader loads.

    That reader resolves names to types of the archive's code and to fixed helpers, never to Python objects. A pickle
    that names anything else is examined as an ordinary one.

    Raises:
        FormatError: When it cannot be followed to its end.
    """
    result = evaluate(blob, budget)
    foreign = [name for name in result.trace.globals if not _is_script_name(name)]
    if foreign:
        yield from examine_pickle(blob, budget)
        return
    result.require()
    if result.trace.unknown or result.trace.misuses:
        yield Gap(f"{blob.path} does things that TorchScript does not write", Location(blob.path))
    if result.end != blob.size:
        raise FormatError("bytes follow the end of the pickle", offset=result.end)


def _is_script_name(name: Global) -> bool:
    module, attribute = name.module, name.name
    dotted = f"{module}.{attribute}"
    if module.split(".")[0] == "__torch__":
        return _class_is_known(dotted)
    if module == "torch.jit._pickle":
        return attribute.startswith(("build_", "restore_type_tag"))
    is_type = module == "torch" and (attribute.endswith("Storage") or attribute in _dtypes())
    return is_type or (module, attribute) in _HELPERS


def _dtypes() -> frozenset[str]:
    return frozenset(
        [
            "bool",
            "uint8",
            "int8",
            "int16",
            "int32",
            "int64",
            "float16",
            "bfloat16",
            "float32",
            "float64",
            "complex32",
            "complex64",
            "complex128",
            "qint8",
            "quint8",
            "qint32",
            "float8_e4m3fn",
            "float8_e5m2",
            "per_tensor_affine",
            "per_channel_affine",
            "per_channel_affine_float_qparams",
            "strided",
        ]
    )


def _class_is_known(dotted: str) -> bool:
    """Say whether a type is the archive's own, or a compiled class that comes with PyTorch."""
    prefix = "__torch__.torch.classes."
    return not dotted.startswith(prefix) or dotted[len(prefix) :].split(".", maxsplit=1)[0] in _CLASSES


@cache
def _operators() -> frozenset[str]:
    text = files(__package__).joinpath("torchscript_operators.txt").read_text("utf-8")
    return frozenset(line for line in text.splitlines() if not line.startswith("#"))


def examine_script(blob: Blob, budget: Budget) -> Iterator[Seen]:
    """Examine TorchScript source by the operators it names; it is parsed, never compiled or run.

    Raises:
        FormatError: When it cannot be parsed.
    """
    used = script_operators(blob, budget)
    where = Location(blob.path)
    access = sorted(used & _ACCESS)
    unknown = sorted(name for name in used - _ACCESS if name not in _operators())
    for name in access:
        message = f"The TorchScript code calls {name}, which reads or writes files or reaches other machines"
        yield Finding.of(TOR_ACCESS, message, where, operator=name)
        yield Gap(f"{blob.path} calls {name}", where)
    for name in unknown[:20]:
        message = f"The TorchScript code uses {name}, which is not known to be harmless"
        yield Finding.of(TOR_OPERATOR, message, where, operator=name)
    if unknown:
        more = f" and {len(unknown) - 3} more" if len(unknown) > 3 else ""
        yield Gap(f"{blob.path} uses {', '.join(unknown[:3])}{more}, which are not known to be harmless", where)
    yield Measurement("torchscript.operators", str(len(used)), slice={"path": blob.path})


def script_operators(blob: Blob, budget: Budget) -> frozenset[str]:
    """Return the operators, functions and compiled classes that TorchScript source names, as ``namespace::name``.

    Raises:
        FormatError: When the source cannot be parsed.
    """
    if blob.size > MAX_CODE:
        raise LimitExceeded(f"TorchScript source of {blob.size:,} bytes")
    source = blob.read_all(budget)
    _check_nesting(source)
    try:
        tree = ast.parse(source)
        names = set(_names(tree, budget))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise FormatError(f"TorchScript source cannot be parsed: {error}") from error
    return frozenset(names)


def _check_nesting(source: bytes) -> None:
    depth = 0
    for byte in source.translate(None, bytes(set(range(256)) - set(b"()[]{}"))):
        depth += 1 if byte in b"([{" else -1
        if depth > MAX_NESTING:
            raise LimitExceeded(f"TorchScript source nests deeper than {MAX_NESTING}")


def _names(tree: ast.AST, budget: Budget) -> Iterator[str]:
    bound = set(_bound(tree))
    # ``a.b`` within ``a.b.c`` is no name of its own
    inner = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    for node in ast.walk(tree):
        budget.spend("nodes")
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            # a variable can only hold a function of the archive itself, whose code is looked at as well
            if node.func.id not in _BUILTINS and node.func.id not in bound:
                yield f"::{node.func.id}"
        elif isinstance(node, ast.Attribute) and id(node) not in inner:
            yield from _operator(_dotted(node))


def _bound(tree: ast.AST) -> Iterator[str]:
    """Return the names that the source gives a value, and the classes it defines."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.ClassDef):
            yield node.name


def _operator(dotted: str) -> Iterator[str]:
    """Return the operator or compiled class that a chain of names stands for, wherever it is used."""
    root, _, rest = dotted.partition(".")
    if root == "torch":
        yield f"prim::{rest}" if f"prim::{rest}" in _operators() else f"aten::{rest}"
    elif root == "ops" and "." in rest:
        yield "::".join(rest.split(".", 1))
    elif not _class_is_known(dotted):
        yield f"classes::{dotted.removeprefix('__torch__.torch.classes.')}"


def _dotted(node: ast.expr) -> str:
    """Return ``a.b.c`` for a plain chain of names, else nothing: then it is a method of a value."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""
