"""People who do not program choose contexts, file records and bring evidence in a browser without scripts."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy import insert

from hallmarked.hub.access import Role
from hallmarked.hub.change.commit import Message, Put, commit
from hallmarked.hub.change.creation import create
from hallmarked.hub.repository.repository import find_repository
from hallmarked.hub.review.attested import gather
from hallmarked.hub.schema.repository import collaborator
from hallmarked.ledger.verify import verify_bundle
from hallmarked.records.decision import Decision
from hallmarked.records.record import records
from hallmarked.records.stage import Stage
from tests.cards.view.example import CARD
from tests.hub.signer import Signer, about, measured
from tests.hubs import RunningHub, open_test_hub
from tests.web.reading import check_document
from tests.web.test_context import settings
from tests.web.test_form import Browser
from tests.web.test_manage import browser

BASE = "/ada/model"


@pytest.fixture
def running(tmp_path: Path) -> Iterator[RunningHub]:
    with open_test_hub(tmp_path, settings(tmp_path)) as made:
        ada = made.actor("ada")
        with made.hub.database.write() as db:
            repo = create(db, ada, "model", "model")
            commit(db, repo, ada, [Put("README.md", CARD.encode())], Message("first"))
        for name, role in (("will", Role.WRITER), ("rita", Role.REVIEWER), ("otto", Role.AUDITOR)):
            who = made.actor(name).account_id
            with made.hub.database.write() as db:
                db.execute(insert(collaborator).values(repository_id=repo.id, account_id=who, role=role, created=0))
        made.person("root", administrator=True)
        made.person("bob")
        yield made


def head(running: RunningHub) -> str:
    with running.hub.database.read() as db:
        return about(db, "ada/model").digest["gitCommit"]


def form(running: RunningHub) -> str:
    return f"{BASE}/record/{head(running)}"


def stated(running: RunningHub) -> list[str]:
    """Return the types of what is stated, and by whom."""
    with running.hub.database.read() as db:
        repo = find_repository(db, "model", "ada/model")
        found = gather(running.hub, db, repo).attestations
    records_ = [(one, one.statement.predicate_type.split(":")) for one in found if one.role != "hub"]
    return [f"{kind[-2]} {one.role} {one.signer}" for one, kind in records_ if kind[0] == "urn"]


def upload(opened: Browser, data: bytes, status: int, name: str = "file") -> str:
    """Send a file with the form of the page that is open, as a browser does: the fields in the order of the page."""
    token = re.search(r'name="csrf" value="([^"]+)"', opened.text)
    assert token
    assert 'enctype="multipart/form-data"' in opened.text
    edge = b"----edge"
    parts = [(b'name="csrf"', token[1].encode()), (f'name="{name}"; filename="evidence.json"'.encode(), data)]
    body = b"".join(b"--%b\r\nContent-Disposition: form-data; %b\r\n\r\n%b\r\n" % (edge, *part) for part in parts)
    headers = {"Content-Type": "multipart/form-data; boundary=" + edge.decode()}
    answer = opened.client.post(f"{BASE}/bring", content=body + b"--" + edge + b"--\r\n", headers=headers)
    assert answer.status_code == status, check_document(answer.text, "en").words
    opened.text = answer.text
    return check_document(answer.text, "en").words


def forged(data: bytes) -> bytes:
    """Change what the first statement of an evidence file says, and leave its signature."""
    file = json.loads(data)
    envelope = file["entries"][0]["bundle"]["dsseEnvelope"]
    said = base64.b64decode(envelope["payload"]).replace(b"0.97", b"0.99")
    envelope["payload"] = base64.b64encode(said).decode()
    return json.dumps(file).encode()


def test_a_claim_is_disputed_and_taken_back(running: RunningHub) -> None:
    """From the claim to a form that is filled in, to the sentence that was signed and the place to check it."""
    running.audit_all()
    otto = browser(running, "otto")
    otto.open(f"{BASE}/claim/main?id=recall-worst")
    assert f'{form(running)}?kind=dispute&amp;about=recall-worst"' in otto.text
    assert "kind=withdrawal" not in otto.text  # an auditor takes no claim of others back
    otto.open(f"{form(running)}?kind=dispute&about=recall-worst")
    assert 'name="about" required maxlength="300" pattern="\\S+" value="recall-worst"' in otto.text
    assert "the community" in check_document(otto.text, "en").words
    answer = otto.client.post(form(running), data=_fields(otto, about="recall-worst", reason="Not our patients."))
    assert answer.history[0].status_code == 303
    words = check_document(answer.text, "en").words
    assert "otto disputes recall-worst: Not our patients." in words
    assert "This hub signed it for otto, whose word counts as that of the community" in words
    assert re.search(r'href="/ledger/entry/\d+"', answer.text)
    assert f"{BASE}/evidence/{head(running)}.json" in answer.text
    twin = otto.client.get(str(answer.url.path).replace("/filed/", "/filed.json/")).json()
    assert twin["said"]["sentence"] == "otto disputes recall-worst: Not our patients."
    ada = browser(running, "ada")
    assert "otto opened a dispute" in ada.open(f"{BASE}/claim/main?id=recall-worst")
    assert "kind=withdrawal&amp;claim=recall-worst" in ada.text
    ada.open(f"{form(running)}?kind=withdrawal&claim=recall-worst")
    assert "ada withdraws the claim recall-worst: Wrong." in ada.send(
        form(running), claim="recall-worst", reason="Wrong."
    )
    assert "Withdrawn" in ada.open(BASE)
    assert stated(running)[-2:] == ["dispute community otto", "withdrawal maker ada"]


def _fields(opened: Browser, **fields: str) -> dict[str, str]:
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', opened.text))
    return hidden | fields


def test_who_may_is_not_for_pages_to_say(running: RunningHub) -> None:
    """Each sees what they may file, and a form that somebody makes up files nothing that they may not."""
    offered = {
        "ada": ["decision", "dispute", "stage", "waiver", "withdrawal"],
        "will": ["decision", "dispute", "stage"],
        "rita": ["decision", "dispute", "waiver"],
        "otto": ["dispute"],
    }
    for name, kinds in offered.items():
        opened = browser(running, name)
        opened.open(f"{BASE}/record/main")
        assert sorted(set(re.findall(r"\?kind=(\w+)", opened.text))) == kinds
    bob = browser(running, "bob")
    bob.open(f"{BASE}/record/main", 403)
    bob.open(BASE)
    assert "Dispute this" not in bob.text
    will = browser(running, "will")
    will.open(f"{BASE}/record/main?kind=dispute")
    token = _fields(will)["csrf"]
    sent = {"csrf": token, "kind": "withdrawal", "claim": "recall-worst", "reason": "no"}
    assert will.client.post(form(running), data=sent).status_code == 403
    assert will.client.post(form(running), data={**sent, "csrf": "0" * 64}).status_code == 403
    assert stated(running) == []


def test_a_requirement_is_waived_where_that_counts(running: RunningHub) -> None:
    """Who may is led there from the requirement; whose word does not count there is told so before they sign."""
    ada = browser(running, "ada")
    ada.open(f"{BASE}/uses?context=triage")
    link = re.search(r'href="([^"]+kind=waiver[^"]+)"', ada.text)
    assert link
    address = link[1].replace("&amp;", "&")
    assert "It would not count" in ada.open(address)
    root = browser(running, "root")
    assert "It would not count" not in root.open(address)
    fields = {"context": "triage", "requirement": "recall", "reason": "A test set is on its way."}
    words = root.send(form(running), 400, **fields, until="soon")
    assert "until" in words
    assert "Nothing was changed" in words
    assert "A test set is on its way." in root.text  # what was written is not lost
    words = root.send(form(running), **fields, until="2099-01-01")
    assert "root waives recall in the context triage until 2099-01-01: A test set is on its way." in words
    root.open(f"{BASE}/uses?context=triage")
    assert "Waived until" in root.text
    root.open(address)
    assert "exactly this was filed already" in root.send(form(running), 409, **fields, until="2099-01-01").lower()
    bob = browser(running, "bob")
    bob.open(f"{BASE}/uses?context=triage")
    assert "kind=waiver" not in bob.text


def test_who_did_a_stage(running: RunningHub) -> None:
    """An owner says who did a stage, led there from the origin; it is read back as a record of that stage."""
    ada = browser(running, "ada")
    ada.open(f"{BASE}/lineage")
    assert f'{form(running)}?kind=stage"' in ada.text
    ada.open(f"{form(running)}?kind=stage")
    fields = {"stage": "trained", "by": "Example Team", "time": "2026-01-31", "method": "", "contact": ""}
    assert "Example Team trained it, 2026-01-31" in ada.send(form(running), **fields)
    with running.hub.database.read() as db:
        (one,) = records(Stage, gather(running.hub, db, find_repository(db, "model", "ada/model")).attestations)
    assert (one.record.by, one.record.method, one.source.role) == ("Example Team", "", "maker")


def test_contexts_are_chosen_and_loosened_with_a_decision(running: RunningHub) -> None:
    """More is asked at once; less only with a decision that is written in the same form, signed and shown."""
    ada = browser(running, "ada")
    assert "Triage in a hospital" in ada.open(f"{BASE}/contexts")
    ada.send(f"{BASE}/contexts", **{"use-triage": "gate", "use-research": "judged"})
    chosen = ada.client.get(f"{BASE}/contexts.json").json()
    assert {one["name"]: one["chosen"] for one in chosen["choices"] if one["chosen"]} == {
        "triage": "gate",
        "research": "judged",
    }
    words = ada.send(f"{BASE}/contexts", 400, **{"use-triage": "judged", "use-research": "judged"})
    assert "write the decision down" in words
    assert "No longer asked: the gate of triage" in words
    assert '<option value="judged" selected>' in ada.text  # what was chosen is not lost
    decision = {"title": "Whether research may begin", "chosen": "open it", "other": "wait", "tradeoff": "Less tested."}
    less = {"use-triage": "judged", "use-research": "judged"}
    assert "Nothing was changed" in ada.send(f"{BASE}/contexts", 400, **less, **{**decision, "other": ""})
    assert stated(running) == []
    words = ada.send(f"{BASE}/contexts", **less, **decision)
    assert "ada decided on" in words
    assert "Whether research may begin: open it, not wait" in words
    with running.hub.database.read() as db:
        repo = find_repository(db, "model", "ada/model")
        (one,) = records(Decision, gather(running.hub, db, repo).attestations)
    assert (repo.contexts, repo.gates) == (("triage", "research"), ())
    assert [(each.kind, each.name) for each in one.record.decides] == [("gate", "triage")]
    for name in ("rita", "bob"):
        opened = browser(running, name)
        opened.open(f"{BASE}/contexts")
        assert "<select name=" not in opened.text.partition("<main")[2]
    assert "There is no context" in ada.send(f"{BASE}/contexts", 400, **{"use-nothing": "judged"})


def test_evidence_is_brought(running: RunningHub, tmp_path: Path) -> None:
    """A file that holds is taken in and shown with its signer; of others one sentence says why not, and nothing is."""
    bob = browser(running, "bob")
    bob.open(f"{BASE}/bring")
    auditor = Signer(tmp_path / "auditor", "Example Auditors")
    with running.hub.database.read() as db:
        data = auditor.sign([measured(about(db, "ada/model"), "0.97")])
    words = upload(bob, data, 403)
    assert "does not count here" in words
    assert "whoever runs this hub can add it" in words
    auditor.register(running)
    assert "This evidence does not hold" in upload(bob, forged(data), 400)
    assert "Choose a file first" in upload(bob, b"", 400)
    assert "Choose a file first" in upload(bob, data, 400, name="other")
    assert stated(running) == []
    words = upload(bob, data, 201)
    assert "1 new statement." in words
    assert "eval.recall = 0.97" in words
    assert "Example Auditors signed it; that counts as the word of an auditor" in words
    assert "1 was here already." in upload(bob, data, 200)
    with running.hub.database.read() as db:
        assert len(gather(running.hub, db, find_repository(db, "model", "ada/model")).attestations) == 1
    Browser(running).open(f"{BASE}/bring", 401)
    file = bob.client.get(f"{BASE}/evidence/{head(running)}.json").content
    assert verify_bundle(file, running.hub.journal.trusted()).entries


def test_a_file_that_is_too_large_is_refused(running: RunningHub) -> None:
    """No more than such a file may have is read, whatever the form says."""
    bob = browser(running, "bob")
    bob.open(f"{BASE}/bring")
    token = _fields(bob)["csrf"]
    part = f'--e\r\nContent-Disposition: form-data; name="csrf"\r\n\r\n{token}\r\n--e\r\n'.encode()
    headers = {"Content-Type": "multipart/form-data; boundary=e"}
    assert bob.client.post(f"{BASE}/bring", content=part + b"x" * (9 << 20), headers=headers).status_code == 413
    assert bob.client.post(f"{BASE}/bring", content=part + b"x: \xff", headers=headers).status_code == 400
    plain = {"csrf": token, "file": "x"}
    assert bob.client.post(f"{BASE}/bring", data=plain).status_code == 400


def test_a_name_in_an_address_stays_text(running: RunningHub) -> None:
    """What a link fills into a form is text there, however it is written."""
    ada = browser(running, "ada")
    hostile = quote('"><script>x</script>')
    ada.open(f"{form(running)}?kind=dispute&about={hostile}")
    assert "<script>x" not in ada.text
    ada.open(f"{form(running)}?kind=nothing&about=x")
    assert "What do you want to state?" in check_document(ada.text, "en").words
    ada.open(f"{BASE}/filed/{'0' * 24}", 404)
