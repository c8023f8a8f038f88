"""Pickles that begin so that they look like text or like nothing, while every unpickler reads on."""

from __future__ import annotations

import io
import pickle

import pytest

from hallmarked.checks.serialization.check import SerializationCheck
from hallmarked.core.evidence import Finding, Gap, Level
from tests.support import MemoryArtifact

CALL = b"0cexample\nstand_in\n(V\ntR."
"""Drop what came before, then call something that is not vetted."""

STREAMS = {
    "line of text longer than any name": b"V" + b"A" * 5000 + b"\n",
    "string longer than any name": b"S'" + b"A" * 5000 + b"'\n",
    "number of many digits": b"F1" + b"0" * 5000 + b"e-4999\n",
    "number in hexadecimal": b"I0x1\n",
    "number with a separator": b"I1_0\n",
    "number with a name": b"Finfinity\n",
    "text that is not UTF-8": b"V\xff\n",
    "text with a zero byte": b"Va\0b\n",
}


class Recorder(pickle.Unpickler):
    """Notes what a stream imports and calls, and does neither."""

    def __init__(self, stream: io.BytesIO) -> None:
        super().__init__(stream)
        self.called: list[str] = []

    def find_class(self, module: str, name: str) -> object:
        return lambda *_args: self.called.append(f"{module}.{name}")


@pytest.mark.parametrize("what", STREAMS)
def test_unpicklers_read_these_streams_to_the_end(what: str) -> None:
    """What the test below looks at are pickles that run, not rubbish."""
    recorder = Recorder(io.BytesIO(STREAMS[what] + CALL))
    recorder.load()
    assert recorder.called == ["example.stand_in"]


@pytest.mark.parametrize("what", STREAMS)
def test_a_pickle_is_examined_however_it_begins(what: str) -> None:
    """Beside a file that is proven, a pickle that begins unusually is still a finding or a gap."""
    header = b"\x02" + b"\0" * 7 + b"{}"
    artifact = MemoryArtifact({"model.safetensors": header, "notes": STREAMS[what] + CALL})
    items = list(SerializationCheck().run(artifact))
    assert any(
        isinstance(item, Gap) or (isinstance(item, Finding) and item.level is not Level.NOTE)
        for item in items
        if not isinstance(item, Gap) or item.location is not None
    )
