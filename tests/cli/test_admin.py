"""``hallmarked admin``: accounts, as whoever runs a hub meets it."""

from __future__ import annotations

from pathlib import Path

import pytest

from hallmarked.cli.admin.group import COMMANDS
from hallmarked.hub.account.session import sign_in
from hallmarked.hub.account.ticket import Person, set_up
from tests.cli.support import Shell
from tests.hubs import open_test_hub

GOOD = "a rather long sentence"


@pytest.fixture(autouse=True)
def _password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HALLMARKED_NEW_PASSWORD", GOOD)


def test_accounts(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody gets an account and a new password, is disabled and enabled, and becomes an administrator."""
    data = tmp_path / "data"
    assert shell("admin", "--data", data, "create-user", "ada", "--email", "ada@example.org").status == 0
    assert "taken" in shell("admin", "--data", data, "create-user", "ADA").refused()
    with open_test_hub(tmp_path) as running:
        assert sign_in(running.hub.database, "ada", GOOD)[0].email == "ada@example.org"
    monkeypatch.setenv("HALLMARKED_NEW_PASSWORD", "short")
    assert "10 to 256" in shell("admin", "--data", data, "set-password", "ada").refused()
    monkeypatch.setenv("HALLMARKED_NEW_PASSWORD", "another long sentence")
    assert shell("admin", "--data", data, "set-password", "ada").status == 0
    assert shell("admin", "--data", data, "disable-user", "ada").status == 0
    assert "no user" in shell("admin", "--data", data, "set-password", "ada").refused()
    assert shell("admin", "--data", data, "enable-user", "ada").status == 0
    assert shell("admin", "--data", data, "set-administrator", "ada").status == 0
    assert "last administrator" in shell("admin", "--data", data, "disable-user", "ada").refused()
    with open_test_hub(tmp_path) as running:
        assert sign_in(running.hub.database, "ada", "another long sentence")[0].administrator


def test_setup_link(shell: Shell, tmp_path: Path) -> None:
    """The link is printed until there is an administrator, and makes one."""
    done = shell("admin", "--data", tmp_path / "data", "setup-link")
    ticket = done.out.strip().partition("/welcome?ticket=")[2]
    with open_test_hub(tmp_path) as running:
        assert set_up(running.hub.database, ticket, Person("root", GOOD)).administrator
    assert "has an administrator" in shell("admin", "--data", tmp_path / "data", "setup-link").refused()


def test_help_names_every_command(shell: Shell) -> None:
    """Each command is listed with its line, and knows how to be called."""
    text = shell("admin", "--help").out
    for name in COMMANDS:
        assert name in text
        assert shell("admin", name, "--help").status == 0


def test_options_before_or_after(shell: Shell, tmp_path: Path) -> None:
    """The folder may be named before or after the command; the latter counts when both are."""
    data = tmp_path / "data"
    assert shell("admin", "create-user", "ada", "--data", data).status == 0
    for arguments in (["--data", data, "check"], ["check", "--data", data], ["--data", "no", "check", "--data", data]):
        assert shell("admin", *arguments).out == "Database, files and ledger agree.\n"
    settings = tmp_path / "hub.toml"
    settings.write_text(f'[storage]\ndata = "{data}"\n')
    assert shell("admin", "check", "--config", settings).status == 0


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - {"create-user", "setup-link", "restore"}))
def test_a_folder_without_a_hub(shell: Shell, tmp_path: Path, name: str) -> None:
    """A slip in the folder's name is told, and no empty hub is made and looked after."""
    missing = tmp_path / "slip"
    given = {"backup": ["copy"], "consent": ["list"], "trust": ["list"]}
    argument = given.get(name, ["ada"] if "set-" in name or "able-" in name else [])
    assert "there is no hub in" in shell("admin", name, *argument, "--data", missing).refused()
    assert not missing.exists()
