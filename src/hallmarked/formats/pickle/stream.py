"""Evaluate pickles: one, or all that are stacked in a file.

Specification: https://docs.python.org/3.11/library/pickle.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass

from hallmarked.core.errors import FormatError, LimitExceeded
from hallmarked.formats.blob import Blob, Budget
from hallmarked.formats.pickle import opcodes  # fills the table of instructions
from hallmarked.formats.pickle.machine import HANDLERS, Machine, Trace
from hallmarked.formats.pickle.reader import Reader
from hallmarked.formats.pickle.values import Array, Call, Dict, Set, Value, children, is_leaf

MAX_TUPLE_DEPTH = 500
"""Tuples within tuples; hashing them recurses in the reader."""

assert HANDLERS[ord(".")] is not None, opcodes

AfterBuild = Callable[[Machine, Call], None]


@dataclass(slots=True)
class Evaluation:
    """What one pickle makes its reader do and build."""

    start: int
    """Offset of its first instruction."""
    end: int
    """Offset behind its STOP, or where it could not be followed any more."""
    trace: Trace
    """Imports, calls and so on, in order, up to ``end``; what is in there happens whatever comes later."""
    root: Value
    """The symbolic object; None when there is an ``error``."""
    error: FormatError | None
    """Why it could not be followed to its STOP."""
    memo: dict[int, Value]
    """Its memo, for readers that keep it between loads."""

    def require(self) -> Value:
        """Return the symbolic object.

        Raises:
            FormatError: When the pickle could not be followed to its end.
        """
        if self.error is not None:
            raise self.error
        return self.root


def evaluate(blob: Blob, budget: Budget, *, start: int = 0) -> Evaluation:
    """Evaluate the pickle that starts at an offset of a blob; what follows its STOP is not looked at.

    Never raises for the content of the blob: see ``Evaluation.error``.
    """
    with blob.open() as stream:
        return evaluate_next(Reader(stream, blob.size, start), budget)


def evaluate_next(
    reader: Reader,
    budget: Budget,
    *,
    memo: dict[int, Value] | None = None,
    after_build: AfterBuild | None = None,
    strict_names: bool = False,
) -> Evaluation:
    """Evaluate the pickle at the position of a reader and leave the reader behind it.

    Args:
        reader: Where to read.
        budget: Account of the file.
        memo: Entries left by an earlier load of the same unpickler.
        after_build: Hook for layouts that put data between instructions.
        strict_names: Stop with an error at an import whose name is computed. Vetted calls never return text, so that a
            reader fails there unless an unvetted call came before.
    """
    trace, start = Trace(), reader.offset
    machine = Machine(reader, budget, trace, memo)
    machine.after_build, machine.strict_names = after_build, strict_names
    root, error = None, None
    try:
        root = machine.run()
        measure(root, trace, budget)
    except FormatError as failure:
        root, error = None, failure
    return Evaluation(start, reader.offset, trace, root, error, machine.memo)


def evaluate_all(
    blob: Blob, budget: Budget, *, shared_memo: bool = False, strict_names: bool = False
) -> Iterator[Evaluation]:
    """Evaluate all pickles that follow each other up to the end of a blob; stop behind the first with an error.

    Args:
        blob: Where they lie.
        budget: Account of the file.
        shared_memo: Read as one ``Unpickler`` object whose ``load`` is called repeatedly, which keeps its memo.
        strict_names: As for ``evaluate_next``.
    """
    with closing(blob.open()) as stream:
        reader, memo = Reader(stream, blob.size), None
        while True:
            result = evaluate_next(reader, budget, memo=memo, strict_names=strict_names)
            yield result
            if result.error is not None or reader.at_end:
                return
            memo = result.memo if shared_memo else None


def measure(root: Value, trace: Trace, budget: Budget) -> int:
    """Return how many objects a value unfolds to, counted with sharing; everything that was called is included.

    Raises:
        LimitExceeded: When they are more than the budget allows, or tuples nest too deeply.
        FormatError: When a key or a member of a set cannot be hashed, so that every reader fails.
    """
    sizes: dict[int, tuple[int, int]] = {}
    limit = budget.limits.pickle_nodes
    for top in (root, *trace.calls):
        _measure(top, sizes, limit)
    total = sizes.get(id(root), (1, 0))[0]
    budget.spend("pickle_nodes", total)
    return total


def _measure(top: Value, sizes: dict[int, tuple[int, int]], limit: int) -> None:
    """Fill ``sizes`` (nodes, tuple depth) by identity, children first; a reference back up a cycle counts one."""
    if is_leaf(top) or id(top) in sizes:
        return
    todo: list[tuple[Value, list[Value] | None]] = [(top, None)]
    while todo:
        value, inner = todo.pop()
        if inner is None:
            if id(value) in sizes:
                continue
            sizes[id(value)] = (1, 0)
            _check_hashable(value)
            inner = [child for child in children(value) if not is_leaf(child)]
            missing = [(child, None) for child in inner if id(child) not in sizes]
            if missing:
                todo.append((value, inner))
                todo += missing
                continue
        nodes, depth = 1 + _width(value) - len(inner), 0
        for child in inner:
            below, height = sizes[id(child)]
            nodes += below
            depth = max(depth, height)
        depth = depth + 1 if type(value) is tuple else 0
        if nodes > limit:
            raise LimitExceeded(f"unfolds to more than {limit:,} objects")
        if depth > MAX_TUPLE_DEPTH:
            raise LimitExceeded(f"more than {MAX_TUPLE_DEPTH} tuples within each other")
        sizes[id(value)] = (nodes, depth)


def _width(value: Value) -> int:
    if type(value) in (tuple, list):
        return len(value)
    if isinstance(value, Dict | Set):
        return len(value.items)
    if isinstance(value, Call):
        return 3 + len(value.states) + len(value.appended) + len(value.items) + len(value.added)
    return 2 if isinstance(value, Array) else 1


_UNHASHABLE = (list, Dict)


def _check_hashable(value: Value) -> None:
    keys: list[Value] = []
    if isinstance(value, Dict):
        keys = value.items[::2]
    elif isinstance(value, Set):
        keys = value.items
    for key in keys:
        if isinstance(key, _UNHASHABLE) or (isinstance(key, Set) and not key.frozen):
            raise FormatError("a key that cannot be hashed")
