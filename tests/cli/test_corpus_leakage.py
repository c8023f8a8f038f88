"""``hallmarked corpus leakage``, ``corpus rescore`` and ``audit --benchmark``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.checks.test_leak import BENCHMARK, QUESTIONS, WRITER, lines
from tests.cli.support import Shell


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    rows = [WRITER.text(40), f"{WRITER.text(10)} {QUESTIONS[3]} {WRITER.text(10)}"]
    (tmp_path / "data" / "train.jsonl").write_text(lines(rows))
    (tmp_path / "bench.jsonl").write_text(BENCHMARK)
    return tmp_path


def test_leakage(shell: Shell, folder: Path) -> None:
    """Items are shown, the split is written, and results are averaged with and without them."""
    split = folder / "out" / "split.json"
    done = shell(
        "corpus", "leakage", folder / "data", "--benchmark", f"mine={folder / 'bench.jsonl'}", "--split-out", split
    )
    assert done.status == 1, done
    assert "mine: 40 items, read as question-and-answer" in done.out
    assert "39  not found by this method" in done.out
    assert "Item 4 of mine: 30 of its 30 words match" in done.out
    assert json.loads(split.read_text())["benchmarks"][0]["strong"] == ["4"]
    results = folder / "results.jsonl"
    results.write_text("".join(json.dumps({"id": n, "correct": n % 2 == 0}) + "\n" for n in range(1, 41)))
    text = shell("corpus", "rescore", split, f"mine={results}")
    assert "all              40 items  0.5000" in text.out
    assert "strong            1 items  1.0000\n" in text.out
    rows = shell("corpus", "rescore", split, f"mine={results}", "--format", "json").json["metrics"]["correct"]
    assert [row["n"] for row in rows] == [40, 39, 0, 1]


def test_nothing_found(shell: Shell, folder: Path) -> None:
    """A data set in which nothing was found is not called clean."""
    (folder / "data" / "train.jsonl").write_text(lines([WRITER.text(40)]))
    done = shell("corpus", "leakage", folder / "data", "--benchmark", f"mine={folder / 'bench.jsonl'}")
    assert done.status == 0
    assert "40  not found by this method" in done.out
    assert "clean" not in done.out


def test_bad_input(shell: Shell, folder: Path) -> None:
    """Whatever cannot be done is refused in one sentence."""
    data, bench = folder / "data", folder / "bench.jsonl"
    assert "name a benchmark" in shell("corpus", "leakage", data).refused()
    assert "NAME=PATH" in shell("corpus", "leakage", data, "--benchmark", bench).refused()
    twice = ("--benchmark", f"a={bench}", "--benchmark", f"a={bench}")
    assert "two benchmarks" in shell("corpus", "leakage", data, *twice).refused()
    assert "missing" in shell("corpus", "leakage", data, "--benchmark", f"a={folder / 'missing'}").refused()
    (folder / "bin").mkdir()
    (folder / "bin" / "x.bin").write_bytes(b"1")
    assert "no tables" in shell("corpus", "leakage", folder / "bin", "--benchmark", f"a={bench}").refused()
    assert "not JSON" in shell("corpus", "rescore", data / "train.jsonl", f"a={bench}").refused()


def test_audit(shell: Shell, folder: Path) -> None:
    """An audit does the same, signs it as evidence about data set and benchmark, and the evidence verifies."""
    data, bench = folder / "data", folder / "bench.jsonl"
    done = shell(
        "audit", data, "--benchmark", f"mine={bench}", "--check", "benchmark-leakage", "-v", "--fail-on", "warning"
    )
    assert done.status == 1
    assert "1 of 40 items of mine stand in the data" in done.out
    verified = shell("verify", folder / "data.hallmarked" / "evidence.json", data, *shell.keys())
    assert verified.status == 0, verified
