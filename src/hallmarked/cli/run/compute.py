"""``hallmarked run compute``: operations of training."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import click

from hallmarked.cli.option import FORMAT
from hallmarked.cli.run.option import show
from hallmarked.cli.setting import PATH
from hallmarked.core.errors import InputError
from hallmarked.policy.requirement import decimal
from hallmarked.profiles.compute.formula import Kernel, Recomputation, Schedule, estimate_training, rule_of_thumb
from hallmarked.profiles.compute.runlog import compare
from hallmarked.profiles.language import pick
from hallmarked.profiles.run.file import read_configuration
from hallmarked.profiles.run.log import read_log
from hallmarked.profiles.run.project import shorten
from hallmarked.profiles.run.render import estimate_document

KERNELS, AGAIN = [each.value for each in Kernel], [each.value for each in Recomputation]


@click.command()
@click.argument("config", type=PATH)
@click.option("--tokens", required=True, metavar="N", help="Tokens of the training data, such as 15e12.")
@click.option("--sequence", required=True, type=click.IntRange(1), metavar="N", help="Tokens of one sequence.")
@click.option("--target", type=click.IntRange(0), default=0, metavar="N", help="Tokens of one of the decoder's.")
@click.option("--epochs", default="1", show_default=True, metavar="N", help="How often each token is used.")
@click.option("--attention", type=click.Choice(KERNELS), default="unknown", help="How it is done.")
@click.option(
    "--recomputation",
    type=click.Choice(AGAIN),
    default="unknown",
    help="What is computed again to save memory.",
)
@click.option("--log", "logged", type=PATH, help="A log of the run, to be held against it.")
@FORMAT
@click.pass_context
def command(ctx: click.Context, /, config: Path, logged: Path | None, form: str, **said: Any) -> None:
    """Estimate the operations of training the transformer that CONFIG, a config.json, describes.

    Exit status: 0 estimated, 1 a log does not agree with it, 2 could not do it.
    """
    architecture = read_configuration(config)
    tokens = int(_number(said["tokens"], "--tokens") * _number(said["epochs"], "--epochs"))
    how = Kernel(said["attention"]), Recomputation(said["recomputation"])
    made = estimate_training(architecture, Schedule(tokens, said["sequence"], said["target"], *how))
    thumb = rule_of_thumb(architecture, tokens)
    lines = [
        f"{shorten(made.operations)} operations ({shorten(made.interval[0])} – {shorten(made.interval[1])})",
        *(f"  {name}: {shorten(value)}" for name, value in made.parts),
        *(f"  · {pick(each, 'en')}" for each in made.assumptions),
        f"  6ND: {shorten(thumb)}, with {shorten(architecture.parameters)} parameters",
    ]
    document = {**estimate_document(made), "6ND": str(thumb), "parameters": str(architecture.parameters)}
    found = None
    if logged is not None:
        log = read_log(logged).estimate
        found = compare(made, log)
        mark, why = "✔" if found.agree else "✖", pick(found.reason, "en")
        lines.append(f"{mark} log: {shorten(log.operations)}, {found.ratio} times: {why}")
        document["log"] = estimate_document(log)
        document["comparison"] = {"agree": found.agree, "ratio": found.ratio, "reason": dict(found.reason)}
    show(lines, document, form)
    ctx.exit(1 if found is not None and not found.agree else 0)


def _number(text: str, name: str) -> Decimal:
    number = decimal(text)
    if number is None or not 0 < number < Decimal("1e25"):
        raise InputError(f"{name} is no number above 0: {text[:60]}")
    return number
