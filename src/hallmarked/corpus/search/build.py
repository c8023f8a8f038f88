"""Make an index: a folder of blocks, keywords and a manifest, there whole or not at all."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path

from hallmarked import __version__
from hallmarked.core.errors import BackendError, InputError
from hallmarked.corpus.search.block import Writer
from hallmarked.corpus.search.keyword import KEYWORDS, KeywordWriter
from hallmarked.corpus.search.line import INFINI_GRAM, LineWriter
from hallmarked.corpus.search.manifest import FORMAT, MANIFEST, Options, Summary, describe
from hallmarked.corpus.search.model import Document, Unread
from hallmarked.corpus.search.word import EDITION, SPACE

LEAST_MIB, MOST_MIB = 1, 1024
MOST_TOLD = 20
"""Places of rows that could not be read that are told one by one."""
MIB = 1 << 20


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
        if self.options.backend not in ("", INFINI_GRAM) or (self.options.backend and self.options.keywords):
            raise InputError(f"an index is for hallmarked itself, or without keywords for {INFINI_GRAM}")
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
        self._writer: Writer | LineWriter | None = None
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
            self._writer = LineWriter(self._folder) if self.options.backend else Writer(self._folder, self._blocks)
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
            self._blocks += isinstance(writer, Writer)

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
                "files": {file.relative_to(self._folder).as_posix(): describe(file) for file in _files(self._folder)},
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


def _files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob("*") if file.is_file())
