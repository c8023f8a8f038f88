"""TensorFlow graphs: operations that reach Python, files or the network, operations from elsewhere, assets, objects.

A graph is a program for TensorFlow's own machine. Loading a SavedModel runs its initialisers and calling it runs the
rest, so what the operations reach is what the file can do. Writing checkpoints and reading vocabularies from assets is
ordinary; opening any other file, calling into Python or talking to a server is not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources

from hallmarked.checks.serialization.contract import Reference, Seen
from hallmarked.core.evidence import Finding, Gap, Level, Location, Measurement, Rule
from hallmarked.formats.blob import Blob, Budget
from hallmarked.formats.savedmodel import Graphs, Node, leaves, read_graphs

TFS_PYTHON = Rule(
    "TFS001",
    Level.WARNING,
    "The graph calls Python functions of the program that loads it",
    "Ask what the functions are, or export the model again without tf.py_function and tf.numpy_function.",
)
TFS_WRITE = Rule(
    "TFS002",
    Level.ERROR,
    "The graph can write files of its own choosing",
    "Do not run this model. Weights never need to write files; ask for an export without these operations.",
)
TFS_READ = Rule(
    "TFS003",
    Level.WARNING,
    "The graph opens files or databases",
    "Make sure that callers cannot choose the path and that it stays in the model's folder, or export without the input"
    " pipeline.",
)
TFS_NETWORK = Rule(
    "TFS004",
    Level.WARNING,
    "The graph talks to other computers",
    "Export the model again without data services, remote calls and debugging.",
)
TFS_CUSTOM = Rule(
    "TFS005",
    Level.WARNING,
    "The graph uses operations that are not part of TensorFlow",
    "They come from a library that has to be loaded first: find out which one, and who made it.",
)
TFS_PATH = Rule(
    "TFS006",
    Level.WARNING,
    "A file operation uses a path that leaves the model's folder",
    "Do not run this model before you know why the path is there.",
)

RULES = (TFS_PYTHON, TFS_WRITE, TFS_READ, TFS_NETWORK, TFS_CUSTOM, TFS_PATH)

_CLASSES = (
    (TFS_PYTHON, "python", "calls Python functions"),
    (TFS_WRITE, "write", "can write files"),
    (TFS_READ, "open", "opens files"),
    (TFS_NETWORK, "network", "talks to servers"),
)
_FILES = frozenset({"checkpoint", "open", "write"})


def examine_savedmodel(blob: Blob, budget: Budget) -> Iterator[Seen]:
    """Examine a SavedModel, GraphDef, MetaGraphDef or Keras metadata file.

    Raises:
        FormatError: When it is none of them, or broken.
    """
    graphs = read_graphs(blob, budget, lambda op: bool(known_operations().get(op)))
    used = dict(graphs.ops)
    for name in graphs.called - graphs.functions:
        used.setdefault(name, 1)
    # A function does not hide an operation of the same name.
    used = {op: count for op, count in used.items() if op not in graphs.functions or op in known_operations()}
    yield from _classes(blob, used)
    yield from _paths(blob, graphs)
    yield from _foreign(blob, used)
    for asset in graphs.assets:
        yield Reference(f"assets/{asset}", Location(blob.path))
    for number, (identifier, data) in enumerate(graphs.metadata):
        yield Blob.of_bytes(f"{blob.path}!{_plain(identifier)}.{number}", data, blob.depth + 1)
    yield Measurement("operations", str(sum(graphs.ops.values())), slice={"path": blob.path})


def _plain(text: str) -> str:
    return "".join(character if character.isalnum() or character in "_-." else "_" for character in text[:60])


def _classes(blob: Blob, used: dict[str, int]) -> Iterator[Finding | Gap]:
    known = known_operations()
    for rule, reach, does in _CLASSES:
        found = sorted(op for op in used if known.get(op) == reach)
        if found:
            names = ", ".join(f"{op} ({used[op]} times)" if used[op] > 1 else op for op in found)
            message = f"The graph in {blob.path} {does} with {names}."
            yield Finding.of(rule, message, Location(blob.path), operations=",".join(found))
            yield Gap(f"What {', '.join(found)} in {blob.path} would do depends on more than the file.")
    opaque = sorted(op for op in used if known.get(op) == "opaque")
    if opaque:
        yield Gap(f"{', '.join(opaque)} in {blob.path} hold programs that are not read.", Location(blob.path))


def _paths(blob: Blob, graphs: Graphs) -> Iterator[Finding | Gap]:
    for nodes in graphs.nodes.values():
        constants = {node.name: node.texts["value"] for node in nodes if node.op == "Const"}
        for node in nodes:
            reach = known_operations().get(node.op)
            if reach == "print":
                yield from _streams(blob, node)
            elif reach in _FILES:
                for name in node.inputs:
                    for path in filter(leaves, constants.get(_source(name), ())):
                        message = f"{node.op} in {blob.path} uses the path {path[:200]!r}."
                        yield Finding.of(TFS_PATH, message, Location(blob.path), operation=node.op, path=path[:500])
                        yield Gap(f"{node.op} in {blob.path} reaches a file outside of the model.")


def _source(name: str) -> str:
    return name.lstrip("^").split(":", 1)[0]


def _streams(blob: Blob, node: Node) -> Iterator[Finding | Gap]:
    for target in (text for texts in node.texts.values() for text in texts):
        place = Location(blob.path)
        if target.startswith("file:"):
            yield Finding.of(
                TFS_PATH, f"{node.op} in {blob.path} writes to {target[:200]!r}.", place, path=target[:500]
            )
            yield Gap(f"{node.op} in {blob.path} writes to a file.")
        elif "://" in target:
            yield Finding.of(TFS_NETWORK, f"{node.op} in {blob.path} sends to {target[:200]!r}.", place)
            yield Gap(f"{node.op} in {blob.path} sends data elsewhere.")


def _foreign(blob: Blob, used: dict[str, int]) -> Iterator[Finding | Gap]:
    foreign = sorted(op for op in used if op not in known_operations())
    if foreign:
        names = ", ".join(op[:80] for op in foreign[:8]) + (", …" if len(foreign) > 8 else "")
        message = f"The graph in {blob.path} uses {len(foreign)} operations that TensorFlow does not have: {names}."
        yield Finding.of(TFS_CUSTOM, message, Location(blob.path), operations=",".join(foreign)[:2000])
        yield Gap(f"What {names} in {blob.path} does is not in the file.")


@cache
def known_operations() -> Mapping[str, str]:
    """Return the operations that TensorFlow registers, each with what it reaches beyond the graph (mostly nothing)."""
    text = resources.files(__package__).joinpath("tensorflow_ops.txt").read_text("utf-8")
    lines = (line.split() for line in text.splitlines() if line and not line.startswith("#"))
    return {words[0]: words[1] if len(words) > 1 else "" for words in lines}
