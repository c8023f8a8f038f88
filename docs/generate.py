"""Write the generated pages of the documentation, or with ``--check`` compare them with what is there."""

from __future__ import annotations

import importlib
import json
import sys
from dataclasses import fields
from pathlib import Path

import click

from hallmarked.cards.document import rule
from hallmarked.checks import registry
from hallmarked.cli.main import COMMANDS, command
from hallmarked.hub.setting import Settings
from hallmarked.records.kind import KINDS
from hallmarked.records.schema import describe, file_name

HERE = Path(__file__).parent / "reference"
RECORDS = Path(__file__).parents[1] / "src" / "hallmarked" / "records"


def cli_page() -> str:
    """Describe every command by its own help."""
    parts = ["# Command line\n", "Generated from the commands themselves.\n", _help(command, "hallmarked")]
    for name in sorted(COMMANDS):
        parts += _commands(importlib.import_module(COMMANDS[name][0]).command, f"hallmarked {name}")
    return "\n".join([*parts, ENVIRONMENT])


ENVIRONMENT = """## Environment

| variable | meaning |
|---|---|
| `HALLMARKED_HOME` | folder of keys and log; by default the platform's folder for application data |
| `HALLMARKED_PASSPHRASE` | encrypts new keys, and opens encrypted ones |
| `HALLMARKED_TOKEN` | your token at a hub, for verifying what is not public there; sent to that hub alone |
| `HALLMARKED_CLAMD` | where ClamAV listens, when it is not at a usual place: `unix:/path` or `host:port` |
| `NO_COLOR` | when set, nothing is coloured |
"""


def _commands(found: click.Command, path: str) -> list[str]:
    parts = [f"## {path}\n" if path.count(" ") == 1 else f"### {path}\n", _help(found, path)]
    if isinstance(found, click.Group):
        context = click.Context(found)
        for name in found.list_commands(context):
            child = found.get_command(context, name)
            assert child is not None
            parts += _commands(child, f"{path} {name}")
    return parts


def _help(found: click.Command, path: str) -> str:
    context = click.Context(found, info_name=path, terminal_width=100, max_content_width=100)
    return f"```text\n{found.get_help(context)}\n```\n"


def rules_page() -> str:
    """List every check and rule."""
    parts = ["# Checks and rules\n", "Generated from the checks themselves. `hallmarked check list` shows the same.\n"]
    for check_id in registry.available():
        check, _ = registry.load(check_id)
        parts += [
            f"## {check.id}\n",
            f"{check.title} (version {check.version}; looks at {check.extent.words})\n",
            "| rule | level | what | what to do |",
        ]
        parts.append("|---|---|---|---|")
        parts += [f"| {r.id} | {r.level} | {_cell(r.title)} | {_cell(r.help)} |" for r in check.rules]
        parts.append("")
    parts += [
        "## hallmarked card lint\n",
        "Is the card in order as a document? No check: it runs by its own command.\n",
    ]
    parts += ["| rule | level | what | what to do |", "|---|---|---|---|"]
    parts += [f"| {r.id} | {r.level} | {_cell(r.title)} | {_cell(r.help)} |" for r in rule.RULES]
    parts.append("")
    return "\n".join(parts)


def settings_page() -> str:
    """List every setting, from where it is declared."""
    parts = [
        "# Settings\n",
        "Generated from the declarations. In a TOML file, each section is a table; in the environment,",
    ]
    parts.append("`key` of `[section]` is `HALLMARKED_SECTION_KEY`, and lists are separated by commas.\n")
    for section in fields(Settings):
        kind = type(getattr(Settings(), section.name))
        parts += [f"## {section.name}\n", f"{kind.__doc__}\n", "| setting | default | meaning |", "|---|---|---|"]
        for item in fields(kind):
            default = json.dumps(item.default, ensure_ascii=False)
            parts.append(f"| `{item.name}` | `{default}` | {_cell(item.metadata['help'])} |")
        parts.append("")
    return "\n".join(parts)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


PAGES = {"cli.md": cli_page, "rules.md": rules_page, "settings.md": settings_page}


def main() -> int:
    """Write or compare."""
    stale = []
    made = {HERE / name: page() for name, page in PAGES.items()}
    made |= {RECORDS / file_name(kind): describe(kind).decode() for kind in KINDS.values()}
    for path, text in made.items():
        if "--check" not in sys.argv:
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(str(path))
    if stale:
        click.echo(f"out of date: {', '.join(stale)}; run: python docs/generate.py", err=True)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
