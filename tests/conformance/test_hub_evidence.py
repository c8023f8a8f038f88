"""From a push by the ecosystem's own client to a verified download, and a witness in between."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hallmarked.hub.job.audit import audit_revision, task_of
from hallmarked.hub.repository.repository import find_repository
from tests.cli.support import Shell
from tests.hubs import RunningHub, serve_test_hub

hf = pytest.importorskip("huggingface_hub")

pytestmark = [
    pytest.mark.enable_socket,
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning:huggingface_hub"),
    pytest.mark.filterwarnings("ignore:Use .content=:DeprecationWarning"),
]


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[RunningHub]:
    with serve_test_hub(tmp_path) as running:
        yield running


def test_push_audit_download_verify(
    hub: RunningHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the client keeps in its cache verifies with the hub's key alone, and nothing is left open."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
    folder = tmp_path / "model"
    (folder / "sub").mkdir(parents=True)
    (folder / "README.md").write_text("---\nlicense: mit\n---\n# A model\n")
    (folder / "config.json").write_text("{}")
    (folder / "sub" / "weights.bin").write_bytes(bytes(300_000))
    api = hf.HfApi(endpoint=hub.url, token=hub.person("ada"))
    api.create_repo("ada/model")
    made = api.upload_folder(folder_path=folder, repo_id="ada/model")
    shell = Shell(tmp_path, capsys, monkeypatch)
    journal = hub.hub.journal
    assert shell("witness", "add", hub.url, "--key", journal.verifier_key()).status == 0
    hub.audit_all()
    assert "more than before" in shell("witness", "check").out
    snapshot = api.snapshot_download("ada/model", revision=made.oid, cache_dir=tmp_path / "cache")
    local = api.snapshot_download("ada/model", local_dir=tmp_path / "local")
    for address, files in ((f"{hub.url}/ada/model@{made.oid}", snapshot), (f"{hub.url}/ada/model", local)):
        done = shell("verify", address, files, "--key", journal.keyid)
        assert done.status == 0, done.out
        assert "✔ Complete" in done.out
        assert f"✔ About this revision: ada/model at commit {made.oid}" in done.out
    with hub.hub.database.read() as db:
        repo = find_repository(db, "model", "ada/model")
    audit_revision(hub.hub, replace(task_of(repo.id, made.oid), rule_set="0" * 64))
    again = shell("verify", f"{hub.url}/ada/model", local, "--key", journal.keyid)
    assert again.status == 0, again.out
    assert again.out.count("  documentation ") == 1
    assert "2 decisions rest on, none left out" in again.out
    assert "Earlier, 1 audit of it came to:" in again.out
    (Path(local) / "config.json").write_text('{"changed": true}')
    done = shell("verify", f"{hub.url}/ada/model", local, "--key", journal.keyid)
    assert (done.status, "changed: config.json" in done.out) == (1, True)
