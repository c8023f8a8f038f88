"""``hallmarked key``: the keys of this machine."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import click

from hallmarked.audit.report.view import clean
from hallmarked.cli.setting import home, passphrase
from hallmarked.core.errors import InputError
from hallmarked.ledger.ledger import TRUST, Ledger


@click.group()
def command() -> None:
    """Show, create or rotate the key that signs.

    Keys lie in HALLMARKED_HOME (by default the platform's folder for application data), readable by you alone, and
    encrypted when HALLMARKED_PASSPHRASE is set. Tell others the ids by a way they trust: they are what evidence is
    checked against.
    """


@command.command()
def show() -> None:
    """Print the id, role and name of each key; creates them the first time."""
    with Ledger.open(home(), passphrase=passphrase()) as ledger:
        for key in ledger.trust.keys:
            until = f"  until {key.not_after:%Y-%m-%d %H:%M UTC}" if key.not_after else ""
            click.echo(f"{key.keyid}  {key.role}  {clean(key.name)}{until}")


@command.command()
@click.option("--name", required=True, help="Who signs, as others will read it.")
def create(name: str) -> None:
    """Create the keys under a name others will know you by."""
    if not name.strip():
        raise InputError("a name must not be empty")
    if os.path.lexists(home() / TRUST):
        raise InputError(f"there are keys at {home()} already; hallmarked key show lists them")
    with Ledger.open(home(), passphrase=passphrase(), name=name) as ledger:
        click.echo(f"{ledger.key.keyid}  {clean(name)}")


@command.command()
@click.option("--log", "is_log", is_flag=True, help="Replace the key that signs the log instead.")
def rotate(is_log: bool) -> None:
    """Replace the signing key: the old one stays valid for what it signed until now."""
    now = datetime.now(UTC).replace(microsecond=0)
    with Ledger.open(home(), create=False, passphrase=passphrase()) as ledger:
        new = ledger.rotate_log_key(now) if is_log else ledger.rotate_key(now)
    signs = "signs the log" if is_log else "signs"
    click.echo(f"{new.keyid}  {signs} from now on; tell those who trust the old key, or send them trust.json")


@command.command()
def trust() -> None:
    """Print the trust file with these keys, for others to keep."""
    with Ledger.open(home(), create=False, passphrase=passphrase()) as ledger:
        click.echo((ledger.folder / "trust.json").read_text(encoding="utf-8"), nl=False)
