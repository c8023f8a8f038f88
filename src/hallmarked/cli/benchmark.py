"""Benchmarks on the command line: ``--benchmark NAME=PATH``."""

from __future__ import annotations

import re
from collections.abc import Sequence

import click

from hallmarked.artifacts.local import LocalArtifact
from hallmarked.artifacts.source import open_artifact
from hallmarked.core.errors import InputError

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
BENCHMARK = click.option(
    "--benchmark",
    "benchmarks",
    multiple=True,
    metavar="NAME=PATH",
    help="A benchmark whose items to look for in a data set: a file or folder; may be repeated.",
)


def open_benchmarks(given: Sequence[str]) -> dict[str, LocalArtifact]:
    """Open what was given as ``NAME=PATH``, by name.

    Raises:
        InputError: When it is something else, a name is given twice, or a path cannot be opened.
    """
    found: dict[str, LocalArtifact] = {}
    for each in given:
        name, path = split_pair(each)
        if name in found:
            raise InputError(f"two benchmarks are called {name}")
        found[name] = open_artifact(path)
    return found


def split_pair(given: str) -> tuple[str, str]:
    """Return name and path of ``NAME=PATH``.

    Raises:
        InputError: When it is something else.
    """
    name, equals, path = given.partition("=")
    if not equals or not path or not NAME.fullmatch(name):
        raise InputError(f"{given!r} is not NAME=PATH, like gsm8k=./gsm8k/test.jsonl")
    return name, path
