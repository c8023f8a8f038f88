"""Every route, asked by everybody, about repositories in every state: nobody gets what is not for them.

The expectations are written down here once more, by hand: they are not taken from ``hub.access``.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import insert, update
from starlette.routing import BaseRoute, Route
from starlette.testclient import TestClient

from hallmarked.hub.access import Role
from hallmarked.hub.account.token import create_token
from hallmarked.hub.blob.possession import add_blob
from hallmarked.hub.catalog.listing import touch
from hallmarked.hub.change.commit import Message, Put, PutLarge, commit
from hallmarked.hub.change.creation import create
from hallmarked.hub.community.discussion import list_events
from hallmarked.hub.community.pull import open_pull
from hallmarked.hub.gate.request import grant_access
from hallmarked.hub.repository.repository import MAIN, change_settings, find_repository
from hallmarked.hub.repository.revision import create_ref
from hallmarked.hub.schema.repository import collaborator, repository, revision
from hallmarked.web.app import create_app
from hallmarked.web.route import fallback
from tests.hubs import RunningHub, open_test_hub
from tests.web.access_table import ADMINISTRATOR, OPEN, OTHER_TOKEN, PERSON, ROUTES, Use

STATES = ("public", "private", "gated", "disabled", "held")
NOBODY = {"nobody"}
SIGNED_IN = {"stranger", "granted"}
INSIDE = {"reader", "auditor", "reviewer", "writer", "owner", "administrator", "readonly"}
"""``readonly`` is a token of the owner's that only reads."""
WHO = ("nobody", "stranger", "reader", "granted", "auditor", "reviewer", "writer", "owner", "administrator", "readonly")
ALL = NOBODY | SIGNED_IN | INSIDE
MASTERS = {"owner", "administrator"}
MAY: dict[str, dict[str, set[str]]] = {
    "see": {"public": ALL, "private": INSIDE, "gated": ALL, "disabled": MASTERS | {"readonly"}, "held": ALL},
    "read": {
        "public": ALL,
        "private": INSIDE,
        "gated": INSIDE | {"granted"},
        "disabled": MASTERS | {"readonly"},
        "held": INSIDE - {"reader"},
    },
    "discuss": {
        "public": (ALL - NOBODY) - {"readonly"},
        "private": INSIDE - {"readonly"},
        "gated": (ALL - NOBODY) - {"readonly"},
        "disabled": MASTERS,
        "held": (ALL - NOBODY) - {"readonly"},
    },
    "attest": {
        "public": (ALL - NOBODY) - {"readonly"},
        "private": INSIDE - {"readonly"},
        "gated": (INSIDE | {"granted"}) - {"readonly"},
        "disabled": MASTERS,
        "held": (ALL - NOBODY) - {"readonly"},
    },
    "write": {state: MASTERS | (set() if state == "disabled" else {"writer"}) for state in STATES},
    "record": {
        state: MASTERS | (set() if state == "disabled" else {"auditor", "reviewer", "writer"}) for state in STATES
    },
    "review": {state: MASTERS | (set() if state == "disabled" else {"reviewer"}) for state in STATES},
    "manage": dict.fromkeys(STATES, MASTERS),
    "never": {state: set() for state in STATES},
}
MAY["git-read"] = MAY["read"]
MAY["copy"] = {state: who - NOBODY - {"readonly"} for state, who in MAY["read"].items()}
REFUSED = (401, 403, 404)
OTHERS = dict.fromkeys(
    [
        "session_id",
        "token_id",
        "organisation",
        "member",
        "ticket",
        "owner",
        "path",
        "id",
        "invitation",
        "repository_id",
    ],
    "x",
) | {"index": "0"}
PREFIXES = ("/datasets", "/spaces", "/systems")


@dataclass
class Stage:
    """A hub with one repository in each state, and everybody."""

    running: RunningHub
    client: TestClient
    tokens: dict[str, str]
    values: dict[str, dict[str, str]]
    """Of each state: what stands for the parameters of addresses."""
    saved: Path
    """The database as it was."""

    def ask(self, who: str, state: str, key: str, use: Use) -> httpx.Response:
        """Use a route, with a browser that was never here."""
        self.client.cookies.clear()
        values = {"name": state, **OTHERS, **self.values[state]}
        method, _, path = key.partition(" ")
        headers = {} if who == "nobody" else {"Authorization": f"Bearer {self.tokens[who]}"}
        body = None if use.json is None else _fill(use.json, values)
        content = None if use.content is None else use.content.format(**values)
        address = re.sub(r"\{(\w+):\w+\}", r"{\1}", use.address or path).format(**values)
        return self.client.request(
            method, address, headers=headers, json=body, content=content, data=use.form, follow_redirects=False
        )

    def reset(self) -> None:
        """Undo whatever a request changed."""
        place = self.running.hub.settings.data / "hub.sqlite3"
        with contextlib.closing(sqlite3.connect(self.saved)) as old, contextlib.closing(sqlite3.connect(place)) as now:
            now.execute("PRAGMA synchronous=OFF")
            old.backup(now)


def _fill(value: object, values: dict[str, str]) -> object:
    if isinstance(value, str):
        return value.format(**values) if "{" in value else value
    if isinstance(value, list):
        return [_fill(item, values) for item in value]
    return {key: _fill(item, values) for key, item in value.items()} if hasattr(value, "items") else value


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("matrix")
    with open_test_hub(folder) as running:
        names = {who: who for who in WHO if who not in ("nobody", "readonly")}
        names |= {"owner": "ada", "administrator": "root"}
        tokens = {who: running.person(name, administrator=name == "root") for who, name in names.items()}
        with running.hub.database.write() as db:
            owner = running.actor("ada").account_id
            assert owner is not None
            tokens["readonly"] = create_token(db, owner, "reads", scope="read")
        values = {state: _fill_repository(running, state) for state in STATES}
        saved = folder / "saved.sqlite3"
        place = running.hub.settings.data / "hub.sqlite3"
        with contextlib.closing(sqlite3.connect(place)) as now, contextlib.closing(sqlite3.connect(saved)) as old:
            now.backup(old)
        with TestClient(create_app(running.hub), base_url="http://localhost") as client:
            yield Stage(running, client, tokens, values, saved)


def marker(state: str) -> str:
    """Return what stands in the secret file of a repository."""
    return f"the-secret-of-{state}"


def _fill_repository(running: RunningHub, state: str) -> dict[str, str]:
    ada, hub = running.actor("ada"), running.hub
    data = f"large {marker(state)}".encode()
    with hub.blobs.receive() as incoming:
        incoming.write(data)
        stored = incoming.finish(hashlib.sha256(data).hexdigest(), len(data))
    with hub.database.write() as db:
        add_blob(db, stored.sha256, stored.size, passive=True, account_id=ada.account_id)
        repo = create(db, ada, "model", state)
        first = commit(db, repo, ada, [Put("README.md", b"# A model\n")], Message("first"))
        files = [
            Put("secret.txt", marker(state).encode()),
            Put("sub/a.txt", b"a"),
            PutLarge("large.bin", stored.sha256),
        ]
        head = commit(db, repo, ada, files, Message("second"))
        create_ref(db, repo, "refs/heads/dev", head.oid)
        create_ref(db, repo, "refs/tags/v1", head.oid)
        change_settings(db, repo.id, gate="manual")
        gated = find_repository(db, "model", repo.name)
        for role in (Role.READER, Role.AUDITOR, Role.REVIEWER, Role.WRITER):
            who = running.actors[role].account_id
            db.execute(insert(collaborator).values(repository_id=repo.id, account_id=who, role=role, created=0))
        grant_access(db, ada, gated, "granted")
        change_settings(
            db,
            repo.id,
            gate="manual" if state == "gated" else "",
            visibility="private" if state == "private" else "public",
        )
        pull = open_pull(db, repo, ada, Message("a pull request"), MAIN)
        commit(db, repo, ada, [Put("new.txt", b"changed " + marker(state).encode())], Message("p"), branch=pull.branch)
        comment = next(iter(list_events(db, repo, pull.number))).id
        word = "held" if state == "held" else "available"
        db.execute(update(revision).where(revision.c.repository_id == repo.id).values(state=word, reason="a finding"))
        if state == "disabled":
            db.execute(update(repository).where(repository.c.id == repo.id).values(disabled="a report"))
            touch(db, [repo.id])
    return {"base": first.oid, "head": head.oid, "sha256": stored.sha256, "other": comment}


def keys_of(route: BaseRoute) -> list[str]:
    """Return the keys of a route in the table: those of other kinds of repositories are the model's."""
    assert isinstance(route, Route), f"{route} is something this test does not know"
    path = route.path
    for prefix in PREFIXES:
        path = path.removeprefix(prefix) if path.startswith(f"{prefix}/{{owner}}") else path
    return [f"{method} {path}" for method in sorted(route.methods or ()) if method != "HEAD"]


def test_every_route_is_in_the_table(stage: Stage) -> None:
    """A route that nobody thought about fails here, and so does an entry whose route is gone."""
    app = stage.client.app
    assert isinstance(app, FastAPI)
    # what says only that there is nothing there can give nothing away
    there = {key for route in app.router.routes if route not in fallback.ROUTES for key in keys_of(route)}
    assert there == set(ROUTES)


def is_refused(answer: httpx.Response) -> bool:
    """Say whether an answer is a refusal; git gets its own inside of an answer."""
    return answer.status_code in REFUSED or answer.content[4:8] == b"ERR "


def check(stage: Stage, key: str, use: Use, who: str, state: str) -> None:
    """Use a route once, and judge the answer."""
    answer = stage.ask(who, state, key, use)
    place = f"{key} as {who}, {state}: {answer.status_code} {answer.text[:200]}"
    assert answer.status_code < 500 or answer.status_code == use.fails, place
    if who not in MAY["read"][state]:
        assert marker(state) not in answer.text, place
    allowed = who in MAY[use.needs][state] or state in use.open_when
    if not allowed:
        assert is_refused(answer), place
        assert not answer.is_success or answer.content[4:8] == b"ERR ", place
    elif not use.only or who in use.only:
        assert not is_refused(answer), place


REPOSITORY_ROUTES = sorted(key for key, use in ROUTES.items() if use.needs in MAY)


@pytest.mark.parametrize("key", REPOSITORY_ROUTES)
def test_nobody_gets_what_is_not_for_them(stage: Stage, key: str) -> None:
    """For each person and each state of a repository, a route answers exactly those who may use it."""
    use = ROUTES[key]
    # whoever is inside sees; a few of them stand for all, since there are many pages
    people = ("nobody", "stranger", "granted", "reader", "owner") if use.needs == "see" else WHO
    for state in STATES:
        for who in people:
            check(stage, key, use, who, state)
            if not key.startswith("GET") and who in MAY[use.needs][state]:
                stage.reset()


@pytest.mark.parametrize("who", WHO)
def test_no_other_way_to_the_bytes(stage: Stage, who: str) -> None:
    """Parts of files, their headers, large ones and older revisions are kept as the files themselves."""
    token = {} if who == "nobody" else {"Authorization": f"Bearer {stage.tokens[who]}"}
    for state in STATES:
        may = who in MAY["read"][state]
        head = stage.values[state]["head"]
        for path in (
            "main/secret.txt",
            "main/large.bin",
            f"{head}/large.bin",
            "v1/secret.txt",
            "refs%2Fpr%2F1/new.txt",
        ):
            address = f"/ada/{state}/resolve/{path}"
            for method, more in (("GET", {}), ("HEAD", {}), ("GET", {"Range": "bytes=0-40"})):
                answer = stage.client.request(method, address, headers={**token, **more}, follow_redirects=False)
                assert (answer.status_code in (200, 206)) == may, (address, method, answer.status_code)
                assert may or marker(state) not in answer.text
                assert may or "x-linked-size" not in answer.headers


def test_private_ones_do_not_seem_to_exist(stage: Stage) -> None:
    """To a stranger a private repository answers as one that is not there, word for word but for its name."""
    for key in REPOSITORY_ROUTES:
        use = ROUTES[key]
        if use.needs in ("see", "read", "git-read"):
            there = stage.ask("stranger", "private", key, use)
            stage.values["absent-"] = stage.values["private"]
            absent = stage.ask("stranger", "absent-", key, use)
            assert there.status_code == absent.status_code, key
            assert there.text.replace("private", "absent-") == absent.text, key


@pytest.mark.parametrize("who", ["nobody", "stranger"])
def test_lists_name_nothing_private(stage: Stage, who: str) -> None:
    """No list, search, log or figure names a private or disabled repository, or says what a file holds."""
    for key, use in ROUTES.items():
        if use.needs == OPEN and key.startswith("GET"):
            text = stage.ask(who, "public", key, use).text
            assert not any(f"ada/{state}" in text for state in ("private", "disabled")), key
            assert "the-secret-of" not in text, key


def test_own_things_need_an_account(stage: Stage) -> None:
    """What is somebody's own, and what takes tokens of its own kind, refuses nobody in particular."""
    for key, use in ROUTES.items():
        if use.needs == PERSON:
            # a form without the token of a page is refused before anybody is asked for
            assert stage.ask("nobody", "public", key, use).status_code in ((401, 403) if use.form else (401,)), key
        elif use.needs == ADMINISTRATOR:
            for who in WHO:
                refused = stage.ask(who, "public", key, use).status_code in (401, 403)
                assert refused == (who != "administrator"), (key, who)
                stage.reset()
        elif use.needs == OTHER_TOKEN:
            assert stage.ask("nobody", "public", key, use).status_code in REFUSED, key
        else:
            assert use.needs == OPEN or use.needs in MAY, key
