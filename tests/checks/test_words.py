"""How findings and gaps are worded."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import hallmarked.checks

SOURCES = sorted(Path(next(iter(hallmarked.checks.__path__))).rglob("*.py"))
CLAUSES = ("what ", "whether ", "where ", "why ", "how ")
VERBS = (" could not ", " was not ", " is not known")


def first_words(call: ast.Call) -> str:
    """The constant beginning of the text a gap is made with; empty when it is not written there."""
    text = call.args[0] if call.args else None
    part = text.values[0] if isinstance(text, ast.JoinedStr) and text.values else text
    return part.value if isinstance(part, ast.Constant) and isinstance(part.value, str) else ""


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_gaps_are_sentences(source: Path) -> None:
    """A gap stands alone in a report, so that no half of a sentence will do: "what the layer would run"."""
    calls = [node for node in ast.walk(ast.parse(source.read_bytes())) if isinstance(node, ast.Call)]
    starts = [first_words(call) for call in calls if isinstance(call.func, ast.Name) and call.func.id == "Gap"]
    assert [start for start in starts if start.startswith(CLAUSES) and not any(verb in start for verb in VERBS)] == []
