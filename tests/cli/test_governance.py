"""Counting again what a hub says of its registry, over HTTP, believing nothing but signatures."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from hallmarked.corpus.consent.record import Mode, Scope
from hallmarked.corpus.consent.selector import Kind, make_selector
from hallmarked.hub.consent.proof import confirm_by_hand
from hallmarked.hub.consent.request import Wish, file_request, find_request, withdraw_request
from hallmarked.hub.review.count import count
from tests.cli.support import Shell
from tests.hub.evidence import any_statement
from tests.hubs import RunningHub, serve_test_hub

pytestmark = pytest.mark.enable_socket


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    made = Shell(tmp_path, capsys, monkeypatch)
    made.set(HALLMARKED_TOKEN=None, http_proxy=None, HTTP_PROXY=None)
    return made


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[RunningHub]:
    with serve_test_hub(tmp_path) as running:
        codes = []
        for number in range(3):
            wish = Wish(Scope(Mode.OPT_OUT), [make_selector(Kind.ACCOUNT, f"person{number}")])
            codes.append(file_request(running.hub, wish).code)
            confirm_by_hand(running.hub, find_request(running.hub, codes[-1]).id, "seen in person")
        running.hub.journal.attest([any_statement(number) for number in range(260)])
        withdraw_request(running.hub, codes[0])
        yield running


def test_a_stranger_counts_the_same(shell: Shell, hub: RunningHub) -> None:
    """With the id of the hub's key, what is counted from its log is what the hub shows."""
    done = shell("governance", "--counts", hub.url, "--key", hub.hub.journal.keyid, "--format", "json")
    assert done.status == 0, done.err
    here = count(hub.hub)
    assert done.json["counts"]["opt_outs"] == here.counts.opt_outs == 2
    assert done.json["counts"]["withdrawn"] == here.counts.withdrawn == 1
    assert (done.json["size"], done.json["withheld"], done.json["vouched"]) == (here.size, 0, True)
    text = shell("governance", "--counts", hub.url).out
    assert "opt-outs           2" in text
    assert "give the id of its signing key" in text


def test_another_key_or_no_hub_at_all(shell: Shell, hub: RunningHub) -> None:
    """A key that is not the hub's vouches for nothing, and something has to be named."""
    assert "none of the keys" in shell("governance", "--counts", hub.url, "--key", "0" * 64).refused()
    assert "too short" in shell("governance", "--counts", hub.url, "--key", hub.hub.journal.keyid[:16]).refused()
    assert "name a PATH" in shell("governance").refused()


def test_a_hub_that_changes_an_entry_is_found_out(shell: Shell, hub: RunningHub) -> None:
    """Entries that are not those of the signed log, or a statement that is not the one of its entry, end it."""

    class Liar(BaseHTTPRequestHandler):
        change = ""

        def do_GET(self) -> None:
            try:
                with urlopen(hub.url + self.path) as answer:
                    status, data = 200, answer.read()
            except HTTPError as error:
                status, data = error.code, b""
            if status == 200 and Liar.change in self.path and Liar.change:
                data = data.replace(b'"t":"2', b'"t":"1', 1) if "tile" in Liar.change else self.forge(data)
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def forge(self, data: bytes) -> bytes:
            said = json.loads(data)
            said["signatures"][0]["sig"] = "A" * 86 + "=="
            return json.dumps(said).encode()

        def log_message(self, *said: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Liar) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            url = f"http://127.0.0.1:{server.server_port}"
            assert shell("governance", "--counts", url).status == 0
            for change in ("/tile/entries", "/ledger/entries/"):
                Liar.change = change
                done = shell("governance", "--counts", url)
                assert (done.status != 0, done.out) == (True, "")
                assert "hallmarked: " in done.err
        finally:
            server.shutdown()
            thread.join()
