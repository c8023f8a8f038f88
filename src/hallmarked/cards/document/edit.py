"""Change one key of a card's metadata, and no byte besides.

The new text is made by cutting out what the key says and putting the new value there; comments, order, quotes and line
ends of everything else stay. The result is then read again and has to say what was said before, with that one change:
where it does not, as when another key refers to what would go, nothing is changed.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hallmarked.cards.document.document import CARD, Head, line_starts, read_head
from hallmarked.cards.document.scalar import entry, inline, listed
from hallmarked.core.errors import FormatError, InputError
from hallmarked.formats.document import Path
from hallmarked.formats.position import Place

_COLON = re.compile(r"[ \t]*:")
_BREAK = re.compile(r"\r\n?|\n")


def set_key(raw: bytes, path: Path, value: object, file: str = CARD) -> bytes:
    """Return the card with one key of its metadata set; groups on the way to it are made.

    Args:
        raw: Bytes of the card.
        path: Keys and, in lists, indexes; the index after the last item adds one.
        value: Text, number, truth value, ``None``, or lists and mappings of them.
        file: Name of the card, for messages.

    Raises:
        InputError: When the card cannot be read, or the key cannot be set without touching something else.
    """
    document = _readable(raw, file)
    wanted = _changed(document.data, path, value)
    if document.data == wanted and _there(document.data, path):
        return raw
    if document.front is None:
        return _check(
            _with_front(document, raw, entry(str(path[0]), _nested(path[1:], value)), file), wanted, path, file
        )
    return _check(_apply(document, _Setter(document.front.text, document.places).cut(path, value)), wanted, path, file)


def remove_key(raw: bytes, path: Path, file: str = CARD) -> bytes:
    """Return the card without one key of its metadata, or one entry of a list; the same bytes when it is not there.

    Raises:
        InputError: When the card cannot be read, or the key cannot go without touching something else.
    """
    document = _readable(raw, file)
    if document.front is None or document.places is None or not _there(document.data, path):
        return raw
    wanted = copy.deepcopy(dict(document.data))
    parent = _walk(wanted, path[:-1])
    del parent[path[-1]]  # type: ignore[attr-defined]
    return _check(_apply(document, _Setter(document.front.text, document.places).removal(path)), wanted, path, file)


@dataclass(frozen=True, slots=True)
class _Cut:
    """Characters of the metadata block, and what comes in their place."""

    start: int
    end: int
    text: str


class _Setter:
    """Finds the characters to replace.

    Args:
        text: The metadata block, with line feeds only.
        root: Its places; ``None`` when it is empty.
    """

    def __init__(self, text: str, root: Place | None) -> None:
        self._text, self._root = text, root

    def cut(self, path: Path, value: object) -> _Cut:
        """Return what changes when ``path`` is set to ``value``."""
        if self._root is None or self._root.kind == "scalar":
            return self._append(entry(str(path[0]), _nested(path[1:], value)))
        place, parent, depth = self._root, self._root, 0
        while depth < len(path):
            step = path[depth]
            if isinstance(step, int) and place.kind == "sequence" and step < len(place.items):
                parent, place = place, place.items[step]
            elif place.kind == "mapping" and str(step) in place.keys:
                parent, place = place, place.keys[str(step)][1]
            else:
                break
            depth += 1
        rest = path[depth:]
        if not rest or place.kind in {"scalar", "alias"}:
            return self._replace(parent, path[depth - 1], place, _nested(rest, value))
        return self._insert(place, rest[0], _nested(rest[1:], value))

    def removal(self, path: Path) -> _Cut:
        """Return what changes when ``path`` goes."""
        assert self._root is not None
        parent, last = self._root.at(path[:-1]), path[-1]
        pairs = list(parent.keys.values()) or [(item, item) for item in parent.items]
        index = list(parent.keys).index(str(last)) if parent.keys else int(last)
        key, value = pairs[index]
        following = pairs[index + 1][0].start if index + 1 < len(pairs) else None
        if parent.flow:
            before = pairs[index - 1][1].end if index else key.start
            return _Cut(before, max(value.end, key.end), "") if following is None else _Cut(key.start, following, "")
        if len(pairs) == 1 and len(path) > 1:
            empty: object = {} if parent.keys else []
            return self._replace(self._root.at(path[:-2]), path[-2], parent, empty)
        start, end = self._line_start(key.start), max(value.end, self._colon(key) if parent.keys else 0)
        lead = self._text[start : key.start].strip()
        if lead not in ({""} if parent.keys else {"", "-"}):  # the first part of an entry of a list shares its line
            return _Cut(key.start, following or value.end, "")
        return _Cut(start, self._after_line(end), "")

    def _replace(self, parent: Place, step: str | int, place: Place, value: object) -> _Cut:
        if parent.flow or not (parent.kind == "mapping" or parent.flow):
            return self._replace_inline(parent, step, place, value)
        key = parent.keys[str(step)][0]
        colon = self._colon(key)
        scalar = not isinstance(value, Mapping | list | tuple) or not value
        if (place.kind in {"scalar", "alias"} and not place.block and scalar) or place.flow:
            return self._replace_inline(parent, step, place, value)
        column = key.start - self._line_start(key.start)
        step_in = 0
        if place.kind == "sequence" and not place.flow:
            step_in = max(0, place.start - self._line_start(place.start) - column)
        first, *rows = entry("k", value, step=step_in)
        below = first.removeprefix("k:") + "".join("\n" + " " * column + row for row in rows)
        end = self._line_end(max(colon, place.end))
        if place.kind in {"scalar", "alias"} and not place.block:  # a comment beside it stays, beside the key
            return _Cut(colon, end, self._text[max(colon, place.end) : end] + below)
        start = colon
        if rows and "\n" in self._text[colon : place.start] and not place.marked:
            start = self._text.rindex("\n", colon, place.start)
        return _Cut(start, end, below)

    def _replace_inline(self, parent: Place, step: str | int, place: Place, value: object) -> _Cut:
        shown = inline(value, brackets=parent.flow or isinstance(value, Mapping | list | tuple))
        if place.start == place.end and parent.kind == "mapping":  # nothing was written
            start = self._colon(parent.keys[str(step)][0])
            return _Cut(start, start, " " + shown)
        lead = "" if self._text[place.start - 1 : place.start] in {" ", "\n", "[", ","} else " "
        return _Cut(place.start, place.end, lead + shown)

    def _insert(self, place: Place, step: str | int, value: object) -> _Cut:
        if place.kind == "sequence" and step != len(place.items):
            raise InputError(f"there is no entry {step} in a list of {len(place.items)}")
        if place.kind == "mapping" and isinstance(step, int):
            raise InputError(f"{step} is an index, and what is there is no list")
        if place.flow:
            return self._insert_flow(place, step, value)
        if place.kind == "sequence":
            column = place.start - self._line_start(place.start)
            rows = list(listed(value))
        else:
            column = place.start - self._line_start(place.start)
            rows = entry(str(step), value)
            if place is self._root:
                return self._append(rows)
        end = self._line_end(place.end)
        return _Cut(end, end, "".join("\n" + " " * column + row for row in rows))

    def _insert_flow(self, place: Place, step: str | int, value: object) -> _Cut:
        nodes = place.items or [node for pair in place.keys.values() for node in pair]
        shown = inline(value, brackets=True)
        if place.kind == "mapping":
            shown = entry(str(step), "x")[0].removesuffix("x") + shown
        if not nodes:
            return _Cut(place.start, place.end, ("[{}]" if place.kind == "sequence" else "{{{}}}").format(shown))
        end = max(node.end for node in nodes[-2:])
        comma = "" if "," in self._text[end : place.end] else ","
        at = end + self._text[end : place.end].index(",") + 1 if not comma else end
        return _Cut(at, at, f"{comma} {shown}")

    def _append(self, rows: Sequence[str]) -> _Cut:
        """Add lines at the end of the block, below the comments that may stand there."""
        end = len(self._text)
        gap = "" if not self._text or self._text.endswith("\n") else "\n"
        return _Cut(end, end, gap + "\n".join(rows) + "\n")

    def _colon(self, key: Place) -> int:
        match = _COLON.match(self._text, key.end)
        if match is None:
            raise InputError("a key that is written with a question mark cannot be changed; write it as “key: value”")
        return match.end()

    def _line_start(self, at: int) -> int:
        return self._text.rfind("\n", 0, at) + 1

    def _line_end(self, at: int) -> int:
        end = self._text.find("\n", at)
        return len(self._text) if end < 0 else end

    def _after_line(self, at: int) -> int:
        return min(self._line_end(at) + 1, len(self._text))


def _readable(raw: bytes, file: str) -> Head:
    try:
        return read_head(raw)
    except FormatError as error:
        raise InputError(f"{file}: {error}") from error


def _apply(document: Head, cut: _Cut) -> bytes:
    """Put new characters into the card, with the line ends it has."""
    assert document.front is not None
    text, front = document.text, document.front
    rows = list(line_starts(text))[front.line - 1 :]

    def offset(at: int) -> int:
        line = front.text.count("\n", 0, at)
        return rows[line] + at - (front.text.rfind("\n", 0, at) + 1)

    return (text[: offset(cut.start)] + cut.text.replace("\n", _eol(text)) + text[offset(cut.end) :]).encode()


def _with_front(document: Head, raw: bytes, rows: Sequence[str], file: str) -> bytes:
    """Put a metadata block before a card that has none."""
    if document.text.startswith("\ufeff"):
        raise InputError(f"{file} starts with a byte order mark, which would hide metadata; remove it first")
    eol = _eol(document.text)
    return eol.join(["---", *rows, "---", ""]).encode() + raw


def _eol(text: str) -> str:
    match = _BREAK.search(text)
    return match.group() if match else "\n"


def _check(raw: bytes, wanted: Mapping[str, object], path: Path, file: str) -> bytes:
    """Return the new bytes when they say what is wanted.

    Raises:
        InputError: When they do not.
    """
    message = f"{_shown(path)} in {file} cannot be changed without touching something else; edit it by hand"
    try:
        after = read_head(raw)
    except FormatError as error:
        raise InputError(message) from error
    if not _same(after.data, wanted):
        raise InputError(message)
    return raw


def _same(one: object, other: object) -> bool:
    """Compare values and the order of keys; a NaN is itself."""
    return repr(one) == repr(other)


def _changed(data: Mapping[str, object], path: Path, value: object) -> dict[str, object]:
    """Return metadata with one key set."""
    if not path or not isinstance(path[0], str):
        raise InputError("a key of the metadata has to be named")
    wanted: dict[str, object] = copy.deepcopy(dict(data))
    node: object = wanted
    for index, step in enumerate(path[:-1]):
        child = node[step] if _there(node, (step,)) else None  # type: ignore[index]
        if child is None:
            _put(node, step, _plain(_nested(path[index + 1 :], value)), path)
            return wanted
        node = child
    _put(node, path[-1], _plain(value), path)
    return wanted


def _put(node: object, step: str | int, value: object, path: Path) -> None:
    if isinstance(node, dict) and isinstance(step, str):
        node[step] = value
    elif isinstance(node, list) and isinstance(step, int) and 0 <= step <= len(node):
        node[step : step + 1] = [value]
    else:
        raise InputError(f"{_shown(path)} cannot be set: what stands there is not a group of keys")


def _nested(rest: Path, value: object) -> object:
    for step in reversed(rest):
        value = [value] if isinstance(step, int) else {step: value}
    return value


def _plain(value: object) -> object:
    """Return a value as reading it again would give it."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _there(data: object, path: Path) -> bool:
    try:
        _walk(data, path)
    except (KeyError, IndexError, TypeError):
        return False
    return True


def _walk(data: object, path: Path) -> object:
    for step in path:
        if not isinstance(data, Mapping if isinstance(step, str) else list):
            raise KeyError(step)
        data = data[step]  # type: ignore[index]
    return data


def _shown(path: Path) -> str:
    return ".".join(map(str, path))
