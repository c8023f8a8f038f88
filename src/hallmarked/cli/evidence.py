"""``hallmarked evidence``: bring what you signed to a hub."""

from __future__ import annotations

from pathlib import Path

import click

from hallmarked.artifacts.remote.address import parse_address
from hallmarked.artifacts.remote.token import find_login
from hallmarked.artifacts.remote.writer import HubWriter
from hallmarked.audit.verify import read_file
from hallmarked.cli.setting import PATH


@click.group()
def command() -> None:
    """Bring signed evidence to a hub."""


@command.command()
@click.argument("address", metavar="[hf://]OWNER/NAME")
@click.argument("file", type=PATH)
@click.option("--endpoint", metavar="URL", help="The hub it is on [HF_ENDPOINT, or the public one].")
def push(address: str, file: Path, endpoint: str | None) -> None:
    """Bring the evidence FILE to a repository's page, with the token that hf uses (HF_TOKEN).

    All of it must be signed by keys that the operator of the hub counts, and be about a revision of that repository.
    Prints the place of each statement in the hub's ledger.
    """
    data = read_file(file)
    with HubWriter(find_login(endpoint), parse_address(address)) as writer:
        told = writer.bring(data)
    for one in told["received"]:
        click.echo(f"{one['entry']}  {one['statement']}  {one['role']}  {one['signer']}")
    click.echo(f"{len(told['received'])} taken in, {told['known']} known, {told['own']} of the hub itself", err=True)
