"""``hallmarked consent lookup``: ask a registry without showing what one asks about."""

from __future__ import annotations

import json

import click

from hallmarked.cli.setting import token
from hallmarked.corpus.consent.selector import Kind, make_selector
from hallmarked.hub.consent.asker import look_up

KINDS = [kind.value for kind in Kind if kind is not Kind.SIMILAR]


@click.command()
@click.option("--hub", "address", required=True, metavar="URL", help="Address of the hub whose registry is asked.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print.")
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("values", metavar="NAME...", nargs=-1, required=True)
@click.pass_context
def command(ctx: click.Context, address: str, form: str, kind: str, values: tuple[str, ...]) -> None:
    """Say whether each NAME is in the registry, and with which decision.

    NAME is blinded on this machine: the hub learns that somebody asked about so many names, and not about which; and a
    hub that uses another key for you than for others is found out. Each name is one guess, and those are counted.

    Exit status: 0 all are there, 1 some are not, 2 could not do it.
    """
    found = look_up(address, [make_selector(kind, value) for value in values], token())
    if form == "json":
        rows = [{"name": value, "decision": mode} for value, mode in zip(values, found, strict=True)]
        click.echo(json.dumps(rows, ensure_ascii=False, indent=1))
    else:
        for value, mode in zip(values, found, strict=True):
            click.echo(f"{value}: {mode.value if mode else 'not in the registry'}")
    ctx.exit(0 if all(found) else 1)
