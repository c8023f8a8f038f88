"""Texts are made fit for people's eyes."""

from __future__ import annotations

from hallmarked.core.text import name_part


def test_a_part_is_named_the_same_however_it_was_written() -> None:
    """The order in which somebody names the members of a part does not matter."""
    assert name_part({"language": "es", "group": "women"}) == name_part({"group": "women", "language": "es"})
    assert name_part({"language": "es", "group": "women"}) == "group women, language es"
    assert name_part({}) == ""
