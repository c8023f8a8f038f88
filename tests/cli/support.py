"""Run the command line in this process, as a user would."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any

import pytest

from hallmarked.cli.main import main


@dataclass(frozen=True)
class Done:
    """What a command came to."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    def refused(self, status: int = 2) -> str:
        """Insist on one sentence on standard error, nothing else, and an exit status; return the sentence."""
        assert self.status == status, self
        assert self.out == ""
        sentence = self.err.removeprefix("hallmarked: ").removesuffix("\n")
        assert sentence != self.err
        assert "\n" not in sentence
        assert "Traceback" not in sentence
        return sentence


class Shell:
    """Runs commands with a home of their own.

    Args:
        folder: Holds the home.
        capsys: Catches what is printed.
        monkeypatch: Sets the environment.
    """

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.home = folder / "home"
        self._capsys, self._monkeypatch = capsys, monkeypatch
        self.set(HALLMARKED_HOME=str(self.home), HALLMARKED_PASSPHRASE=None)

    def set(self, **environment: str | None) -> None:
        for name, value in environment.items():
            if value is None:
                self._monkeypatch.delenv(name, raising=False)
            else:
                self._monkeypatch.setenv(name, value)

    def __call__(self, *arguments: object) -> Done:
        self._capsys.readouterr()
        with pytest.raises(SystemExit) as caught:
            main([str(argument) for argument in arguments])
        out, err = self._capsys.readouterr()
        return Done(int(caught.value.code or 0), out, err)

    def at(self, time: datetime) -> None:
        """Stop the clock that commands read."""

        class Stopped(datetime):
            @classmethod
            def now(cls, tz: tzinfo | None = None) -> Stopped:
                return cls.fromtimestamp(time.timestamp(), tz)

        for command in ("audit", "convert", "key", "ledger"):
            self._monkeypatch.setattr(f"hallmarked.cli.{command}.datetime", Stopped)

    def keys(self) -> Iterator[str]:
        """Yield options that trust the keys of this home."""
        for line in self("key", "show").out.splitlines():
            yield from ("--key", line.split()[0])
