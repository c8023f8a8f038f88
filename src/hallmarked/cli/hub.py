"""What the commands that run a hub share: options that change settings, and its passphrase."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from hallmarked.hub.setting import Settings, load_settings


def settings_with(config: Path | None, **given: Any) -> Settings:
    """Read the settings and put in what the command line says.

    Args:
        config: The TOML file.
        **given: ``section__key``; None leaves it.

    Raises:
        InputError: When the settings cannot be read.
    """
    settings = load_settings(config)
    for name, value in given.items():
        section, _, key = name.partition("__")
        if value is not None:
            part = getattr(settings, section)
            assert key in {item.name for item in fields(part)}
            settings = replace(settings, **{section: replace(part, **{key: value})})
    return settings
