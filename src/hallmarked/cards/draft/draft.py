"""Draft a card from facts and a template.

Numbers are not typed: the draft shows them by placeholders, which are filled from evidence whenever the card is shown.
What no machine can know is asked in plain words, under a heading that counts as empty until somebody answers.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Any

from hallmarked.cards.document.declared import KEY, Kind
from hallmarked.cards.document.scalar import entry
from hallmarked.cards.template.template import Asked, Template
from hallmarked.core.text import clean
from hallmarked.policy.fact import Fact, Facts
from hallmarked.policy.requirement import Operator, decimal

MAX_PARTS = 10
"""Slices shown of one value."""
MAX_TEXT = 200
"""Characters of a name, a value or a part."""
MIN_SHARE = "0.01"
"""Smallest share of texts for which a language is named."""
_RESULTS = {"evaluation": "eval.", "energy": "energy."}
"""Sections that stated results go to, and how their paths begin."""
_PART = re.compile(r"[^\s=:,{}]{1,100}")
_PATH = re.compile(r"[A-Za-z0-9_-]{1,100}(?:\.[A-Za-z0-9_-]{1,100}){0,20}")
_MARKUP = re.compile(r"[\\`*_{}\[\]<>#|!~&]")
_KEY = re.compile(r"[\w.-]{1,64}")
_SIZES = (0, 10**3, 10**4, 10**5, 10**6, 10**7, 10**8, 10**9, 10**10, 10**11, 10**12)
_NAMES = ("1K", "10K", "100K", "1M", "10M", "100M", "1B", "10B", "100B", "1T")


@dataclass(frozen=True, slots=True)
class Drafted:
    """A draft."""

    data: bytes
    """The card."""
    known: tuple[str, ...]
    """Paths of the facts that it shows."""
    asked: tuple[Asked, ...]
    """What is left to people, what matters most first."""


def draft(name: str, template: Template, facts: Facts, language: str = "en") -> Drafted:
    """Write a first version of a card.

    Args:
        name: Name of the model, data set, system or project.
        template: What it is asked for.
        facts: What is stated about it.
        language: In which language to ask, by its tag; English where the template does not know it.
    """
    writer = _Writer(template, facts, language)
    body = [f"# {writer.word('card').format(name=_escape(name))}", "", *writer.body()]
    front = ["---", *writer.front(), "---", ""]
    text = "\n".join([*front, *body]).rstrip("\n") + "\n"
    asked = sorted(writer.open, key=lambda each: -each.level.rank if each.level else 1)
    return Drafted(text.encode(), tuple(dict.fromkeys(writer.shown)), tuple(asked))


class _Writer:
    """Writes one draft; notes what it shows and what it asks."""

    def __init__(self, template: Template, facts: Facts, language: str) -> None:
        self._template, self._facts, self._language = template, facts, language
        self.shown: list[str] = []
        self.open: list[Asked] = []
        self._claims: dict[str, dict[str, Any]] = {}

    def word(self, key: str) -> str:
        """Return a phrase of a draft in its language."""
        return _pick(_table()["words"][key], self._language)

    def body(self) -> Iterator[str]:
        """Yield the lines below the metadata; what people say comes first, as whoever shows a card begins there."""
        measured = list(self._measured())
        for asked in self._template.of("section"):
            yield from (f"## {_pick(asked.title, self._language)}", "")
            results = list(self._results(_RESULTS[asked.id])) if asked.id in _RESULTS else []
            yield from (f"<!-- {_comment(_pick(asked.ask, self._language))} -->", "")
            if results:
                yield from (*results, "")
            else:
                self.open.append(asked)
                yield from (self.word("missing"), "")
        if measured:
            yield from (f"## {self.word('heading')}", "", self.word("lead"), "", *measured, "")

    def front(self) -> Iterator[str]:
        """Yield the lines of the metadata; called after ``body``, which makes the claims."""
        known = dict(self._metadata())
        for asked in self._template.of("field"):
            if asked.id in known:
                yield from entry(asked.id, known.pop(asked.id))
            elif asked.id.startswith(KEY):
                self.open.append(asked)
            else:
                self.open.append(asked)
                yield f"# {self.word('fields')} {asked.id}: {_pick(asked.ask, self._language)}"
        for key, value in known.items():
            yield from entry(key, value)
        section: dict[str, Any] = {"kind": self._template.kind.value, "tier": self._template.tier.value}
        if self._claims:
            section["claims"] = list(self._claims.values())
        yield from entry(KEY, section)
        for asked in self._template.asked:
            made = any(claim["path"].startswith(asked.id) for claim in self._claims.values())
            waiting = asked.what == "claim" and not made
            if waiting or (asked.what == "field" and asked.id.startswith(KEY)):
                yield f"# {asked.id}: {_pick(asked.ask, self._language)}"
            if waiting:
                self.open.append(asked)

    def _measured(self) -> Iterator[str]:
        for row in _table()["value"]:
            if self._template.kind.value not in row["kinds"]:
                continue
            for fact in _parts(self._facts, row["path"]):
                shown = self._show(fact, row["claim"])
                if shown:
                    part = ", ".join(fact.slice.values())
                    label = _pick(row["label"], self._language)
                    yield f"- {label}{f' ({_escape(part)})' if part and _tells(fact) else ''}: {shown}"
        endings = _endings(self._facts)
        if endings and self._template.kind in {Kind.MODEL, Kind.DATASET}:
            yield f"- {self.word('formats')}: {', '.join(endings)}"

    def _results(self, prefix: str) -> Iterator[str]:
        """Show what was stated under paths that begin with ``prefix``, and claim that it is known."""
        for path in self._facts.paths():
            found = _current(self._facts, path) if path.startswith(prefix) else []
            whole = [fact for fact in found if not fact.slice]
            for fact in (whole or found)[-1:]:
                shown = self._show(fact, "present")
                if shown:
                    label = " ".join(fact.slice.values()) if fact.slice else ""
                    yield f"- {_escape(path)}{f' ({_escape(label)})' if label else ''}: {shown}"
            if any(fact.slice and decimal(fact.value) is not None for fact in found):
                yield f"- {_escape(path)}, {self.word('worst')}: {{{{claim {path} slice=worst}}}}"

    def _show(self, fact: Fact, op: str) -> str:
        """Return the placeholder for a fact, and make the claim it names; empty when it cannot be named."""
        if op:
            name = _claim_id(fact, self._claims)
            claim: dict[str, Any] = {"id": name, "path": fact.path, "op": op}
            if op == Operator.EQUAL:
                claim["value"] = fact.value
            if fact.slice:
                claim["slice"] = dict(fact.slice)
            if fact.n and op == Operator.PRESENT:
                claim["min_n"] = fact.n
            self._claims[name] = claim
            self.shown.append(fact.path)
            return f"{{{{claim {name}}}}}"
        if not all(_KEY.fullmatch(key) and _PART.fullmatch(value) for key, value in fact.slice.items()):
            return ""
        self.shown.append(fact.path)
        part = ",".join(f"{key}:{value}" for key, value in fact.slice.items())
        return f"{{{{claim {fact.path}{' slice=' + part if part else ''}}}}}"

    def _metadata(self) -> Iterator[tuple[str, object]]:
        """Yield metadata of the Hub that facts bear out."""
        licences = {fact.value for fact in _current(self._facts, "licence.text")} - {"unrecognised"}
        if len(licences) == 1:
            yield "license", licences.pop().lower()
        for key, path, kind in (
            ("library_name", "model.library", Kind.MODEL),
            ("base_model", "model.base", Kind.MODEL),
        ):
            values = {fact.value for fact in _current(self._facts, path)}
            if self._template.kind is kind and len(values) == 1:
                yield key, values.pop()
        spoken = [fact.slice["language"] for fact in _parts(self._facts, "text.language")]
        if spoken:
            yield "language", spoken
        rows = next((decimal(fact.value) for fact in _current(self._facts, "rows.total") if not fact.slice), None)
        if rows is not None and self._template.kind is Kind.DATASET:
            yield "size_categories", [_size(int(rows))]


def _current(facts: Facts, path: str) -> list[Fact]:
    """Return what is stated about these very bytes, as far as a card can name it: statements may hold anything."""
    return [fact for fact in facts.find(path) if fact.current and _PATH.fullmatch(path) and _can_be_named(fact)]


def _can_be_named(fact: Fact) -> bool:
    texts = (fact.value, *fact.slice.values())
    return len(fact.slice) <= MAX_PARTS and all(0 < len(text) <= MAX_TEXT and text.isprintable() for text in texts)


def _parts(facts: Facts, path: str) -> list[Fact]:
    """Return what to show of a path: the value of the whole, else what all parts say; of languages each common one."""
    found = _current(facts, path)
    if path == "text.language":
        least = decimal(MIN_SHARE)
        shares = [(decimal(fact.value), fact) for fact in found if fact.slice.keys() == {"language"}]
        common = [(share, fact) for share, fact in shares if share is not None and least is not None and share >= least]
        ordered = sorted(common, key=lambda pair: (-pair[0], pair[1].slice["language"]))
        return [fact for _, fact in ordered[:MAX_PARTS]]
    whole = [fact for fact in found if not fact.slice]
    if whole:
        return whole[-1:]
    return found[-1:] if len({fact.value for fact in found}) == 1 else []


def _tells(fact: Fact) -> bool:
    """Whether the part a value speaks about says something to a reader; a path of a file does not."""
    return "path" not in fact.slice


def _endings(facts: Facts) -> list[str]:
    names = (fact.slice.get("path", "") for fact in _current(facts, "file.present"))
    endings = {name.rpartition("/")[2].rpartition(".")[2].lower() for name in names if "." in name.rpartition("/")[2]}
    return sorted(each for each in endings if re.fullmatch(r"[a-z0-9]{1,12}", each))[: 2 * MAX_PARTS]


def _claim_id(fact: Fact, taken: Iterable[str]) -> str:
    name = fact.path.replace(".", "-").removesuffix("-total")
    base = re.sub(r"[^A-Za-z0-9_-]", "-", name).strip("-")[:80] or "claim"
    candidates = (base, *(f"{base}-{number}" for number in range(2, 10_000)))
    used = set(taken)
    return next(each for each in candidates if each not in used)


def _size(rows: int) -> str:
    """Return the Hub's class of a number of records (https://huggingface.co/docs/hub/datasets-cards)."""
    if rows < _SIZES[1]:
        return "n<1K"
    for (low, high), (first, last) in zip(pairwise(_SIZES[1:]), pairwise(_NAMES), strict=True):
        if low <= rows < high:
            return f"{first}<n<{last}"
    return "n>1T"


def _pick(texts: Mapping[str, str], language: str) -> str:
    return texts.get(language) or texts.get(language.split("-", 1)[0]) or texts["en"]


def _comment(text: str) -> str:
    return text.replace("--", "- -")


def _escape(text: str) -> str:
    """Write somebody else's words so that they are words, whatever they look like."""
    return _MARKUP.sub(r"\\\g<0>", clean(" ".join(text.split()))[:MAX_TEXT])


@cache
def _table() -> Mapping[str, Any]:
    return tomllib.loads(files(__package__).joinpath("measured.toml").read_text("utf-8"))


def languages(template: Template) -> tuple[str, ...]:
    """Return the languages in which a template asks, English first."""
    return ("en", *sorted({tag for asked in template.asked for tag in asked.ask} - {"en"}))
