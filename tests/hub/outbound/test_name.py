"""Texts of names in the DNS, asked of a name server on this machine."""

from __future__ import annotations

import socketserver
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallmarked.core.errors import BackendError, InputError
from hallmarked.hub.outbound import name as dns
from hallmarked.hub.outbound.name import read_texts

Answer = Callable[[bytes], bytes]


def record(*texts: bytes, kind: int = 16) -> bytes:
    data = b"".join(bytes([len(text)]) + text for text in texts)
    return b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 60, len(data)) + data


def answering(*records: bytes, flags: int = 0x8180) -> Answer:
    return lambda query: (
        query[:2] + struct.pack(">HHHHH", flags, 1, len(records), 0, 0) + query[12:] + b"".join(records)
    )


@contextmanager
def serving(answer: Answer, *, whole: Answer | None = None) -> Iterator[tuple[str, int]]:
    """Answer by datagram, and by stream with ``whole``."""

    class Datagram(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            data, socket = self.request
            socket.sendto(answer(data), self.client_address)

    class Stream(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            (size,) = struct.unpack(">H", self.request.recv(2))
            said = (whole or answer)(self.request.recv(size))
            self.request.sendall(struct.pack(">H", len(said)) + said)

    with (
        socketserver.UDPServer(("127.0.0.1", 0), Datagram) as first,
        socketserver.TCPServer(("127.0.0.1", first.server_address[1]), Stream) as second,
    ):
        threads = [threading.Thread(target=server.serve_forever) for server in (first, second)]
        for thread in threads:
            thread.start()
        try:
            yield "127.0.0.1", first.server_address[1]
        finally:
            first.shutdown()
            second.shutdown()
            for thread in threads:
                thread.join()


@pytest.mark.enable_socket
def test_texts_are_read() -> None:
    """Several records, several strings in one, others in between; none where the name does not exist."""
    with serving(answering(record(b"one"), record(b"\x01\x02\x03\x04", kind=5), record(b"long ", b"text"))) as server:
        assert read_texts("_hallmarked-consent.example.org", server) == ["one", "long text"]
    with serving(answering(flags=0x8183)) as server:
        assert read_texts("nothing.example.org", server) == []


@pytest.mark.enable_socket
def test_what_does_not_fit_is_asked_for_again() -> None:
    """By a stream, as the standard says."""
    with serving(answering(flags=0x8380), whole=answering(record(b"x" * 200))) as server:
        assert read_texts("example.org", server) == ["x" * 200]


@pytest.mark.enable_socket
@pytest.mark.parametrize("flags", [0x8182, 0x0100])
def test_a_server_that_cannot_tell_is_named(flags: int) -> None:
    """An error, or what is no answer at all, is not taken for "there is no such record"."""
    with serving(answering(flags=flags)) as server, pytest.raises(BackendError, match="name server"):
        read_texts("example.org", server)


@given(st.binary(max_size=80), st.integers(0, 5))
def test_hostile_answers_are_refused(rest: bytes, records: int) -> None:
    """Whatever stands behind the question, it is read in bounds or refused."""
    asked = dns._question("example.org")
    data = b"\0\1" + struct.pack(">HHHHH", 0x8180, 1, records, 0, 0) + asked + rest
    try:
        texts = dns._read(data, b"\0\1", asked)
    except (struct.error, IndexError, ValueError):
        return
    assert len(texts) <= records


@pytest.mark.parametrize("name", ["", "a..b", "x" * 64 + ".org", "a." * 200])
def test_what_is_no_name_is_refused(name: str) -> None:
    """Before anything is sent."""
    with pytest.raises(InputError):
        read_texts(name, ("127.0.0.1", 1))
