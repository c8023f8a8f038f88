"""TDM Reservation Protocol: ``/.well-known/tdmrep.json``.

https://www.w3.org/community/reports/tdmrep/CG-FINAL-tdmrep-20240510/. A policy (``tdm-policy``) says under which
conditions a reservation is lifted; that is for people to read, so a reservation with a policy is a refusal too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from hallmarked.corpus.signal.model import Decision, Said
from hallmarked.corpus.signal.robots import matches

MOST_RULES = 20_000


def read_reservation(name: str, value: object) -> Said:
    """Say what a value of ``tdm-reservation`` means: 1 reserves the rights, 0 does not."""
    said = str(value).strip().strip('"').strip()
    if said == "0":
        return Said(Decision.ALLOWED, f"{name} does not reserve the rights")
    if said == "1":
        return Said(Decision.DENIED, f"{name} reserves the rights to text and data mining")
    return Said(Decision.DENIED, f"{name} is neither 0 nor 1, which counts as a reservation")


def read_tdmrep(text: str, path: str) -> Iterator[Said]:
    """Say what ``tdmrep.json`` says of a path; when several of its rules match, the most restrictive counts."""
    try:
        rules = json.loads(text)
    except (ValueError, RecursionError):
        yield Said(Decision.UNKNOWN, "it is not JSON")
        return
    if not isinstance(rules, list) or len(rules) > MOST_RULES:
        yield Said(Decision.UNKNOWN, "it is not a list of rules")
        return
    for rule in rules:
        yield from _rule(rule, path)


def _rule(rule: Any, path: str) -> Iterator[Said]:
    members = {str(key).lower(): value for key, value in rule.items()} if isinstance(rule, dict) else {}
    location = members.get("location")
    if not isinstance(location, str) or "tdm-reservation" not in members:
        yield Said(Decision.UNKNOWN, "one of its rules lacks a location or a reservation")
    elif matches(location if location.startswith(("/", "*")) else f"/{location}", path):
        value = members["tdm-reservation"]
        yield read_reservation("tdm-reservation", int(value) if isinstance(value, bool) else value)
