"""Hosts and ages: the table of planted addresses and dates is told to the digit."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from tests.checks.dataset.support import examined, rules, values

pytest.importorskip("pyarrow", reason="tables are read with the extra data")

HOSTS = {"www.example.org": 60, "blog.example.org": 20, "example.net": 12, "rare.example": 3}
YEARS = {"2015": 7, "2017": 30, "2021": 58}


def planted() -> list[dict[str, object]]:
    """Make rows whose hosts and years are known, in any order, ten without either."""
    rng = random.Random(1)
    hosts = [name for name, count in HOSTS.items() for _ in range(count)]
    years = [name for name, count in YEARS.items() for _ in range(count)]
    rng.shuffle(hosts)
    rng.shuffle(years)
    rows: list[dict[str, object]] = [
        {"url": f"https://{host}/{n}", "when": f"{year}-0{n % 9 + 1}-15T10:00:00Z"}
        for n, (host, year) in enumerate(zip(hosts, years, strict=True))
    ]
    return rows + [{"url": None, "when": None}] * 10


def test_planted_addresses_are_told_exactly() -> None:
    """Hosts are found without being declared; what occurs rarely is counted and not named."""
    result = examined(planted())
    named = {(name,): str(count) for name, count in HOSTS.items() if count >= 5}
    assert values(result, "host.count", column="url") == named
    assert values(result, "host.end.count", column="url") == {("example.org",): "80", ("example.net",): "12"}
    assert values(result, "host.rest") == {("url",): "3"}
    assert values(result, "host.values") == {("url",): "95"}
    assert values(result, "host.different") == {("url",): "4"}
    assert "rare.example" not in str(result.measurements)
    assert "WEB001" in rules(result)


def test_planted_dates_are_told_exactly() -> None:
    """Years are counted, those without any row too; the ends and the middle are those of the sorted dates."""
    result = examined(planted())
    years = {(str(year),): str(YEARS.get(str(year), 0)) for year in range(2015, 2022)}
    assert values(result, "date.count", column="when") == years
    assert values(result, "date.missing") == {("when",): "10"}
    dates = sorted(str(row["when"])[:10] for row in planted() if row["when"])
    assert values(result, "date.oldest") == {("when",): dates[0]}
    assert values(result, "date.newest") == {("when",): dates[-1]}
    assert values(result, "date.p50") == {("when",): dates[(len(dates) + 1) // 2 - 1]}


def test_months_within_a_few_years() -> None:
    """Where dates lie close together they are told by month, with the months between."""
    result = examined([{"day": day} for day in ("2021-11-30", "2021-11-02", "2022-02-01")])
    months = {("2021-11",): "2", ("2021-12",): "0", ("2022-01",): "0", ("2022-02",): "1"}
    assert values(result, "date.count", column="day") == months


def test_declared_columns_are_read_more_widely() -> None:
    """Seconds since 1970 and addresses without a scheme count where somebody says what they are."""
    rows = [{"t": 1_600_000_000 + n, "from": "example.org/page"} for n in range(6)]
    assert not values(examined(rows), "date.count")
    result = examined(rows, '[columns]\ndate = "t"\nurl = "from"\n')
    assert values(result, "date.count", column="t") == {("2020-09",): "6"}
    assert values(result, "host.count", column="from") == {("example.org",): "6"}


def test_members_of_objects_are_columns() -> None:
    """Addresses and dates in objects are found too."""
    rows = [{"meta": {"url": f"https://example.org/{n}", "year": 2020 + n % 2}} for n in range(10)]
    result = examined(rows)
    assert values(result, "host.count", column="meta.url") == {("example.org",): "10"}
    assert values(result, "date.count", column="meta.year") == {("2020",): "5", ("2021",): "5"}


def test_dates_that_cannot_be_read() -> None:
    """What is no date in a column of dates is counted, and told of."""
    rows = [{"date": "2021-01-05"} for _ in range(19)] + [{"date": "05/01/2021"}]
    result = examined(rows)
    assert values(result, "date.unread") == {("date",): "1"}
    assert rules(result)["DAT001"] == ["1 of 20 values of 'date' in data say no date that can be read"]


def test_texts_with_an_address_in_them_are_no_column_of_addresses() -> None:
    """A text that mentions a page or a year is not taken for either."""
    rows = [{"text": f"see https://example.org/{n} of 2021-01-05"} for n in range(10)]
    result = examined(rows)
    assert not values(result, "host.count")
    assert not values(result, "date.count")
    assert Counter(item.metric.partition(".")[0] for item in result.measurements)["column"]
