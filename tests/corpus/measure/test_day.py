"""Dates of data: what is read as one, counted exactly, and the same for every partition."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

pa = pytest.importorskip("pyarrow", reason="tables are read with the extra data")

from hallmarked.corpus.measure import day as module  # noqa: E402
from hallmarked.corpus.measure.day import Days, read_day  # noqa: E402

DAYS = st.dates(date(1000, 1, 1), date(2999, 12, 31))
SECONDS = st.integers(100_000_000, 4_000_000_000)


def measured(values: list[object], *, declared: bool = False) -> Days:
    found = Days()
    found.add(pa.array(values), declared)
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2021-03-07", "2021-03-07"),
        ("2021/03/07 10:00", "2021-03-07"),
        ("2021-03-07T23:59:59+09:00", "2021-03-07"),
        ("20210307", "2021-03-07"),
        ("2021-03", "2021-03"),
        (" 2021 ", "2021"),
    ],
)
def test_dates_as_they_are_written(text: str, expected: str) -> None:
    """Calendar dates are read with and without time, at the precision they have."""
    assert measured([text]).counts == {expected: 1}


@pytest.mark.parametrize(
    "text", ["2021-02-30", "07/03/2021", "12", "version 2021-03-07", "202103", "0001-01-01", "", "x"]
)
def test_what_is_no_date_is_counted(text: str) -> None:
    """What could mean several days, or none, is not guessed."""
    found = measured([text])
    assert (found.total, found.other) == (0, 1)


@given(st.lists(SECONDS, min_size=1, max_size=20))
def test_seconds_and_their_fractions(values: list[int]) -> None:
    """Seconds, milli-, micro- and nanoseconds since 1970 say the same day, in numbers and in digits."""
    expected = Counter(datetime.fromtimestamp(value, UTC).date().isoformat() for value in values)
    for unit in (1, 1_000, 1_000_000, 10**9):
        assert measured([value * unit for value in values], declared=True).counts == expected
        assert measured([str(value * unit) for value in values], declared=True).counts == expected
    assert measured([datetime.fromtimestamp(value, UTC) for value in values]).counts == expected
    assert measured(list(values)).total == 0  # numbers are dates only where somebody says so


def test_dates_of_mail_headers() -> None:
    """Where dates are declared those of mail and of the web are read too."""
    assert measured(["Sun, 07 Mar 2021 10:00:00 GMT"], declared=True).counts == {"2021-03-07": 1}
    assert measured(["Sun, 07 Mar 2021 10:00:00 GMT"]).other == 1


@given(st.lists(DAYS, min_size=1, max_size=40), st.integers(0, 40), st.integers(1, 10))
def test_parts_together_are_the_whole(values: list[date], cut: int, most: int) -> None:
    """Parts merge into the whole, also when there are too many days and months are counted."""
    patch = pytest.MonkeyPatch()
    with patch.context() as patched:
        patched.setattr(module, "MOST_DAYS", most)
        texts: list[object] = [value.isoformat() for value in values]
        whole, first = measured(texts), measured(texts[:cut]) if cut else Days()
        first.merge(Days.from_json(measured(texts[cut:]).to_json()) if texts[cut:] else Days())
    assert first == whole
    digits = 7 if len(set(values)) > most else 10
    assert whole.counts == Counter(str(text)[:digits] for text in texts)


@given(st.lists(DAYS, min_size=1, max_size=40), DAYS, st.integers(0, 3000))
def test_what_has_expired_is_counted(values: list[date], today: date, days: int) -> None:
    """Counted is what is certainly from before a day; quantiles are those of the sorted dates."""
    found = measured([value.isoformat() for value in values])
    assert found.before(today.isoformat()) == sum(value < today for value in values)
    assert found.quantile(0.5) == sorted(values)[-(-len(values) // 2) - 1].isoformat()
    assert found.by(4) == sorted(Counter(value.isoformat()[:4] for value in values).items())


def test_a_month_lies_before_a_day_when_all_of_it_does() -> None:
    """A row that says only its month or year has expired when all of that has."""
    found = measured(["2020", "2021-02", "2021-03"])
    assert found.before("2021-03-15") == 2
    assert found.before("2020-12-31") == 0
    assert read_day("2021-13") is None
