"""JSON (https://www.rfc-editor.org/rfc/rfc8259) from hostile files: bounded, and strict where readers disagree.

Members that appear twice, numbers that are not JSON (``NaN``), strings that are not Unicode and a byte-order mark are
refused, because one reader takes what another does not see.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, NoReturn

from hallmarked.core.errors import FormatError, LimitExceeded
from hallmarked.formats.blob import Blob, Budget

_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_DIGITS = 400
"""Longest number that is taken; the longest double that is written out plainly has fewer digits."""


def read_json(blob: Blob, budget: Budget) -> Any:
    """Parse a whole blob.

    Raises:
        FormatError: When it is not strict JSON.
        LimitExceeded: When it is larger or deeper than the budget allows.
    """
    return parse_json(blob.read_all(budget), budget)


def parse_json(data: bytes, budget: Budget) -> Any:
    """Parse JSON text.

    Raises:
        FormatError: When it is not strict JSON.
        LimitExceeded: When it has more values or levels than the budget allows.
    """
    # Each value but the first follows one of these, so this bounds what the parser will allocate, before it does.
    budget.spend("nodes", 1 + sum(map(data.count, (b",", b":", b"[", b"{"))))
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FormatError("JSON text is not UTF-8", offset=error.start) from None
    try:
        value = json.loads(
            text, object_pairs_hook=_members, parse_constant=_constant, parse_int=_integer, parse_float=_real
        )
    except json.JSONDecodeError as error:
        raise FormatError(f"not JSON: {error.msg}", offset=len(text[: error.pos].encode())) from None
    except RecursionError:
        raise LimitExceeded(f"JSON nested deeper than {budget.limits.node_depth} levels") from None
    if max(data.count(b"["), data.count(b"{")) > budget.limits.node_depth // 2:
        _check_depth(value, budget.limits.node_depth)
    if _SURROGATE.search(data):
        _check_strings(value)
    return value


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        seen: set[str] = set()
        name = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise FormatError(f"JSON member {name[:100]!r} appears twice")
    return members


def _constant(text: str) -> NoReturn:
    raise FormatError(f"{text} is not JSON")


def _integer(text: str) -> int:
    if len(text) > _DIGITS:
        raise FormatError(f"JSON number of {len(text)} digits")
    return int(text)


def _real(text: str) -> float:
    if len(text) > _DIGITS:
        raise FormatError(f"JSON number of {len(text)} digits")
    return float(text)


def _children(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _check_depth(value: Any, limit: int) -> None:
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > limit:
            raise LimitExceeded(f"JSON nested deeper than {limit} levels")
        level = [child for parent in level for child in _children(parent) if isinstance(child, dict | list)]


def _check_strings(value: Any) -> None:
    stack = [value]
    while stack:
        item = stack.pop()
        texts = item if isinstance(item, dict) else (item,) if isinstance(item, str) else ()
        for text in texts:
            if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
                raise FormatError("JSON string holds half of a surrogate pair")
        stack.extend(_children(item))
