"""``hallmarked consent``: the group. Its commands are loaded when they are called."""

from __future__ import annotations

import click

from hallmarked.cli.lazy import LazyCommands

COMMANDS = {
    "digest": ("hallmarked.cli.consent.digest", "command", "Print what a registry knows a file or text by."),
    "lookup": ("hallmarked.cli.consent.lookup", "command", "Ask whether a name is in a registry, without showing it."),
    "verify": ("hallmarked.cli.consent.verify", "command", "Check a receipt, without a network."),
}
"""Name: (module, name of the command in it, one line of help)."""


@click.group(name="consent", cls=LazyCommands, lazy=COMMANDS)
def command() -> None:
    """Check your receipt, and ask a registry without showing what you ask about."""
