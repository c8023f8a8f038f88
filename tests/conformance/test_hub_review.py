"""What the ecosystem's own client sees of audits: held back, available, and evidence that verifies."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from hallmarked.cli.main import command
from hallmarked.hub.schema.review import audit
from hallmarked.ledger.trust import load_trust
from tests.hubs import RunningHub, serve_test_hub

hf = pytest.importorskip("huggingface_hub")
errors = pytest.importorskip("huggingface_hub.errors")

pytestmark = [
    pytest.mark.enable_socket,
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning:huggingface_hub"),
    pytest.mark.filterwarnings("ignore:Use .content=:DeprecationWarning"),
]
PICKLE = b"cos\nsystem\n(S'true'\ntR."


def safetensors(path: Path) -> None:
    header = json.dumps({"w": {"dtype": "F32", "shape": [1000], "data_offsets": [0, 4000]}}).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + os.urandom(4000))


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningHub]:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
    with serve_test_hub(tmp_path, audits=True) as running:
        yield running


def test_a_planted_pickle_is_held_back(hub: RunningHub, tmp_path: Path) -> None:
    """Others are told why they cannot have it; its owner can."""
    folder = tmp_path / "bad"
    folder.mkdir()
    (folder / "README.md").write_text("---\nlicense: mit\n---\n# A model\n")
    (folder / "model.pkl").write_bytes(PICKLE)
    owner = hf.HfApi(endpoint=hub.url, token=hub.person("ada"))
    owner.create_repo("ada/bad")
    owner.upload_folder(folder_path=folder, repo_id="ada/bad")
    stranger = hf.HfApi(endpoint=hub.url, token=hub.person("bob"))
    with pytest.raises(errors.GatedRepoError, match="is being checked") as refused:
        stranger.hf_hub_download("ada/bad", "model.pkl", cache_dir=tmp_path / "one")
    assert refused.value.response.status_code == 403
    hub.await_audits()
    with pytest.raises(errors.GatedRepoError, match=r"held back: model\.pkl: .*os\.system.*PKL001") as refused:
        stranger.hf_hub_download("ada/bad", "model.pkl", cache_dir=tmp_path / "one")
    assert refused.value.response.status_code == 403
    place = owner.hf_hub_download("ada/bad", "model.pkl", cache_dir=tmp_path / "two")
    assert Path(place).read_bytes() == PICKLE


def test_evidence_of_a_clean_push_verifies(hub: RunningHub, tmp_path: Path) -> None:
    """What a stranger downloaded is what the evidence in the hub's ledger is about."""
    folder = tmp_path / "good"
    folder.mkdir()
    (folder / "README.md").write_text("---\nlicense: mit\n---\n# A model\n")
    safetensors(folder / "model.safetensors")
    owner = hf.HfApi(endpoint=hub.url, token=hub.person("ada"))
    owner.create_repo("ada/good")
    made = owner.upload_folder(folder_path=folder, repo_id="ada/good")
    hub.await_audits()
    stranger = hf.HfApi(endpoint=hub.url, token=hub.person("bob"))
    place = stranger.snapshot_download("ada/good", local_dir=tmp_path / "copy")
    evidence = tmp_path / "evidence.json"
    evidence.write_bytes(hub.hub.journal.bundle([f"gitCommit:{made.oid}"]))
    with hub.hub.database.read() as db:
        assert db.execute(select(audit.c.outcome).where(audit.c.revision == made.oid)).scalar() == "pass"
    trusted = [value for keyid in key_ids(hub) for value in ("--key", keyid)]
    result = CliRunner().invoke(command, ["verify", str(evidence), place, *trusted])
    assert result.exit_code == 0, result.output
    assert "About these bytes" in result.output
    (Path(place) / "README.md").write_text("# Another\n")
    result = CliRunner().invoke(command, ["verify", str(evidence), place, *trusted])
    assert result.exit_code == 1
    assert "changed: README.md" in result.output


def key_ids(hub: RunningHub) -> list[str]:
    return [key.keyid for key in load_trust(hub.hub.journal.trust()).keys]
