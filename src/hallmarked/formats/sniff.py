"""Structural tests for formats whose signature is short, weak or missing.

Each looks at the beginning of the bytes (and, where lengths allow, jumps from field to field), and says whether a
reader of that format would start on them. Sources: the specification cited by each format's own reader.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator

from hallmarked.formats.blob import Blob
from hallmarked.formats.savedmodel import find_kind

_CONTROL = bytes(set(range(32)) - set(b"\t\n\r\f\b\x1b"))
_WALK = 4096
"""Protobuf fields looked at."""


def is_tar(blob: Blob, head: bytes) -> bool:
    """Look for a header block with a checksum that is right; old archives have no other signature."""
    block = head[:512]
    if blob.size < 512 or not block[0] or len(block) < 512:
        return False
    recorded = block[148:156].strip(b" \0")
    if not recorded or any(byte not in b"01234567" for byte in recorded):
        return False
    expected = int(recorded, 8)
    blanked = block[:148] + b" " * 8 + block[156:]
    signed = sum(byte - 256 if byte > 127 else byte for byte in blanked)
    return expected in {sum(blanked), signed}


def is_bzip2(_: Blob, head: bytes) -> bool:
    """Look for a bzip2 stream: signature, block size, and the first block or the end of an empty stream."""
    return (
        head[:3] == b"BZh" and len(head) > 9 and 0x31 <= head[3] <= 0x39 and head[4:10] in {b"1AY&SY", b"\x17rE8P\x90"}
    )


def is_fat_macho(_: Blob, head: bytes) -> bool:
    """Look for an Apple program for several processors; compiled Java shares the signature, with larger numbers."""
    return head[:4] in {b"\xca\xfe\xba\xbe", b"\xca\xfe\xba\xbf"} and 0 < int.from_bytes(head[4:8], "big") < 43


def is_zlib(_: Blob, head: bytes) -> bool:
    """Look for a zlib header whose check bits are right and whose first bytes decompress."""
    if len(head) < 8 or head[0] & 0x0F != 8 or head[0] >> 4 > 7 or (head[0] << 8 | head[1]) % 31 or head[1] & 0x20:
        return False
    decoder = zlib.decompressobj()
    try:
        out = decoder.decompress(head, 1 << 16)
    except zlib.error:
        return False
    return decoder.eof or len(out) >= 256 or len(head) < 4096


def is_lzma_alone(blob: Blob, head: bytes) -> bool:
    """Look for the header of the old .lzma format: common properties, a usual dictionary, a plausible size."""
    if len(head) < 18 or head[0] != 0x5D or head[13] != 0:
        return False
    dictionary, size = struct.unpack_from("<IQ", head, 1)
    usual = dictionary in {1 << n for n in range(12, 31)} | {3 << n for n in range(11, 30)}
    return usual and (size == 0xFFFFFFFFFFFFFFFF or size < max(blob.size, 64) << 16)


def is_safetensors(blob: Blob, head: bytes) -> bool:
    """Look for a header length followed by a JSON object."""
    if len(head) < 10:
        return False
    (length,) = struct.unpack_from("<Q", head)
    return (
        2 <= length <= 1 << 40
        and head[8:9] == b"{"
        and head[9:10] in b'"} \n\t\r'
        and (length < 1 << 32 or length < blob.size)
    )


def is_gguf(_: Blob, head: bytes) -> bool:
    """Look for the signature of GGUF, or of the older formats of the same family."""
    return head[:4] in {b"GGUF", b"FUGG"}


def is_rds(_: Blob, head: bytes) -> bool:
    """Look for a serialised R object, bare or as part of a saved workspace."""
    if head[:5] in {b"RDX2\n", b"RDX3\n", b"RDA2\n", b"RDA3\n", b"RDB2\n", b"RDB3\n"}:
        return True
    if head[:2] in {b"X\n", b"B\n"} and len(head) >= 14:
        return {head[2:6], head[2:6][::-1]} & {b"\0\0\0\2", b"\0\0\0\3"} != set()
    return head[:4] in {b"A\n2\n", b"A\n3\n"}


def is_pe(blob: Blob, head: bytes) -> bool:
    """Look for a DOS or Windows program, or one that also runs elsewhere (Actually Portable Executable)."""
    if head[:8] in {b"MZqFpD='", b"jartsr='"}:
        return True
    if head[:2] not in {b"MZ", b"ZM"} or len(head) < 64:
        return False
    (at,) = struct.unpack_from("<I", head, 60)
    if at + 4 <= len(head):
        return head[at : at + 4] == b"PE\0\0" or head[at : at + 2] in {b"NE", b"LE", b"LX"}
    if at + 4 > blob.size:
        return False
    with blob.open() as stream:
        stream.seek(at)
        return stream.read(4) == b"PE\0\0"


def is_pyc(_: Blob, head: bytes) -> bool:
    """Look for compiled Python: a version number, and a code object behind the header of any version."""
    if len(head) < 13 or head[2:4] != b"\r\n":
        return False
    return any(len(head) > at and head[at] & 0x7F == ord("c") for at in (8, 12, 16))


def is_class_file(_: Blob, head: bytes) -> bool:
    """Look for a compiled Java class."""
    return head[:4] == b"\xca\xfe\xba\xbe" and len(head) >= 10 and 45 <= int.from_bytes(head[6:8], "big") <= 120


def is_jpeg(_: Blob, head: bytes) -> bool:
    """Look for the start of a JPEG image and its first segment."""
    return head[:3] == b"\xff\xd8\xff" and len(head) > 10 and 0xC0 <= head[3] <= 0xFE


def is_mp3(_: Blob, head: bytes) -> bool:
    """Look for an ID3 tag, or two frames of MPEG layer III in a row."""
    if head[:3] == b"ID3" and len(head) > 10 and head[3] in {2, 3, 4} and all(byte < 128 for byte in head[6:10]):
        return True
    length = _mp3_frame(head, 0)
    return bool(length) and bool(_mp3_frame(head, length))


def _mp3_frame(data: bytes, at: int) -> int:
    if len(data) < at + 4 or data[at] != 0xFF or data[at + 1] not in {0xFA, 0xFB, 0xF2, 0xF3}:
        return 0
    first = data[at + 1] >> 3 & 1
    rate = ((44100, 48000, 32000, 0) if first else (22050, 24000, 16000, 0))[data[at + 2] >> 2 & 3]
    table = (
        (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0)
        if first
        else (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0)
    )
    bits = table[data[at + 2] >> 4]
    return (144 if first else 72) * bits * 1000 // rate + (data[at + 2] >> 1 & 1) if bits and rate else 0


def is_mp4(_: Blob, head: bytes) -> bool:
    """Look for the file type box of the MPEG-4 family."""
    return head[4:8] == b"ftyp" and 8 <= int.from_bytes(head[:4], "big") <= 4096


# -- protocol buffers: no signature, only numbered fields ----------------------------------------------------------

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def is_onnx(blob: Blob, head: bytes) -> bool:
    """Look for the fields of ``ModelProto``, among them a graph, functions or an operator set."""
    kinds = {1: _VARINT, 5: _VARINT} | dict.fromkeys((2, 3, 4, 6, 7, 8, 14, 20, 25, 26), _BYTES)
    if not head or head[0] & 7 not in {_VARINT, _BYTES}:
        return False
    seen: dict[int, int] = {}
    for field, wire, value, _, complete in _fields(blob, 0, blob.size):
        if kinds.get(field) != wire:
            return False
        seen.setdefault(field, value)
        if not complete:
            return seen.get(1, 0) in range(1, 100) or field == 7
    return bool(seen.keys() & {7, 8}) and (1 in seen or {7, 8} <= seen.keys())


def is_tensorflow(blob: Blob, head: bytes) -> bool:
    """Look for a message with TensorFlow graphs or the objects of Keras, or the beginning of a SavedModel."""
    return bool(head) and head[0] & 7 in {_VARINT, _BYTES} and (_is_savedmodel(blob, head) or bool(find_kind(blob)))


def _is_savedmodel(blob: Blob, head: bytes) -> bool:
    """Look for the fields of ``SavedModel`` and, within its first graph, those of ``MetaGraphDef``; it may be cut."""
    if head[:1] not in {b"\x08", b"\x12"}:
        return False
    graphs = 0
    for field, wire, value, start, complete in _fields(blob, 0, blob.size):
        if (field, wire) not in {(1, _VARINT), (2, _BYTES)}:
            return False
        if field == 2:
            graphs += 1
            if graphs == 1 and not _is_meta_graph(blob, start, min(value, blob.size - start)):
                return False
        if not complete:
            return graphs > 0
    return graphs > 0


def _is_meta_graph(blob: Blob, start: int, size: int) -> bool:
    fields = list(_fields(blob, start, size))
    return (
        bool(fields)
        and all(wire == _BYTES and 1 <= field <= 7 for field, wire, *_ in fields)
        and {f for f, *_ in fields} & {1, 2} != set()
    )


def is_sentencepiece(blob: Blob, head: bytes) -> bool:
    """Look for the pieces of a SentencePiece vocabulary: text, weight, kind."""
    if head[:1] != b"\x0a":
        return False
    for index, (field, wire, size, start, _) in enumerate(_fields(blob, 0, blob.size)):
        if (field, wire) != (1, _BYTES) or size > 4096 or index >= 16:
            return index >= 16
        inner = {(f, w) for f, w, *_ in _fields(blob, start, min(size, blob.size - start))}
        if not {(1, _BYTES)} <= inner <= {(1, _BYTES), (2, _FIXED32), (3, _VARINT)}:
            return False
    return False


def _fields(blob: Blob, start: int, size: int) -> Iterator[tuple[int, int, int, int, bool]]:
    """Yield number, wire type, value or length, start of the value, and whether it lies inside; stop at nonsense.

    Nonsense is reported as a field 0, which no message has.
    """
    with blob.open() as stream:
        at, end = start, start + size
        for _ in range(_WALK):
            if at >= end:
                return
            stream.seek(at)
            data = stream.read(min(20, end - at))
            tag, used = _varint(data, 0)
            field, wire = tag >> 3, tag & 7
            if not used or not field or wire not in {_VARINT, _FIXED64, _BYTES, _FIXED32}:
                yield 0, wire, 0, at, False
                return
            value, more = (0, 0) if wire in {_FIXED64, _FIXED32} else _varint(data, used)
            if wire in {_VARINT, _BYTES} and not more:
                yield field, wire, 0, at, False
                return
            begin = at + used + more
            at = begin + {_VARINT: 0, _FIXED64: 8, _FIXED32: 4, _BYTES: value}[wire]
            yield field, wire, value, begin, at <= end


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Return a variable-length integer and how many bytes it takes; 0 bytes when it is broken."""
    value = 0
    for count, byte in enumerate(data[at : at + 10]):
        value |= (byte & 0x7F) << 7 * count
        if byte < 0x80:
            return value, count + 1
    return 0, 0


# -- other tree formats without a signature ------------------------------------------------------------------------


def is_ubjson(_: Blob, head: bytes) -> bool:
    """Look for a UBJSON object with a first key, or a typed container."""
    if head[:1] not in {b"{", b"["}:
        return False
    at = 1
    if head[at : at + 1] == b"$":
        at += 2
    if head[at : at + 1] == b"#":
        return head[at + 1 : at + 2] in set(map(bytes, ([c] for c in b"iUIlL")))
    if head[:1] == b"[":
        return head[1:2] in {b"{", b"["} and is_ubjson(_, head[1:])
    sizes = {b"i": 1, b"U": 1, b"I": 2, b"l": 4, b"L": 8}
    width = sizes.get(head[at : at + 1])
    if width is None:
        return False
    length = int.from_bytes(head[at + 1 : at + 1 + width], "big")
    key = head[at + 1 + width : at + 1 + width + length]
    return 0 < length <= 1024 and key.isascii() and key.translate(None, _CONTROL) == key


def is_msgpack(_: Blob, head: bytes) -> bool:
    """Look for a MessagePack map whose first key is text, or an array of such maps."""
    at = 0
    for _depth in range(4):
        kind = head[at : at + 1]
        if not kind:
            return False
        code = kind[0]
        if 0x91 <= code <= 0x9F:
            at += 1
        elif code in {0xDC, 0xDD}:
            at += 3 if code == 0xDC else 5
        elif 0x81 <= code <= 0x8F or code in {0xDE, 0xDF}:
            return _msgpack_key(head, at + {0xDE: 3, 0xDF: 5}.get(code, 1))
        else:
            return False
    return False


def _msgpack_key(head: bytes, at: int) -> bool:
    code = head[at] if at < len(head) else 0
    if 0xA0 <= code <= 0xBF:
        start, length = at + 1, code & 0x1F
    elif code in {0xD9, 0xDA, 0xDB, 0xC4}:
        width = {0xD9: 1, 0xC4: 1, 0xDA: 2, 0xDB: 4}[code]
        start, length = at + 1 + width, int.from_bytes(head[at + 1 : at + 1 + width], "big")
    else:
        return False
    key = head[start : start + length]
    if len(key) < min(length, len(head) - start):
        return False
    return length <= 4096 and _is_utf8(key) and key.translate(None, _CONTROL) == key


# -- text ----------------------------------------------------------------------------------------------------------


def is_text(blob: Blob, head: bytes, tail: bytes) -> bool:
    """Say whether beginning and end read as text: UTF-8 without control characters, or UTF-16 with its mark."""
    if head[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return blob.size % 2 == 0 and b"\0\0" not in head[:512]
    end = tail[-4096:] if len(tail) < blob.size else b""
    return _reads(head, cut=len(head) < blob.size) and _reads(end.lstrip(bytes(range(0x80, 0xC0))))


def _reads(data: bytes, *, cut: bool = False) -> bool:
    if data.translate(None, _CONTROL) != data:
        return False
    return _is_utf8(data) or (cut and any(_is_utf8(data[:-n]) for n in (1, 2, 3)))


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def text_kinds(blob: Blob, head: bytes) -> tuple[str, ...]:
    """Name the kind of a text by how it begins."""
    start = _plain(head)
    if start.startswith("<"):
        return ("xml", "text") if _is_xml(_plain(blob.head(_PROLOGUE))) else ("text",)
    if start[:1] in {"{", "["}:
        return ("json", "text")
    return ("text",)


_PROLOGUE = 1 << 20
"""Bytes in which the first element of an XML document is looked for."""
_SKIPPED = re.compile(r"\s*(?:<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^\[>]*(?:\[.*?\]\s*)?>)", re.DOTALL)
_PAGES = frozenset({"html", "svg"})


def _plain(head: bytes) -> str:
    encoding = "utf-16" if head[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8"
    return head.decode(encoding, "replace").lstrip("\ufeff \t\r\n")


def _is_xml(text: str) -> bool:
    """Say whether text is XML that a program would load: not a page or picture, nor prose that begins with markup."""
    declared = text.startswith(("<?xml", "<!DOCTYPE", "<!doctype"))
    at = 0
    while skipped := _SKIPPED.match(text, at):
        at = skipped.end()
    root = re.match(r"\s*<(?:[\w.-]+:)?([\w.-]+)", text[at : at + 200])
    if root is None:
        return declared or not text[at:].strip() or text.startswith("<!--", at)
    return root[1].lower() not in _PAGES and (declared or root[1] == "PMML")


def is_legacy_text(head: bytes) -> bool:
    """Say whether bytes look like text in an older 8-bit encoding: no control characters, mostly ASCII."""
    plain = sum(byte < 0x80 for byte in head)
    return head.translate(None, _CONTROL) == head and plain >= 0.6 * len(head)


def is_font(_: Blob, head: bytes) -> bool:
    """Look for a TrueType font: a version and a table of a few tables with printable names."""
    return head[:5] == b"\0\1\0\0\0" and 3 <= int.from_bytes(head[4:6], "big") < 64 and head[12:16].isalnum()
