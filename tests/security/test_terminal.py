"""Names that would drive a terminal, wherever they can get into what is printed."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from pathlib import Path

import pytest

from hallmarked.audit.report import text
from hallmarked.checks.runner import Result
from hallmarked.cli.main import main
from hallmarked.core.evidence import Finding, Level
from tests.audit.example import HOSTILE, report


def shows(printed: str) -> bool:
    """Say whether everything but line breaks is visible."""
    return all(unicodedata.category(character) not in {"Cc", "Cf"} for character in printed if character != "\n")


def test_a_rule_that_nobody_defined_is_shown_clean() -> None:
    """A check that was taken over may name any rule; its name is printed as text."""
    made = report()
    hijacked = Result("hostile", "1", findings=[Finding(HOSTILE, Level.WARNING, "said")])
    examination = replace(made.examination, results=[hijacked])
    printed = text.render(replace(made, examination=examination, claims=()), verbose=True)
    assert "\\x1b[2J" in printed
    assert shows(printed)


def test_an_error_about_a_file_is_shown_clean(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The sentence that names what could not be read cannot move the cursor."""
    with pytest.raises(SystemExit):
        main(["verify", str(tmp_path / "evidence \x1b[2J\u202e.json")])
    printed = capsys.readouterr().err
    assert "\\x1b[2J" in printed
    assert shows(printed)
