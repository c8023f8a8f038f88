"""Contexts of repositories: decided live, written down when they come out differently, and a gate before the files."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from starlette.testclient import TestClient

from hallmarked.hub.change.commit import Message, Put, commit
from hallmarked.hub.change.creation import create
from hallmarked.hub.repository.repository import find_repository
from hallmarked.hub.review.judgement import redecide_due
from hallmarked.hub.schema.repository import revision
from hallmarked.hub.schema.review import event, judgement
from hallmarked.hub.setting import Settings, Storage
from hallmarked.web.app import create_app
from tests.hub.evidence import push
from tests.hub.signer import Signer, about, measured
from tests.hubs import RunningHub, open_test_hub

API = "/api/models/ada/model"
FILE = "/ada/model/resolve/main/config.json"
POLICY = """
[context.triage]
title = { en = "Triage in a hospital" }
fail_on = "error"
waived_by = ["hub"]
may_be_unknown = ["malware"]

[[context.triage.require]]
id = "recall"
claim = "eval.recall"
op = ">="
value = "0.95"
max_age = "30d"
by = ["auditor"]

[context.research]
title = { en = "Research" }
fail_on = "error"
checks = ["inventory"]
may_be_unknown = ["malware"]
"""


def settings(folder: Path, **policy: Any) -> Settings:
    (folder / "policies").mkdir(exist_ok=True)
    (folder / "policies" / "ours.toml").write_text(POLICY)
    made = Settings(storage=Storage(data=str(folder / "data")))
    return replace(made, policy=replace(made.policy, folder=str(folder / "policies"), **policy))


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RunningHub]:
    """Make a hub whose only model was audited, and close it: each test begins with a copy."""
    folder = tmp_path_factory.mktemp("audited")
    with open_test_hub(folder, settings(folder)) as made:
        ada = made.actor("ada")
        with made.hub.database.write() as db:
            repo = create(db, ada, "model", "model")
            files = [Put("README.md", b"---\nlicense: mit\n---\n# A model\n"), Put("config.json", b"{}")]
            commit(db, repo, ada, files, Message("first"))
        made.audit_all()
        for name in ("bob", "root"):
            made.person(name, administrator=name == "root")
    return folder, made


@pytest.fixture
def running(tmp_path: Path, audited: tuple[Path, RunningHub]) -> Iterator[RunningHub]:
    shutil.copytree(audited[0], tmp_path, dirs_exist_ok=True)
    with open_test_hub(tmp_path, settings(tmp_path)) as made:
        made.tokens, made.actors = dict(audited[1].tokens), dict(audited[1].actors)
        yield made


@pytest.fixture
def client(running: RunningHub) -> TestClient:
    return TestClient(create_app(running.hub))


@pytest.fixture
def auditor(tmp_path: Path, running: RunningHub) -> Signer:
    signer = Signer(tmp_path / "auditor", "Example Auditors")
    signer.register(running)
    return signer


def bearer(running: RunningHub, name: str, **options: bool) -> dict[str, str]:
    return {"Authorization": f"Bearer {running.person(name, **options)}"}


def choose(running: RunningHub, client: TestClient, **body: Any) -> Any:
    return client.put(f"{API}/contexts", json=body, headers=bearer(running, "ada"))


def bring(running: RunningHub, client: TestClient, signer: Signer, value: str, time: datetime | None = None) -> None:
    with running.hub.database.read() as db:
        data = signer.sign([measured(about(db, "ada/model"), value)], time)
    client.post(f"{API}/evidence", content=data, headers=bearer(running, "bob")).raise_for_status()


def decided(client: TestClient, context: str) -> Mapping[str, Any]:
    answer = client.get(f"{API}/decision?context={context}")
    assert answer.status_code == 200, answer.text
    told: Mapping[str, Any] = answer.json()
    return told


def gets_file(running: RunningHub, client: TestClient, name: str = "bob") -> bool:
    return client.get(FILE, headers=bearer(running, name)).status_code == 200


def test_one_model_two_verdicts(running: RunningHub, client: TestClient, auditor: Signer) -> None:
    """The same revision passes in one context and not in another, each with a reason for every requirement."""
    assert decided(client, "research")["outcome"] == "pass"
    told = decided(client, "triage")
    assert told["outcome"] == "unknown"
    assert any("recall" in reason and "nothing is stated" in reason for reason in told["reasons"])
    bring(running, client, auditor, "0.97")
    told = decided(client, "triage")
    assert (told["outcome"], told["reasons"]) == ("pass", [])
    assert {row["id"]: row["outcome"] for row in told["statement"]["predicate"]["requirements"]}["recall"] == "met"
    assert told["until"] is not None
    assert client.get(f"{API}/decision?context=nothing").status_code == 400
    assert client.get(f"{API}/decision").json()["context"] == "default"


def test_the_page_judges_as_the_gate_does(tmp_path: Path, running: RunningHub) -> None:
    """Contexts of the operator are on the page, and what it shows without being asked is what pushes are judged for."""
    running.hub.close()
    with open_test_hub(tmp_path, settings(tmp_path, context="triage")) as made:
        client = TestClient(create_app(made.hub))
        assert "Triage in a hospital" in client.get("/ada/model/uses").text
        page = client.get("/ada/model/uses", params={"context": "research"})
        assert page.status_code == 200
        assert "Research" in page.text


def test_the_gate_opens_and_closes_with_the_evidence(running: RunningHub, client: TestClient, auditor: Signer) -> None:
    """Others get files while the context passes, and are told else what would let it; its own people always do."""
    assert gets_file(running, client)
    assert choose(running, client, contexts=["triage"], gates=["triage"]).status_code == 200
    refused = client.get(FILE, headers=bearer(running, "bob"))
    assert refused.status_code == 403
    assert "does not pass in the context triage: recall" in refused.json()["error"]
    assert "signed evidence of it would change that" in refused.json()["error"]
    assert gets_file(running, client, "ada")
    bring(running, client, auditor, "0.97")
    assert gets_file(running, client)
    bring(running, client, auditor, "0.90")
    assert not gets_file(running, client)
    entry = decided(client, "triage")["entry"]
    assert entry is not None
    outcomes = [
        one["predicateType"] for one in client.get(f"{API}/evidence").json()["evidence"] if one["role"] == "hub"
    ]
    assert len(outcomes) >= 3
    assert client.get("/ada/model/evidence/main.json").status_code == 200


def test_what_runs_out(running: RunningHub, client: TestClient, auditor: Signer) -> None:
    """When what a decision rests on is too old, others get no files from then on, though nothing else happens."""
    choose(running, client, contexts=["triage"], gates=["triage"])
    bring(running, client, auditor, "0.97", datetime.now(UTC) - timedelta(days=29))
    assert gets_file(running, client)
    with running.hub.database.write() as db:  # as if the day had come
        db.execute(update(revision).where(revision.c.until.is_not(None)).values(until=1))
        db.execute(update(judgement).values(until=1))
    refused = client.get(FILE, headers=bearer(running, "bob"))
    assert refused.status_code == 403
    assert "ran out" in refused.json()["error"]
    assert redecide_due(running.hub) > 0
    assert gets_file(running, client)  # decided again: by the clock it holds
    assert redecide_due(running.hub) == 0


def test_a_push_is_judged_before_anybody_gets_it(running: RunningHub, client: TestClient, auditor: Signer) -> None:
    """Of a repository with a gate even files that cannot do harm wait until the new revision was judged."""
    choose(running, client, contexts=["triage"], gates=["triage"])
    bring(running, client, auditor, "0.97")
    with running.hub.database.write() as db:
        repo = find_repository(db, "model", "ada/model")
        commit(db, repo, running.actor("ada"), [Put("new.txt", b"new")], Message("second"))
    assert not gets_file(running, client)
    running.audit_all()
    refused = client.get(FILE, headers=bearer(running, "bob"))
    assert "about other bytes than the ones here now" in refused.json()["error"]
    bring(running, client, auditor, "0.98")
    assert gets_file(running, client)


def test_a_waiver_opens_and_a_dispute_closes(running: RunningHub, client: TestClient, auditor: Signer) -> None:
    """A waiver of somebody whose word counts there lets it pass until its day; a dispute holds it back."""
    choose(running, client, contexts=["triage"], gates=["triage"])
    waiver = {"context": "triage", "requirement": "recall", "until": "2099-01-01", "reason": "a test set is on its way"}
    body = {"kind": "waiver", "record": waiver}
    client.post(f"{API}/records", json=body, headers=bearer(running, "ada")).raise_for_status()
    assert not gets_file(running, client)  # the maker's word does not count there
    client.post(f"{API}/records", json=body, headers=bearer(running, "root", administrator=True)).raise_for_status()
    assert gets_file(running, client)
    assert decided(client, "triage")["until"].startswith("2099-01-01")


def test_asking_less_takes_a_decision(running: RunningHub, client: TestClient) -> None:
    """Contexts and gates are added at once; who takes one away names a decision that was filed about it."""
    assert choose(running, client, contexts=["triage", "research"], gates=["triage"]).status_code == 200
    for less in ({"contexts": ["triage"], "gates": ["triage"]}, {"contexts": ["triage", "research"], "gates": []}):
        refused = choose(running, client, **less)
        assert refused.status_code == 400
        assert "needs the id of a decision" in refused.json()["error"]
    assert "there is no decision d-1" in choose(running, client, contexts=[], decision="d-1").json()["error"]
    options = [{"name": "keep"}, {"name": "drop"}]
    said = {
        "id": "d-1",
        "title": "Whether it stays",
        "options": options,
        "chosen": "drop",
        "tradeoff": "Less is known.",
    }
    filed = client.post(f"{API}/records", json={"kind": "decision", "record": said}, headers=bearer(running, "ada"))
    assert filed.status_code == 201
    assert not gets_file(running, client)
    told = choose(running, client, contexts=["research"], decision="d-1")
    assert (told.status_code, told.json()["contexts"], told.json()["gates"]) == (200, ["research"], [])
    assert gets_file(running, client)


def test_a_gate_names_the_decision_that_changed_it(running: RunningHub, client: TestClient) -> None:
    """Whoever changes who gets files can say by which decision; one that was not filed is refused."""
    body = {"gated": "manual", "decision": "d-9"}
    refused = client.put(f"{API}/settings", json=body, headers=bearer(running, "ada"))
    assert (refused.status_code, "there is no decision d-9" in refused.json()["error"]) == (400, True)
    options = [{"name": "open"}, {"name": "ask"}]
    said = {"id": "d-9", "title": "Who gets it", "options": options, "chosen": "ask", "tradeoff": "Fewer people."}
    client.post(f"{API}/records", json={"kind": "decision", "record": said}, headers=bearer(running, "ada"))
    assert client.put(f"{API}/settings", json=body, headers=bearer(running, "ada")).status_code == 200
    with running.hub.database.read() as db:
        tags = {row.tag: row.data for row in db.execute(select(event.c.tag, event.c.data))}
    assert tags["repository:change:decided"] == {"what": "gate", "decision": "d-9"}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"contexts": ["nothing"]}, "there is no context nothing"),
        ({"contexts": [], "gates": ["triage"]}, "is not among"),
        ({"contexts": "triage"}, "has to be a list"),
        ({"contexts": [1]}, "has to be a list"),
    ],
)
def test_what_cannot_be_chosen(running: RunningHub, client: TestClient, body: Mapping[str, Any], said: str) -> None:
    """A context that is not there, or a gate that is not judged, is refused with a reason."""
    refused = choose(running, client, **body)
    if said == "is not among":
        said = "triage is a gate, and not among the contexts"
    assert refused.status_code == 400
    assert said in refused.json()["error"]


def test_what_an_audit_holds_back_no_context_lets_go(running: RunningHub, client: TestClient) -> None:
    """A finding of the hub's own audit holds a revision back whatever contexts say."""
    with running.hub.database.write() as db:
        repo = find_repository(db, "model", "ada/model")
        commit(db, repo, running.actor("ada"), [Put("m.pkl", b"cos\nsystem\n(S'true'\ntR.")], Message("bad"))
    running.audit_all()
    assert not gets_file(running, client)
    choose(running, client, contexts=["research"], gates=["research"])
    assert "does not pass" not in client.get(FILE, headers=bearer(running, "bob")).json()["error"]
    assert not gets_file(running, client)


def test_the_operator_asks_for_a_context(tmp_path: Path, auditor: Signer, running: RunningHub) -> None:
    """A context that the operator requires holds back what does not pass in it, also what was there before."""
    assert running.hub is not None
    asked = settings(tmp_path, required=("triage",))
    with open_test_hub(tmp_path, asked) as strict:
        client = TestClient(create_app(strict.hub))
        strict.tokens, strict.actors = running.tokens, running.actors
        assert redecide_due(strict.hub) > 0
        assert not gets_file(strict, client)
        assert client.get(f"{API}/contexts").json()["required"] == ["triage"]
        bring(strict, client, auditor, "0.97")
        assert gets_file(strict, client)


def test_a_changed_policy_decides_anew(
    running: RunningHub, client: TestClient, auditor: Signer, tmp_path: Path
) -> None:
    """When the operator changes a context, repositories are judged by it; the old decision keeps its digest."""
    choose(running, client, contexts=["triage"], gates=["triage"])
    bring(running, client, auditor, "0.97")
    before = decided(client, "triage")
    (tmp_path / "policies" / "ours.toml").write_text(POLICY.replace("0.95", "0.99"))
    assert redecide_due(running.hub) > 0
    after = decided(client, "triage")
    assert (before["outcome"], after["outcome"]) == ("pass", "fail")
    assert not gets_file(running, client)
    policies = [told["statement"]["predicate"]["verifier"]["policies"] for told in (before, after)]
    assert policies[0] != policies[1]
    with running.hub.database.read() as db:
        assert db.execute(select(judgement.c.outcome).where(judgement.c.entry == after["entry"])).scalar() == "fail"


def test_on_postgres(tmp_path: Path, postgres_url: str) -> None:
    """With PostgreSQL contexts are chosen, decided and written down likewise."""
    made = settings(tmp_path)
    made = replace(made, storage=replace(made.storage, database=postgres_url))
    with open_test_hub(tmp_path, made) as running:
        push(running)
        running.audit_all()
        client = TestClient(create_app(running.hub))
        auditor = Signer(tmp_path / "auditor", "Example Auditors")
        auditor.register(running)
        choose(running, client, contexts=["triage"], gates=["triage"]).raise_for_status()
        bring(running, client, auditor, "0.97")
        told = decided(client, "triage")
        assert told["entry"] is not None
        assert redecide_due(running.hub) == 0
