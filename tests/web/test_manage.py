"""What people manage on pages: organisations, people of a repository, deletions, likes, webhooks, audits, sessions."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html import unescape
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from sqlalchemy import select, update

from hallmarked.hub.job.audit import audit_revision, task_of
from hallmarked.hub.job.delivery import deliver_due
from hallmarked.hub.repository.repository import change_settings, find_repository
from hallmarked.hub.schema.account import session
from hallmarked.hub.schema.repository import repository, revision
from hallmarked.hub.schema.review import audit, event
from hallmarked.hub.setting import Outbound, Settings, Storage
from hallmarked.hub.trail import Tag
from tests.hub.outbound.test_client import answer, server
from tests.hubs import RunningHub, open_test_hub
from tests.web import example
from tests.web.test_form import Browser

MODEL = f"/{example.MODEL}"
ORGANISATION = "/organizations/acme"


@pytest.fixture
def running(tmp_path: Path) -> Iterator[RunningHub]:
    with open_test_hub(tmp_path) as hub:
        example.people(hub)
        hub.person("eve")
        hub.person("root", administrator=True)
        yield hub


def browser(running: RunningHub, name: str) -> Browser:
    """Return a browser in which somebody is signed in."""
    made = Browser(running)
    made.client.cookies.set("hm_session", example.sign_in(running, name))
    return made


def acts(running: RunningHub, name: str) -> list[str]:
    """Return what the audit trail says that somebody did."""
    who = running.actor(name).account_id
    mine = select(event.c.tag).where(event.c.account_id == who).order_by(event.c.created)
    with running.hub.database.read() as db:
        return list(db.execute(mine).scalars())


def twin(opened: Browser, path: str) -> dict[str, object]:
    """Return a page's data."""
    found = opened.client.get(path, headers={"Accept": "application/json"})
    assert found.status_code == 200
    data = found.json()
    assert isinstance(data, dict)
    return data


def invite(running: RunningHub, owner: Browser, role: str, name: str) -> None:
    """Let somebody join by a link that an owner makes on the page."""
    owner.open(ORGANISATION)
    owner.send(f"{ORGANISATION}/invitations", act="invite", role=role, email=f"{name}@example.org")
    link = re.search(r"http://127\.0\.0\.1(/join\?ticket=[\w-]+)", owner.text)
    assert link
    comes = browser(running, name)
    assert "You are invited to acme" in comes.open(unescape(link[1]))
    comes.send("/join")


def test_an_organisation_is_managed(running: RunningHub) -> None:
    """Invite by a link shown once, join, change a role, withdraw, take out, leave, settings; each act in the trail."""
    ada = browser(running, "ada")
    invite(running, ada, "reader", "ben")
    words = ada.open(ORGANISATION)
    assert "No invitation is open." in words
    assert "/join?ticket" not in ada.text  # shown once
    ben = browser(running, "ben")
    seen = ben.open(ORGANISATION)
    assert "you are reader" in seen
    assert "Invite somebody" not in seen
    ada.send(f"{ORGANISATION}/members", act="role", member="ben", role="reviewer")
    assert "you are reviewer" in ben.open(ORGANISATION)
    ada.send(f"{ORGANISATION}/invitations", act="invite", role="writer", email="eve@example.org")
    assert "eve@example.org" in ada.open(ORGANISATION)
    link = re.search(r'name="id" value="(\w+)"', ada.text)
    assert link
    assert "No invitation is open." in ada.send(f"{ORGANISATION}/invitations", act="withdraw", id=link[1])
    ada.send(f"{ORGANISATION}/settings", full_name="ACME Clinic", visibility="private")
    assert "ACME Clinic" in ben.open(ORGANISATION)
    assert twin(ben, "/organizations.json/acme")["private"] is True
    ben.send(f"{ORGANISATION}/members", act="leave")
    ben.open(ORGANISATION, 403)
    assert acts(running, "ada")[-5:] == [
        Tag.MEMBER_INVITED,
        Tag.MEMBER_ROLE_CHANGED,
        Tag.MEMBER_INVITED,
        Tag.INVITATION_WITHDRAWN,
        Tag.ORGANISATION_CHANGED,
    ]
    assert acts(running, "ben")[-2:] == [Tag.MEMBER_JOINED, Tag.MEMBER_REMOVED]


def test_an_organisation_keeps_an_owner(running: RunningHub) -> None:
    """The last owner neither leaves nor gets another role; a withdrawn link does not work; a wrong role is refused."""
    ada = browser(running, "ada")
    ada.open(ORGANISATION)
    assert "the last owner of acme" in ada.send(f"{ORGANISATION}/members", 409, act="leave")
    ada.open(ORGANISATION)
    ada.send(f"{ORGANISATION}/members", 409, act="role", member="ada", role="reader")
    ada.open(ORGANISATION)
    ada.send(f"{ORGANISATION}/invitations", 400, act="invite", role="king")
    ada.open(ORGANISATION)
    ada.send(f"{ORGANISATION}/invitations", act="invite", role="reader")
    link = re.search(r"http://127\.0\.0\.1(/join\?ticket=[\w-]+)", ada.text)
    ada.open(ORGANISATION)
    kept = re.search(r'name="id" value="(\w+)"', ada.text)
    assert link
    assert kept
    ada.send(f"{ORGANISATION}/invitations", act="withdraw", id=kept[1])
    browser(running, "eve").open(unescape(link[1]), 404)


def test_strangers_manage_nothing(running: RunningHub) -> None:
    """Who does not belong sees no members; who belongs without owning changes nothing, whatever form they send."""
    browser(running, "eve").open(ORGANISATION, 403)
    Browser(running).open(ORGANISATION, 401)
    invite(running, browser(running, "ada"), "writer", "ben")
    ben = browser(running, "ben")
    ben.open(ORGANISATION)
    token = re.search(r'name="csrf" value="([^"]+)"', ben.text)
    assert token
    for path, fields in (
        ("members", {"act": "role", "member": "ben", "role": "owner"}),
        ("members", {"act": "remove", "member": "ada"}),
        ("invitations", {"act": "invite", "role": "owner"}),
        ("settings", {"full_name": "Mine"}),
    ):
        sent = ben.client.post(f"{ORGANISATION}/{path}", data={"csrf": token[1], **fields})
        assert sent.status_code == 403, path
        assert ben.client.post(f"{ORGANISATION}/{path}", data=fields).status_code == 403  # and none without the token


def test_people_of_a_repository(running: RunningHub) -> None:
    """Somebody gets a role in one repository, another one, and none; a name that is nobody's is refused."""
    ada, eve = browser(running, "ada"), browser(running, "eve")
    with running.hub.database.write() as db:
        change_settings(db, find_repository(db, "model", example.MODEL).id, visibility="private")
    eve.open(MODEL, 404)
    assert "Nobody has a role" in ada.open(f"{MODEL}/settings")
    ada.send(f"{MODEL}/settings", act="role", person="eve", role="reader")
    eve.open(MODEL)
    eve.open(f"{MODEL}/settings", 403)
    ada.open(f"{MODEL}/settings")
    ada.send(f"{MODEL}/settings", act="role", person="eve", role="owner")
    eve.open(f"{MODEL}/settings")
    ada.open(f"{MODEL}/settings")
    ada.send(f"{MODEL}/settings", 404, act="role", person="nobody", role="reader")
    ada.open(f"{MODEL}/settings")
    assert "Nobody has a role" in ada.send(f"{MODEL}/settings", act="remove", person="eve")
    eve.open(MODEL, 404)
    assert acts(running, "ada")[-3:] == [Tag.COLLABORATOR_CHANGED] * 3


def test_what_was_deleted_is_restored(running: RunningHub) -> None:
    """An owner sees until when and restores; strangers do not; an administrator can, too; after that time nobody."""
    ada, eve, root = (browser(running, name) for name in ("ada", "eve", "root"))
    for restorer in (ada, root):
        ada.open(f"{MODEL}/settings")
        assert example.MODEL in ada.send(f"{MODEL}/settings", act="delete", confirm=example.MODEL)
        ada.open(MODEL, 404)
        assert example.MODEL not in eve.open("/settings/deleted")
        found = twin(restorer, "/settings/deleted.json")["rows"]
        assert isinstance(found, list)
        token = re.search(r'name="csrf" value="([^"]+)"', eve.text)
        assert token
        sent = eve.client.post("/settings/deleted", data={"csrf": token[1], "id": found[0]["id"]})
        assert sent.status_code == 404
        assert "Can be restored until" in restorer.open("/settings/deleted")
        restorer.send("/settings/deleted")
        ada.open(MODEL)
    assert acts(running, "root")[-1] == Tag.REPOSITORY_RESTORED
    ada.open(f"{MODEL}/settings")
    ada.send(f"{MODEL}/settings", act="delete", confirm=example.MODEL)
    with running.hub.database.write() as db:
        db.execute(update(repository).where(repository.c.deleted.is_not(None)).values(deleted=1))
    assert "Nothing of yours was deleted lately." in ada.open("/settings/deleted")


def test_a_taken_name_is_not_restored_over(running: RunningHub) -> None:
    """When the name was taken meanwhile, restoring says so and changes nothing."""
    ada = browser(running, "ada")
    ada.open(f"{MODEL}/settings")
    ada.send(f"{MODEL}/settings", act="delete", confirm=example.MODEL)
    headers = {"Authorization": f"Bearer {running.person('ada')}"}
    body = {"name": "triage-notes", "organization": "acme"}
    assert ada.client.post("/api/repos/create", json=body, headers=headers).status_code == 200
    ada.open("/settings/deleted")
    assert "taken meanwhile" in ada.send("/settings/deleted", 409)
    assert example.MODEL in ada.open("/settings/deleted")


def test_the_api_restores_and_withdraws(running: RunningHub) -> None:
    """What the pages do, a program can do: list and restore what was deleted, list and withdraw invitations."""
    ada = browser(running, "ada").client
    headers = {"Authorization": f"Bearer {running.person('ada')}"}
    ada.request("DELETE", "/api/repos/delete", json={"name": example.MODEL}, headers=headers)
    (gone,) = ada.get("/api/hallmarked/deleted", headers=headers).json()
    assert (gone["kind"], gone["name"]) == ("model", example.MODEL)
    back = ada.post(f"/api/hallmarked/deleted/{gone['id']}/restore", headers=headers)
    assert back.json() == {"kind": "model", "name": example.MODEL}
    base = "/api/hallmarked/organisations/acme/invitations"
    ada.post(base, json={"role": "reader", "email": "x@example.org"}, headers=headers)
    (made,) = ada.get(base, headers=headers).json()
    assert made["email"] == "x@example.org"
    assert ada.delete(f"{base}/{made['id']}", headers=headers).status_code == 204
    assert ada.get(base, headers=headers).json() == []


def test_likes(running: RunningHub) -> None:
    """A button likes and takes it back; the person's page lists what the reader may see, and nothing private."""
    ben, nobody = browser(running, "ben"), Browser(running)
    assert "Like · 0" in ben.open(MODEL)
    assert "Liked · 1" in ben.send(f"{MODEL}/like", act="like")
    assert f'action="{MODEL}/like"' not in nobody.client.get(MODEL).text
    assert example.MODEL in nobody.open("/likes/ben")
    assert twin(nobody, "/likes.json/ben")["total"] == 1
    with running.hub.database.write() as db:
        change_settings(db, find_repository(db, "model", example.MODEL).id, visibility="private")
    assert example.MODEL not in nobody.open("/likes/ben")
    with running.hub.database.write() as db:
        change_settings(db, find_repository(db, "model", example.MODEL).id, visibility="public")
    ben.open(MODEL)
    assert "Like · 0" in ben.send(f"{MODEL}/like", act="unlike")
    assert "Nothing that you may see." in nobody.open("/likes/ben")
    nobody.open("/likes/acme", 404)


@pytest.mark.enable_socket
def test_webhooks(tmp_path: Path) -> None:
    """Made, tried with a real receiver, repeated, switched off, changed, deleted; the secret is shown nowhere."""
    got: list[dict[str, object]] = []

    def receive(handler: BaseHTTPRequestHandler) -> None:
        body = json.loads(handler.rfile.read(int(handler.headers["Content-Length"])))
        got.append({"id": handler.headers["X-Webhook-Delivery"], **body})
        answer(handler, 200)

    with server(receive) as port:
        allowed = Outbound(hosts=(f"127.0.0.1:{port}",))
        settings = Settings(storage=Storage(data=str(tmp_path / "data")), outbound=allowed)
        with open_test_hub(tmp_path, settings) as running:
            example.people(running)
            ada = browser(running, "ada")
            assert "No webhook yet." in ada.open("/settings/webhooks")
            fields = {"url": f"http://127.0.0.1:{port}/hook", "domain": "repo", "secret": "s3cret"}
            assert "None yet." in ada.send("/settings/webhooks", watched="acme\r\ndatasets/acme/x", **fields)
            place = str(ada.client.get("/settings/webhooks").text)
            found = re.search(r"/settings/webhooks/\w+", place)
            assert found
            page = found[0]
            assert ">acme\ndatasets/acme/x</textarea>" in ada.text
            ada.send(page, act="test")
            assert "Waits" in ada.open(page)
            assert deliver_due(running.hub) == 1
            assert "Arrived" in ada.open(page)
            assert got[0]["event"] == {"action": "update", "scope": "repo.test"}
            message = re.search(r'name="message" value="(\w+)"', ada.text)
            assert message
            ada.send(page, act="repeat", message=message[1])
            assert deliver_due(running.hub) == 1
            assert got[0]["id"] == got[1]["id"]
            ada.open(page)
            ada.send(page, act="disable")
            assert "Send a test message" not in ada.open(page)
            ada.send(page, 409, act="test")
            ada.open(page)
            change = {"url": f"http://127.0.0.1:{port}/other", "watched": "acme/triage-notes", "domain": "discussion"}
            assert "/other" in ada.send(page, act="change", **change)
            for shown in (page, page.replace("webhooks", "webhooks.json"), "/settings/webhooks.json"):
                assert "s3cret" not in ada.client.get(shown).text
            row = twin(ada, page.replace("webhooks", "webhooks.json"))["row"]
            assert isinstance(row, dict)
            assert row["watched"] == ["acme/triage-notes"]
            browser(running, "ben").open(page, 404)
            ada.open(page)
            assert "No webhook yet." in ada.send(page, act="delete")
            told = [tag for tag in acts(running, "ada") if tag.startswith("webhook:")]
            assert told == [
                Tag.WEBHOOK_CREATED,
                Tag.WEBHOOK_TESTED,
                Tag.WEBHOOK_REPEATED,
                Tag.WEBHOOK_CHANGED,
                Tag.WEBHOOK_CHANGED,
                Tag.WEBHOOK_DELETED,
            ]


def test_test_messages_are_limited(running: RunningHub) -> None:
    """Nobody lets the hub knock at an address again and again; and what watches nothing visible has no test."""
    ben = browser(running, "ben")
    ben.open("/settings/webhooks")
    ben.send("/settings/webhooks", url="https://hooks.example/x", watched="nobody", domain="repo")
    with running.hub.database.read() as db:
        assert db.execute(select(session.c.id)).first()
    page = ben.client.get("/settings/webhooks.json").json()["rows"][0]["id"]
    path = f"/settings/webhooks/{page}"
    ben.open(path)
    assert "watches no repository that you may see" in ben.send(path, 400, act="test")
    token = re.search(r'name="csrf" value="([^"]+)"', ben.text)
    assert token
    answers = [ben.client.post(path, data={"csrf": token[1], "act": "test"}).status_code for _ in range(10)]
    assert answers.count(400) == 9
    assert answers[-1] == 429


def test_a_report_of_requests_is_linked(running: RunningHub) -> None:
    """Who decides on requests finds their table on the page, and it opens; others do not see the link."""
    path = "/datasets/acme/emergency-notes"
    ada, ben = browser(running, "ada"), browser(running, "ben")
    ada.open(f"{path}/access")
    assert f'href="{path}/user-access-report"' in ada.text
    report = ada.client.get(f"{path}/user-access-report")
    assert report.headers["content-type"].startswith("text/csv")
    ben.open(f"{path}/access")
    assert "user-access-report" not in ben.text


@pytest.mark.slow
def test_a_revision_is_audited_again(running: RunningHub) -> None:
    """An owner asks on the page, a reviewer by the API; not twice, not at once after one; all audits stay."""
    oid = audited(running)
    ada = browser(running, "ada")
    page = f"{MODEL}/review/{oid}"
    ada.open(page)
    words = ada.send(page, 429, act="audit")
    assert "was audited a moment ago" in words
    age(running)
    ada.open(page)
    assert "Waits to be audited" in ada.send(page, act="audit")
    ada.open(f"{MODEL}/evidence")
    ada.send(page, 409, act="audit")
    with running.hub.database.read() as db:
        state = db.execute(select(audit.c.id)).scalars().all()
    assert len(state) == 1
    running.audit_all()
    with running.hub.database.read() as db:
        rows = db.execute(select(audit).order_by(audit.c.created)).all()
    assert len({row.id for row in rows}) == 2
    assert rows[0].outcome == rows[1].outcome
    first, second = ([each for each in row.statements if "svr" not in each["predicateType"]] for row in rows)
    assert first == second  # the same bytes and rules, so the same is found; only the decision has a time
    assert set(rows[1].entries) - set(rows[0].entries)
    assert "Waits to be audited" not in ada.open(page)
    assert acts(running, "ada")[-1] == Tag.AUDIT_ASKED
    age(running)
    address = f"/api/hallmarked/models/{example.MODEL}/review/{oid}/audit"
    for name, status in (("eve", 403), ("root", 202), ("root", 409)):
        token = {"Authorization": f"Bearer {running.person(name)}"}
        assert ada.client.post(address, headers=token).status_code == status
    assert "Audit again" not in browser(running, "eve").open(page)


def audited(running: RunningHub) -> str:
    """Push a commit to the model and audit it, and nothing else; return its id."""
    with running.hub.database.write() as db:
        repo = find_repository(db, "model", example.MODEL)
        db.execute(update(revision).values(audited=True, rule_set="other rules", state="available"))
    at = example.push(running, repo, {"README.md": example.CARD.encode()}, "Add a card")
    audit_revision(running.hub, task_of(repo.id, at.oid))
    return at.oid


def age(running: RunningHub) -> None:
    """Let all audits be of another day."""
    with running.hub.database.write() as db:
        db.execute(update(audit).values(created=audit.c.created - 86_400_000))


def test_sessions_say_when_they_were_used_and_end(running: RunningHub) -> None:
    """The account page tells this browser from another one, says when each was used, and ends each."""
    here, other = browser(running, "ben"), browser(running, "ben")
    other.open("/settings")
    words = here.open("/settings")
    assert words.count("This browser") == 1
    assert words.count("used last") == 2
    here.app.state.uses.write(running.hub.database)
    with running.hub.database.read() as db:
        used = db.execute(select(session.c.last_used).where(session.c.last_used.is_not(None))).scalars().all()
    assert len(used) == 1
    rows = here.client.get("/settings.json").json()["sessions"]
    (away,) = [row["id"] for row in rows if not row["here"]]
    here.send("/settings/sessions/end", id=away)
    other.open("/settings", 401)
    (mine,) = [row["id"] for row in here.client.get("/settings.json").json()["sessions"]]
    here.send("/settings/sessions/end", 401, id=mine)
