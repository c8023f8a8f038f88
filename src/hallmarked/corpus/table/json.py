"""One JSON document that is a list of objects, or an object in which such a list stands (RFC 8259)."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator, Sequence

from hallmarked.core.errors import FormatError
from hallmarked.corpus.table.column import Builder
from hallmarked.corpus.table.jsonl import parse_object
from hallmarked.corpus.table.line import read_some
from hallmarked.corpus.table.model import ROW_BYTES, Format, Part, Piece, Skipped
from hallmarked.corpus.table.peek import MEMBERS
from hallmarked.formats.blob import Blob

CHUNK = 1 << 20
_SPACE = re.compile(r"[ \t\r\n]*")
_MARK = re.compile(r'["\[\]{}]')
_STRING_END = re.compile(r'[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)


def cut_json(blob: Blob) -> Sequence[Part]:
    """Take a document as one part: where an object begins depends on all that stands before it."""
    return [Part(0, blob.size)]


def read_json(blob: Blob, _part: Part) -> Iterator[Piece]:
    """Yield the objects of the list, as they come; the document is never held as a whole."""
    builder, row = Builder(), 0
    with _Text(blob) as text:
        try:
            _find_list(text)
            while text.next_item(first=not row):
                data = text.take_value()
                if isinstance(data, str):
                    yield Skipped(data, row)
                else:
                    try:
                        parsed = parse_object(data)
                    except FormatError as error:
                        yield Skipped(str(error), row)
                    else:
                        yield from builder.add(parsed, len(data))
                row += 1
        except FormatError as error:
            yield from builder.finish()
            yield Skipped(f"{error}; nothing below was read", row, None)
    yield from builder.finish()


def _find_list(text: _Text) -> None:
    """Go behind the bracket that opens the list.

    Raises:
        FormatError: When there is none.
    """
    if text.peek() == "[":
        text.skip()
        return
    if text.peek() != "{":
        raise FormatError("the document is no list of objects")
    text.skip()
    first = True
    while text.next_item(first=first, end="}"):
        first = False
        name = text.take_value()
        if text.peek() != ":":
            raise FormatError("the document is not JSON")
        text.skip()
        if isinstance(name, bytes) and _name(name) in MEMBERS and text.peek() == "[":
            text.skip()
            return
        text.take_value()
    raise FormatError("the document holds no list of objects")


def _name(data: bytes) -> str:
    try:
        return str(json.loads(data))
    except ValueError as error:
        raise FormatError("the document is not JSON") from error


class _Text:
    """A document, read piece by piece. Bytes that are not UTF-8 are kept as they are, for the row to be judged."""

    def __init__(self, blob: Blob) -> None:
        self._stream = blob.open()
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("surrogateescape")
        self._held, self._at, self._ended = "", 0, False

    def __enter__(self) -> _Text:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()

    def peek(self) -> str:
        """Return the next character that is no white space; nothing at the end."""
        while True:
            match = _SPACE.match(self._held, self._at)
            self._at = match.end() if match else self._at
            if self._at < len(self._held):
                return self._held[self._at]
            if not self._more():
                return ""

    def skip(self) -> None:
        """Go behind the character that was looked at."""
        self._at += 1

    def next_item(self, *, first: bool, end: str = "]") -> bool:
        """Go to the next value of a list or object; False at its end.

        Raises:
            FormatError: When neither follows.
        """
        found = self.peek()
        if found == end:
            return False
        if not first:
            if found != ",":
                raise FormatError("the document is not JSON" if found else "the document ends early")
            self.skip()
            found = self.peek()
        if not found:
            raise FormatError("the document ends early")
        return True

    def take_value(self) -> bytes | str:
        """Return the next value as it is written; why not, when it is too long.

        Raises:
            FormatError: When it does not end.
        """
        kept: list[str] | None = []
        size = depth = 0
        self.peek()
        while True:
            start = self._at
            done, depth = self._walk(depth)
            size += self._at - start
            if kept is not None:
                kept.append(self._held[start : self._at])
                kept = kept if size <= ROW_BYTES else None
            if done:
                break
            if not self._more():
                raise FormatError("the document ends early")
        if kept is None:
            return f"the row is longer than {ROW_BYTES >> 20} MiB"
        return "".join(kept).encode("utf-8", "surrogateescape")

    def _walk(self, depth: int) -> tuple[bool, int]:
        """Go on to the end of a value, or of what is held, and return whether it ended and how deep it is open.

        A string that is cut is walked again once more is held.
        """
        if depth == 0 and self._held[self._at : self._at + 1] not in ("{", "[", '"'):
            return self._walk_plain(), 0
        at = self._at
        while match := _MARK.search(self._held, at):
            mark = match.group()
            if mark == '"':
                end = _STRING_END.match(self._held, match.end())
                if end is None:
                    self._at = match.start()
                    return False, depth
                at = end.end()
            else:
                depth += 1 if mark in "{[" else -1
                at = match.end()
            if depth <= 0:
                self._at = at
                return True, 0
        self._at = len(self._held)
        return False, depth

    def _walk_plain(self) -> bool:
        """Go behind a number or word."""
        while self._at < len(self._held) and self._held[self._at] not in ",]} \t\r\n":
            self._at += 1
        return self._at < len(self._held) or self._ended

    def _more(self) -> bool:
        """Hold more of the document; False at its end.

        Raises:
            FormatError: When a string has no end that memory would hold.
        """
        if self._ended:
            return False
        rest = self._held[self._at :]
        if len(rest) > 4 * ROW_BYTES:
            raise FormatError("the document holds a text without end")
        data = read_some(self._stream, max(CHUNK, len(rest)))
        self._ended = not data
        self._held, self._at = rest + self._decoder.decode(data, final=self._ended), 0
        return not self._ended or bool(self._held[len(rest) :])


JSON = Format("json", cut_json, read_json)
