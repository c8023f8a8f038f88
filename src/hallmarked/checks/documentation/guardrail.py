"""Sentences of a card which say that a model has guardrails.

What filters what goes into a model and what comes out of it, or instructs it beforehand, is part of a system: whoever
takes the model alone does not get it. The wording is found by rule, see ``guardrail.toml``: somebody is said to have
such a thing, and the sentence is no advice, no denial, and not about somebody else or about how data were made.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from hallmarked.formats.readme import Section

MAX_SENTENCE = 1_000
"""Characters of a sentence that are looked at."""
NEAR = 7
"""Words that may stand between a verb and what it says is there."""

_SENTENCE = re.compile(r"(?<=[.!?。！？])\s+|\n\s*\n")
_CLAUSE = re.compile(r"\s*[,;:()—–]\s*|\s+-\s+")


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence that says a model has something that only a system can have."""

    thing: str
    """What it is said to have, in the words of the card."""
    sentence: str
    line: int


@dataclass(frozen=True, slots=True)
class _Wording:
    """The rules of one language, compiled."""

    has: re.Pattern[str]
    """Somebody has the thing."""
    does: tuple[re.Pattern[str], ...]
    """The thing is built in; it, or a prompt, holds something off."""
    hedge: re.Pattern[str]
    foreign: re.Pattern[str]
    data: re.Pattern[str]

    def find(self, clause: str) -> str:
        """Return the thing that a clause says is there; empty when it says no such thing."""
        for match in self.has.finditer(clause):
            # A denial may follow at once ("has guardrails disabled"); what comes later speaks of something else.
            near = " ".join(clause[match.end() :].split()[:3])
            before = clause[: match.start("thing")]
            if not self.hedge.search(f"{clause[: match.end()]} {near}") and not self._is_of_others(before):
                return match["thing"]
        for pattern in self.does:
            for match in pattern.finditer(clause):
                around = f"{clause[: match.start('thing')]} … {clause[match.end('thing') :]}"
                if not self.hedge.search(clause) and not self._is_of_others(around):
                    return match["thing"]
        return ""

    def _is_of_others(self, text: str) -> bool:
        return bool(self.foreign.search(text) or self.data.search(text))


def find_guardrails(sections: Sequence[Section]) -> Iterator[Said]:
    """Yield the sentences which say that a model has guardrails, a filter, moderation or a protecting prompt."""
    for section in sections:
        for block in section.blocks:
            if block.kind in {"text", "row"}:
                yield from _of_text(block.text, block.line)


def _of_text(text: str, line: int) -> Iterator[Said]:
    if not _hints().search(_fold(text)):
        return
    at = 0
    for sentence in _SENTENCE.split(text):
        at = max(text.find(sentence, at), 0)
        thing = says_guardrail(sentence)
        if thing:
            yield Said(thing, " ".join(sentence.split()), line + text.count("\n", 0, at))


def says_guardrail(sentence: str) -> str:
    """Return what a sentence says a model has; empty when it says nothing of the kind."""
    plain = " ".join(_fold(sentence[:MAX_SENTENCE]).split())
    if plain.endswith(("?", "？")):
        return ""
    clauses = _CLAUSE.split(plain)
    return next((thing for rules in _wordings() for clause in clauses if (thing := rules.find(clause))), "")


def is_system_path(path: str) -> bool:
    """Say whether a declared claim with this path is about what only a system can have."""
    return path.partition(".")[0].casefold() in _table()["paths"]["first"]


def _fold(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold().replace("*", "").replace("_", " ").replace("`", "")


@cache
def _table() -> Mapping[str, Any]:
    return tomllib.loads(files(__package__).joinpath("guardrail.toml").read_text("utf-8"))


@cache
def _hints() -> re.Pattern[str]:
    """Return a pattern that any sentence has to match before it is looked at closely."""
    rows = _table()["language"].values()
    return re.compile("|".join(f"(?:{entry})" for row in rows for entry in (*row["thing"], *row["prompt"])))


@cache
def _wordings() -> tuple[_Wording, ...]:
    return tuple(_compile(row) for row in _table()["language"].values())


def _compile(row: Mapping[str, Sequence[str]]) -> _Wording:
    def either(*names: str) -> str:
        return "(?:" + "|".join(f"(?:{entry})" for name in names for entry in row[name]) + ")"

    def word(*names: str) -> re.Pattern[str]:
        return re.compile(rf"(?<!\w){either(*names)}(?!\w)")

    between = rf"(?:\s+(?!{either('stop')}\s)\S+){{0,{NEAR}}}?\s+"
    thing = rf"(?P<thing>{either('thing')})(?!\w)(?!\s+{either('tail')})"
    protects = rf"(?:\s+\S+){{0,4}}?\s+{either('protect')}(?!\w)"
    return _Wording(
        re.compile(rf"(?<!\w){either('carry')}{between}{thing}"),
        (
            re.compile(rf"(?<!\w){either('built')}\s+{thing}"),
            re.compile(rf"(?<!\w){thing}\s+{either('built')}(?!\w)"),
            re.compile(rf"(?<!\w)(?P<thing>{either('thing', 'prompt')})(?!\w){protects}"),
        ),
        word("hedge"),
        word("foreign"),
        word("data"),
    )
