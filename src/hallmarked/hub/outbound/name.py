"""Read the texts that a domain's owner put into the DNS (TXT records, https://www.rfc-editor.org/rfc/rfc1035).

The question goes to the name server that this machine is set up with, and nowhere else.
"""

from __future__ import annotations

import secrets
import socket
import struct
import time
from pathlib import Path

from hallmarked.core.errors import BackendError, InputError

TXT, INTERNET = 16, 1
MOST_RECORDS = 64
SECONDS = 5.0
RESOLV = Path("/etc/resolv.conf")
_HEAD = struct.Struct(">HHHHHH")
_RECORD = struct.Struct(">HHIH")
_QUESTION = struct.Struct(">HH")
Server = tuple[str, int]


def read_texts(name: str, server: Server | None = None) -> list[str]:
    """Return the texts of a name; none when it has none or does not exist.

    Args:
        name: The name, in ASCII.
        server: Which name server is asked; by default the first one of this machine.

    Raises:
        InputError: When the name cannot be one.
        BackendError: When no name server answers, or not as one does.
    """
    asked, number = _question(name), secrets.token_bytes(2)
    query = number + _HEAD.pack(0, 0x0100, 1, 0, 0, 0)[2:] + asked
    place = server or _server()
    try:
        answer = _by_datagram(query, place)
        if len(answer) >= _HEAD.size and _HEAD.unpack_from(answer)[1] & 0x0200:  # it did not fit
            answer = _by_stream(query, place)
    except OSError as error:
        raise BackendError("the name server of this machine does not answer") from error
    try:
        return _read(answer, number, asked)
    except (struct.error, IndexError, ValueError) as error:
        raise BackendError("the name server of this machine did not answer as one does") from error


def _question(name: str) -> bytes:
    labels = name.rstrip(".").encode("ascii", "replace").split(b".")
    if len(name) > 253 or not all(0 < len(label) < 64 for label in labels):
        raise InputError("this is not a name of the DNS")
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0" + _QUESTION.pack(TXT, INTERNET)


def _server() -> Server:
    try:
        lines = RESOLV.read_text("utf-8", "replace").splitlines()
    except OSError as error:
        raise BackendError("this machine has no name server") from error
    named = (line.split() for line in lines)
    found = next((words[1] for words in named if len(words) > 1 and words[0] == "nameserver"), None)
    if found is None:
        raise BackendError("this machine has no name server")
    return found, 53


def _by_datagram(query: bytes, place: Server) -> bytes:
    family = socket.AF_INET6 if ":" in place[0] else socket.AF_INET
    end = time.monotonic() + SECONDS
    with socket.socket(family, socket.SOCK_DGRAM) as opened:
        opened.connect(place)  # so that only this server's datagrams are taken
        opened.send(query)
        while True:
            opened.settimeout(max(0.01, end - time.monotonic()))
            answer = opened.recv(65_535)
            if answer[:2] == query[:2]:
                return answer


def _by_stream(query: bytes, place: Server) -> bytes:
    with socket.create_connection(place, SECONDS) as opened:
        opened.sendall(struct.pack(">H", len(query)) + query)
        (size,) = struct.unpack(">H", _receive(opened, 2))
        return _receive(opened, size)


def _receive(opened: socket.socket, size: int) -> bytes:
    parts, left, end = [], size, time.monotonic() + SECONDS
    while left:
        opened.settimeout(max(0.01, end - time.monotonic()))
        part = opened.recv(left)
        if not part:
            raise OSError("the connection ended")
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def _read(answer: bytes, number: bytes, asked: bytes) -> list[str]:
    """Read an answer.

    Raises:
        struct.error, IndexError, ValueError: When it is none to this question.
    """
    _, flags, questions, records, _, _ = _HEAD.unpack_from(answer)
    at = _HEAD.size + len(asked)
    same = answer[_HEAD.size : at].lower() == asked.lower()
    if answer[:2] != number or not flags & 0x8000 or questions != 1 or not same:
        raise ValueError("another question is answered")
    if flags & 0x000F == 3:
        return []
    if flags & 0x000F:
        raise BackendError("the name server of this machine cannot find the name just now")
    texts = []
    for _ in range(min(records, MOST_RECORDS)):
        at = _skip_name(answer, at)
        kind, class_, _, size = _RECORD.unpack_from(answer, at)
        at += _RECORD.size
        data = answer[at : at + size]
        if len(data) != size:
            raise ValueError("a record is cut off")
        at += size
        if (kind, class_) == (TXT, INTERNET):
            texts.append(_joined(data))
    return texts


def _skip_name(answer: bytes, at: int) -> int:
    while length := answer[at]:
        if length & 0xC0:  # a pointer to a name before; it ends this one
            return at + 2
        at += 1 + length
    return at + 1


def _joined(data: bytes) -> str:
    """Join the strings of a record, each of which has its length before it."""
    parts, at = [], 0
    while at < len(data):
        length = data[at]
        part = data[at + 1 : at + 1 + length]
        if len(part) != length:
            raise ValueError("a text is cut off")
        parts.append(part)
        at += 1 + length
    return b"".join(parts).decode("utf-8", "replace")
