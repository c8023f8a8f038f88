"""Which bytes of a file a request asks for.

Conditional and range requests as in RFC 9110, sections 13 and 14 (https://www.rfc-editor.org/rfc/rfc9110). One range is
served; for several the whole file is sent, which the standard allows, since no client of ours asks for several.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_RANGE = re.compile(r"bytes=[ \t]*(\d{0,19})-(\d{0,19})[ \t]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes ``start`` to ``end``, exclusive, of a file; and the status that says so."""

    status: int
    """200, 206, 304, 412 or 416."""
    start: int = 0
    end: int = 0

    @property
    def length(self) -> int:
        """How many bytes are sent."""
        return self.end - self.start


def choose_part(method: str, headers: Mapping[str, str], *, size: int, etag: str) -> Part:
    """Decide what is sent.

    Args:
        method: ``GET`` or ``HEAD``; ranges mean nothing to the latter.
        headers: Of the request, by lower-case name.
        size: Of the file, bytes.
        etag: Of the file: strong, in quotes.
    """
    whole = Part(200, 0, size)
    match = headers.get("if-match")
    if match is not None and not _names(match, etag, weak=False):
        return Part(412)
    if _names(headers.get("if-none-match", ""), etag, weak=True):
        return Part(304)
    wanted = _RANGE.fullmatch(headers.get("range", ""))
    if method != "GET" or wanted is None or wanted.groups() == ("", "") or headers.get("if-range", etag) != etag:
        return whole
    first, last = wanted.groups()
    if not first:
        start, end = max(0, size - int(last)), size
    else:
        start, end = int(first), min(size, int(last) + 1 if last else size)
        if last and int(last) < int(first):
            return whole  # not a range at all: to be ignored
    return Part(206, start, end) if start < end else Part(416)


def _names(text: str, etag: str, *, weak: bool) -> bool:
    """Whether a list of entity tags holds one."""
    tags = [tag.strip() for tag in text.split(",")] if text else []
    return "*" in tags or etag in tags or (weak and f"W/{etag}" in tags)
