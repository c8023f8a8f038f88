"""Text, SARIF and JSON say the same as the page, each to its reader."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from hallmarked.audit.report import html, sarif, statements, text
from hallmarked.audit.report.report import Report
from hallmarked.audit.report.view import size
from hallmarked.core.evidence import Statement
from hallmarked.policy.requirement import Outcome as Asked
from tests.audit.example import report


def test_text_cannot_move_the_cursor() -> None:
    """Whatever files call themselves, the terminal gets printable characters and our own line breaks."""
    shown = text.render(report(), verbose=True)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u202a-\u202e]", shown)
    assert "\\x1b[2J" in shown


def test_text_says_what_matters_first() -> None:
    """Errors come before claims, claims before the verdict; notes only on demand."""
    shown = text.render(report())
    order = [shown.index(part) for part in ("✖ error", "no daemon answered", "What the card claims", "context default")]
    assert order == sorted(order)
    assert "a note" not in shown
    assert "a note" in text.render(report(), verbose=True)


def without_rulings(shown: Report, *outcomes: Asked) -> Report:
    """Leave out what came to some outcomes; what is left is met, so that something was asked."""
    rulings = [ruling for ruling in shown.decision.rulings if ruling.outcome not in outcomes]
    met = [replace(ruling, judged=replace(ruling.judged, outcome=Asked.MET)) for ruling in shown.decision.rulings[:1]]
    return replace(shown, decision=replace(shown.decision, rulings=(*rulings, *met)))


def test_what_was_accepted_as_unknown_is_said() -> None:
    """A pass that rests on accepting what is unknown never reads as if every check had come to its end."""
    seen = report()
    unsettled = replace(seen.examination, results=[r for r in seen.examination.results if r.check == "malware"])
    passed = without_rulings(replace(seen, examination=unsettled), Asked.FAILS, Asked.MISSING)
    for shown in (text.render(passed), html.render(passed)):
        assert "No finding at the threshold, not everything established" in shown
        assert "Every check came to its end and none found" not in shown
    settled = replace(passed, examination=replace(unsettled, results=[]))
    assert "not everything established" not in text.render(settled)


def test_text_is_painted_only_on_request() -> None:
    """A painter sees statuses, and never text from a file."""
    seen: list[str] = []

    def paint(words: str, status: str) -> str:
        seen.append(words)
        return f"[{status}]{words}[/]"

    assert "[error]✖ error[/]" in text.render(report(), paint=paint)
    assert not any("alert" in words for words in seen)


def test_json_is_the_statements() -> None:
    """The JSON is an array of in-toto statements: one per check, the claims, the decision."""
    rows = json.loads(statements.render(report()))
    kinds = [Statement.from_dict(row).predicate_type.rpartition("/attestation/")[2] for row in rows]
    assert kinds == ["test-result/v0.1"] * 3 + ["scai/v0.3", "svr/v0.2"]


@pytest.fixture
def run() -> dict[str, Any]:
    log = json.loads(sarif.render(report()))
    assert log["version"] == "2.1.0"
    return dict(log["runs"][0])


def test_sarif_results(run: dict[str, Any]) -> None:
    """Each finding is a result that points at its rule and its place; members of archives are named beside the file."""
    rules = run["tool"]["driver"]["rules"]
    assert len(run["results"]) == 3
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
    nested = run["results"][0]["locations"][0]
    assert nested["logicalLocations"][0]["fullyQualifiedName"].endswith("!b@12")
    assert "!" not in nested["physicalLocation"]["artifactLocation"]["uri"]
    assert re.fullmatch(r"[!-~]+", nested["physicalLocation"]["artifactLocation"]["uri"])
    assert run["results"][1]["locations"][0]["physicalLocation"]["region"] == {"byteOffset": 1}
    assert run["results"][2]["locations"][0]["physicalLocation"]["region"] == {"startLine": 3}


def test_sarif_says_what_is_unknown(run: dict[str, Any]) -> None:
    """A broken check makes the run unsuccessful, and gaps are notifications."""
    invocation = run["invocations"][0]
    assert invocation["executionSuccessful"] is False
    messages = [note["message"]["text"] for note in invocation["toolExecutionNotifications"]]
    assert messages == ["malware: no daemon answered", "serialization: the check broke: X"]


@pytest.mark.parametrize(
    ("count", "shown"), [(0, "0 bytes"), (999, "999 bytes"), (1000, "1 kB"), (15_800, "15.8 kB"), (2 * 10**9, "2 GB")]
)
def test_sizes(count: int, shown: str) -> None:
    """Sizes have a unit people know."""
    assert size(count) == shown


def test_text_says_how_to_go_on() -> None:
    """When nothing fails but something stays unknown, the last line says what can be done about it."""
    unsettled = report()
    assert "--allow-unknown" not in text.render(unsettled)
    assert "--allow-unknown" in text.render(without_rulings(unsettled, Asked.FAILS))
