"""What is told of a data set is masked, whoever tells it, and paths stay as they are."""

from __future__ import annotations

from hallmarked.core.evidence import Finding, Gap, Level, Location, Measurement
from hallmarked.corpus.personal.veil import veil_item

MAIL = "jane.roe@mail.example.org"


def test_sentences_names_and_values_are_masked() -> None:
    """Messages, reasons, and names and values of slices hold no personal data; the path of a file is public with it."""
    told = [
        Finding("TAB001", Level.NOTE, f"column {MAIL!r} holds nothing", Location("a.csv"), {"column": MAIL}),
        Measurement("column.share", "0.5", slice={"column": "owner", "value": MAIL, "path": f"{MAIL}.csv"}),
        Gap(f"the check broke: KeyError: {MAIL!r}"),
    ]
    finding, measurement, gap = map(veil_item, told)
    assert MAIL not in str((finding, gap))
    assert measurement.slice == {"column": "owner", "value": "j***@***.org", "path": f"{MAIL}.csv"}
    assert finding.location == Location("a.csv")


def test_what_holds_none_stays() -> None:
    """Counts, shares, versions and dates are told as they are."""
    for value in ("1234567", "0.123456", "2024-01-02", "en, de", "4.47701e+11", "18446744073709551615"):
        assert veil_item(Measurement("m", value)).value == value


def test_the_name_of_a_column_counts() -> None:
    """A bare number is masked when the column it is a value of says what it is."""
    told = [
        Measurement("column.share", "1", slice={"column": name, "value": "447700900867"}) for name in ("phone", "n")
    ]
    assert [veil_item(each).slice["value"] for each in told] == ["************", "447700900867"]
