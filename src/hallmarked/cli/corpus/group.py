"""``hallmarked corpus``: the group. Its commands are loaded when they are called."""

from __future__ import annotations

import click

from hallmarked.cli.lazy import LazyCommands

COMMANDS: dict[str, tuple[str, str, str]] = {
    "attribute": (
        "hallmarked.cli.corpus.attribute", "command", "Find what texts share with data sets, word for word.",
    ),
    "build": ("hallmarked.cli.corpus.build", "command", "Make a version by a recipe, and account for every row."),
    "index": ("hallmarked.cli.corpus.index", "command", "Make a data set searchable."),
    "leakage": ("hallmarked.cli.corpus.leakage", "command", "Find items of benchmarks in a data set."),
    "prove": ("hallmarked.cli.corpus.prove", "prove", "Prove that a version holds a content, or that it does not."),
    "provenance": ("hallmarked.cli.corpus.provenance", "command", "Follow a version to what it was made from."),
    "rescore": ("hallmarked.cli.corpus.rescore", "command", "Average results without items that leaked."),
    "search": ("hallmarked.cli.corpus.search", "command", "Find rows of a data set by keyword."),
    "signals": ("hallmarked.cli.corpus.signals", "command", "Say whether signals of sites and files allow training."),
    "verify-proof": ("hallmarked.cli.corpus.prove", "verify_proof", "Check such a proof, offline."),
}  # fmt: skip
"""Name: (module, name of the command in it, one line of help). One module per verb, in order of the names."""


@click.group(name="corpus", cls=LazyCommands, lazy=COMMANDS, extra="data")
def command() -> None:
    """Account for training data: what is in it, where it came from, and who objects."""
