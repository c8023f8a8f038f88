"""Records are filed through the hub by those who may, signed for them, and not with more weight than they have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert
from starlette.testclient import TestClient

from hallmarked.audit.attested import from_verified
from hallmarked.hub.access import Role
from hallmarked.hub.repository.repository import find_repository
from hallmarked.hub.review.attested import gather
from hallmarked.hub.schema.repository import collaborator
from hallmarked.ledger.verify import verify_bundle
from hallmarked.records.dispute import standing
from hallmarked.web.app import create_app
from tests.hub.evidence import push
from tests.hubs import RunningHub, open_test_hub

URL = "/api/models/ada/model/records"
WAIVER = {"context": "default", "requirement": "license", "until": "2099-01-01", "reason": "The lawyers are on it."}
DISPUTE = {"about": "eval.recall", "reason": "The test set was in the training data."}
DECISION = {
    "id": "d-1",
    "title": "Whether to publish",
    "options": [{"name": "publish"}, {"name": "wait"}],
    "chosen": "publish",
    "tradeoff": "Earlier use, less tested.",
}
MAKERS = dict.fromkeys(("ada", "writer", "reviewer"), "maker")
WITHDRAWAL = {"claim": "recall-worst", "reason": "We measured it wrongly."}


@pytest.fixture
def running(tmp_path: Path) -> Iterator[RunningHub]:
    with open_test_hub(tmp_path) as made:
        push(made)
        with made.hub.database.read() as db:
            repo = find_repository(db, "model", "ada/model")
        people = {role: made.actor(role.value).account_id for role in (Role.WRITER, Role.REVIEWER, Role.AUDITOR)}
        with made.hub.database.write() as db:
            for role, who in people.items():
                db.execute(insert(collaborator).values(repository_id=repo.id, account_id=who, role=role, created=0))
        made.person("root", administrator=True)
        made.person("bob")
        yield made


@pytest.fixture
def client(running: RunningHub) -> TestClient:
    return TestClient(create_app(running.hub))


def bearer(running: RunningHub, name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {running.person(name)}"}


@pytest.mark.parametrize(
    ("kind", "said", "may"),
    [
        ("waiver", WAIVER, {"ada": "maker", "reviewer": "maker", "root": "hub"}),
        (
            "dispute",
            DISPUTE,
            {"ada": "maker", "writer": "maker", "reviewer": "maker", "auditor": "community", "root": "hub"},
        ),
        ("decision", DECISION, {"ada": "maker", "reviewer": "maker", "writer": "maker", "root": "hub"}),
        ("withdrawal", WITHDRAWAL, {"ada": "maker", "root": "hub"}),
    ],
)
def test_who_files_what(
    running: RunningHub, client: TestClient, kind: str, said: Mapping[str, Any], may: Mapping[str, str]
) -> None:
    """Each kind of record takes a role; it counts as what its author is, and as the hub's for its managers only."""
    for who in ("ada", "writer", "reviewer", "auditor", "bob", "root"):
        answer = client.post(URL, json={"kind": kind, "record": said}, headers=bearer(running, who))
        if who in may:
            assert answer.status_code == 201, answer.text
            assert (answer.json()["role"], answer.json()["signer"]) == (may[who], who)
        else:
            assert answer.status_code == 403, (who, answer.text)


def test_the_evidence_file_says_the_same(running: RunningHub, client: TestClient) -> None:
    """Who verifies offline reads the record as that of the account, as the hub's own pages and gates do."""
    client.post(URL, json={"kind": "waiver", "record": WAIVER}, headers=bearer(running, "ada")).raise_for_status()
    file = client.get("/ada/model/evidence/main.json").content
    offline = from_verified(verify_bundle(file, running.hub.journal.trusted()))
    with running.hub.database.read() as db:
        here = gather(running.hub, db, find_repository(db, "model", "ada/model")).attestations
    assert [(one.id, one.role, one.signer, one.keyid) for one in offline] == [
        (one.id, one.role, one.signer, one.keyid) for one in here
    ]
    assert [(one.role, one.signer) for one in here] == [("maker", "ada")]
    assert here[0].statement.predicate["by"] == "ada"


def test_an_owner_does_not_settle_what_others_dispute(running: RunningHub, client: TestClient) -> None:
    """What the owner says to a dispute through the hub is an answer; who manages the hub settles it."""

    def open_disputes() -> int:
        with running.hub.database.read() as db:
            repo = find_repository(db, "model", "ada/model")
            return sum(one.open for one in standing(gather(running.hub, db, repo).attestations))

    settled = {**DISPUTE, "open": False, "resolution": "We looked at it again."}
    for who, said, left in (("auditor", DISPUTE, 1), ("ada", settled, 1), ("root", settled, 0)):
        answer = client.post(URL, json={"kind": "dispute", "record": said}, headers=bearer(running, who))
        assert answer.status_code == 201, answer.text
        assert open_disputes() == left, who


def test_what_is_refused(running: RunningHub, client: TestClient) -> None:
    """Fields that are missing, wrong or unknown are named, and nothing is kept."""
    size = running.hub.journal.size
    wrong: list[tuple[Mapping[str, Any], str]] = [
        ({"kind": "waiver", "record": {**WAIVER, "until": "soon"}}, "until"),
        ({"kind": "waiver", "record": {}}, "context is missing"),
        ({"kind": "waiver", "record": {**WAIVER, "onBehalfOf": {"account": "root", "role": "hub"}}}, "onBehalfOf"),
        ({"kind": "result", "record": {}}, "records that are filed here are"),
        ({"kind": "waiver", "record": []}, "record has to be an object"),
        ({"record": WAIVER}, "kind"),
    ]
    for body, said in wrong:
        answer = client.post(URL, json=body, headers=bearer(running, "ada"))
        assert answer.status_code == 400, answer.text
        assert said in answer.json()["error"]
    assert running.hub.journal.size == size
    missing = client.post(
        URL, json={"kind": "waiver", "revision": "x", "record": WAIVER}, headers=bearer(running, "ada")
    )
    assert missing.status_code == 404


def test_the_same_twice(running: RunningHub, client: TestClient) -> None:
    """Exactly the same record is filed once."""
    for status in (201, 409):
        answer = client.post(URL, json={"kind": "waiver", "record": WAIVER}, headers=bearer(running, "ada"))
        assert answer.status_code == status


def test_in_the_browser(running: RunningHub, client: TestClient) -> None:
    """Somebody who is signed in files with the token of a page, and not without."""
    headers = running.browser("ada")
    body = {"kind": "waiver", "record": WAIVER}
    assert client.post(URL, json=body, headers={"Cookie": headers["Cookie"]}).status_code == 403
    assert client.post(URL, json=body, headers=headers).status_code == 201
