"""``hallmarked card history``: how a claim stood over time."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from hallmarked.artifacts.source import open_artifact
from hallmarked.audit.living import edition
from hallmarked.cards.record import CARD_CHECK
from hallmarked.cards.timeline import Revision, tell, to_json
from hallmarked.cli.attested import EVIDENCE, attestations
from hallmarked.cli.card.status import MARKS
from hallmarked.cli.setting import PATH
from hallmarked.core.errors import InputError
from hallmarked.core.evidence import Attestation, Subject
from hallmarked.core.text import clean
from hallmarked.policy.fact import check_of


@click.command()
@click.argument("path", type=PATH)
@click.argument("claim")
@EVIDENCE
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print.")
def command(path: Path, claim: str, evidence: Sequence[Path], form: str) -> None:
    """Tell how CLAIM of the card at PATH stood over time, and what changed it each time.

    CLAIM is an id that card status shows in brackets. Files on this machine have no history of pushes: other bytes
    count from their first audit on, and the bytes here now from the moment at which they are looked at.
    """
    stated = attestations(path, evidence)
    now = datetime.now(UTC).replace(microsecond=0)
    if stated:  # logs know seconds: what is here now comes after what was stated
        now = max(now, stated[-1].time + timedelta(seconds=1))
    moments = tell(claim, stated, revisions(stated, open_artifact(path).subject, now), now, edition())
    if not moments:
        raise InputError(f"nothing that is stated here makes the claim {claim}; card status shows those that are made")
    if form == "json":
        click.echo(json.dumps(to_json(moments), ensure_ascii=False, indent=1))
        return
    for one in moments:
        status = one.standings[0] if one.standings else None
        word = f"{MARKS[status.status]} {status.status.value}" if status else "not claimed"
        click.echo(clean(f"{one.time:%Y-%m-%d %H:%M}  {word:18} {one.said}"))
        for each in one.standings:
            click.echo(clean(f"{'':18}{each.status.value}: {each.reason}"))


def revisions(stated: Sequence[Attestation], here: Subject, now: datetime) -> list[Revision]:
    """Return which bytes count as current from when, by what audits of the card tell.

    Args:
        stated: Evidence, oldest first.
        here: The bytes here now.
        now: When they are looked at.
    """
    found: list[Revision] = []
    for one in stated:
        subjects = one.statement.subjects
        if (
            check_of(one.statement) == CARD_CHECK
            and subjects
            and (not found or found[-1].subject.digest != subjects[0].digest)
        ):
            found.append(Revision(subjects[0], one.time))
    if not found or not found[-1].subject.digest.items() & here.digest.items():
        found.append(Revision(here, now))
    return found
