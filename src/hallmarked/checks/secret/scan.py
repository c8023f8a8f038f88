"""Search a stream of text for credentials, piece by piece."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from hallmarked.core.evidence import Level
from hallmarked.corpus.personal.credential.match import level_of, mask, match_at
from hallmarked.corpus.personal.credential.pattern import PATTERNS, Pattern

PIECE = 1 << 20
OVERLAP = 1 << 13
"""Longer than any credential, so that none is cut."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A credential that was found; what it is stays here."""

    what: str
    level: Level
    line: int
    masked: str
    """Enough for its owner to recognise it; empty when nothing of it may be shown."""


def scan(stream: BinaryIO, limit: int | None = None) -> Iterator[Hit]:
    """Yield every credential in a stream of text, each once.

    Args:
        stream: UTF-8, or UTF-16 with its mark; anything else is read as far as it is text.
        limit: Bytes to read at most.
    """
    decoder: codecs.IncrementalDecoder | None = None
    buffer, line, searched, left = "", 1, 0, limit
    known: set[tuple[str, str]] = set()
    while True:
        data = stream.read(PIECE if left is None else min(PIECE, left))
        left = None if left is None else left - len(data)
        if decoder is None:
            wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
            decoder = codecs.getincrementaldecoder("utf-16" if wide else "utf-8")("replace")
        buffer += decoder.decode(data, final=not data)
        end = len(buffer) if not data else max(0, len(buffer) - OVERLAP)
        for start, text, pattern in _matches(buffer, searched, end):
            if (pattern.what, text) not in known and len(known) < 10_000:
                known.add((pattern.what, text))
                yield Hit(
                    pattern.what, level_of(pattern, text), line + buffer.count("\n", 0, start), mask(pattern, text)
                )
        if not data:
            return
        # One character before the rest is kept, so that what follows is not taken for the beginning of a word.
        cut = max(0, end - 1)
        line += buffer.count("\n", 0, cut)
        buffer, searched = buffer[cut:], end - cut


def _matches(buffer: str, start: int, end: int) -> Iterator[tuple[int, str, Pattern]]:
    """Yield verified matches that begin in a range of the buffer."""
    lowered = buffer.lower()
    folded = lowered if len(lowered) == len(buffer) else buffer  # a few letters grow when they are lowered
    taken: list[tuple[int, int]] = []
    for pattern in PATTERNS:
        for match in _candidates(pattern, buffer, folded if pattern.folded else buffer, start, end):
            group = 1 if pattern.regex.groups else 0
            span = match.span(group)
            # What has been recognised as a token of an issuer is not reported as a password as well.
            if any(left < span[1] and span[0] < right for left, right in taken) or not pattern.test(match[group]):
                continue
            taken.append(span)
            yield match.start(), match[group], pattern


def _candidates(pattern: Pattern, buffer: str, folded: str, start: int, end: int) -> Iterator[re.Match[str]]:
    """Yield matches by going from anchor to anchor, which is far faster than trying every position."""
    for anchor in pattern.anchors:
        at = folded.find(anchor, start, end + len(anchor))
        if at >= 0 and pattern.back < 0:
            yield from pattern.regex.finditer(buffer, start)
            return
        while at >= 0:
            match = match_at(pattern, buffer, start, at)
            if match and match.start() < end:
                yield match
            at = folded.find(anchor, max(at + 1, match.end() if match else 0), end + len(anchor))
