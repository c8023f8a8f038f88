"""A hub in a folder, for tests of its functions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hubs import RunningHub, open_test_hub


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[RunningHub]:
    with open_test_hub(tmp_path) as opened:
        yield opened
