"""``hallmarked key``: the keys of this machine."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import click

from hallmarked.audit.verify import read_file
from hallmarked.cli.setting import PATH, home, passphrase
from hallmarked.core.errors import InputError, VerificationError
from hallmarked.core.text import clean
from hallmarked.ledger.ledger import TRUST, Ledger, change_trust
from hallmarked.ledger.trust import SIGNER_ROLES, Role, Trust, dump_trust, extend, load_trust

ROLES = ("auditor", "maker", "community", "hub")


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
        own = _own(ledger)
        click.echo(dump_trust(Trust(tuple(key for key in ledger.trust.keys if (key.role, key.name) in own))), nl=False)


@command.command()
@click.argument("file", type=PATH)
@click.option("--as", "role", type=click.Choice(ROLES), required=True, help="As what they count.")
@click.option("--name", required=True, help="Who they are.")
def accept(file: Path, role: str, name: str) -> None:
    """Count the keys of FILE on this machine: the trust file that somebody's `hallmarked key trust` printed.

    What they sign counts from then on where a claim, a policy or a framework asks for somebody else's word.
    """
    try:
        theirs = load_trust(read_file(file))
    except VerificationError as error:
        raise InputError(f"{file} cannot be used: {error}") from error
    said = clean(" ".join(name.split()))
    keys = [replace(key, role=Role(role), name=said) for key in theirs.keys if key.role in SIGNER_ROLES]
    if not keys or not said:
        raise InputError("name cannot be empty" if keys else f"{file} has no key that signs statements")
    keys += [key for key in theirs.keys if key.role is Role.LOG]
    with Ledger.open(home(), passphrase=passphrase()) as ledger:
        if {(key.role, key.name) for key in keys} & _own(ledger):
            raise InputError("this is what this machine's own keys are called; choose another name")
    change_trust(home(), lambda before: extend(before, keys))
    for key in keys:
        click.echo(f"{key.keyid}  {key.role}  {clean(key.name)}")


def _own(ledger: Ledger) -> set[tuple[Role, str]]:
    """Return the role and name of this machine's keys, which a key keeps that replaces another one."""
    found = [ledger.trust.find(keyid) for keyid in (ledger.key.keyid, ledger.log.keyid)]
    return {(key.role, key.name) for key in found if key is not None}
