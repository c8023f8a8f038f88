"""Methods of the ecosystem's own client, one after the other, against a hub: whichever generation is installed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hallmarked.hub.account.token import create_token
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
    with pytest.MonkeyPatch.context() as patch, serve_test_hub(tmp_path_factory.mktemp("hub")) as running:
        # older generations look there, whatever address they were given
        places = {"ENDPOINT": "", "HUGGINGFACE_CO_URL_TEMPLATE": "/{repo_id}/resolve/{revision}/{filename}"}
        for name, path in places.items():
            patch.setattr(hf.constants, name, running.url + path)
        yield running


@pytest.fixture
def ada(hub: RunningHub) -> Any:
    return hf.HfApi(endpoint=hub.url, token=hub.person("ada"))


@pytest.fixture
def bob(hub: RunningHub) -> Any:
    return hf.HfApi(endpoint=hub.url, token=hub.person("bob"))


def put(api: Any, name: str, path: str, data: bytes = b"text\n", **options: Any) -> Any:
    return api.create_commit(name, [hf.CommitOperationAdd(path, data)], **({"commit_message": f"Add {path}"} | options))


def test_a_system_says_that_nothing_runs(ada: Any) -> None:
    """Clients read the description of a system, and what runs of it."""
    ada.create_repo("ada/system", repo_type="space", space_sdk="gradio")
    assert ada.space_info("ada/system").runtime.stage == "NO_APP_FILE"
    found = ada.get_space_runtime("ada/system")
    assert (found.stage, found.hardware, found.requested_hardware) == ("NO_APP_FILE", None, None)
    linked = next(iter(ada.list_spaces(author="ada", linked=True)))
    assert (linked.models, linked.datasets) == ([], [])


@pytest.mark.skipif(not hasattr(hf.HfApi, "search_spaces"), reason="this generation does not search systems")
def test_systems_are_found_by_words(ada: Any) -> None:
    """The client's search for systems finds them by the words of their names."""
    ada.create_repo("ada/draw-birds", repo_type="space", space_sdk="static")
    card = b"---\ntitle: Draws birds\nsdk: static\nemoji: B\n---\n"
    put(ada, "ada/draw-birds", "README.md", card, repo_type="space")
    found = list(ada.search_spaces("bird", sdk="static"))
    assert [(item.id, item.title, item.emoji) for item in found] == [("ada/draw-birds", "Draws birds", "B")]
    assert not list(ada.search_spaces("bird", sdk="gradio"))


@pytest.mark.parametrize(("kind", "property_type"), [("model", "Model"), ("dataset", "Dataset"), ("space", "Space")])
def test_every_field_can_be_asked_for(ada: Any, kind: str, property_type: str) -> None:
    """Each field that the client knows is answered alone; any other is refused with the names of those there are."""
    name = f"ada/fields-{kind}"
    ada.create_repo(name, repo_type=kind, space_sdk="static" if kind == "space" else None)
    for field in getattr(hf.hf_api, f"Expand{property_type}Property_T").__args__:
        assert ada.repo_info(name, repo_type=kind, expand=[field]).id == name
    with pytest.raises(errors.BadRequestError, match=r'"expand" must be one of \[author, .*usedStorage'):
        ada.repo_info(name, repo_type=kind, expand=["nothing"])


def test_deleting_what_is_not_there(ada: Any) -> None:
    """A file or folder that is not there cannot be deleted, and the client says that it was not found."""
    ada.create_repo("ada/short")
    put(ada, "ada/short", "a/b.txt")
    for path in ("none.txt", "a/none.txt", "a/b.txt/none.txt", "none/c/d.txt"):
        with pytest.raises(errors.EntryNotFoundError, match=f"nothing at {path} to delete"):
            ada.delete_file(path, "ada/short")
    with pytest.raises(errors.EntryNotFoundError):
        ada.delete_folder("none", "ada/short")
    ada.delete_folder("a", "ada/short")
    assert ada.list_repo_files("ada/short") == [".gitattributes"]


def test_a_pull_request_can_begin_at_an_earlier_commit(ada: Any, bob: Any) -> None:
    """Changes offered on top of a commit that the branch has left behind are merged with what came since."""
    ada.create_repo("ada/early")
    first = put(ada, "ada/early", "one.txt")
    put(ada, "ada/early", "two.txt")
    with pytest.raises(errors.HfHubHTTPError, match="The branch was updated since you opened this page"):
        put(ada, "ada/early", "three.txt", parent_commit=first.oid)
    offered = put(bob, "ada/early", "three.txt", parent_commit=first.oid[:10], create_pr=True)
    assert offered.pr_revision == "refs/pr/1"
    assert ada.list_repo_files("ada/early", revision=offered.pr_revision) == [".gitattributes", "one.txt", "three.txt"]
    assert ada.list_repo_commits("ada/early", revision=offered.oid)[1].commit_id == first.oid
    bob.change_discussion_status("ada/early", 1, new_status="open")
    ada.merge_pull_request("ada/early", 1)
    assert set(ada.list_repo_files("ada/early")) == {".gitattributes", "one.txt", "two.txt", "three.txt"}


def test_a_message_of_several_lines(ada: Any) -> None:
    """The first line of a message is the title of its commit, the rest the description."""
    ada.create_repo("ada/lines")
    put(ada, "ada/lines", "a.txt", commit_message="The title\n\nMore of it.", commit_description="The end.")
    newest = ada.list_repo_commits("ada/lines")[0]
    assert (newest.title, newest.message) == ("The title", "More of it.\n\nThe end.")


def test_labels_by_which_lists_are_filtered(ada: Any) -> None:
    """Whatever the client is told that it can filter by finds what it is for."""
    ada.create_repo("ada/labelled")
    card = b"---\nlicense: mit\npipeline_tag: fill-mask\nlibrary_name: timm\nlanguage: sw\ndatasets: [ada/d]\n---\n"
    put(ada, "ada/labelled", "README.md", card)
    tags = ada.get_model_tags()
    assert [tag["id"] for tag in tags["license"]] == ["license:mit"]
    assert {"pipeline_tag", "library", "license", "language", "dataset"} <= set(tags)
    for tag in (tag for group in tags.values() for tag in group):
        assert [model.id for model in ada.list_models(filter=tag["id"])] == ["ada/labelled"]
    ada.create_repo("ada/labelled", repo_type="dataset")
    card = b"---\nlicense: mit\ntask_categories: [fill-mask]\nsize_categories: [n<1K]\n---\n"
    put(ada, "ada/labelled", "README.md", card, repo_type="dataset")
    for tag in (tag for group in ada.get_dataset_tags().values() for tag in group):
        assert [item.id for item in ada.list_datasets(filter=tag["id"])] == ["ada/labelled"]


def test_who_a_token_is(hub: RunningHub, ada: Any) -> None:
    """The client learns a token's name, by which it keeps several apart, and what it may."""
    with hub.hub.database.write() as db:
        reader = create_token(db, str(hub.actor("ada").account_id), "laptop", scope="read")
    told = hf.HfApi(endpoint=hub.url, token=reader).whoami()["auth"]["accessToken"]
    assert (told["displayName"], told["role"]) == ("laptop", "read")
    assert ada.whoami()["auth"]["accessToken"]["role"] == "write"


@pytest.mark.skipif(not hasattr(hf.HfApi, "list_user_repos"), reason="this generation does not list own repositories")
def test_the_room_repositories_take(hub: RunningHub) -> None:
    """Shares of the room that one's repositories take are percentages."""
    eve = hf.HfApi(endpoint=hub.url, token=hub.person("eve"))
    for name, size in (("eve/large", 6_000), ("eve/small", 2_000)):
        eve.create_repo(name)
        put(eve, name, "model.bin", name.encode() * (size // len(name)))
    assert [(item.id, round(item.storage_percent)) for item in eve.list_user_repos()] == [
        ("eve/large", 75),
        ("eve/small", 25),
    ]


def test_requests_for_access_of_what_is_not_gated(ada: Any) -> None:
    """Nobody asks for access to what everybody may have, and the client is told so."""
    ada.create_repo("ada/open")
    with pytest.raises(errors.HfHubHTTPError, match="not gated"):
        list(ada.list_pending_access_requests("ada/open"))


def test_groups_that_there_are_not(ada: Any) -> None:
    """A restriction that this hub does not know is refused, not passed over."""
    with pytest.raises(errors.BadRequestError, match="no resource groups"):
        ada.create_repo("ada/grouped", resource_group_id="66670e5163145ca562cb1988")
    assert not ada.repo_exists("ada/grouped")
    if hasattr(ada, "duplicate_repo"):
        ada.create_repo("ada/to-copy")
        with pytest.raises(errors.BadRequestError, match="no resource groups"):
            ada.duplicate_repo("ada/to-copy", "ada/grouped", resource_group_id="66670e5163145ca562cb1988")


@pytest.mark.parametrize("method", ["list_spaces_hardware", "list_space_templates", "list_papers", "list_collections"])
def test_services_that_are_not_offered(ada: Any, method: str) -> None:
    """What this hub does not do fails with a sentence that says so."""
    if not hasattr(ada, method):
        pytest.skip("this generation does not have that")
    with pytest.raises(errors.HfHubHTTPError, match="offers nothing at this address"):
        list(getattr(ada, method)())


def test_files_by_their_paths(hub: RunningHub, ada: Any, tmp_path: Path) -> None:
    """The client's file system lists, reads in ranges, writes, copies, moves and removes."""
    files = hf.HfFileSystem(endpoint=hub.url, token=hub.person("ada"), skip_instance_cache=True)
    data = bytes(range(256)) * 20
    ada.create_repo("ada/paths")
    ada.create_branch("ada/paths", branch="feat/one")
    put(ada, "ada/paths", "d/a b%#?é.txt", b"odd")
    put(ada, "ada/paths", "d/w.bin", data)
    assert files.read_text("ada/paths/d/a b%#?é.txt") == "odd"
    assert files.cat_ranges(["ada/paths/d/w.bin"] * 2, [0, 5_000], [9, 5_120]) == [data[:9], data[5_000:]]
    with files.open("ada/paths/d/w.bin", "rb", block_size=512) as file:
        file.seek(-700, 2)
        assert file.read() == data[-700:]
    assert files.glob("ada/paths/**/*.bin") == ["ada/paths/d/w.bin"]
    files.cp_file("ada/paths/d/w.bin", "ada/paths@feat%2Fone/copy.bin")
    assert files.cat_file("ada/paths@feat%2Fone/copy.bin") == data
    with files.open("ada/paths/new.txt", "w") as file:
        file.write("written")
    files.mv("ada/paths/new.txt", "ada/paths/moved.txt")
    assert files.read_text("ada/paths/moved.txt") == "written"
    files.rm("ada/paths/d", recursive=True)
    assert files.find("ada/paths") == ["ada/paths/.gitattributes", "ada/paths/moved.txt"]
    for missing in ("ada/paths/none", "ada/none/x", "ada/paths@none/moved.txt"):
        with pytest.raises(FileNotFoundError):
            files.info(missing)
