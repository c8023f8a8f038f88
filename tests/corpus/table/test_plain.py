"""Columns of every type that files may have are read, counted and kept apart, also where values are extreme."""

from __future__ import annotations

import decimal

import pytest

np = pytest.importorskip("numpy")
pa = pytest.importorskip("pyarrow", reason="tables are read with the extra data")

from hallmarked.corpus.measure.table import Measure, Plan  # noqa: E402
from hallmarked.corpus.measure.text import Plan as TextPlan  # noqa: E402
from hallmarked.corpus.measure.text import Texts  # noqa: E402
from hallmarked.corpus.table.plain import plain  # noqa: E402
from hallmarked.corpus.table.valid import valid_rows  # noqa: E402

MOST = 2**63 - 1
COLUMNS = {
    "null": pa.nulls(3),
    "uint64": pa.array([2**64 - 1, 0, None], pa.uint64()),
    "float16": pa.array(np.array([1, 2, np.nan], np.float16)),
    "extreme": pa.array([1e308, -5e-324, float("inf")]),
    "decimal": pa.array([decimal.Decimal("1.5"), None, decimal.Decimal("2.5")], pa.decimal256(60, 2)),
    "boolean": pa.array([True, None, False]),
    "seconds": pa.array([MOST, -MOST, 0], pa.timestamp("s")),
    "zone": pa.array([MOST, -MOST, 0], pa.timestamp("ns", "Europe/Berlin")),
    "no zone": pa.array([1, 2, 3], pa.timestamp("s", "Nowhere/None")),
    "days": pa.array([2**31 - 1, -(2**31), 0], pa.int32()).cast(pa.date32()),
    "times": pa.array([1, 2, 3], pa.time32("s")),
    "duration": pa.array([1, 2, MOST], pa.duration("ns")),
    "months": pa.array([(1, 2, 3), None, (1, 1, 1)], pa.month_day_nano_interval()),
    "bytes": pa.array([b"a", b"\xff", None], pa.large_binary()),
    "view of bytes": pa.array([b"ab", b"cd", None], pa.binary_view()),
    "view of texts": pa.array(["a", "https://a.example/c", None], pa.string_view()),
    "long": pa.array(["x" * 70_000, "", None], pa.large_string()),
    "dictionary": pa.array(["a", "b", "a"]).dictionary_encode(),
    "view of lists": pa.array([[1], [], None], pa.list_view(pa.int64())),
    "pairs": pa.array([[("a", 1)], [], None], pa.map_(pa.string(), pa.int64())),
    "objects": pa.array([{"url": "https://a.example", "t": MOST}, None, {"url": None, "t": 0}]).cast(
        pa.struct([("url", pa.string()), ("t", pa.timestamp("s"))])
    ),
    "runs": pa.RunEndEncodedArray.from_arrays(pa.array([2, 3], pa.int32()), pa.array(["a", "b"])),
    "union": pa.UnionArray.from_sparse(
        pa.array([0, 1, 0], pa.int8()), [pa.array([1, 2, 3]), pa.array(["a", "b", "c"])]
    ),
    "uuid": pa.ExtensionArray.from_storage(pa.uuid(), pa.array([b"a" * 16, b"b" * 16, None], pa.binary(16))),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_columns_of_every_type(name: str) -> None:
    """Values are counted whatever they are, in every role that a column may be declared to have."""
    (batch,) = valid_rows(pa.record_batch([COLUMNS[name], pa.array(["x", "y", "z"])], names=[name, "time"]), 0)
    for plan in (Plan(), Plan(name, name, "time", (name,)), Plan(label=name, slices=("time",))):
        found = Measure(plan=plan)
        found.take([batch])
        assert Measure.load(found.dump()).dump() == found.dump()
        column = found.columns[name]
        assert (column.values + column.missing, column.missing) == (3, batch.column(0).null_count)
        assert found.repeats.repeated == 0
    texts = Texts(plan=TextPlan((name, "time"), (name,), name, {"a": ("x",)}))
    texts.take([batch])
    assert Texts.load(texts.dump()).whole.rows == 3


def test_plain_values_stay_the_same() -> None:
    """Views and runs hold the same values as before; times with a zone are those of UTC."""
    for name in ("view of texts", "view of bytes", "view of lists", "runs"):
        assert plain(COLUMNS[name]).to_pylist() == [each.as_py() for each in COLUMNS[name]]
    assert plain(pa.array([0], pa.timestamp("s", "Europe/Berlin"))) == pa.array([0], pa.timestamp("s"))


def test_two_columns_of_one_name() -> None:
    """Rows that differ in the first of them are no copies; the first is the one that is told of."""
    batch = pa.record_batch([pa.array([1, 2]), pa.array([0, 0])], names=["a", "a"])
    found = Measure()
    found.take([batch])
    assert found.repeats.repeated == 0
    assert found.columns["a"].different.number == 2
