"""Differences of two texts, line by line."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallmarked.hub.git.text import MAX_WORK, edits, unified

lines = st.lists(st.sampled_from(["a\n", "b\n", "c\n", "\n", "  a\n"]), max_size=12)


@given(lines, lines)
def test_edits_make_the_new_text(old: list[str], new: list[str]) -> None:
    """What is kept and added is the new text, what is kept and dropped the old one, each line once and in order."""
    made = edits(old, new)
    assert [new[b] for mark, _, b in made if mark == "+" or mark == " "] == new
    assert [old[a] for mark, a, _ in made if mark == "-" or mark == " "] == old
    assert all(old[a] == new[b] for mark, a, b in made if mark == " ")
    if old == new:
        assert all(mark == " " for mark, _, _ in made)


def test_edits_are_few() -> None:
    """One line put into a long text is one edit, not a rewrite."""
    old = [f"{n}\n" for n in range(500)]
    new = [*old[:250], "new\n", *old[250:]]
    assert [edit for edit in edits(old, new) if edit[0] != " "] == [("+", 250, 250)]


def test_work_is_bounded() -> None:
    """Texts made to be slow to compare count as wholly different."""
    old = [f"{n % 7}\n" for n in range(MAX_WORK // 20)]
    new = [f"{n % 5}x{n}\n" for n in range(MAX_WORK // 20)]
    made = edits(old, new)
    assert sum(mark == "-" for mark, _, _ in made) == len(old)
    assert sum(mark == "+" for mark, _, _ in made) == len(new)


@pytest.mark.skipif(shutil.which("patch") is None, reason="no patch program here")
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", "a\n"),
        ("a\n", ""),
        ("a\nb", "a\nb\n"),
        ("".join(f"{n}\n" for n in range(40)), "0\n1\nx\n" + "".join(f"{n}\n" for n in range(5, 39))),
    ],
    ids=["made", "emptied", "no-newline", "two-hunks"],
)
def test_patch_understands_it(old: str, new: str, tmp_path: Path) -> None:
    """The usual program turns the old text into the new one by what is written."""
    file = tmp_path / "text"
    file.write_text(old)
    text = f"--- text\n+++ text\n{''.join(unified(old, new))}"
    subprocess.run(["patch", "-s", str(file)], input=text, text=True, check=True)
    assert (file.read_text() if file.exists() else "") == new
