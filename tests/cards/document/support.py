"""Development cards, and cards made up by hypothesis."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import DATA

SHARED = DATA / "cards"
CARDS = pytest.mark.skipif(not SHARED.is_dir(), reason="the development cards are not beside this checkout")


def cards() -> Iterator[Path]:
    """Yield every development card."""
    return iter(sorted(SHARED.glob("*/*.md")))
