"""Branches, pull requests, discussions, listings and likes, as the ecosystem's own client uses them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.hubs import RunningHub, serve_test_hub

hf = pytest.importorskip("huggingface_hub")
errors = pytest.importorskip("huggingface_hub.errors")

pytestmark = [
    pytest.mark.enable_socket,
    pytest.mark.filterwarnings("ignore::DeprecationWarning:huggingface_hub"),
    pytest.mark.filterwarnings("ignore:Use .content=:DeprecationWarning"),
]


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    with serve_test_hub(tmp_path_factory.mktemp("hub")) as running:
        running.person("ada")
        running.person("bob")
        yield running


def api_of(hub: RunningHub, name: str | None) -> Any:
    """Return the client as somebody uses it; nobody when None."""
    return hf.HfApi(endpoint=hub.url, token=hub.person(name) if name else False)


def put(api: Any, repo: str, path: str, data: bytes, **options: Any) -> Any:
    """Commit one small file."""
    return api.create_commit(
        repo, [hf.CommitOperationAdd(path, data)], commit_message=options.pop("message", f"Add {path}"), **options
    )


def test_pull_request_from_a_stranger(hub: RunningHub) -> None:
    """Somebody without write access offers a change, sees it discussed, and its owner merges it."""
    ada, bob = api_of(hub, "ada"), api_of(hub, "bob")
    ada.create_repo("ada/offered")
    put(ada, "ada/offered", "a.txt", b"one\n")
    with pytest.raises(errors.HfHubHTTPError, match="you may not write"):
        put(bob, "ada/offered", "a.txt", b"two\n")
    made = put(bob, "ada/offered", "a.txt", b"two\n", create_pr=True, message="Two is better")
    assert made.pr_revision == "refs/pr/1"
    with pytest.raises(errors.HfHubHTTPError):
        bob.merge_pull_request("ada/offered", 1)
    ada.comment_discussion("ada/offered", 1, "Why?")
    found = bob.get_discussion_details("ada/offered", 1)
    assert (found.title, found.status, found.author, found.target_branch) == (
        "Two is better", "open", "bob", "refs/heads/main",
    )  # fmt: skip
    assert found.conflicting_files == []
    assert "-one\n+two\n" in found.diff
    assert [event.type for event in found.events] == ["comment", "commit", "comment"]
    ada.merge_pull_request("ada/offered", 1)
    merged = bob.get_discussion_details("ada/offered", 1)
    assert merged.status == "merged"
    steps = bob.list_repo_commits("ada/offered")
    assert steps[0].commit_id == merged.merge_commit_oid
    assert [step.title for step in steps] == ["Two is better (#1)", "Add a.txt", "initial commit"]
    with pytest.raises(errors.HfHubHTTPError, match="merged"):
        put(bob, "ada/offered", "b.txt", b"b", revision="refs/pr/1")


def test_diff_of_a_gated_repository_stays_inside(hub: RunningHub) -> None:
    """Who may not download a gated file does not get it as the difference of a pull request either."""
    ada, bob = api_of(hub, "ada"), api_of(hub, "bob")
    ada.create_repo("ada/gated")
    put(ada, "ada/gated", "secret.txt", b"the secret\n")
    ada.update_repo_settings("ada/gated", gated="manual")
    put(ada, "ada/gated", "secret.txt", b"another secret\n", create_pr=True)
    assert "another secret" in ada.get_discussion_details("ada/gated", 1).diff
    for api in (bob, api_of(hub, None)):
        diff = api.get_discussion_details("ada/gated", 1).diff
        assert "secret.txt" in diff
        assert "another" not in diff


def test_branches_tags_and_history(hub: RunningHub) -> None:
    """Branches and tags are made, listed, refused and deleted; long histories come in pages; squashing keeps files."""
    ada = api_of(hub, "ada")
    ada.create_repo("ada/history", repo_type="dataset")
    for number in range(120):
        put(ada, "ada/history", "n.txt", str(number).encode(), repo_type="dataset", message=f"Step {number}")
    steps = ada.list_repo_commits("ada/history", repo_type="dataset", formatted=True)
    assert [step.title for step in steps] == [*(f"Step {n}" for n in range(119, -1, -1)), "initial commit"]
    ada.create_branch("ada/history", branch="früh".encode().hex(), revision=steps[5].commit_id, repo_type="dataset")
    ada.create_tag("ada/history", tag="v1", tag_message="First.", repo_type="dataset")
    with pytest.raises(errors.HfHubHTTPError, match="409"):
        ada.create_tag("ada/history", tag="v1", repo_type="dataset")
    for name in ("refs/pr/9", "a..b", "-x", "x.lock"):
        with pytest.raises(errors.HfHubHTTPError):
            ada.create_branch("ada/history", branch=name, repo_type="dataset")
    ada.super_squash_history("ada/history", repo_type="dataset")
    assert len(ada.list_repo_commits("ada/history", repo_type="dataset")) == 1
    assert ada.dataset_info("ada/history", revision="v1").sha == steps[0].commit_id
    ada.delete_tag("ada/history", tag="v1", repo_type="dataset")
    refs = ada.list_repo_refs("ada/history", repo_type="dataset")
    assert [(len(refs.branches), refs.tags)] == [(2, [])]
    with pytest.raises(errors.HfHubHTTPError, match="Cannot delete refs/heads/main"):
        ada.delete_branch("ada/history", branch="main", repo_type="dataset")


def test_listing_and_names_that_changed(hub: RunningHub, tmp_path: Path) -> None:
    """Listings filter and sort by what cards say; an old name leads to the new one, for answers and for files."""
    ada, nobody = api_of(hub, "ada"), api_of(hub, None)
    card = "---\nlicense: mit\npipeline_tag: fill-mask\nlibrary_name: transformers\nlanguage: [sw]\n---\n# Model\n"
    ada.create_repo("ada/listed")
    put(ada, "ada/listed", "README.md", card.encode())
    assert ada.create_repo("ada/hidden", private=True).url == f"{hub.url}/ada/hidden"
    assert ada.create_repo("ada/hidden", exist_ok=True).repo_id == "ada/hidden"
    with pytest.raises(errors.HfHubHTTPError, match="already exists"):
        ada.create_repo("ada/hidden")
    put(ada, "ada/hidden", "README.md", card.encode())
    assert [model.id for model in nobody.list_models(filter=["license:mit", "sw"])] == ["ada/listed"]
    assert {model.id for model in ada.list_models(filter="license:mit", author="ada")} == {"ada/listed", "ada/hidden"}
    found = next(iter(nobody.list_models(search="list", pipeline_tag="fill-mask", full=True, cardData=True)))
    assert (found.pipeline_tag, found.library_name, found.card_data.license) == ("fill-mask", "transformers", "mit")
    assert [file.rfilename for file in found.siblings] == [".gitattributes", "README.md"]
    assert len(list(nobody.list_models(limit=1))) == 1
    with pytest.raises(errors.HfHubHTTPError, match='"expand" must be one of'):
        list(nobody.list_models(expand=["everything"]))
    ada.move_repo("ada/listed", "ada/renamed")
    assert nobody.model_info("ada/listed").id == "ada/renamed"
    assert Path(nobody.hf_hub_download("ada/listed", "README.md", cache_dir=tmp_path)).read_text() == card
    assert [file.rfilename for file in nobody.list_repo_tree("ada/listed")] == [".gitattributes", "README.md"]


def test_copy_likes_and_large_files(hub: RunningHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy has the history; likes are counted once; removed large files are gone from every commit."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
    ada = api_of(hub, "ada")
    ada.create_repo("ada/source")
    put(ada, "ada/source", "weights.bin", b"weights")
    put(ada, "ada/source", "text.txt", b"text")
    copied = ada.duplicate_repo("ada/source", "ada/copy")
    assert copied.repo_id == "ada/copy"
    assert len(ada.list_repo_commits("ada/copy")) == 3
    assert Path(ada.hf_hub_download("ada/copy", "weights.bin", cache_dir=tmp_path)).read_bytes() == b"weights"
    file = next(iter(ada.list_lfs_files("ada/source")))
    assert (file.filename, file.ref) == ("weights.bin", "main")
    old = ada.list_repo_commits("ada/source")[0].commit_id
    ada.permanently_delete_lfs_files("ada/source", [file])
    assert [entry.path for entry in ada.list_repo_tree("ada/source", expand=True)] == [".gitattributes", "text.txt"]
    assert list(ada.list_lfs_files("ada/source")) == []
    for revision in (old, "main"):
        with pytest.raises((errors.RevisionNotFoundError, errors.EntryNotFoundError)):
            ada.hf_hub_download("ada/source", "weights.bin", revision=revision, cache_dir=tmp_path / revision)
    assert Path(ada.hf_hub_download("ada/copy", "weights.bin", cache_dir=tmp_path / "c")).read_bytes() == b"weights"
    ada.unlike("ada/copy")
    assert ada.model_info("ada/copy").likes == 0
    assert ada.get_user_overview("ada").num_models is not None


def test_last_changes_are_told_per_file(hub: RunningHub) -> None:
    """Each file is listed with the commit that made it what it is, folders with the newest inside."""
    ada = api_of(hub, "ada")
    ada.create_repo("ada/changes")
    first = put(ada, "ada/changes", "a/one.txt", b"1")
    second = put(ada, "ada/changes", "a/two.txt", b"2")
    third = put(ada, "ada/changes", "b.txt", b"3")
    found = {entry.path: entry.last_commit for entry in ada.list_repo_tree("ada/changes", recursive=True, expand=True)}
    assert found["a/one.txt"].oid == first.oid
    assert found["a"].oid == found["a/two.txt"].oid == second.oid
    assert found["b.txt"].oid == third.oid
    assert found[".gitattributes"].title == "initial commit"
