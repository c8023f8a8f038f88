"""``hallmarked policy list`` and ``show``: what contexts demand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import click

from hallmarked.audit.report.view import json_text
from hallmarked.cli.option import FORMAT
from hallmarked.cli.policy.option import POLICY, context_of, policy_of
from hallmarked.core.text import clean
from hallmarked.ledger.canonical import canonical_bytes
from hallmarked.policy.context import Context
from hallmarked.policy.remedy import describe, who

LANGUAGE = click.option("--lang", "language", default="en", show_default=True, metavar="TAG", help="Language to show.")


@click.command("list")
@POLICY
@FORMAT
@LANGUAGE
def list_contexts(file: Path | None, form: str, language: str) -> None:
    """List the contexts, with what they are for."""
    contexts = policy_of(file).contexts
    if form == "json":
        rows = [
            {"name": each.name, "title": dict(each.title), "risk": each.risk, "digest": {"sha256": each.digest}}
            for each in contexts.values()
        ]
        click.echo(json_text(rows), nl=False)
        return
    for each in contexts.values():
        click.echo(f"{each.name:18} {each.risk:8} {clean(_in(each.title, language))}")


@click.command()
@click.argument("context", metavar="CONTEXT")
@POLICY
@FORMAT
@LANGUAGE
def show(context: str, file: Path | None, form: str, language: str) -> None:
    """Show what CONTEXT demands, with everything it takes over from others, and why.

    As JSON it is printed in the canonical form, whose SHA-256 is the digest in every decision.
    """
    chosen = context_of(policy_of(file), context)
    if form == "json":
        click.echo(canonical_bytes(chosen.to_dict()).decode(), nl=False)
        return
    for line in _lines(chosen, language):
        click.echo(clean(line))


def _lines(context: Context, language: str) -> Iterator[str]:
    yield f"{context.name}: {_in(context.title, language)}"
    yield f"  risk {context.risk}; sha256 {context.digest}"
    if context.extends:
        yield f"  all that is demanded by {', '.join(context.extends)}, and more"
    yield f"  no finding of level {context.fail_on} or higher, by any check"
    if context.required:
        yield f"  checks that have to have run: {', '.join(context.required)}"
    if context.may_be_unknown:
        yield f"  need not have established everything: {', '.join(context.may_be_unknown)}"
    yield f"  waived by: {who(context.waived_by) or 'nobody'}"
    for demand in context.demands:
        yield ""
        yield f"{demand.requirement.id}  ({demand.context})"
        for each in (demand, *demand.beside):
            limit = f"the {each.threshold} that the definition of {each.harm} sets" if each.threshold else ""
            yield f"  {describe(each.requirement, limit)}"
        if demand.why:
            yield f"  why: {_in(demand.why, language)}"
        if demand.maps_to:
            yield f"  answers: {', '.join(demand.maps_to)}"
    for versions in context.harms.values():
        for version in versions:
            end = f"{version.end:%Y-%m-%d}" if version.end else "further notice"
            yield ""
            yield f"{version.harm}, version {version.id}, from {version.begin:%Y-%m-%d} until {end}"
            yield f"  {_in(version.text, language)}"
            yield f"  thresholds: {', '.join(f'{name} {value}' for name, value in version.thresholds.items())}"


def _in(texts: Mapping[str, str], language: str) -> str:
    return texts.get(language) or texts.get("en", "")
