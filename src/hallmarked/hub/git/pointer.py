"""The small text that stands in a git tree for a large file.

Source: Git LFS specification, https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md
"""

from __future__ import annotations

import re

MAX_POINTER = 1024
"""Bytes; the specification bounds pointers at this size."""
_TEXT = re.compile(
    rb"version https://git-lfs\.github\.com/spec/v1\n"
    rb"oid sha256:(?P<sha256>[0-9a-f]{64})\nsize (?P<size>[0-9]{1,18})\n\Z"
)


def encode_pointer(sha256: str, size: int) -> bytes:
    """Write the pointer of a file of ``size`` bytes."""
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n".encode()


def parse_pointer(data: bytes) -> tuple[str, int] | None:
    """Return SHA-256 and size that a pointer names; None when the bytes are not a pointer."""
    match = _TEXT.match(data) if len(data) <= MAX_POINTER else None
    return (match["sha256"].decode(), int(match["size"])) if match else None
