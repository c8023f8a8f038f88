"""Signing in through another service, against a real one in this process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from hallmarked.hub.schema.account import account
from hallmarked.hub.schema.identity import login
from hallmarked.hub.setting import Limit, Login, Settings, Storage
from hallmarked.web.app import create_app
from hallmarked.web.session import HEADER
from tests.hubs import RunningHub, open_test_hub
from tests.web.provider import Provider, serve_provider

pytestmark = pytest.mark.enable_socket


@pytest.fixture(scope="module")
def service() -> Iterator[Provider]:
    with serve_provider() as made:
        yield made


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, service: Provider) -> Iterator[RunningHub]:
    folder = tmp_path_factory.mktemp("login")
    settings = Settings(
        storage=Storage(data=str(folder / "data")),
        login=Login(issuer=service.url, client="hub", secret="secret", create=True),
        limit=Limit(sign_ins=1000),
    )
    with open_test_hub(folder, settings) as made:
        yield made


@pytest.fixture(scope="module")
def browser(running: RunningHub) -> Iterator[TestClient]:
    with TestClient(create_app(running.hub), base_url="http://localhost", follow_redirects=False) as made:
        yield made


@pytest.fixture
def provider(service: Provider) -> Provider:
    service.subject, service.lies, service.issuer, service.signs = {"sub": "1"}, {}, "", True
    return service


@pytest.fixture
def client(browser: TestClient) -> TestClient:
    browser.cookies.clear()
    return browser


def go(client: TestClient, path: str = "/login/elsewhere?next=/ada/m", headers: dict[str, str] | None = None) -> str:
    """Go to the other service and return the address by which it sends the browser back."""
    away = client.get(path, headers=headers)
    assert away.status_code == 303, away.text
    return httpx.get(away.headers["location"], timeout=30).headers["location"]


def name_of(client: TestClient) -> str:
    return client.get("/api/whoami-v2").json().get("name", "")


def test_newcomer(running: RunningHub, provider: Provider, client: TestClient) -> None:
    """Who comes the first time gets an account, the next time the same one, and goes on to the page they came from."""
    provider.subject = {
        "sub": "7",
        "preferred_username": "Grace Hopper",
        "email": "g@example.org",
        "email_verified": True,
    }
    back = client.get(go(client))
    assert (back.status_code, back.headers["location"]) == (303, "/ada/m")
    assert name_of(client) == "Grace-Hopper"
    client.cookies.clear()
    provider.subject = {"sub": "7", "preferred_username": "another name"}
    client.get(go(client))
    assert name_of(client) == "Grace-Hopper"
    with running.hub.database.read() as db:
        assert len(db.execute(select(login).where(login.c.subject == "7")).all()) == 1
        assert db.execute(select(account.c.email).where(account.c.name == "Grace-Hopper")).scalar() == "g@example.org"


def test_address_opens_no_account(running: RunningHub, provider: Provider, client: TestClient) -> None:
    """Somebody with the name and the e-mail address of an account that is there gets another one, not that."""
    running.person("ada")
    provider.subject = {"sub": "evil", "preferred_username": "ada", "email": "ada@example.org", "email_verified": True}
    client.get(go(client))
    assert name_of(client) == "ada-2"


def test_unchecked_address_is_not_kept(running: RunningHub, provider: Provider, client: TestClient) -> None:
    """An address that the service did not check, or says so as text, is not kept."""
    provider.subject = {"sub": "8", "preferred_username": "joan", "email": "j@example.org", "email_verified": "true"}
    client.get(go(client))
    with running.hub.database.read() as db:
        assert db.execute(select(account.c.email).where(account.c.name == "joan")).scalar() == ""


def test_linking(running: RunningHub, provider: Provider, client: TestClient) -> None:
    """Who is signed in links the login to their account, and only to that; a token is not enough."""
    provider.subject = {"sub": "of ada"}
    mine, other = running.browser("ada"), running.browser("bob")
    token = {"Authorization": f"Bearer {running.person('ada')}"}
    assert client.get("/login/elsewhere?link=1", headers=token).status_code == 403
    assert client.get("/login/elsewhere?link=1").status_code == 401

    def back(address: str, cookie: str) -> httpx.Response:
        both = "; ".join([cookie, *(f"{name}={value}" for name, value in client.cookies.items())])
        return client.get(address, headers={"Cookie": both})

    assert (
        client.get("/login/elsewhere?link=1", headers=mine).status_code == 403
    )  # as a page elsewhere could lead to it
    assert client.get(f"/login/elsewhere?link=1&csrf={other[HEADER]}", headers=mine).status_code == 403
    linking = f"/login/elsewhere?link=1&csrf={mine[HEADER]}"
    address = go(client, linking, mine)
    assert back(address, other["Cookie"]).status_code == 403  # somebody else is signed in by now
    address = go(client, linking, mine)
    assert back(address, mine["Cookie"]).status_code == 303
    client.cookies.clear()
    client.get(go(client))
    assert name_of(client) == "ada"
    client.cookies.clear()
    address = go(client, f"/login/elsewhere?link=1&csrf={other[HEADER]}", other)
    assert back(address, other["Cookie"]).status_code == 409


def test_strangers_stay_outside(tmp_path: Path, provider: Provider) -> None:
    """Without the setting nobody gets an account by coming from there."""
    only = Login(issuer=provider.url, client="hub", secret="secret")
    settings = Settings(storage=Storage(data=str(tmp_path / "other")), login=only)
    with (
        open_test_hub(tmp_path, settings) as running,
        TestClient(create_app(running.hub), base_url="http://localhost", follow_redirects=False) as client,
    ):
        assert client.get(go(client)).status_code == 403


@pytest.mark.parametrize(
    "lie",
    [
        {"nonce": "other"}, {"nonce": None}, {"aud": "other"}, {"aud": ["hub", "other"]}, {"iss": "https://evil.example"},
        {"exp": 1}, {"exp": None}, {"sub": None}, {"sub": ""}, {"sub": 5}, {"azp": "other"},
    ],
    ids=str,
)  # fmt: skip
def test_token_that_does_not_hold(provider: Provider, client: TestClient, lie: dict[str, object]) -> None:
    """A token for somebody else, of another time, or about nobody signs nobody in."""
    provider.lies = lie
    assert client.get(go(client)).status_code == 403
    assert name_of(client) == ""


def test_forged_signature(provider: Provider, client: TestClient) -> None:
    """A token that another key signed signs nobody in."""
    provider.signs = False
    assert client.get(go(client)).status_code == 403


def test_another_browser(provider: Provider, client: TestClient) -> None:
    """An answer counts only in the browser that began, once, and unchanged (login CSRF, replay)."""
    address = go(client)
    kept = dict(client.cookies)
    client.cookies.clear()
    assert client.get(address).status_code == 403
    client.cookies.update(kept)
    assert client.get(address.replace("state=", "state=x")).status_code == 403
    assert client.get(f"{address}&iss=https://evil.example").status_code == 403
    assert client.get(address).status_code == 303
    client.cookies.update(kept)
    assert client.get(address).status_code == 403


def test_service_that_speaks_for_another(provider: Provider, client: TestClient) -> None:
    """A description that names another issuer is not followed."""
    provider.issuer = "https://evil.example"
    assert client.get("/login/elsewhere").status_code == 503


def test_disabled_account_stays_out(running: RunningHub, provider: Provider, client: TestClient) -> None:
    """Who was disabled here does not come in by the other door."""
    provider.subject = {"sub": "9", "preferred_username": "mallory"}
    client.get(go(client))
    client.cookies.clear()
    with running.hub.database.write() as db:
        db.execute(account.update().where(account.c.name == "mallory").values(disabled=1))
    assert client.get(go(client)).status_code == 401
