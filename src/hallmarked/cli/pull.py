"""``hallmarked pull``: import a repository from another hub."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from hallmarked.artifacts.remote.address import parse_address
from hallmarked.artifacts.remote.client import HubClient
from hallmarked.artifacts.remote.token import find_login
from hallmarked.cli.admin.group import settings_of
from hallmarked.cli.setting import PATH, passphrase
from hallmarked.core.errors import InputError
from hallmarked.core.text import clean
from hallmarked.hub.access import Actor
from hallmarked.hub.account import find_account
from hallmarked.hub.hub import Hub, open_hub
from hallmarked.hub.setting import Settings
from hallmarked.hub.transfer import Pulled, Target, pull


@click.command(name="pull")
@click.argument("address", metavar="[hf://]OWNER/NAME[@REVISION]")
@click.option("--from", "endpoint", metavar="URL", help="The hub it is on [HF_ENDPOINT, or the public one].")
@click.option("--as", "name", metavar="OWNER/NAME", help="What it is called here [as there].")
@click.option("--public", is_flag=True, help="Let everybody see it, once it was checked; else it is private.")
@click.option("--config", type=PATH, help="Settings as TOML.")
@click.option("--data", type=PATH, help="Folder for everything the hub keeps.")
def command(
    address: str, endpoint: str | None, name: str | None, public: bool, config: Path | None, data: Path | None
) -> None:
    """Import the newest revision of a repository into the hub on this machine.

    Files are compared with the digests that the other hub lists, and it is written down where they came from. A pull
    that broke off goes on where it was. The hub may be running meanwhile.
    """
    source = parse_address(address)
    login = find_login(endpoint)
    visibility = "public" if public else "private"
    with open_hub(_existing(settings_of(config, data)), passphrase()) as hub, HubClient(login) as client:
        target = Target(_owner(hub, name or source.repo), name or source.repo, visibility)
        console = Console(stderr=True)
        with console.status(f"Importing {source}") as status:
            pulled = pull(
                hub,
                client,
                source,
                target,
                lambda path, at, size: status.update(f"Importing {clean(path)}: {at:,} of {size:,} bytes"),
            )
    click.echo(_said(pulled, client.endpoint))


def _existing(settings: Settings) -> Settings:
    """Refuse to make a hub by accident, in a folder that was misspelt."""
    if not settings.data.is_dir():
        raise InputError(
            f"there is no hub in {settings.data}; name its folder with --data, or run hallmarked serve once"
        )
    return settings


def _owner(hub: Hub, name: str) -> Actor:
    owner, slash, _ = name.partition("/")
    if not slash:
        raise InputError("say whose it will be here, with --as OWNER/NAME")
    with hub.database.read() as db:
        found = find_account(db, owner)
    return Actor(found.id, found.name)


def _said(pulled: Pulled, endpoint: str) -> str:
    if not pulled.changed:
        return f"{pulled.repository} has all of revision {pulled.commit[:12]} already, as {pulled.revision.oid[:12]}"
    return (
        f"Imported {pulled.files} files of revision {pulled.commit[:12]} from {endpoint} "
        f"into {pulled.repository}, as {pulled.revision.oid[:12]} ({pulled.fetched:,} bytes fetched)"
    )
