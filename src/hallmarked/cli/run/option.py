"""What the commands about training runs share."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from hallmarked.audit.attested import gather
from hallmarked.audit.audit import write
from hallmarked.cli.attested import machine_trust
from hallmarked.cli.setting import PATH
from hallmarked.core.errors import InputError
from hallmarked.core.evidence import Attestation
from hallmarked.core.text import clean
from hallmarked.profiles.run.pack import Pack, load_pack, shipped

PACKS = click.option(
    "--pack", "packs", multiple=True, metavar="NAME|FILE", help="Rules to hold it against [all that are shipped]."
)
PAGE = click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "html"]),
    default="text",
    help="What to make: html prints too.",
)
EVIDENCE = click.option(
    "--evidence", "others", multiple=True, type=PATH, metavar="FILE", help="Further evidence; may be repeated."
)


def open_packs(names: Sequence[str]) -> tuple[Pack, ...]:
    """Read the rule packs that were named, or all that are shipped.

    Raises:
        InputError: When there is none of a name, or two have one id.
    """
    packs = tuple(load_pack(name) for name in dict.fromkeys(names or shipped()))
    ids = [pack.id for pack in packs]
    if len(set(ids)) < len(ids):
        raise InputError(f"two rule packs have the id {next(id_ for id_ in ids if ids.count(id_) > 1)}")
    return packs


def open_evidence(files: Sequence[Path], trust_file: Path | None) -> tuple[Attestation, ...]:
    """Read evidence, trusting the keys of this machine and those of a trust file."""
    return gather(files, machine_trust(trust_file))


def show(lines: Sequence[str], document: Any, form: str) -> None:
    """Print for people or for programs."""
    if form == "json":
        click.echo(json.dumps(document, ensure_ascii=False, indent=1))
    else:
        click.echo("\n".join(clean(line) for line in lines))


def save(path: Path, data: bytes) -> None:
    """Write a file whole, over what an earlier step of the same run wrote there."""
    write(path.parent, {path.name: data})
    click.echo(f"Evidence: {path}", err=True)


def now() -> datetime:
    """Return the moment, to the second."""
    return datetime.now(UTC).replace(microsecond=0)
