"""What the documentation names is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*(ROOT / "docs" / "explanation").glob("*.md"), ROOT / "CONTRIBUTING.md"])
PARTS = "audit|cards|hub|ledger|web"


def source(name: str) -> Path:
    return ROOT.joinpath("src", "hallmarked", *name.split("."))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_modules_that_pages_name(page: Path) -> None:
    """Modules, functions and files that a page about the code names are there; one that moved fails here."""
    text = page.read_text("utf-8")
    missing = []
    for name in re.findall(rf"`((?:{PARTS})(?:\.[a-z_]+)+)`", text):
        inside, _, last = name.rpartition(".")
        function = source(inside).with_suffix(".py")
        there = source(name).is_dir() or source(name).with_suffix(".py").is_file()
        if not there and not (function.is_file() and f"def {last}(" in function.read_text("utf-8")):
            missing.append(name)
    for path in re.findall(r"`((?:src/hallmarked|tests|hub|web|cli|schema|docs|cards|formats|checks)/[\w./]+)`", text):
        places = (ROOT, ROOT / "src" / "hallmarked", ROOT / "src" / "hallmarked" / "hub")
        if not any((place / path).exists() for place in places):
            missing.append(path)
    assert not missing
