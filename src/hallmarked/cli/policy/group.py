"""``hallmarked policy``: the group. Its commands are loaded when they are called."""

from __future__ import annotations

import click

from hallmarked.cli.lazy import LazyCommands

COMMANDS: dict[str, tuple[str, str, str]] = {
    "changes": ("hallmarked.cli.policy.changes", "changes", "Say what a change of policies makes necessary."),
    "decide": ("hallmarked.cli.policy.decide", "decide", "Decide from evidence whether something may be used."),
    "list": ("hallmarked.cli.policy.show", "list_contexts", "List the contexts there are."),
    "show": ("hallmarked.cli.policy.show", "show", "Show what a context demands, and why."),
    "test": ("hallmarked.cli.policy.test", "test", "Run the tests of a policy."),
}
"""Name: (module, name of the command in it, one line of help)."""


@click.group(name="policy", cls=LazyCommands, lazy=COMMANDS)
def command() -> None:
    """Decide by a policy: for one use, what has to be known of a model or data set, by whom, and how lately."""
