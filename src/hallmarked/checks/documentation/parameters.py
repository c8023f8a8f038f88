"""Find what prose says about the number of parameters.

A count is a number with an optional multiplier beside the word "parameters" (or "params"), in a sentence, a
``Label: value`` line or a table. A count is *about this model* unless its sentence compares, names several counts or
speaks of a part (trainable, active, non-embedding, embedding table, adapter): those are recorded, marked ``unclear``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from hallmarked.formats.readme import Block, Section

_NUMBER = r"(?<![\w.,/-])~?(?P<number>\d{1,3}(?:,\d{3})+|\d{1,18}(?:\.\d{1,9})?)"
_UNIT = r"(?P<unit>[KMBT](?![a-z])|[kmbt](?![a-z])|thousand|million|billion|trillion|mn|bn)?"
# "124M parameters", "a 1.5 billion-parameter model", "124M trainable model parameters"
_BEFORE = re.compile(
    rf"{_NUMBER}[\s-]?{_UNIT}\+?[\s-]{{1,3}}(?:(?:model|total|learnable|trainable|active|activated|non-embedding|neural|network)\s){{0,3}}"
    r"(?:parameters?|params?)\b(?!\s*[:=(]?\s*(?:sweep|search))",
    re.IGNORECASE,
)
# "Parameters: 124M", "number of parameters is 124,439,808"
_AFTER = re.compile(
    rf"\b(?:parameters?|params?|parameter\scount|model\ssize)\b(?:\s(?:count|size))?\W{{0,12}}?\s?(?:(?:is|are|of|about|approximately|approx\.?|around|roughly|total)\s){{0,3}}"
    rf"(?::|=|\||\bis\b|\bof\b|\babout\b|\s)?\s{{0,3}}{_NUMBER}\s?{_UNIT}(?!\w)",
    re.IGNORECASE,
)
_HEAD = re.compile(r"\b(?:parameters?|params?|#\s?params?)\b", re.IGNORECASE)
_CELL = re.compile(rf"^\W*{_NUMBER}\s?{_UNIT}\W*(?:parameters?|params?)?\W*$", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[.!?;])\s+(?=[^\da-z])|\n(?=\s{0,9}[-*•])")
_UNCLEAR = re.compile(
    r"\b(?:than|compared|comparable|versus|vs|similar|unlike|larger|smaller|bigger|teacher|student|models|variants?|versions?|"
    r"sizes|family|families|series|checkpoints|distilled\sfrom|fine-?tuned\s(?:from|on)|based\son|derived\sfrom|initiali[sz]ed\sfrom|"
    r"trainable|active|activated|non-embedding|embedding\s(?:table|matrix|layer)|excluding|adapters?|lora|per|respectively|also|up\sto|"
    r"ranging|between|encoder|decoder)\b",
    re.IGNORECASE,
)
_FACTOR = {"": 1, "k": 10**3, "thousand": 10**3, "m": 10**6, "mn": 10**6, "million": 10**6}
_FACTOR |= {"b": 10**9, "bn": 10**9, "billion": 10**9, "t": 10**12, "trillion": 10**12}
MIN_COUNT = 1000
"""Smaller numbers without a multiplier ("2 parameters") speak of settings, not of weights."""


@dataclass(frozen=True, slots=True)
class Count:
    """A number of parameters as a card gives it."""

    value: int
    written: str
    """Number and multiplier as written: ``124M``."""
    sentence: str
    line: int
    about: str
    """``this`` model, or ``unclear``."""
    source: str
    """``prose`` or ``table``."""


def counts(sections: Sequence[Section]) -> Iterator[Count]:
    """Yield every count of parameters in a card's text; code is not read."""
    for section in sections:
        for block in section.blocks:
            if block.kind == "row":
                yield from _row(block)
            elif block.kind in {"text", "html"}:
                yield from _text(block)
        title = Block("text", section.title, section.line)
        yield from _text(title)


def _text(block: Block) -> Iterator[Count]:
    start = 0
    for end in [match.start() for match in _SENTENCE.finditer(block.text)] + [len(block.text)]:
        sentence = block.text[start:end]
        if len(sentence) <= 4000 and _HEAD.search(sentence):
            line = block.line + block.text.count("\n", 0, start + len(sentence) - len(sentence.lstrip()))
            yield from _sentence(" ".join(sentence.split()), line)
        start = end


def _sentence(sentence: str, line: int) -> Iterator[Count]:
    found = {match.span("number"): match for pattern in (_BEFORE, _AFTER) for match in pattern.finditer(sentence)}
    several = len(found) > 1 or re.search(r"\d\s?[MB](?:,| and| or)\s", sentence) is not None
    about = "unclear" if several or _UNCLEAR.search(sentence) else "this"
    for match in found.values():
        count = _count(match, sentence, line, about, "prose")
        if count is not None:
            yield count


def _row(block: Block) -> Iterator[Count]:
    """Read a table: ``Parameters | 124M``, or a column headed "Parameters"."""
    if len(block.cells) == 2 and _HEAD.search(block.cells[0]) and (match := _CELL.match(block.cells[1])):
        about = "unclear" if _UNCLEAR.search(block.cells[0]) else "this"
        candidates = [(match, about)]
    else:
        columns = zip(block.head, block.cells, strict=False)
        cells = [_CELL.match(cell) for name, cell in columns if _HEAD.search(name)]
        candidates = [(cell, "unclear") for cell in cells if cell]
    for match, about in candidates:
        count = _count(match, block.text, block.line, about, "table")
        if count is not None:
            yield count


def _count(match: re.Match[str], sentence: str, line: int, about: str, source: str) -> Count | None:
    number, unit = match["number"].replace(",", ""), (match["unit"] or "").lower()
    value = int(Decimal(number) * _FACTOR[unit])
    if value < MIN_COUNT:
        return None
    end = match.end("unit") if match["unit"] else match.end("number")
    return Count(value, match.string[match.start("number") : end], sentence, line, about, source)
