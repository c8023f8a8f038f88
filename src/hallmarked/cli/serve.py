"""``hallmarked serve``: run a hub."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path
from socket import socket

import click

from hallmarked.cli.hub import settings_with
from hallmarked.cli.setting import PATH, passphrase
from hallmarked.hub.account.ticket import has_administrator, make_setup
from hallmarked.hub.database import Database
from hallmarked.hub.hub import open_hub
from hallmarked.hub.job.delivery import delivering
from hallmarked.hub.job.passage import indexing
from hallmarked.hub.job.queue import auditing, leave
from hallmarked.hub.log import start_log
from hallmarked.hub.migration.upgrade import migrate
from hallmarked.hub.setting import Settings
from hallmarked.web.address import hub_address, setup_address
from hallmarked.web.server import listen, run_server, run_servers


@click.command(name="serve")
@click.option("--config", type=PATH, help="Settings as TOML.")
@click.option("--data", type=PATH, help="Folder for everything the hub keeps.")
@click.option("--host", help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on.")
@click.option("--workers", type=click.IntRange(1, 256), help="Processes that answer requests.")
@click.option("--migrate", "upgrade", is_flag=True, help="Bring an older database to this version first.")
def command(
    config: Path | None, data: Path | None, host: str | None, port: int | None, workers: int | None, upgrade: bool
) -> None:
    """Run a hub that hf, transformers and datasets can use.

    It audits what is pushed to it, unless job.in_server is false: then `hallmarked worker` does.
    """
    settings = settings_with(
        config, storage__data=str(data) if data else None, server__host=host, server__port=port, server__workers=workers
    )
    with listen(settings.server) as place:
        served = replace(settings.server, port=place.getsockname()[1])
        _serve(replace(settings, server=served), place, upgrade)
    leave()


def _serve(settings: Settings, place: socket, upgrade: bool) -> None:
    start_log()
    if upgrade:
        settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        database = Database(settings.database_url)
        with contextlib.closing(database):
            migrate(database)
    with open_hub(settings, passphrase()) as hub:
        with hub.database.write() as db:
            ticket = None if has_administrator(db) else make_setup(db)
        if ticket:
            click.echo("Nobody manages this hub yet; this link makes the administrator's account, once:")
            click.echo(setup_address(settings.server, ticket))
        with contextlib.ExitStack() as stack:
            if settings.job.in_server:
                stack.enter_context(auditing(hub))
                stack.enter_context(delivering(hub))
                stack.enter_context(indexing(hub))
            click.echo(f"Serving {hub_address(settings.server)} from {settings.data}; Ctrl-C stops it.")
            if settings.server.workers > 1:
                run_servers(settings, place)
            else:
                run_server(hub, place)
