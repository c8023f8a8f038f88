"""``hallmarked corpus signals``."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.support import Shell
from tests.corpus.signal.test_tree import EXPECTED, WEB


def test_web_tree(shell: Shell, tmp_path: Path) -> None:
    """A tree is read and judged in a confined process; what is printed says which signal decided."""
    for name, text in WEB.items():
        path = tmp_path / "web" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    done = shell("corpus", "signals", tmp_path / "web", "--format", "json")
    assert done.status == 1
    assert {row["url"]: row["decision"] for row in done.json} == EXPECTED
    shown = shell("corpus", "signals", tmp_path / "web")
    assert "denied   https://free.example/private.html\n         denied, by html: meta robots says noai" in shown.out


def test_bad_input(shell: Shell, tmp_path: Path) -> None:
    """What holds nothing, or is no list, is refused."""
    (tmp_path / "a.json").write_text("[1]")
    assert "needs a url" in shell("corpus", "signals", tmp_path / "a.json").refused()
    (tmp_path / "b.json").write_text("[]")
    assert "no pages" in shell("corpus", "signals", tmp_path / "b.json").refused()
    assert "no such file" in shell("corpus", "signals", tmp_path / "c").refused()


def test_picture(shell: Shell, tmp_path: Path) -> None:
    """Content credentials are read out of media files in the confined process."""
    media = pytest.importorskip("tests.corpus.signal.test_media", reason="c2pa-python is not installed")
    folder = tmp_path / "web" / "art.example"
    folder.mkdir(parents=True)
    (folder / "a.png").write_bytes(media.signed("notAllowed"))
    (folder / "b.png").write_bytes(media.picture())
    (folder / "robots.txt").write_text("")
    done = shell("corpus", "signals", tmp_path / "web", "--format", "json")
    assert [row["decision"] for row in done.json] == ["denied", "allowed"], done
