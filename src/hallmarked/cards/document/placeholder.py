"""Places in the text of a card where a claim is shown: ``{{claim ID}}`` or ``{{claim eval.recall slice=worst}}``.

The number itself is never typed. It is pulled from evidence when the card is shown, with its status and the way to the
proof. In code a placeholder is what it looks like: text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from hallmarked.cards.document.declared import Declared, DeclaredClaim
from hallmarked.formats.readme import Section
from hallmarked.policy.requirement import WORST

MAX_PLACEHOLDERS = 5_000

_MARK = re.compile(r"\{\{[ \t]{0,9}claim\b(?P<inside>[^{}\r\n]{0,300})\}\}")
_INSIDE = re.compile(r"\s+(?P<name>[A-Za-z0-9][A-Za-z0-9._-]{0,199})(?:\s+slice=(?P<slice>[^\s=]{1,200}))?\s*")
_PART = re.compile(r"(?P<key>[\w.-]{1,64}):(?P<value>[^,:]{1,100})")
_CODE = re.compile(r"(?<!`)(`{1,9})(?!`)(?:[^`]|(?!\1(?!`))`){0,500}?(?<!`)\1(?!`)")
_BREAK = re.compile(r"\r\n?|\n")


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A place where a claim is shown."""

    name: str
    """Id of a claim of the card, or path of a fact; empty when it cannot be read."""
    start: int
    """Character of the card's text where it starts."""
    end: int
    line: int
    written: str
    slice: Mapping[str, str] | str = field(default_factory=dict)
    """The part that is meant: empty for the whole, ``worst`` for the worst of all parts."""

    def claim(self, declared: Declared) -> DeclaredClaim | None:
        """Return the claim of the card that is meant; ``None`` when it makes no such claim."""
        named = None if self.slice else declared.claim(self.name)
        if named is not None:
            return named
        found = (each for each in declared.claims if each.path == self.name and each.slice == self.slice)
        return next(found, None)

    @property
    def is_path(self) -> bool:
        """Whether it may name a fact that the card makes no claim about."""
        return "." in self.name or bool(self.slice)


def find_placeholders(text: str, start: int, line: int, sections: Sequence[Section]) -> Iterator[Placeholder]:
    """Yield the places for claims in the Markdown of a card, in order.

    Args:
        text: Text of the whole card.
        start: Where its Markdown starts.
        line: On which line.
        sections: Its sections, which say what is code.
    """
    if "claim" not in text[start:]:
        return
    code = _code_lines(sections)
    count = 0
    ends = [*(match.span() for match in _BREAK.finditer(text, start)), (len(text), len(text))]
    for number, (end, following) in enumerate(ends, line):
        row = text[start:end]
        if number not in code and "{{" in row:
            spans = [match.span() for match in _CODE.finditer(row)] if "`" in row else []
            for match in _MARK.finditer(row):
                if any(a <= match.start() < b for a, b in spans):
                    continue
                count += 1
                if count > MAX_PLACEHOLDERS:
                    return
                yield _placeholder(match, start, number)
        start = following


def _placeholder(match: re.Match[str], start: int, line: int) -> Placeholder:
    place = (start + match.start(), start + match.end(), line, match.group())
    inside = _INSIDE.fullmatch(match["inside"])
    if inside is None:
        return Placeholder("", *place)
    part = inside["slice"]
    if part is None or part == WORST:
        return Placeholder(inside["name"], *place, slice=part or {})
    pairs = [_PART.fullmatch(each) for each in part.split(",")]
    found = {pair["key"]: pair["value"] for pair in pairs if pair}
    if len(found) < len(pairs):
        return Placeholder("", *place)
    return Placeholder(inside["name"], *place, slice=found)


def _code_lines(sections: Sequence[Section]) -> set[int]:
    lines: set[int] = set()
    for section in sections:
        for block in section.blocks:
            if block.kind == "code":
                lines |= set(range(block.line, block.line + block.text.count("\n") + 1))
    return lines
