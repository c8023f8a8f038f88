"""``hallmarked verify``: check evidence offline."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from hallmarked.artifacts.source import open_artifact
from hallmarked.audit.report.view import json_text
from hallmarked.audit.verify import Check, check_evidence, read_file, trust_of
from hallmarked.cli.setting import PATH


@click.command()
@click.argument("evidence", type=PATH)
@click.argument("artifact", required=False, type=PATH)
@click.option("--key", "keys", multiple=True, metavar="ID", help="Id of a key you trust; may be repeated.")
@click.option("--trust", "trust_file", type=PATH, help="A trust file instead of single keys.")
@click.option("--witnesses", type=click.IntRange(0), default=0, help="How many trusted witnesses must have cosigned.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print.")
@click.pass_context
def command(
    ctx: click.Context,
    evidence: Path,
    artifact: Path | None,
    keys: Sequence[str],
    trust_file: Path | None,
    witnesses: int,
    form: str,
) -> None:
    """Say whether evidence is intact, who signed it, and whether it is about these bytes.

    EVIDENCE is a file evidence.json; ARTIFACT is the folder or file it should be about. Works without a network.

    Exit status: 0 all of it holds, 1 something does not, 2 something could not be told, for example because you named
    no key you trust or no files.
    """
    data = read_file(evidence)
    trust = trust_of(data, keys, read_file(trust_file) if trust_file else None)
    checked = check_evidence(data, trust, open_artifact(artifact) if artifact else None, witnesses)
    click.echo(json_text(_json(checked)).rstrip() if form == "json" else "\n".join(checked.lines))
    ctx.exit(checked.status)


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
