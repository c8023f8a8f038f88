"""The script in the documentation, which shares no code with this package, says what this package says."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from hallmarked.corpus.proof.identifier import content_digest
from hallmarked.corpus.proof.key import RowKey
from hallmarked.corpus.proof.proof import PREDICATE_TYPE, describe_commitment, prove
from hallmarked.corpus.proof.tree import Tree

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "build-a-dataset.md"
CONTENTS = ["one content", "another content", "a third, with ümlauts"]


def evidence_of(tree: Tree, key: RowKey) -> str:
    """Write the part of an evidence file that the script reads."""
    statement = {"predicateType": PREDICATE_TYPE, "predicate": describe_commitment(tree, key, "0" * 64)}
    payload = base64.b64encode(json.dumps(statement).encode()).decode()
    return json.dumps({"entries": [{"bundle": {"dsseEnvelope": {"payload": payload}}}]})


@pytest.mark.parametrize(
    ("contents", "text", "said"),
    [
        (CONTENTS, "another  content\n", "in it"),
        (CONTENTS, "a third, with u\u0308mlauts", "in it"),
        (CONTENTS, "something else", "not in it"),
        (CONTENTS[:1], "something else", "not in it"),
        ([], "something else", "not in it"),
    ],
)
def test_the_script_agrees(tmp_path: Path, contents: list[str], text: str, said: str) -> None:
    """The script finds what is there, shows what is missing, and refuses a proof about another version."""
    key = RowKey.generate()
    tree, other = (
        Tree(b"".join(sorted(key.identify(content_digest(each)) for each in listed)))
        for listed in (contents, [*contents, "one more"])
    )
    (script,) = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    (tmp_path / "script.py").write_text(script)
    (tmp_path / "text").write_text(text, "utf-8")
    (tmp_path / "proof").write_bytes(prove(tree, key, content_digest(text)))
    (tmp_path / "evidence").write_text(evidence_of(tree, key))
    (tmp_path / "other").write_text(evidence_of(other, key))
    command = [sys.executable, "-I", "script.py", "text", "proof"]
    done = subprocess.run([*command, "evidence"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == said
    refused = subprocess.run([*command, "other"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert refused.returncode
    assert "the proof is about another version" in refused.stderr
