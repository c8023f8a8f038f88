"""``hallmarked profile show``: a framework, answered for one model or data set."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console

from hallmarked.artifacts.source import open_artifact
from hallmarked.audit.audit import write
from hallmarked.audit.report.view import json_text
from hallmarked.cli.attested import EVIDENCE, attestations
from hallmarked.cli.option import LANGUAGE
from hallmarked.cli.setting import PATH
from hallmarked.core.errors import InputError
from hallmarked.policy.fact import Facts
from hallmarked.profiles.document import to_document
from hallmarked.profiles.framework import Audience, Framework
from hallmarked.profiles.page import Shown, render_page
from hallmarked.profiles.profile import Profile, State, build_profile, select
from hallmarked.profiles.registry import load, namesakes_of, read_file
from hallmarked.profiles.text import plain, render_text

STYLES = {State.EVIDENCED: "green", State.DOCUMENTED: "cyan", State.OPEN: "yellow"}


@dataclass(frozen=True, slots=True)
class Options:
    """How to show it."""

    form: str
    language: str
    states: Sequence[str]
    risks: Sequence[str]
    functions: Sequence[str]
    audience: str | None
    output: Path | None
    launch: bool


@click.command()
@click.argument("framework", metavar="FRAMEWORK/EDITION|FILE.toml")
@click.argument("path", type=PATH)
@EVIDENCE
@click.option("--format", "form", type=click.Choice(["text", "json", "html"]), default="text", help="What to make.")
@LANGUAGE
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice([state.value for state in State]),
    help="List only these; repeatable.",
)
@click.option("--risk", "risks", multiple=True, metavar="ID", help="Only controls about this risk; repeatable.")
@click.option("--function", "functions", multiple=True, metavar="NAME", help="Only this part, e.g. GOVERN; repeatable.")
@click.option(
    "--audience", type=click.Choice([each.value for each in Audience]), help="Show only what this audience may see."
)
@click.option("--output", type=PATH, help="The file to write [standard output].")
@click.option("--open", "launch", is_flag=True, help="Write the page beside the evidence, and open it in the browser.")
def command(framework: str, path: Path, evidence: Sequence[Path], **options: object) -> None:
    """Answer every control of an edition for the model or data set at PATH.

    Each control is evidenced, documented, organisational, not applicable or open, with a sentence that says why and the
    statements it rests on. Statements come from PATH.hallmarked/evidence.json, which an audit writes, and from
    --evidence; without any, every gap shows. The edition is never left out: the same id means different things in
    different editions. An organisation may bring a framework of its own as a TOML file.
    """
    chosen = Options(**options)  # type: ignore[arg-type]
    asked = read_file(Path(framework)) if framework.endswith(".toml") else load(framework)
    artifact, time = open_artifact(path), datetime.now(UTC).replace(microsecond=0)
    stated = attestations(path, evidence)
    if strangers := sum(not one.role for one in stated):
        click.echo(
            f"{strangers} of {len(stated)} statements are by nobody this machine trusts, and answer nothing", err=True
        )
    facts = Facts(stated, artifact.subject)
    audience = Audience(chosen.audience) if chosen.audience else None
    profile = _selected(build_profile(asked, facts, time, audience), chosen)
    shown = Shown(
        artifact.subject, time, chosen.language, namesakes_of(asked), _command(framework, path, evidence, chosen)
    )
    _put(profile, shown, chosen, path)


def _selected(profile: Profile, options: Options) -> Profile:
    """Keep the parts and risks somebody asked for; a name that the edition does not have is an error."""
    framework = profile.framework
    _must_know(options.risks, list(framework.tags), "risk", framework)
    functions = list(dict.fromkeys(group.function for group in framework.groups.values() if group.function))
    _must_know(options.functions, functions, "part", framework)
    return select(profile, tags=options.risks, functions=options.functions)


def _must_know(names: Sequence[str], known: Sequence[str], what: str, framework: Framework) -> None:
    for name in names:
        if name not in known:
            raise InputError(f"{framework.name} has no {what} called {name}; there are: {', '.join(known)}")


def _put(profile: Profile, shown: Shown, options: Options, path: Path) -> None:
    form = "html" if options.launch else options.form
    output = options.output
    if options.launch and output is None:
        resolved = path.resolve()
        name = profile.framework.name.replace("/", "-")
        output = resolved.with_name(f"{resolved.name}.hallmarked") / f"profile-{name}.html"
    states = frozenset(map(State, options.states)) or None
    if form == "text" and output is None:
        console = Console(highlight=False, soft_wrap=True)
        colours = console.is_terminal and "NO_COLOR" not in os.environ
        paint = _paint if colours else plain
        click.echo(render_text(profile, shown, paint=paint, states=states))
        return
    made = {
        "text": lambda: render_text(profile, shown, states=states),
        "json": lambda: json_text(
            to_document(select(profile, states=states), shown.subject, shown.time, shown.namesakes)
        ),
        "html": lambda: render_page(select(profile, states=states), shown),
    }[form]()
    if output is None:
        click.echo(made, nl=False)
        return
    write(output.parent, {output.name: made.encode()})
    click.echo(str(output))
    if options.launch:
        click.launch(str(output))


def _paint(text: str, state: str) -> str:
    return click.style(text, fg=STYLES.get(State(state)))


def _command(framework: str, path: Path, evidence: Sequence[Path], options: Options) -> str:
    words = ["hallmarked", "profile", "show", framework, str(path)]
    words += [part for file in evidence for part in ("--evidence", str(file))]
    words += ["--format", "html", "--lang", options.language]
    if options.audience:
        words += ["--audience", options.audience]
    return shlex.join(words)
