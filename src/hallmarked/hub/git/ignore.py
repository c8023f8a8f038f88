"""Which files a ``.gitignore`` leaves out, with a bound on the work whatever the patterns are.

Source: https://git-scm.com/docs/gitignore, section "Pattern format".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

MAX_TEXT, MAX_PATTERNS, MAX_PATTERN = 64 << 10, 1_000, 256
"""Bytes of a file of patterns, patterns in it, and characters of one that are looked at."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """One line."""

    parts: Sequence[str]
    """Between slashes; ``**`` stands for any number of folders."""
    negated: bool
    """What fits is kept after all."""
    folder: bool
    """Only folders fit."""


def parse_ignore(text: str) -> Sequence[Pattern]:
    """Read a file of patterns; what is beyond the bounds is not looked at."""
    lines = _bytewise(text)[:MAX_TEXT].split("\n")[:MAX_PATTERNS]
    return [pattern for line in lines if (pattern := _parse(line.rstrip("\r"))) is not None]


def is_ignored(patterns: Sequence[Pattern], path: str) -> bool:
    """Say whether a file is left out: it or a folder it is in, by the last pattern that fits."""
    names = _bytewise(path).split("/")
    for depth in range(1, len(names) + 1):
        folder = depth < len(names)
        fitting = [p for p in patterns if (folder or not p.folder) and _fits(p.parts, names[:depth])]
        if fitting and not fitting[-1].negated:
            return True
    return False


def _bytewise(text: str) -> str:
    """Write each byte as one character: git compares bytes, so that ``?`` is one of them."""
    return text.encode("utf-8", "replace").decode("latin-1")


def _parse(line: str) -> Pattern | None:
    if not line.endswith("\\ "):
        line = line.rstrip(" ")
    if not line or line.startswith("#") or len(line) > MAX_PATTERN:
        return None
    negated = line.startswith("!")
    line = line.removeprefix("!").removeprefix("\\") if negated or line.startswith(("\\#", "\\!")) else line
    folder = line.endswith("/")
    line = line.rstrip("/")
    if not line:
        return None
    if "/" not in line:
        return Pattern(["**", "*" if line == "**" else line], negated, folder)
    return Pattern([part for part in line.split("/") if part], negated, folder)


def _fits(parts: Sequence[str], names: Sequence[str]) -> bool:
    """Match folder by folder: the set of places in the pattern that may have been reached."""
    places = _spread({0}, parts)
    for name in names:
        reached = set()
        for place in places:
            if place < len(parts) and parts[place] == "**":
                reached.add(place)
            elif place < len(parts) and _fits_name(parts[place], name):
                reached.add(place + 1)
        places = _spread(reached, parts)
    # NOTE: a pattern that ends with /** fits what is inside of a folder, not the folder
    return len(parts) in places and not (parts[-1] == "**" and len(names) < len(parts))


def _spread(places: set[int], parts: Sequence[str]) -> set[int]:
    for place in sorted(places):
        while place < len(parts) and parts[place] == "**":
            place += 1  # noqa: PLW2901 - one walk to the right
            places = places | {place}
    return places


def _fits_name(pattern: str, name: str) -> bool:
    """Match ``*``, ``?`` and ``[…]`` in one name, in steps bounded by the product of both lengths."""
    tokens = _tokens(pattern)
    at = token = 0
    star, mark = -1, 0
    while at < len(name):
        if token < len(tokens) and tokens[token] == "*":
            star, mark, token = token, at, token + 1
        elif token < len(tokens) and _fits_char(tokens[token], name[at]):
            at, token = at + 1, token + 1
        elif star >= 0:
            mark += 1
            at, token = mark, star + 1
        else:
            return False
    return all(rest == "*" for rest in tokens[token:])


def _tokens(pattern: str) -> list[str]:
    tokens, at = [], 0
    while at < len(pattern):
        end = pattern.find("]", at + 2) if pattern[at] == "[" else -1
        length = end - at + 1 if end > 0 else 2 if pattern[at] == "\\" and at + 1 < len(pattern) else 1
        tokens.append(pattern[at : at + length])
        at += length
    return tokens


def _fits_char(piece: str, char: str) -> bool:
    if piece == "?":
        return True
    if piece.startswith("\\") and len(piece) == 2:
        return piece[1] == char
    if not (piece.startswith("[") and len(piece) > 1):
        return piece == char
    inner = piece[1:-1]
    negated = inner[:1] in ("!", "^")
    inner = inner[1:] if negated else inner
    found, at = False, 0
    while at < len(inner):
        if inner[at + 1 : at + 2] == "-" and at + 2 < len(inner):
            found = found or inner[at] <= char <= inner[at + 2]
            at += 3
        else:
            found = found or inner[at] == char
            at += 1
    return found != negated
