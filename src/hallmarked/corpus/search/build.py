"""Make an index: a folder of blocks, keywords and a manifest, there whole or not at all."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path

from hallmarked import __version__
from hallmarked.core.errors import BackendError, InputError
from hallmarked.corpus.search.block import Writer
from hallmarked.corpus.search.keyword import KEYWORDS, KeywordWriter
from hallmarked.corpus.search.model import Document, Unread
from hallmarked.corpus.search.word import EDITION, SPACE

FORMAT = 1
MANIFEST = "manifest.json"
LEAST_MIB, MOST_MIB = 1, 1024
MOST_TOLD = 20
"""Places of rows that could not be read that are told one by one."""
MIB = 1 << 20
CHUNK = MIB


@dataclass(frozen=True, slots=True)
class Options:
    """How an index is made."""

    block_mib: int = 64
    """Folded words of a block, MiB; making it takes about eight times as much memory."""
    keywords: bool = True
    """Whether it can be searched by keyword."""
    licence: str = ""
    """Of rows that name none."""
    masked: str = ""
    """What masked personal data before anything was indexed; empty when nothing did."""


@dataclass(slots=True)
class Summary:
    """What an index holds, as its manifest says."""

    subject: str = ""
    """Name of the revision that was indexed."""
    digest: Mapping[str, str] = field(default_factory=dict)
    documents: int = 0
    words: int = 0
    bytes: int = 0
    """Of the texts, UTF-8."""
    unread: int = 0
    """Rows that could not be read, as far as their number is known."""
    lost: int = 0
    """Places from which an unknown number of rows could not be read."""
    places: list[Unread] = field(default_factory=list)
    """The first of them."""

    @property
    def whole(self) -> bool:
        """Whether every row was read."""
        return not self.unread and not self.lost


class Builder:
    """Writes an index. A context manager: leaving it without :meth:`commit` leaves nothing behind.

    Args:
        folder: Where the index will be; there must be nothing yet.
        options: How it is made.

    Raises:
        InputError: When something is there already, or an option cannot be used.
        BackendError: When nothing can be written there.
    """

    def __init__(self, folder: Path, options: Options | None = None) -> None:
        self.options = options or Options()
        if not LEAST_MIB <= self.options.block_mib <= MOST_MIB:
            raise InputError(f"a block of an index has from {LEAST_MIB} to {MOST_MIB} MiB")
        if folder.exists():
            raise InputError(f"{folder} exists already; remove it first, or name another place")
        self._target = folder
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            self._folder = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        except OSError as error:
            raise BackendError(f"nothing can be written to {folder.parent}: {error.strerror}") from error
        self.summary = Summary()
        self._paths: dict[str, int] = {}
        self._blocks = 0
        self._writer: Writer | None = None
        self._keywords = KeywordWriter(self._folder / KEYWORDS) if self.options.keywords else None

    def __enter__(self) -> Builder:
        return self

    def __exit__(self, *_failure: object) -> None:
        if self._writer is not None:
            self._writer.abandon()
        if self._keywords is not None:
            self._keywords.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def take(self, pieces: Iterable[Document | Unread]) -> None:
        """Take rows of a data set.

        Raises:
            BackendError: When the disk fails.
        """
        try:
            for piece in pieces:
                if isinstance(piece, Unread):
                    self._note(piece)
                else:
                    self._add(piece)
        except OSError as error:
            raise BackendError(f"the index cannot be written: {error.strerror}") from error

    def _note(self, piece: Unread) -> None:
        if piece.rows is None:
            self.summary.lost += 1
        else:
            self.summary.unread += piece.rows
        if len(self.summary.places) < MOST_TOLD:
            self.summary.places.append(piece)

    def _add(self, document: Document) -> None:
        if self._writer is None:
            self._writer = Writer(self._folder, self._blocks)
        path = self._paths.setdefault(document.path, len(self._paths))
        self._writer.add(document, path)
        if self._keywords is not None:
            self._keywords.add(self.summary.documents, document.words)
        self.summary.documents += 1
        self.summary.words += document.words.count(SPACE)
        self.summary.bytes += len(document.text.encode("utf-8", "replace"))
        if self._writer.size >= self.options.block_mib * MIB:
            self._close_block()

    def _close_block(self) -> None:
        if self._writer is not None:
            writer, self._writer = self._writer, None
            writer.finish()
            self._blocks += 1

    def commit(self, subject: str = "", digest: Mapping[str, str] | None = None) -> Summary:
        """Put the index where it belongs.

        Args:
            subject: Name of what was indexed.
            digest: Digests of what was indexed.

        Raises:
            BackendError: When the disk fails.
        """
        summary = self.summary
        summary.subject, summary.digest = subject, dict(digest or {})
        try:
            self._close_block()
            if self._keywords is not None:
                self._keywords.finish()
            body = {
                "format": FORMAT, "tool": __version__, "words": EDITION, "options": asdict(self.options),
                "summary": asdict(summary), "paths": list(self._paths), "blocks": self._blocks,
                "files": {file.name: describe(file) for file in sorted(self._folder.iterdir())},
            }  # fmt: skip
            (self._folder / MANIFEST).write_text(json.dumps(body, ensure_ascii=False, indent=1) + "\n", "utf-8")
            self._folder.chmod(0o755)
            self._folder.rename(self._target)
        except OSError as error:
            raise BackendError(f"the index cannot be written: {error.strerror}") from error
        return summary


def build(
    folder: Path,
    pieces: Iterable[Document | Unread],
    options: Options | None = None,
    *,
    subject: str = "",
    digest: Mapping[str, str] | None = None,
) -> Summary:
    """Make an index of rows.

    Args:
        folder: Where the index will be; there must be nothing yet.
        pieces: The rows, in the order of their files.
        options: How it is made.
        subject: Name of what they are.
        digest: Digests of what they are.

    Raises:
        InputError: When something is there already, or an option cannot be used.
        BackendError: When the disk fails.
    """
    with Builder(folder, options) as builder:
        builder.take(pieces)
        return builder.commit(subject, digest)


def describe(file: Path) -> dict[str, int | str]:
    """Return size and SHA-256 of a file."""
    digest = hashlib.sha256()
    with closing(file.open("rb")) as stream:
        while data := stream.read(CHUNK):
            digest.update(data)
        return {"size": stream.tell(), "sha256": digest.hexdigest()}
