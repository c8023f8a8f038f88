"""Our interface to reviews: what everybody may read, and what only some may decide."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from hallmarked.hub.change.commit import Message, Put, commit
from hallmarked.hub.change.creation import create
from hallmarked.hub.repository.repository import change_settings, find_repository
from hallmarked.web.app import create_app
from tests.hubs import RunningHub, open_test_hub

BAD = b"cos\nsystem\n(S'true'\ntR."


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    with open_test_hub(tmp_path_factory.mktemp("hub")) as running:
        ada = running.actor("ada")
        running.person("root", administrator=True)
        running.person("ruth", administrator=True)
        with running.hub.database.write() as db:
            for name in ("m", "released"):
                repo = create(db, ada, "model", name)
                commit(db, repo, ada, [Put("a/b.pkl", BAD)], Message("push"))
        running.audit_all()
        yield running


@pytest.fixture
def client(hub: RunningHub) -> TestClient:
    return TestClient(create_app(hub.hub), base_url="http://localhost")


def by(hub: RunningHub, name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {hub.person(name)}"}


REVIEW = "/api/hallmarked/models/ada/m/review/main"


def test_everybody_reads_what_was_found(client: TestClient) -> None:
    """State, reason, findings by file, evidence and decisions of a public revision."""
    seen = client.get(REVIEW).json()
    assert (seen["state"], seen["audited"]) == ("held", True)
    assert "os.system" in seen["reason"]
    assert [one["outcome"] for one in seen["audits"]] == ["fail"]
    found = next(file["found"] for file in seen["files"] if file["path"] == "a/b.pkl")
    assert {"PKL001"} <= {one.get("rule") for one in found}
    assert [one["measure"] for one in seen["decisions"]] == ["held-back"]
    assert client.get(REVIEW.replace("main", "refs%2Fheads%2Fmain")).json()["revision"] == seen["revision"]


@pytest.mark.parametrize("act", ["hold", "propose-release", "release", "appeal", "uphold"])
def test_only_some_decide(hub: RunningHub, client: TestClient, act: str) -> None:
    """Nobody without an account, and no stranger, changes anything."""
    assert client.post(f"{REVIEW}/{act}", json={"reason": "x"}).status_code == 401
    answer = client.post(f"{REVIEW}/{act}", json={"reason": "x"}, headers=by(hub, "eve"))
    assert answer.status_code == 403
    assert client.post(f"{REVIEW}/{act}", json={}, headers=by(hub, "ada")).status_code in (400, 422)


def test_release_and_the_public_log(hub: RunningHub, client: TestClient) -> None:
    """Two administrators release it; log and report tell everybody, page by page, and name nobody."""
    review = REVIEW.replace("/m/", "/released/")
    before = Counter(client.get("/api/hallmarked/moderation/report").json()["totals"]["decisions"])
    steps = [
        ("propose-release", "root", 200),
        ("release", "root", 403),
        ("release", "ada", 403),
        ("release", "ruth", 200),
    ]
    for act, who, status in steps:
        answer = client.post(f"{review}/{act}", json={"reason": f"{act} it"}, headers=by(hub, who))
        assert answer.status_code == status, answer.text
    assert client.get(review).json()["state"] == "available"
    first = client.get("/api/hallmarked/moderation?limit=2").json()
    rest = client.get(f"/api/hallmarked/moderation?limit=2&before={first['next']}").json()
    measures = [one["measure"] for one in (*first["decisions"], *rest["decisions"])]
    assert measures == ["restored", "release-proposed", "held-back", "held-back"]
    report = client.get("/api/hallmarked/moderation/report").json()
    assert before["held-back"] >= 2
    assert Counter(report["totals"]["decisions"]) == before + Counter({"release-proposed": 1, "restored": 1})
    for name in ("root", "ruth", "ada"):
        assert hub.actors[name].account_id not in str(first)
    assert client.get("/api/hallmarked/moderation?before=nonsense").status_code == 400
    assert client.get("/api/hallmarked/moderation/report?until=1").json()["totals"]["decisions"] == {}


def test_private_reviews_are_not_there(hub: RunningHub, client: TestClient) -> None:
    """A review of a private repository answers strangers like one that does not exist."""
    with hub.hub.database.write() as db:
        ada = hub.actors["ada"]
        repo = create(db, ada, "model", "secret")
        change_settings(db, repo.id, visibility="private")
        assert find_repository(db, "model", "ada/secret").scope.private
    there = client.get(REVIEW.replace("/m/", "/secret/"), headers=by(hub, "eve"))
    absent = client.get(REVIEW.replace("/m/", "/nothing/"), headers=by(hub, "eve"))
    assert there.status_code == absent.status_code == 404
    assert client.get(REVIEW.replace("/m/", "/secret/"), headers=by(hub, "ada")).status_code == 200


def test_jobs(client: TestClient) -> None:
    """How much waits is public."""
    assert client.get("/api/hallmarked/jobs").json()["waiting"] >= 0


def test_the_card_of_what_people_hold_back_is_not_shown(hub: RunningHub, client: TestClient) -> None:
    """What a check holds back keeps its card; of what people hold back only those see it who get the file."""
    ada = hub.actor("ada")
    with hub.hub.database.write() as db:
        repo = create(db, ada, "model", "words")
        commit(db, repo, ada, [Put("README.md", b"unspeakable words"), Put("a.pkl", BAD)], Message("push"))
    hub.audit_all()
    pages = ("/ada/words", "/ada/words.json", "/ada/words/card/main")
    everybody, owner = by(hub, "eve"), by(hub, "ada")
    assert all("unspeakable" in client.get(page, headers=everybody).text for page in pages)
    body = {"reason": "what its card says", "category": "unlawful"}
    act = client.post("/api/hallmarked/models/ada/words/review/main/hold", json=body, headers=by(hub, "root"))
    assert act.status_code == 200
    for page in pages:
        assert "unspeakable" not in client.get(page, headers=everybody).text
        assert "unspeakable" in client.get(page, headers=owner).text
