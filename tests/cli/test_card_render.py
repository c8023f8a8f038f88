"""``hallmarked card render`` and ``translate`` as a user meets them."""

from __future__ import annotations

from pathlib import Path

from tests.cards.view.example import CARD
from tests.cli.support import Shell


def model(folder: Path) -> Path:
    """A folder with a card and nothing else."""
    folder.mkdir()
    (folder / "README.md").write_text(CARD)
    return folder


def test_a_card_shows_what_an_audit_found_and_goes_stale_with_its_bytes(shell: Shell, tmp_path: Path) -> None:
    """The same command tells another status after a file has changed."""
    source = model(tmp_path / "m")
    before = shell("card", "render", source, "--format", "json").json
    assert before["places"]["{{claim files.total}}"]["value"] == ""
    shell("audit", source)
    audited = shell("card", "render", source, "--format", "json").json
    assert audited["places"]["{{claim files.total}}"]["value"].startswith("1")
    (source / "README.md").write_text(CARD + "\nMore.\n")
    stale = shell("card", "render", source / "README.md", "--format", "json").json
    assert stale["places"]["{{claim files.total}}"]["status"] == "stale"


def test_looks_and_formats(shell: Shell, tmp_path: Path) -> None:
    """Every look comes as every format; a file gets the same bytes as the terminal."""
    source = model(tmp_path / "m")
    for look in ("technical", "plain", "page"):
        assert shell("card", "render", source, "--view", look).out.startswith("<!doctype html>")
        assert shell("card", "render", source, "--view", look, "--format", "md").out.startswith("# Triage helper")
    out = tmp_path / "deep" / "card.md"
    done = shell("card", "render", source, "--format", "md", "--output", out)
    assert (done.status, done.out) == (0, "")
    assert out.read_text().startswith("# Triage helper")


def test_a_translation_is_begun_shown_and_updated(shell: Shell, tmp_path: Path) -> None:
    """With what there is to do counted."""
    source = model(tmp_path / "m")
    assert shell("card", "translate", source, "--lang", "es").out.endswith(
        "0 blocks translated, 0 out of date, 10 to be translated\n"
    )
    file = source / "README.es.md"
    file.write_text(file.read_text().replace("# Triage helper", "# Ayuda para el triaje"))
    shown = shell("card", "render", source, "--lang", "es", "--format", "json").json
    assert (shown["title"], shown["language"]) == ("Ayuda para el triaje", "es")
    (source / "README.md").write_text(CARD.replace("# Triage helper", "# Triage assistant"))
    assert "0 blocks translated, 1 out of date" in shell("card", "translate", source, "--lang", "es").out
    assert "1 blocks translated, 0 out of date" in shell("card", "translate", source, "--lang", "es", "--current").out


def test_wrong_input_gets_a_sentence(shell: Shell, tmp_path: Path) -> None:
    """No card, no language, a translation into the language it is in, and a file that says another language."""
    (tmp_path / "empty").mkdir()
    assert "README.md cannot be read" in shell("card", "render", tmp_path / "empty").refused()
    source = model(tmp_path / "m")
    assert "no language tag" in shell("card", "render", source, "--lang", "../x").refused()
    assert "is in en already" in shell("card", "translate", source, "--lang", "en").refused()
    assert "there is no" in shell("card", "translate", source, "--lang", "es", "--current").refused()
    shell("card", "translate", source, "--lang", "es")
    (source / "README.es.md").rename(source / "README.fr.md")
    assert "says that it is in es, and its name says fr" in shell("card", "render", source).refused()
