"""Programs and models with an archive attached."""

from __future__ import annotations

import io
import struct
import zipapp
import zipfile
from pathlib import Path

import pytest

from hallmarked.core.evidence import Outcome
from tests.checks.serialization.routing import EVIL, PLAIN, check, errors, rules, verdicts

ELF = b"\x7fELF\x02\x01\x01" + bytes(100)
PE = b"MZ" + bytes(58) + struct.pack("<I", 64) + b"PE\0\0" + bytes(40)
MACHO = b"\xcf\xfa\xed\xfe" + bytes(60)
SAMPLES = {
    "elf": ELF,
    "pe": PE,
    "macho": MACHO,
    "pyc": bytes.fromhex("a70d0d0a") + bytes(12) + b"\xe3" + bytes(30),
    "class": b"\xca\xfe\xba\xbe\0\0\0\x34" + bytes(40),
    "wasm": b"\0asm\1\0\0\0",
}
GGUF = b"GGUF" + struct.pack("<IQQ", 3, 0, 0)


def attached(front: bytes, members: dict[str, bytes]) -> bytes:
    """Put an archive behind something, with offsets from the beginning of the file."""
    buffer = io.BytesIO(front)
    with zipfile.ZipFile(buffer, "a") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


LITE = Path(__file__).parents[2] / "assets" / "tensorflow" / "linear.tflite"


@pytest.mark.parametrize("program", [ELF, PE, MACHO, b"MZqFpD='\n" + bytes(60)])
def test_programs_with_an_archive_are_one_thing(program: bytes) -> None:
    """A llamafile is reported as such, not as a polyglot; its parts are examined."""
    result = check(attached(program, {"model.gguf": GGUF, "m.pkl": PLAIN}))
    assert rules(result) == {"LLF002"}
    assert result.outcome is Outcome.UNKNOWN
    assert verdicts(result) == {"file!model.gguf": "proven", "file!m.pkl": "proven", "file": "unproven"}
    assert "PKL001" in errors(check(attached(program, {"m.pkl": EVIL})))


def test_zipapps_are_programs_with_an_archive(tmp_path: Path) -> None:
    """What zipapp writes is a script and an archive in one."""
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "__main__.py").write_text("print(1)")
    zipapp.create_archive(tmp_path / "app", tmp_path / "app.pyz", "/usr/bin/env python3")
    result = check((tmp_path / "app.pyz").read_bytes())
    assert rules(result) == {"LLF002"}
    assert not errors(result)


def test_metadata_behind_a_lite_model_is_ordinary() -> None:
    """TensorFlow Lite keeps labels in an archive behind the model: no polyglot, but the members are examined."""
    labels = check(attached(LITE.read_bytes(), {"labels.txt": b"cat\ndog\n"}))
    assert (labels.outcome, labels.findings) == (Outcome.PASS, [])
    assert verdicts(labels)["file"] == "proven"
    assert check(attached(LITE.read_bytes(), {"labels.txt": EVIL})).outcome is Outcome.FAIL
    damaged = check(attached(LITE.read_bytes(), {"labels.txt": b"cat\n"}) + b"more")
    assert verdicts(damaged)["file"] == "malformed"
