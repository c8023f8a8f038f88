"""``hallmarked card status`` and ``card scope`` as a user meets them."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cards.scope.test_scope import TEXT
from tests.cli.support import Shell

CARD = """---
license: mit
hallmarked:
  kind: model
  claims:
    - {id: quiet, path: finding.SEC001, op: absent, check: secrets}
    - {id: recall, path: eval.recall, op: ">=", value: "0.90"}
---
# N
[plot](plot.png)
"""


def model(folder: Path) -> Path:
    """A folder with a card, a scope and weights of a kind."""
    folder.mkdir()
    (folder / "README.md").write_text(CARD)
    (folder / "scope.yaml").write_text(TEXT)
    (folder / "config.json").write_text('{"model_type": "bert"}')
    (folder / "plot.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    return folder


def test_a_card_turns_stale_by_itself(shell: Shell, tmp_path: Path) -> None:
    """After an audit claims are supported; a changed byte makes them stale at once, another audit clears that."""
    source = model(tmp_path / "m")
    shell("audit", source)
    done = shell("card", "status", source)
    assert (done.status, done.err) == (0, "")
    assert "✓ supported" in done.out
    assert "what would help: a statement about eval.recall" in done.out
    (source / "plot.png").write_bytes(b"\x89PNG\r\n\x1a\n\0")
    done = shell("card", "status", source, "--format", "json")
    assert done.status == 2
    by_id = {claim["id"]: claim for claim in done.json["claims"]}
    assert (by_id["quiet"]["status"], by_id["quiet"]["renew"]) == ("stale", "audit again")
    assert by_id["file"]["status"] == "stale"
    shell("audit", source)
    assert shell("card", "status", source).status == 0


def test_a_card_that_was_never_audited_is_read_as_it_is(shell: Shell, tmp_path: Path) -> None:
    """Without evidence the claims are shown, and none is supported."""
    done = shell("card", "status", model(tmp_path / "m"), "--format", "json")
    assert done.status == 0
    assert {claim["status"] for claim in done.json["claims"]} == {"self-asserted", "not-evaluated"}
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "weights.bin").write_bytes(b"0")
    assert shell("card", "status", tmp_path / "empty").status == 2


def test_a_claim_that_is_wrong_fails(shell: Shell, tmp_path: Path) -> None:
    """Status 1 says that evidence speaks against the card."""
    source = model(tmp_path / "m")
    (source / "plot.png").unlink()
    shell("audit", source)
    done = shell("card", "status", source, "-v")
    assert done.status == 1
    assert "✗ contradicted" in done.out
    assert "there is no such file" in done.out


def test_a_system_shows_its_parts(shell: Shell, tmp_path: Path) -> None:
    """What is not known about a part is said, and never left out."""
    source = tmp_path / "s"
    source.mkdir()
    part = '{kind: model, name: acme/n, digest: {sha256: "0123456789abcdef"}}'
    (source / "README.md").write_text(f"---\nhallmarked:\n  kind: system\n  components: [{part}]\n---\n# S\n")
    assert "model acme/n: no evidence about it is at hand" in shell("card", "status", source).out


def test_a_scope_is_shown_and_run(shell: Shell, tmp_path: Path) -> None:
    """The clauses of a folder, or of the file alone with an evaluator's own results."""
    source = model(tmp_path / "m")
    done = shell("card", "scope", source)
    assert (done.status, done.err) == (0, "")
    assert "[scope#floor-recall-women]" in done.out
    assert "nothing is stated about eval.recall for group women" in done.out
    results = tmp_path / "results.json"
    row = {"metric": "eval.recall", "value": "0.87", "n": 500, "slice": {"group": "women"}}
    results.write_text(json.dumps([row | {"interval": ["0.86", "0.88"]}]))
    done = shell("card", "scope", source / "scope.yaml", "--results", results, "--format", "json")
    assert (done.status, [each["rule"] for each in done.json["findings"]]) == (1, ["SCO004"])
    results.write_text(json.dumps({"measurements": [row | {"value": "0.895", "interval": ["0.875", "0.915"]}]}))
    assert shell("card", "scope", source / "scope.yaml", "--results", results).status == 2
    results.write_text(json.dumps([row | {"value": "0.95"}]))
    assert shell("card", "scope", source / "scope.yaml", "--results", results).status == 0
    made = shell("card", "scope", source / "scope.yaml", "--format", "assertions").json
    assert (len(made["assertions"]), [one["kind"] for one in made["by_hand"]]) == (5, ["use", "user"])


def test_a_scope_that_cannot_be_read(shell: Shell, tmp_path: Path) -> None:
    """One sentence that names the file; a clause with an error is told of by its line."""
    file = tmp_path / "scope.yaml"
    assert "scope.yaml" in shell("card", "scope", file).refused()
    file.write_text("a: 1\na: 2\n")
    assert "appears twice" in shell("card", "scope", file).refused()
    file.write_text(TEXT.replace("language: en}", "language: 7}"))
    done = shell("card", "scope", file)
    assert done.status == 2
    assert "line 7" in done.out
    results = tmp_path / "r.json"
    results.write_text("{}")
    file.write_text(TEXT)
    assert "no list of measurements" in shell("card", "scope", file, "--results", results).refused()


def test_what_nobody_evaluated(shell: Shell, tmp_path: Path) -> None:
    """A new repository shows all gaps, each with who asks; a context adds its own."""
    source = model(tmp_path / "m")
    done = shell("card", "gaps", source, "--format", "json")
    assert done.status == 2
    cells = {(cell["path"], str(cell["slice"])): cell for cell in done.json["cells"]}
    assert set(done.json["counts"]) == {"not-evaluated"}
    assert cells["eval.recall", "{'group': 'women'}"]["asked_by"] == ["scope#floor-recall-women"]
    shell("audit", source)
    before = done.json["counts"]["not-evaluated"]
    done = shell("card", "gaps", source, "--format", "json")
    assert done.json["counts"] == {"not-evaluated": before - 1, "evaluated": 1}
    wider = shell("card", "gaps", source, "--context", "hospital_triage")
    assert "asked for by context hospital_triage" in wider.out
    assert "no context is called x" in shell("card", "gaps", source, "--context", "x").refused()


def test_the_history_of_a_claim(shell: Shell, tmp_path: Path) -> None:
    """What was supported by an audit is stale from the moment other bytes are seen."""
    source = model(tmp_path / "m")
    shell("audit", source)
    (source / "plot.png").write_bytes(b"\x89PNG\r\n\x1a\n\0")
    moments = shell("card", "history", source, "quiet", "--format", "json").json
    assert {one["status"] for one in moments[:-1]} == {"supported"}
    assert (moments[-1]["event"], moments[-1]["status"]) == ("push", "stale")
    assert "stale: check.secrets" in shell("card", "history", source, "quiet").out
    assert "makes the claim nothing" in shell("card", "history", source, "nothing").refused()
