"""``hallmarked profile map``: what an id means, and what it became in another edition."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import click

from hallmarked.audit.report.view import json_text
from hallmarked.cli.option import LANGUAGE
from hallmarked.core.errors import InputError
from hallmarked.profiles.framework import Control, Framework
from hallmarked.profiles.language import pick, say
from hallmarked.profiles.mapping import EditionMap, Namesake, Relation, unmapped
from hallmarked.profiles.registry import load, maps_of, namesakes_of, resolve


@click.command()
@click.argument("reference", metavar="FRAMEWORK/EDITION[#CONTROL]")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print.")
@LANGUAGE
def command(reference: str, form: str, language: str) -> None:
    """Say what an id means, and what it became in another edition.

    Ids are not stable: with the same id, another edition may ask for something else. Without #CONTROL the whole edition
    is listed. The maps are a judgement of this project, not of whoever published the framework.
    """
    if "#" in reference:
        parsed = resolve(reference)
        framework = load(f"{parsed.framework}/{parsed.edition}")
        listed = [framework.control(parsed.control)]
    else:
        framework = load(reference)
        listed = list(framework.controls)
    maps = maps_of(framework)
    if not maps:
        raise InputError(f"{framework.name} has no map to another edition")
    alike = namesakes_of(framework)
    if form == "json":
        click.echo(
            json_text([_entry(framework, between, control, alike) for between in maps for control in listed]).rstrip()
        )
        return
    for between in maps:
        _print(framework, between, listed, alike, language)


def _entry(
    framework: Framework, between: EditionMap, control: Control, alike: Mapping[str, Namesake]
) -> dict[str, Any]:
    other = between.target if framework.edition == between.source else between.source
    links = [between.forward(control.id)] if framework.edition == between.source else between.backward(control.id)
    return {
        "id": framework.reference(control),
        "relations": sorted({link.relation for link in links}),
        "related": [f"{framework.id}/{other}#{name}" for name in between.related(framework.edition, control.id)],
        "sameIdMeansSomethingElse": control.id in alike,
        "summary": dict(control.summary),
    }


def _print(
    framework: Framework,
    between: EditionMap,
    listed: Sequence[Control],
    alike: Mapping[str, Namesake],
    language: str,
) -> None:
    other = load(f"{framework.id}/{between.target if framework.edition == between.source else between.source}")
    if len(listed) > 1:
        counts = Counter(link.relation for link in between.links.values())
        click.echo(f"{framework.id}: {between.source} → {between.target}")
        click.echo("  " + ", ".join(f"{pick(say(f'relation-{each}'), language)} {counts[each]}" for each in Relation))
        later = other if framework.edition == between.source else framework
        click.echo(f"  {pick(say('relation-new'), language)} {len(unmapped(later, between))}")
        click.echo(f"  {pick(between.method, language)}\n")
    for control in listed:
        entry = _entry(framework, between, control, alike)
        words = ", ".join(pick(say(f"relation-{each}"), language) for each in entry["relations"])
        click.echo(f"{framework.reference(control)}  {words or pick(say('relation-new'), language)}")
        click.echo(f"    {pick(control.summary, language)}")
        for name in between.related(framework.edition, control.id):
            click.echo(f"    ↔ {other.edition}#{name}  {pick(other.control(name).summary, language)}")
        if named := alike.get(control.id):
            said = pick(say("page-namesake", edition=named.edition), language)
            click.echo(f"    ! {said} {pick(named.control.summary, language)}")
