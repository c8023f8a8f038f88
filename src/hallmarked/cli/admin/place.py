"""Which hub an administrator's command is about: options that stand before or after the command's name."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from hallmarked.cli.hub import settings_with
from hallmarked.cli.setting import PATH
from hallmarked.hub.hub import require_hub

CONFIG = click.option("--config", type=PATH, help="Settings as TOML.")
DATA = click.option("--data", type=PATH, help="Folder for everything the hub keeps.")


@dataclass(frozen=True, slots=True)
class Place:
    """What was said before the name of the command."""

    config: Path | None
    data: Path | None


def with_settings(*, new: bool = False) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Make a command take the options and give it the settings first; what stands after its name counts more.

    Args:
        new: Whether the command may make the hub. Otherwise a folder without one is refused, so that a slip of the
            pen is not answered for an empty hub.
    """

    def wrap(function: Callable[..., Any]) -> Callable[..., Any]:
        @CONFIG
        @DATA
        @click.pass_obj
        @functools.wraps(function)
        def call(before: Place, /, *, config: Path | None, data: Path | None, **given: Any) -> Any:
            folder = data or before.data
            settings = settings_with(config or before.config, storage__data=str(folder) if folder else None)
            if not new:
                require_hub(settings)
            return function(settings, **given)

        return call

    return wrap
