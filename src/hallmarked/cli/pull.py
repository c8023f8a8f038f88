"""``hallmarked pull``: import a repository from another hub."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import click
from rich.console import Console

from hallmarked.artifacts.remote.address import Address, parse_address
from hallmarked.artifacts.remote.client import HubClient
from hallmarked.artifacts.remote.token import Login, find_login
from hallmarked.artifacts.remote.writer import HubWriter
from hallmarked.cli.hub import settings_with
from hallmarked.cli.setting import PATH, home, passphrase
from hallmarked.core.errors import InputError
from hallmarked.core.text import clean
from hallmarked.hub.access import Actor
from hallmarked.hub.account.account import find_account
from hallmarked.hub.hub import Hub, open_hub
from hallmarked.hub.pull.relay import relay
from hallmarked.hub.pull.transfer import Pulled, Target, pull
from hallmarked.hub.setting import Settings


@click.command(name="pull")
@click.argument("address", metavar="[hf://]OWNER/NAME[@REVISION]")
@click.option("--from", "endpoint", metavar="URL", help="The hub it is on [HF_ENDPOINT, or the public one].")
@click.option("--as", "name", metavar="OWNER/NAME", help="What it is called here [as there].")
@click.option("--public", is_flag=True, help="Let everybody see it, once it was checked; else it is private.")
@click.option("--to", "target", metavar="URL", help="A hub that runs elsewhere [the one on this machine].")
@click.option("--config", type=PATH, help="Settings as TOML.")
@click.option("--data", type=PATH, help="Folder for everything the hub keeps.")
def command(
    *,
    address: str,
    endpoint: str | None,
    name: str | None,
    public: bool,
    target: str | None,
    config: Path | None,
    data: Path | None,
) -> None:
    """Import the newest revision of a repository into the hub on this machine, or with --to into another one.

    Files are compared with the digests that the other hub lists, and it is written down where they came from. A pull
    that broke off goes on where it was. The hub may be running meanwhile. A hub named with --to is asked through its
    interface, with the token in HALLMARKED_TOKEN; only the message of its commit then says where the files came from.
    """
    source = parse_address(address)
    login = find_login(endpoint)
    if target is not None:
        if config is not None or data is not None:
            raise InputError(
                "--to names a hub elsewhere, so that --data and --config, for the one here, do not go with it"
            )
        _relay(source, login, Login(target.rstrip("/"), os.environ.get("HALLMARKED_TOKEN")), name, public=public)
        return
    visibility = "public" if public else "private"
    with (
        open_hub(_existing(settings_with(config, storage__data=str(data) if data else None)), passphrase()) as hub,
        HubClient(login) as client,
    ):
        place = Target(_owner(hub, name or source.repo), name or source.repo, visibility)
        console = Console(stderr=True)
        with console.status(f"Importing {source}") as status:
            pulled = pull(
                hub,
                client,
                source,
                place,
                lambda path, at, size: status.update(f"Importing {clean(path)}: {at:,} of {size:,} bytes"),
            )
    click.echo(_said(pulled, client.endpoint))


def _relay(source: Address, login: Login, target: Login, name: str | None, *, public: bool) -> None:
    place = replace(source, repo=name or source.repo, revision=None)
    console = Console(stderr=True)
    with (
        HubClient(login) as reader,
        HubClient(target) as there,
        HubWriter(target, place) as writer,
        console.status(f"Importing {source}") as status,
    ):
        done = relay(
            reader,
            source,
            there,
            writer,
            home() / "pull",
            private=not public,
            progress=lambda path, at, size: status.update(f"Importing {clean(path)}: {at:,} of {size:,} bytes"),
        )
    if not done.made:
        click.echo(f"{place.repo} has all of revision {done.commit[:12]} already")
        return
    click.echo(
        f"Imported {done.files} files of revision {done.commit[:12]} from {login.endpoint} "
        f"into {place.repo} of {target.endpoint}, as {done.made[:12]} ({done.fetched:,} bytes fetched)"
    )


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
