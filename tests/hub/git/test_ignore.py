"""Which files a ``.gitignore`` leaves out, beside what git itself says."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallmarked.hub.git.ignore import MAX_PATTERN, is_ignored, parse_ignore

PATHS = [
    "a", "a.txt", "b/a.txt", "b/c/a.txt", "build/x", "src/build/x", "src/x.py", "keep.log", "b/keep.log", "#note",
    "!odd",
    "data/raw/1.csv", "data/clean/1.csv", "a[1].txt", "a1.txt", "é.txt", "x y",
]  # fmt: skip
IGNORES = [
    "*.txt", "/a", "a", "build/", "/build/", "b/*", "b/**", "**/a.txt", "data/*/1.csv", "data/**/1.csv",
    "*.log\n!keep.log",
    "b/\n!b/keep.log", "\\#note", "\\!odd", "# a\n\n  \n", "a[0-9].txt", "a[!0-9].txt", "a\\[1\\].txt", "?.txt",
    "x y", "x\\ y",
    "**", "*", "*\n!*/\n!*.py", "src/**/x", "c/a.txt", "data/raw", "a.txt/", "keep.log  ",
]  # fmt: skip


@pytest.mark.skipif(shutil.which("git") is None, reason="no git program here")
@pytest.mark.parametrize("number", range(len(IGNORES)))
def test_agrees_with_git(number: int, tmp_path: Path) -> None:
    """For every pattern and path the answer is git's own."""
    text = IGNORES[number]
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True, capture_output=True)
    (tmp_path / ".gitignore").write_text(text + "\n")
    for path in PATHS:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    asked = subprocess.run(
        ["git", "-c", "core.excludesFile=/dev/null", "check-ignore", "-z", "--no-index", "--stdin"],
        input="\0".join(PATHS).encode(), cwd=tmp_path, capture_output=True, check=False,
    )  # fmt: skip
    patterns = parse_ignore(text)
    assert {path for path in PATHS if is_ignored(patterns, path)} == set(
        filter(None, asked.stdout.decode().split("\0"))
    )


@given(st.text(max_size=200), st.text(st.characters(exclude_characters="\0"), min_size=1, max_size=60))
def test_any_text_is_answered(text: str, path: str) -> None:
    """Whatever the patterns are, there is an answer."""
    assert is_ignored(parse_ignore(text), path) in (True, False)


def test_work_is_bounded() -> None:
    """Patterns made to be slow are as quick as others, and longer ones are not looked at."""
    patterns = parse_ignore("\n".join(["*a" * 60 + "b"] * 50 + ["**/" * 60 + "x"] * 50 + ["x" * (MAX_PATTERN + 1)]))
    assert len(patterns) == 100
    assert not is_ignored(patterns, "/".join(["a" * 200] * 20))
