"""What a file is, judged by its bytes: what the checks of text share."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from functools import partial

from hallmarked.core.artifact import Artifact, File
from hallmarked.formats.blob import Blob

HEAD = 1 << 16
"""Bytes from which a file's kind is told."""
_BINARY = bytes(b for b in range(32) if b not in b"\t\n\v\f\r\x1b")


def blob_of(artifact: Artifact, file: File) -> Blob:
    """Return a file of an artifact as something readers read from."""
    return Blob(file.path, file.size, partial(artifact.open, file.path))


def head_of(blob: Blob) -> bytes:
    """Return the beginning of a file."""
    return blob.head(min(HEAD, max(blob.size, 0)))


def is_text(head: bytes) -> bool:
    """Say whether bytes can be the beginning of a text: UTF-8, or UTF-16 that says so.

    Control characters do not make a text binary, since loaders do not mind them either; bytes that are mostly control
    characters, such as the zeros of an empty tensor, do.
    """
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return True
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return len(head) - len(head.translate(None, _BINARY)) <= len(head) // 3


def decode(data: bytes) -> str:
    """Return bytes as text, with a replacement character for every byte that is none."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace")
    return data.decode("utf-8-sig", "replace")


def lines_of(blob: Blob, limit: int) -> Iterator[bytes]:
    """Yield the lines of a file; a line longer than ``limit`` comes in pieces."""
    with blob.open() as stream:
        while line := stream.readline(limit):
            yield line
