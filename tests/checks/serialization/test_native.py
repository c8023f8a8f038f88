from __future__ import annotations

import py_compile
import sys
from pathlib import Path

import pytest

from tests.checks.serialization.test_check import EVIL, one, zipped


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"\x7fELF\2\1\1" + bytes(60), "elf"),
        (b"MZ" + bytes(58) + b"\x40\0\0\0PE\0\0" + bytes(20), "pe"),
        (b"\xcf\xfa\xed\xfe" + bytes(30), "macho"),
        (b"\xca\xfe\xba\xbe\0\0\0\x34" + bytes(30), "class"),
        (b"\0asm\1\0\0\0", "wasm"),
    ],
)
def test_programs_are_reported_and_not_vouched_for(data: bytes, kind: str) -> None:
    """A program is a warning, and what it does stays unknown."""
    seen = one(data)
    assert [finding.data["kind"] for finding in seen.findings] == [kind]
    assert seen.verdicts == {"f": "unproven"}
    assert not seen.errors


def test_real_programs_are_recognised() -> None:
    """The interpreter that runs this test is a program."""
    data = Path(sys.executable).resolve().read_bytes()
    assert one(data).rules == {"LLF001"}


def test_compiled_python_is_reported(tmp_path: Path) -> None:
    """Compiled Python is a program whose source is not there."""
    source = tmp_path / "m.py"
    source.write_text("x = 1\n")
    compiled = py_compile.compile(str(source), str(tmp_path / "m.pyc"))
    assert compiled is not None
    seen = one(Path(compiled).read_bytes())
    assert (seen.rules, seen.verdicts) == ({"LLF001"}, {"f": "unproven"})


def test_scripts_are_noted() -> None:
    """A script runs only when somebody starts it: it is noted with its interpreter."""
    seen = one(b"#!/usr/bin/env python3\nprint(1)\n")
    assert seen.rules == {"LLF003"}
    assert "python3" in seen.findings[0].message
    assert (seen.gaps, seen.verdicts) == ([], {})


@pytest.mark.parametrize("program", [b"\x7fELF\2\1\1" + bytes(60), b"#!/bin/sh\nexit\n", b"MZqFpD='\n" + bytes(60)])
def test_programs_with_archives_are_one_thing_with_parts(program: bytes) -> None:
    """A llamafile is never vouched for as a whole, and its parts are examined."""
    gguf = b"GGUF\3\0\0\0" + bytes(16)
    seen = one(program + zipped({"model.gguf": gguf}))
    assert "LLF002" in seen.rules
    assert "LLF001" not in seen.rules
    assert seen.formats["f!model.gguf"] == "gguf"
    assert seen.verdicts["f"] != "proven"
    assert one(program + zipped({"x": EVIL})).errors
