"""``hallmarked consent`` and ``hallmarked admin consent``: the asker's side, and that of whoever runs the hub."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from hallmarked.corpus.consent.key import load_key
from hallmarked.corpus.consent.list import ConsentList
from hallmarked.corpus.consent.match import Row
from hallmarked.corpus.consent.record import Mode, Said, Scope
from hallmarked.corpus.consent.selector import Kind, file_digest, make_selector, text_digest
from hallmarked.hub.change.commit import Message, Put, commit
from hallmarked.hub.change.creation import create
from hallmarked.hub.consent.request import Filed, Wish, file_request, find_request
from hallmarked.hub.consent.subject import Right, answer_of, file_subject_request
from hallmarked.hub.repository.repository import find_repository
from hallmarked.ledger.trust import load_trust
from tests.cli.support import Shell
from tests.hubs import RunningHub, open_test_hub, serve_test_hub

ADA = "ada@example.org"


def filed(running: RunningHub) -> Filed:
    return file_request(running.hub, Wish(Scope(Mode.OPT_OUT), [make_selector(Kind.ACCOUNT, ADA)]))


def test_a_receipt_is_verified_without_a_network(shell: Shell, tmp_path: Path) -> None:
    """Intact and trusted with the hub's keys; intact but unknown without; and the evidence in it verifies by itself."""
    path, trust, evidence = tmp_path / "receipt.json", tmp_path / "trust.json", tmp_path / "evidence.json"
    with open_test_hub(tmp_path) as running:
        path.write_bytes(filed(running).receipt)
        trust.write_bytes(running.hub.journal.trust())
    done = shell("consent", "verify", path, "--trust", trust, "--evidence", evidence)
    assert done.status == 0
    assert f"account: {ADA}" in done.out
    for carrier in (path, evidence):
        done = shell("verify", carrier, "--trust", trust)
        assert (done.status, ADA in done.out) == (2, False)  # 2: there are no files to compare it with
        assert "✖" not in done.out
    assert ADA not in evidence.read_text()
    assert shell("consent", "verify", path).status == 2
    found = shell("consent", "verify", path, "--trust", trust, "--format", "json").json
    assert (found["trusted"], found["request"]["action"]) == (True, "opt-out")
    row = json.loads(path.read_text())
    row["request"]["selectors"][0]["value"] = "bea@example.org"
    path.write_text(json.dumps(row))
    assert "other selectors" in shell("consent", "verify", path, "--trust", trust).refused(1)
    path.write_text("{}")
    shell("consent", "verify", path).refused(1)


def test_digests_are_those_of_the_registry(shell: Shell, tmp_path: Path) -> None:
    """Of a text and of a file; what is neither is refused."""
    path = tmp_path / "work"
    path.write_text("Some  Work\n")
    assert shell("consent", "digest", path).out.strip() == file_digest(path.read_bytes())
    assert shell("consent", "digest", "--text", path).out.strip() == text_digest("some work")
    path.write_bytes(b"\xff")
    assert "UTF-8" in shell("consent", "digest", "--text", path).refused()
    shell("consent", "digest", tmp_path / "none").refused()


@pytest.mark.enable_socket
def test_a_name_is_looked_up_privately(shell: Shell, tmp_path: Path) -> None:
    """Over a real connection; the name is in nothing that was sent, and not in the hub's answer."""
    sent: list[bytes] = []

    def listen(app):  # type: ignore[no-untyped-def]
        async def watched(scope, receive, send):  # type: ignore[no-untyped-def]
            async def hear():  # type: ignore[no-untyped-def]
                message = await receive()
                sent.append(message.get("body", b""))
                return message

            sent.append(str(scope).encode())
            await app(scope, hear, send)

        return watched

    with serve_test_hub(tmp_path, wrap=listen) as running:
        stored = find_request(running.hub, filed(running).code)
        assert (
            shell("admin", "--data", tmp_path / "data", "consent", "confirm", stored.id, "--note", "known").status == 0
        )
        done = shell("consent", "lookup", "--hub", running.url, "account", ADA.upper(), "eva@example.org")
        assert done.status == 1
        assert done.out.splitlines() == [f"{ADA.upper()}: opt-out", "eva@example.org: not in the registry"]
        assert shell("consent", "lookup", "--hub", running.url, "account", ADA, "--format", "json").json == [
            {"name": ADA, "decision": "opt-out"}
        ]
    assert not [data for data in sent if b"ada@" in data.lower() or b"eva@" in data.lower()]
    assert "did not answer" in shell("consent", "lookup", "--hub", running.url, "account", ADA).refused()


@pytest.fixture
def letters(tmp_path: Path) -> Iterator[RunningHub]:
    with open_test_hub(tmp_path) as running:
        ada = running.actor("ada")
        rows = [{"text": f"letter {number}", "to": ADA if number % 10 == 3 else "nobody"} for number in range(50)]
        with running.hub.database.write() as db:
            create(db, ada, "dataset", "letters")
        with running.hub.database.write() as db:
            put = Put("rows.jsonl", "\n".join(map(json.dumps, rows)).encode())
            commit(db, find_repository(db, "dataset", "ada/letters"), ada, [put], Message("rows"))
        yield running


def test_a_request_for_access_is_worked_on(shell: Shell, letters: RunningHub, tmp_path: Path) -> None:
    """Listed with its clock, confirmed, extended, searched for, decided; whoever asked gets every row of theirs."""
    made = file_subject_request(letters.hub, Right.ACCESS, [make_selector(Kind.ACCOUNT, ADA)], "my letters")
    stored = find_request(letters.hub, made.code)
    admin = ("admin", "--data", tmp_path / "data", "consent")
    assert stored.id in shell(*admin, "list").out
    (row,) = shell(*admin, "list", "--format", "json").json
    assert (row["action"], row["clock"]) == ("access", "open")
    shown = shell(*admin, "show", stored.id).json
    assert (shown["text"], shown["about"]) == ("my letters", [{"kind": "account", "value": ADA}])
    assert shell(*admin, "extend", stored.id, "--reason", "many").status == 0
    rows = tmp_path / "rows.jsonl"
    assert shell(*admin, "search", stored.id, rows, "--repository", "ada/letters").status == 0
    found = [json.loads(line) for line in rows.read_text().splitlines()]
    assert [one["row"] for one in found] == [4, 14, 24, 34, 44]
    assert {one["dataset"] for one in found} == {"ada/letters"}
    assert rows.stat().st_mode & 0o077 == 0
    assert "exists" in shell(*admin, "search", stored.id, rows, "--repository", "ada/letters").refused()
    decide = (*admin, "decide", stored.id, "--reason", "all of it", "--rows", rows)
    assert "nobody proved" in shell(*decide).refused()
    assert shell(*admin, "confirm", stored.id, "--note", "met in person").status == 0
    assert shell(*decide).status == 0
    assert len(answer_of(letters.hub, made.code).splitlines()) == 5
    assert shell(*admin, "list").out == ""
    shell(*admin, "show", "none").refused()


def test_builds_get_the_list_and_the_key(shell: Shell, letters: RunningHub, tmp_path: Path) -> None:
    """Together they match rows; after the keys are renewed, the old key fits the new list no more."""
    stored = find_request(letters.hub, filed(letters).code)
    admin = ("admin", "--data", tmp_path / "data", "consent")
    shell(*admin, "confirm", stored.id, "--note", "known")
    names = [(tmp_path / f"list{number}", tmp_path / f"key{number}") for number in range(2)]
    for number, (file, key) in enumerate(names):
        assert shell(*admin, "export", file).status == 0
        assert shell(*admin, "key", key).status == 0
        trust = load_trust(letters.hub.journal.trust())
        consents = ConsentList.load(file.read_bytes(), load_key(key), trust)
        assert consents.decide(Row(account=ADA)).said is Said.DENIED
        if not number:
            assert "never overwritten" in shell(*admin, "key", key).refused()
            assert shell(*admin, "renew-keys").status == 0
