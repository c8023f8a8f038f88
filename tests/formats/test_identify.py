from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import pickle
import pickletools
import tarfile
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hallmarked.formats.blob import Blob
from hallmarked.formats.identify import INERT, identify
from tests.formats import wire
from tests.support import DATA, needs_data


def kinds(data: bytes, *, sure: bool = False) -> tuple[str, ...]:
    return identify(Blob.of_bytes("x", data), sure=sure)


def zipped(name: str = "m", content: bytes = b"content") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, content)
    return buffer.getvalue()


def tarred(name: str = "m", content: bytes = b"content") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        info = tarfile.TarInfo(name)
        info.size = len(content)
        archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


class Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return eval, ("1",)


OBJECTS = [
    None,
    7,
    -1.5,
    "text",
    b"bytes",
    (1, 2),
    [1, [2, "x"]],
    {"a": 1, "b": {"c": None}},
    {1, 2},
    Evil(),
    {"k": Evil()},
    [list(range(500))],
    {str(n): float(n) for n in range(300)},
]


@pytest.mark.parametrize("protocol", range(6))
def test_every_pickle_is_recognised(protocol: int) -> None:
    """Whatever the pickler writes, in any protocol, plain or optimised, is a pickle."""
    for obj in OBJECTS:
        data = pickle.dumps(obj, protocol)
        assert kinds(data)[0] == "pickle", data[:40]
        assert kinds(pickletools.optimize(data))[0] == "pickle", data[:40]


@pytest.mark.parametrize("protocol", range(6))
def test_cut_pickles_with_an_import_are_recognised(protocol: int) -> None:
    """A pickle that is cut off behind an import is still one; nobody should call it text."""
    data = pickle.dumps({"k": Evil(), "list": [1, 2]}, protocol)
    start = data.index(b"eval") + 5
    for size in range(start, len(data)):
        assert kinds(data[:size])[0] == "pickle", (size, data[:size])


@pytest.mark.parametrize(
    "data",
    [
        b"cos\nsystem\n(S'id'\ntR.",
        b"(S'id'\nios\nsystem\n.",
        b"(cos\nsystem\nS'id'\no.",
        b"(lp0\ncos\nsystem\n(S'id'\ntRa.",
        b"cunknown.module\nfunction\n(tR.",
        b"N.cos\nsystem\n(S'id'\ntR.",
        b"N0" * 500 + b"cos\nsystem\n(S'id'\ntR.",
        b"V" + b"x" * 3000 + b"\n0" + b"cos\nsystem\n)R.",
        b"X\x00\x20\x00\x00" + b"x" * 0x2000 + b"0cos\nsystem\n)R.",
        b"\x8c\x02os\x8c\x06system\x93)R.",
        b"\x80\x04 what is this",
        b"\x80\x05\x95\xff\xff\xff\xff\xff\xff\xff\xff",
        b"cmod\n\xf8\n",
        b"cos\nsystem\n",
        b"I1\n0cos\nsystem\n(S'id'\ntR.",
        b"F1.5\n0cbuiltins\nexec\n(V1\ntR.",
        b"V" + b"A" * (1 << 18) + b"\n0cos\nsystem\n)R.",
        b"S'" + b"A" * ((1 << 17) - 3) + b"'\n0cos\nsystem\n)R.",
        b"F-1_0.5e-1_0\n0cos\nsystem\n)R.",
        b"I0o17\n0cos\nsystem\n)R.",
        b"I1\0rest\n0cos\nsystem\n)R.",
    ],
)
def test_pickles_without_signature_are_recognised(data: bytes) -> None:
    """Old, unusual and broken pickles that a reader would start on are seen as such."""
    assert kinds(data)[0] == "pickle"


@pytest.mark.parametrize(
    "text",
    [
        "cat\ndog\nbird\n",
        "cat\ndog\ncow\nhen\n",
        "CTEST_SITE" + "-" * 70 + "\n.\n",
        "certifi\ncharset-normalizer\nidna\n",
        "Version 1.0\nVector\nValue\nVariable\n",
        "I am a text.\n",
        "Name,Value\n1,2\n",
        "N.B. this is a note.\n",
        "(see below)\n",
        "The quick brown fox.\n",
        "Usage: run this.\n",
        "Long description\n",
        "Python is a language.\n",
        "()\n[]\n{}\n",
        "0.5 1.0\n",
        "2024-01-01\n",
        "#!not a shebang line".replace("#!", "# "),
        "]]>\n",
        "]})\n",
        "# A title\n\nSome text.\n",
    ],
)
def test_text_is_not_a_pickle(text: str) -> None:
    """Ordinary text whose first letters happen to be instructions is text."""
    assert "pickle" not in kinds(text.encode())
    assert set(kinds(text.encode())) <= {"text", "json"}


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=200))
@settings(max_examples=200, deadline=None)
def test_words_are_not_pickles(text: str) -> None:
    """Arbitrary text is a pickle only if it ends or acts like one."""
    data = ("a " + text).encode()
    assert kinds(data) == ("text",)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("zip", zipped()),
        ("tar", tarred()),
        ("gzip", gzip.compress(b"x" * 100)),
        ("bzip2", bz2.compress(b"x" * 100)),
        ("xz", lzma.compress(b"x" * 100)),
        ("lzma", lzma.compress(b"x" * 100, lzma.FORMAT_ALONE)),
        ("zlib", zlib.compress(b"x" * 100)),
        ("zlib", zlib.compress(bytes(range(256)) * 100, 1)),
        ("7z", b"7z\xbc\xaf\x27\x1c\0\4"),
        ("lz4", b"\x04\x22\x4d\x18\x64\x40\xa7"),
        ("zstd", b"\x28\xb5\x2f\xfd\x04\x00"),
        ("npy", b"\x93NUMPY\x01\x00v\x00{'descr'"),
        ("safetensors", (64).to_bytes(8, "little") + b'{"w":{"dtype":"F32"' + bytes(80)),
        ("safetensors", (0x0280).to_bytes(8, "little") + b'{"__metadata__":{}}' + bytes(0x280)),
        ("gguf", b"GGUF\3\0\0\0" + bytes(16)),
        ("hdf5", b"\x89HDF\r\n\x1a\n" + bytes(100)),
        ("hdf5", bytes(512) + b"\x89HDF\r\n\x1a\n" + bytes(100)),
        ("hdf5", bytes(16384) + b"\x89HDF\r\n\x1a\n" + bytes(100)),
        ("flatbuffer-tflite", b"\x1c\0\0\0TFL3" + bytes(20)),
        ("flatbuffer-executorch", b"\x1c\0\0\0ET12" + bytes(20)),
        ("elf", b"\x7fELF\2\1\1" + bytes(60)),
        ("pe", b"MZ" + bytes(58) + b"\x40\0\0\0PE\0\0" + bytes(20)),
        ("macho", b"\xcf\xfa\xed\xfe" + bytes(30)),
        ("macho", b"\xca\xfe\xba\xbe\0\0\0\2" + bytes(30)),
        ("class", b"\xca\xfe\xba\xbe\0\0\0\x34" + bytes(30)),
        ("wasm", b"\0asm\1\0\0\0"),
        ("script", b"#!/bin/sh\nls\n"),
        ("rds", b"X\n\0\0\0\3\0\4\2\0\0\3\5\0" + bytes(20)),
        ("rds", b"RDX3\nX\n\0\0\0\3" + bytes(20)),
        ("xml", b'<?xml version="1.0"?><PMML version="4.4"/>'),
        ("xml", '<?xml version="1.0" encoding="utf-16"?><PMML/>'.encode("utf-16")),
        ("xml", b"<!-- " + b"x" * 9000 + b' --><PMML version="4.4"/>'),
        ("xml", b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'),
        ("text", b"<!DOCTYPE html>\n<html><body/></html>"),
        ("text", b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>'),
        ("text", b'<div align="center">\n\n# Model card\n'),
        ("text", b"<!-- generated -->\n# Model card\n"),
        ("json", b'{"a": 1}'),
        ("json", b" \n[1, 2]"),
        ("text", "Grüße\n".encode()),
        ("text", "Grüße aus Köln, schöne Stadt".encode("latin-1")),
        ("empty", b""),
        ("png", b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR" + bytes(20)),
        ("jpeg", b"\xff\xd8\xff\xe0\0\x10JFIF\0" + bytes(20)),
        ("parquet", b"PAR1" + bytes(30) + b"PAR1"),
        ("arrow", b"ARROW1\0\0" + bytes(30)),
        ("sqlite", b"SQLite format 3\0" + bytes(30)),
        ("ubjson", b"{L" + (7).to_bytes(8, "big") + b"learner{L"),
        ("ubjson", b"{i\x07learner{"),
        ("msgpack", b"\x82\xa6params\x81\xa5Dense\xc0\xa4step\x01"),
    ],
)
def test_formats_are_recognised_by_content(name: str, data: bytes) -> None:
    """Each format is recognised by what it begins with or how it is built, and by nothing else at once."""
    assert kinds(data)[0] == name
    assert set(kinds(data)) - {"text"} <= {name}


def test_real_models_are_recognised() -> None:
    """Files of the real libraries are what they are, and nothing else."""
    onnx = pytest.importorskip("onnx")
    graph = onnx.helper.make_graph([], "g", [], [])
    assert kinds(onnx.helper.make_model(graph).SerializeToString()) == ("onnx",)
    msgpack = pytest.importorskip("msgpack")
    assert kinds(msgpack.packb({"params": {"w": b"\0" * 8}})) == ("msgpack",)
    numpy = pytest.importorskip("numpy")
    buffer = io.BytesIO()
    numpy.save(buffer, numpy.zeros(3))
    assert kinds(buffer.getvalue()) == ("npy",)


def test_savedmodel_and_onnx_are_told_apart() -> None:
    """Both are protocol buffers without signature; their fields decide."""
    assert kinds(b"\x08\x01\x12\x12\x12\x10\n\x0e\n\x05Const\x12\x05Const") == ("savedmodel",)
    assert kinds(b"\x12\x12\x12\x10\n\x0e\n\x05Const\x12\x05Const") == ("savedmodel",)
    assert kinds(b"\x08\x08\x12\x07pytorch:\x02\n\x00B\x02\x10\x11") == ("onnx",)
    assert kinds(b"\x08\x08\x12\x07pytorch:\xff\x01\n\x00") == ("onnx",)


def test_compiled_python_is_recognised() -> None:
    """Compiled Python of several versions is recognised."""
    for magic, header in ((3394, 12), (3495, 16), (62211, 8)):
        data = magic.to_bytes(2, "little") + b"\r\n" + bytes(header - 4) + b"\xe3" + bytes(20)
        assert kinds(data) == ("pyc",)


@pytest.mark.parametrize(
    ("data", "claims"),
    [
        (b"cos\nsystem\n(S'id'\ntR." + zipped(), {"pickle", "zip"}),
        (b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR" + bytes(20) + zipped(), {"png", "zip"}),
        (b"GGUF\3\0\0\0" + bytes(16) + zipped(), {"gguf", "zip"}),
        (b"#!/bin/sh\nexit\n" + zipped(), {"llamafile", "script", "zip"}),
        (b"\x7fELF\2\1\1" + bytes(60) + zipped(), {"llamafile", "elf", "zip"}),
        (tarred("cos\nsystem\n(S'id'\ntR."), {"pickle", "tar"}),
        (b"cos\nsystem\n(S'id'\ntR.".ljust(512) + b"\x89HDF\r\n\x1a\n" + bytes(100), {"pickle", "hdf5"}),
    ],
)
def test_every_claim_is_returned(data: bytes, claims: set[str]) -> None:
    """A file that satisfies several readers is seen by all of them."""
    assert set(kinds(data)) == claims


def test_padding_behind_an_archive_does_not_hide_it() -> None:
    """Readers that search the end record find it in front of other bytes, and so do we."""
    assert "zip" in kinds(b"junk" * 10 + zipped() + b"\0" * 5000)


def test_raw_numbers_are_rarely_anything() -> None:
    """Tensor data is followed up only for signatures that numbers do not have by accident."""
    assert kinds(b"\x80\x04" + bytes(100), sure=True) == ()
    assert kinds(bytes(400), sure=True) == ()
    assert kinds(b"\x82\xa6params", sure=True) == ()
    assert kinds(b"hello world", sure=True) == ()
    assert kinds(pickle.dumps(Evil()), sure=True) == ("pickle",)
    assert kinds(b"cos\nsystem\n(S'id'\ntR." + bytes(100), sure=True) == ("pickle",)
    assert kinds(zipped(), sure=True) == ("zip",)


def test_random_numbers_are_not_pickles() -> None:
    """Among many blocks of random bytes, hardly any is taken for a file."""
    numpy = pytest.importorskip("numpy")
    generator = numpy.random.default_rng(7)
    hits = [kinds(generator.bytes(4096), sure=True) for _ in range(3000)]
    assert sum(bool(hit) for hit in hits) <= 1


def test_a_cut_image_is_unknown() -> None:
    """A bare signature is not a file: eight bytes of an image are of no known kind."""
    assert kinds(b"\x89PNG\r\n\x1a\n") == ()


@settings(max_examples=200, deadline=None)
@given(
    st.binary(max_size=700), st.sampled_from([b"", b"\x80\x04", b"PK\x03\x04", b"\x08\x07", b"(", b"GGUF", b"\x5d\0\0"])
)
def test_arbitrary_bytes_never_raise(data: bytes, start: bytes) -> None:
    """Every sequence of bytes gets an answer."""
    names = kinds(start + data)
    assert all(isinstance(name, str) for name in names)
    assert set(kinds(start + data, sure=True)) <= set(names) | {"llamafile"}


@needs_data
def test_development_corpus() -> None:
    """Every file of the development corpus is taken for the format that its label names."""
    root = DATA / "model-files"
    names = {"pickle": "pickle", "zip": "zip", "7z": "7z", "keras-h5": "hdf5", "safetensors": "safetensors"}
    for row in json.loads((root / "labels.json").read_text())["files"]:
        if row["label"] != "junk" and row["format"] in names:
            found = kinds((root / row["path"]).read_bytes())
            assert found == (names[row["format"]],), row["path"]


def test_inert_formats_are_named() -> None:
    """Ordinary documents and media are inert; what loaders read is not."""
    assert {"text", "json", "png", "parquet"} <= INERT
    assert not INERT & {"pickle", "zip", "hdf5", "onnx", "xml", "npy", "elf"}


@pytest.mark.parametrize("name", ["frozen.pb", "linear.pb", "python.pb", "files.pb"])
def test_graphs_of_tensorflow_are_recognised(name: str) -> None:
    """SavedModels and frozen graphs are recognised by structure; so is a SavedModel that is cut."""
    data = (Path(__file__).parents[1] / "assets" / "tensorflow" / name).read_bytes()
    assert kinds(data) == ("savedmodel",)
    if name != "frozen.pb":
        assert kinds(data[:-1]) == ("savedmodel",)


def test_objects_of_keras_are_recognised() -> None:
    """The list of objects beside a SavedModel is a message of its own kind."""
    item = (wire.number(2, 1), wire.part(3, "root"), wire.part(4, "_tf_keras_model"), wire.part(5, "{}"))
    assert kinds(wire.part(1, *item)) == ("savedmodel",)


def test_metadata_attached_to_lite_models_is_no_archive_of_its_own() -> None:
    """An archive behind a TensorFlow Lite model is named as what it is."""
    lite = (Path(__file__).parents[1] / "assets" / "tensorflow" / "linear.tflite").read_bytes()
    assert kinds(lite + zipped()) == ("flatbuffer-tflite", "attached-zip")
