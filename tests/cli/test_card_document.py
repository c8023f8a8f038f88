"""``hallmarked card new`` and ``lint`` as a user meets them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.support import Shell

LICENCE = Path(__file__).parents[2] / "LICENSE"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A folder with a configuration, a licence and no card."""
    folder = tmp_path / "triage"
    folder.mkdir()
    (folder / "config.json").write_text('{"architectures": ["BertForMaskedLM"], "model_type": "bert"}')
    (folder / "LICENSE").write_bytes(LICENCE.read_bytes())
    return folder


def test_a_card_is_drafted_and_judged(shell: Shell, model: Path) -> None:
    """A draft knows what the files say, leaves the rest open, and is not written over."""
    done = shell("card", "new", model, "--kind", "model", "--tier", "high")
    assert done.status == 0
    assert "Who can be harmed" in done.out
    text = (model / "README.md").read_text()
    assert "license: apache-2.0" in text
    assert "value: BertForMaskedLM" in text
    judged = shell("card", "lint", model, "--format", "json")
    assert judged.status == 1
    assert judged.json["template"]["id"] == "model/high@1"
    assert judged.json["template"]["outcome"] == "fail"
    assert {row["asked"] for row in judged.json["findings"] if row["level"] == "error"} >= {"harms", "contact"}
    assert "README.md is there already" in shell("card", "new", model).refused()
    assert (model / "README.md").read_text() == text
    assert sorted(path.name for path in model.iterdir()) == ["LICENSE", "README.md", "config.json"]


def test_evidence_of_an_audit_is_used(shell: Shell, model: Path) -> None:
    """What an audit measured of these very files is taken, in the language that was asked for."""
    shell("audit", model, "--check", "facts", "--check", "inventory")
    done = shell("card", "new", model, "--lang", "es", "--tier", "minimal")
    assert (done.status, done.err) == (0, "")
    assert "## Uso previsto" in (model / "README.md").read_text()
    assert "- Arquitectura: {{claim model-architecture}}" in (model / "README.md").read_text()


def test_claims_are_counted_against_evidence(shell: Shell, model: Path) -> None:
    """After an audit of folder and card it is counted which claims are borne out; a change of the bytes is drift."""
    assert shell("card", "new", model, "--kind", "model").status == 0
    shell("audit", model, "--check", "facts", "--check", "documentation", "--check", "inventory")
    quality = shell("card", "lint", model, "--format", "json").json["quality"]
    assert quality["fill"]["whole"] > 10
    assert quality["support"]["part"] >= 1
    assert quality["freshness"]["part"] == quality["freshness"]["whole"] == quality["support"]["part"]
    assert (quality["independence"]["part"], quality["drift"]["part"]) == (0, 0)
    (model / "config.json").write_text("{}")
    done = shell("card", "lint", model)
    assert f"support       0 of {quality['support']['whole']}" in done.out
    assert f"drift         {quality['drift']['whole']} of {quality['drift']['whole']}" in done.out


def test_what_cannot_be_drafted(shell: Shell, model: Path, tmp_path: Path) -> None:
    """A file, an unknown language and a template for something else are told of, and nothing is written."""
    assert "is not a folder" in shell("card", "new", model / "config.json").refused()
    assert "does not ask in 'tlh'" in shell("card", "new", model, "--lang", "tlh").refused()
    own = tmp_path / "dataset@1.toml"
    own.write_text('kind = "dataset"\nversion = 1\ntitle = {en = "x"}\n[[field]]\nid = "a"\nask = {en = "b?"}\n')
    assert "is a template for a dataset card" in shell("card", "new", model, "--template", own).refused()
    assert not (model / "README.md").exists()


def test_lint_names_lines_and_exits_by_level(shell: Shell, tmp_path: Path) -> None:
    """Problems are told line by line; the threshold decides the exit status; what is not there cannot be judged."""
    card = tmp_path / "README.md"
    card.write_text("---\nlicense: mit\nlanguage: no\n---\n# X\nIt reads.\n")
    done = shell("card", "lint", card)
    assert done.status == 0
    assert f"{card}, line 3: language is no without quotes" in done.out
    assert "sections, " in done.out
    assert shell("card", "lint", card, "--fail-on", "warning").status == 1
    card.write_text("---\na: 1\na: 2\n---\n")
    done = shell("card", "lint", tmp_path)
    assert done.status == 1
    assert "line 3: YAML key 'a' appears twice" in done.out
    assert "cannot be read" in shell("card", "lint", tmp_path / "nothing").refused()


def test_diff_says_what_changed(shell: Shell, tmp_path: Path) -> None:
    """Loosened claims come first; cards that say the same end with status 0."""
    old, new = tmp_path / "old.md", tmp_path / "new.md"
    text = '---\nhallmarked:\n  claims:\n  - {id: r, path: eval.recall, op: ">=", value: "0.9"}\n---\n# X\nA.\n'
    old.write_text(text)
    new.write_text(text.replace("0.9", "0.7") + "# Y\n")
    done = shell("card", "diff", old, new)
    assert (done.status, done.err) == (1, "")
    first, second = done.out.splitlines()
    assert first == "loosened   the claim r is loosened: eval.recall >= 0.7 instead of eval.recall >= 0.9 (line 4)"
    assert second == "added      the section “Y” is new (line 8)"
    same = shell("card", "diff", old, old)
    assert (same.status, same.out) == (0, "the cards say the same\n")
    assert [row["way"] for row in shell("card", "diff", old, new, "--format", "json").json] == ["loosened", "added"]
    old.write_text("---\n- x\n---\n")
    assert "line 2" in shell("card", "diff", old, new).refused()
