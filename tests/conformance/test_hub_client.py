"""The ecosystem's own client against a hub, unmodified."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hubs import RunningHub, serve_test_hub

hf = pytest.importorskip("huggingface_hub")
errors = pytest.importorskip("huggingface_hub.errors")

pytestmark = [
    pytest.mark.enable_socket,
    pytest.mark.filterwarnings("ignore::DeprecationWarning:huggingface_hub"),
    pytest.mark.filterwarnings("ignore:Use .content=:DeprecationWarning"),
]


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[RunningHub]:
    with serve_test_hub(tmp_path) as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "model"
    (made / "sub").mkdir(parents=True)
    (made / "README.md").write_text("---\nlicense: mit\n---\n# A model\n")
    (made / "config.json").write_text("{}")
    (made / "empty.bin").write_bytes(b"")
    (made / "sub" / "weights.bin").write_bytes(os.urandom(300_000))
    return made


def test_push_and_download(hub: RunningHub, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that was pushed comes back the same, from a commit whose id the client knows."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
    api = hf.HfApi(endpoint=hub.url, token=hub.person("ada"))
    assert api.whoami()["name"] == "ada"
    assert api.create_repo("ada/model").repo_id == "ada/model"
    made = api.upload_folder(folder_path=folder, repo_id="ada/model")
    place = Path(api.snapshot_download("ada/model", cache_dir=tmp_path / "cache"))
    assert place.name == made.oid
    names = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert {str(path.relative_to(place)) for path in place.rglob("*") if path.is_file()} == names | {".gitattributes"}
    assert all((folder / name).read_bytes() == (place / name).read_bytes() for name in names)
    assert api.model_info("ada/model").card_data.license == "mit"


def test_refusals_are_the_clients_own(hub: RunningHub, tmp_path: Path) -> None:
    """Whoever may not, or asks for what is not there, gets the exception the client has for that."""
    owner = hf.HfApi(endpoint=hub.url, token=hub.person("ada"))
    owner.create_repo("ada/secret", private=True)
    other = hf.HfApi(endpoint=hub.url, token=hub.person("bob"))
    nobody = hf.HfApi(endpoint=hub.url, token=False)
    for api in (other, nobody):
        for name in ("ada/secret", "ada/nothing"):
            with pytest.raises(errors.RepositoryNotFoundError):
                api.model_info(name)
    with pytest.raises(errors.RevisionNotFoundError):
        owner.model_info("ada/secret", revision="nothing")
    with pytest.raises(errors.EntryNotFoundError):
        owner.hf_hub_download("ada/secret", "nothing", cache_dir=tmp_path)
    with pytest.raises(errors.HfHubHTTPError, match="Invalid credentials"):
        hf.HfApi(endpoint=hub.url, token="hm_wrong").model_info("ada/secret")
