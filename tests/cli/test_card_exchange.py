"""``hallmarked card export`` and ``import`` as a user meets them."""

from __future__ import annotations

import json
from pathlib import Path

from hallmarked.exchange import cyclonedx
from tests.cli.support import Shell

CARD = "---\nlicense: mit\nlanguage: en\npipeline_tag: summarization\n---\n# N\n\n## Direct Use\n\nFor nurses.\n"


def model(folder: Path) -> Path:
    """A folder with a card and nothing else."""
    folder.mkdir()
    (folder / "README.md").write_text(CARD)
    return folder


def test_what_was_audited_is_exported(shell: Shell, tmp_path: Path) -> None:
    """With the files, their digests, and how each claim stands."""
    source = model(tmp_path / "m")
    shell("audit", source)
    out = tmp_path / "m.cdx.json"
    done = shell("card", "export", source, "--format", "cyclonedx", "--output", out)
    assert (done.status, done.err) == (0, "")
    sheet = cyclonedx.read(out.read_bytes())
    assert [one.path for one in sheet.files] == ["README.md"]
    assert dict(sheet.digest).keys() == {"dirHash"}
    assert {one.status for one in sheet.claims} == {"self-asserted"}
    assert sheet.licences == ("MIT",)


def test_decisions_become_assessment_results(shell: Shell, tmp_path: Path) -> None:
    """One result for each context, with a finding for each requirement."""
    source = model(tmp_path / "m")
    shell("audit", source)
    done = shell("card", "export", source, "--format", "oscal", "--context", "default", "--context", "hospital_triage")
    results = json.loads(done.out)["assessment-results"]["results"]
    assert [one["title"] for one in results] == ["Context default", "Context hospital_triage", "Claims of the card"]
    states = {one["title"]: one["target"]["status"]["state"] for one in results[1]["findings"]}
    assert states["recall-worst"] == "not-satisfied"
    assert states["check.inventory"] == "satisfied"
    assert "no context is called" in shell("card", "export", source, "--format", "oscal", "--context", "x").err


def test_an_import_is_a_card(shell: Shell, tmp_path: Path) -> None:
    """That hubs can read; and nothing is written over."""
    source = model(tmp_path / "m")
    shell("audit", source)
    document, readme = tmp_path / "m.spdx.json", tmp_path / "README.md"
    shell("card", "export", source, "--format", "spdx", "--output", document)
    done = shell("card", "import", document, "--format", "spdx", "--output", readme)
    assert (done.status, done.err) == (0, "")
    assert "For nurses." in readme.read_text()
    again = shell("card", "import", document, "--format", "spdx", "--output", readme)
    assert again.status == 2
    assert "is there already" in again.err


def test_wrong_input_gets_a_sentence(shell: Shell, tmp_path: Path) -> None:
    """What was not audited, what is no data set, and what is another document."""
    source = model(tmp_path / "m")
    assert "run hallmarked audit" in shell("card", "export", source, "--format", "csv").err
    shell("audit", source)
    assert "describes data sets" in shell("card", "export", source, "--format", "croissant").err
    (tmp_path / "x.json").write_text(json.dumps({"bomFormat": "?"}))
    done = shell("card", "import", tmp_path / "x.json", "--format", "cyclonedx", "--output", tmp_path / "R.md")
    assert (done.status, "not a CycloneDX" in done.err) == (2, True)
    assert not (tmp_path / "R.md").exists()
