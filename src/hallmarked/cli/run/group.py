"""``hallmarked run``: the group. Its commands are loaded when they are called."""

from __future__ import annotations

import click

from hallmarked.cli.lazy import LazyCommands

COMMANDS = {
    "check": ("hallmarked.cli.run.check", "command", "Say where planned runs stand, and what is due."),
    "compute": ("hallmarked.cli.run.compute", "command", "Estimate the operations of training a model."),
    "deviate": ("hallmarked.cli.run.deviate", "command", "State that a run began, ended or went otherwise."),
    "new": ("hallmarked.cli.run.new", "command", "Write the form of a plan, to be filled in."),
    "notify": ("hallmarked.cli.run.notify", "command", "Sign and log a plan before training begins."),
    "plan": ("hallmarked.cli.run.plan", "command", "Say what a plan comes to under dated rules."),
    "rebut": ("hallmarked.cli.run.rebut", "command", "Argue from evaluations, which are compared again."),
}
"""Name: (module, name of the command in it, one line of help)."""


@click.group(name="run", cls=LazyCommands, lazy=COMMANDS)
def command() -> None:
    """Plan a training run, see whether anybody must hear of it, and seal the plan before it begins."""
