"""The command line's entry. Commands are loaded when they are called, so that ``--help`` stays fast."""

from __future__ import annotations

import importlib
import sys
from typing import Any, cast

import click

from hallmarked import __version__
from hallmarked.core.errors import Error, InputError, VerificationError
from hallmarked.core.text import clean

COMMANDS = {
    "admin": ("hallmarked.cli.admin.group", "Look after a hub: its accounts, its data, its database."),
    "attest": ("hallmarked.cli.attest.group", "State something and sign it: who did what, decisions, results."),
    "audit": ("hallmarked.cli.audit", "Test a model, and write signed evidence of what was found."),
    "card": ("hallmarked.cli.card.group", "Write, check, show and exchange cards."),
    "check": ("hallmarked.cli.check", "List the checks and their rules."),
    "consent": ("hallmarked.cli.consent.group", "Check a receipt of an opt-out; ask a registry privately."),
    "convert": ("hallmarked.cli.convert", "Turn pickled weights into safetensors without loading them."),
    "corpus": ("hallmarked.cli.corpus.group", "Account for training data."),
    "evidence": ("hallmarked.cli.evidence", "Bring signed evidence to a hub."),
    "governance": ("hallmarked.cli.governance", "List who answers for what, decisions, and changes without one."),
    "key": ("hallmarked.cli.key", "Show, create or rotate the key that signs."),
    "ledger": ("hallmarked.cli.ledger", "Look at the log of statements, check it, export from it."),
    "policy": ("hallmarked.cli.policy.group", "Decide by a policy whether something may be used."),
    "profile": ("hallmarked.cli.profile.group", "Answer what frameworks ask from evidence."),
    "lineage": ("hallmarked.cli.lineage", "Say who answers for what, back to the data."),
    "pull": ("hallmarked.cli.pull", "Import a repository from another hub."),
    "run": ("hallmarked.cli.run.group", "Plan a training run, and seal the plan before it begins."),
    "serve": ("hallmarked.cli.serve", "Run a hub that hf, transformers and datasets can use."),
    "verify": ("hallmarked.cli.verify", "Check evidence somebody gave you, or what a hub says."),
    "witness": ("hallmarked.cli.witness", "Watch other people's logs, so that nobody rewrites theirs."),
    "worker": ("hallmarked.cli.worker", "Audit for a hub in a process of its own."),
}
"""Name: (module that has a command ``command``, one line of help)."""

EXIT_FINDINGS, EXIT_COULD_NOT, EXIT_INTERRUPTED = 1, 2, 130


class LazyGroup(click.Group):
    """A group that imports a command's module when the command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load one command."""
        if cmd_name not in COMMANDS:
            return None
        try:
            return cast("click.Command", importlib.import_module(COMMANDS[cmd_name][0]).command)
        except ModuleNotFoundError as error:
            if str(error.name).startswith("hallmarked"):
                raise
            raise InputError(
                f"{cmd_name} needs packages of the hub ({error.name}): pip install 'hallmarked[hub]'"
            ) from error

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; what click would end with status 1, which means findings here, ends with another one."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo("\nhallmarked: interrupted; what was not finished was not written", err=True)
            ctx.exit(EXIT_INTERRUPTED)
        except BrokenPipeError:
            # The reader of our output went away; say nothing more, and do not let the interpreter try to.
            sys.stdout = None
            ctx.exit(EXIT_COULD_NOT)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without loading them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, help_line) for name, (_, help_line) in sorted(COMMANDS.items())])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="hallmarked")
def command() -> None:
    """Accountability for machine-learning models and datasets, on evidence anyone can check."""


def main(arguments: list[str] | None = None) -> Any:
    """Run the command line; every error of ours becomes one sentence and an exit status."""
    try:
        return command.main(arguments, prog_name="hallmarked")
    except Error as error:
        click.echo(f"hallmarked: {clean(error.diagnostics())}", err=True)
        sys.exit(EXIT_FINDINGS if isinstance(error, VerificationError) else EXIT_COULD_NOT)
