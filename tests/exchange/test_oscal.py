"""OSCAL assessment results, judged by a library of the standard."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from hallmarked.exchange.oscal import write
from hallmarked.exchange.sheet import Sheet
from tests.exchange.sheets import TRIAGE, sheets

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def check(data: bytes, folder: Path) -> None:
    """Read a document with trestle, which refuses what the standard's schema does not have."""
    model = pytest.importorskip("trestle.oscal.assessment_results", reason="compliance-trestle is not installed")
    path = folder / "results.json"
    path.write_bytes(data)
    found = model.AssessmentResults.oscal_read(path)
    assert found is not None
    assert found.results


def test_requirements_become_findings(tmp_path: Path) -> None:
    """Each with its state, its reason, the controls it answers and the statements it rests on."""
    data = write(TRIAGE)
    check(data, tmp_path)
    result, claims = json.loads(data)["assessment-results"]["results"]
    finding = result["findings"][0]
    assert finding["target"]["status"] == {"state": "not-satisfied", "reason": "fail"}
    assert finding["description"] == "0.93 is not >= 0.95"
    assert {prop["value"] for prop in finding["props"]} == {"fails", "eu-ai-act#art15"}
    assert finding["related-observations"][0]["observation-uuid"] == result["observations"][0]["uuid"]
    assert claims["observations"][0]["description"] == "supported: the files are"
    assert write(TRIAGE) == data


@given(sheet=sheets)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_sheet_is_valid(tmp_path: Path, sheet: Sheet) -> None:
    """Whatever is known."""
    check(write(sheet), tmp_path)


def test_the_validator_can_say_no(tmp_path: Path) -> None:
    """What the standard does not know is refused."""
    document = json.loads(write(TRIAGE))
    document["assessment-results"]["results"][0]["verdict"] = "fine"
    with pytest.raises(Exception, match=r"verdict"):
        check(json.dumps(document).encode(), tmp_path)
