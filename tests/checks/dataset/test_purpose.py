"""Purpose, retention and context: what is more, older or elsewhere than declared is a finding; silence is none."""

from __future__ import annotations

import pytest

from hallmarked.core.evidence import Level, Outcome
from tests.checks.dataset.support import examined, rules, values

pytest.importorskip("pyarrow", reason="tables are read with the extra data")

ROWS = [
    {"text": f"letter {n} says something", "email": "x", "day": f"20{10 + n % 10}-06-01", "code": 1000 + n, "kind": "a"}
    for n in range(40)
]
COLUMNS = '[columns]\ntext = "text"\ndate = "day"\n'
PURPOSE = '[purpose]\ntext = "Sort letters"\ncolumns = ["text", "day"]\n'


def test_nothing_declared_is_said() -> None:
    """A data set without a purpose is told of as such, and columns that may identify people as notes."""
    result = examined(ROWS)
    assert "purpose.text" in rules(result)["MIN001"][0]
    assert result.outcome is Outcome.PASS
    found = [finding for finding in result.findings if finding.rule == "MIN003"]
    assert {finding.level for finding in found} == {Level.NOTE}
    assert [finding.message.split("'")[1] for finding in found] == ["email", "code"]


def test_columns_that_are_not_needed() -> None:
    """With a purpose, what is not needed is a warning, and what may identify people says so."""
    result = examined(ROWS, COLUMNS + PURPOSE)
    assert rules(result)["MIN002"] == ["Column 'kind' in data is not among those that are declared to be needed"]
    assert len(rules(result)["MIN003"]) == 2
    assert values(result, "purpose.columns") == {(): "2"}
    assert {f.level for f in result.findings if f.rule == "MIN003"} == {Level.WARNING}


def test_a_needed_column_that_is_not_there_is_unknown() -> None:
    """What is declared and missing is said."""
    result = examined(ROWS, '[purpose]\ncolumns = ["text", "dose"]\n')
    assert [gap.reason for gap in result.gaps] == ["column 'dose' is declared to be needed, and is not there"]


def test_rows_that_have_expired() -> None:
    """Counted are the rows that were older than declared on the declared day; the day they expire is told."""
    declared = COLUMNS + "[retention]\ndays = 1000\nas_of = 2017-06-01\n"
    result = examined(ROWS, declared)
    expired = sum(row["day"] < "2014-09-05" for row in ROWS)
    assert values(result, "retention.expired", as_of="2017-06-01") == {("day",): str(expired)}
    assert rules(result)["MIN004"] == [
        f"{expired} of 40 rows are from before 2014-09-05, and so were older than 1,000 days on 2017-06-01"
    ]
    assert values(result, "retention.expires") == {("day",): "2013-02-25"}


def test_without_a_day_only_the_expiry_is_told() -> None:
    """The statement depends on bytes alone: what has expired by today is not in it."""
    result = examined(ROWS, COLUMNS + "[retention]\ndays = 1000\n")
    assert values(result, "retention.expires")
    assert "MIN004" not in rules(result)


def test_retention_without_dates_is_unknown() -> None:
    """Who promises to delete after some days has to say from when rows are."""
    result = examined(ROWS, "[retention]\ndays = 10\n")
    assert result.outcome is Outcome.UNKNOWN
    assert "no column is declared" in result.gaps[0].reason


@pytest.mark.parametrize(
    ("basis", "use", "found"),
    [("", "general language model", True), ("consent of 2024", "general language model", False), ("", "Forum", False)],
)
def test_use_elsewhere_needs_a_basis(basis: str, use: str, found: bool) -> None:
    """Data of a forum for patients that goes into a general model is a finding unless a basis is declared."""
    result = examined(ROWS, f'[context]\ncollected = "forum"\nuse = ["{use}"]\nbasis = "{basis}"\n')
    assert ("MIN005" in rules(result)) is found


def test_techniques_of_privacy_are_recorded() -> None:
    """What the makers say they did is kept with its parameters."""
    result = examined(ROWS, '[privacy.differential-privacy]\nepsilon = 3.0\nunit = "person"\n[privacy.pseudonyms]\n')
    told = values(result, "privacy.claimed", technique="differential-privacy")
    assert told == {("epsilon",): "3.0", ("unit",): "person"}
    assert values(result, "privacy.claimed", technique="pseudonyms") == {(): "yes"}


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ("[purpose]\ntext = 1\nwhy = 2\n", "purpose.why is not known; purpose.text is not a text"),
        ("[retention]\ndays = -1\n", "retention.days is not a number of days"),
        ('[retention]\nas_of = "soon"\n', "retention.as_of is not a date like 2026-01-31"),
        ("[reference.side]\nnorth = 0.9\nsouth = 0.9\n", "reference.side is not a table of shares"),
        ('[synthetic.from]\na = ["b"]\nb = ["a"]\n', "synthetic.from: a, b would be made from themselves"),
        ("[context]\nuse = 3\n", "context.use is not a list of texts"),
        ("[privacy.x]\nepsilon = [1]\n", "privacy.x is not a table of texts and numbers"),
        ("terms = 3\n", "[terms] is not a table"),
        ("purpose", "dataset.toml is not TOML"),
    ],
)
def test_a_declaration_that_cannot_be_understood(declared: str, said: str) -> None:
    """All that is wrong is named, rows are counted all the same, and the outcome is unknown."""
    result = examined(ROWS, declared)
    assert said in rules(result)["TAB005"][0]
    assert result.outcome is Outcome.UNKNOWN
    assert values(result, "rows.total")[()] == "40"
