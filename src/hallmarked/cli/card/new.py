"""``hallmarked card new``: a first version of a card."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from hallmarked.artifacts.local import LocalArtifact
from hallmarked.artifacts.source import open_artifact
from hallmarked.audit.attested import of_own
from hallmarked.audit.examine import examine
from hallmarked.cards.document.declared import Kind, Tier
from hallmarked.cards.document.document import CARD
from hallmarked.cards.draft.draft import draft, languages
from hallmarked.cards.template.template import find_template
from hallmarked.checks import registry
from hallmarked.checks.documentation.sections import kind_of
from hallmarked.cli.attested import EVIDENCE, attestations
from hallmarked.cli.card.lint import TEMPLATE
from hallmarked.cli.progress import watch_progress
from hallmarked.cli.setting import PATH
from hallmarked.core.errors import BackendError, InputError
from hallmarked.policy.fact import Facts, is_about

CHECKS = ("facts", "inventory", "licences", "tables", "texts")
"""Checks whose measurements a draft can show."""


@click.command()
@click.argument("path", type=PATH)
@click.option(
    "--kind", type=click.Choice([kind.value for kind in Kind]), help="What the card is about [the files say]."
)
@click.option(
    "--tier",
    type=click.Choice([tier.value for tier in Tier]),
    default=Tier.LIMITED.value,
    show_default=True,
    help="How much depends on it; decides how much is asked.",
)
@click.option("--lang", default="en", show_default=True, metavar="TAG", help="Language to ask in: en or es.")
@TEMPLATE
@EVIDENCE
def command(path: Path, kind: str | None, tier: str, lang: str, own: Path | None, evidence: Sequence[Path]) -> None:
    """Write a README.md for the folder PATH: what machines know is filled in, what only people know is asked.

    Values come from the evidence of an audit of these very files where there is any, else the needed checks run now. A
    README.md that is there is never touched.
    """
    target = path / CARD
    if not path.is_dir():
        raise InputError(f"{path} is not a folder; a card is written into the folder it describes")
    if os.path.lexists(target):
        raise InputError(f"{target} is there already; hallmarked card lint says what it leaves open")
    artifact = open_artifact(path)
    chosen = Kind(kind or kind_of({}, (), (file.path for file in artifact.files)))
    template = find_template(chosen, Tier(tier), own)
    if lang not in languages(template):
        raise InputError(f"{template.id} does not ask in {lang!r}; it does in {', '.join(languages(template))}")
    drafted = draft(path.resolve().name, template, _facts(path, artifact, evidence), lang)
    _create(target, drafted.data)
    click.echo(f"{target}: {len(drafted.known)} values from evidence; the template {template.id} asks you for:")
    for asked in drafted.asked:
        if asked.level is not None:
            click.echo(f"  {asked.level:7}  {asked.ask.get(lang) or asked.ask['en']}")


def _facts(path: Path, artifact: LocalArtifact, evidence: Sequence[Path]) -> Facts:
    """Return what is stated about these very files; the checks run when nothing is."""
    if not artifact.files:
        return Facts(())
    stated = attestations(path, evidence)
    if any(is_about(one.statement, artifact.subject) for one in stated):
        return Facts(stated, artifact.subject)
    checks = [name for name in registry.available() if name in CHECKS]
    with watch_progress(str(path)) as watcher:
        seen = examine(artifact, checks=checks, progress=watcher.done, meter=watcher.move)
    now = datetime.now(UTC).replace(microsecond=0)
    return Facts((*stated, *of_own(seen.statements, now, "maker")), seen.subject)


def _create(target: Path, data: bytes) -> None:
    """Write a file that is not there yet, whole or not at all."""
    try:
        with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".card-", delete=False) as file:
            name = Path(file.name)
            file.write(data)
        try:
            name.chmod(0o644)
            os.link(name, target)  # fails when somebody made the file meanwhile
        finally:
            name.unlink()
    except FileExistsError as error:
        raise InputError(f"{target} is there already") from error
    except OSError as error:
        raise BackendError(f"{target} cannot be written: {(error.strerror or str(error)).lower()}") from error
