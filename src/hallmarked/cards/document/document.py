"""A card as it lies in its file: bytes that are kept, metadata, text, and what it declares for machines.

Reading never raises for what a card holds: what stands in the way is a finding with its line, and what can still be
read is there.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath

from hallmarked.cards.document.declared import Declared
from hallmarked.cards.document.placeholder import Placeholder, find_placeholders
from hallmarked.cards.document.reader import read_declared
from hallmarked.cards.document.rule import BROKEN
from hallmarked.core.errors import FormatError, InputError
from hallmarked.core.evidence import Finding, Level, Location
from hallmarked.formats import readme
from hallmarked.formats.blob import Budget
from hallmarked.formats.document import Path
from hallmarked.formats.position import Lines, Place, PlaceReader
from hallmarked.formats.readme import MAX_FRONT, MAX_MARKDOWN, Front, Section

CARD = "README.md"
MAX_CARD = MAX_FRONT + 4 * MAX_MARKDOWN
_BREAK = re.compile(r"\r\n?|\n")


@dataclass(frozen=True, slots=True)
class Block:
    """A part of the text below the metadata: what somebody wrote, or a place for a claim."""

    text: str
    """As written; the blocks of a card joined are its text."""
    line: int
    section: str
    """Heading it stands under; empty before the first one."""
    claim: Placeholder | None = None
    """The claim that is shown here; ``None`` in prose."""


@dataclass(frozen=True, slots=True)
class Head:
    """The metadata of a card."""

    text: str
    """The whole file."""
    front: Front | None
    data: Mapping[str, object]
    places: Place | None
    """Where each part of them stands."""
    line_of: Lines
    """Gives the line of a part, or of the nearest one that is there."""


@dataclass(frozen=True, slots=True)
class Document:
    """A card."""

    file: str
    """Name, for messages."""
    raw: bytes
    """The whole file."""
    head: Head
    body: int
    """Character of ``text`` where the Markdown starts."""
    body_line: int
    sections: tuple[Section, ...]
    declared: Declared
    placeholders: tuple[Placeholder, ...]
    findings: tuple[Finding, ...]
    """What is in the way of reading it, and what is wrong with what it declares."""

    @property
    def text(self) -> str:
        """The whole file as text, line ends and byte order mark included; empty when it is none."""
        return self.head.text

    @property
    def data(self) -> Mapping[str, object]:
        """The metadata; empty when there are none, or they cannot be read."""
        return self.head.data

    def line_of(self, path: Path) -> int:
        """Return the line of a part of the metadata."""
        return self.head.line_of(path)

    def blocks(self) -> Iterator[Block]:
        """Yield the text in order, cut at headings and at places for claims; joined, it is the text as written."""
        starts = list(line_starts(self.text, self.body))
        heads = {starts[section.line - self.body_line]: section.title for section in self.sections if section.level}
        claims = {each.start: each for each in self.placeholders}
        cuts = {self.body, len(self.text), *heads}
        for start, each in claims.items():
            cuts |= {start, each.end}
        title, line = "", self.body_line
        ordered = sorted(cuts)
        for start, end in itertools.pairwise(ordered):
            title = heads.get(start, title)
            yield Block(self.text[start:end], line, title, claims.get(start))
            line += len(_BREAK.findall(self.text[start:end]))

    def require(self) -> Document:
        """Return the card when it could be read.

        Raises:
            InputError: When it holds an error; the message names the line.
        """
        errors = [finding.message for finding in self.findings if finding.level is Level.ERROR]
        if errors:
            more = f" (and {len(errors) - 1} more problems)" if len(errors) > 1 else ""
            raise InputError(errors[0] + more)
        return self


def read_document(raw: bytes, file: str = CARD) -> Document:
    """Read a card.

    Args:
        raw: Bytes of the file.
        file: Name of the file, for messages.
    """
    findings: list[Finding] = []
    budget = Budget(len(raw))

    def note(error: FormatError, line: int) -> None:
        at = error.line or line
        said = str(error).removesuffix(f" in line {at}")
        findings.append(Finding.of(BROKEN, f"{file}, line {at}: {said}", Location(file, line=at)))

    text, front, unified, line = "", None, "", 1
    head = _without_data("", None)
    try:
        text = readme.decode(raw)
        head, unified = _without_data(text, None), text
        front, unified, line = readme.split(text)
        head = _without_data(text, front)
        head = _head(text, front, budget)
    except FormatError as error:
        note(error, raw.count(b"\n", 0, error.offset or 0) + 1)
    try:
        sections = readme.read_markdown(unified, line, budget)
    except FormatError as error:
        note(error, line)
        sections = ()
    body = _body(text, front, line)
    declared, problems = read_declared(head.data, head.line_of, file)
    placeholders = tuple(find_placeholders(text, body, line, sections))
    return Document(file, raw, head, body, line, sections, declared, placeholders, (*findings, *problems))


def read_head(raw: bytes) -> Head:
    """Read the metadata of a card, and nothing below.

    Raises:
        FormatError: When they cannot be read.
    """
    text = readme.decode(raw)
    return _head(text, readme.split(text)[0], Budget(len(raw)))


def _head(text: str, front: Front | None, budget: Budget) -> Head:
    reader = PlaceReader(front.text if front else "")
    data = readme.read_metadata(front, budget, reader.take)
    line_of = Lines(front.text, front.line, reader.root) if front else Lines("", 1, None)
    return Head(text, front, data, reader.root, line_of)


def _without_data(text: str, front: Front | None) -> Head:
    return Head(text, front, {}, None, Lines("", front.line if front else 1, None))


def open_document(path: FilePath) -> Document:
    """Read the card at a path: the file itself, or ``README.md`` in a folder.

    Raises:
        InputError: When there is no such file, or it is larger than any card.
    """
    file = path / CARD if path.is_dir() else path
    try:
        with file.open("rb") as stream:
            raw = stream.read(MAX_CARD + 1)
    except OSError as error:
        raise InputError(f"{file} cannot be read: {(error.strerror or str(error)).lower()}") from error
    return read_document(raw, str(file))


def line_starts(text: str, start: int = 0) -> Iterator[int]:
    """Yield the characters at which lines start, from ``start`` on, which is the first."""
    yield start
    for match in _BREAK.finditer(text, start):
        yield match.end()


def _body(text: str, front: Front | None, line: int) -> int:
    """Return where the Markdown starts in the text as it lies in the file."""
    if front is None:
        return 1 if text.startswith("\ufeff") else 0
    for number, match in enumerate(_BREAK.finditer(text), 2):
        if number == line:
            return match.end()
    return len(text)
