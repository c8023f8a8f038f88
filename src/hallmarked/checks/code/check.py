"""The check of code: what of it is here, what makes a library run it, and what it would do. Nothing is imported."""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import ClassVar

from hallmarked.checks.code import rules
from hallmarked.checks.code.command import Command, judge_command
from hallmarked.checks.code.inventory import SCRIPT_CHARACTERS, Code, Kind, read_code
from hallmarked.checks.code.judge import judge_python
from hallmarked.checks.code.parse import SOURCE_BYTES
from hallmarked.checks.code.reference import MENTIONS, CodeReference, references
from hallmarked.checks.code.reference import Kind as ReferenceKind
from hallmarked.checks.content import blob_of, decode, head_of, is_text
from hallmarked.core.artifact import Artifact, File
from hallmarked.core.check import Extent
from hallmarked.core.errors import BackendError, FormatError, NotFound
from hallmarked.core.evidence import Finding, Gap, Item, Level, Location, Measurement, Rule
from hallmarked.formats.blob import Blob, Budget
from hallmarked.formats.document import read_json, read_yaml

_DOCUMENT_BYTES = 1 << 22
_YAML = re.compile(rb"(?m)^[ \t]*(?:- +)?[\w.\"'-]+[ \t]*:(?:\s|$)|!!?python")
_RELATIVE = re.compile(r"(?m)^[ \t]*(?:from[ \t]+\.([\w.]+)[ \t]+import|import[ \t]+\.([\w.]+))")
_SHOWN = 30
_NAMED = 10


class CodeCheck:
    """Does anything here run code, and what would it do?"""

    id: ClassVar[str] = "code"
    version: ClassVar[str] = "1"
    title: ClassVar[str] = "Does anything here run code, and what would it do?"
    rules: ClassVar[Sequence[Rule]] = rules.ALL
    needs_socket: ClassVar[bool] = False
    extent: ClassVar[Extent] = Extent.ARTIFACT

    def applies(self, artifact: Artifact) -> bool:
        """Apply wherever there are files."""
        return bool(artifact.files)

    def run(self, artifact: Artifact) -> Iterator[Item]:
        """Read the references first, since they say which files a library runs; then judge every piece of code."""
        texts: list[Blob] = []
        named: dict[str, CodeReference] = {}
        files = {file.path: file for file in artifact.files}
        for file in artifact.files:
            blob = blob_of(artifact, file)
            try:
                if is_text(head_of(blob)):
                    texts.append(blob)
                    yield from _configured(blob, files, named)
            except (BackendError, NotFound, FormatError) as error:
                yield Gap(f"{file.path} could not be searched for code: {error}", Location(file.path))
        try:
            loaded = _reachable(artifact, named, files)
        except (BackendError, NotFound, FormatError) as error:
            loaded = set(named)
            yield Gap(f"what the code of this model imports could not be followed: {error}")
        seen = _Inventory()
        for blob in texts:
            try:
                yield from _judged(blob, blob.path in loaded, seen)
            except (BackendError, NotFound, FormatError) as error:
                yield Gap(f"{blob.path} could not be searched for code: {error}", Location(blob.path))
        yield from seen.summary()


class _Inventory:
    """What code is here."""

    def __init__(self) -> None:
        self._kinds: Counter[str] = Counter()
        self._paths: list[str] = []

    def add(self, path: str, kind: Kind) -> None:
        """Count a file."""
        self._kinds[kind.value] += 1
        if len(self._paths) < _NAMED:
            self._paths.append(path)

    def summary(self) -> Iterator[Item]:
        """Report what was counted."""
        total = sum(self._kinds.values())
        yield Measurement("code.files", str(total), n=total)
        for kind, count in sorted(self._kinds.items()):
            yield Measurement("code.files.kind", str(count), n=count, slice={"kind": kind})
        if total:
            more = f" and {total - len(self._paths)} more" if total > len(self._paths) else ""
            yield Finding.of(
                rules.CARRIED, f"The repository carries {total} files of code: {', '.join(self._paths)}{more}"
            )


def _configured(blob: Blob, files: dict[str, File], named: dict[str, CodeReference]) -> Iterator[Item]:
    """Report what a configuration names, and remember the modules of this repository."""
    if blob.size > _DOCUMENT_BYTES:
        return
    data = blob.read_all(Budget(blob.size))
    if not MENTIONS.search(data) and b"\\u00" not in data:
        return
    document = _document(data, blob.size)
    location = Location(blob.path)
    for reference in references(document):
        where = f"{blob.path} ({reference.place})"
        if reference.kind is ReferenceKind.OTHER:
            message = f"{where} names code of another repository, {reference.repository}: {reference.target}"
            yield Finding.of(rules.ELSEWHERE, message, location, target=reference.target)
            yield Gap(f"the code of {reference.repository} is not part of this revision and was not examined", location)
        elif reference.kind is ReferenceKind.TRUST:
            yield Finding.of(rules.TRUSTING, f"{where} switches remote code on", location)
        elif reference.kind is ReferenceKind.HOSTILE:
            message = f"{where} names a function to call, {reference.target[:80]}"
            yield Finding.of(rules.CONFIGURED, message, location, target=reference.target[:200])
        else:
            yield from _own(reference, blob, files, named)


def _document(data: bytes, size: int) -> object:
    try:
        if data.lstrip()[:1] in {b"{", b"["}:
            return read_json(data, Budget(size), constants=True)
        return read_yaml(data, Budget(size)) if _YAML.search(data) and len(data) < _DOCUMENT_BYTES // 4 else None
    except FormatError:
        return None  # broken documents are reported by the check that reads them for what they say


def _own(
    reference: CodeReference, blob: Blob, files: dict[str, File], named: dict[str, CodeReference]
) -> Iterator[Item]:
    folder = posixpath.dirname(blob.path)
    path = posixpath.normpath(posixpath.join(folder, f"{reference.module}.py"))
    location = Location(blob.path)
    if path not in files:
        message = f"{blob.path} ({reference.place}) names {reference.target}, but {path} is not here"
        yield Finding.of(rules.MISSING, message, location, target=reference.target)
        yield Gap(f"{path}, which {blob.path} names as code to run, is not here and was not examined", location)
    elif path not in named:
        named[path] = reference
        message = f"This model runs {path} from its repository, because {blob.path} names {reference.target}"
        yield Finding.of(rules.LOADED, message, Location(path), target=reference.target)


def _reachable(artifact: Artifact, named: dict[str, CodeReference], files: dict[str, File]) -> set[str]:
    """Return the named modules and what they import from beside them, as far as it is here."""
    found: set[str] = set()
    pending = list(named)
    while pending:
        path = pending.pop()
        if path in found or files[path].size > 4 * SOURCE_BYTES:
            continue
        found.add(path)
        text = decode(blob_of(artifact, files[path]).read_all(Budget(files[path].size)))
        folder = posixpath.dirname(path)
        for match in _RELATIVE.finditer(text):
            module = (match[1] or match[2]).replace(".", "/")
            pending += [near for near in (posixpath.join(folder, f"{module}.py"),) if near in files]
    return found


def _judged(blob: Blob, loaded: bool, seen: _Inventory) -> Iterator[Item]:
    if blob.size > 4 * SOURCE_BYTES:
        return  # data: nothing that is written by hand, or imported in one piece, is that long
    code = read_code(blob.path, blob.read_all(Budget(blob.size)))
    if code is None:
        return
    seen.add(blob.path, code.kind)
    if code.problem:
        yield Finding.of(rules.UNREADABLE, f"{blob.path} cannot be judged: {code.problem}", Location(blob.path))
        yield Gap(f"{blob.path} cannot be judged: {code.problem}", Location(blob.path))
    yield from _commands(blob.path, code)
    if code.tree is None:
        return
    marks = judge_python(code.tree, loaded=loaded)
    for mark in marks[:_SHOWN]:
        location = Location(blob.path, line=mark.line)
        data = {"call": mark.name} if mark.name else {}
        yield Finding.of(mark.rule, f"{blob.path} {mark.what}", location, level=mark.level, **data)
        if mark.level is Level.WARNING and mark.rule in {rules.PROCESS, rules.EXECUTE, rules.HIDDEN}:
            yield Gap(f"{blob.path} {mark.what}; what that does cannot be established here", location)
    if len(marks) > _SHOWN:
        yield Finding.of(rules.CARRIED, f"{blob.path} has {len(marks) - _SHOWN} more such places", Location(blob.path))


def _commands(path: str, code: Code) -> Iterator[Item]:
    """Judge scripts, and the lines of notebooks that are for the shell."""
    if code.notebook is not None:
        commands = code.notebook.commands
    elif code.kind in {Kind.SHELL, Kind.CONTAINER, Kind.SCRIPT}:
        commands = [
            (number, line)
            for number, line in enumerate(_joined_lines(code.text[:SCRIPT_CHARACTERS]), 1)
            if not line.lstrip().startswith("#")
        ]
    else:
        return
    worst: dict[Command, int] = {}
    for number, line in commands:
        worst.setdefault(judge_command(line), number)
    if (line_number := worst.get(Command.HOSTILE)) is not None:
        message = f"{path} holds a hostile command: it opens a shell to elsewhere, plants itself, hides or destroys"
        yield Finding.of(rules.PROCESS, message, Location(path, line=line_number), level=Level.ERROR)
    elif (line_number := worst.get(Command.FETCHES)) is not None:
        yield Finding.of(rules.PROCESS, f"{path} runs what it downloads", Location(path, line=line_number))


def _joined_lines(text: str) -> list[str]:
    """Return lines with continued ones joined to the line that begins them, so that line numbers stay."""
    lines: list[str] = []
    pending = 0
    for line in text.splitlines():
        if pending:
            lines[-pending] = f"{lines[-pending][:-1]} {line}" if len(lines[-pending]) < 10_000 else lines[-pending]
            lines.append("")
            pending = pending + 1 if line.endswith("\\") else 0
        else:
            lines.append(line)
            pending = 1 if line.endswith("\\") else 0
    return lines
