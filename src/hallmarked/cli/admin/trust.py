"""``hallmarked admin trust``: whose statements count on a hub."""

from __future__ import annotations

from pathlib import Path

import click

from hallmarked.audit.verify import read_file
from hallmarked.cli.admin.place import with_settings
from hallmarked.cli.setting import PATH, passphrase
from hallmarked.core.errors import InputError, VerificationError
from hallmarked.core.text import clean
from hallmarked.hub.hub import open_hub
from hallmarked.hub.setting import Settings
from hallmarked.hub.upkeep.trust import add_keys, revoke_key
from hallmarked.ledger.trust import Role, load_trust

ROLES = ("auditor", "maker", "community", "hub")


@click.group(name="trust")
def command() -> None:
    """Say whose statements count on this hub, and as what."""


@command.command(name="list")
@with_settings()
def list_keys(settings: Settings) -> None:
    """Print id, role and name of every key that counts."""
    with open_hub(settings, passphrase()) as hub:
        for key in hub.journal.trusted().keys:
            ended = f"  revoked {key.revoked:%Y-%m-%d %H:%M UTC}: {clean(key.reason)}" if key.revoked else ""
            until = f"  until {key.not_after:%Y-%m-%d %H:%M UTC}" if key.not_after else ""
            click.echo(f"{key.keyid}  {key.role}  {clean(key.name)}{ended or until}")


@command.command()
@click.argument("file", type=PATH)
@click.option("--as", "role", type=click.Choice(ROLES), required=True, help="As what they count.")
@click.option("--name", required=True, help="Who they are; of a maker the name of the account.")
@with_settings()
def add(settings: Settings, file: Path, role: str, name: str) -> None:
    """Count the keys of FILE, the trust file that somebody's `hallmarked key trust` printed.

    What they sign from then on can be brought to this hub as evidence. A maker counts only in repositories of the
    account of that name.
    """
    try:
        theirs = load_trust(read_file(file))
    except VerificationError as error:
        raise InputError(f"{file} cannot be used: {error}") from error
    with open_hub(settings, passphrase()) as hub:
        added = add_keys(hub, theirs, Role(role), name)
    for key in added:
        click.echo(f"{key.keyid}  {key.role}  {clean(key.name)}")
    if not added:
        click.echo("all of these keys counted already", err=True)


@command.command()
@click.argument("keyid")
@click.option("--reason", required=True, help="Why, for everybody to read.")
@with_settings()
def revoke(settings: Settings, keyid: str, reason: str) -> None:
    """Let the key KEYID count no more for what comes from now on."""
    with open_hub(settings, passphrase()) as hub:
        key = revoke_key(hub, keyid, reason)
    click.echo(f"{key.keyid}  {key.role}  {clean(key.name)}  revoked")
