"""Where this machine keeps its keys and its log."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from hallmarked.artifacts.remote.address import SCHEME, Address, parse_address
from hallmarked.core.errors import InputError


class _GivenPath(click.Path):
    """A path somebody really named: the empty one, often an unset variable of a script, would mean this folder."""

    def convert(
        self, value: str | os.PathLike[str], param: click.Parameter | None, ctx: click.Context | None
    ) -> str | bytes | os.PathLike[str]:
        if not os.fspath(value):
            raise InputError("a path is empty; write . if the current folder is meant")
        return super().convert(value, param, ctx)


class _PathOrAddress(_GivenPath):
    """A path, or a repository on a hub."""

    def convert(self, value: str | os.PathLike[str], param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, Address):
            return value
        if isinstance(value, str) and value.startswith(SCHEME):
            return parse_address(value)
        return super().convert(value, param, ctx)


PATH_OR_ADDRESS = _PathOrAddress(path_type=Path, readable=False)
"""The type of what may lie on this machine or on a hub."""

PATH = _GivenPath(path_type=Path, readable=False)
"""The type of every path on the command line. Whether it can be read is found out, and said, where it is opened."""


def home() -> Path:
    """Return the folder with keys and log: ``HALLMARKED_HOME``, or the platform's place for application data."""
    return Path(os.environ.get("HALLMARKED_HOME") or click.get_app_dir("hallmarked"))


def passphrase() -> str | None:
    """Return the passphrase of the keys from ``HALLMARKED_PASSPHRASE``, if there is one."""
    return os.environ.get("HALLMARKED_PASSPHRASE")


def token() -> str | None:
    """Return who asks a hub, from ``HALLMARKED_TOKEN``, if anybody does."""
    return os.environ.get("HALLMARKED_TOKEN") or None
