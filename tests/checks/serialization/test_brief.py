"""Reports stay brief."""

from __future__ import annotations

from collections.abc import Iterator

from hallmarked.checks.serialization.brief import MOST, brief
from hallmarked.checks.serialization.contract import Reference, Seen
from hallmarked.core.evidence import Finding, Gap, Level, Location, Rule

RULE = Rule("TST001", Level.WARNING, "A title", "Some help.")


def test_the_same_is_said_once() -> None:
    """Findings are compared by rule, level and data, gaps by reason; everything else passes."""

    @brief
    def examine() -> Iterator[Seen]:
        for number in range(3):
            yield Finding.of(RULE, f"at {number}", name="x")
            yield Finding.of(RULE, f"at {number}")
            yield Gap("why", Location("x", number))
            yield Reference("y", Location("x"))
        yield Finding.of(RULE, "at 0", level=Level.ERROR, name="x")

    seen = list(examine())
    assert [item.message for item in seen if isinstance(item, Finding)] == ["at 0", "at 0", "at 1", "at 2", "at 0"]
    assert len([item for item in seen if isinstance(item, Gap)]) == 1
    assert len([item for item in seen if isinstance(item, Reference)]) == 3


def test_floods_end() -> None:
    """Beyond the limit of a rule only a gap follows, and other rules are still heard."""

    @brief
    def examine() -> Iterator[Seen]:
        for number in range(MOST + 5):
            yield Finding.of(RULE, f"at {number}")
        yield Finding("OTH001", Level.ERROR, "other")

    seen = list(examine())
    assert len(seen) == MOST + 2
    assert isinstance(seen[-2], Finding)
    assert seen[-2].rule == "OTH001"
    assert seen[-1] == Gap("5 more findings and gaps of the same kinds")
