"""Evidence goes to a hub by the command line, and whose it is is said by its operator."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from hallmarked.cli.main import command
from hallmarked.core.errors import Error
from tests.hub.evidence import push
from tests.hub.signer import Signer, about, measured
from tests.hubs import serve_test_hub


def run(*arguments: str) -> str:
    """Run a command, and return what it prints; an error of ours is raised."""
    result = CliRunner().invoke(command, [*arguments])
    if isinstance(result.exception, Error):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.enable_socket
def test_evidence_is_brought(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The operator counts an auditor's keys, the auditor pushes a file; revoked, another is refused with a reason."""
    auditor = Signer(tmp_path / "auditor", "auditor@example.org")
    trust, file, more = tmp_path / "trust.json", tmp_path / "evidence.json", tmp_path / "more.json"
    trust.write_bytes((tmp_path / "auditor" / "trust.json").read_bytes())
    with serve_test_hub(tmp_path) as running:
        push(running)
        with running.hub.database.read() as db:
            subject = about(db, "ada/model")
        file.write_bytes(auditor.sign([measured(subject, "0.97")]))
        monkeypatch.setenv("HF_TOKEN", running.person("bob"))
        monkeypatch.setenv("HF_ENDPOINT", running.url)
        with pytest.raises(Error, match="whoever runs this hub can add it"):
            run("evidence", "push", "hf://ada/model", str(file))
        data = str(running.hub.settings.data)
        added = run(
            "admin", "--data", data, "trust", "add", str(trust), "--as", "auditor", "--name", "Example Auditors"
        )
        assert auditor.ledger.key.keyid in added
        assert "Example Auditors" in run("admin", "--data", data, "trust", "list")
        assert "auditor  Example Auditors" in run("evidence", "push", "hf://ada/model", str(file))
        run("admin", "--data", data, "trust", "revoke", auditor.ledger.key.keyid, "--reason", "lost")
        assert "lost" in run("admin", "--data", data, "trust", "list")
        more.write_bytes(auditor.sign([measured(subject, "0.99")]))
        with pytest.raises(Error, match="was revoked"):
            run("evidence", "push", "hf://ada/model", str(more))


@pytest.mark.enable_socket
def test_the_hubs_own_keys_are_not_touched(tmp_path: Path) -> None:
    """Nobody revokes the hub's own key by this command, nor gives its name to another one."""
    auditor = Signer(tmp_path / "auditor", "auditor@example.org")
    with serve_test_hub(tmp_path) as running:
        own, data = running.hub.journal.keyid, str(running.hub.settings.data)
        with pytest.raises(Error, match="key of the hub itself"):
            run("admin", "--data", data, "trust", "revoke", own, "--reason", "x")
        trust = tmp_path / "auditor" / "trust.json"
        with pytest.raises(Error, match="what this hub itself is called"):
            run("admin", "--data", data, "trust", "add", str(trust), "--as", "hub", "--name", "hallmarked")
        run("admin", "--data", data, "trust", "add", str(trust), "--as", "auditor", "--name", "Example Auditors")
        with pytest.raises(Error, match="already"):
            run("admin", "--data", data, "trust", "add", str(trust), "--as", "community", "--name", "Others")
        assert running.hub.journal.trusted().find(auditor.ledger.key.keyid) is not None
