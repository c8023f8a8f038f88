"""The check of where a data set comes from."""

from __future__ import annotations

import pytest

from hallmarked.checks.provenance.check import ProvenanceCheck
from hallmarked.checks.provenance.licence import carry
from hallmarked.checks.runner import Result, run
from hallmarked.core.evidence import Outcome
from hallmarked.corpus.provenance.document import PATH, Input, Origin
from tests.corpus.provenance.test_provenance import artifact, document
from tests.support import MemoryArtifact


def look(there: MemoryArtifact) -> Result:
    """Run the check."""
    return run(ProvenanceCheck(), there)


def test_an_account_that_holds_together() -> None:
    """Nothing is found, and rows, sources and licences are measured."""
    result = look(artifact(document()))
    assert result.outcome is Outcome.PASS
    assert not result.findings
    measured = {(m.metric, *m.slice.values()): m.value for m in result.measurements}
    assert measured["provenance.rows", "posts"] == "5"
    assert measured["provenance.removed", "copy"] == "4"
    assert measured["provenance.licence", "posts"] == "mit"
    assert measured["synthetic.depth",] == "0"


def test_a_folder_without_an_account_is_not_looked_at() -> None:
    """The check applies to data sets that were built."""
    assert not look(MemoryArtifact({"a.csv": "x"})).applied


def test_an_account_that_cannot_be_read_is_unknown() -> None:
    """A broken account is a gap, never a pass."""
    assert look(MemoryArtifact({PATH: "{}"})).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("there", "rule"),
    [
        (artifact(document(), {"stray.parquet": b"x"}), "PRV001"),
        (artifact(document(), {"data/a.parquet": b"x"}), "PRV002"),
        (artifact(document(inputs=(Input(Origin("a", {}, "7" * 64), "mit", kept=5),))), "PRV003"),
        (artifact(document(inputs=(Input(Origin("a", {}), "mit", kept=4),))), "PRV003"),
        (artifact(document(inputs=(Input(Origin("a", {}), "", kept=5),))), "PRV004"),
        (artifact(document(inputs=(Input(Origin("a", {}), "CC-BY-NC-4.0", kept=5),))), "PRV005"),
        (artifact(document(share=1.0, depth=3)), "PRV006"),
    ],
)
def test_each_rule_is_found(there: MemoryArtifact, rule: str) -> None:
    """Each thing that can be wrong is a finding of its own, and nothing else is."""
    assert [finding.rule for finding in look(there).findings] == [rule]


def test_licences_are_carried_over() -> None:
    """The result gets the licence that keeps what all sources ask for; when there is none, that is said."""
    assert carry({"a": "MIT", "b": "CC-BY-SA-4.0"}).licence == "CC-BY-SA-4.0"
    assert carry({"a": "MIT", "b": "CC-BY-NC-4.0"}).licence == "CC-BY-NC-4.0"
    assert carry({"a": "MIT"}).licence == "MIT"
    assert carry({"a": "MIT", "b": "CC-BY-4.0", "c": "MIT"}).licence == "MIT AND CC-BY-4.0"
    both = carry({"a": "CC-BY-SA-4.0", "b": "CC-BY-NC-SA-4.0"})
    assert both.licence == ""
    assert len(both.conflicts) == 1
    stated = carry({"a": "CC-BY-SA-4.0"}, "MIT")
    assert "a is under cc-by-sa-4.0" in stated.conflicts[0]
    unknown = carry({"a": "MIT", "b": ""})
    assert (unknown.licence, unknown.missing) == ("", ("b",))
