"""``hallmarked admin consent``: requests of the registry, and what builds need of it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TextIO

import click

from hallmarked.cli.admin.place import with_settings
from hallmarked.cli.setting import PATH, passphrase
from hallmarked.core.errors import BackendError, InputError
from hallmarked.core.text import clean
from hallmarked.corpus.consent.key import save_key
from hallmarked.hub.clock import to_datetime
from hallmarked.hub.consent import listing, proof, subject
from hallmarked.hub.consent.key import open_keys
from hallmarked.hub.consent.request import Stored, load_request
from hallmarked.hub.hub import open_hub
from hallmarked.hub.job.personal import find_personal
from hallmarked.hub.setting import Settings


@click.group(name="consent")
def command() -> None:
    """Work on requests of the registry of consents, and hand its list to builds."""


@command.command(name="list")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print.")
@with_settings()
def list_command(settings: Settings, form: str) -> None:
    """List open requests, what is due first at the top.

    Exit status: 0 none is late, 1 some are, 2 could not do it.
    """
    with open_hub(settings, passphrase()) as hub:
        rows = subject.list_due(hub)
    if form == "json":
        click.echo(
            json.dumps([{**_row(one), "clock": clock.state, "daysLeft": clock.days_left} for one, clock in rows])
        )
    for stored, clock in rows if form == "text" else ():
        said = f"{clock.days_left} days left" if clock.days_left >= 0 else f"late by {-clock.days_left} days"
        click.echo(f"{stored.id}  {stored.action:13}  {stored.status.value:8}  due {clock.due:%Y-%m-%d}, {said}")
    click.get_current_context().exit(1 if any(clock.state == "late" for _, clock in rows) else 0)


@command.command(name="show")
@click.argument("request")
@with_settings()
def show_command(settings: Settings, request: str) -> None:
    """Print what is known of REQUEST; of one about personal data, also what was written to it."""
    with open_hub(settings, passphrase()) as hub:
        with hub.database.read() as db:
            stored = load_request(db, request)
        row = _row(stored)
        if stored.action in subject.RIGHTS and stored.ended is None:
            text, about = subject.contents_of(hub, request)
            row |= {"text": text, "about": [{"kind": kind, "value": value} for kind, value in about]}
    click.echo(json.dumps(row, indent=1))


@command.command(name="confirm")
@click.argument("request")
@click.option("--note", required=True, help="What it was established by; only a keyed digest of it is kept.")
@click.option("--selector", "selectors", multiple=True, metavar="ID", help="Only this one; may be repeated.")
@with_settings()
def confirm_command(settings: Settings, request: str, note: str, selectors: tuple[str, ...]) -> None:
    """Confirm by hand who made REQUEST."""
    with open_hub(settings, passphrase()) as hub:
        count = proof.confirm_by_hand(hub, request, note, selectors)
    click.echo(f"{count} confirmed", err=True)


@command.command(name="extend")
@click.argument("request")
@click.option("--reason", required=True, help="Whoever asked reads it.")
@with_settings()
def extend_command(settings: Settings, request: str, reason: str) -> None:
    """Give REQUEST, about personal data, two months more; once."""
    with open_hub(settings, passphrase()) as hub:
        subject.extend(hub, request, reason)


@command.command(name="decide")
@click.argument("request")
@click.option("--reason", required=True, help="What was decided and why; whoever asked reads it.")
@click.option("--refuse", is_flag=True, help="Refuse it.")
@click.option("--rows", type=PATH, help="Rows to give out, from `search`.")
@with_settings()
def decide_command(settings: Settings, request: str, reason: str, refuse: bool, rows: Path | None) -> None:
    """Answer REQUEST, about personal data. What was written to it is deleted."""
    try:
        data = rows.read_bytes() if rows else b""
    except OSError as error:
        raise InputError(f"{rows}: {(error.strerror or 'cannot be read').lower()}") from error
    with open_hub(settings, passphrase()) as hub:
        subject.decide(hub, request, reason, refused=refuse, answer=data)


@command.command(name="search")
@click.argument("request")
@click.argument("output", type=PATH)
@click.option("--repository", "names", multiple=True, required=True, metavar="OWNER/NAME", help="May be repeated.")
@with_settings()
def search_command(settings: Settings, request: str, output: Path, names: tuple[str, ...]) -> None:
    """Write the rows of data sets in which the identifiers of REQUEST stand into the new file OUTPUT.

    Exit status: 0 everything was searched, 1 some of it could not be, 2 could not do it.
    """
    problems, found, searched = 0, 0, 0
    with open_hub(settings, passphrase()) as hub, _private(output) as file:
        _, about = subject.contents_of(hub, request)
        identifiers = sorted({value for _, value in about})
        for name in names:
            done = find_personal(hub, name, identifiers)
            for line in done.rows.splitlines():
                file.write(json.dumps({"dataset": done.name, "revision": done.revision, **json.loads(line)}) + "\n")
            found, searched = found + done.found, searched + done.searched
            problems += len(done.unread)
            for reason in done.unread:
                click.echo(clean(f"not searched: {done.name}: {reason}"), err=True)
    click.echo(f"{found:,} rows found in {searched:,} rows searched", err=True)
    click.get_current_context().exit(1 if problems else 0)


@command.command(name="export")
@click.argument("output", type=PATH)
@with_settings()
def export_command(settings: Settings, output: Path) -> None:
    """Write the signed list of consents for builds into OUTPUT; matching needs the key as well."""
    with open_hub(settings, passphrase()) as hub:
        data = listing.export_list(hub)
    try:
        output.write_bytes(data)
    except OSError as error:
        raise BackendError(f"{output} cannot be written: {(error.strerror or '').lower()}") from error
    click.echo(f"{data.count(bytes([10])) - 1:,} entries", err=True)


@command.command(name="key")
@click.argument("output", type=PATH)
@with_settings()
def key_command(settings: Settings, output: Path) -> None:
    """Write the key that matches rows with the list into the new file OUTPUT. Keep it as secret as the data.

    Whoever has key and list can try names; send them by different ways.
    """
    with open_hub(settings, passphrase()) as hub:
        save_key(output, open_keys(hub.settings).digest)


@command.command(name="renew-keys")
@with_settings()
def renew_command(settings: Settings) -> None:
    """Renew the registry's keys, after one may have become known. Builds need the list and the key anew."""
    with open_hub(settings, passphrase()) as hub:
        listing.renew(hub)
    click.echo("renewed; hand the key and the list to builds again", err=True)


def _row(stored: Stored) -> dict[str, object]:
    return {
        "id": stored.id,
        "action": stored.action,
        "status": stored.status.value,
        "representative": stored.representative,
        "uses": list(stored.uses),
        "sets": list(stored.sets),
        "created": to_datetime(stored.created).isoformat(),
        "due": to_datetime(stored.due).isoformat(),
        "extended": stored.extended is not None,
        "reason": stored.reason,
        "entry": stored.entry,
        "commitment": stored.commitment,
        "selectors": [{"id": item.id, "kind": item.kind.value, "proof": item.proof} for item in stored.items],
    }


def _private(path: Path) -> TextIO:
    """Begin a new file that only its owner may read."""
    try:
        return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path}: {(error.strerror or 'cannot be written').lower()}") from error
