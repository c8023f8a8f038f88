"""Whom the choices of a recipe cost rows."""

from __future__ import annotations

from pathlib import Path

from hallmarked.audit.build.tradeoff import trade_offs
from hallmarked.transforms.dataset.recipe import Recipe, read_recipe


def recipe(folder: Path) -> Recipe:
    """Make a recipe with a filter."""
    (folder / "posts").mkdir()
    text = "recipe = 1\n[dataset]\nname = 'x'\n[[source]]\nname = 'posts'\npath = 'posts'\n"
    return read_recipe((text + "[[filter]]\nname = 'quality'\nwords = {least = 3}\n").encode(), folder)


def test_a_filter_that_drops_one_dialect_three_times_as_often(tmp_path: Path) -> None:
    """The dialect is named with its share, its interval and the filter; rows that were refused do not count."""
    groups = {
        "dialect": {
            "north": {"kept": 900, "quality": 100, "opted-out": 700},
            "south": {"kept": 350, "quality": 150},
            "rare": {"kept": 1, "quality": 2},
        }
    }
    found = {each.effect.slice: each for each in trade_offs(recipe(tmp_path), groups)}
    assert found.keys() == {"north", "south"}
    assert found["south"].effect.is_greater
    assert not found["north"].effect.is_greater
    said = found["south"].to_dict()
    low, high = map(float, said["interval"])
    assert low < 0.3 < high
    assert (said["share"], said["othersShare"], said["mostly"]) == ("0.300000", "0.100000", "quality")
    assert found["south"].sentence.startswith(
        "The choices left out 30.0% of the rows with dialect south (95 % interval "
    )


def test_an_even_filter_is_not_told_of(tmp_path: Path) -> None:
    """Groups that lose alike are measured, and nothing is said."""
    groups = {"dialect": {"north": {"kept": 90, "quality": 10}, "south": {"kept": 91, "quality": 9}}}
    assert [each.effect.is_greater for each in trade_offs(recipe(tmp_path), groups)] == [False, False]
