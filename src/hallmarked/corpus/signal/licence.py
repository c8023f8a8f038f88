"""Licences: what an id or address of one says of training.

Licences that let everybody use a work for anything, under conditions at most, allow it. Those that reserve all rights,
or refuse machine learning, refuse it. Whether others allow it (non-commercial ones, for instance, and those without
derivatives) depends on the purpose and the law, so it is for people to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from hallmarked.corpus.signal.model import Decision, Said

_SEPARATOR = re.compile(r"[\s_/]+")
_ALLOWING = re.compile(
    r"(cc0|cc-?by(-sa)?|public-?domain|pdm|pddl|odc-by|odbl|apache|mit|bsd|isc|unlicense|0bsd|zlib|mpl|"
    r"(a|l)?gpl(v?\d)?|cdla-permissive|ogl|etalab|python|psf|wtfpl|artistic|epl|eupl)(?=[-.\d]|$)",
)
"""What an id begins with that allows it."""
_REFUSING = re.compile(r"all-?rights-?reserved|no-?ai|no-?training|no-?machine-?learning|proprietary|copyright$")
_OPEN = re.compile(r"(^|-)(nc|nd|noncommercial|noderivatives|non-commercial|no-derivatives)(-|$)")


def read_licence(text: str) -> Iterator[Said]:
    """Say what a licence says of training; nothing when none is named."""
    said = text.strip()
    if not said:
        return
    name = _SEPARATOR.sub("-", _address(said.lower()))
    shown = said[:60]
    if _REFUSING.search(name):
        yield Said(Decision.DENIED, f"the licence reserves the rights or refuses training: {shown}")
    elif _OPEN.search(name):
        yield Said(Decision.UNKNOWN, f"whether the licence allows training depends on the purpose: {shown}")
    elif _ALLOWING.match(name):
        yield Said(Decision.ALLOWED, f"the licence allows every use, under conditions at most: {shown}")
    else:
        yield Said(Decision.UNKNOWN, f"the licence is not known here: {shown}")


def _address(text: str) -> str:
    """Return the id that an address of Creative Commons stands for; anything else as it is."""
    found = re.fullmatch(r"https?://(?:www\.)?creativecommons\.org/(licenses|publicdomain)/([a-z-]+)/.*", text)
    if found is None:
        return text
    kind, name = found[1], found[2]
    return {"zero": "cc0", "mark": "pdm"}.get(name, name) if kind == "publicdomain" else f"cc-{name}"
