"""The check for published credentials."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import ClassVar

from hallmarked.checks.content import blob_of, head_of, is_text
from hallmarked.checks.earlier import items_of
from hallmarked.checks.secret.scan import Hit, scan
from hallmarked.core.artifact import Artifact, File
from hallmarked.core.check import Extent, Note
from hallmarked.core.errors import BackendError, NotFound
from hallmarked.core.evidence import Finding, Gap, Item, Level, Location, Measurement, Rule
from hallmarked.formats.blob import Blob

TOKEN = Rule(
    "SEC001",
    Level.ERROR,
    "A credential of a service is published",
    "Revoke it with its issuer first; deleting the file is not enough, because the history and every copy keep it.",
)
SUSPECT = Rule(
    "SEC002",
    Level.WARNING,
    "Something that looks like a credential is published",
    "Look at the line. If it is a credential, change it; deleting the file is not enough.",
)
_HEADER = 1 << 22
_SHOWN = 20


class SecretCheck:
    """Are passwords, tokens or keys published by mistake?"""

    id: ClassVar[str] = "secrets"
    version: ClassVar[str] = "1"
    title: ClassVar[str] = "Are passwords, tokens or keys published by mistake?"
    rules: ClassVar[Sequence[Rule]] = (TOKEN, SUSPECT)
    needs_socket: ClassVar[bool] = False
    extent: ClassVar[Extent] = Extent.FILE

    def edition(self) -> str:
        """Depend on nothing but rules and bytes."""
        return ""

    def applies(self, artifact: Artifact) -> bool:
        """Apply wherever there are files."""
        return bool(artifact.files)

    def run(self, artifact: Artifact) -> Iterator[Item]:
        """Search every text, and the text at the beginning of weight files."""
        return items_of(self.look(artifact, {}))

    def look(self, artifact: Artifact, known: Mapping[str, Note]) -> Iterator[Item | Note]:
        """Search the files that are not known yet."""
        searched = 0
        for file in artifact.files:
            note = known.get(file.path) or (yield from _examined(artifact, file))
            searched += bool(note.data.get("searched"))
            yield note
        yield Measurement("secrets.files.searched", str(searched), n=len(artifact.files))


def _examined(artifact: Artifact, file: File) -> Generator[Item, None, Note]:
    blob = blob_of(artifact, file)
    searched, alone = False, True
    try:
        head = head_of(blob)
        text = is_text(head)
        searched = text or _has_header(head)
        if searched:
            yield from _search(blob, None if text else _HEADER)
    except (BackendError, NotFound) as error:
        alone = False
        yield Gap(f"{file.path} could not be searched for credentials: {error}", Location(file.path))
    return Note(file.path, {"searched": searched}, alone)


def _has_header(head: bytes) -> bool:
    """Recognise weight files that begin with text people write: GGUF and safetensors."""
    return head[:4] == b"GGUF" or (head[8:9] == b"{" and int.from_bytes(head[:8], "little") < 100_000_000)


def _search(blob: Blob, limit: int | None) -> Iterator[Item]:
    with blob.open() as stream:
        for count, hit in enumerate(scan(stream, limit)):
            if count == _SHOWN:
                yield Finding.of(SUSPECT, f"{blob.path} holds more such texts", Location(blob.path))
                return
            yield _finding(blob, hit, limit is None)


def _finding(blob: Blob, hit: Hit, lines: bool) -> Finding:
    location = Location(blob.path, line=hit.line) if lines else Location(blob.path)
    shown = f" ({hit.masked})" if hit.masked else ""
    rule = TOKEN if hit.level is Level.ERROR else SUSPECT
    return Finding.of(rule, f"{blob.path} holds {hit.what}{shown}", location, level=hit.level, kind=hit.what)
