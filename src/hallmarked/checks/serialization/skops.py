"""skops archives: what does the schema make the loader import, and do its nodes mean what they say?

https://skops.readthedocs.io/en/stable/persistence.html. The schema is a tree of nodes; each names a loader, and a
module and class for it. A node whose loader uses something else than the names it shows has hidden code from reviewers
before (CVE-2025-54412, CVE-2025-54413), so the consistency of each kind is judged as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from hallmarked.checks.serialization.brief import brief
from hallmarked.checks.serialization.contract import Seen
from hallmarked.checks.serialization.vocabulary import danger, load, shown
from hallmarked.core.errors import FormatError
from hallmarked.core.evidence import Finding, Gap, Level, Location, Rule
from hallmarked.formats.blob import Blob, Budget
from hallmarked.formats.document import Path, read_json, walk

SKP001 = Rule(
    "SKP001",
    Level.ERROR,
    "The model asks for a function or class that can run programs or open files",
    "Do not load the file; report it to whoever hosts it.",
)
SKP002 = Rule(
    "SKP002",
    Level.ERROR,
    "A node of the schema hides what it would load",
    "Do not load the file, and do not trust the list of types that a loader shows for it.",
)
SKP003 = Rule(
    "SKP003",
    Level.WARNING,
    "The model needs a class or function that is not on the list of vetted ones",
    "Read the source of the named class or function before you tell the loader to trust it.",
)
SKP004 = Rule(
    "SKP004",
    Level.WARNING,
    "The archive was written by a newer or unknown writer",
    "Examine it again with a newer version of this tool.",
)
RULES = (SKP001, SKP002, SKP003, SKP004)

_NEWEST_PROTOCOL = 2
# Nodes whose class is fixed.
_FIXED = {
    "DictNode": {"builtins.dict", "collections.OrderedDict"},
    "DefaultDictNode": {"collections.defaultdict"},
    "ListNode": {"builtins.list"},
    "SetNode": {"builtins.set"},
    "TupleNode": {"builtins.tuple"},
    "BytesNode": {"builtins.bytes"},
    "BytearrayNode": {"builtins.bytearray"},
    "SliceNode": {"builtins.slice"},
    "DTypeNode": {"numpy.dtype"},
    "MaskedArrayNode": {"numpy.ma.MaskedArray", "numpy.ma.core.MaskedArray"},
    "RandomStateNode": {"numpy.random.mtrand.RandomState", "numpy.random.RandomState"},
    "RandomGeneratorNode": {"numpy.random._generator.Generator", "numpy.random.Generator"},
    "_DictWithDeprecatedKeysNode": {"sklearn.covariance._graph_lasso._DictWithDeprecatedKeys"},
}
# Nodes whose class must be on a list of the table.
_LISTED = {
    "JsonNode": ("primitive",),
    "NdArrayNode": ("dtype",),
    "SparseMatrixNode": ("sparse",),
    "ObjectNode": ("estimator", "internal", "helper"),
    "LossNode": ("loss",),
    "FunctionNode": ("ufunc", "function"),
    "TypeNode": ("primitive", "container", "dtype"),
}
# Nodes that call, or reach into, what other nodes hold: never vetted.
_OPEN = frozenset(
    {"PartialNode", "MethodNode", "OperatorFuncNode", "ConstructorFromReduceNode", "TreeNode", "QuantileForestNode"}
)
_KNOWN = frozenset(_FIXED) | frozenset(_LISTED) | _OPEN | {"CachedNode"}


@dataclass(frozen=True, slots=True)
class _Node:
    """One node of the schema."""

    state: dict[str, object]
    loader: str
    dotted: str
    path: Path
    location: Location

    def __str__(self) -> str:
        return f"the {shown(self.loader)} at {shown('/'.join(map(str, self.path)) or '(root)', 200)}"


@brief
def examine_skops(members: Mapping[str, Blob], budget: Budget) -> Iterator[Seen]:
    """Examine the members of a skops archive; all but the schema are yielded to be routed.

    Raises:
        FormatError: When the schema is missing or broken.
    """
    schema = members.get("schema.json")
    if schema is None:
        raise FormatError("no schema.json, without which nothing can be loaded")
    yield from (member for member in members.values() if member is not schema)
    document = read_json(schema.read_all(budget), budget, constants=True)
    location = Location(schema.path)
    if not isinstance(document, dict) or "__loader__" not in document:
        raise FormatError("skops schema without a root node")
    protocol = document.get("protocol")
    if type(protocol) is not int or protocol < 0:
        raise FormatError(f"skops protocol {shown(str(protocol))}")
    if protocol > _NEWEST_PROTOCOL:
        yield Finding.of(SKP004, f"the schema has protocol {protocol}", location)
        yield Gap(f"it is not known what a loader makes of protocol {protocol}", location)
    ids: dict[object, tuple[str, str]] = {}
    for path, state in walk(document):
        if isinstance(state, dict) and isinstance(state.get("__loader__"), str):
            node = _read_node(state, path, location)
            yield from _judge(node, members, budget)
            yield from _judge_identity(node, ids)


def _read_node(state: dict[str, object], path: Path, location: Location) -> _Node:
    module, name = state.get("__module__"), state.get("__class__")
    if not isinstance(module, str) or not isinstance(name, str):
        raise FormatError(f"skops node without a module or class at {shown('/'.join(map(str, path)), 200)}")
    return _Node(state, str(state["__loader__"]), f"{module}.{name}", path, location)


def _judge_identity(node: _Node, ids: dict[object, tuple[str, str]]) -> Iterator[Seen]:
    """A loader reuses the first node with an id and never looks at later ones, so they must show the same."""
    identity = node.state.get("__id__")
    if identity is None:
        return
    if not isinstance(identity, int | str):
        raise FormatError("skops node with an id that is neither number nor text")
    known = ids.get(identity)
    if node.loader == "CachedNode":
        if known is None:
            raise FormatError("skops node that refers to one that was not there before")
    elif known is None:
        ids[identity] = (node.loader, node.dotted)
    elif known != (node.loader, node.dotted):
        message = f"{node} shows {shown(node.dotted)} but has the id of a {known[0]} for {shown(known[1])}"
        yield Finding.of(SKP002, message, node.location)


def _judge(node: _Node, members: Mapping[str, Blob], budget: Budget) -> Iterator[Seen]:
    if node.loader not in _KNOWN:
        yield Finding.of(SKP004, f"{node} is of a kind that is not known", node.location)
        yield Gap(f"it is not known what {node} would do", node.location)
    file = node.state.get("file")
    if isinstance(file, str) and file not in members:
        raise FormatError(f"skops node names the member {shown(file)}, which is not there")
    if (reason := danger(node.dotted)) and node.loader not in ("OperatorFuncNode",):
        yield Finding.of(
            SKP001, f"{node} asks for {shown(node.dotted)}, which {reason}", node.location, name=node.dotted
        )
        yield Gap(f"it is not known what {shown(node.dotted)} would do", node.location)
    elif not _vetted(node):
        yield from _unknown(node, node.dotted)
    if special := _SPECIAL.get(node.loader):
        yield from special(node, budget)


def _vetted(node: _Node) -> bool:
    if node.loader in _FIXED:
        return node.dotted in _FIXED[node.loader]
    if node.loader in _LISTED:
        table = load("skops")["known"]
        arrays = node.loader == "NdArrayNode" and node.dotted == "numpy.ndarray"
        return arrays or any(node.dotted in table[kind]["names"] for kind in _LISTED[node.loader])
    return node.loader not in _OPEN


def _unknown(node: _Node, dotted: str) -> Iterator[Seen]:
    yield Finding.of(SKP003, f"{node} asks for {shown(dotted)}", node.location, name=dotted)
    yield Gap(f"it is not known what {shown(dotted)} would do", node.location)


def _judge_json(node: _Node, budget: Budget) -> Iterator[Seen]:
    """The content is JSON within JSON."""
    content = node.state.get("content")
    if not isinstance(content, str):
        raise FormatError("skops JsonNode without text")
    read_json(content.encode(), budget, constants=True)
    return iter(())


def _judge_operator(node: _Node, _budget: Budget) -> Iterator[Seen]:
    """The loader takes the function from the operator module, whatever module the node shows."""
    module, _, name = node.dotted.rpartition(".")
    if module != "operator":
        yield Finding.of(
            SKP002, f"{node} shows {shown(node.dotted)} but would call operator.{shown(name)}", node.location
        )
    if name not in ("attrgetter", "itemgetter", "methodcaller"):
        message = f"{node} would call operator.{shown(name)}, which no writer stores"
        yield Finding.of(SKP001, message, node.location, name=f"operator.{name}")


def _judge_method(node: _Node, _budget: Budget) -> Iterator[Seen]:
    """The loader takes the method from the object inside, whatever class the node shows."""
    content = node.state.get("content")
    inner = content.get("obj") if isinstance(content, dict) else None
    function = content.get("func") if isinstance(content, dict) else None
    if not isinstance(inner, dict) or not isinstance(function, str):
        raise FormatError("skops MethodNode without an object or a name")
    owner = f"{inner.get('__module__')}.{inner.get('__class__')}"
    if owner != node.dotted:
        yield Finding.of(SKP002, f"{node} shows {shown(node.dotted)} but reaches into {shown(owner)}", node.location)
    if reason := danger(f"{owner}.{function}"):
        message = f"{node} asks for {shown(owner)}.{shown(function)}, which {reason}"
        yield Finding.of(SKP001, message, node.location, name=f"{owner}.{function}")
    else:
        yield from _unknown(node, f"{owner}.{function}")


def _judge_generator(node: _Node, budget: Budget) -> Iterator[Seen]:
    """The class of the bit generator is text inside of the state, which the loader looks up and calls."""
    found: object = node.state
    for key in ("content", "bit_generator", "content", "bit_generator", "content"):
        found = found.get(key) if isinstance(found, dict) else None
    if not isinstance(found, str):
        raise FormatError("skops random generator without the name of its bit generator")
    name = read_json(found.encode(), budget)
    dotted = f"numpy.random.{name}"
    if dotted not in load("skops")["known"]["bit_generator"]["names"]:
        yield Finding.of(SKP002, f"{node} would call {shown(dotted)}, which is no bit generator", node.location)


_SPECIAL: Mapping[str, Callable[[_Node, Budget], Iterator[Seen]]] = {
    "JsonNode": _judge_json,
    "OperatorFuncNode": _judge_operator,
    "MethodNode": _judge_method,
    "RandomGeneratorNode": _judge_generator,
}
