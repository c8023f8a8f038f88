"""Browsers by the names that people call them, out of what they say of themselves (RFC 9110, section 10.1.5)."""

from __future__ import annotations

PROGRAMS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
"""What tells them apart; each of them claims to be those below it as well."""
SYSTEMS = (
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def name_browser(agent: str) -> str:
    """Name a browser and its system, such as ``Firefox, Windows``; what is neither stays as it is."""
    found = [next((name for mark, name in table if mark in agent), "") for table in (PROGRAMS, SYSTEMS)]
    return ", ".join(filter(None, found)) or agent
