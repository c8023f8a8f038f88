"""Comparisons of revisions: however much changed, and however, a page costs little."""

from __future__ import annotations

from pathlib import Path

from starlette.testclient import TestClient

from hallmarked.hub.change.commit import Message, Put, commit
from hallmarked.hub.change.creation import create
from hallmarked.web.app import create_app
from hallmarked.web.page.history import MOST_SHOWN
from tests.hubs import open_test_hub

LINES = 2_900


def before(number: int) -> bytes:
    return "\n".join(f"{number} {line % 150}" for line in range(LINES)).encode()


def after(number: int) -> bytes:
    """Every other line is another, and the rest are often the same: the shortest way is not looked for to the end."""
    return "\n".join(f"{number} {line % 150}" if line % 2 else f"x{line}" for line in range(LINES)).encode()


def test_a_comparison_is_bounded(tmp_path: Path) -> None:
    """Texts that differ in too much are shown as replaced; behind so many lines files are named only."""
    with open_test_hub(tmp_path) as running, TestClient(create_app(running.hub), base_url="http://localhost") as client:
        ada = running.actor("ada")
        with running.hub.database.write() as db:
            repo = create(db, ada, "model", "m")
            commit(db, repo, ada, [Put("small", b"one\ntwo\n")], Message("small"))
            old = commit(db, repo, ada, [Put(f"f{n}", before(n)) for n in range(9)], Message("before")).oid
            changes = [Put(f"f{n}", after(n)) for n in range(9)]
            new = commit(db, repo, ada, [Put("a", b"one\n2\n"), *changes], Message("after")).oid
        files = client.get(f"/ada/m/compare.json/{old}..{new}", headers=running.browser("ada")).json()["files"]
    assert [file["path"] for file in files] == ["a", *(f"f{n}" for n in range(9))]
    shown = [file["lines"] for file in files]
    assert [(line["sign"], line["text"]) for line in shown[0]] == [("+", "one"), ("+", "2")]
    signs = [line["sign"] for line in shown[1]]
    assert (signs[: LINES - 1], signs[LINES]) == (["-"] * (LINES - 1), "+")
    assert shown[-1] is None
    assert sum(len(lines or ()) for lines in shown) < MOST_SHOWN + 3_001
