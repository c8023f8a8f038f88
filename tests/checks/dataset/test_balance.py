"""Groups, labels and generated rows: planted shares are told to the digit, and differences are findings."""

from __future__ import annotations

from math import isclose, log

import pytest

from hallmarked.core.evidence import Outcome
from tests.checks.dataset.support import examined, rules, values

pytest.importorskip("pyarrow", reason="tables are read with the extra data")

NORTH, SOUTH = 150, 50
ROWS: list[dict[str, object]] = [
    {"text": f"row {n} of the table", "side": "north" if n < NORTH else "south", "label": "yes" if n % 10 < 3 else "no"}
    for n in range(NORTH + SOUTH)
]
DECLARED = '[columns]\ntext = "text"\nlabel = "label"\ngroup = "side"\n'


def test_planted_shares_are_told_exactly() -> None:
    """Shares of groups are those that were planted, with Wilson's interval."""
    result = examined(ROWS, DECLARED)
    assert values(result, "slice.rows", column="side") == {("north",): "150", ("south",): "50"}
    assert values(result, "slice.share", column="side") == {("north",): "0.750000", ("south",): "0.250000"}
    interval = next(
        m.interval for m in result.measurements if m.metric == "slice.share" and m.slice["value"] == "south"
    )
    assert interval == ("0.195082", "0.314341")
    assert values(result, "slice.missing", column="side") == {(): "0"}


def test_a_group_that_is_too_small_is_a_finding() -> None:
    """A share that differs from the declared one beyond its interval is told; one that agrees is not."""
    result = examined(ROWS, DECLARED + "[reference.side]\nnorth = 0.5\nsouth = 0.5\n")
    assert len(rules(result)["GRP001"]) == 2
    assert "'south' is 25.0% of the 200 rows" in rules(result)["GRP001"][1]
    assert "GRP001" not in rules(examined(ROWS, DECLARED + "[reference.side]\nnorth = 0.73\nsouth = 0.27\n"))


def test_a_group_that_is_not_there_is_a_finding() -> None:
    """A group that is to be represented and has no row at all is told of."""
    result = examined(ROWS, DECLARED + "[reference.side]\nwest = 0.2\n")
    assert values(result, "slice.rows", column="side", value="west") == {(): "0"}
    assert len(rules(result)["GRP001"]) == 1


def test_labels_that_go_with_a_group() -> None:
    """The association is that of the formula, and a strong one is told in words."""
    rows = [{**row, "label": "yes" if row["side"] == "south" and n % 5 else "no"} for n, row in enumerate(ROWS)]
    result = examined(rows, DECLARED)
    expected = log((40 * 200) / (50 * 40)) / -log(40 / 200)
    told = values(result, "label.npmi", column="side", value="south", label="yes")
    assert isclose(float(told[()]), expected, abs_tol=1e-6)
    assert values(result, "label.share", column="side", value="south") == {("no",): "0.200000", ("yes",): "0.800000"}
    assert any("'yes' is on 80.0% of the 50 rows of 'south', and on 0.0%" in each for each in rules(result)["GRP002"])
    assert "GRP002" not in rules(examined(ROWS, DECLARED))


def test_rare_values_are_not_shown() -> None:
    """A group or label of fewer than five rows may point to a person: it is counted and not named."""
    rows = [*ROWS, *({"text": "a", "side": "islet", "label": "maybe"} for _ in range(4))]
    result = examined(rows, DECLARED)
    assert "islet" not in str(result.measurements) + str(result.findings)
    assert "maybe" not in str(result.measurements) + str(result.findings)
    assert values(result, "slice.rare", column="side") == {(): "4"}


def test_a_column_of_names_is_no_column_of_groups() -> None:
    """Where a column cannot divide rows it is said, and so is one that is not there."""
    rows = [{"text": "a", "name": f"somebody {n}"} for n in range(300)]
    result = examined(rows, '[columns]\ngroup = ["name", "nowhere"]\n')
    assert result.outcome is Outcome.UNKNOWN
    assert len(result.gaps) == 3
    assert "somebody" not in str(result.measurements) + str(result.gaps)


@pytest.mark.parametrize(
    "declared",
    [
        '[synthetic]\ncolumn = "round"\n',
        '[columns]\nsource = "from"\n[synthetic.from]\nr1 = ["people"]\nr2 = ["r1"]\nr3 = ["r2", "people"]\n',
    ],
)
def test_three_generations(declared: str) -> None:
    """A chain of three synthetic generations is told as depth 3, from a column or from the sources."""
    rounds = [0] * 20 + [1] * 10 + [2] * 6 + [3] * 4
    rows = [{"text": "a b", "round": n, "from": "people" if not n else f"r{n}"} for n in rounds]
    result = examined(rows, declared)
    assert values(result, "synthetic.share") == {(): "0.500000"}
    assert values(result, "synthetic.depth") == {(): "3"}
    assert values(result, "synthetic.rows") == {("0",): "20", ("1",): "10", ("2",): "6", ("3",): "4"}
    assert rules(result)["SYN001"] == ["10 of 40 rows (25.0%) went through models up to 3 times"]


def test_rows_of_unknown_making_are_unknown() -> None:
    """What a column does not say in words that are understood is a gap, and no zero."""
    result = examined(
        [{"a": "x", "made": "perhaps"}] * 6 + [{"a": "y", "made": True}] * 6, '[synthetic]\ncolumn = "made"\n'
    )
    assert result.outcome is Outcome.UNKNOWN
    assert values(result, "synthetic.unknown") == {(): "6"}
    assert values(result, "synthetic.share") == {(): "1.000000"}
