"""``hallmarked attest``: state something, signed with this machine's key."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from hallmarked.artifacts.local import LocalArtifact
from hallmarked.artifacts.remote.address import Address
from hallmarked.artifacts.source import open_artifact
from hallmarked.audit.attest import attest
from hallmarked.audit.audit import with_keys
from hallmarked.audit.report.view import json_text
from hallmarked.audit.verify import read_file
from hallmarked.cli.attest.option import chosen, options, read_named
from hallmarked.cli.setting import PATH, PATH_OR_ADDRESS, home, passphrase
from hallmarked.core.errors import InputError
from hallmarked.core.evidence import Subject
from hallmarked.core.text import clean
from hallmarked.ledger.ledger import Ledger
from hallmarked.profiles.registry import editions, resolve
from hallmarked.records.control import Control
from hallmarked.records.field import Unfit
from hallmarked.records.kind import KINDS
from hallmarked.records.record import Record
from hallmarked.records.waiver import Waiver
from hallmarked.records.written import read_fields, read_written

_HELP = """{title}.

Fields are given as options, or in a file (--file) of TOML, YAML or JSON, or both; options count before the file.
What is stated is signed with this machine's key, logged, and added to records.json in the folder PATH.hallmarked.
"""
_ABOUT = click.Option(
    ["--about"],
    required=True,
    type=PATH_OR_ADDRESS,
    metavar="PATH|hf://OWNER/NAME[@REVISION]|NAME=ALGORITHM:HEX",
    help="What it is about: files here, a revision on a hub, or anything by its digest.",
)
COMMON = (
    _ABOUT,
    click.Option(["--file"], type=PATH, help="A file with fields: TOML, YAML or JSON."),
    click.Option(["--output"], type=PATH, help="Folder for the evidence [PATH.hallmarked]."),
    click.Option(["--endpoint"], metavar="URL", help="The hub that hf:// means [HF_ENDPOINT, or the public one]."),
    click.Option(["--format", "form"], type=click.Choice(["text", "json"]), default="text", help="How to print."),
)
"""Options that every kind has; no field may have one of their names."""


class RecordGroup(click.Group):
    """A group with a command for each kind of record."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all kinds that people write."""
        return sorted(name for name, kind in KINDS.items() if kind.BY_HAND)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Make the command of a kind."""
        kind = KINDS.get(cmd_name)
        if kind is None or not kind.BY_HAND:
            return None

        def call(**given: Any) -> None:
            _state(kind, given)

        text = _HELP.format(title=kind.TITLE)
        params: list[click.Parameter] = [*COMMON, *options(kind)]
        return click.Command(cmd_name, callback=call, params=params, help=text, short_help=kind.TITLE)


@click.group(cls=RecordGroup)
def command() -> None:
    """State something and sign it: who answers for a stage, a decision, a result, a waiver, a dispute."""


@dataclass(frozen=True, slots=True)
class _About:
    """What a record is about."""

    subject: Subject
    artifact: LocalArtifact | None
    """The files, when they are here."""
    folder: Path | None
    """Where its evidence goes unless the user says otherwise."""
    shown: str
    """What the command that verifies is given."""


def _state(kind: type[Record], given: dict[str, Any]) -> None:
    about = _find(given["about"], given["endpoint"])
    folder = given["output"] or about.folder
    if folder is None:
        raise InputError("say with --output into which folder the evidence goes")
    if about.artifact is not None and folder.resolve().is_relative_to(about.artifact.path.resolve()):
        raise InputError(f"{folder} lies inside of what the statement is about; choose another --output")
    record = _record(kind, given, about.artifact)
    _refuse_void(record)
    statement = record.to_statement(about.subject)
    with Ledger.open(home(), passphrase=passphrase()) as ledger:
        time = datetime.now(UTC).replace(microsecond=0)
        made = attest([statement], ledger, folder, time)
        check = with_keys(f"hallmarked verify {shlex.quote(str(made.file))} {about.shown}".rstrip(), ledger)
        signer, origin = ledger.key.keyid, ledger.log.origin
    if given["form"] == "json":
        said = {"sentence": record.sentence, "id": made.id, "file": str(made.file), "index": made.index}
        click.echo(json_text({**said, "statement": statement.to_dict()}).rstrip())
        return
    digest = ", ".join(f"{name} {value}" for name, value in about.subject.digest.items())
    lines = [
        clean(record.sentence),
        "",
        f"About      {clean(about.subject.name) or 'what has the digest'}, {digest}",
        f"Statement  {made.id}",
        f"Signed     by the key {signer[:16]}, entry {made.index} of {origin}",
        f"Written    {made.file}",
        "",
        "Check it yourself:",
        *(f"  {line}" for line in check),
    ]
    click.echo("\n".join(lines))


def _refuse_void(record: Record) -> None:
    """Refuse what could never count: a waiver that has ended, a control that its framework does not have.

    Raises:
        InputError: When a waiver has ended.
        NotFound: When an edition that is installed has no such control.
    """
    if isinstance(record, Waiver) and not record.stands(datetime.now(UTC)):
        raise InputError(f"the waiver would have ended on {record.until:%Y-%m-%d}; choose a later day for --until")
    if isinstance(record, Control) and record.framework.partition("/")[0] in editions():
        resolve(record.control)


def _record(kind: type[Record], given: dict[str, Any], artifact: LocalArtifact | None) -> Record:
    said: dict[str, Any] = {}
    name = text = ""
    if given["file"] is not None:
        name = str(given["file"])
        data = read_file(given["file"])
        said, text = read_fields(data, name), data.decode("utf-8", "replace")
    said |= chosen(kind, given, artifact)
    return read_written(kind, said, name, text)


def _find(what: Path | Address, endpoint: str | None) -> _About:
    """Find out which bytes are meant.

    Raises:
        InputError: When nothing is there, or it is no digest.
    """
    if isinstance(what, Address):
        subject = _revision(what, endpoint)
        return _About(subject, None, Path(f"{what.repo.rpartition('/')[2]}.hallmarked"), "")
    if "=" in str(what) and not what.exists():
        try:
            return _About(read_named(str(what)), None, None, "")
        except Unfit as error:
            raise InputError(f"{what} {error}") from error
    artifact = open_artifact(what)
    path = artifact.path.resolve()
    return _About(artifact.subject, artifact, path.with_name(f"{path.name}.hallmarked"), shlex.quote(str(what)))


def _revision(address: Address, endpoint: str | None) -> Subject:
    try:
        from hallmarked.artifacts.remote.open import open_remote  # noqa: PLC0415 -- needs the extra "hub"
        from hallmarked.artifacts.remote.token import find_login  # noqa: PLC0415 -- likewise
    except ImportError as error:
        raise InputError("asking a hub needs more packages: pip install 'hallmarked[hub]'") from error
    with open_remote(address, find_login(endpoint)) as artifact:
        return artifact.subject
