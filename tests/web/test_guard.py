"""What every request passes first: host, origin, forms' tokens, sizes, rates, and who is asking."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from hallmarked.core.errors import InputError
from hallmarked.hub.account.password import hash_password
from hallmarked.hub.account.session import set_password
from hallmarked.hub.account.token import Uses
from hallmarked.hub.hub import open_hub
from hallmarked.hub.setting import Limit, Server, Settings, Storage
from hallmarked.web.app import create_app
from hallmarked.web.guard import Guard, allowed_hosts, check_host
from hallmarked.web.limit import Limits
from hallmarked.web.request import MAX_DEPTH, check_json
from hallmarked.web.route import commit as commit_route
from hallmarked.web.session import HEADER, csrf_token, local_path
from tests.hubs import RunningHub, open_test_hub

GOOD = "a rather long sentence"


@pytest.fixture
def running(tmp_path: Path) -> Iterator[RunningHub]:
    with open_test_hub(tmp_path) as made:
        yield made


@pytest.fixture
def client(running: RunningHub) -> Iterator[TestClient]:
    with TestClient(create_app(running.hub), base_url="http://hub.example") as made:
        yield made


def echo(request: Request) -> Response:
    return PlainTextResponse(csrf_token(request))


async def take(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


@pytest.fixture
def small(running: RunningHub) -> Iterator[TestClient]:
    """An application with one form, behind the middleware."""
    app = FastAPI(routes=[Route("/form", echo), Route("/form", take, methods=["POST"])])
    app.state.hub = running.hub
    app.add_middleware(Guard, hub=running.hub, limits=Limits(Limit()), uses=Uses())
    with TestClient(app, base_url="http://hub.example") as made:
        yield made


def test_form_needs_the_token_of_its_browser(small: TestClient) -> None:
    """A form is taken with the token of this browser's cookie, in whatever shape; not without, nor with another's."""
    token = small.get("/form").text
    assert small.get("/form").text == token
    body = {"csrf": token, "text": "x" * 5000}
    assert small.post("/form", data=body).status_code == 200
    assert int(small.post("/form", data=body).text) > 5000
    assert small.post("/form", files={"csrf": (None, token), "file": ("f", b"y" * 9000)}).status_code == 200
    assert small.post("/form", data={"text": "x"}, headers={HEADER: token}).status_code == 200
    for wrong in ("", "0" * 64, token[:-1]):
        assert small.post("/form", data={"csrf": wrong}).status_code == 403
    assert small.post("/form", files={"file": ("f", b"y"), "csrf": (None, token)}).status_code == 403
    small.cookies.clear()
    assert small.post("/form", data=body).status_code == 403
    assert small.get("/form").text != token


def test_guest_cookie_is_for_the_server_only(small: TestClient) -> None:
    """The cookie a form brings cannot be read by scripts, nor sent along by other sites."""
    sent = small.get("/form").headers["set-cookie"].lower()
    assert "httponly" in sent
    assert "samesite=lax" in sent


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Origin": "http://hub.example:1"},
    ],
    ids=["other", "null", "cross-site", "port"],
)
def test_other_sites_are_refused(small: TestClient, headers: dict[str, str]) -> None:
    """What another site makes a browser send changes nothing, even with a right token."""
    token = small.get("/form").text
    assert small.post("/form", data={"csrf": token}, headers=headers).status_code == 403
    assert small.post("/form", data={"csrf": token}, headers={"Origin": "http://hub.example"}).status_code == 200


def test_cookie_alone_changes_nothing(running: RunningHub, client: TestClient) -> None:
    """A session's cookie reads; it changes something only with the token, and nothing beside a bearer token."""
    browser = running.browser("ada")
    cookie = {"Cookie": browser["Cookie"]}
    assert client.get("/api/whoami-v2", headers=cookie).json()["name"] == "ada"
    body = {"name": "m"}
    assert client.post("/api/repos/create", json=body, headers=cookie).status_code == 403
    assert client.post("/api/repos/create", json=body, headers=browser).status_code == 200
    both = {**cookie, "Authorization": f"Bearer {running.person('bob')}"}
    assert client.get("/api/whoami-v2", headers=both).json()["name"] == "bob"
    assert client.get("/api/whoami-v2", headers={**cookie, "Authorization": "Bearer hm_wrong"}).status_code == 401


def test_other_sites_are_refused_with_a_name_and_token_too(running: RunningHub, client: TestClient) -> None:
    """A browser that was once asked for git's name and password sends them along with what other sites make it send."""
    basic = base64.b64encode(f"ada:{running.person('ada')}".encode()).decode()
    there = {"Authorization": f"Basic {basic}", "Content-Type": "text/plain"}
    for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = client.post("/api/repos/create", content='{"name": "m"}', headers={**there, **headers})
        assert answer.status_code == 403
    assert client.post("/api/repos/create", content='{"name": "m"}', headers=there).status_code == 200


def test_basic_is_for_tokens(running: RunningHub, client: TestClient) -> None:
    """Git's name and password: the password is a token; a real password is none."""
    token = running.person("ada")
    with running.hub.database.write() as db:
        set_password(db, running.actors["ada"].account_id or "", hash_password(GOOD))
    for password, status in ((token, 200), (GOOD, 401), ("", 401)):
        basic = base64.b64encode(f"ada:{password}".encode()).decode()
        assert client.get("/api/whoami-v2", headers={"Authorization": f"Basic {basic}"}).status_code == status
    for broken in ("Basic !!!", "Basic", "Digest x", "", "Bearer \xe9"):
        assert client.get("/api/whoami-v2", headers={"Authorization": broken.encode("latin-1")}).status_code == 401


@pytest.mark.parametrize(
    ("server", "good", "bad"),
    [
        (
            Server(),
            ["localhost:8474", "127.0.0.1", "[::1]:1"],
            ["evil.example", "127.0.0.1.evil.example", "", "a b", "x@127.0.0.1"],
        ),
        (Server(url="https://hub.example"), ["hub.example", "HUB.example:443"], ["evil.example", "hub.example.evil"]),
        (Server(host="0.0.0.0", hosts=("one",)), ["one"], ["two"]),
        (Server(host="0.0.0.0"), ["anything:80"], ["any thing", "a/b", "a:b:c"]),
    ],
    ids=["loopback", "url", "named", "open"],
)
def test_host(server: Server, good: list[str], bad: list[str]) -> None:
    """A hub answers to its own names only."""
    hosts = allowed_hosts(server)
    for name in good:
        check_host(name, hosts)
    for name in bad:
        with pytest.raises(InputError):
            check_host(name, hosts)


def test_foreign_host_reads_nothing(tmp_path: Path) -> None:
    """A page that leads its own name to a hub's address (DNS rebinding) gets nothing from it."""
    with open_hub(Settings(storage=Storage(data=str(tmp_path / "data")))) as hub:
        app = create_app(hub)
        with TestClient(app, base_url="http://evil.example") as client:
            assert client.get("/api/models").status_code == 400
        with TestClient(app, base_url="http://localhost") as client:
            assert client.get("/api/models").status_code == 200


@pytest.mark.parametrize("shape", ["deep", "deep-object", "wide"])
def test_json_bombs(shape: str) -> None:
    """JSON that is nested deep, or has very many parts, is refused before it is read."""
    body = {"deep": b"[" * 100_000, "deep-object": b'{"a":' * 1000, "wide": b"[" + b"0," * 250_000 + b"0]"}[shape]
    with pytest.raises(InputError):
        check_json(body)


TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)))


@pytest.mark.parametrize("text", ["\\ud800", "a\\uDFFF", "\\u0000", "\\ud83d\\u0041"])
def test_texts_that_cannot_be_kept_are_refused(running: RunningHub, client: TestClient, text: str) -> None:
    """Half of a pair, and NUL, are refused wherever they come: not met by a database, or by an answer, that cannot."""
    bearer = {"Authorization": f"Bearer {running.person('ada')}", "Content-Type": "application/json"}
    assert client.post("/api/repos/create", headers=bearer, content='{"name": "model"}').status_code == 200
    repo = "/api/models/ada/model"
    header = '{"key": "header", "value": {"summary": "x"}}\n'
    for address, body in (
        ("/api/repos/create", '{"name": "x", "organization": "%s"}'),
        (f"{repo}/discussions", '{"title": "%s", "description": ""}'),
        (f"{repo}/tag/main", '{"tag": "v1", "message": "%s"}'),
        (f"{repo}/paths-info/main", '{"paths": ["%s"]}'),
        (f"{repo}/commit/main", '{"key": "header", "value": {"summary": "%s"}}'),
        (f"{repo}/commit/main", header + '{"key": "copyFile", "value": {"path": "a", "srcPath": "%s"}}'),
        (f"{repo}/commit/main", header + '{"key": "%s", "value": {"path": "a"}}'),
        ("/api/settings/webhooks", '{"url": "https://a.example/", "watched": [{"type": "user", "name": "%s"}]}'),
        ("/api/hallmarked/models/ada/model/review/main/hold", '{"reason": "%s"}'),
    ):
        answer = client.post(address, headers=bearer, content=body % text)
        assert answer.status_code == 400, (address, answer.text)
    for address in ("/api/models/ada/a%00b", "/api/models?search=%00", f"{repo}/commits/main?cursor=%00"):
        assert client.get(address).status_code == 400
    assert client.post(f"{repo}/discussions", headers=bearer, content='{"title": "\\ud83d\\ude00"}').status_code == 200


def test_json_is_utf8(running: RunningHub, client: TestClient) -> None:
    """JSON in another encoding, which the bounds would not see through, is refused."""
    bearer = {"Authorization": f"Bearer {running.person('ada')}"}
    for encoding in ("utf-16", "utf-16-le", "utf-32"):
        body = '{"name": "model"}'.encode(encoding)
        assert client.post("/api/repos/create", headers=bearer, content=body).status_code == 400


def test_numbers_in_addresses_are_bounded(client: TestClient) -> None:
    """A number with thousands of digits names nothing."""
    assert client.get("/ledger/entries/" + "9" * 5_000).status_code == 404


@given(st.recursive(st.none() | TEXTS | st.integers(), lambda inner: st.lists(inner, max_size=3), max_leaves=20))
def test_ordinary_json_passes(value: object) -> None:
    """What is nested less than the bound passes, whatever its texts hold: brackets and quotes in them count as text."""
    data = json.dumps(value)
    deepest, depth, inside, escaped = 0, 0, False, False
    for char in data:
        if inside:
            inside, escaped = (char != '"' or escaped), char == "\\" and not escaped
        elif char == '"':
            inside = True
        elif char in "[]":
            depth += 1 if char == "[" else -1
            deepest = max(deepest, depth)
    if deepest <= MAX_DEPTH:
        check_json(data.encode())


def test_bodies_are_bounded(running: RunningHub, client: TestClient) -> None:
    """Our own API takes small bodies only, and says so."""
    browser = running.browser("ada")
    big = {"name": "x" * 300_000}
    assert client.post("/api/hallmarked/tokens", json=big, headers=browser).status_code == 413
    deep = b'{"name":' + b"[" * 10_000
    answer = client.post(
        "/api/hallmarked/tokens", content=deep, headers={**browser, "Content-Type": "application/json"}
    )
    assert answer.status_code == 400


def test_commits_are_bounded(running: RunningHub, client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line that unfolds, very many lines, and whoever may not commit are refused before anybody waits for them."""
    monkeypatch.setattr(commit_route, "MAX_CHANGES", 50)
    bearer = {"Authorization": f"Bearer {running.person('ada')}"}
    client.post("/api/repos/create", headers=bearer, json={"name": "m"}).raise_for_status()
    address = "/api/models/ada/m/commit/main"
    header = b'{"key": "header", "value": {"summary": "x"}}\n'
    bomb = b'{"key": "header", "value": {"summary": "x", "more": [' + b"[]," * 250_000 + b"[]]}}"
    assert client.post(address, headers=bearer, content=bomb).status_code == 400
    change = b'{"key": "deletedFile", "value": {"path": "a"}}\n'
    for lines in (change, b"\n"):
        assert client.post(address, headers=bearer, content=header + lines * 51).status_code == 413
    with running.hub.database.write():  # a commit that is refused for what it holds waits for nobody
        broken = client.post(address, headers=bearer, content=header + b'{"key": "file", "value": {"path": "a"}}\n')
    assert broken.status_code == 400
    eve = {"Authorization": f"Bearer {running.person('eve')}"}
    monkeypatch.setattr(commit_route, "SpooledTemporaryFile", None)  # nothing is taken in
    assert client.post(address, headers=eve, content=header).status_code == 403


def limited(folder: Path, limit: Limit) -> Settings:
    return Settings(storage=Storage(data=str(folder / "data")), limit=limit)


def test_too_many_requests(tmp_path: Path) -> None:
    """Whoever asks too often gets 429 with the headers that clients read; others do not."""
    with open_test_hub(tmp_path, limited(tmp_path, Limit(reads=5, changes=2))) as running:
        token = {"Authorization": f"Bearer {running.person('ada')}"}
        app = create_app(running.hub)
        with TestClient(app, base_url="http://localhost", client=("10.0.0.1", 1)) as client:
            statuses = [client.get("/api/whoami-v2", headers=token).status_code for _ in range(7)]
            assert statuses == [200] * 5 + [429] * 2
            answer = client.get("/api/models")
            assert answer.status_code == 429  # the address as well
            assert 0 < int(answer.headers["Retry-After"]) <= 60
            assert answer.headers["RateLimit"].startswith('"api";r=0;t=')
            assert answer.headers["RateLimit-Policy"] == '"fixed window";"api";q=5;w=60'
        with TestClient(app, base_url="http://localhost", client=("10.0.0.2", 1)) as other:
            assert other.get("/api/models").status_code == 200
            assert other.get("/api/whoami-v2", headers=token).status_code == 429  # the account from anywhere


def test_guessing_is_slowed(tmp_path: Path) -> None:
    """Wrong passwords and wrong tokens run out, also where ordinary requests have no limit."""
    with (
        open_test_hub(tmp_path, limited(tmp_path, Limit(sign_ins=3, reads=0, changes=0))) as running,
        TestClient(create_app(running.hub), base_url="http://localhost") as client,
    ):
        body = {"name": "ada", "password": "wrong"}
        statuses = [client.post("/api/hallmarked/session", json=body).status_code for _ in range(5)]
        assert statuses == [401] * 3 + [429] * 2
        wrong = {"Authorization": "Bearer hm_wrong"}
        assert [client.get("/api/whoami-v2", headers=wrong).status_code for _ in range(40)][-1] == 429


def test_made_up_tokens_do_not_crowd_out_other_counts(tmp_path: Path) -> None:
    """An address that has no requests left leaves no traces, with however many tokens it comes."""
    with open_test_hub(tmp_path, limited(tmp_path, Limit(reads=2, sign_ins=0))) as running:
        app = create_app(running.hub)
        with TestClient(app, base_url="http://localhost") as client:
            for number in range(20):
                client.get("/api/models", headers={"Authorization": f"Bearer hm_{number}"})
        assert len(app.state.limits._counts) <= 3


def test_signing_in_elsewhere_is_counted_by_address(tmp_path: Path) -> None:
    """Where no account is named, nobody can use up the attempts of everybody."""
    limits = Limits(replace(Limit(), sign_ins=1))
    for number in range(50):
        limits.take_sign_in(Request({"type": "http", "client": (f"10.0.0.{number}", 1), "headers": []}))


def test_limits_remember_few() -> None:
    """However many callers there are, the counters stay few."""
    limits = Limits(replace(Limit(), reads=1))
    for number in range(60_000):
        limits.take("read", str(number), 1)
    assert len(limits._counts) <= 50_000


@pytest.mark.parametrize(
    "text",
    ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:x", "", "x", "/a\nb", "/\t/evil", "/é"],
)
def test_next_stays_here(text: str) -> None:
    """Where to go next is a page of this hub, or the first one."""
    assert local_path(text) == "/"


def test_next_is_kept() -> None:
    """An ordinary page with its query is where one goes next."""
    assert local_path("/ada/m?tab=files") == "/ada/m?tab=files"
