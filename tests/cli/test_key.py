"""``hallmarked key`` as a user meets it."""

from __future__ import annotations

import shutil
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.cli.support import Shell

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "m"
    folder.mkdir()
    (folder / "README.md").write_text("# m")
    return folder


def audit(shell: Shell, model: Path, output: Path) -> Path:
    """Make evidence quickly, whatever it says."""
    done = shell("audit", model, "--check", "inventory", "--output", output)
    assert "evidence.json" in {path.name for path in output.iterdir()}, done
    return output / "evidence.json"


def trust_file(shell: Shell, path: Path) -> Path:
    done = shell("key", "trust")
    assert done.status == 0
    path.write_text(done.out)
    return path


def test_first_use_creates_private_keys(shell: Shell) -> None:
    """Showing keys makes them when there are none, readable by their owner only."""
    first = shell("key", "show")
    assert (first.status, [line.split()[1] for line in first.out.splitlines()]) == (0, ["maker", "log"])
    assert {stat.S_IMODE((shell.home / name).stat().st_mode) for name in ("maker.pem", "log.pem")} == {0o600}
    assert shell("key", "show").out == first.out


def test_named_keys(shell: Shell) -> None:
    """A name given at creation is what others read; it cannot be given twice, nor be empty."""
    assert "empty" in shell("key", "create", "--name", " ").refused()
    done = shell("key", "create", "--name", "Acme model team")
    assert (done.status, done.out.endswith("  Acme model team\n")) == (0, True)
    assert "maker  Acme model team" in shell("key", "show").out
    assert "there are keys" in shell("key", "create", "--name", "Somebody else").refused()
    assert "Somebody else" not in shell("key", "show").out


@pytest.mark.parametrize("extra", [[], ["--log"]])
def test_evidence_outlives_a_rotation(shell: Shell, model: Path, tmp_path: Path, extra: list[str]) -> None:
    """With the new trust file, evidence from before and from after a rotation verifies."""
    shell.at(NOON)
    old = audit(shell, model, tmp_path / "old")
    before = trust_file(shell, tmp_path / "before.json")
    shell.at(NOON + HOUR)
    done = shell("key", "rotate", *extra)
    assert done.status == 0
    assert done.out.split()[0] in shell("key", "show").out
    shell.at(NOON + 2 * HOUR)
    new = audit(shell, model, tmp_path / "new")
    after = trust_file(shell, tmp_path / "after.json")
    for evidence in (old, new):
        assert shell("verify", evidence, model, "--trust", after).status == 0
    assert shell("verify", old, model, "--trust", before).status == 0
    assert shell("verify", new, model, "--trust", before).status != 0
    assert shell("ledger", "check").status == 0


@pytest.mark.parametrize("extra", [[], ["--log"]])
def test_a_replaced_key_counts_for_nothing_later(shell: Shell, model: Path, tmp_path: Path, extra: list[str]) -> None:
    """Whoever goes on signing with a copy of the old key is refused by those with the new trust file."""
    shell.at(NOON)
    shell("key", "show")
    thief = tmp_path / "thief"
    shutil.copytree(shell.home, thief)
    shell.at(NOON + HOUR)
    assert shell("key", "rotate", *extra).status == 0
    trust = trust_file(shell, tmp_path / "trust.json")
    shell.set(HALLMARKED_HOME=str(thief))
    timely = audit(shell, model, tmp_path / "timely")
    assert shell("verify", timely, model, "--trust", trust).status == 0
    shell.at(NOON + 2 * HOUR)
    late = audit(shell, model, tmp_path / "late")
    sentence = shell("verify", late, model, "--trust", trust).refused(status=1)
    assert "valid only until 2026-11-21T13:00:00Z" in sentence


def test_rotations_follow_each_other(shell: Shell, model: Path, tmp_path: Path) -> None:
    """Both keys can be replaced again and again; every key is listed with its window, and all evidence verifies."""
    made = []
    for number in range(3):
        shell.at(NOON + number * HOUR)
        made.append(audit(shell, model, tmp_path / f"e{number}"))
        shell.at(NOON + number * HOUR + HOUR / 2)
        assert shell("key", "rotate").status == 0
        assert shell("key", "rotate", "--log").status == 0
    shown = shell("key", "show").out.splitlines()
    assert [("until" in line, line.split()[1]) for line in shown].count((True, "maker")) == 3
    assert [("until" in line, line.split()[1]) for line in shown].count((False, "log")) == 1
    trust = trust_file(shell, tmp_path / "trust.json")
    assert [shell("verify", evidence, model, "--trust", trust).status for evidence in made] == [0, 0, 0]


def test_rotation_keeps_the_passphrase(shell: Shell, model: Path, tmp_path: Path) -> None:
    """New keys are protected like the ones they replace."""
    shell.set(HALLMARKED_PASSPHRASE="right")
    shell("key", "show")
    shell("key", "rotate")
    shell("key", "rotate", "--log")
    assert shell("key", "show").status == 0
    shell.set(HALLMARKED_PASSPHRASE=None)
    assert "needs a passphrase" in shell("key", "show").refused()


@pytest.mark.parametrize("verb", [["rotate"], ["rotate", "--log"], ["trust"]])
def test_no_keys(shell: Shell, verb: list[str]) -> None:
    """Without keys there is nothing to rotate or to trust, and none are made."""
    assert "there is no ledger" in shell("key", *verb).refused()
    assert not shell.home.exists()


@pytest.mark.parametrize("verb", [["show"], ["rotate"], ["rotate", "--log"], ["trust"]])
def test_unusable_keys(shell: Shell, verb: list[str]) -> None:
    """A wrong or missing passphrase, a key others can read and a key that is none end in one sentence."""
    shell.set(HALLMARKED_PASSPHRASE="right")
    shell("key", "show")
    before = {path.name: path.read_bytes() for path in shell.home.iterdir() if path.suffix in {".pem", ".json"}}
    for wrong in ("wrong", "", None):
        shell.set(HALLMARKED_PASSPHRASE=wrong)
        assert "passphrase" in shell("key", *verb).refused()
    shell.set(HALLMARKED_PASSPHRASE="right")
    (shell.home / "log.pem").chmod(0o640)
    assert "chmod 600" in shell("key", *verb).refused()
    (shell.home / "log.pem").chmod(0o600)
    assert {name: (shell.home / name).read_bytes() for name in before} == before
    (shell.home / "log.pem").write_bytes(b"not a key")
    assert "not a private key" in shell("key", *verb).refused()


@pytest.mark.parametrize("place", ["file/home", "file"])
def test_a_home_that_is_no_folder(shell: Shell, tmp_path: Path, place: str) -> None:
    """A home below, or instead of, a file cannot hold keys."""
    (tmp_path / "file").write_text("not a folder")
    shell.set(HALLMARKED_HOME=str(tmp_path / place))
    for verb in (["show"], ["create", "--name", "Acme"]):
        assert "not a directory" in shell("key", *verb).refused().lower()


def test_the_word_of_others_counts_once_accepted(
    shell: Shell, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An auditor's keys count as an auditor's, are not handed on as one's own, and nobody passes for this machine."""
    (model / "README.md").write_text(
        '---\nhallmarked:\n  claims:\n  - {id: r, path: eval.recall, op: ">=", value: "0.9", by: [auditor]}\n---\n# m\n'
    )
    shell("audit", model, "--check", "documentation")
    own = shell("key", "trust").out
    with monkeypatch.context() as other:
        other.setenv("HALLMARKED_HOME", str(tmp_path / "auditor"))
        row = '{metric = "eval.recall", value = 0.95}'
        shell("attest", "result", "--about", model, "--name", "t", "--by", "A", "--how", "h", "--measurements", row)
        theirs = trust_file(shell, tmp_path / "theirs.json")
    status = ("card", "status", model, "--format", "json")
    assert shell(*status).json["claims"][0]["status"] == "self-asserted"
    assert shell("key", "accept", theirs, "--as", "auditor", "--name", " ").refused() == "name cannot be empty"
    done = shell("key", "accept", theirs, "--as", "auditor", "--name", "Example Auditor")
    assert [line.split()[1] for line in done.out.splitlines()] == ["auditor", "log"]
    assert shell(*status).json["claims"][0]["status"] == "supported"
    assert shell("key", "trust").out == own
    assert "already" in shell("key", "accept", theirs, "--as", "hub", "--name", "Example Auditor").refused()
    name = shell("key", "show").out.split("\n")[0].split("  ")[2]
    assert "own keys" in shell("key", "accept", theirs, "--as", "maker", "--name", name).refused()
    broken = tmp_path / "broken.json"
    broken.write_bytes(b"\xff{")
    assert shell("key", "accept", broken, "--as", "auditor", "--name", "X").refused().startswith(f"{broken} cannot be")
