"""Our own API: accounts, tokens, organisations, administration, as programs and forms use it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from starlette.testclient import TestClient

from hallmarked.hub.account.password import hash_password
from hallmarked.hub.account.session import set_password
from hallmarked.hub.account.ticket import make_setup
from hallmarked.hub.setting import Limit, Login, Settings, Storage, Terms
from hallmarked.web.app import create_app
from hallmarked.web.session import HEADER, SESSION, form_token
from tests.hubs import RunningHub, open_test_hub

GOOD = "a rather long sentence"
API = "/api/hallmarked"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    folder = tmp_path_factory.mktemp("api")
    chosen = Settings(
        storage=Storage(data=str(folder / "data")),
        limit=Limit(sign_ins=100_000, changes=0, reads=0),
        login=Login(register=True),
    )
    with open_test_hub(folder, chosen) as made:
        yield made


@pytest.fixture(scope="module")
def program(running: RunningHub) -> Iterator[TestClient]:
    with TestClient(create_app(running.hub), base_url="http://localhost") as made:
        yield made


@pytest.fixture
def client(program: TestClient) -> TestClient:
    program.cookies.clear()
    return program


def signed_in(running: RunningHub, client: TestClient) -> dict[str, str]:
    """Return the header that a browser with these cookies sends along with changes."""
    return {HEADER: form_token(running.hub.secret, client.cookies[SESSION])}


def test_first_administrator(tmp_path: Path) -> None:
    """The link makes the administrator, signs them in, and works once."""
    with open_test_hub(tmp_path) as fresh, TestClient(create_app(fresh.hub), base_url="http://localhost") as client:
        with fresh.hub.database.write() as db:
            ticket = make_setup(db)
        _set_up(client, {"ticket": ticket, "name": "root", "password": GOOD})


def _set_up(client: TestClient, body: dict[str, str]) -> None:
    assert client.post(f"{API}/setup", json={**body, "password": "short"}).status_code == 400
    made = client.post(f"{API}/setup", json=body)
    assert (made.status_code, made.json()["administrator"]) == (201, True)
    sent = made.headers["set-cookie"].lower()
    assert "httponly" in sent
    assert "samesite=lax" in sent
    assert client.get(f"{API}/me").json()["name"] == "root"
    client.cookies.clear()
    assert client.post(f"{API}/setup", json=body).status_code == 404


def test_cookie_by_https(running: RunningHub) -> None:
    """By https the cookie has a name that no other host can set, and is never sent in clear."""
    running.person("eve")
    with running.hub.database.write() as db:
        set_password(db, running.actors["eve"].account_id or "", hash_password(GOOD))
    with TestClient(create_app(running.hub), base_url="https://localhost") as client:
        sent = client.post(f"{API}/session", json={"name": "eve", "password": GOOD}).headers.get_list("set-cookie")
        assert any(one.startswith("__Host-hm_session=") and "Secure" in one for one in sent)


def test_a_day_of_somebody(running: RunningHub, client: TestClient) -> None:
    """Register, look around, make a token and use it, revoke it, change the password, sign out, sign in, erase."""
    person = {"name": "joan", "password": GOOD, "email": "joan@example.org"}
    assert client.post(f"{API}/register", json=person).status_code == 201
    assert client.patch(f"{API}/me", json={"full_name": "Joan"}).status_code == 403  # without the form's token
    form = signed_in(running, client)
    assert client.patch(f"{API}/me", json={"full_name": "Joan"}, headers=form).json()["full_name"] == "Joan"
    made = client.post(f"{API}/tokens", json={"name": "laptop", "scope": "read", "days": 3}, headers=form)
    bearer = {"Authorization": f"Bearer {made.json()['token']}"}
    assert client.get("/api/whoami-v2", headers=bearer).json()["auth"]["accessToken"]["role"] == "read"
    assert client.post(f"{API}/tokens", json={"name": "more"}, headers=bearer).status_code == 403
    listed = client.get(f"{API}/tokens").json()
    assert [item["name"] for item in listed] == ["laptop"]
    assert made.json()["token"] not in str(listed)
    assert client.delete(f"{API}/tokens/{listed[0]['id']}", headers=form).status_code == 204
    assert client.get("/api/whoami-v2", headers=bearer).status_code == 401
    old = client.cookies[SESSION]
    change = {"old": GOOD, "new": "quite another sentence"}
    assert client.put(f"{API}/password", json=change, headers=form).status_code == 204
    assert client.cookies[SESSION] != old
    form = signed_in(running, client)
    assert len(client.get(f"{API}/sessions").json()) == 1
    assert client.delete(f"{API}/session", headers=form).status_code == 204
    assert client.get(f"{API}/me").status_code == 401
    assert client.post(f"{API}/session", json={"name": "joan", "password": GOOD}).status_code == 401
    good = {"name": "joan", "password": "quite another sentence"}
    assert client.post(f"{API}/session", json=good).status_code == 200
    form = signed_in(running, client)
    assert client.request("DELETE", f"{API}/me", json=good, headers=form).status_code == 204
    assert client.post(f"{API}/session", json=good).status_code == 401


def test_organisation(running: RunningHub, client: TestClient) -> None:
    """An organisation is made, somebody comes by the link, and leaves."""
    ada, bob = ({"Authorization": f"Bearer {running.person(name)}"} for name in ("ada", "bob"))
    assert client.post(f"{API}/organisations", json={"name": "acme"}, headers=ada).status_code == 201
    link = client.post(f"{API}/organisations/acme/invitations", json={"role": "writer"}, headers=ada).json()["link"]
    ticket = link.partition("ticket=")[2]
    assert client.get(f"{API}/invitations/{ticket}").json()["role"] == "writer"
    assert client.post(f"{API}/invitations/{ticket}", headers=bob).json()["name"] == "acme"
    assert client.put(f"{API}/organisations/acme/members/bob", json={"role": "reader"}, headers=ada).status_code == 204
    members = client.get(f"{API}/organisations/acme/members", headers=bob).json()
    assert {item["name"]: item["role"] for item in members} == {"ada": "owner", "bob": "reader"}
    assert client.delete(f"{API}/organisations/acme/members/ada", headers=ada).status_code == 409
    assert client.delete(f"{API}/organisations/acme/members/bob", headers=bob).status_code == 204


def test_what_is_not_of_its_kind(running: RunningHub, client: TestClient) -> None:
    """A body with something wrong gets one sentence that says what."""
    browser = running.browser("ada")
    answer = client.post(f"{API}/tokens", json={"name": 5}, headers=browser)
    assert answer.status_code == 422
    assert "name" in answer.json()["error"]
    assert "name" in answer.headers["X-Error-Message"]


def test_terms(tmp_path: Path) -> None:
    """With terms in force a token changes nothing until its owner accepted them with a browser."""
    chosen = Settings(storage=Storage(data=str(tmp_path / "data")), terms=Terms("1", "Be kind."))
    with (
        open_test_hub(tmp_path, chosen) as running,
        TestClient(create_app(running.hub), base_url="http://localhost") as client,
    ):
        token, browser = {"Authorization": f"Bearer {running.person('ada')}"}, running.browser("ada")
        refused = client.post("/api/repos/create", json={"name": "m"}, headers=token)
        assert (refused.status_code, refused.headers["X-Error-Code"]) == (403, "TermsNotAccepted")
        assert client.get(f"{API}/terms").json() == {"version": "1", "text": "Be kind."}
        assert client.post(f"{API}/terms", json={"version": "0"}, headers=browser).status_code == 400
        assert client.post(f"{API}/terms", json={"version": "1"}, headers=token).status_code == 401
        assert client.post(f"{API}/terms", json={"version": "1"}, headers=browser).status_code == 204
        assert client.post("/api/repos/create", json={"name": "m"}, headers=token).status_code == 200


@pytest.mark.slow
@pytest.mark.parametrize("who", ["nobody", "ada", "root2"])
def test_no_request_breaks_the_api(running: RunningHub, program: TestClient, who: str) -> None:
    """Whatever is sent to our own API, it never answers with a fault of ours."""
    schemathesis = pytest.importorskip("schemathesis")
    app = program.app
    assert isinstance(app, FastAPI)
    if who == "root2":
        running.person(who, administrator=True)
    headers = {} if who == "nobody" else running.browser(who)
    api = schemathesis.openapi.from_asgi("/openapi.json", app)
    chosen = [operation.ok() for operation in api.include(path_regex=f"^{API}/").get_all_operations()]
    assert len(chosen) > 30
    count = 0
    for operation in chosen:

        @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), database=None)
        @given(case=operation.as_strategy())
        def send(case: Any) -> None:
            nonlocal count
            count += 1
            answer = case.call(headers={**headers, "Host": "localhost"})
            assert answer.status_code < 500, (case, answer.text)

        send()
    assert count > len(chosen)
