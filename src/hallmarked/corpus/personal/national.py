"""Numbers that states give to people, from the table beside this module."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.resources import files

from hallmarked.corpus.personal.model import Span, Strength
from hallmarked.corpus.personal.national_check import CHECKS
from hallmarked.corpus.personal.recogniser import AFTER, BEFORE, Shape, Supported, found, word_gate
from hallmarked.corpus.personal.word import WORDS, words_of

_LONGEST = 32
"""Characters of a number with its separators."""


@dataclass(frozen=True, slots=True)
class National:
    """One kind of number."""

    kind: str
    title: str
    form: re.Pattern[str]
    check: Callable[[str], bool]
    words: tuple[str, ...]
    alone: re.Pattern[str] | None
    alone_check: Callable[[str], bool]
    gates: tuple[str, ...]

    def judge(self, match: re.Match[str], supported: Supported) -> Span | None:
        """Say whether a match is one."""
        value = "".join(c for c in match[0] if c.isalnum()).upper()
        alone = self.alone is not None and self.alone.fullmatch(match[0]) is not None
        if not (alone and self.alone_check(value)) and not (self.check(value) and supported()):
            return None
        return found(match, self.kind, Strength.CHECKED)

    def shape(self) -> Shape:
        """Return what recognises it."""
        gates = (*self.gates, word_gate(self.words))
        return Shape(
            self.kind,
            gates,
            self.form,
            self.judge,
            back=_LONGEST + AFTER + max(map(len, self.words)),
            ahead=BEFORE + _LONGEST,
            words=words_of(self.words),
        )


def _national(kind: str, row: Mapping[str, object]) -> National:
    text = partial(_text, row)
    words, gates = row["words"], row.get("gate", [])
    assert isinstance(words, list)
    assert isinstance(gates, list)
    general = WORDS["national"] if row.get("family") else ()
    check = CHECKS[text("check")]
    return National(
        kind,
        text("title"),
        re.compile(rf"(?<![^\W_])(?<!\d[.,-])(?<![#$€£])(?:{text('form')})(?![^\W_]|[.,-]\d)"),
        check,
        (*words, *general),
        re.compile(text("alone")) if "alone" in row else None,
        CHECKS[text("alone_check")] if "alone_check" in row else check,
        tuple(gates),
    )


def _text(row: Mapping[str, object], name: str) -> str:
    value = row[name]
    assert isinstance(value, str)
    return value


def nationals() -> list[National]:
    """Read the table."""
    table = files("hallmarked.corpus.personal").joinpath("national.toml").read_text("utf-8")
    return [_national(kind, row) for kind, row in tomllib.loads(table).items()]


NATIONALS = nationals()
"""All that are known."""
