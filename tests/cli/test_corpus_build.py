"""``hallmarked corpus build``, ``prove``, ``verify-proof`` and ``provenance``, as a curator uses them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hallmarked.ledger.ledger import Ledger
from tests.cli.support import Shell

RECIPE = """recipe = 1
[dataset]
name = "acme/posts"
[[source]]
name = "posts"
path = "posts.jsonl"
licence = "MIT"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder with a recipe and a source."""
    rows = [{"text": "the first text of all"}, {"text": "the second text of all"}, {"text": "THE FIRST text of all"}]
    (tmp_path / "posts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "recipe.toml").write_text(RECIPE)
    return tmp_path


@pytest.mark.slow
def test_from_a_recipe_to_a_proof(shell: Shell, folder: Path) -> None:
    """A curator builds, proves and follows; whoever asked verifies with the key's id."""
    out = folder / "v1"
    built = shell("corpus", "build", folder / "recipe.toml", "--output", out)
    assert built.status == 0, built
    assert "2 kept of 3 read from 1 source" in built.out
    with Ledger.open(shell.home, create=False) as ledger:
        keys = [part for key in ledger.trust.keys for part in ("--key", key.keyid)]
    assert shell("verify", out / "evidence.json", out, *keys).status == 0
    for name, text, status in (("absent", "nothing of the kind", 0), ("there", "the second text of all", 1)):
        (folder / name).write_text(text)
        proof = folder / f"{name}.json"
        assert shell("corpus", "prove", out, "--content", folder / name, "--output", proof).status == 0
        command = ("corpus", "verify-proof", proof, out / "evidence.json", "--content", folder / name)
        assert shell(*command, *keys).status == status
        assert shell(*command).status == (2 if status == 0 else 1)  # by nobody one trusts
        assert shell(*command, *keys, "--format", "json").json["there"] == bool(status)
    wrong = shell(
        "corpus", "verify-proof", folder / "there.json", out / "evidence.json", "--content", folder / "absent"
    )
    assert wrong.refused(1) == "the proof is about another content"
    again = shell("corpus", "prove", out, "--content", folder / "there", "--output", folder / "there.json")
    assert "is there already" in again.refused()
    followed = shell("corpus", "provenance", out, "--source", f"posts={folder / 'posts.jsonl'}")
    assert (followed.status, followed.out) == (0, "✔ acme/posts was made from these bytes of posts\n")
    other = shell("corpus", "provenance", out, "--source", f"post={folder / 'posts.jsonl'}", "--format", "json")
    assert other.status == 1
    assert "is called post" in other.out
    assert "is there already" in shell("corpus", "build", folder / "recipe.toml", "--output", out).refused()


def test_what_a_curator_gets_wrong(shell: Shell, folder: Path) -> None:
    """Each mistake is one sentence, and nothing is written."""
    recipe, out = folder / "recipe.toml", folder / "v1"
    assert "no such file" in shell("corpus", "build", folder / "none.toml", "--output", out).refused()
    recipe.write_text(RECIPE.replace("posts.jsonl", "none.jsonl") + "licenze = 1\n")
    said = shell("corpus", "build", recipe, "--output", out).refused()
    assert "line 6: source[1].path leads nowhere" in said
    assert "line 8: source[1].licenze is not known" in said
    recipe.write_text(RECIPE)
    assert "no key of rows" in shell("corpus", "build", recipe, "--output", out, "--rows-key", folder / "k").refused()
    assert not out.exists()


def test_what_is_no_version(shell: Shell, folder: Path) -> None:
    """Commands about versions say when a folder is none."""
    (folder / "text").write_text("x")
    assert "provenance.json" in shell("corpus", "provenance", folder).refused()
    assert "is not like NAME=PATH" in shell("corpus", "provenance", folder, "--source", "x").refused()
    command = ("corpus", "prove", folder, "--content", folder / "text", "--output", folder / "proof")
    assert "no key of rows" in shell(*command).refused()
    (folder / "bytes").write_bytes(b"\xff\xfe\xfa")
    command = ("corpus", "verify-proof", folder / "text", folder / "text", "--content", folder / "bytes")
    shell(*command).refused(1)
