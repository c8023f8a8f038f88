"""``hallmarked card prompts`` as a user meets it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from tests.cli.support import Shell

FIRST, SECOND = (hashlib.sha256(text).hexdigest() for text in (b"Be brief.", b"Be kind."))


def desk(folder: Path, *digests: str) -> Path:
    """A system whose card lists prompts."""
    parts = [f"  - {{kind: prompt, name: p{number}, digest: {{sha256: {one}}}}}" for number, one in enumerate(digests)]
    folder.mkdir(exist_ok=True)
    front = ["hallmarked:", "  kind: system", "  components:", *parts]
    (folder / "README.md").write_text("\n".join(["---", *front, "---", "# Desk"]))
    return folder


def probe(shell: Shell, folder: Path, digest: str, value: str) -> None:
    """State how often the system refused under a prompt."""
    row = {"metric": "eval.refusals", "value": value, "n": 100, "slice": {"prompt": f"sha256:{digest}"}}
    file = folder.parent / "result.json"
    file.write_text(json.dumps({"name": "probes", "how": "100 probes", "by": "Example team", "measurements": [row]}))
    assert shell("attest", "result", "--about", folder, "--file", file).status == 0


def test_prompts_stand_side_by_side(shell: Shell, tmp_path: Path) -> None:
    """Each with what was measured under it; one that nobody probed says so, and one that was changed is stale."""
    folder = desk(tmp_path / "desk", FIRST, SECOND)
    probe(shell, folder, FIRST, "0.20")
    done = shell("card", "prompts", folder)
    assert done.status == 2
    assert "not-evaluated  p1" in done.out
    assert "eval.refusals = 0.20, n 100" in done.out
    probe(shell, folder, SECOND, "0.90")
    done = shell("card", "prompts", folder)
    assert done.status == 0
    assert "higher under p1 (0.90) than under p0 (0.20)" in done.out
    desk(folder, SECOND)
    found = json.loads(shell("card", "prompts", folder, "--format", "json").out)
    assert [(one["name"], one["standing"]) for one in found["prompts"]] == [("p0", "current"), ("", "stale")]


def test_a_card_without_prompts_is_told(shell: Shell, tmp_path: Path) -> None:
    """In one sentence."""
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "README.md").write_text("# M")
    assert "lists no prompt" in shell("card", "prompts", tmp_path / "m").err
