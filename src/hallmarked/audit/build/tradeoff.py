"""Whom the choices of a recipe cost rows: what was left out of each group by choice, and how that differs by chance.

Choices are filters, near copies and benchmarks. Rows that could not be read, may not be kept, were refused or not drawn
are no choice of the recipe, and do not count.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hallmarked.corpus.measure.effect import Effect, effects
from hallmarked.transforms.dataset.recipe import LEAKED, NEAR_COPY, Recipe

FEWEST = 5
"""Rows of a value from which it is shown; rarer ones may point to a person."""


@dataclass(frozen=True, slots=True)
class TradeOff:
    """What the choices did to one value of a group column."""

    column: str
    effect: Effect
    reason: str
    """The reason that cost it most rows; empty when none did."""

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON; shares and intervals as decimal text."""
        low, high = self.effect.interval
        return {
            "column": self.column,
            "value": self.effect.slice,
            "rows": self.effect.rows,
            "removed": self.effect.affected,
            "share": f"{self.effect.share:.6f}",
            "interval": [f"{low:.6f}", f"{high:.6f}"],
            "othersShare": f"{self.effect.others_share:.6f}",
            "difference": [f"{bound:.6f}" for bound in self.effect.difference],
            "more": self.effect.is_greater,
            "mostly": self.reason,
        }

    @property
    def sentence(self) -> str:
        """Say in one sentence how much more of it is gone than of the others."""
        low, high = self.effect.interval
        mostly = f", mostly by {self.reason}" if self.reason else ""
        return (
            f"The choices left out {self.effect.share:.1%} of the rows with {self.column} {self.effect.slice} "
            f"(95 % interval {low:.1%} to {high:.1%}), but {self.effect.others_share:.1%} of the others{mostly}."
        )


def trade_offs(recipe: Recipe, groups: Mapping[str, Mapping[str, Mapping[str, int]]]) -> Sequence[TradeOff]:
    """Compare what the choices cost each value of each group column.

    Args:
        recipe: Names the choices.
        groups: Rows by column, value, and what became of them.
    """
    choices = [each.name for each in recipe.filters] + [LEAKED, NEAR_COPY]
    found = []
    for column, values in sorted(groups.items()):
        counts: dict[str, tuple[int, int]] = {}
        for value, became in values.items():
            removed = sum(became.get(reason, 0) for reason in choices)
            rows = removed + became.get("kept", 0)
            if rows >= FEWEST:
                counts[value] = rows, removed
        for effect in effects(counts):
            became = values[effect.slice]
            reason = max(choices, key=lambda reason: became.get(reason, 0))
            found.append(TradeOff(column, effect, reason if became.get(reason, 0) else ""))
    return found
