"""Benchmarks that a hub looks for in data sets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from hallmarked.core.errors import InputError
from hallmarked.hub.change.commit import Message, Put, commit
from hallmarked.hub.change.creation import create
from hallmarked.hub.job.benchmark import open_benchmarks
from hallmarked.hub.review.audited import find_audit
from hallmarked.hub.setting import Job, Settings, Storage
from tests.checks.test_leak import BENCHMARK, QUESTIONS, lines
from tests.hubs import open_test_hub


@pytest.mark.slow
def test_data_sets_are_looked_through(tmp_path: Path) -> None:
    """A pushed data set gets a statement about it and the benchmark, with the items that stand in it."""
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks" / "mine.test.jsonl").write_text(BENCHMARK)
    settings = Settings(storage=Storage(data=str(tmp_path / "data")))
    settings = replace(settings, job=Job(benchmarks=str(tmp_path / "benchmarks")))
    with open_test_hub(tmp_path, settings) as hub:
        ada = hub.actor("ada")
        with hub.hub.database.write() as db:
            repo = create(db, ada, "dataset", "texts")
            oid = commit(db, repo, ada, [Put("a.jsonl", lines([QUESTIONS[2]]).encode())], Message("push")).oid
        hub.audit_all()
        with hub.hub.database.read() as db:
            audit = find_audit(db, repo.id, oid)
    assert audit is not None
    (statement,) = [one for one in audit.statements if len(one.subjects) > 1]
    assert [subject.name for subject in statement.subjects] == ["ada/texts", "mine"]
    found = [m for m in statement.predicate["measurements"] if m["metric"] == "leak.item"]
    assert [(m["value"], m["slice"]["item"]) for m in found] == [("strong", "3")]


def test_folders(tmp_path: Path) -> None:
    """Benchmarks are called as their files and folders; hidden ones are none, and what is unclear is refused."""
    assert open_benchmarks("") == {}
    (tmp_path / "a.jsonl").write_text(BENCHMARK)
    (tmp_path / "b").mkdir()
    (tmp_path / ".hidden").mkdir()
    assert list(open_benchmarks(str(tmp_path))) == ["a", "b"]
    (tmp_path / "a.csv").write_text("x")
    with pytest.raises(InputError, match="two benchmarks"):
        open_benchmarks(str(tmp_path))
    with pytest.raises(InputError, match="cannot be listed"):
        open_benchmarks(str(tmp_path / "missing"))
