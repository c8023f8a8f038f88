"""``hallmarked consent verify``: check a receipt, without a network."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import click

from hallmarked.audit.verify import read_file, trust_of
from hallmarked.cli.setting import PATH
from hallmarked.core.text import clean
from hallmarked.corpus.consent.receipt import Receipt, evidence_of, verify_receipt


@click.command()
@click.argument("receipt", type=PATH)
@click.option("--key", "keys", multiple=True, metavar="ID", help="Id of a key you trust; may be repeated.")
@click.option("--trust", "trust_file", type=PATH, help="A trust file instead of single keys.")
@click.option("--evidence", "evidence_file", type=PATH, help="Write what may be shown to others into this file.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print.")
@click.pass_context
def command(
    ctx: click.Context,
    receipt: Path,
    keys: Sequence[str],
    trust_file: Path | None,
    evidence_file: Path | None,
    form: str,
) -> None:
    """Say whether RECEIPT is intact, who signed it, and what it says.

    The receipt names what you entered; the evidence inside of it does not, and can be shown to anybody.

    Exit status: 0 all of it holds, 1 something does not, 2 you named no key you trust.
    """
    data = read_file(receipt)
    evidence = evidence_of(data)
    trust = trust_of(evidence, keys, read_file(trust_file) if trust_file else None)
    checked = verify_receipt(data, trust)
    trusted = checked.verified.trusted and checked.verified.log_trusted
    if evidence_file is not None:
        evidence_file.write_bytes(evidence)
    click.echo(json.dumps(_row(checked, trusted), ensure_ascii=False, indent=1) if form == "json" else _text(checked))
    for entry in checked.verified.entries:
        if form == "text":
            click.echo(f"{'✔' if entry.trusted else '?'} {clean(entry.reason)}")
    ctx.exit(0 if trusted else 2)


def _row(checked: Receipt, trusted: bool) -> dict[str, object]:
    return {
        "trusted": trusted,
        "request": checked.request.to_json(),
        "commitment": checked.commitment,
        "index": checked.index,
        "filed": checked.filed.isoformat(),
        "due": checked.due.isoformat(),
        "policy": checked.policy,
        "events": [{"event": event, "time": time.isoformat()} for event, time in checked.events],
    }


def _text(checked: Receipt) -> str:
    request = checked.request
    about = [f"  {kind}: {value}" for kind, value in request.selectors]
    uses = f" for {', '.join(request.uses)}" if request.uses else ""
    sets = f" in {', '.join(request.sets)}" if request.sets else ""
    events = ", ".join(f"{event} {time:%Y-%m-%d}" for event, time in checked.events)
    lines = [
        f"{request.action}{uses}{sets}, entry {checked.index} of the log, policy {checked.policy}",
        f"due {checked.due:%Y-%m-%d}; {events}",
        *about,
        "✔ what the receipt says is what was logged",
    ]
    return "\n".join(clean(line) for line in lines)
