"""Lines of text files: cut into parts that begin and end between lines, never longer than memory allows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from hallmarked.core.errors import FormatError
from hallmarked.corpus.table.model import PART_BYTES, ROW_BYTES, Part, Skipped
from hallmarked.formats.blob import Blob

BOM = b"\xef\xbb\xbf"
_PASSED = 1 << 20


@dataclass(frozen=True, slots=True)
class Line:
    """A line without its end."""

    number: int
    """From 0 at the beginning of the part."""
    data: bytes


def cut_lines(blob: Blob) -> Sequence[Part]:
    """Cut a file into parts of equal size; a line belongs to the part in which it begins."""
    starts = range(0, max(blob.size, 1), PART_BYTES)
    return [Part(start, min(start + PART_BYTES, blob.size)) for start in starts]


def read_lines(blob: Blob, part: Part) -> Iterator[Line | Skipped]:
    """Yield the lines that begin in a part, and say which are too long, and where a compressed file breaks off."""
    number = 0
    with blob.open() as stream:
        try:
            at = _begin(stream, part)
            while at < part.stop:
                line = stream.readline(ROW_BYTES + 1)
                if not line:
                    return
                at += len(line)
                if len(line) > ROW_BYTES:
                    at += _pass_over(stream)
                    yield Skipped(f"the row is longer than {ROW_BYTES >> 20} MiB", number)
                else:
                    yield Line(number, (line if at > len(line) else line.removeprefix(BOM)).rstrip(b"\r\n"))
                number += 1
        except FormatError as error:  # what unfolds breaks off
            yield Skipped(f"{error}; nothing below was read", number, None)


def _begin(stream: BinaryIO, part: Part) -> int:
    """Go to the first line that begins in a part, and return where that is."""
    if part.start == 0:
        return 0
    stream.seek(part.start - 1)  # a line that begins exactly here has its predecessor's end before it
    return part.start - 1 + _pass_over(stream)


def _pass_over(stream: BinaryIO) -> int:
    """Go on behind the end of the line, and return how many bytes that was."""
    passed = 0
    while data := stream.readline(_PASSED):
        passed += len(data)
        if data.endswith(b"\n"):
            break
    return passed
