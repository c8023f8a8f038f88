"""``hallmarked profile package`` and ``verify`` from the command line."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from tests.cli.support import Shell

FORM = "eu-gpai-documentation/2025-07"


@pytest.fixture
def model(shell: Shell, tmp_path: Path) -> Path:
    """A model that was audited."""
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "README.md").write_text("---\nlicense: mit\n---\n# A model\n")
    (folder / "config.json").write_text('{"model_type": "gpt2", "n_layer": 2}')
    shell("audit", folder, "-q", "--check", "inventory", "--check", "documentation")
    return folder


@pytest.mark.parametrize("name", ["package", "package.zip"])
def test_package_is_made_checked_and_found_changed(shell: Shell, model: Path, tmp_path: Path, name: str) -> None:
    """A package holds, and does not when one byte of it is changed."""
    output = tmp_path / name
    made = shell("profile", "package", model, "--profile", FORM, "--output", output)
    assert made.status == 0, made
    command = made.out.split("hallmarked profile verify")[1].replace("\\\n", " ")
    checked = shell("profile", "verify", *shlex.split(command))
    assert checked.status == 0, checked
    assert "filled in again" in checked.out
    assert shell("profile", "verify", output).status == 2
    place = output if output.is_file() else output / "cards" / "README.md"
    data = place.read_bytes()
    place.write_bytes(data.replace(b"A model", b"B model", 1))
    broken = shell("profile", "verify", output, *shell.keys())
    assert broken.status == 1
    if output.is_dir():
        assert "Changed: cards/README.md" in broken.out
        assert shell("verify", output / "package.json", output, *shell.keys()).status == 1


def test_nothing_is_overwritten_and_nothing_half_written(shell: Shell, model: Path, tmp_path: Path) -> None:
    """A place that is taken, one inside of the model, and a form that is none leave nothing behind."""
    taken = tmp_path / "taken"
    taken.mkdir()
    arguments = ("profile", "package", model, "--profile", FORM, "--output")
    assert "overwritten" in shell(*arguments, taken).refused()
    assert "inside" in shell(*arguments, model / "package").refused()
    assert shell("profile", "package", model, "--profile", "eu-gpai/1", "--output", tmp_path / "new").refused()
    assert not (model / "package").exists()
    assert not (tmp_path / "new").exists()


def test_a_model_that_nobody_audited(shell: Shell, tmp_path: Path) -> None:
    """Without evidence there is no package, and the sentence says what to do."""
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare" / "x.txt").write_text("x")
    output = tmp_path / "package"
    said = shell("profile", "package", tmp_path / "bare", "--profile", FORM, "--output", output).refused()
    assert "audit first" in said
    assert not output.exists()


@pytest.mark.parametrize("what", ["missing", "README.txt"])
def test_what_is_no_package(shell: Shell, tmp_path: Path, what: str) -> None:
    """Anything else than a package ends in one sentence."""
    (tmp_path / "README.txt").write_text("x")
    assert shell("profile", "verify", tmp_path / what).status in {1, 2}
    assert shell("profile", "verify", tmp_path / what).err.count("\n") == 1
