"""Deciding on this machine about a revision on a hub, over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hallmarked.core.evidence import Statement, Subject
from hallmarked.hub.change.commit import Message, Put, commit
from hallmarked.hub.change.creation import create
from hallmarked.hub.repository.repository import find_repository
from hallmarked.hub.repository.revision import Revision
from hallmarked.hub.review.outside import take_in
from hallmarked.ledger.trust import Role, Trust, dump_trust
from tests.cli.support import Done, Shell
from tests.hub.signer import Signer, about, measured
from tests.hubs import RunningHub, serve_test_hub
from tests.web.test_context import POLICY, settings

pytestmark = pytest.mark.enable_socket
NAME = "ada/model"


class Place:
    """A hub with one audited model, an auditor, and the user's own policy and trust file."""

    def __init__(self, running: RunningHub, folder: Path, shell: Shell) -> None:
        self.running, self.folder, self.shell = running, folder, shell
        ada = running.actor("ada")
        with running.hub.database.write() as db:
            repo = create(db, ada, "model", "model")
            self.at: Revision = commit(db, repo, ada, [Put("README.md", b"# A model\n")], Message("first"))
        running.audit_all()
        self.auditor = Signer(folder / "auditor", "Example Auditors")
        self.auditor.register(running)
        (folder / "mine.toml").write_text(POLICY)
        trust = self.auditor.ledger.trust
        keys = [key if key.role is Role.LOG else replace(key, role=Role.AUDITOR) for key in trust.keys]
        (folder / "trust.json").write_bytes(dump_trust(Trust(tuple(keys))))

    def bring(self, value: str, files_alone: bool = False) -> None:
        """Let the auditor bring a recall."""
        with self.running.hub.database.write() as db:
            subject = about(db, NAME)
            if files_alone:
                subject = Subject("model", {"dirHash": subject.digest["dirHash"]})
            statement: Statement = measured(subject, value)
            repo = find_repository(db, "model", NAME)
            take_in(self.running.hub, db, self.running.actor("ada"), repo, self.auditor.sign([statement]))

    def decide(self, *more: str, context: str = "triage", revision: str = "") -> Done:
        """Decide about the model."""
        return self.shell(
            "policy", "decide", f"hf://{NAME}{revision}", "--context", context, "--endpoint", self.running.url,
            "--policy", self.folder / "mine.toml", *more,
        )  # fmt: skip

    @property
    def trusting(self) -> tuple[str, ...]:
        return "--trust", str(self.folder / "trust.json"), "--key", self.running.hub.journal.keyid


@pytest.fixture
def place(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    shell = Shell(tmp_path, capsys, monkeypatch)
    shell.set(HF_TOKEN=None, HF_ENDPOINT=None, http_proxy=None, HTTP_PROXY=None)
    with serve_test_hub(tmp_path, settings=settings(tmp_path)) as running:
        yield Place(running, tmp_path, shell)


def test_a_gate_decides_by_what_a_hub_hands_out(place: Place) -> None:
    """Missing is 2; enough is 0, also when the auditor names the files alone; too little is 1; strangers are nobody."""
    missing = place.decide(*place.trusting)
    assert (missing.status, "missing         recall" in missing.out) == (2, True), missing
    place.bring("0.97", files_alone=True)
    for revision in ("", "@main", f"@{place.at.oid}"):
        met = place.decide(*place.trusting, revision=revision)
        assert met.status == 0, met
        assert "the hub decides pass, by the same policy" in met.out
    assert place.decide("--key", place.running.hub.journal.keyid).status == 2  # the auditor is nobody
    assert place.decide().status == 2
    place.bring("0.90")
    assert place.decide(*place.trusting).status == 1


def test_what_the_hub_decides_changes_nothing(place: Place) -> None:
    """By another policy, or in a context the hub does not have, it is decided here all the same, and said."""
    place.bring("0.97")
    mine = place.folder / "mine.toml"
    mine.write_text(POLICY.replace('"0.95"', '"0.99"').replace("[context.research]", "[context.private]"))
    stricter = place.decide(*place.trusting)
    assert stricter.status == 1
    assert "? the hub decides pass, by another policy" in stricter.out
    alone = place.decide(*place.trusting, context="private")
    assert alone.status == 0
    assert "? the hub does not say what it decides" in alone.out
    assert "does not have it" in place.decide(*place.trusting, revision="@nothing").refused()
    assert "too short" in place.decide("--key", "ab").refused()


def test_keys_are_for_hubs(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Files at hand are decided about by the trust file alone."""
    shell = Shell(tmp_path, capsys, monkeypatch)
    assert "--key and --endpoint" in shell("policy", "decide", tmp_path, "--context", "base", "--key", "ab").refused()
