"""Evidence of others: who may bring it, what is taken in, and that whose repository it is cannot make it go away."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update
from starlette.testclient import TestClient

from hallmarked.audit.attested import from_verified
from hallmarked.core.evidence import Statement, Subject
from hallmarked.hub.change.commit import Message, Put, commit
from hallmarked.hub.repository.repository import change_settings, find_repository
from hallmarked.hub.schema.evidence import evidence
from hallmarked.hub.setting import Settings, Storage
from hallmarked.hub.upkeep.integrity import check_hub
from hallmarked.hub.upkeep.trust import revoke_key
from hallmarked.ledger.trust import Role, load_trust
from hallmarked.ledger.verify import verify_bundle
from hallmarked.web.app import create_app
from hallmarked.web.route.evidence import FILES
from tests.hub.evidence import push
from tests.hub.signer import Signer, about, measured
from tests.hubs import RunningHub, open_test_hub

URL = "/api/models/ada/model/evidence"


@pytest.fixture
def running(tmp_path: Path) -> Iterator[RunningHub]:
    with open_test_hub(tmp_path) as made:
        yield made


@pytest.fixture
def client(running: RunningHub) -> TestClient:
    return TestClient(create_app(running.hub))


@pytest.fixture
def auditor(tmp_path: Path) -> Signer:
    return Signer(tmp_path / "auditor", "Example Auditors")


def bearer(running: RunningHub, name: str, **options: bool) -> dict[str, str]:
    return {"Authorization": f"Bearer {running.person(name, **options)}"}


def subject(running: RunningHub, name: str = "ada/model", revision: str = "main") -> Subject:
    with running.hub.database.read() as db:
        return about(db, name, revision)


def test_a_statement_of_an_auditor_comes_and_is_shown(
    running: RunningHub, client: TestClient, auditor: Signer, tmp_path: Path
) -> None:
    """Whoever may read brings an auditor's evidence; it is listed, logged, and in the file that verifies offline."""
    oid = push(running)
    auditor.register(running)
    data = auditor.sign([measured(subject(running), "0.97")])
    answer = client.post(URL, content=data, headers=bearer(running, "bob"))
    assert answer.status_code == 201, answer.text
    (got,) = answer.json()["received"]
    assert (got["role"], got["signer"], got["revision"]) == ("auditor", "Example Auditors", oid)
    listed = client.get(URL).json()["evidence"]
    assert [one["statement"] for one in listed] == [got["statement"]]
    file = client.get("/ada/model/evidence/main.json")
    verified = verify_bundle(file.content, load_trust(client.get("/ledger/trust.json").content))
    roles = {entry.role: entry.predicate_type for entry in verified.entries}
    assert verified.trusted
    assert set(roles) == {Role.AUDITOR, Role.HUB}
    assert roles[Role.HUB] == "urn:hallmarked:received:v1"
    assert client.get(f"/ledger/entries/{got['entry']}").status_code == 200
    # The files alone, as anybody downloads them, are what both statements are about.
    folder = [{"dirHash": subject(running).digest["dirHash"]}]
    assert all(entry.subjects for entry in verify_bundle(file.content, subjects=folder).entries)


def test_what_came_before_is_not_taken_in_again(running: RunningHub, client: TestClient, auditor: Signer) -> None:
    """The same statement a second time changes nothing."""
    push(running)
    auditor.register(running)
    data = auditor.sign([measured(subject(running), "0.97")])
    client.post(URL, content=data, headers=bearer(running, "bob"))
    size = running.hub.journal.size
    again = client.post(URL, content=data, headers=bearer(running, "carol"))
    assert (again.status_code, again.json()) == (200, {"received": [], "known": 1, "own": 0})
    assert running.hub.journal.size == size


def test_two_signers_of_the_same_words_both_count(
    running: RunningHub, client: TestClient, auditor: Signer, tmp_path: Path
) -> None:
    """Two who state the same, byte by byte, are two who stated it."""
    push(running)
    auditor.register(running)
    other = Signer(tmp_path / "other", "Other Auditors")
    other.register(running)
    said = measured(subject(running), "0.97")
    for signer in (auditor, other):
        client.post(URL, content=signer.sign([said]), headers=bearer(running, "bob")).raise_for_status()
    assert {one["signer"] for one in client.get(URL).json()["evidence"]} == {"Example Auditors", "Other Auditors"}


def test_old_statements_do_not_become_fresh(running: RunningHub, client: TestClient, auditor: Signer) -> None:
    """Who brings an old statement is told its age, and so is everybody who verifies the hub's file."""
    push(running)
    auditor.register(running)
    then = datetime.now(UTC).replace(microsecond=0) - timedelta(days=400)
    data = auditor.sign([measured(subject(running), "0.97")], then)
    (got,) = client.post(URL, content=data, headers=bearer(running, "bob")).json()["received"]
    assert datetime.fromisoformat(got["statedAt"]) == then
    file = client.get("/ada/model/evidence/main.json").content
    found = from_verified(verify_bundle(file, running.hub.journal.trusted()))
    assert {one.time for one in found if one.role == "auditor"} == {then}


def test_whose_word_does_not_count(running: RunningHub, client: TestClient, auditor: Signer, tmp_path: Path) -> None:
    """Strangers, makers of other repositories and revoked keys are refused with a reason, and nothing is kept."""
    push(running)
    size = running.hub.journal.size
    data = auditor.sign([measured(subject(running), "0.97")], datetime.now(UTC) - timedelta(days=1))
    refused = client.post(URL, content=data, headers=bearer(running, "bob"))
    assert refused.status_code == 403
    assert "not among those you trust" in refused.json()["error"]
    maker = Signer(tmp_path / "maker", "bob")
    maker.register(running, Role.MAKER)
    refused = client.post(URL, content=maker.sign([measured(subject(running), "1")]), headers=bearer(running, "bob"))
    assert "speaks as the maker of other repositories" in refused.json()["error"]
    auditor.register(running)
    revoke_key(running.hub, auditor.ledger.key.keyid, "the key was lost")
    refused = client.post(URL, content=data, headers=bearer(running, "bob"))
    assert refused.status_code == 403
    assert "was revoked" in refused.json()["error"]
    assert client.get(URL).json()["evidence"] == []
    assert running.hub.journal.size == size


def test_who_files_on_another_hub_does_not_speak_as_that_hub(
    running: RunningHub, client: TestClient, tmp_path: Path
) -> None:
    """A waiver that another hub signed for an account is the waiver of somebody outside, whatever they are there."""
    push(running)
    other = Signer(tmp_path / "other", "Other Hub")
    other.register(running, Role.HUB)
    said = {"context": "triage", "requirement": "recall", "until": "2999-01-01T00:00:00Z", "reason": "x", "by": "ada"}
    for role in ("maker", "auditor", "hub", "nobody"):
        filed = {**said, "onBehalfOf": {"account": "ada", "role": role}}
        data = other.sign([Statement((subject(running),), "urn:hallmarked:waiver:v1", filed)])
        client.post(URL, content=data, headers=bearer(running, "bob")).raise_for_status()
    listed = client.get(URL).json()["evidence"]
    assert sorted(one["role"] for one in listed) == ["", "community", "community", "hub"]
    assert sorted({one["signer"] for one in listed}) == ["Other Hub", "ada"]


def test_evidence_about_something_else(running: RunningHub, client: TestClient, auditor: Signer) -> None:
    """Evidence about other bytes, or about a commit with other files than it names, is refused as a whole."""
    push(running)
    auditor.register(running)
    right = subject(running)
    wrong = [
        Subject("ada/model", {"dirHash": "ab" * 32}),
        Subject("ada/model", {"gitCommit": right.digest["gitCommit"], "dirHash": "ab" * 32}),
        Subject("ada/model", {"sha256": "ab" * 32}),
    ]
    for other in wrong:
        data = auditor.sign([measured(right, "0.9"), measured(other, "0.97")])
        refused = client.post(URL, content=data, headers=bearer(running, "bob"))
        assert refused.status_code == 400
        assert "is about no revision of ada/model" in refused.json()["error"]
    assert client.get(URL).json()["evidence"] == []


def test_any_revision_and_the_files_alone(running: RunningHub, client: TestClient, auditor: Signer) -> None:
    """A statement about a folder is found to be about the revision with these files, though another is newer now."""
    first = push(running)
    folder = Subject("model", {"dirHash": subject(running).digest["dirHash"]})
    with running.hub.database.write() as db:
        repo = find_repository(db, "model", "ada/model")
        commit(db, repo, running.actor("ada"), [Put("new.txt", b"new")], Message("second"))
    auditor.register(running)
    answer = client.post(URL, content=auditor.sign([measured(folder, "0.97")]), headers=bearer(running, "bob"))
    assert answer.json()["received"][0]["revision"] == first
    assert client.get(f"{URL}?revision=main").json()["evidence"] == []
    assert len(client.get(f"{URL}?revision={first}").json()["evidence"]) == 1
    with running.hub.database.write() as db:
        taken_back = find_repository(db, "model", "ada/model")
        commit(db, taken_back, running.actor("ada"), [], Message("third"))


@pytest.mark.parametrize("damage", [b"", b"{}", b'{"a":' * 90, b"[" + b'"",' * 250_000 + b'""]'])
def test_what_is_no_evidence(running: RunningHub, client: TestClient, damage: bytes) -> None:
    """What is not an evidence file is refused in one sentence."""
    push(running)
    answer = client.post(URL, content=damage, headers=bearer(running, "bob"))
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_a_changed_file_does_not_hold(running: RunningHub, client: TestClient, auditor: Signer) -> None:
    """A signature that was made for other bytes is refused."""
    push(running)
    auditor.register(running)
    data = auditor.sign([measured(subject(running), "0.97")])
    file = json.loads(data)
    other = json.loads(auditor.sign([measured(subject(running), "0.98")]))
    envelope = file["entries"][0]["bundle"]["dsseEnvelope"]
    envelope["payload"] = other["entries"][0]["bundle"]["dsseEnvelope"]["payload"]
    answer = client.post(URL, json=file, headers=bearer(running, "bob"))
    assert answer.status_code == 400
    assert "does not hold" in answer.json()["error"]


def test_too_much(running: RunningHub, client: TestClient) -> None:
    """Large files, and many, are refused."""
    push(running)
    assert client.post(URL, content=bytes(9 << 20), headers=bearer(running, "bob")).status_code == 413
    answers = [client.post(URL, content=b"{}", headers=bearer(running, "bob")).status_code for _ in range(FILES)]
    assert answers[-1] == 429


def test_only_moderation_removes(running: RunningHub, client: TestClient, auditor: Signer) -> None:
    """The owner cannot remove a statement; an administrator can, with a reason that stays visible to everybody."""
    push(running)
    auditor.register(running)
    data = auditor.sign([measured(subject(running), "0.97")])
    (got,) = client.post(URL, content=data, headers=bearer(running, "bob")).json()["received"]
    url = f"{URL}/{got['id']}/remove"
    assert client.post(url, json={"reason": "no"}, headers=bearer(running, "ada")).status_code == 403
    root = bearer(running, "root", administrator=True)
    assert client.post(url, json={"reason": " "}, headers=root).status_code == 400
    assert client.post(url, json={"reason": "It names a patient."}, headers=root).status_code == 200
    (listed,) = client.get(URL).json()["evidence"]
    assert listed["reason"] == "It names a patient."
    assert client.get("/ada/model/evidence/main.json").status_code == 404
    (decided,) = client.get("/api/hallmarked/moderation").json()["decisions"]
    assert (decided["measure"], decided["facts"]) == ("evidence-removed", "It names a patient.")
    again = client.post(URL, content=data, headers=bearer(running, "bob"))
    assert again.json()["known"] == 1
    assert client.post(url, json={"reason": "again"}, headers=root).status_code == 409


def test_what_should_never_have_been_said(running: RunningHub, client: TestClient, auditor: Signer) -> None:
    """A removed statement is not handed out by its number; one that is erased is nowhere, and the log holds."""
    push(running)
    auditor.register(running)
    data = auditor.sign([measured(subject(running), "0.97"), measured(subject(running), "0.1", "patient.jane-doe")])
    kept, bad = client.post(URL, content=data, headers=bearer(running, "bob")).json()["received"]
    root = bearer(running, "root", administrator=True)
    body = {"reason": "It names a patient.", "erase": True}
    assert client.post(f"{URL}/{bad['id']}/remove", json=body, headers=root).status_code == 200
    client.post(f"{URL}/{kept['id']}/remove", json={"reason": "It is about another model."}, headers=root)
    assert client.get(f"/ledger/entries/{bad['entry']}").status_code == 404
    assert client.get(f"/ledger/entries/{kept['entry']}").status_code == 403
    assert "jane-doe" not in client.get(URL).text
    with running.hub.database.read() as db:
        assert not any(b"jane-doe" in payload for payload in db.execute(select(evidence.c.payload)).scalars())
    assert not [fault for fault in check_hub(running.hub) if "evidence" in fault or "ledger" in fault]


def test_private_and_gated_ones(running: RunningHub, client: TestClient, auditor: Signer) -> None:
    """Of a private one the log names nothing; to a gated one only those bring evidence who may have its files."""
    push(running, "ada/model", visibility="private")
    auditor.register(running)
    data = auditor.sign([measured(subject(running), "0.97")])
    assert client.post(URL, content=data).status_code == 401
    assert client.post(URL, content=data, headers=bearer(running, "bob")).status_code == 404
    assert client.get(URL, headers=bearer(running, "bob")).status_code == 404
    (got,) = client.post(URL, content=data, headers=bearer(running, "ada")).json()["received"]
    assert client.get(f"/ledger/entries/{got['entry']}").status_code == 403
    assert client.get(f"/ledger/entries/{got['receipt']}").status_code == 403
    with running.hub.database.write() as db:
        change_settings(db, find_repository(db, "model", "ada/model").id, visibility="public", gate="manual")
    assert client.post(URL, content=data, headers=bearer(running, "bob")).status_code == 403
    assert client.post(URL, content=data, headers=bearer(running, "ada")).status_code == 200
    assert len(client.get(URL).json()["evidence"]) == 1


def test_what_was_public_and_is_private_now(running: RunningHub, client: TestClient, auditor: Signer) -> None:
    """Once the repository is private, its entries are not handed out by number any more."""
    push(running)
    auditor.register(running)
    data = auditor.sign([measured(subject(running), "0.97")])
    (got,) = client.post(URL, content=data, headers=bearer(running, "bob")).json()["received"]
    with running.hub.database.write() as db:
        change_settings(db, find_repository(db, "model", "ada/model").id, visibility="private")
    for place in (got["entry"], got["receipt"]):
        assert client.get(f"/ledger/entries/{place}").status_code == 403


def test_pages_of_a_list(running: RunningHub, client: TestClient, auditor: Signer) -> None:
    """A long list comes in parts, each statement once."""
    push(running)
    auditor.register(running)
    data = auditor.sign([measured(subject(running), f"0.{number}") for number in range(10, 15)])
    client.post(URL, content=data, headers=bearer(running, "bob")).raise_for_status()
    found, after = [], ""
    while True:
        page = client.get(f"{URL}?limit=2&before={after}").json()
        found += [one["id"] for one in page["evidence"]]
        after = page["next"]
        if not after:
            break
    assert len(found) == len(set(found)) == 5


def test_database_and_ledger_agree(running: RunningHub, client: TestClient, auditor: Signer) -> None:
    """Whoever changes a kept statement in the database is found out by the check of the hub."""
    push(running)
    auditor.register(running)
    data = auditor.sign([measured(subject(running), "0.97")])
    client.post(URL, content=data, headers=bearer(running, "bob")).raise_for_status()
    assert not [fault for fault in check_hub(running.hub) if "evidence" in fault]
    with running.hub.database.write() as db:
        changed = db.execute(select(evidence.c.payload)).scalar_one().replace(b"0.97", b"0.99")
        db.execute(update(evidence).values(payload=changed))
    assert any("says something else than its entry" in fault for fault in check_hub(running.hub))


def test_on_postgres(tmp_path: Path, auditor: Signer, postgres_url: str) -> None:
    """With PostgreSQL evidence is taken in, listed and exported likewise."""
    settings = Settings(storage=Storage(data=str(tmp_path / "data"), database=postgres_url))
    with open_test_hub(tmp_path, settings) as running:
        client = TestClient(create_app(running.hub))
        push(running)
        auditor.register(running)
        data = auditor.sign([measured(subject(running), "0.97")])
        assert client.post(URL, content=data, headers=bearer(running, "bob")).status_code == 201
        assert client.post(URL, content=data, headers=bearer(running, "bob")).json()["known"] == 1
        assert len(client.get(URL).json()["evidence"]) == 1
        assert len(verify_bundle(client.get("/ada/model/evidence/main.json").content).entries) == 2


def test_claims_are_stale_on_the_first_request_after_a_push(running: RunningHub, client: TestClient) -> None:
    """What an audit bore out is shown as stale as soon as other bytes are there, before they are audited."""
    push(running)
    running.audit_all()
    before = client.get("/ada/model.json").json()
    assert {claim["kind"]: claim["status"] for claim in before["claims"]}["license"] != "stale"
    with running.hub.database.write() as db:
        repo = find_repository(db, "model", "ada/model")
        commit(db, repo, running.actor("ada"), [Put("new.txt", b"new")], Message("second"))
    after = client.get("/ada/model.json").json()
    assert after["head"]["audited"] is None
    assert [claim["kind"] for claim in after["claims"]] == [claim["kind"] for claim in before["claims"]]
    assert {claim["status"] for claim in after["claims"]} == {"stale"}
    assert after["head"]["look"] == len(after["claims"])
    assert client.get("/ada/model", headers={"Accept": "text/html"}).status_code == 200
    running.audit_all()
    assert client.get("/ada/model.json").json()["claims"] == before["claims"]
