"""What holds for every test: generated examples are judged by what they show, never by how long they take."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

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
