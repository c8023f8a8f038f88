"""Tests of the places of rows."""

from __future__ import annotations

from hallmarked.corpus.duplicate.find import find_duplicates
from hallmarked.corpus.duplicate.place import Place, Places
from hallmarked.corpus.duplicate.state import Builder
from tests.corpus.duplicate.texts import load


def test_rows_are_named_by_file_and_number() -> None:
    """Numbers go on over the parts of a file, count rows that cannot be read, and begin anew in the next file."""
    one, two, three, empty = Builder(), Builder(), Builder(), Builder()
    one.skip(0, 2)
    one.add(["a", "b"])
    one.skip(4, 1)
    two.add(["c"])
    two.skip(1, 3)
    two.add(["d"])
    three.add(["e"])
    states = [load(each.dump()) for each in (one, two, empty, three)]
    places = Places(["x", "x", "x", "y"], states)
    assert [places.of(row) for row in range(5)] == [
        Place("x", 3),
        Place("x", 4),
        Place("x", 6),
        Place("x", 10),
        Place("y", 1),
    ]
    assert places.part_of(4) == (3, 0)
    assert str(Place("x", 1234)) == "x row 1,234"


def test_removals_name_row_reason_and_the_row_that_is_kept() -> None:
    """Every row that is not kept is told once, in order, with what is kept instead."""
    builder = Builder()
    builder.add(["same words here", "other", "same  WORDS here", "same words here"])
    state = load(builder.dump())
    found = find_duplicates([state], lambda _index, _rows: iter(()))
    removals = list(Places(["f"], [state]).removals(found))
    kept = {removal.kept for removal in removals}
    assert len(removals) == 2
    assert len(kept) == 1
    assert kept.isdisjoint(removal.place for removal in removals)
    assert [removal.index + 1 for removal in removals] == [removal.place.row for removal in removals]
    assert {removal.reason for removal in removals} <= {"same text", "same words"}
