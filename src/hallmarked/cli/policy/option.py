"""What the commands about policies have in common."""

from __future__ import annotations

from pathlib import Path

import click

from hallmarked.cli.setting import PATH
from hallmarked.core.errors import InputError
from hallmarked.policy.context import Context
from hallmarked.policy.file import Policy, load_shipped, read_policy

POLICY = click.option(
    "--policy", "file", type=PATH, metavar="FILE", help="A policy file, or a folder of them, beside the shipped ones."
)
MARKS = {
    "met": "✔",
    "waived": "○",
    "fails": "✖",
    "missing": "?",
    "stale": "◷",
    "underpowered": "?",
    "wrong_attester": "?",
    "disputed": "…",
}


def policy_of(file: Path | None) -> Policy:
    """Return the shipped policy, with a file's.

    Raises:
        InputError: When the file cannot be used.
    """
    return load_shipped() if file is None else read_policy(file)


def context_of(policy: Policy, name: str) -> Context:
    """Return a context by name.

    Raises:
        InputError: When there is none.
    """
    if name not in policy.contexts:
        raise InputError(f"no context is called {name}; there are: {', '.join(policy.contexts)}")
    return policy.contexts[name]
