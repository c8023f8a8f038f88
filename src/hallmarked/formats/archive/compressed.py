"""Single compressed streams: gzip, bzip2, xz, lzma, zlib and Zstandard.

Several streams in a row are one content for most tools and only the first for others; both is checked. What follows
the last stream is reported.

Formats: RFC 1952 (gzip), RFC 1950 (zlib), RFC 8878 (Zstandard), https://sourceware.org/bzip2/, https://tukaani.org/xz/xz-file-format.txt
"""

from __future__ import annotations

import io
import lzma
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import BinaryIO

from hallmarked.formats.archive.model import Defect, Expanded, Irregularity
from hallmarked.formats.archive.stream import (
    Cache,
    Content,
    Decoder,
    ZlibDecoder,
    ZstdDecoder,
    bzip2_decoder,
    decode,
    lzma_decoder,
)
from hallmarked.formats.blob import Blob, Budget

SUFFIX = "content"
"""What the inside of a compressed file is called in locations: ``model.pkl.gz!content``."""

Codec = Callable[[], Decoder]

CODECS: Mapping[str, Codec] = {
    "gzip": lambda: ZlibDecoder(16 + zlib.MAX_WBITS),
    "zlib": lambda: ZlibDecoder(zlib.MAX_WBITS),
    "bzip2": bzip2_decoder,
    "xz": lambda: lzma_decoder(lzma.FORMAT_XZ),
    "lzma": lambda: lzma_decoder(lzma.FORMAT_ALONE),
    "zstd": ZstdDecoder,
}
"""Formats that can be decompressed."""

_ZSTD_FRAMES = (b"\x28\xb5\x2f\xfd", *(bytes([kind]) + b"\x2a\x4d\x18" for kind in range(0x50, 0x60)))
"""Frames with content, and those that programs pass over (RFC 8878, section 3.1)."""
STARTS: Mapping[str, tuple[bytes, ...]] = {
    "gzip": (b"\x1f\x8b",),
    "bzip2": (b"BZh",),
    "xz": (b"\xfd7zXZ\x00",),
    "zstd": _ZSTD_FRAMES,
}
"""How a further stream begins; zlib and lzma files hold exactly one."""


def expand(blob: Blob, budget: Budget, name: str) -> Expanded:
    """Run through a compressed file once and offer its content.

    Args:
        blob: The compressed file.
        budget: Pays for what it expands to.
        name: A key of ``CODECS``.

    Raises:
        LimitExceeded: When it expands to more than the budget allows.
    """
    notes: dict[str, int] = {}
    content = Content(lambda: _chunks(blob, name, notes), budget, Cache())
    problems: list[Irregularity] = []
    if content.error:
        problems.append(Irregularity(Defect.TRUNCATED, str(content.error)))
    if notes.get("trailing"):
        message = f"{notes['trailing']:,} bytes follow the compressed content"
        problems.append(Irregularity(Defect.FOREIGN, message, blob.size - notes["trailing"]))
    return Expanded(content.blob(f"{blob.path}!{SUFFIX}", blob.depth + 1), tuple(problems))


def _chunks(blob: Blob, name: str, notes: dict[str, int]) -> Iterator[bytes]:
    with blob.open() as source:
        decoder = CODECS[name]()
        yield from decode(decoder, source)
        rest = decoder.unused_data
        while more := _next_stream(source, rest, name):
            decoder = CODECS[name]()
            yield from decode(decoder, source, more)
            rest = decoder.unused_data
        notes["trailing"] = _significant(source, rest)


def _next_stream(source: BinaryIO, rest: bytes, name: str) -> bytes:
    """Return the beginning of a further stream, when one follows (after padding, for xz)."""
    start = STARTS.get(name)
    if start is None:
        return b""
    data = rest + source.read(64)
    stripped = data.lstrip(b"\0") if name == "xz" else data
    if stripped.startswith(start):
        return stripped
    source.seek(-(len(data) - len(rest)), io.SEEK_CUR)
    return b""


def _significant(source: BinaryIO, rest: bytes) -> int:
    """Count the bytes that follow, unless they are zeros, which padding tools add."""
    count, zeros = len(rest), not rest.strip(b"\0")
    while data := source.read(1 << 18):
        count += len(data)
        zeros = zeros and not data.strip(b"\0")
    return 0 if zeros else count
