"""Where this machine keeps its keys and its log."""

from __future__ import annotations

import os
from pathlib import Path

import click


def home() -> Path:
    """Return the folder with keys and log: ``HALLMARKED_HOME``, or the platform's place for application data."""
    return Path(os.environ.get("HALLMARKED_HOME") or click.get_app_dir("hallmarked"))


def passphrase() -> str | None:
    """Return the passphrase of the keys from ``HALLMARKED_PASSPHRASE``, if there is one."""
    return os.environ.get("HALLMARKED_PASSPHRASE")
