"""Bounded readers of JSON and YAML documents, and a walk over what they return.

JSON as in https://www.rfc-editor.org/rfc/rfc8259, YAML as in https://yaml.org/spec/1.2.2/ with the core schema, so that
``language: no`` stays the string ``no``. Nothing is constructed from a YAML tag: an unknown one is kept in the tree as
a ``Tagged`` node for the caller to judge. What two readers could understand differently is refused: duplicate keys,
lone surrogates, more than one YAML document.
"""

from __future__ import annotations

import itertools
import json
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from hallmarked.core.errors import FormatError, LimitExceeded
from hallmarked.formats.blob import Budget

YAML_BYTES = 1_000_000
"""Longest YAML document: the parser takes seconds per megabyte, and real configurations are far shorter."""
YAML_FLOW_DEPTH = 30
"""Deepest nesting of brackets in YAML: every token costs the parser a step per open bracket."""
NUMBER_DIGITS = 1_000
"""Longest number: converting digits takes time that grows with their square."""

_STRING = re.compile(rb'"[^"]*+"?')
_LONG_NUMBER = re.compile(rb"[0-9]{%d}" % (NUMBER_DIGITS + 1))
# The parser decodes a tag in time that grows with the square of its length.
_LONG_TAG = re.compile(r"!\S{20000}")
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
# Openers count up, closers down, everything else not at all.
_NESTING = bytes(1 if b in b"[{" else 2 if b in b"]}" else 0 for b in range(256))
_NOT_BRACKETS = bytes(b for b in range(256) if b not in b"[]{}")

Path = tuple[str | int, ...]
"""Keys and indexes from the root of a document to a node."""


@dataclass(frozen=True, slots=True)
class Tagged:
    """A YAML node whose tag is not of the core schema, e.g. ``!!python/object/apply:os.system``."""

    tag: str
    """The resolved tag."""
    value: object
    """The node as it would be without its tag."""


def read_json(data: bytes, budget: Budget, *, constants: bool = False) -> Any:
    """Read one JSON document.

    Args:
        data: UTF-8 text.
        budget: Pays for the nodes.
        constants: Accept ``NaN`` and ``Infinity``, which some writers emit although JSON has no such thing.

    Raises:
        FormatError: When it is not JSON, holds a key twice, a number of absurd length or text that is not Unicode.
        LimitExceeded: When it is too large, too deep or has too many nodes.
    """
    if len(data) > budget.limits.text:
        raise LimitExceeded(f"document of {len(data):,} bytes, more than {budget.limits.text:,}")
    # Everything is bounded by looking at the bytes outside of strings, before the parser builds a single object.
    plain = data.replace(b"\\\\", b"").replace(b'\\"', b"")
    if plain.count(b'"') > 4 * budget.limits.nodes:
        raise LimitExceeded(f"more than {budget.limits.nodes:,} nodes")
    bare = _STRING.sub(b"", plain)
    budget.spend("nodes", 1 + sum(bare.count(mark) for mark in (b",", b":", b"[", b"{")))
    brackets = bare.translate(_NESTING, _NOT_BRACKETS)
    depth = max(itertools.accumulate((1 if b == 1 else -1 for b in brackets), initial=0))
    if depth > budget.limits.node_depth:
        raise LimitExceeded(f"JSON nested deeper than {budget.limits.node_depth}")
    if _LONG_NUMBER.search(bare):
        raise FormatError(f"JSON holds a number of more than {NUMBER_DIGITS} digits")
    try:
        document = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_pairs,
            parse_constant=float if constants else _refuse_constant,
        )
    except UnicodeDecodeError as error:
        raise FormatError("JSON is not valid UTF-8", offset=error.start) from error
    except json.JSONDecodeError as error:
        raise FormatError(f"not JSON: {error.msg}", offset=len(error.doc[: error.pos].encode())) from error
    if _SURROGATE.search(data):
        _refuse_surrogates(document)
    return document


def _pairs(pairs: list[tuple[str, object]]) -> dict[str, object]:
    mapping = dict(pairs)
    if len(mapping) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key, again in itertools.pairwise(sorted(keys)) if key == again)
        raise FormatError(f"JSON key {_shown(twice)} appears twice")
    return mapping


def _refuse_constant(name: str) -> NoReturn:
    raise FormatError(f"{name} is not JSON")


def _refuse_surrogates(document: object) -> None:
    for _, node in walk(document, keys=True):
        if isinstance(node, str):
            try:
                node.encode("utf-8")
            except UnicodeEncodeError as error:
                raise FormatError("a string with half of a surrogate pair") from error


def _shown(text: str) -> str:
    return ascii(text if len(text) <= 60 else text[:60] + "…")


def walk(document: object, *, keys: bool = False) -> Iterator[tuple[Path, object]]:
    """Yield every node of a document with its path, parents before children, without recursion.

    The value of a ``Tagged`` node follows it under the same path. ``keys`` also yields the keys of mappings.
    """
    pending: list[tuple[Path, object]] = [((), document)]
    while pending:
        path, node = pending.pop()
        yield path, node
        if isinstance(node, Tagged):
            pending.append((path, node.value))
        elif isinstance(node, dict):
            if keys:
                pending.extend((path, key) for key in reversed(node))
            pending.extend(
                ((*path, key if isinstance(key, str | int) else str(key)), value)
                for key, value in reversed(node.items())
            )
        elif isinstance(node, list):
            pending.extend(((*path, index), node[index]) for index in range(len(node) - 1, -1, -1))


def read_yaml(
    data: bytes, budget: Budget, first: int = 1, watch: Callable[[Event], None] = lambda _event: None
) -> object:
    """Read one YAML 1.2 document; an empty one is ``None``.

    Aliases are counted as often as they are used, so that a caller who walks the tree stays within the budget.
    A merge key (``<<``) stays an ordinary key.

    Args:
        data: UTF-8 text.
        budget: Pays for the nodes.
        first: Line of its first line, where it is part of a larger file.
        watch: Called with each event of the parser once it was accepted.

    Raises:
        FormatError: When it is not YAML, has a duplicate or compound key, an alias to itself, or a second document. The
            message names the line.
        LimitExceeded: When it is too large, too deep or has too many nodes.
    """
    if len(data) > min(YAML_BYTES, budget.limits.text):
        raise LimitExceeded(f"YAML document of {len(data):,} bytes, more than {YAML_BYTES:,}")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FormatError("YAML is not valid UTF-8", offset=error.start) from error
    if _LONG_TAG.search(text):
        raise LimitExceeded("YAML tag of absurd length")
    builder = _Builder(budget)
    at = 0  # character of the last event
    try:
        for event in YAML(typ="safe", pure=True).parse(text):
            at = event.start_mark.index
            builder.take(event)
            watch(event)
    except FormatError as error:
        broken = first + text.count("\n", 0, at)
        raise type(error)(f"{error} in line {broken}", line=broken) from error
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = first + text.count("\n", 0, mark.index) if mark is not None else None
        where = f" in line {line}" if line else ""
        raise FormatError(f"not YAML: {_first_line(error)}{where}", line=line) from error
    except (
        ArithmeticError,
        AssertionError,
        AttributeError,
        LookupError,
        NotImplementedError,
        TypeError,
        ValueError,
    ) as error:
        # The parser trips over some malformed input with an error that is not its own.
        raise FormatError(f"not YAML that the parser can follow ({type(error).__name__})") from error
    return builder.result


def _first_line(error: YAMLError) -> str:
    problem = getattr(error, "problem", None) or str(error)
    return ascii(str(problem).partition("\n")[0][:200])[1:-1]


@dataclass(slots=True)
class _Node:
    """A finished node with what it costs to use it again."""

    value: object
    size: int = 1
    height: int = 0


class _Open:
    """A collection that is still being read."""

    __slots__ = ("anchor", "flow", "height", "items", "key", "mapping", "size", "tag")

    def __init__(self, event: SequenceStartEvent | MappingStartEvent, tag: str | None) -> None:
        self.anchor: str | None = event.anchor
        self.tag = tag
        self.flow = bool(event.flow_style)
        self.mapping: dict[object, object] | None = {} if isinstance(event, MappingStartEvent) else None
        self.items: list[object] = []
        self.key: _Node | None = None
        self.size = 1
        self.height = 0

    def add(self, node: _Node) -> None:
        self.size += node.size
        self.height = max(self.height, node.height + 1)
        if self.mapping is None:
            self.items.append(node.value)
        elif self.key is None:
            if isinstance(node.value, dict | list | Tagged):
                raise FormatError("YAML mapping with a key that is not a plain scalar")
            if node.value in self.mapping:
                raise FormatError(f"YAML key {_shown(str(node.value))} appears twice")
            self.key = node
        else:
            self.mapping[self.key.value] = node.value
            self.key = None


class _Builder:
    """Builds a tree from parser events with an explicit stack."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._stack: list[_Open] = []
        self._anchors: dict[str, _Node | None] = {}
        self._documents = 0
        self._flow = 0
        self.result: object = None

    def take(self, event: Event) -> None:
        """Apply one event.

        Raises:
            FormatError: When the document is refused.
        """
        if isinstance(event, DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                raise FormatError("more than one YAML document")
        elif isinstance(event, AliasEvent):
            self._alias(event.anchor)
        elif isinstance(event, ScalarEvent):
            self._budget.spend("nodes")
            tag = _tag(event)
            value = _scalar(event.value, tag, plain=bool(event.implicit[0]))
            self._finish(_Node(value), event.anchor)
        elif isinstance(event, SequenceStartEvent | MappingStartEvent):
            self._budget.spend("nodes")
            self._check_depth(0)
            self._flow += bool(event.flow_style)
            if self._flow > YAML_FLOW_DEPTH:
                raise LimitExceeded(f"YAML brackets nested deeper than {YAML_FLOW_DEPTH}")
            if event.anchor is not None:
                self._anchors[event.anchor] = None
            self._stack.append(_Open(event, _tag(event)))
        elif isinstance(event, SequenceEndEvent | MappingEndEvent):
            done = self._stack.pop()
            self._flow -= done.flow
            value = done.items if done.mapping is None else done.mapping
            expected = "seq" if done.mapping is None else "map"
            if done.tag not in (None, _CORE + expected):
                value = Tagged(str(done.tag), value)
            self._finish(_Node(value, done.size, done.height), done.anchor)

    def _alias(self, name: str) -> None:
        node = self._anchors.get(name)
        if node is None:
            raise FormatError(f"YAML alias {_shown(str(name))} to itself or to nothing")
        self._budget.spend("nodes", node.size)
        self._check_depth(node.height)
        self._finish(node, None)

    def _check_depth(self, height: int) -> None:
        if len(self._stack) + 1 + height > self._budget.limits.node_depth:
            raise LimitExceeded(f"YAML nested deeper than {self._budget.limits.node_depth}")

    def _finish(self, node: _Node, anchor: str | None) -> None:
        if anchor is not None:
            self._anchors[anchor] = node
        if self._stack:
            self._stack[-1].add(node)
        else:
            self.result = node.value


_CORE = "tag:yaml.org,2002:"
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_SPECIAL = re.compile(r"([-+]?)\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_WORDS: dict[str, object] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


def _tag(event: SequenceStartEvent | MappingStartEvent | ScalarEvent) -> str | None:
    """Return the explicit tag of a node; the non-specific ``!`` counts as a string's or a collection's own."""
    if event.ctag is None:
        return None
    tag = str(event.ctag)
    if tag != "!":
        return tag
    return _CORE + "str" if isinstance(event, ScalarEvent) else None


def _scalar(text: str, tag: str | None, *, plain: bool) -> object:
    """Resolve a scalar by the core schema."""
    if any("\ud800" <= c <= "\udfff" for c in text):
        # As in JSON, two escapes may spell one character.
        try:
            text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
        except UnicodeDecodeError as error:
            raise FormatError("a string with half of a surrogate pair") from error
    if tag is None:
        return _resolve(text) if plain else text
    if tag == _CORE + "str":
        return text
    kinds = {"null": type(None), "bool": bool, "int": int, "float": float}
    kind = kinds.get(tag.removeprefix(_CORE)) if tag.startswith(_CORE) else None
    if kind is None:
        return Tagged(tag, text)
    value = _resolve(text)
    if kind is float and type(value) is int:
        # A float has no more than 309 digits before the point.
        value = float(value) if abs(value) < 10**308 else math.copysign(math.inf, value)
    if type(value) is not kind:
        raise FormatError(f"YAML scalar {_shown(text)} does not fit its tag")
    return value


def _resolve(text: str) -> object:
    if text in _WORDS:
        return _WORDS[text]
    value: object = text
    if text[0] not in "-+.0123456789":
        return value
    integer, decimal = _INT.fullmatch(text), _FLOAT.fullmatch(text)
    if (integer or decimal) and len(text) > NUMBER_DIGITS:
        raise FormatError(f"YAML holds a number of more than {NUMBER_DIGITS} digits")
    if integer:
        value = int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
    elif decimal:
        value = float(text)
    elif special := _SPECIAL.fullmatch(text):
        value = math.nan if special[1] is None else math.copysign(math.inf, -1 if special[1] == "-" else 1)
    return value
