"""Find templates by content: in documents, in GGUF metadata, and files that are templates as a whole."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import PurePosixPath

from hallmarked.checks.content import decode, head_of, is_text, lines_of
from hallmarked.checks.template.parse import TEMPLATE_CHARACTERS
from hallmarked.core.errors import FormatError
from hallmarked.core.evidence import Location
from hallmarked.formats.blob import Blob, Budget
from hallmarked.formats.document import Path, read_json, read_yaml, walk
from hallmarked.formats.gguf import is_gguf, read_gguf

DOCUMENT_BYTES = 1 << 26
"""Longest JSON document that is read whole; a longer one is data, not configuration."""
_YAML_BYTES = 1 << 20
_TEXT_BYTES = 4 * TEMPLATE_CHARACTERS
_LINE_BYTES = 1 << 22
_ROWS = 64
_ENTRIES = 1024

_GGUF_KEY = "tokenizer.chat_template"

_DELIMITER = re.compile(r"\{[{%#]")
# The same, as JSON and YAML may write it: any of the characters can be escaped.
_ESCAPED = re.compile(rb"(?i)\{[{%#]|\\u00(?:7b|25|23)|\\x(?:7b|25|23)|\\U000000(?:7b|25|23)")
# What a row of data must hold to be worth a look: a name of the interpreter's internals, or the place of templates.
_TELLING = re.compile(rb"(?i)__|\\u005f|\\x5f|popen|_frame|f_globals|chat_template")
_OPENING = re.compile(r"[\s\ufeff]*\{[{%#]")
_KEPT = re.compile(r"""["'][\w.]*chat_template[\w.]*["']\s*:""")
_CONVERSATION = re.compile(r"\{%[-+]?\s*for\s[^%]{1,200}\bin\s+[^%]{0,200}\bmessages\b")
_MAPPING = re.compile(r"(?m)^\s*(?:- +)?[\w.\"'-]+\s*:(?:\s|$)")


class Role(Enum):
    """Who would render a text."""

    TEMPLATE = auto()
    """A library that loads the model: it is kept where chat templates are kept, or it is one by its content."""
    CONFIG = auto()
    """Possibly some program: one that reads the configuration, or that writes pages or code from templates."""
    TEXT = auto()
    """A whole file; its content decides which of the others it is."""
    DATA = auto()
    """Nobody: it is a row of a table, or a document about templates."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A text that could be a template."""

    text: str
    role: Role
    location: Location
    place: str = ""
    """Where in the document, e.g. ``chat_template[0].template``; empty for a whole file."""
    name: str | None = None
    """What a loader asks for it by, in its folder; ``None`` when no loader looks for it."""


@dataclass(frozen=True, slots=True)
class Unread:
    """A text that may hold a template and could not be read."""

    reason: str
    location: Location


def candidates(blob: Blob) -> Iterator[Candidate | Unread]:
    """Yield everything in a file that could be a template."""
    if is_gguf(blob):
        yield from _gguf(blob)
        return
    head = head_of(blob)
    if not is_text(head):
        return
    start = decode(head).lstrip()
    if start[:1] in {"{", "["} and not _OPENING.match(start):
        yield from _json(blob)
    else:
        yield from _text(blob, start)


def _gguf(blob: Blob) -> Iterator[Candidate | Unread]:
    """Yield the strings of the metadata; those in arrays are the vocabulary, of which none is a template."""
    location = Location(blob.path)
    try:
        metadata = read_gguf(blob, Budget(blob.size)).metadata
    except FormatError as error:
        yield Unread(f"{blob.path} is GGUF that may hold a template, but cannot be read: {error}", location)
        return
    for key, value in metadata.items():
        for text in value if isinstance(value, tuple) and len(value) <= _ROWS else (value,):
            if isinstance(text, str) and _DELIMITER.search(text):
                kept = key.startswith(_GGUF_KEY)
                name = key[len(_GGUF_KEY) + 1 :] or "default" if kept else None
                yield Candidate(text, Role.TEMPLATE if kept else Role.CONFIG, location, key[:120], name)


def _json(blob: Blob) -> Iterator[Candidate | Unread]:
    location = Location(blob.path)
    if blob.size <= DOCUMENT_BYTES:
        data = blob.read_all(Budget(blob.size))
        if not _ESCAPED.search(data):
            return
        if _is_rows(data):
            yield from _rows(blob)
            return
        try:
            document = read_json(decode(data).encode("utf-8", "replace"), Budget(blob.size), constants=True)
        except FormatError as error:
            yield from _unreadable_json(blob, data, error)
        else:
            yield from _strings(document, location)
    else:
        yield from _rows(blob)


def _is_rows(data: bytes) -> bool:
    """Recognise JSON Lines: the first two lines are each a document of their own."""
    first, _, rest = data.lstrip().partition(b"\n")
    second = rest.lstrip().partition(b"\n")[0]
    if not second or len(first) > _LINE_BYTES or len(second) > _LINE_BYTES:
        return False
    try:
        return all(
            isinstance(read_json(line, Budget(len(line)), constants=True), dict | list) for line in (first, second)
        )
    except FormatError:
        return False


def _unreadable_json(blob: Blob, data: bytes, error: FormatError) -> Iterator[Candidate | Unread]:
    """Treat what starts like JSON and is none: other readers may be laxer, so say so when it may hold a template."""
    text = decode(data)
    if _KEPT.search(text):
        yield Unread(
            f"{blob.path} looks like JSON that holds a template, but cannot be read: {error}", Location(blob.path)
        )
    elif len(text) <= TEMPLATE_CHARACTERS and _DELIMITER.search(text):
        yield Candidate(text, Role.TEXT, Location(blob.path), name=_file_name(blob.path))


def _rows(blob: Blob) -> Iterator[Candidate]:
    """Read JSON Lines: every row is data."""
    for number, line in enumerate(lines_of(blob, _LINE_BYTES), 1):
        if not (_TELLING.search(line) and _ESCAPED.search(line)):
            continue
        try:
            row = read_json(line, Budget(len(line)), constants=True)
        except FormatError:
            continue
        for path, node in walk(row):
            if isinstance(node, str) and _DELIMITER.search(node):
                role = Role.TEMPLATE if _kept_as_template(path) else Role.DATA
                yield Candidate(node, role, Location(blob.path, line=number), _shown(path))


def _text(blob: Blob, start: str) -> Iterator[Candidate | Unread]:
    if blob.size > _TEXT_BYTES:
        if _OPENING.match(start) or _CONVERSATION.search(start):
            yield Unread(f"{blob.path} looks like a template, but is too long to be judged", Location(blob.path))
        return
    data = blob.read_all(Budget(blob.size))
    if not _ESCAPED.search(data) and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return
    text = decode(data)
    if len(data) <= _YAML_BYTES and _MAPPING.search(text) and not _OPENING.match(text):
        try:
            document = read_yaml(text.encode("utf-8", "replace"), Budget(blob.size))
        except FormatError:
            document = None
        if isinstance(document, dict | list):
            yield from _strings(document, Location(blob.path))
            return
    if _DELIMITER.search(text):
        yield Candidate(text, Role.TEXT, Location(blob.path), name=_file_name(blob.path))


def _strings(document: object, location: Location) -> Iterator[Candidate]:
    """Yield the strings of a document that hold delimiters."""
    for path, node in walk(document):
        if isinstance(node, str) and _DELIMITER.search(node):
            if _kept_as_template(path):
                yield Candidate(node, Role.TEMPLATE, location, _shown(path), _kept_name(document, path))
            else:
                role = Role.DATA if _is_row(document, path) else Role.CONFIG
                yield Candidate(node, role, location, _shown(path))


def _kept_as_template(path: Path) -> bool:
    return any(isinstance(part, str) and "chat_template" in part for part in path)


def _kept_name(document: object, path: Path) -> str | None:
    """Return the name under which a loader finds the template, ``default`` for the only one."""
    index = next(i for i, part in enumerate(path) if isinstance(part, str) and "chat_template" in part)
    if index > 0:
        return None
    rest = path[index + 1 :]
    if not rest:
        return "default" if path[index] == "chat_template" else None
    if len(rest) == 1 and isinstance(rest[0], str):
        return rest[0]
    parent = document
    for part in path[:-1]:
        parent = parent[part] if isinstance(parent, dict | list) else None  # type: ignore[index]
    name = parent.get("name") if isinstance(parent, dict) else None
    return name if isinstance(name, str) and rest[-1] == "template" else None


def _is_row(document: object, path: Path) -> bool:
    """Say whether a path leads through a table: a long list, or a mapping of very many keys."""
    node = document
    for part in path:
        if isinstance(node, list) and len(node) > _ROWS:
            return True
        if isinstance(node, dict) and len(node) > _ENTRIES:
            return True
        node = node[part] if isinstance(node, dict | list) else None  # type: ignore[index]
    return False


def converses(text: str) -> bool:
    """Say whether a text loops over the messages of a conversation, without parsing it."""
    return _CONVERSATION.search(text) is not None


def _file_name(path: str) -> str | None:
    """Return the name that a loader gives to a file that is a template as a whole."""
    place = PurePosixPath(path)
    if place.parent.name == "additional_chat_templates":
        return place.stem
    return "default" if place.stem == "chat_template" else None


def _shown(path: Path) -> str:
    shown = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")
    return shown if len(shown) <= 120 else shown[:119] + "…"
