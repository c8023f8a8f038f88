"""Names of languages, for people."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files


@cache
def _names() -> Mapping[str, str]:
    return tomllib.loads((files("hallmarked.audit.report") / "languages.toml").read_text(encoding="utf-8"))


def language_name(code: str) -> str:
    """Return the English name of a language by its code of ISO 639; the code where the name is not known."""
    return _names().get(code, code)
