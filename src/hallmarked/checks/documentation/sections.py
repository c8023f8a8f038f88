"""Which sections and fields of a card hold something, after placeholders are taken away.

The headings are those of the templates of ``huggingface_hub`` and their predecessors, kept in ``sections.toml``. A
heading proves nothing: nearly every card made from a template has all of them, and leaves most empty.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

from hallmarked.core.evidence import Level
from hallmarked.formats.readme import Block, Section

TABLES = frozenset({"arrow", "csv", "jsonl", "ndjson", "orc", "parquet", "tsv"})
"""Endings of files that hold records."""
WEIGHTS = frozenset(
    {"bin", "ckpt", "gguf", "h5", "keras", "msgpack", "onnx", "pb", "pkl", "pt", "pth", "safetensors", "tflite"}
)
"""Endings of files that hold weights."""
_NOT_WORD = re.compile(r"[\W_]+")
_NUMBERING = re.compile(r"^(?:\d+ )+(?=\D)")
_SENTENCE = re.compile(r"(?<=[.!?。！？])\s+|\n")
_LABEL = re.compile(r"([^:：\n]{2,60}?)[\s*_]{0,9}[:：](.*)", re.DOTALL)
# A template that was never filled in; a place where a claim is shown ("{{claim recall}}") is none.
_VARIABLE = re.compile(r"\{\{(?!\s{0,9}claim\s)[^{}]{0,400}\}\}")
_BRACKETED = re.compile(r"[\[({<]{1,2}\s*([^\[\](){}<>]{0,60}?)\s*[\])}>]{1,2}")


@dataclass(frozen=True, slots=True)
class Entry:
    """A section that a template asks for."""

    id: str
    title: str
    names: frozenset[str]
    """Normalised headings that hold it."""
    level: Level | None
    """How much it matters when nothing is written; ``None`` when it is only counted."""
    ask: str


@dataclass(frozen=True, slots=True)
class Field:
    """A metadata field that a card should have."""

    id: str
    names: tuple[str, ...]
    """The field itself and older spellings."""
    ask: str
    """What it should hold; empty when the field is optional."""


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """What a card of one kind is asked for. Equal only to itself, so that it can be looked up by."""

    kind: str
    entries: tuple[Entry, ...]
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a card has for one entry of its template."""

    entry: Entry
    filled: bool
    line: int | None
    """Line of the heading that holds it, or of the empty heading; ``None`` when there is no such heading."""


@cache
def table() -> Mapping[str, Any]:
    """Return the data file of this check."""
    return tomllib.loads(files(__package__).joinpath("sections.toml").read_text("utf-8"))


@cache
def template(kind: str) -> Template:
    """Return what a ``model`` or ``dataset`` card is asked for."""
    asked = table()[kind]
    entries = tuple(
        Entry(
            name,
            row["title"],
            frozenset(map(normalise, [row["title"], *row["names"]])),
            Level(row["level"]) if "level" in row else None,
            row.get("ask", ""),
        )
        for name, row in asked["sections"].items()
    )
    fields = tuple(
        Field(name, (name, *row.get("names", ())), row.get("ask", "")) for name, row in asked["fields"].items()
    )
    return Template(kind, entries, fields)


def normalise(text: str) -> str:
    """Return words only: no case, numbering, punctuation, brackets, emoji, and no trailing "[optional]"."""
    plain = unicodedata.normalize("NFKC", text).casefold().replace("&", " and ")
    words = _NOT_WORD.sub(" ", plain).strip()
    words = _NUMBERING.sub("", words)
    return words.removesuffix(" optional")


def kind_of(data: Mapping[str, object], sections: Sequence[Section], paths: Iterable[str] = ()) -> str:
    """Say whether a card describes a ``model`` or a ``dataset``.

    Its metadata decide, then its title, then its headings, then the files beside it: tables without weights are a
    data set.
    """
    dataset, model = (len(data.keys() & set(table()[kind]["keys"])) for kind in ("dataset", "model"))
    if dataset != model:
        return "dataset" if dataset > model else "model"
    titles = [normalise(section.title) for section in sections]
    for title in titles:
        if title.startswith(("dataset card for", "model card for")):
            return title.split(" ", 1)[0]
    hits = {kind: sum(bool(_match(title, template(kind))) for title in titles) for kind in ("model", "dataset")}
    if hits["dataset"] != hits["model"]:
        return "dataset" if hits["dataset"] > hits["model"] else "model"
    endings = {path.rpartition(".")[2].lower() for path in paths}
    return "dataset" if endings & TABLES and not endings & WEIGHTS else "model"


def answers(card: Template, sections: Sequence[Section]) -> list[Answer]:
    """Say for each entry of the template whether the card holds something for it."""
    found: dict[str, Answer] = {}

    def note(entry: Entry, filled: bool, line: int) -> None:
        before = found.get(entry.id)
        if before is None or (filled and not before.filled):
            found[entry.id] = Answer(entry, filled, line)

    for section, filled in zip(sections, _filled(sections), strict=True):
        if section.level:
            for entry in _match(normalise(section.title), card):
                note(entry, filled, section.line)
        for label, value, line in labels(section):
            words = normalise(label)
            for entry in (entry for entry in card.entries if words in entry.names):
                note(entry, content(value), line)
    return [found.get(entry.id, Answer(entry, False, None)) for entry in card.entries]


def labels(section: Section) -> Iterator[tuple[str, str, int]]:
    """Yield ``Label: value`` lines and two-column table rows of a section, with their line."""
    for block in section.blocks:
        if block.kind == "text" and (match := _label(block.text)):
            yield *match, block.line
        elif block.kind == "row" and len(block.cells) == 2:
            yield block.cells[0], block.cells[1], block.line


def _label(text: str) -> tuple[str, str] | None:
    match = _LABEL.match(text.lstrip(" \t\n*_•-"))
    return (match.group(1), match.group(2).strip(" \t\n*_")) if match else None


@lru_cache(maxsize=10_000)
def _match(title: str, card: Template) -> tuple[Entry, ...]:
    """Return the entries a normalised heading stands for: by whole heading, else by how the heading begins."""
    entries = card.entries
    exact = tuple(entry for entry in entries if title in entry.names)
    if exact or not title:
        return exact
    # One short word ("data", "uses") begins too many unrelated headings.
    return tuple(
        entry
        for entry in entries
        if any(title.startswith(name + " ") for name in entry.names if " " in name or len(name) >= 10)
    )


def _filled(sections: Sequence[Section]) -> list[bool]:
    """Say for each section whether it, or a section nested in it, has content."""
    own = [any(_block_has_content(block) for block in section.blocks) or _pictures(section) for section in sections]
    result = list(own)
    open_sections: list[int] = []
    for index, section in enumerate(sections):
        while open_sections and sections[open_sections[-1]].level >= section.level:
            open_sections.pop()
        if own[index]:
            for outer in open_sections:
                result[outer] = True
        if section.level:
            open_sections.append(index)
    return result


def _pictures(section: Section) -> bool:
    return any(link.image for link in section.links)


def _block_has_content(block: Block) -> bool:
    if block.kind == "row":
        return block.head != () and any(content(cell) for cell in block.cells[1:] or block.cells)
    return content(block.text)


def content(text: str) -> bool:
    """Say whether a text holds anything besides labels, placeholders and what a template left behind."""
    return any(_sentence_has_content(sentence) for sentence in _SENTENCE.split(text))


def _sentence_has_content(sentence: str) -> bool:
    sentence = _VARIABLE.sub(" ", sentence)
    sentence = _BRACKETED.sub(lambda match: " " if _empty(match.group(1)) else match.group(), sentence)
    if _empty(sentence):
        return False
    if normalise(sentence).startswith(tuple(table()["placeholders"]["boilerplate"])):
        return False
    label = _label(sentence)
    return label is None or not _empty(label[1])


def _empty(text: str) -> bool:
    words = normalise(text)
    return not words or words in _placeholders()


@cache
def _placeholders() -> frozenset[str]:
    return frozenset(table()["placeholders"]["whole"])


def field_value(field: Field, data: Mapping[str, object]) -> tuple[str, object] | None:
    """Return the spelling and value of a filled field, ``None`` when it is missing, empty or a placeholder."""
    for name in field.names:
        value = data.get(name)
        if isinstance(value, str) and not _empty(value):
            return name, value
        if isinstance(value, Mapping | Sequence) and not isinstance(value, str) and value:
            items = [item for item in value if not (isinstance(item, str) and _empty(item))]
            if items:
                return name, value
        elif isinstance(value, int | float) and not isinstance(value, bool):
            return name, value
    return None
