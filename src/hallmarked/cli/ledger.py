"""``hallmarked ledger``: the log of statements on this machine. Reading it needs no key and no passphrase."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from hallmarked.audit.audit import write
from hallmarked.audit.report.view import plural
from hallmarked.audit.verify import read_file, trust_of
from hallmarked.cli.setting import PATH, home, passphrase
from hallmarked.core.errors import InputError
from hallmarked.core.text import clean
from hallmarked.ledger.bundle import export_bundle
from hallmarked.ledger.leaf import Leaf
from hallmarked.ledger.ledger import Ledger, read_log, read_trust
from hallmarked.ledger.log import Log
from hallmarked.ledger.proof import write_proof
from hallmarked.ledger.publish import publish_log
from hallmarked.ledger.strict import format_time
from hallmarked.ledger.trust import Trust, load_trust
from hallmarked.ledger.witness import write_request


def _log() -> closing[Log]:
    return closing(read_log(home()))


@click.group()
def command() -> None:
    """Look at the log of statements, check it, export from it.

    The log lies in HALLMARKED_HOME. Only import changes it; nothing else needs a key.
    """


@command.command("log")
@click.option("--last", type=click.IntRange(1), metavar="N", help="Only the last N entries.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="What to print.")
def show_log(last: int | None, form: str) -> None:
    """List entries: index, time, predicate type, subject, key.

    With --format json each line is one JSON object.
    """
    with _log() as log:
        for index, leaf in log.leaves(log.size - last if last else 0):
            click.echo(_line(index, leaf) if form == "text" else json.dumps(_row(index, leaf), ensure_ascii=False))


def _line(index: int, leaf: Leaf) -> str:
    """Lay out an entry for people."""
    kind = "(hidden)" if leaf.predicate_type is None else "/".join(leaf.predicate_type.split("/")[-2:])
    about = leaf.subjects[0] if leaf.subjects else "(hidden)"
    more = len(leaf.subjects or leaf.blinds) + leaf.more - 1
    also = f"  and {more:,} more" if more else ""
    return f"{index:>6}  {leaf.time:%Y-%m-%d %H:%M:%S}  {leaf.kid[:16]}  {clean(kind):16}  {clean(about)}{also}"


def _row(index: int, leaf: Leaf) -> dict[str, Any]:
    """Return an entry as JSON; what a blinded entry hides is null."""
    return {
        "index": index,
        "time": format_time(leaf.time),
        "predicateType": leaf.predicate_type,
        "subjects": list(leaf.subjects) or None,
        "more": leaf.more,
        "keyid": leaf.kid,
        "envelope": f"sha256:{leaf.env}",
    }


@command.command()
@click.pass_context
def check(ctx: click.Context) -> None:
    """Recompute the whole log, and verify every checkpoint, signature and entry.

    Exit status: 0 everything holds, 1 something does not, 2 there is no log to check.
    """
    with _log() as log:
        report = log.check()
        for fault in report.faults:
            click.echo(f"✖ {clean(fault)}")
        erased = f", {report.erased:,} with an erased envelope" if report.erased else ""
        entries = f"{report.size:,} entr{'y' if report.size == 1 else 'ies'}{erased}"
        if report.faults:
            click.echo(f"{plural(len(report.faults), 'fault')} in the log {clean(log.origin)}: {entries} read")
            ctx.exit(1)
        click.echo(f"✔ The log {clean(log.origin)} holds: {entries}")


@command.command()
def checkpoint() -> None:
    """Print the newest checkpoint, signed: what the log says about itself."""
    with _log() as log:
        note = log.checkpoint()
        log.read_checkpoint(note)
        click.echo(note, nl=False)


@command.command()
@click.argument("index", type=click.IntRange(0))
def prove(index: int) -> None:
    """Print the proof that entry INDEX is in the log (C2SP tlog-proof), with the entry's record inside."""
    with _log() as log:
        click.echo(write_proof(log.prove_entry(index)), nl=False)


@command.command()
@click.argument("indexes", nargs=-1, type=click.IntRange(0), metavar="[INDEX]...")
@click.option("--subject", metavar="DIGEST", help="Instead: every statement about this digest (hex, whole).")
@click.option("--trust", "trust_file", type=PATH, help="The trust file of others, whose statements you took over.")
@click.option("-o", "--output", type=PATH, help="Where to write it; printed without.")
def export(indexes: Sequence[int], subject: str | None, trust_file: Path | None, output: Path | None) -> None:
    """Write the evidence file of some entries, proven against the newest checkpoint."""
    if bool(indexes) == (subject is not None):
        raise InputError("name either entries or a --subject")
    with _log() as log:
        if subject is not None:
            indexes = log.find(subject.lower() if ":" not in subject else subject)
            if not indexes:
                raise InputError(f"the log has no statement about {subject}; digests are compared whole")
        keys = read_trust(home())
        if trust_file is not None:
            theirs = load_trust(read_file(trust_file)).keys
            keys = Trust((*keys.keys, *(key for key in theirs if keys.find(key.keyid) is None)))
        bundle = export_bundle(log, indexes, keys)
    if output is None:
        click.echo(bundle, nl=False)
        return
    if os.path.lexists(output):
        raise InputError(f"{output} is there already; nothing is overwritten")
    write(output.parent, {output.name: bundle})


@command.command("import")
@click.argument("evidence", type=PATH)
@click.option("--key", "keys", multiple=True, metavar="ID", help="Id of a key you trust; may be repeated.")
@click.option("--trust", "trust_file", type=PATH, help="A trust file instead of single keys.")
def import_evidence(evidence: Path, keys: Sequence[str], trust_file: Path | None) -> None:
    """Take over statements that others signed: they are verified, and logged here too, all or none.

    To export them later, give their signer's trust file to export.
    """
    data = read_file(evidence)
    trust = trust_of(data, keys, read_file(trust_file) if trust_file else None)
    with Ledger.open(home(), passphrase=passphrase()) as ledger:
        receipts = ledger.adopt(data, trust, datetime.now(UTC))
        for receipt in receipts:
            click.echo(receipt.index)
    click.echo(f"{plural(len(receipts), 'statement')} taken over", err=True)


@command.command()
@click.argument("old", type=click.IntRange(0))
@click.argument("new", required=False, type=click.IntRange(0))
def consistency(old: int, new: int | None) -> None:
    """Print the proof that the log of NEW entries continues the one of OLD entries.

    It has the form in which witnesses are asked (C2SP tlog-witness): the old size, the proof, and the checkpoint over
    NEW entries, by default the newest.
    """
    with _log() as log:
        note = log.checkpoint(new)
        proof = log.prove_consistency(old, log.read_checkpoint(note).size)
        click.echo(write_request(old, proof, note), nl=False)


@command.command()
@click.argument("folder", type=PATH)
def tiles(folder: Path) -> None:
    """Write the log into FOLDER as static files (C2SP tlog-tiles) that any web server can hand out.

    FOLDER is empty, or has an earlier state of this log, which is brought up to date.
    """
    with _log() as log:
        published = publish_log(log, folder)
    click.echo(f"{clean(published.origin)}: {published.size:,} entries in {clean(folder)}", err=True)
