"""How far an audit has come, for people who wait at a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text

from hallmarked.audit.report.view import size
from hallmarked.corpus.engine import model


class Watcher:
    """Shows what is being done: a line for the audit, and one for each check that counts its way.

    Args:
        name: What is audited.
        bars: Where it is shown.
    """

    def __init__(self, name: str, bars: Progress) -> None:
        self._name, self._bars = name, bars
        self._whole = bars.add_task(f"Auditing {name}", total=None, detail="")
        self._checks: dict[str, TaskID] = {}

    def done(self, check: str) -> None:
        """Say that a check has ended."""
        self._bars.update(self._whole, description=f"Auditing {self._name}: {check} done")
        if check in self._checks:
            self._bars.remove_task(self._checks.pop(check))

    def move(self, check: str, progress: model.Progress) -> None:
        """Say how far a check has come."""
        if check not in self._checks:
            self._checks[check] = self._bars.add_task(check, total=max(1, progress.size_total), detail="")
        detail = f"{progress.rows:,} rows, {size(progress.size)} of {size(progress.size_total)}"
        self._bars.update(self._checks[check], completed=progress.size, detail=detail)


class _Left(TimeRemainingColumn):
    """Shows the time left, once something is known about it."""

    def render(self, task: object) -> Text:
        shown = super().render(task)  # type: ignore[arg-type]
        return Text(f"{shown.plain} left", style=shown.style) if any(map(str.isdigit, shown.plain)) else Text("")


COLUMNS = (
    SpinnerColumn(),
    TextColumn("{task.description}", markup=False),
    BarColumn(24),
    TextColumn("{task.fields[detail]}"),
    _Left(),
)


@contextmanager
def watch_progress(name: str) -> Iterator[Watcher]:
    """Show on standard error how far an audit has come, when that is a terminal; else nothing.

    Args:
        name: What is audited.
    """
    console = Console(stderr=True)
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(24),
        TextColumn("{task.fields[detail]}"),
        _Left(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        yield Watcher(name, bars)
