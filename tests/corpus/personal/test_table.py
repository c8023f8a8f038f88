"""Arrow arrays and batches are redacted whatever they nest, and keep their type and shape."""

from __future__ import annotations

import pytest

pa = pytest.importorskip("pyarrow", reason="tables are read with the extra data")
pytest.importorskip("phonenumbers", reason="telephone numbers need the extra data")

from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from hallmarked.corpus.personal.redact import Redactor  # noqa: E402
from hallmarked.corpus.personal.table import redact_array, redact_batch  # noqa: E402

MAIL = "jane.roe@mail.example.org"
VALUES = st.sampled_from([MAIL, f"x {MAIL}", "nothing", ""]) | st.none()
NESTED = [
    (pa.string(), VALUES),
    (pa.large_string(), VALUES),
    (pa.string_view(), VALUES),
    (pa.dictionary(pa.int16(), pa.string()), VALUES),
    (pa.list_(pa.string()), st.lists(VALUES, max_size=3) | st.none()),
    (pa.large_list(pa.string()), st.lists(VALUES, max_size=3) | st.none()),
    (pa.list_(pa.string(), 2), st.lists(VALUES, min_size=2, max_size=2) | st.none()),
    (
        pa.struct([("a", pa.string()), ("n", pa.int64())]),
        st.fixed_dictionaries({"a": VALUES, "n": st.just(1)}) | st.none(),
    ),
    (
        pa.map_(pa.string(), pa.string()),
        st.dictionaries(st.sampled_from(["k", MAIL]), VALUES, max_size=2).map(lambda d: list(d.items())) | st.none(),
    ),
    (
        pa.list_(pa.struct([("said", pa.list_(pa.string()))])),
        st.lists(st.fixed_dictionaries({"said": st.lists(VALUES, max_size=2)}), max_size=2) | st.none(),
    ),
]


def count(value: object) -> int:
    """Count the addresses in a value."""
    if isinstance(value, str):
        return value.count(MAIL)
    if isinstance(value, dict):
        return sum(count(each) for each in value.values())
    return sum(count(each) for each in value) if isinstance(value, list | tuple) else 0


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_every_value_is_replaced_where_it_stands(data: st.DataObject) -> None:
    """Of a slice of a nested array all addresses are replaced, counted by row, and all else is as before."""
    kind, rows = data.draw(st.sampled_from(NESTED))
    listed = data.draw(st.lists(rows, max_size=6))
    start, stop = data.draw(st.integers(0, 3)), data.draw(st.integers(0, 6))
    array = pa.array(listed, kind).slice(start, stop)
    redacted, counts = redact_array(Redactor(), array)
    redacted.validate(full=True)
    assert redacted.type == kind
    expected = array.to_pylist()
    assert {row: of_row["email"] for row, of_row in counts.items()} == {
        row: count(value) for row, value in enumerate(expected) if count(value)
    }
    assert str(redacted.to_pylist()) == str(expected).replace(MAIL, "[EMAIL]")


def test_a_batch_says_which_rows_changed() -> None:
    """Counts are by column, other columns stay as they are, and rows that changed are marked."""
    batch = pa.record_batch({"a": ["x", MAIL, None], "b": [MAIL, "y", "z"], "n": [1, 2, 3]})
    done, counts, touched = redact_batch(Redactor(), batch, ["a", "n"])
    assert done.schema == batch.schema
    assert done.column(0).to_pylist() == ["x", "[EMAIL]", None]
    assert done.column(1).to_pylist() == batch.column(1).to_pylist()
    assert counts == {"a": {"email": 1}}
    assert touched.to_pylist() == [False, True, False]
