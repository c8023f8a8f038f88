"""``hallmarked verify``: check evidence offline, or what a hub says about a revision."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from hallmarked.artifacts.local import LocalArtifact
from hallmarked.artifacts.source import open_artifact
from hallmarked.audit.remote import check_revision, parse_target
from hallmarked.audit.report.view import json_text
from hallmarked.audit.verify import Check, check_evidence, is_url, read_file, trust_of
from hallmarked.cli.setting import PATH, token
from hallmarked.core.errors import InputError
from hallmarked.ledger.bundle import carried_evidence


@click.command()
@click.argument("evidence", metavar="EVIDENCE")
@click.argument("artifact", required=False, type=PATH)
@click.option("--key", "keys", multiple=True, metavar="ID", help="Id of a key you trust; may be repeated.")
@click.option("--trust", "trust_file", type=PATH, help="A trust file instead of single keys.")
@click.option("--witnesses", type=click.IntRange(0), default=0, help="How many trusted witnesses must have cosigned.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print.")
@click.pass_context
def command(
    ctx: click.Context,
    evidence: str,
    artifact: Path | None,
    keys: Sequence[str],
    trust_file: Path | None,
    witnesses: int,
    form: str,
) -> None:
    """Say whether evidence is intact, who signed it, and whether it is about these bytes.

    EVIDENCE is a file evidence.json or a receipt, which needs no network, or a revision on a hub, written
    https://hub.example.org/owner/name@revision: then the evidence is fetched, and held against the log that the hub
    shows to everybody. ARTIFACT is the folder or file it should be about. For a hub, the id of its signing key is
    enough.

    Exit status: 0 all of it holds, 1 something does not, 2 something could not be told, for example because you named
    no key you trust or no files.
    """
    trusted = read_file(trust_file) if trust_file else None
    files = open_artifact(artifact) if artifact else None
    if is_url(evidence):
        checked = _check_hub(evidence, files, keys, trusted, witnesses)
    else:
        data = carried_evidence(read_file(_given(evidence)))
        checked = check_evidence(data, trust_of(data, keys, trusted), files, witnesses)
    click.echo(json_text(_json(checked)).rstrip() if form == "json" else "\n".join(checked.lines))
    ctx.exit(checked.status)


def _check_hub(
    address: str, files: LocalArtifact | None, keys: Sequence[str], trusted: bytes | None, witnesses: int
) -> Check:
    target = parse_target(address)
    return check_revision(target, files, ids=keys, trust_file=trusted, witnesses=witnesses, token=token())


def _given(path: str) -> Path:
    if not path:
        raise InputError("a path is empty; write . if the current folder is meant")
    return Path(path)


def _json(checked: Check) -> dict[str, Any]:
    return {
        "status": checked.status,
        "summary": checked.lines,
        "entries": [
            {
                "index": entry.index,
                "time": entry.time.isoformat(),
                "predicateType": entry.predicate_type,
                "keyid": entry.keyid,
                "role": entry.role,
                "trusted": entry.trusted,
                "reason": entry.reason,
            }
            for entry in checked.verified.entries
        ],
    }
