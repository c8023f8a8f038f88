"""People are shown the names of browsers, not what browsers send."""

from __future__ import annotations

import pytest

from hallmarked.web.page.browser import name_browser

CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (f"Mozilla/5.0 (X11; Linux x86_64) {CHROME}", "Chrome, Linux"),
        (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {CHROME} Edg/140.0.0.0", "Edge, Windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:143.0) Gecko/20100101 Firefox/143.0", "Firefox, macOS"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1 Version/19.0 Safari/604.1",
            "Safari, iPhone",
        ),
        (f"Mozilla/5.0 (Linux; Android 15) {CHROME}", "Chrome, Android"),
        ("curl/8.9", "curl/8.9"),
        ("", ""),
    ],
)
def test_names(agent: str, name: str) -> None:
    """Browser and system are told apart by their marks; a program that has neither keeps its own name."""
    assert name_browser(agent) == name
