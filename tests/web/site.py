"""What every page shares, made up for tests of single pages."""

from __future__ import annotations

from hallmarked.web.language import load_languages
from hallmarked.web.render import Site

LANGUAGES = load_languages()


def site(code: str = "en", *, user: str = "", path: str = "/x", administrator: bool = False) -> Site:
    return Site(LANGUAGES[code], tuple(LANGUAGES.values()), path, f"{path}.json", user, administrator, "token-of-forms")
