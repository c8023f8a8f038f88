"""``hallmarked admin``: the group. Its commands are loaded when they are called."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import cast

import click

from hallmarked.cli.admin.place import CONFIG, DATA, Place

COMMANDS = {
    "backup": ("hallmarked.cli.admin.data", "backup_command", "Copy everything a hub keeps."),
    "check": ("hallmarked.cli.admin.data", "check_command", "Prove that database, files and ledger agree."),
    "migrate": ("hallmarked.cli.admin.data", "migrate_command", "Bring the database to this version."),
    "purge": ("hallmarked.cli.admin.data", "purge_command", "Forget for good what was deleted long ago."),
    "restore": ("hallmarked.cli.admin.data", "restore_command", "Make a hub from a backup."),
    "collect-garbage": ("hallmarked.cli.admin.data", "collect_command", "Remove large files that nothing uses."),
    "create-user": ("hallmarked.cli.admin.account", "create_user", "Make an account for somebody."),
    "disable-user": ("hallmarked.cli.admin.account", "disable_user", "Let an account do nothing any more."),
    "enable-user": ("hallmarked.cli.admin.account", "enable_user", "Undo disable-user."),
    "set-administrator": ("hallmarked.cli.admin.account", "set_administrator", "Let somebody manage everything."),
    "set-password": ("hallmarked.cli.admin.account", "set_password", "Give an account a new password."),
    "setup-link": ("hallmarked.cli.admin.account", "setup_link", "Print a link that makes an administrator, once."),
}
"""Name: (module, name of the command in it, one line of help). A command takes the settings by ``with_settings``."""


class AdminGroup(click.Group):
    """A group that imports a command's module when the command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load one command."""
        if cmd_name not in COMMANDS:
            return None
        module, name, _ = COMMANDS[cmd_name]
        return cast("click.Command", getattr(importlib.import_module(module), name))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without loading them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, help_line) for name, (_, _, help_line) in sorted(COMMANDS.items())])


@click.group(name="admin", cls=AdminGroup)
@CONFIG
@DATA
@click.pass_context
def command(context: click.Context, config: Path | None, data: Path | None) -> None:
    """Look after a hub: its accounts, its data, its database.

    The hub may be running meanwhile, unless a command says otherwise.
    """
    context.obj = Place(config, data)
