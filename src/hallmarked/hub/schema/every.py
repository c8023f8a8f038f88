"""All tables at once, for what makes, changes, copies or compares whole databases."""

from __future__ import annotations

from hallmarked.hub.schema import (
    account,
    community,
    consent,
    evidence,
    gate,
    identity,
    passage,
    repository,
    review,
    search,
    webhook,
    xet,
)
from hallmarked.hub.schema import object as objects
from hallmarked.hub.schema.base import metadata

MODULES = (
    account,
    community,
    consent,
    evidence,
    gate,
    identity,
    objects,
    passage,
    repository,
    review,
    search,
    webhook,
    xet,
)
"""Every module of the package that has tables: importing them is what fills the metadata."""

__all__ = ["MODULES", "metadata"]
