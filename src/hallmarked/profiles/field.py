"""Read the members of a row of a framework's file, saying in a sentence what is wrong with one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from hallmarked.ledger.trust import SIGNER_ROLES
from hallmarked.policy.requirement import WORST, Operator, Requirement
from hallmarked.profiles.framework import NAME

KNOWN = tuple(sorted(SIGNER_ROLES))
"""Whose statements count where a requirement does not say: those of everybody whom somebody here trusts."""
MOST_TEXT = 4_000
_DAYS = re.compile(r"(\d{1,5})d")
_FIELDS: Mapping[str, frozenset[str]] = {
    "framework": frozenset({"id", "edition", "title", "source", "date", "note"}),
    "group": frozenset({"title", "function"}),
    "condition": frozenset({"when", "reason"}),
    "answer": frozenset({"evidence", "any_of", "documents", "organisational", "unless", "shows", "needs"}),
    "control": frozenset({"id", "group", "answer", "summary", "tags", "page", "printed_id", "audience", "unless"}),
    "requirement": frozenset({"path", "op", "value", "slice", "min_n", "max_age", "by", "check"}),
}


class Wrong(ValueError):
    """Something in a file that cannot be used."""


def read_requirement(row: Any, name: str) -> Requirement:
    """Read a requirement.

    Raises:
        Wrong: When it is something else.
    """
    check_known(row, "requirement")
    try:
        op = Operator(row.get("op", Operator.PRESENT))
    except ValueError as error:
        raise Wrong(f"“{row.get('op')}” is no operator; there are: {', '.join(Operator)}") from error
    value = row.get("value", "")
    several = isinstance(value, list) and bool(value) and all(isinstance(each, str) for each in value)
    if several != (op is Operator.IN) or not (several or isinstance(value, str)):
        raise Wrong(
            f"“value” of {op} is {'a list of texts' if op is Operator.IN else 'a text, also where it is a number'}"
        )
    if (op in {Operator.PRESENT, Operator.ABSENT}) == bool(value):
        raise Wrong(f"“value” is {'not for' if value else 'missing for'} the operator {op}")
    if op is Operator.ABSENT and not read_string(row, "check"):
        raise Wrong("“absent” needs “check”: the check that must have looked")
    least = row.get("min_n", 0)
    if not isinstance(least, int) or isinstance(least, bool) or not 0 <= least < 1 << 53:
        raise Wrong("“min_n” is no whole number")
    path = read_string(row, "path")
    if not path or len(path) > 200:
        raise Wrong("“path” is missing, or too long")
    return Requirement(
        name,
        path,
        op,
        tuple(value) if several else value,
        _slice(row),
        least,
        _age(row),
        read_strings(row, "by") or KNOWN,
        read_string(row, "check"),
    )


def _slice(row: Mapping[str, Any]) -> Mapping[str, str] | str:
    value = row.get("slice", {})
    if value == WORST:
        return WORST
    if not isinstance(value, dict) or not all(isinstance(each, str) for each in value.values()):
        raise Wrong("“slice” is neither “worst” nor a table of texts")
    return value


def _age(row: Mapping[str, Any]) -> timedelta | None:
    if "max_age" not in row:
        return None
    match = _DAYS.fullmatch(read_string(row, "max_age"))
    if match is None:
        raise Wrong("“max_age” is no number of days such as “90d”")
    return timedelta(days=int(match[1]))


def check_known(row: Any, kind: str) -> None:
    """Refuse members that nobody knows.

    Raises:
        Wrong: When it is something else.
    """
    if not isinstance(row, dict):
        raise Wrong("it is not a table")
    unknown = sorted(row.keys() - _FIELDS[kind])
    if unknown:
        raise Wrong(f"“{unknown[0]}” is not known; there are: {', '.join(sorted(_FIELDS[kind]))}")


def check_name(name: str) -> str:
    """Refuse what is no name, and return it otherwise.

    Raises:
        Wrong: When it is something else.
    """
    if not NAME.fullmatch(name.replace(" ", "-")):
        raise Wrong("the name is not made of letters, digits, “.”, “_” and “-”")
    return name


def read_name(row: Mapping[str, Any], key: str) -> str:
    """Read a name without spaces.

    Raises:
        Wrong: When it is something else.
    """
    value = row.get(key)
    if not isinstance(value, str):
        raise Wrong(f"“{key}” is missing, or no text")
    if " " in value:
        raise Wrong(f"“{key}” holds a space")
    return check_name(value)


def read_string(row: Mapping[str, Any], key: str) -> str:
    """Read a text; empty when it is not there.

    Raises:
        Wrong: When it is something else.
    """
    value = row.get(key, "")
    if not isinstance(value, str) or len(value) > MOST_TEXT:
        raise Wrong(f"“{key}” is no text of at most {MOST_TEXT:,} characters")
    return value


def read_strings(row: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """Read a list of texts; empty when it is not there.

    Raises:
        Wrong: When it is something else.
    """
    value = row.get(key, [])
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise Wrong(f"“{key}” is not a list of texts")
    return tuple(value)
