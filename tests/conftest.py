"""What holds for every test: generated examples are judged by what they show, never by how long they take.

Tests that need PostgreSQL ask for ``postgres_url``.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests import postgres
from tests.storage import s3_url

__all__ = ["s3_url"]

# Built on the profile in force: on a CI machine that one makes every run try the same examples.
settings.register_profile(
    "untimed",
    settings.get_profile(settings.get_current_profile_name()),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a PostgreSQL server that lives as long as the tests."""
    postgres.skip_without()
    with postgres.server() as url:
        yield url


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """The URL of a fresh, empty PostgreSQL database."""
    with postgres.database(postgres_server) as url:
        yield url
