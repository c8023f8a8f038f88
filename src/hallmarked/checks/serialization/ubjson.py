"""Models of XGBoost in UBJSON or JSON: do the values fit the file, and do the trees stay inside of themselves?

https://xgboost.readthedocs.io/en/stable/tutorials/saving_model.html. A predictor follows the child indexes of a tree
without looking, so one that leads elsewhere reads foreign memory and one that leads back never ends.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from hallmarked.checks.serialization.brief import brief
from hallmarked.checks.serialization.contract import Seen
from hallmarked.core.errors import FormatError, LimitExceeded
from hallmarked.core.evidence import Finding, Gap, Level, Location, Rule
from hallmarked.formats.blob import Blob, Budget
from hallmarked.formats.document import read_json, walk
from hallmarked.formats.ubjson import Value, read_ubjson

UBJ001 = Rule(
    "UBJ001",
    Level.ERROR,
    "A decision tree leads outside of itself or in a circle",
    "Do not use the model; a prediction would read foreign memory or never end.",
)
UBJ002 = Rule(
    "UBJ002",
    Level.WARNING,
    "The file is not a model of XGBoost",
    "Find out which program wrote the file.",
)
RULES = (UBJ001, UBJ002)

_CHILDREN = ("left_children", "right_children")


@brief
def examine_ubjson(blob: Blob, budget: Budget) -> Iterator[Seen]:
    """Examine a UBJSON file.

    Raises:
        FormatError: When it is broken.
    """
    location = Location(blob.path)
    learner, at_tree = False, -1
    sides: dict[str, list[int]] = {}
    for value in read_ubjson(blob, budget):
        learner = learner or (value.key == "learner" and value.depth == 1)
        if value.depth <= at_tree - 1:  # the object that held the last children is over
            yield from _judge_tree(sides, location)
            sides, at_tree = {}, -1
        if value.key in _CHILDREN and value.kind in ("packed", "array"):
            at_tree = value.depth
            sides[value.key] = _integers(value, blob, budget)
    yield from _judge_tree(sides, location)
    if not learner:
        yield Finding.of(UBJ002, "the file has no learner at its top", location)
        yield Gap("it is not known what reads a UBJSON file that is not a model of XGBoost", location)


@brief
def examine_xgboost_json(blob: Blob, budget: Budget) -> Iterator[Seen]:
    """Examine a model of XGBoost in JSON.

    Raises:
        FormatError: When it is not JSON, or a tree is not made of numbers.
    """
    location = Location(blob.path)
    for _, node in walk(read_json(blob.read_all(budget), budget, constants=True)):
        if isinstance(node, dict) and any(side in node for side in _CHILDREN):
            sides = [node.get(side, []) for side in _CHILDREN]
            if not all(isinstance(side, list) and all(type(n) is int for n in side) for side in sides):
                raise FormatError("children of a tree that are not integers")
            yield from _judge_tree(dict(zip(_CHILDREN, sides, strict=True)), location)


def _integers(value: Value, blob: Blob, budget: Budget) -> list[int]:
    """Read a packed array of child indexes."""
    if value.kind != "packed" or value.item[-1] in "efd":
        raise FormatError("UBJSON children of a tree that are not packed integers", offset=value.offset)
    width = struct.calcsize(value.item)
    if value.size > budget.limits.nodes:
        raise LimitExceeded(f"a tree with {value.size:,} nodes", offset=value.offset)
    budget.spend("nodes", value.size)
    with blob.window(value.offset, value.size * width).open() as stream:
        data = stream.read(value.size * width)
    if len(data) < value.size * width:
        raise FormatError("UBJSON that ends within the children of a tree", offset=value.offset)
    order, letter = value.item[:-1], value.item[-1]
    return list(struct.unpack(f"{order}{value.size}{letter}", data))


def _judge_tree(sides: dict[str, list[int]], location: Location) -> Iterator[Seen]:
    if not sides:
        return
    left, right = (sides.get(side, []) for side in _CHILDREN)
    if problem := tree_problem(left, right):
        yield Finding.of(UBJ001, f"a tree of {len(left):,} nodes {problem}", location)


def tree_problem(left: list[int], right: list[int]) -> str | None:
    """Follow a tree from its root; say what is wrong with the children that are reached, or ``None``."""
    if len(left) != len(right):
        return f"has {len(left):,} left and {len(right):,} right children"
    seen, pending = bytearray(len(left)), [0] if left else []
    while pending:
        node = pending.pop()
        if not 0 <= node < len(left):
            return f"leads to node {node}"
        if seen[node]:
            return f"leads to node {node} twice"
        seen[node] = 1
        # A leaf has no left child; trees for several targets keep something else on its right.
        if left[node] != -1:
            pending += (left[node], right[node])
    return None
