"""Verifying what a hub says about a revision, over HTTP."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from hallmarked.audit.remote import parse_target
from hallmarked.audit.site import Site
from hallmarked.core.errors import BackendError, Forbidden, InputError, NotFound
from hallmarked.hub.change.creation import ATTRIBUTES
from hallmarked.hub.journal import FOLDER, Journal
from hallmarked.ledger.key import load_key
from tests.cli.support import Shell
from tests.hub.evidence import any_statement, attest, push, write_files
from tests.hubs import RunningHub, serve_test_hub
from tests.serving import serve

pytestmark = pytest.mark.enable_socket


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    made = Shell(tmp_path, capsys, monkeypatch)
    made.set(HALLMARKED_TOKEN=None, http_proxy=None, HTTP_PROXY=None)
    return made


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[RunningHub]:
    with serve_test_hub(tmp_path) as running:
        yield running


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_files(tmp_path / "m", ATTRIBUTES.encode())


def test_hub_key_is_enough(shell: Shell, hub: RunningHub, model: Path) -> None:
    """With the id of the hub's signing key alone, everything about a revision and its files is verified."""
    commit = push(hub)
    attest(hub, commit, model)
    hub.hub.journal.attest([any_statement(number) for number in range(300)])
    for revision in ("", "@main", f"@{commit}"):
        done = shell("verify", f"{hub.url}/ada/model{revision}", model, "--key", hub.hub.journal.keyid)
        assert done.status == 2, done.out  # only: no decision is in this evidence
        assert [line for line in done.out.splitlines() if line.startswith("?")] == [
            "? No decision is in this file, so that statements could have been left out unnoticed"
        ]
        for words in (
            "✔ Intact",
            "✔ Trusted",
            "✔ About these bytes",
            "✔ About this revision",
            "✔ In the log that the hub",
        ):
            assert words in done.out


def test_trust_file(shell: Shell, hub: RunningHub, model: Path, tmp_path: Path) -> None:
    """A trust file does as well; without either nobody is trusted."""
    attest(hub, push(hub), model)
    (tmp_path / "trust.json").write_bytes(hub.hub.journal.trust())
    done = shell("verify", f"{hub.url}/ada/model", model, "--trust", tmp_path / "trust.json")
    assert "✔ Trusted" in done.out
    assert "? Not trusted" in shell("verify", f"{hub.url}/ada/model", model).out
    assert "? Not trusted" in shell("verify", f"{hub.url}/ada/model", model, "--key", "ab" * 32).out


def test_other_files(shell: Shell, hub: RunningHub, model: Path) -> None:
    """Files that are not the revision's are found out."""
    attest(hub, push(hub), model)
    (model / "config.json").write_text("{ }")
    done = shell("verify", f"{hub.url}/ada/model", model, "--key", hub.hub.journal.keyid)
    assert (done.status, "✖ About other bytes" in done.out) == (1, True)


def test_evidence_of_another_revision(shell: Shell, hub: RunningHub, model: Path) -> None:
    """Evidence about the same files under another commit is not passed off as this one's."""
    commit = push(hub)
    attest(hub, commit, model)
    evidence = hub.hub.journal.bundle([f"gitCommit:{commit}"])
    wrong = "ab" * 20

    def answer(path: str) -> tuple[int, dict[str, str], bytes]:
        if "evidence" in path:
            return 200, {"X-Repo-Commit": wrong}, evidence
        return 200, {}, Site(hub.url).get(path, 1 << 20).data

    with serve(answer) as url:
        for revision in (wrong, "main", commit):
            done = shell("verify", f"{url}/ada/model@{revision}", model, "--key", hub.hub.journal.keyid)
            assert (done.status, "✖ About another revision" in done.out) == (1, True), done.out


def test_log_made_for_one_reader(shell: Shell, hub: RunningHub, model: Path, tmp_path: Path) -> None:
    """Evidence from a log that is not the one everybody sees is found out, although the hub's own keys signed it."""
    attest(hub, push(hub), model)
    keys = hub.hub.settings.data / FOLDER
    folder = tmp_path / "second"
    folder.mkdir()
    for name in ("log.pem", "maker.pem", "trust.json"):
        (folder / name).write_bytes((keys / name).read_bytes())
        (folder / name).chmod(0o600)
    assert load_key(folder / "maker.pem").keyid == hub.hub.journal.keyid
    with Journal.open(folder) as second:
        for number in range(5):
            second.attest([any_statement(number)])
        done = []
        evidence = second.export([0, 4])
        for shown in (hub.hub.journal, second):

            def answer(path: str, shown: Journal = shown) -> tuple[int, dict[str, str], bytes]:
                if "evidence" in path:
                    return 200, {"X-Repo-Commit": "ab" * 20}, evidence
                if path.endswith("checkpoint"):
                    return 200, {}, shown.checkpoint().encode()
                if "/tile/" in path:
                    return 200, {}, second.tile(0, 0, 5)
                return 200, {}, second.trust()

            with serve(answer) as url:
                done.append(shell("verify", f"{url}/ada/model", "--key", second.keyid))
    assert "✖ The evidence stands in another log than the one the hub shows to everybody" in done[0].out
    assert "✔ In the log that the hub shows to everybody" in done[1].out


def test_private_repository(shell: Shell, hub: RunningHub, model: Path) -> None:
    """Somebody who may see a repository verifies it with their token; others get one sentence."""
    attest(hub, push(hub, "ada/secret", visibility="private"), model, name="ada/secret", hidden=True)
    address = f"{hub.url}/ada/secret"
    assert "does not let you have it" in shell("verify", address, model).refused()
    shell.set(HALLMARKED_TOKEN=hub.tokens["ada"])
    assert "✔ About these bytes" in shell("verify", address, model, "--key", hub.hub.journal.keyid).out
    shell.set(HALLMARKED_TOKEN="hm_wrong")
    assert "Invalid credentials" in shell("verify", address, model).refused()


def test_nothing_to_verify(shell: Shell, hub: RunningHub) -> None:
    """A missing repository, a revision without evidence, and a site that is no hub are one sentence each."""
    push(hub)
    assert "is being checked" in shell("verify", f"{hub.url}/ada/model").refused()
    assert "no revision nothing" in shell("verify", f"{hub.url}/ada/model@nothing").refused()
    with serve(lambda _path: (404, {}, b"")) as url:
        assert "does not have it" in shell("verify", f"{url}/ada/model").refused()
    assert "cannot reach 127.0.0.1" in shell("verify", f"{url}/ada/model").refused()


@pytest.mark.parametrize(
    "text",
    ["https://hub.example.org", "https://hub.example.org/acme", "https://hub.example.org/a/b?x=1", "https://me@h/a/b"],
)
def test_addresses_that_name_no_repository(shell: Shell, text: str) -> None:
    """What is no address of a repository is refused before anything is fetched."""
    assert "names no repository" in shell("verify", text).refused()


@pytest.mark.parametrize(
    ("text", "hub", "repo", "revision"),
    [
        ("https://h.org/a/b", "https://h.org", "a/b", "main"),
        ("https://h.org/datasets/a/b@v1.0", "https://h.org", "datasets/a/b", "v1.0"),
        ("http://h.org:81/below/spaces/a/b@refs/pr/1", "http://h.org:81/below", "spaces/a/b", "refs/pr/1"),
        ("https://h.org/a/b@feature%2Fx/", "https://h.org", "a/b", "feature/x/"),
    ],
)
def test_addresses(text: str, hub: str, repo: str, revision: str) -> None:
    """Hubs may lie below a path, and revisions hold slashes."""
    target = parse_target(text)
    assert (target.hub, target.repo, target.revision) == (hub, repo, revision)


def test_sites_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Too many bytes, too much time, redirects to elsewhere and broken answers end in one sentence."""
    answers = {
        "/big": (200, {}, bytes(5000)),
        "/away": (302, {"Location": "http://localhost:1/x"}, b""),
        "/file": (302, {"Location": "file:///etc/passwd"}, b""),
        "/here": (302, {"Location": "/fine"}, b""),
        "/loop": (302, {"Location": "/loop"}, b""),
        "/fine": (200, {}, b"fine"),
        "/cut": (200, {"Content-Length": "100"}, b"short"),
        "/gone": (410, {"X-Error-Message": "it was erased"}, b""),
        "/closed": (403, {}, b""),
        "/sick": (503, {"X-Error-Message": "no \x1b[31mcolours"}, b""),
    }
    with serve(lambda path: answers[path]) as url:
        site = Site(url)
        assert site.get("/fine", 4).data == site.get("/here", 4).data == b"fine"
        for path, error, words in (
            ("/big", BackendError, "sent more than 4,999 bytes"),
            ("/away", BackendError, "sends us to another site, localhost:1"),
            ("/file", BackendError, "status 302"),
            ("/loop", BackendError, "status 302|cannot reach"),
            ("/cut", BackendError, "broke off"),
            ("/gone", NotFound, "does not have it: it was erased"),
            ("/closed", Forbidden, "does not let you have it"),
            ("/sick", BackendError, r"status 503: no \\x1b\[31mcolours"),
        ):
            with pytest.raises(error, match=words) as caught:
                site.get(path, 4999)
            assert "\n" not in str(caught.value)
    stuck = threading.Event()
    with serve(lambda _path: (200, {}, b"x" * stuck.wait(5))) as url:
        monkeypatch.setattr("hallmarked.audit.site.PATIENCE", 0.2)
        with pytest.raises(BackendError, match="did not answer in time"):
            Site(url).get("/", 10)
        stuck.set()


def test_token_stays_with_its_site() -> None:
    """A token goes with redirects within the site, and is never sent to another one."""
    seen: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.headers.get("Authorization", ""))
            self.send_response(302 if self.path == "/a" else 200)
            self.send_header("Location", "/b")
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        Site(f"http://127.0.0.1:{server.server_address[1]}", token="hm_x").get("/a", 10)
        server.shutdown()
        thread.join()
    assert seen == ["Bearer hm_x", "Bearer hm_x"]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ftp://h/x",
        "file:///etc/passwd",
        "https://",
        "https://u:p@h/",
        "http://h:99999/",
        "http://h/?a",
        "http://h h/",
    ],
)
def test_other_addresses_are_refused(url: str) -> None:
    """Only plain addresses of the web are fetched from."""
    with pytest.raises(InputError):
        Site(url)


def test_cut_off_evidence_is_said_in_plain_words(shell: Shell, tmp_path: Path) -> None:
    """Evidence that is cut off, empty or no JSON at all is named so, without a parser's words."""
    for data, words in (
        (b'{"mediaType": "application/vnd', "the evidence file is cut off after 30 bytes"),
        (b'{"a": [1, 2', "the evidence file is cut off after 11 bytes"),
        (b"", "the evidence file is empty"),
        (b'{"a": nonsense}', "the evidence file is not JSON, or is damaged, from line 1 on"),
        (b'{"a": 1, "a": 2}', "cannot be trusted to mean one thing: a key is repeated"),
        (b"\xff\xfe", "holds bytes that are not text"),
    ):
        (tmp_path / "evidence.json").write_bytes(data)
        assert words in shell("verify", tmp_path / "evidence.json").refused(status=1)
