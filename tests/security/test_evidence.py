"""Evidence that was put together to deceive, each link of which is genuine."""

from __future__ import annotations

import json
import unicodedata
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from hallmarked.artifacts.local import LocalArtifact
from hallmarked.audit.attested import of_own
from hallmarked.audit.report.view import json_text
from hallmarked.audit.verify import BROKEN, HOLDS, OPEN, SHORTEST_ID, check_evidence, trust_of
from hallmarked.core.errors import InputError
from hallmarked.core.evidence import Level, Statement
from hallmarked.ledger.ledger import Ledger
from hallmarked.policy.decide import decide
from hallmarked.policy.fact import Facts
from hallmarked.policy.file import contexts
from hallmarked.policy.statement import to_statement

TEST_RESULT = "https://in-toto.io/attestation/test-result/v0.1"
TIME = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def model(tmp_path: Path) -> LocalArtifact:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "a.bin").write_bytes(b"a")
    return LocalArtifact(tmp_path / "model")


@pytest.fixture
def ledger(tmp_path: Path) -> Any:
    with Ledger.open(tmp_path / "home") as opened:
        yield opened


def result(model: LocalArtifact, name: str, *levels: Level, **more: Any) -> Statement:
    """Write the result of a check with findings of some levels."""
    findings = [{"rule": "TST001", "level": level.value, "message": "bad"} for level in levels]
    configuration = [{"name": f"hallmarked/checks/{name}", "digest": {"sha256": "00" * 32}}]
    predicate = {"configuration": configuration, "outcome": "fail" if levels else "pass", "findings": findings}
    return Statement((model.subject,), TEST_RESULT, predicate | more)


def evidence(ledger: Ledger, statements: list[Statement], *, time: datetime = TIME) -> bytes:
    return ledger.export_bundle(ledger.attest(statements, time=time))


def without(bundle: bytes, *numbers: int) -> bytes:
    """Leave entries out of an evidence file, as anybody can."""
    value = json.loads(bundle)
    value["entries"] = [entry for number, entry in enumerate(value["entries"]) if number not in numbers]
    return json.dumps(value).encode()


def judged(model: LocalArtifact, *statements: Statement) -> list[Statement]:
    """Add the decision on statements to them."""
    own = of_own(statements, TIME, "maker")
    decision = decide(Facts(own, model.subject), contexts()["default"], TIME)
    return [*statements, to_statement(decision, model.subject, own)]


def test_a_statement_that_is_left_out_is_missed(ledger: Ledger, model: LocalArtifact) -> None:
    """Leaving out the result that the decision did not like breaks the evidence."""
    bundle = evidence(ledger, judged(model, result(model, "inventory"), result(model, "serialization", Level.ERROR)))
    assert check_evidence(bundle, ledger.trust, model).status == HOLDS
    check = check_evidence(without(bundle, 1), ledger.trust, model)
    assert check.status == BROKEN
    assert any("not in this file: serialization" in line for line in check.lines)


def test_a_decision_that_is_left_out_is_missed(ledger: Ledger, model: LocalArtifact) -> None:
    """Without a decision nothing says that the results are all there are, so something stays open."""
    bundle = evidence(ledger, judged(model, result(model, "inventory"), result(model, "serialization", Level.ERROR)))
    check = check_evidence(without(bundle, 1, 2), ledger.trust, model)
    assert check.status == OPEN
    assert any("No decision" in line for line in check.lines)


def test_a_decision_without_its_grounds_is_open(ledger: Ledger, model: LocalArtifact) -> None:
    """A decision that does not name what it rests on proves nothing about what is in the file."""
    (decision,) = judged(model)
    assert check_evidence(evidence(ledger, [decision]), ledger.trust, model).status == OPEN


@pytest.mark.parametrize("grounds", [7, [7], [{"digest": 7}], [{"name": [], "digest": {"sha256": []}}], {}])
def test_grounds_of_any_form_are_judged(ledger: Ledger, model: LocalArtifact, grounds: Any) -> None:
    """Members of the wrong type neither crash the verification nor satisfy it."""
    (decision,) = judged(model)
    odd = Statement(decision.subjects, decision.predicate_type, {**decision.predicate, "inputAttestations": grounds})
    strange = result(model, "x", findings=7, configuration=7)
    assert check_evidence(evidence(ledger, [odd, strange]), ledger.trust, model).status != HOLDS


def test_results_of_different_days_say_so(ledger: Ledger, model: LocalArtifact) -> None:
    """A file put together from results of several audits shows the first and the last day."""
    old = ledger.attest([result(model, "inventory")], time=TIME)
    new = ledger.attest(judged(model, result(model, "serialization")), time=TIME.replace(day=30))
    check = check_evidence(ledger.export_bundle([*old, *new]), ledger.trust, model)
    assert any("2026-11-21" in line and "2026-11-30" in line for line in check.lines)


def test_short_ids_are_refused(ledger: Ledger, model: LocalArtifact) -> None:
    """The beginning of an id counts only when nobody could make another key that has it."""
    bundle = evidence(ledger, judged(model, result(model, "inventory")))
    assert trust_of(bundle, [ledger.key.keyid[:SHORTEST_ID]], None).keys
    with pytest.raises(InputError, match="too short"):
        trust_of(bundle, [ledger.key.keyid[:16]], None)


def test_the_name_of_a_named_key_is_hearsay(ledger: Ledger, model: LocalArtifact) -> None:
    """An evidence file may call the holder of a key anything; the report says that it is the file that does."""
    value = json.loads(evidence(ledger, judged(model, result(model, "inventory"))))
    for key in value["trust"]:
        if key["role"] != "log":
            key["name"] = "National Institute"
    bundle = json.dumps(value).encode()
    check = check_evidence(bundle, trust_of(bundle, [key.keyid for key in ledger.trust.keys], None), model)
    assert any("which the evidence calls 'National Institute'" in line for line in check.lines)


def test_folders_left_out_by_rule_are_named(ledger: Ledger, model: LocalArtifact) -> None:
    """What lies in a folder that is no part of a revision is not covered, and the verification says so."""
    bundle = evidence(ledger, judged(model, result(model, "inventory")))
    (model.path / ".cache" / "huggingface").mkdir(parents=True)
    (model.path / ".cache" / "huggingface" / "evil.pkl").write_bytes(b"")
    check = check_evidence(bundle, ledger.trust, LocalArtifact(model.path))
    assert check.status == HOLDS
    assert any("not looked at: .cache/huggingface" in line for line in check.lines)


def test_json_cannot_move_the_cursor() -> None:
    """Control characters and changes of direction are escaped in JSON, and mean what they meant."""
    value = {"a\u202e": ["\x9b2J", "\ud800", "ü", "\U000e0041"]}
    text = json_text(value)
    assert json.loads(text) == value
    assert "ü" in text
    assert {unicodedata.category(character) for character in text if character != "\n"}.isdisjoint({"Cc", "Cf", "Cs"})
