"""Which formats claim these bytes, by content alone.

A file may satisfy the readers of several formats at once, so every format that claims the bytes is returned. Names and
extensions play no part: whoever wants a pickle loaded can call it ``weights.txt``.

Signatures: the specification of each format, as cited by its reader.
"""

from __future__ import annotations

from collections.abc import Callable

from hallmarked.formats.archive.zip_headers import LOCAL_SIGNATURE, TAIL, has_directory
from hallmarked.formats.blob import Blob
from hallmarked.formats.identify_pickle import Evidence, pickle_evidence
from hallmarked.formats.sniff import (
    is_bzip2,
    is_class_file,
    is_fat_macho,
    is_font,
    is_gguf,
    is_jpeg,
    is_legacy_text,
    is_lzma_alone,
    is_mp3,
    is_mp4,
    is_msgpack,
    is_onnx,
    is_pe,
    is_pyc,
    is_rds,
    is_safetensors,
    is_sentencepiece,
    is_tar,
    is_tensorflow,
    is_text,
    is_ubjson,
    is_zlib,
    text_kinds,
)

HEAD = 4096
"""Bytes looked at for signatures."""

SIGNATURES: tuple[tuple[str, int, bytes], ...] = (
    ("zip", 0, LOCAL_SIGNATURE),
    ("gzip", 0, b"\x1f\x8b\x08"),
    ("xz", 0, b"\xfd7zXZ\x00"),
    ("lz4", 0, b"\x04\x22\x4d\x18"),
    ("zstd", 0, b"\x28\xb5\x2f\xfd"),
    ("7z", 0, b"7z\xbc\xaf\x27\x1c"),
    ("rar", 0, b"Rar!\x1a\x07"),
    ("joblib-zfile", 0, b"ZF0x"),
    ("npy", 0, b"\x93NUMPY"),
    ("hdf5", 0, b"\x89HDF\r\n\x1a\n"),
    ("flatbuffer-tflite", 4, b"TFL3"),
    ("flatbuffer-executorch", 4, b"ET12"),
    ("elf", 0, b"\x7fELF"),
    ("macho", 0, b"\xfe\xed\xfa\xce"),
    ("macho", 0, b"\xfe\xed\xfa\xcf"),
    ("macho", 0, b"\xce\xfa\xed\xfe"),
    ("macho", 0, b"\xcf\xfa\xed\xfe"),
    ("wasm", 0, b"\x00asm"),
    ("png", 0, b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR"),
    ("gif", 0, b"GIF87a"),
    ("gif", 0, b"GIF89a"),
    ("tiff", 0, b"II*\x00"),
    ("tiff", 0, b"MM\x00*"),
    ("webp", 8, b"WEBP"),
    ("wav", 8, b"WAVEfmt "),
    ("avi", 8, b"AVI LIST"),
    ("flac", 0, b"fLaC\x00\x00\x00\x22"),
    ("ogg", 0, b"OggS\x00"),
    ("matroska", 0, b"\x1a\x45\xdf\xa3"),
    ("pdf", 0, b"%PDF-"),
    ("parquet", 0, b"PAR1"),
    ("arrow", 0, b"ARROW1\x00\x00"),
    ("arrow", 0, b"FEA1"),
    ("avro", 0, b"Obj\x01"),
    ("orc", 0, b"ORC"),
    ("sqlite", 0, b"SQLite format 3\x00"),
    ("font", 0, b"wOFF"),
    ("font", 0, b"wOF2"),
    ("font", 0, b"OTTO\x00"),
)
"""Format, offset, bytes: what no other format begins with."""

Sniffer = Callable[[Blob, bytes], bool]

STRUCTURES: tuple[tuple[str, Sniffer], ...] = (
    ("tar", is_tar),
    ("bzip2", is_bzip2),
    ("zlib", is_zlib),
    ("lzma", is_lzma_alone),
    ("safetensors", is_safetensors),
    ("gguf", is_gguf),
    ("rds", is_rds),
    ("pe", is_pe),
    ("pyc", is_pyc),
    ("class", is_class_file),
    ("macho", is_fat_macho),
    ("jpeg", is_jpeg),
    ("mp3", is_mp3),
    ("mp4", is_mp4),
    ("font", is_font),
)
"""Formats whose beginning has to be looked at more closely."""

UNSIGNED: tuple[tuple[str, Sniffer], ...] = (
    ("savedmodel", is_tensorflow),
    ("onnx", is_onnx),
    ("sentencepiece", is_sentencepiece),
    ("ubjson", is_ubjson),
    ("msgpack", is_msgpack),
)
"""Formats without any signature, recognised by structure when nothing else claims the bytes."""

INERT = frozenset(
    [
        "empty",
        "text",
        "json",
        "png",
        "gif",
        "tiff",
        "webp",
        "wav",
        "avi",
        "flac",
        "ogg",
        "matroska",
        "pdf",
        "parquet",
        "arrow",
        "avro",
        "orc",
        "sqlite",
        "font",
        "jpeg",
        "mp3",
        "mp4",
        "sentencepiece",
    ]
)
"""Formats whose readers run no code from the file; they are listed, not examined."""


def identify(blob: Blob, *, sure: bool = False) -> tuple[str, ...]:
    """Return every format that claims the bytes, the most specific first; nothing when none does.

    Args:
        blob: The bytes.
        sure: Ask for signatures that raw numbers do not have by accident; for tensor data.
    """
    if not blob.size:
        return ("empty",)
    # NOTE: of raw numbers a sixteenth is enough; an archive among them begins or ends like one
    head, tail = blob.ends(HEAD, min(TAIL, max(HEAD, blob.size // 16)) if sure else TAIL)
    if not head:
        return ()
    claims = [name for name, offset, magic in _BY_BYTE.get(head[0], ()) if head.startswith(magic, offset)]
    claims += [name for name, offset, magic in _INSIDE if head.startswith(magic, offset)]
    claims += [name for name, matches in (_NUMBERS if sure else STRUCTURES) if matches(blob, head)]
    if "zip" not in claims and has_directory(blob, tail):
        claims.append("zip")
    if not sure and "hdf5" not in claims and _hdf5_later(blob, head):
        claims.append("hdf5")
    if head.startswith(b"#!"):
        claims.append("script")
    if "zip" in claims and {"elf", "pe", "macho", "script"} & {*claims}:
        claims.insert(0, "llamafile")
    if "zip" in claims and "flatbuffer-tflite" in claims:
        # metadata of TensorFlow Lite: labels and the like, attached behind the model
        claims[claims.index("zip")] = "attached-zip"
    text = not sure and not claims and is_text(blob, head, tail)
    evidence = pickle_evidence(blob, head, text=text, numbers=sure)
    if evidence is Evidence.STRONG or (evidence is Evidence.WEAK and not claims and not sure):
        claims.insert(0, "pickle")
    if claims or sure:
        return tuple(dict.fromkeys(claims))
    if text:
        return text_kinds(blob, head)
    unsigned = tuple(name for name, matches in UNSIGNED if matches(blob, head))[:1]
    return unsigned or (("text",) if is_legacy_text(head) else ())


_NUMBERS = [row for row in STRUCTURES if row[0] not in INERT and row[0] not in {"pyc", "lzma"}]
_INSIDE = [row for row in SIGNATURES if row[1]]
_BY_BYTE: dict[int, list[tuple[str, int, bytes]]] = {}
for _row in SIGNATURES:
    if not _row[1]:
        _BY_BYTE.setdefault(_row[2][0], []).append(_row)


def _hdf5_later(blob: Blob, head: bytes) -> bool:
    """Look for a superblock behind a user block: at 512, 1024, 2048, … (format specification, section II.A)."""
    magic, offset = b"\x89HDF\r\n\x1a\n", 512
    while offset + 8 <= len(head):
        if head.startswith(magic, offset):
            return True
        offset *= 2
    if offset + 96 > blob.size:
        return False
    with blob.open() as stream:
        while offset + 96 <= blob.size:
            stream.seek(offset)
            if stream.read(8) == magic:
                return True
            offset *= 2
    return False
