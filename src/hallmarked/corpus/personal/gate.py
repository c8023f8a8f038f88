"""One pass over many bytes that tells where something may be, so that all else is read by nobody.

Expressions are of the common part of Hyperscan and RE2, over bytes. A hit says which expression matched and where the
match ended; more hits than needed cost time, a missing one would lose a find. So expressions are short, and end where
they can end only once.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any, Protocol

ENGINES = ("hyperscan", "re2")
"""In the order in which they are tried."""


class Gate(Protocol):
    """Expressions, compiled."""

    def hits(self, data: bytes) -> list[tuple[int, int]]:
        """Return where matches end, in order, and which expression matched, by number."""


class HyperscanGate:
    """All expressions at once (https://intel.github.io/hyperscan/dev-reference/)."""

    def __init__(self, expressions: Sequence[str]) -> None:
        hyperscan: Any = importlib.import_module("hyperscan")
        self._database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        encoded = [expression.encode("ascii") for expression in expressions]
        self._database.compile(
            expressions=encoded, ids=list(range(len(encoded))), elements=len(encoded), flags=hyperscan.HS_FLAG_DOTALL
        )

    def hits(self, data: bytes) -> list[tuple[int, int]]:
        """Return the hits."""
        hits: list[tuple[int, int]] = []

        def keep(number: int, _start: int, end: int, _flags: int, _context: object) -> None:
            hits.append((end, number))

        self._database.scan(data, match_event_handler=keep)
        hits.sort()
        return hits


class Re2Gate:
    """One expression after the other, where Hyperscan is not to be had (https://github.com/google/re2)."""

    def __init__(self, expressions: Sequence[str]) -> None:
        re2: Any = importlib.import_module("re2")
        options = re2.Options()
        options.encoding = re2.Options.Encoding.LATIN1
        options.dot_nl = True
        self._expressions = [re2.compile(expression.encode("ascii"), options=options) for expression in expressions]

    def hits(self, data: bytes) -> list[tuple[int, int]]:
        """Return the hits: matches that begin within another one are not among them."""
        return sorted(
            (match.end(), number)
            for number, expression in enumerate(self._expressions)
            for match in expression.finditer(data)
        )


def open_gate(expressions: Sequence[str], engine: str = "") -> Gate:
    """Compile expressions.

    Args:
        expressions: See above.
        engine: ``hyperscan`` or ``re2``; otherwise the first of them that is there.

    Raises:
        ModuleNotFoundError: When there is none.
    """
    if engine != "re2":
        try:
            return HyperscanGate(expressions)
        except ModuleNotFoundError:
            if engine:
                raise
    return Re2Gate(expressions)
