"""``hallmarked policy`` and ``audit --context`` as a user meets them."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from hallmarked.artifacts.local import LocalArtifact
from hallmarked.core.evidence import Statement
from hallmarked.ledger.ledger import Ledger, change_trust
from hallmarked.ledger.trust import Role, Trust, TrustedKey
from tests.cli.support import Shell

CARD = """---
license: mit
---
# Model

## Direct Use

It sorts the letters that come in, for clerks who read them.

## Out-of-Scope Use

It must not decide anything about people.
"""
POLICY = """
[context.letters]
title.en = "Letters"
checks = ["inventory"]
may_be_unknown = ["malware"]
waived_by = ["auditor"]

[[context.letters.require]]
id = "accuracy"
claim = "eval.accuracy"
op = ">="
value = "0.9"
by = ["third_party"]
max_age = "30d"
why.en = "Letters that go astray cost people their rights."
"""


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A folder with a card, and a policy beside it."""
    folder = tmp_path / "m"
    folder.mkdir()
    (folder / "README.md").write_text(CARD)
    (tmp_path / "letters.toml").write_text(POLICY)
    return folder


@pytest.fixture
def policy(model: Path) -> Path:
    return model.with_name("letters.toml")


def auditor(shell: Shell, model: Path, kind: str, predicate: dict[str, Any]) -> Path:
    """Let an auditor whom this machine trusts state something about the model; return their evidence."""
    folder = model.with_name("auditor")
    subject = LocalArtifact(model).subject
    with Ledger.open(folder, name="Example Auditors") as ledger:
        receipts = ledger.attest(
            [Statement((subject,), kind, predicate)], time=datetime.now(UTC).replace(microsecond=0)
        )
        file = model.with_name(f"{hashlib.sha256(json.dumps(predicate).encode()).hexdigest()[:8]}.json")
        file.write_bytes(ledger.export_bundle(receipts))
        keys = (TrustedKey(ledger.key.public, Role.AUDITOR, "Example Auditors"), *ledger.trust.keys[1:])
    change_trust(shell.home, lambda trust: Trust((*trust.keys, *(key for key in keys if key not in trust.keys))))
    return file


def measured(shell: Shell, model: Path, value: str) -> Path:
    rows = [{"metric": "eval.accuracy", "value": value, "n": 500}]
    return auditor(shell, model, "https://in-toto.io/attestation/test-result/v0.1", {"measurements": rows})


def test_the_gate_opens_for_fresh_evidence_about_these_bytes_only(shell: Shell, model: Path, policy: Path) -> None:
    """Nothing known is 2, a bad result 1, a good one 0, and after a change of the files 2 again."""
    gate = ("policy", "decide", model, "--policy", policy, "--context", "letters")
    assert shell(*gate).status == 2
    shell("audit", model, "--check", "inventory")
    missing = shell(*gate)
    assert missing.status == 2
    assert "nothing is stated about eval.accuracy" in missing.out
    assert "Letters that go astray cost people their rights." in missing.out
    bad, good = (("--evidence", measured(shell, model, value)) for value in ("0.5", "0.95"))
    assert shell(*gate, *bad).status == 1
    passed = shell(*gate, *good)
    assert passed.status == 0, passed
    assert "pass" in passed.out
    assert "by time alone it may change from" in passed.out
    (model / "new.txt").write_text("more")
    stale = shell(*gate, *good)
    assert stale.status == 2
    assert "of other bytes" in stale.out


def test_a_decision_is_signed_and_names_its_policy(shell: Shell, model: Path, policy: Path) -> None:
    """The digest in it is that of the canonical form that ``show`` prints."""
    shell("audit", model, "--check", "inventory")
    file = model.with_name("decision.json")
    gate = ("policy", "decide", model, "--policy", policy, "--context", "letters")
    decided = shell(*gate, "--format", "json", "--sign", "--output", file)
    predicate = decided.json["predicate"]
    canonical = shell("policy", "show", "letters", "--policy", policy, "--format", "json").out
    assert predicate["verifier"]["policies"] == [
        {"name": "letters", "digest": {"sha256": hashlib.sha256(canonical.encode()).hexdigest()}}
    ]
    assert {row["id"]: row["outcome"] for row in predicate["requirements"]}["accuracy"] == "missing"
    entry = json.loads(file.read_text())["entries"][-1]
    assert predicate["outcome"].encode() in base64.b64decode(_payload(entry))
    assert "decision" in shell("verify", file, model).out


def _payload(entry: Any) -> str:
    """Find the payload of an envelope, wherever the entry holds it."""
    if isinstance(entry, dict):
        if isinstance(entry.get("payload"), str):
            return str(entry["payload"])
        return next((found for value in entry.values() if (found := _payload(value))), "")
    return ""


def test_a_waiver_lets_it_pass_for_a_time(shell: Shell, model: Path, policy: Path) -> None:
    """It is shown beside what the requirement came to."""
    shell("audit", model, "--check", "inventory")
    said = {
        "context": "letters", "requirement": "accuracy", "by": "the board", "until": "2099-01-01T00:00:00Z",
        "reason": "a trial in one office",
    }  # fmt: skip
    waiver = auditor(shell, model, "urn:hallmarked:waiver:v1", said)
    found = shell("policy", "decide", model, "--policy", policy, "--context", "letters", "--evidence", waiver)
    assert found.status == 0, found
    assert "without the waiver: missing; waived by the board until 2099-01-01: a trial in one office" in found.out


def test_an_audit_judges_by_the_same_policy(shell: Shell, model: Path, policy: Path) -> None:
    """Text, page and statements show each requirement, and what others state beside."""
    shell("key", "create", "--name", "Example Lab")
    good = measured(shell, model, "0.95")
    asked = ("audit", model, "--check", "inventory", "--policy", policy, "--context", "letters")
    without = shell(*asked)
    assert without.status == 2
    assert "What would meet it" in (model.with_name("m.hallmarked") / "report.html").read_text()
    found = shell(*asked, "--evidence", good)
    assert found.status == 0, found
    assert "✔ Met             accuracy: eval.accuracy is at least 0.9" in found.out
    assert "Example Auditors (auditor): eval.accuracy = 0.95" in found.out
    page = (model.with_name("m.hallmarked") / "report.html").read_text()
    assert "Example Auditors (auditor)" in page
    assert "the decision rests on it" in page
    verified = shell("verify", model.with_name("m.hallmarked") / "evidence.json", model)
    assert "statements of others, whose evidence is elsewhere" in verified.out


def test_two_contexts_two_verdicts(shell: Shell, model: Path) -> None:
    """One model, judged for two uses, comes to two decisions, each with a reason for every requirement."""
    shell("audit", model, "--check", "inventory")
    rows = {}
    for context in ("internal_tool", "hospital_triage"):
        found = shell("policy", "decide", model, "--context", context, "--format", "json").json["predicate"]
        rows[context] = {row["id"] for row in found["requirements"]}
        assert all(row["reason"] for row in found["requirements"])
    assert "evaluated" in rows["internal_tool"] - rows["hospital_triage"]
    assert "recall-worst" in rows["hospital_triage"] - rows["internal_tool"]


def test_contexts_are_listed_in_both_languages(shell: Shell) -> None:
    """What each is for, and why it asks what it asks."""
    assert "Sorting patients" in shell("policy", "list").out
    assert "Clasificar pacientes" in shell("policy", "list", "--lang", "es").out
    assert "daño principal" in shell("policy", "show", "hospital_triage", "--lang", "es").out
    assert "default" in {row["name"] for row in shell("policy", "list", "--format", "json").json}


def test_policies_are_tested(shell: Shell, tmp_path: Path, policy: Path) -> None:
    """The shipped examples come out as expected; a case that does not ends with 1 and says why."""
    shipped = shell("policy", "test")
    assert shipped.status == 0
    cases = tmp_path / "cases.toml"
    cases.write_text('[[case]]\nname = "nothing"\ncontext = "letters"\ntime = 2026-01-01\noutcome = "pass"\n')
    failed = shell("policy", "test", cases, "--policy", policy)
    assert failed.status == 1
    assert "the decision was expected to be pass, and is unknown" in failed.out


def test_changes_say_what_to_look_at_again(shell: Shell, model: Path, policy: Path) -> None:
    """A stricter value, and the decision that was made by the old one."""
    shell("audit", model, "--check", "inventory")
    file = model.with_name("decision.json")
    shell("policy", "decide", model, "--policy", policy, "--context", "letters", "--sign", "--output", file)
    new = model.with_name("new.toml")
    new.write_text(POLICY.replace('"0.9"', '"0.95"'))
    assert shell("policy", "changes", policy, policy, "--evidence", file).status == 0
    found = shell("policy", "changes", policy, new, "--evidence", file)
    assert found.status == 1
    assert "letters accuracy: value was 0.9, and is 0.95" in found.out
    assert "the context letters has changed since" in found.out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("decide", "--context", "nowhere"), "no context is called nowhere"),
        (("decide", "--context", "base", "--sign"), "go together"),
        (("decide", "--context", "base", "--at", "soon"), "such as 2026-01-31"),
        (("decide", "--context", "base", "--policy", "none.toml"), "there is no file none.toml"),
    ],
)
def test_mistakes_are_told(shell: Shell, model: Path, arguments: tuple[str, ...], told: str) -> None:
    """One sentence, exit status 2, nothing written."""
    verb, *rest = arguments
    assert told in shell("policy", verb, model, *rest).refused()
