"""The check of chat templates (https://huggingface.co/docs/transformers/chat_templating).

Templates travel in configurations, in GGUF metadata and as files of their own, and the library that loads the model
renders them. They are found by content and judged by their syntax tree; none is ever rendered.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any, ClassVar

from jinja2 import nodes

from hallmarked.checks.content import blob_of
from hallmarked.checks.earlier import items_of
from hallmarked.checks.template import judge
from hallmarked.checks.template.collect import Candidate, Role, Unread, candidates, converses
from hallmarked.checks.template.parse import parse_template
from hallmarked.core.artifact import Artifact, File
from hallmarked.core.check import Extent, Note
from hallmarked.core.errors import BackendError, FormatError, LimitExceeded, NotFound
from hallmarked.core.evidence import Finding, Gap, Item, Level, Location, Measurement, Rule

DIFFERENT = Rule(
    "TPL006",
    Level.WARNING,
    "Two templates of one name differ",
    "Keep one. Which of the two a library uses depends on the library, so one can be shown and the other used.",
)
UNREADABLE = Rule(
    "TPL007",
    Level.WARNING,
    "A template cannot be read",
    "Correct it: what cannot be parsed within the limits cannot be vouched for.",
)
_SHOWN = 20
# What a row of data must say between delimiters to be worth parsing.
_REACHING = re.compile(
    r"\{[{%](?:(?![%}]\}).){0,2000}?(?:__|\\x5f|\\u005f|popen|_frame|f_globals)", re.DOTALL | re.IGNORECASE
)
_CODE_SHARE = 0.25
_MARKUP = re.compile(r"</?[a-zA-Z!][^>]{0,200}>")


class TemplateCheck:
    """Does a template do more than lay out a conversation?"""

    id: ClassVar[str] = "templates"
    version: ClassVar[str] = "1"
    title: ClassVar[str] = "Does a template do more than lay out a conversation?"
    rules: ClassVar[Sequence[Rule]] = (
        judge.INTERNALS,
        judge.COMPUTED,
        judge.LOADING,
        judge.ENDLESS,
        judge.UNPROVEN,
        DIFFERENT,
        UNREADABLE,
    )
    needs_socket: ClassVar[bool] = False
    extent: ClassVar[Extent] = Extent.FILE

    def edition(self) -> str:
        """Depend on nothing but rules and bytes."""
        return ""

    def applies(self, artifact: Artifact) -> bool:
        """Apply wherever there are files."""
        return bool(artifact.files)

    def run(self, artifact: Artifact) -> Iterator[Item]:
        """Judge every template of every file."""
        return items_of(self.look(artifact, {}))

    def look(self, artifact: Artifact, known: Mapping[str, Note]) -> Iterator[Item | Note]:
        """Judge the templates of files that are not known yet."""
        tally = _Tally()
        for file in artifact.files:
            note = known.get(file.path) or (yield from _examined(artifact, file))
            tally.count(note.data)
            yield note
        yield from tally.different()
        yield Measurement("templates.found", str(tally.found), n=tally.found)
        yield Measurement("templates.proven", str(tally.proven), n=tally.found)


class _Tally:
    """What was seen so far."""

    def __init__(self) -> None:
        self.found = 0
        self.proven = 0
        self._named: defaultdict[tuple[str, str], dict[str, str]] = defaultdict(dict)

    def count(self, data: Mapping[str, Any]) -> None:
        """Add what was seen in a file."""
        self.found += data["found"]
        self.proven += data["proven"]
        for folder, name, digest, path in data["named"]:
            self._named[folder, name].setdefault(digest, path)

    def data(self) -> dict[str, Any]:
        """Return what was seen as JSON."""
        named = [[*key, *place] for key, places in self._named.items() for place in places.items()]
        return {"found": self.found, "proven": self.proven, "named": named}

    def add(self, candidate: Candidate) -> None:
        """Remember a template under the name by which a loader finds it."""
        self.found += 1
        if candidate.name is not None:
            folder = PurePosixPath(candidate.location.path).parent
            if folder.name == "additional_chat_templates":
                folder = folder.parent
            digest = hashlib.sha256(candidate.text.rstrip("\n").encode("utf-8", "replace")).hexdigest()
            self._named[str(folder), candidate.name].setdefault(digest, candidate.location.path)

    def different(self) -> Iterator[Finding]:
        """Report names that stand for more than one text."""
        for (_, name), places in self._named.items():
            first, *others = places.values()
            for other in others[:_SHOWN]:
                message = f"The template “{name}” in {other} differs from the one in {first}"
                yield Finding.of(DIFFERENT, message, Location(other), name=name, other=first)


def _examined(artifact: Artifact, file: File) -> Generator[Item, None, Note]:
    tally, alone = _Tally(), True
    try:
        for found in candidates(blob_of(artifact, file)):
            yield from _unread(found) if isinstance(found, Unread) else _judge(found, tally)
    except (BackendError, NotFound, FormatError) as error:
        alone = isinstance(error, FormatError)
        yield Gap(f"{file.path} could not be searched for templates: {error}", Location(file.path))
    return Note(file.path, tally.data(), alone)


def _unread(unread: Unread) -> Iterator[Item]:
    yield Finding.of(UNREADABLE, unread.reason, unread.location)
    yield Gap(unread.reason, unread.location)


def _judge(candidate: Candidate, tally: _Tally) -> Iterator[Item]:
    """Parse a candidate and report what its role makes of what it does."""
    if candidate.role is Role.DATA and not _REACHING.search(candidate.text):
        return
    try:
        tree = parse_template(candidate.text)
    except FormatError as error:
        if candidate.role is Role.TEMPLATE or _means_template(candidate, error):
            tally.add(candidate)
            yield from _unread(Unread(f"{_subject(candidate)} cannot be judged: {error}", candidate.location))
        return
    role = _role(candidate, tree)
    marks = judge.judge(tree)
    if role is Role.TEMPLATE:
        tally.add(candidate)
        tally.proven += not marks
        if marks:
            yield Gap(f"{_subject(candidate)} is not vouched for: it {marks[0].what}", candidate.location)
    else:
        marks = [_regraded(mark, role, tree) for mark in marks if _matters(mark, role, tree)]
    for mark in marks[:_SHOWN]:
        whole = not candidate.place
        location = Location(candidate.location.path, line=mark.line) if whole else candidate.location
        where = "" if whole else f" (its line {mark.line})"
        yield Finding.of(mark.rule, f"{_subject(candidate)} {mark.what}{where}", location, level=mark.level)
    if len(marks) > _SHOWN:
        yield Finding.of(
            judge.UNPROVEN, f"{_subject(candidate)} has {len(marks) - _SHOWN} more such places", candidate.location
        )


def _subject(candidate: Candidate) -> str:
    return (
        f"The template at “{candidate.place}” in {candidate.location.path}"
        if candidate.place
        else (f"The template {candidate.location.path}")
    )


def _means_template(candidate: Candidate, error: FormatError) -> bool:
    """Say whether a file that cannot be parsed was meant to be a chat template."""
    if candidate.role is not Role.TEXT:
        return candidate.role is Role.CONFIG and isinstance(error, LimitExceeded) and converses(candidate.text)
    opens = candidate.text.lstrip().startswith(("{%", "{{", "{#"))
    return converses(candidate.text) if isinstance(error, LimitExceeded) else opens and "messages" in candidate.text


def _matters(mark: judge.Mark, role: Role, tree: nodes.Template) -> bool:
    """Say whether to report something seen in what no model loader renders."""
    if mark.rule is judge.INTERNALS:
        return mark.level is Level.ERROR
    if role is Role.DATA or mark.rule is judge.UNPROVEN:
        return False
    if mark.rule is judge.LOADING:
        # Web pages are made of parts; that is what these statements are for.
        return not any(_MARKUP.search(piece.data) for piece in tree.find_all(nodes.TemplateData))
    return mark.level is Level.ERROR


def _regraded(mark: judge.Mark, role: Role, tree: nodes.Template) -> judge.Mark:
    """Keep the grade only for a walk through the interpreter's internals in something that is rendered."""
    walks = mark.rule is judge.INTERNALS and role is Role.CONFIG and judge.names_internals(tree)
    return mark if walks else replace(mark, level=Level.WARNING)


def _role(candidate: Candidate, tree: nodes.Template) -> Role:
    """Decide by content who would render a text."""
    if candidate.role is Role.CONFIG and judge.talks(tree):
        return Role.TEMPLATE
    if candidate.role is not Role.TEXT:
        return candidate.role
    pieces = list(tree.find_all(nodes.TemplateData))
    plain = sum(len(piece.data) for piece in pieces)
    code = candidate.text.lstrip("\ufeff \t\r\n").startswith("{") or plain < (1 - _CODE_SHARE) * len(candidate.text)
    if not judge.talks(tree):
        return Role.CONFIG if code else Role.DATA
    # A document that shows a template puts it between fences; a template for conversations does not open with one.
    opening = candidate.text.split("{%", 1)[0].split("{{", 1)[0]
    fences = sum(line.lstrip().startswith(("```", "~~~")) for line in opening.splitlines())
    return Role.TEMPLATE if code or fences % 2 == 0 else Role.DATA
