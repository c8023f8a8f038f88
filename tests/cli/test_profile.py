"""Profiles from the command line: what an audit and a signed record change, in every format, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.support import Shell
from tests.profiles.example import TOML

FINAL = "nist-ai-600-1/final-2024-07"
DRAFT = "nist-ai-600-1/ipd-2024-04"
CARD = """---
license: mit
language: en
pipeline_tag: text-generation
---
# Little

## Out-of-Scope Use
Not for advice to patients.

## Contact
Write to birds@example.org.
"""


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "README.md").write_text(CARD)
    return folder


@pytest.fixture
def audited(shell: Shell, model: Path) -> Path:
    shell("audit", model, "--check", "documentation")
    assert (model.parent / "model.hallmarked" / "evidence.json").is_file()
    return model


def states(shell: Shell, path: Path, edition: str = FINAL) -> dict[str, str]:
    done = shell("profile", "show", edition, path, "--format", "json")
    assert done.status == 0, done.err
    return {row["id"].partition("#")[2]: row["state"] for row in done.json["controls"]}


def test_without_evidence_every_gap_shows(shell: Shell, model: Path) -> None:
    """A folder that nobody audited has all 212 and 466 actions, none of them answered."""
    assert set(states(shell, model).values()) == {"organisational", "open"}
    assert len(states(shell, model)) == 212
    assert len(states(shell, model, DRAFT)) == 466


def test_audit_and_record(shell: Shell, audited: Path) -> None:
    """The card documents, a signed record answers one action of one edition, and both are named."""
    before = states(shell, audited)
    assert before["GV-1.4-002"] == "documented"
    assert before["MG-3.2-005"] == "not-applicable"
    record = [
        *("--control", f"{FINAL}#GV-1.6-001"),
        *("--state", "documented"),
        *("--by", "Example team"),
        *("--where", "Inventory, sheet 2"),
    ]
    assert shell("attest", "control", "--about", audited, *record).status == 0
    after = states(shell, audited)
    assert {name for name in after if after[name] != before[name]} == {"GV-1.6-001"}
    assert "Inventory, sheet 2" in " ".join(shell("profile", "show", FINAL, audited).out.split())
    assert states(shell, audited, DRAFT)["GV-1.6-001"] == "organisational"


def test_changed_bytes(shell: Shell, audited: Path) -> None:
    """When the files change, nothing that was stated about the old ones answers any more."""
    (audited / "README.md").write_text(CARD + "More.\n")
    assert set(states(shell, audited).values()) == {"organisational", "open"}


def test_strangers(shell: Shell, audited: Path, tmp_path: Path) -> None:
    """Evidence signed by nobody whom this machine trusts answers nothing, and that is said."""
    shell.set(HALLMARKED_HOME=str(tmp_path / "elsewhere"))
    done = shell("profile", "show", FINAL, audited)
    assert "statements are by nobody this machine trusts" in done.err
    assert set(states(shell, audited).values()) == {"organisational", "open"}


@pytest.mark.parametrize(("language", "word"), [("en", "Documented"), ("es", "Documentado")])
def test_formats_and_languages(shell: Shell, audited: Path, language: str, word: str) -> None:
    """Text and page say the same in both languages; a file is written whole, and named."""
    text = shell("profile", "show", FINAL, audited, "--lang", language)
    assert word in text.out
    assert text.err == ""
    page = audited.parent / "page.html"
    assert (
        shell("profile", "show", FINAL, audited, "--lang", language, "--format", "html", "--output", page).out
        == f"{page}\n"
    )
    assert f'<html lang="{language}">' in page.read_text()
    assert page.read_text().count('<li class="control ') == 212


def test_selection(shell: Shell, model: Path) -> None:
    """Risk, part and state narrow what is listed."""
    chosen = shell("profile", "show", FINAL, model, "--risk", "environmental-impacts", "--format", "json").json
    assert len(chosen["controls"]) == chosen["counts"]["total"] == 4
    assert all("environmental-impacts" in row["tags"] for row in chosen["controls"])
    part = shell("profile", "show", FINAL, model, "--function", "MAP", "--format", "json").json
    assert part["counts"]["total"] == 39
    text = shell("profile", "show", FINAL, model, "--state", "open").out
    assert "? Open" in text
    assert "○ Organisational  G" not in text


def test_own_framework(shell: Shell, model: Path, tmp_path: Path) -> None:
    """An organisation's own framework is a file, for an audience too; one that is broken is refused with its line."""
    own = tmp_path / "own.toml"
    own.write_text(TOML)
    shown = shell("profile", "show", own, model, "--audience", "public", "--format", "json").json
    assert [row["id"] for row in shown["controls"]] == ["example/2026#A-1", "example/2026#A-2"]
    assert [row["id"] for row in shown["withheld"]] == ["example/2026#B-1"]
    own.write_text(TOML.replace('answer = "policy"', 'answer = "polisy"'))
    refused = shell("profile", "show", own, model).refused()
    assert refused == "own.toml, line 45: control A-2 names an answer polisy, which is not there"


def test_refused(shell: Shell, model: Path) -> None:
    """What is not known, or named without its edition, is refused in one sentence that says what to write."""
    assert shell("profile", "show", "nist-ai-600-1", model).refused() == (
        f"nist-ai-600-1 is named without its edition; write {FINAL} or {DRAFT}"
    )
    assert "no framework is called iso" in shell("profile", "show", "iso/1", model).refused()
    assert "no risk called fire; there are: cbrn" in shell("profile", "show", FINAL, model, "--risk", "fire").refused()
    assert "no part called RUN" in shell("profile", "show", FINAL, model, "--function", "RUN").refused()
    without = shell("profile", "map", "GV-1.6-001").refused()
    assert without.startswith("“GV-1.6-001” names no framework with its edition; write one such as ")
    assert "names no edition" in shell("profile", "map", "nist-ai-600-1#GV-1.6-001").refused()
    assert "has no control X-1" in shell("profile", "map", f"{FINAL}#X-1").refused()


def test_list_and_map(shell: Shell) -> None:
    """Editions are listed; an id is explained with what it became, and with what it means elsewhere."""
    assert FINAL in shell("profile", "list").out
    listed = {
        edition["id"] for family in shell("profile", "list", "--format", "json").json for edition in family["editions"]
    }
    assert {FINAL, DRAFT} <= listed
    said = shell("profile", "map", f"{FINAL}#GV-1.6-001").out
    assert "↔ ipd-2024-04#GV-1.6-002" in said
    assert "The same id means something else in the edition ipd-2024-04" in said
    entry = shell("profile", "map", f"{DRAFT}#GV-1.6-001", "--format", "json").json
    assert entry[0]["related"] == [f"{FINAL}#GV-1.6-002"]
    assert entry[0]["sameIdMeansSomethingElse"] is True
    whole = shell("profile", "map", DRAFT)
    assert whole.out.count("\nnist-ai-600-1/ipd-2024-04#") == 466


def test_json_is_sorted_like_the_edition(shell: Shell, model: Path) -> None:
    """The JSON is one object, and its controls come in the order of the document."""
    document = json.loads(shell("profile", "show", FINAL, model, "--format", "json").out)
    names = [row["id"].partition("#")[2] for row in document["controls"]]
    assert names[0] == "GV-1.1-001"
    assert names[-1] == "MG-4.3-003"
