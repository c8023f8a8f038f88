"""``hallmarked admin``: the group. Its commands are loaded when they are called."""

from __future__ import annotations

from pathlib import Path

import click

from hallmarked.cli.admin.place import CONFIG, DATA, Place
from hallmarked.cli.lazy import LazyCommands

COMMANDS = {
    "backup": ("hallmarked.cli.admin.data", "backup_command", "Copy everything a hub keeps."),
    "check": ("hallmarked.cli.admin.data", "check_command", "Prove that database, files and ledger agree."),
    "consent": ("hallmarked.cli.admin.consent", "command", "Work on requests of the registry of consents."),
    "migrate": ("hallmarked.cli.admin.data", "migrate_command", "Bring the database to this version."),
    "purge": ("hallmarked.cli.admin.data", "purge_command", "Forget for good what was deleted long ago."),
    "restore": ("hallmarked.cli.admin.data", "restore_command", "Make a hub from a backup."),
    "collect-garbage": ("hallmarked.cli.admin.data", "collect_command", "Remove large files that nothing uses."),
    "create-user": ("hallmarked.cli.admin.account", "create_user", "Make an account for somebody."),
    "disable-user": ("hallmarked.cli.admin.account", "disable_user", "Let an account do nothing any more."),
    "enable-user": ("hallmarked.cli.admin.account", "enable_user", "Undo disable-user."),
    "set-administrator": ("hallmarked.cli.admin.account", "set_administrator", "Let somebody manage everything."),
    "set-password": ("hallmarked.cli.admin.account", "set_password", "Give an account a new password."),
    "trust": ("hallmarked.cli.admin.trust", "command", "Say whose statements count, and as what."),
    "setup-link": ("hallmarked.cli.admin.account", "setup_link", "Print a link that makes an administrator, once."),
}
"""Name: (module, name of the command in it, one line of help). A command takes the settings by ``with_settings``."""


@click.group(name="admin", cls=LazyCommands, lazy=COMMANDS)
@CONFIG
@DATA
@click.pass_context
def command(context: click.Context, config: Path | None, data: Path | None) -> None:
    """Look after a hub: its accounts, its data, its database.

    The hub may be running meanwhile, unless a command says otherwise.
    """
    context.obj = Place(config, data)
