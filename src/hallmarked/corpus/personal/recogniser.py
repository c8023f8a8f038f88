"""How one kind of value is recognised: where to look, what it looks like, and what proves it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeAlias

from hallmarked.corpus.personal.model import Span, Strength
from hallmarked.corpus.personal.word import Words

BEFORE, AFTER = 64, 24
"""Characters before and after a value within which a word speaks for it."""
SPACE = r"(?:[ \t]|\xc2\xa0|\xe2\x80\xaf)"
"""A space in an expression over UTF-8: also those that do not break."""


Hit: TypeAlias = tuple[int, int]
"""Which gate of a recogniser matched, and the characters up to the end of the match."""
CLOSE = 12
"""Bytes within which another hit of a gate adds nothing, unless its recogniser wants every one."""


class Recogniser(Protocol):
    """Finds values of one or a few kinds."""

    @property
    def kinds(self) -> frozenset[str]:
        """What it finds."""

    @property
    def gates(self) -> Sequence[str]:
        """Expressions over UTF-8 of which one matches in or beside every value; see ``gate``."""

    @property
    def exact(self) -> bool:
        """Whether it has to know of every hit, rather than that there is one near."""

    def takes(self, hint: str) -> bool:
        """Say whether what a text is said to be speaks for a kind, so that all of it is to be looked at."""

    def spans(self, text: str, hits: Iterable[Hit], hint: str) -> Iterator[Span]:
        """Yield what is found around the hits, or anywhere when it takes the hint.

        Args:
            text: All of the text.
            hits: Where gates matched, in rising order.
            hint: What the text as a whole is said to be: the name of its column.
        """


Supported: TypeAlias = Callable[[], bool]
"""Says whether a word beside a match or a hint speaks for it; asked only where that matters, since it takes time."""
Judge: TypeAlias = Callable[[re.Match[str], Supported], Span | None]
"""Says what a match is."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Finds values by a regular expression and a judgement."""

    kind: str
    gates: tuple[str, ...]
    regex: re.Pattern[str]
    judge: Judge
    back: int
    """Characters before the end of a hit at which a value may begin."""
    ahead: int
    """Characters after it at which it may end, and some more for what must not follow."""
    words: Words | None = None
    """Words that speak for it."""
    lead: re.Pattern[str] | None = None
    """What stands between the beginning of a value and the end of a hit; where there is one, every hit has its value,
    and nothing else is looked at."""

    @property
    def kinds(self) -> frozenset[str]:
        """Find one kind."""
        return frozenset({self.kind})

    @property
    def exact(self) -> bool:
        """Look around hits, so one near is enough, unless each has a value of its own."""
        return self.lead is not None

    def takes(self, hint: str) -> bool:
        """Say whether one of the words is in a hint."""
        return self.words is not None and self.words.are_in(hint)

    def spans(self, text: str, hits: Iterable[Hit], hint: str) -> Iterator[Span]:
        """Search the surroundings of all hits, each character once."""
        hinted = bool(hint) and self.takes(hint)
        for match in self._matches(text, hits, hinted):
            span = self.judge(match, partial(_is_supported, hinted, self.words, match))
            if span is not None:
                yield span

    def _matches(self, text: str, hits: Iterable[Hit], hinted: bool) -> Iterator[re.Match[str]]:
        if self.lead is None or hinted:
            for low, high in [(0, len(text))] if hinted else merged(hits, self.back, self.ahead + CLOSE):
                for match in self.regex.finditer(text, max(low, 0), high):
                    # What ends with the window may go on behind it; a value has a hit of its own, farther from the end.
                    if match.end() < high or high >= len(text):
                        yield match
            return
        done = 0
        for _, at in hits:
            lead = self.lead.search(text, max(done, at - self.back), at)
            led = lead and self.regex.match(text, lead.start(), at + self.ahead)
            if led:
                done = led.end()
                yield led


def merged(hits: Iterable[Hit], back: int, ahead: int) -> list[tuple[int, int]]:
    """Return the ranges around hits, those that overlap made one."""
    windows: list[tuple[int, int]] = []
    for _, at in hits:
        low, high = at - back, at + ahead
        if windows and low <= windows[-1][1]:
            windows[-1] = (windows[-1][0], max(high, windows[-1][1]))
        else:
            windows.append((low, high))
    return windows


def _is_supported(hinted: bool, words: Words | None, match: re.Match[str]) -> bool:
    return hinted or near(words, match)


def near(words: Words | None, match: re.Match[str], before: int = BEFORE, after: int = AFTER) -> bool:
    """Say whether a word stands near a match."""
    if words is None:
        return False
    text, start = match.string, match.start()
    end = match.end("rest" if "rest" in match.re.groupindex else 0)
    # Cut out, so that a word that continues beyond the reach is still seen to end there.
    return words.are_in(f"{text[max(0, start - before) : start]}\n{text[end : end + after]}")


def word_gate(words: Iterable[str]) -> str:
    """Return the expression of a gate that matches where one of some words stands.

    Gates know no upper and lower case of letters beyond ASCII, nor that they are of several bytes: both are spelled
    out.
    """
    plain = "|".join(_BRACKETS.sub(_either, word) for word in words)
    return f"(?i)[^a-z](?:{''.join(c if c.isascii() else _any(c) for c in plain)})[^a-z]"


_BRACKETS = re.compile(r"\[([^\]]*[^\x00-\x7f][^\]]*)\]")


_HEX = "\\x%02x"


def _either(match: re.Match[str]) -> str:
    return f"(?:{'|'.join(match[1])})"


def _any(letter: str) -> str:
    cases = sorted({letter.lower(), letter.upper()})
    return f"(?:{'|'.join(''.join(_HEX % byte for byte in case.encode()) for case in cases)})"


def found(match: re.Match[str], kind: str, strength: Strength, group: int | str = 0) -> Span:
    """Return the span of a match or of one of its groups."""
    return Span(match.start(group), match.end(group), kind, strength)
