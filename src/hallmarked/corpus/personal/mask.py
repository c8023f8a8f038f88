"""What may be shown of a find: so much that a person sees of which kind it is, and no more."""

from __future__ import annotations

import re

_HIDDEN = re.compile(r"[^\W_]")


def mask(kind: str, value: str) -> str:
    """Hide a value.

    Of an e-mail address the first letter and the last label are left, of other values the first letter or digit where
    it names a country, a scheme or a network and many share it; else only how it is written. Secrets and what is long
    leave nothing but stars.
    """
    if kind == "email":
        last = value.rpartition(".")[2]
        return f"{value[:1]}***@***.{last if last.isalpha() and len(last) <= 6 else '***'}"
    if kind == "url":
        return f"{value.partition('://')[0][:6] or 'www'}://***"
    if kind in ("credential", "private-key", "password", "crypto-wallet") or len(value) > 40:
        return "********"
    keep = {"iban": 2, "payment-card": 1, "phone": _code(value), "ip-address": _network(value)}.get(kind, 0)
    return value[:keep] + _HIDDEN.sub("*", value[keep:])


def _code(value: str) -> int:
    """Return how many characters begin a number with a country code, the code's second digit at most."""
    return 3 if value.startswith("+") else 0


def _network(value: str) -> int:
    """Return the characters of the first of the four numbers of an IPv4 address."""
    return value.find(".") if value.find(".") > 0 and ":" not in value else 0
