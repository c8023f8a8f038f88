"""Reading from any endpoint that speaks the Hub protocol, whatever it answers."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallmarked.artifacts.remote import client as reading
from hallmarked.artifacts.remote.address import Address, parse_address
from hallmarked.artifacts.remote.client import HubClient, Patience
from hallmarked.artifacts.remote.listing import read_listing
from hallmarked.artifacts.remote.token import Login, find_login
from hallmarked.core.errors import BackendError, Error, Forbidden, InputError, NotFound

from .endpoint import COMMIT, Endpoint, Reply, served, told

MODEL = parse_address("hf://acme/tiny")
FILES: dict[str, bytes | Path] = {"README.md": b"# Tiny\n", "a/model.bin": bytes(range(256)) * 64, "empty": b""}


@contextmanager
def opened(endpoint: Endpoint, *, token: str | None = None, waits: list[float] | None = None) -> Iterator[HubClient]:
    told_waits = waits if waits is not None else []
    patience = Patience(attempts=3, first_delay=0.01, seconds=5, sleep=told_waits.append)
    with served(endpoint), HubClient(Login(endpoint.url, token), patience=patience) as client:
        yield client


def test_addresses_name_kind_repository_and_revision() -> None:
    """The three kinds, with and without the scheme, and any revision."""
    assert parse_address("hf://acme/tiny") == Address("model", "acme/tiny")
    assert parse_address("gpt2") == Address("model", "gpt2")
    assert parse_address("hf://datasets/acme/d@v1.0") == Address("dataset", "acme/d", "v1.0")
    assert parse_address("hf://spaces/acme/s@refs/pr/1") == Address("space", "acme/s", "refs/pr/1")
    assert parse_address("hf://acme/tiny@refs%2Fpr%2F1").quoted_revision == "refs%2Fpr%2F1"


@pytest.mark.parametrize(
    "text",
    [
        "hf://",
        "hf:///",
        "hf://a b/c",
        "hf://a/b?c",
        "hf://a/b#c",
        "hf://a/b@x y",
        "hf://a/%2e%2e",
        "hf://a/b@\n",
        "hf://a/b/c",
        "hf://datasets/a/b/c",
        "hf://../x",
        "hf://a/..",
        "hf://a/b@",
        "hf://a/b@../c",
    ],
    ids=range(14),
)
def test_what_names_no_repository_is_refused(text: str) -> None:
    """Empty, deep, odd and climbing names end in one sentence."""
    with pytest.raises(InputError, match="names no repository"):
        parse_address(text)


@given(st.text(max_size=60))
def test_any_address_is_read_or_refused(text: str) -> None:
    """What is accepted is written as it was read."""
    try:
        address = parse_address(f"hf://{text}")
    except InputError:
        return
    assert parse_address(str(address)) == address
    assert ".." not in address.api


@pytest.mark.enable_socket
@pytest.mark.parametrize("kind", ["model", "dataset", "space"])
def test_revision_listing_branches_and_ranges(kind: str) -> None:
    """The four things that are asked of a hub, over several pages."""
    address = replace(MODEL, kind=kind)
    with opened(Endpoint(FILES, kind=kind, page=2)) as client:
        assert client.revision(address).commit == COMMIT
        listing = client.files(replace(address, revision=COMMIT))
        assert [(file.path, file.size) for file in listing.files] == [
            ("README.md", 7),
            ("a/model.bin", 16384),
            ("empty", 0),
        ]
        assert client.refs(address) == {"refs/heads/main": COMMIT}
        assert client.read(address, "a/model.bin", 250, 10) == bytes([*range(250, 256), *range(4)])
        assert client.read(address, "empty", 0, 0) == b""
        with client.stream(address, "a/model.bin", 16000, 384) as chunks:
            assert b"".join(chunks) == (bytes(range(256)) * 64)[16000:]


@pytest.mark.enable_socket
def test_the_token_stays_with_its_origin() -> None:
    """A redirect to another origin carries no token, and is remembered for the next range of the file."""
    with served(Endpoint(FILES)) as cdn:
        endpoint = Endpoint(FILES, token="hf_x", cdn=cdn.url.replace("127.0.0.1", "localhost"))
        with opened(endpoint, token="hf_x") as client:
            assert client.read(MODEL, "a/model.bin", 0, 4) == b"\0\1\2\3"
            assert client.read(MODEL, "a/model.bin", 4, 4) == b"\4\5\6\7"
        assert [("authorization" in headers) for _, headers in endpoint.asked] == [True]
        assert [("authorization" in headers) for _, headers in cdn.asked] == [False, False]


@pytest.mark.enable_socket
def test_an_expired_place_is_asked_for_again() -> None:
    """A signed address that stopped working is replaced by a fresh one."""
    asked: list[str] = []

    def expire(path: str, _headers: dict[str, str]) -> Reply | None:
        asked.append(path)
        return Reply(403, b"<Error>expired</Error>") if len(asked) == 2 else None

    with served(Endpoint(FILES, odd=expire)) as cdn, opened(Endpoint(FILES, cdn=cdn.url)) as client:
        for start in (0, 1):
            assert client.read(MODEL, "a/model.bin", start, 1) == bytes([start])
    assert len(asked) == 3


REFUSALS = {
    "missing repository": (told(404, "nope", "RepoNotFound"), NotFound, "has no model acme/tiny, or it needs a token"),
    "401 without words": (told(401), NotFound, "has no model acme/tiny, or it needs a token"),
    "missing revision": (
        told(404, "Invalid rev id", "RevisionNotFound"),
        NotFound,
        "has no revision main of acme/tiny",
    ),
    "gated": (
        told(401, "Access restricted", "GatedRepo"),
        Forbidden,
        "acme/tiny is gated: ask for access at /acme/tiny",
    ),
    "held back": (
        told(403, "Held back: a file runs code."),
        Forbidden,
        "does not give out hf://acme/tiny: Held back: a f",
    ),
    "a web site": (Reply(404, b"<html>"), BackendError, "does not speak the Hub protocol: it answers with status 404"),
    "not JSON": (Reply(200, b"<html>"), BackendError, "does not speak the Hub protocol: its answer is not JSON"),
    "deep JSON": (Reply(200, b"[" * 200_000), BackendError, "does not speak the Hub protocol"),
    "no commit": (Reply(200, b'{"sha": "main"}'), BackendError, "does not speak the Hub protocol: it names no commit"),
    "a list": (Reply(200, b"[]"), BackendError, "does not speak the Hub protocol: it names no commit"),
    "broken": (told(503, "down"), BackendError, "answers with status 503: down"),
    "another scheme": (Reply(302, headers={"Location": "file:///etc/passwd"}), Forbidden, "not encrypted"),
    "a circle": (Reply(302, headers={"Location": "/api/models/acme/tiny"}), BackendError, "redirects more than"),
    "compressed": (Reply(200, b"x", {"Content-Encoding": "gzip"}), BackendError, "sends what cannot be read"),
    "teapot": (told(418, "no\r\n tea"), BackendError, "answers with status 418: no tea"),
}


@pytest.mark.enable_socket
@pytest.mark.parametrize("case", REFUSALS)
def test_each_refusal_is_one_clear_sentence(case: str) -> None:
    """Whoever asks learns what is wrong and what can be done, whatever the endpoint sends."""
    reply, kind, words = REFUSALS[case]
    with opened(Endpoint(FILES, odd=lambda _path, _headers: reply)) as client:
        with pytest.raises(kind) as refused:
            client.revision(MODEL)
        assert words in str(refused.value).replace(client.endpoint, "")
        assert "\n" not in str(refused.value)


@pytest.mark.enable_socket
def test_a_wrong_token_is_told_apart_from_a_missing_repository() -> None:
    """With a token that is not accepted that is what is said; with a good one the repository is missing."""
    wrong = opened(Endpoint(FILES, token="hf_right"), token="hf_wrong")
    with wrong as client, pytest.raises(Forbidden, match="does not accept the token"):
        client.revision(MODEL)
    with opened(Endpoint(FILES, token="hf_right"), token="hf_right") as client:
        with pytest.raises(NotFound, match="or the token gives no access to it"):
            client.revision(parse_address("acme/other"))
        with pytest.raises(NotFound, match="has no file nope in hf://acme/tiny"):
            client.read(MODEL, "nope", 0, 1)


@pytest.mark.enable_socket
def test_what_may_pass_is_tried_again_with_growing_pauses() -> None:
    """Two failures pass; the pause the endpoint asks for is kept, within reason."""
    waits: list[float] = []
    replies = [told(503, "busy"), Reply(429, b"{}", {"Retry-After": "9000"})]
    odd = Endpoint(FILES, odd=lambda _path, _headers: replies.pop(0) if replies else None)
    with opened(odd, waits=waits) as client:
        assert client.revision(MODEL).commit == COMMIT
    assert waits == [0.01, 60.0]


@pytest.mark.enable_socket
@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(206, b"abcd", {"Content-Range": "bytes 4-7/9"}), "gives another part"),
        (Reply(206, b"abcd"), "gives another part"),
        (Reply(200, b"abcd"), "gave less"),
        (Reply(206, b"ab", {"Content-Range": "bytes 1-4/9"}), "gave less"),
        (Reply(206, b"abcd", {"Content-Range": "bytes 1-4/9", "Content-Encoding": "br"}), "as it is"),
    ],
    ids=["shifted", "unsaid", "short whole", "short", "encoded"],
)
def test_only_the_bytes_that_were_asked_for_are_taken(reply: Reply, words: str) -> None:
    """Another range, a whole file, a short or an encoded one are refused."""
    with opened(Endpoint(FILES, odd=lambda _path, _headers: reply)) as client, pytest.raises(BackendError, match=words):
        client.read(MODEL, "a/model.bin", 1, 4)


@pytest.mark.enable_socket
def test_where_ranges_are_not_known_the_beginning_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    """An endpoint that gives only whole files is read all the same, unless too much would be thrown away."""
    with opened(Endpoint(FILES, ranges=False)) as client:
        assert client.read(MODEL, "a/model.bin", 300, 5) == bytes(range(44, 49))
        monkeypatch.setattr(reading, "MOST_SKIPPED", 100)
        with pytest.raises(BackendError, match="cannot give a part"):
            client.read(MODEL, "a/model.bin", 300, 5)


@pytest.mark.enable_socket
def test_a_listing_goes_on_at_the_same_host_only() -> None:
    """The next page is not fetched from elsewhere, and pages do not go on for ever."""
    other = Reply(200, b"[]", {"Link": '<http://169.254.169.254/x>; rel="next"'})
    elsewhere = opened(Endpoint(FILES, odd=lambda _path, _headers: other))
    with elsewhere as client, pytest.raises(BackendError, match="at another host"):
        client.files(MODEL)


@pytest.mark.enable_socket
def test_listings_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither many pages nor long ones fill the memory."""
    with opened(Endpoint(FILES, page=1)) as client:
        monkeypatch.setattr(reading, "MOST_LISTED", 250)
        with pytest.raises(InputError, match="is longer than"):
            client.files(MODEL)
        monkeypatch.setattr(reading, "MOST_LISTED", 1 << 20)
        monkeypatch.setattr(reading, "MOST_PAGES", 2)
        with pytest.raises(InputError, match="on more than 2 pages"):
            client.files(MODEL)
        monkeypatch.setattr(reading, "MOST_JSON", 10)
        with pytest.raises(BackendError, match="answers with too much"):
            client.files(MODEL)


@pytest.mark.enable_socket
def test_what_trickles_in_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that comes slower than it is worth waiting for is given up."""
    monkeypatch.setattr(reading, "SLOWEST", 1 << 60)
    monkeypatch.setattr(reading, "CHUNK", 1)
    with opened(Endpoint(FILES)) as client:
        client.patience = replace(client.patience, seconds=-1)
        with pytest.raises(BackendError, match="takes too long"):
            client.read(MODEL, "a/model.bin", 0, 100)


GOOD = {"type": "file", "path": "x", "size": 1, "oid": "a" * 40}


@pytest.mark.parametrize(
    "change",
    [
        {"size": -1},
        {"size": 1.5},
        {"size": True},
        {"size": 1 << 60},
        {"oid": "a" * 39},
        {"oid": None},
        {"path": 3},
        {"lfs": {"oid": "b" * 40, "size": 1}},
        {"lfs": {"oid": "b" * 64, "size": 2}},
        {"lfs": {}},
    ],
    ids=range(10),
)
def test_entries_that_say_nothing_usable_are_refused(change: dict[str, object]) -> None:
    """Sizes and ids have to be what the protocol says."""
    with pytest.raises(BackendError):
        read_listing([{**GOOD, **change}], "https://hub.example")


@pytest.mark.parametrize(
    "path", ["../x", "/x", "a//b", "a/./b", "a\\b", "a\nb", "", ".git/config", "x\ud800", "a\0b"], ids=range(10)
)
def test_paths_that_lead_out_are_listed_as_omitted(path: str) -> None:
    """A hostile name is neither fetched nor forgotten."""
    listing = read_listing([{**GOOD, "path": path}, GOOD], "https://hub.example")
    assert [file.path for file in listing.files] == ["x"]
    assert len(listing.omitted) == 1


def test_a_path_listed_twice_is_refused() -> None:
    """Nobody could say which of the two was meant."""
    with pytest.raises(BackendError, match="twice"):
        read_listing([GOOD, GOOD], "https://hub.example")


@given(
    st.recursive(
        st.none() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["type", "path", "size", "oid", "lfs"]), inner),
    )
)
def test_any_listing_is_read_or_refused(entry: object) -> None:
    """Whatever an endpoint lists ends in files or one of our errors."""
    try:
        listing = read_listing(entry if isinstance(entry, list) else [entry], "https://hub.example")
    except Error:
        return
    assert all(file.size >= 0 for file in listing.files)


def test_tokens_come_from_where_the_clients_keep_them(tmp_path: Path) -> None:
    """``HF_TOKEN`` wins; a stored token goes only to the endpoint it is for."""
    (tmp_path / "token").write_text("hf_stored\n")
    home = {"HF_HOME": str(tmp_path)}
    assert find_login(None, home) == Login("https://huggingface.co", "hf_stored")
    assert find_login(None, {**home, "HF_TOKEN": "hf_env", "HF_ENDPOINT": "http://hub:8000/"}) == Login(
        "http://hub:8000", "hf_env"
    )
    assert find_login("https://other.example", home).token is None
    assert find_login("https://huggingface.co/", home).token == "hf_stored"
    assert find_login(None, {"HF_HOME": str(tmp_path / "none")}).token is None
    assert "hf_" not in repr(find_login(None, home))


@pytest.mark.parametrize(
    "endpoint", ["", "hub", "ftp://hub", "http://", "http://u:p@hub", "http://hub?x", "http://[::1"]
)
def test_what_is_no_endpoint_is_refused(endpoint: str) -> None:
    """An address that cannot be a hub is named."""
    with pytest.raises(InputError):
        HubClient(Login(endpoint, None))


def test_reading_local_folders_loads_no_http_client() -> None:
    """What audits folders, and what checks run in, starts without a network library."""
    modules = ("artifacts.local", "artifacts.source", "checks.worker", "audit.examine", "cli.audit")
    imports = ", ".join(f"hallmarked.{module}" for module in modules)
    code = (
        f"import sys, {imports}; print([name for name in sys.modules if name.split('.')[0] in ('httpx', 'httpcore')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.replace("'", '"')) == []
