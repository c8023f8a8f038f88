"""Columns of a result whose parts do not agree about them."""

from __future__ import annotations

MIXED = "mixed"
"""The type of a column whose values have several; it is written as text."""


def unify(first: tuple[str, str], second: tuple[str, str]) -> tuple[str, str]:
    """Return the type that holds the values of two: one of them, or ``mixed``.

    Types are strings, as Arrow calls them, each with the bytes that Arrow reads it back from.
    """
    if first[0] == second[0] or second[0] == "null":
        return first
    if first[0] == "null":
        return second
    if {first[0], second[0]} == {"int64", "double"}:
        return first if first[0] == "double" else second
    if {first[0], second[0]} <= {"string", "large_string", "string_view"}:
        return first if first[0] == "large_string" else second
    return MIXED, ""
