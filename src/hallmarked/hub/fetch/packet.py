"""What git says over HTTP when it fetches, line by line.

Sources: https://git-scm.com/docs/protocol-common (packet lines), https://git-scm.com/docs/protocol-pack (requests).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from hallmarked.core.errors import InputError

FLUSH = b"0000"
MOST_PACKET = 65_520
MOST_BAND = MOST_PACKET - 5
"""Bytes of data in one packet of a side band."""
MOST_OIDS = 100_000
DATA, PROGRESS = 1, 2
_OID = re.compile(rb"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class Wants:
    """What a client asks for, and what it says it has."""

    wants: tuple[str, ...]
    haves: tuple[str, ...]
    shallow: frozenset[str]
    """Commits whose parents the client does not have."""
    depth: int
    """Commits deep; 0 for all."""
    done: bool
    """Whether the client wants the pack now, whatever is common."""
    capabilities: frozenset[str]


def packet(line: bytes | str) -> bytes:
    """Write one packet."""
    data = line.encode() if isinstance(line, str) else line
    return b"%04x" % (len(data) + 4) + data


def banded(band: int, data: bytes) -> Iterator[bytes]:
    """Write data in packets of a side band."""
    for start in range(0, len(data), MOST_BAND):
        yield packet(bytes([band]) + data[start : start + MOST_BAND])


def read_wants(body: bytes) -> Wants:
    """Read the request of a fetch.

    Raises:
        InputError: When it is not one.
    """
    wants: list[str] = []
    haves: list[str] = []
    shallow: set[str] = set()
    words: frozenset[str] = frozenset()
    depth, done = 0, False
    for line in _lines(body):
        kind, _, rest = line.partition(b" ")
        if kind == b"done":
            done = True
        elif kind == b"deepen" and rest.isdigit() and len(rest) < 11:
            depth = int(rest)
        elif kind in (b"want", b"have", b"shallow"):
            oid, _, more = rest.partition(b" ")
            if not _OID.fullmatch(oid):
                raise InputError("git asked for something that is not a commit")
            if kind == b"want" and not wants:
                words = frozenset(more.decode("ascii", "replace").split())
            {b"want": wants.append, b"have": haves.append, b"shallow": shallow.add}[kind](oid.decode())
        else:
            raise InputError(f"git asked for {line[:60].decode('ascii', 'replace')!r}, which is not offered here")
        if len(wants) + len(haves) + len(shallow) > MOST_OIDS:
            raise InputError(f"git named more than {MOST_OIDS:,} commits")
    return Wants(tuple(wants), tuple(haves), frozenset(shallow), depth, done, words)


def _lines(body: bytes) -> Iterator[bytes]:
    """Yield the lines of all packets; flushes only separate them."""
    at = 0
    while at < len(body):
        head = body[at : at + 4]
        try:
            length = int(head, 16) if re.fullmatch(rb"[0-9a-fA-F]{4}", head) else -1
        except ValueError:
            length = -1
        if length in (1, 2, 3) or length < 0 or at + length > len(body):
            raise InputError("what git sent is cut off or damaged")
        if length > 4:
            yield body[at + 4 : at + length].removesuffix(b"\n")
        at += length or 4
