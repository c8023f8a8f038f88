"""How checks are found and started."""

from __future__ import annotations

import subprocess
import sys

import pytest

from hallmarked.checks import registry

HEAVY = {"numpy", "rich", "cryptography", "pandas", "torch"}


@pytest.mark.parametrize("check", registry.available())
def test_a_check_starts_without_large_libraries(check: str) -> None:
    """Every check is a process of its own, so what it imports is paid for in each audit."""
    program = f"import sys\nfrom hallmarked.checks import registry\nregistry.load({check!r})\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True)
    assert HEAVY.isdisjoint(done.stdout.split())
