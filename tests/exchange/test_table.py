"""Tables for spreadsheets."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given

from hallmarked.core.errors import FormatError
from hallmarked.exchange.sheet import Claim, Sheet
from hallmarked.exchange.table import read, write
from tests.exchange.sheets import TRIAGE, sheets


@given(sheets)
def test_results_and_claims_come_back(sheet: Sheet) -> None:
    """All of them, in their order."""
    found = read(write(sheet))
    assert (found.results, found.claims) == (sheet.results, sheet.claims)


def test_no_cell_is_a_formula() -> None:
    """What somebody wrote into a card is not run by whoever opens the table."""
    claim = Claim("license", "=HYPERLINK(1)", "@SUM(1)", "supported", "+1+1")
    data = write(Sheet("model", "m", (), "", claims=(claim,)))
    cells = [cell for row in csv.reader(io.StringIO(data.decode())) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "@"))]
    assert read(data).claims == (claim,)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"a,b\n", "line 1"),
        (b"what,name,value\nother,a,b\n", "line 2"),
        (b"what,name,value,n\nresult,a,1,many\n", "line 2: n must be"),
        (b"\xff\xfe", "not a CSV"),
        (b'what,name,value\nresult,"a', "not a CSV"),
    ],
)
def test_other_tables_are_refused(data: bytes, why: str) -> None:
    """With the line."""
    with pytest.raises(FormatError, match=why):
        read(data)


def test_a_byte_order_mark_is_read_over() -> None:
    """As spreadsheets write it."""
    assert read(b"\xef\xbb\xbf" + write(TRIAGE)).results == TRIAGE.results
