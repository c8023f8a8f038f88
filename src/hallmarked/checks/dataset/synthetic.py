"""What is told of rows that a model made, as ``dataset.toml`` declares it.

========================= ============================================================================================
``synthetic.share``       share of the rows that a model made; ``n`` are those of which it is known
``synthetic.depth``       how often the rows that went through models most often did so
``synthetic.rows``        rows of one ``depth``; 0 is what people wrote or devices recorded
``synthetic.unknown``     rows of which it is not known
========================= ============================================================================================
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from hallmarked.checks.dataset.column import share_of
from hallmarked.core.evidence import Finding, Gap, Item, Level, Measurement, Rule

if TYPE_CHECKING:
    from hallmarked.corpus.measure.cross import Cross
    from hallmarked.corpus.measure.declared import Synthetic

DEEP = Rule(
    "SYN001",
    Level.WARNING,
    "Rows were made by a model from what a model made",
    "Mix in what people wrote, and keep it apart; models that learn from their own output lose what is rare.",
)
RULES = (DEEP,)
DEEPEST = 1_000
WORDS = {"false": 0, "no": 0, "human": 0, "true": 1, "yes": 1, "synthetic": 1}
"""What a column may say besides a number."""


def tell_synthetic(said: Synthetic, source: str, crosses: Mapping[str, Cross], rows: int) -> Iterator[Item]:
    """Tell how many rows went how often through a model.

    Args:
        said: What is declared.
        source: The column that says where a row is from; nothing when none does.
        crosses: Rows by slice, by column.
        rows: All rows.
    """
    column = said.column or source
    counted = crosses[column].rows if column in crosses else None
    if not column or counted is None:
        reason = "has too many values" if column else "no column says where rows are from"
        yield Gap(f"how many rows a model made was not counted: {repr(column) + ' ' if column else ''}{reason}")
        return
    depths: Counter[int] = Counter()
    for value, count in counted.items():
        depth = read_depth(value) if said.column else said.depths.get(value, 0)
        if depth is not None:
            depths[depth] += count
    known = depths.total()
    if known < rows:
        yield Measurement("synthetic.unknown", str(rows - known), n=rows)
        yield Gap(f"of {rows - known:,} of {rows:,} rows it is not known whether a model made them")
    if known:
        yield from _depths(depths, known)


def _depths(depths: Counter[int], known: int) -> Iterator[Item]:
    from hallmarked.corpus.measure.interval import share_interval  # noqa: PLC0415 -- needs the extra "data"

    made = known - depths[0]
    yield Measurement("synthetic.share", share_of(made, known), n=known, interval=share_interval(made, known))
    yield Measurement("synthetic.depth", str(max(depths)), n=known)
    for depth, count in sorted(depths.items()):
        yield Measurement("synthetic.rows", str(count), n=known, slice={"depth": str(depth)})
    if max(depths) > 1:
        deep = sum(count for depth, count in depths.items() if depth > 1)
        message = f"{deep:,} of {known:,} rows ({deep / known:.1%}) went through models up to {max(depths)} times"
        yield Finding.of(DEEP, message)


def read_depth(value: str) -> int | None:
    """Read how often a row went through a model; None when the value does not say it."""
    text = value.strip().lower()
    text = text.removesuffix(".0")
    if text.isascii() and text.isdigit() and len(text) <= 4 and int(text) <= DEEPEST:
        return int(text)
    return WORDS.get(text)
