"""Who waits at a terminal sees how far an audit has come; nobody else does."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from hallmarked.cli import progress
from hallmarked.cli.main import main
from hallmarked.cli.progress import watch_progress
from hallmarked.corpus.engine.model import Progress

pytest.importorskip("pyarrow", reason="tables are read with the extra data")


def show(monkeypatch: pytest.MonkeyPatch, *, terminal: bool) -> str:
    """Return what is shown of an audit whose check of tables comes half way."""
    out = io.StringIO()
    options = {"force_terminal": terminal, "width": 120, "legacy_windows": False}
    monkeypatch.setattr(progress, "Console", lambda **_: Console(file=out, **options))  # type: ignore[arg-type]
    with watch_progress("data") as watcher:
        watcher.move("tables", Progress(1, 4, 50 << 20, 200 << 20, 1_234_567))
        watcher.move("tables", Progress(2, 4, 100 << 20, 200 << 20, 2_345_678))
        watcher.done("tables")
    return out.getvalue()


def test_a_terminal_shows_rows_bytes_and_what_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows, bytes of how many, and which checks are done."""
    seen = show(monkeypatch, terminal=True)
    assert "Auditing data: tables done" in seen


def test_elsewhere_nothing_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file or pipe gets no progress."""
    assert show(monkeypatch, terminal=False) == ""


def test_the_line_of_a_check_says_rows_and_bytes() -> None:
    """What a check has read so far, and of how much."""
    with progress.Progress(*progress.COLUMNS, console=Console(file=io.StringIO(), width=200)) as bars:
        watcher = progress.Watcher("data", bars)
        watcher.move("tables", Progress(2, 4, 100_000_000, 200_000_000, 2_345_678))
        task = bars.tasks[1]
        assert (task.completed, task.total) == (100_000_000, 200_000_000)
        assert task.fields["detail"] == "2,345,678 rows, 100 MB of 200 MB"


def audit(folder: Path, capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, str, str]:
    """Audit a data set with the check of tables; return the exit status and what was printed."""
    with pytest.raises(SystemExit) as ended:
        main(["audit", str(folder), "--no-output", "--check", "tables", "--format", "json", *options])
    return int(ended.value.code or 0), *capsys.readouterr()


def test_the_engine_does_not_show_in_the_result(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One process or three print the same, and nothing but the result."""
    for name in "abc":
        rows = [{"text": f"row {n} of {name}", "n": n} for n in range(200)]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    reports = [json.loads(audit(tmp_path, capsys, "--processes", str(n))[1]) for n in (1, 3)]
    assert reports[0][0] == reports[1][0]
    assert audit(tmp_path, capsys)[2] == ""


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--engine", "spark"), "no engine is called spark"),
        (("--engine", "ray", "--processes", "2"), "leave their number out"),
        (("--processes", "0"), "not in the range"),
    ],
)
def test_other_engines_are_refused(
    options: tuple[str, ...], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is no engine is said to be none, before anything is read."""
    (tmp_path / "a.jsonl").write_text('{"a": 1}')
    status, _, err = audit(tmp_path, capsys, *options)
    assert status == 2
    assert says in err
