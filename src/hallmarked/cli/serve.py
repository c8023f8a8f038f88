"""``hallmarked serve``: run a hub."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from hallmarked.cli.setting import PATH, passphrase
from hallmarked.hub.hub import open_hub
from hallmarked.hub.setting import load_settings
from hallmarked.hub.ticket import has_administrator, make_setup
from hallmarked.web.address import setup_address
from hallmarked.web.server import run_server


@click.command(name="serve")
@click.option("--config", type=PATH, help="Settings as TOML.")
@click.option("--data", type=PATH, help="Folder for everything the hub keeps.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on.")
def command(config: Path | None, data: Path | None, port: int | None) -> None:
    """Run a hub that hf, transformers and datasets can use."""
    settings = load_settings(config)
    if data is not None:
        settings = replace(settings, storage=replace(settings.storage, data=str(data)))
    if port is not None:
        settings = replace(settings, server=replace(settings.server, port=port))
    with open_hub(settings, passphrase()) as hub:
        with hub.database.write() as db:
            link = None if has_administrator(db) else setup_address(settings.server, make_setup(db))
        if link:
            click.echo(
                f"Nobody manages this hub yet; this link makes the administrator's account, once:\n{link}", err=True
            )
        run_server(hub)
