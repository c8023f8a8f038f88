"""Licence ids as other standards write them: https://spdx.org/licenses/."""

from __future__ import annotations

from functools import cache

from license_expression import get_spdx_licensing  # type: ignore[import-untyped]

from hallmarked.checks.licence.catalogue import catalogue


@cache
def _ids() -> frozenset[str]:
    return frozenset(key for key in get_spdx_licensing().known_symbols if not key.startswith("LicenseRef-"))


def is_spdx_id(written: str) -> bool:
    """Say whether a text is an id of the SPDX licence list, in its own spelling."""
    return written in _ids()


def to_spdx(written: str) -> str:
    """Return the SPDX id of a licence as the Hub writes it; the text itself when there is none."""
    known = catalogue().get(written.strip().casefold())
    return known.spdx if known and is_spdx_id(known.spdx) else written


def to_hub(licence: str) -> str:
    """Return the id the Hub has for an SPDX licence; the text itself in lower case when it has none."""
    for name, known in catalogue().items():
        if known.hub and licence in {known.spdx, name}:
            return name
    return licence.lower()
