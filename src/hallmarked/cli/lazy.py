"""Groups of commands whose modules are imported when a command is called, so that ``--help`` stays fast."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any, cast

import click

from hallmarked.core.errors import InputError


class LazyCommands(click.Group):
    """A group below ``hallmarked`` that imports a command's module when the command is called.

    Args:
        lazy: Name: (module, name of the command in it, one line of help).
        extra: The extra of the package whose installation is advised when a module is missing.
    """

    def __init__(self, *, lazy: Mapping[str, tuple[str, str, str]], extra: str = "hub", **options: Any) -> None:
        super().__init__(**options)
        self.lazy, self.extra = lazy, extra

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return sorted(self.lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load one command.

        Raises:
            InputError: When it needs packages that are not installed.
        """
        if cmd_name not in self.lazy:
            return None
        module, name, _ = self.lazy[cmd_name]
        try:
            return cast("click.Command", getattr(importlib.import_module(module), name))
        except ModuleNotFoundError as error:
            if str(error.name).startswith("hallmarked"):
                raise
            advice = f"pip install 'hallmarked[{self.extra}]'"
            raise InputError(f"{cmd_name} needs more packages ({error.name}): {advice}") from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without loading them."""
        if rows := [(name, help_line) for name, (_, _, help_line) in sorted(self.lazy.items())]:
            with formatter.section("Commands"):
                formatter.write_dl(rows)
