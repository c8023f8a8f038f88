"""Look at constants of a pickle for content that is code, or another pickle, in disguise.

Constants are data: nothing here means that loading the file runs anything, so findings are warnings. Only long
constants are looked at, and of very long ones the beginning: arrays are data, too.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Collection, Iterator
from typing import BinaryIO

from hallmarked.checks.serialization.pickle_rules import CONTENT
from hallmarked.core.evidence import Finding, Location
from hallmarked.formats.blob import Blob, Budget, Limits
from hallmarked.formats.pickle.machine import Trace
from hallmarked.formats.pickle.stream import Evaluation, evaluate

LOOK = 1 << 16
"""Bytes looked at of each constant."""
MAX_BYTES = 16 << 20
"""Bytes looked at of all constants of a pickle together."""
MAX_SHOWN = 20
_INNER = Limits(opcodes=100_000, pickle_nodes=1_000_000)

# Cheap words first: the expression is only tried on constants that hold one of them.
_WORDS = (
    b"import",
    b"eval",
    b"exec",
    b"system",
    b"subprocess",
    b"socket",
    b"/bin/",
    b"powershell",
    b"curl ",
    b"wget ",
    b"popen",
)
_CODE = re.compile(
    rb"""\b(?:eval|exec|__import__|execfile)\s*\(
    | \bos\.(?:system|popen|exec[lv]\w*|spawn\w+|remove|unlink)\s*\(
    | \bsubprocess\.(?:run|call|Popen|check_\w+|getoutput)\b
    | \b(?:import|from)\s+(?:os|subprocess|socket|ctypes|pty|shutil|base64|marshal|pickle)\b
    | \bsocket\.socket\s*\( | \bpty\.spawn\b
    | /bin/(?:ba|z|da)?sh\b | \bpowershell(?:\.exe)?\s | \bcmd(?:\.exe)?\s+/c\s
    | \b(?:curl|wget)\s+(?:-\S+\s+)*https?://""",
    re.VERBOSE | re.IGNORECASE,
)
_PICKLE = re.compile(rb"\x80[\x01-\x05]")
_TEXT_PICKLE = re.compile(rb"(?:\(*[ic][A-Za-z_][\w.]*\n[A-Za-z_][\w.]*\n|\((?:[dl]|S'))")
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{24,}={0,2}\Z")
_HEX = re.compile(rb"(?:[0-9a-fA-F]{2}){16,}\Z")


def look(blob: Blob, trace: Trace, loaded: Collection[int | bytes] = ()) -> Iterator[Finding]:
    """Yield a finding for each long constant that holds code or a pickle, plain or encoded once.

    Args:
        blob: Where the constants lie.
        trace: Lists them.
        loaded: Constants, by offset or content, that are judged as files of their own.
    """
    shown = looked = 0
    pairs = zip(trace.constants[::2], trace.constants[1::2], strict=True)
    with blob.open() as stream:
        for offset, length in pairs:
            content = _read(stream, offset, min(length, LOOK))
            looked += len(content)
            known = offset in loaded or content in loaded
            what = None if known else describe(content, whole=length <= LOOK)
            if what:
                shown += 1
                text = f"A constant of {length:,} bytes in this pickle looks like {what}."
                yield Finding.of(CONTENT, text, Location(blob.path, offset))
            if shown >= MAX_SHOWN or looked > MAX_BYTES:
                return


def _read(stream: BinaryIO, offset: int, length: int) -> bytes:
    stream.seek(offset)
    return stream.read(length)


def describe(content: bytes, *, whole: bool = True) -> str | None:
    """Say what a constant looks like, or None when it is plain data."""
    return _plain(content, whole) or _decoded(content)


def _plain(content: bytes, whole: bool) -> str | None:
    if (_PICKLE.match(content) or _TEXT_PICKLE.match(content)) and _is_pickle(content, whole):
        return "another pickle"
    lowered = content.lower()
    if any(word in lowered for word in _WORDS) and _CODE.search(content):
        return "code or a command"
    return None


def _is_pickle(content: bytes, whole: bool) -> bool:
    inner: Evaluation = evaluate(Blob.of_bytes("constant", content), Budget(len(content), _INNER))
    if inner.error is None:
        return True
    return not whole or bool(inner.trace.globals and inner.trace.calls)


def _decoded(content: bytes) -> str | None:
    text = content.strip()
    for name, pattern, decode in (("hexadecimal", _HEX, binascii.unhexlify), ("base64", _BASE64, _unbase64)):
        if not pattern.match(text):
            continue
        try:
            inner = decode(text)
        except (binascii.Error, ValueError):
            continue
        what = _plain(inner, whole=True)
        if what:
            return f"{what} in {name} form"
    return None


def _unbase64(text: bytes) -> bytes:
    padded = text.rstrip(b"=")
    padded += b"=" * (-len(padded) % 4)
    return base64.b64decode(padded.translate(bytes.maketrans(b"-_", b"+/")), validate=True)
