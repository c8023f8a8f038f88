"""All tables together: whoever makes or compares a whole database takes ``metadata`` from here.

A table is known to the metadata only once its module was imported, so each module stands here.
"""

from __future__ import annotations

from hallmarked.hub.schema import account, community, gate, identity, repository, review, search, xet
from hallmarked.hub.schema import object as object_
from hallmarked.hub.schema.base import metadata

MODULES = (account, community, gate, identity, object_, repository, review, search, xet)
"""Every module with tables."""

__all__ = ["MODULES", "metadata"]
