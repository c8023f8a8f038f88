"""Pandas: frames, series and every common kind of index and column, pickled and through joblib."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd


def _frames() -> dict[str, Any]:
    random = np.random.default_rng(7)
    frame = pd.DataFrame(random.normal(size=(6, 3)), columns=list("abc"))
    days = pd.date_range("2024-02-27", periods=6, freq="D")
    mixed = pd.DataFrame(
        {
            "integer": range(6),
            "text": list("uvwxyz"),
            "category": pd.Categorical(list("aabbcc")),
            "when": days,
            "zoned": days.tz_localize("UTC"),
            "maybe": pd.array([1, None, 3, 4, 5, 6], dtype="Int64"),
            "flag": pd.array([True, None, False, True, True, False], dtype="boolean"),
            "object": [{"a": 1}, [1], None, "x", 2.5, (1, 2)],
        }
    )
    return {
        "frame": frame,
        "frame_mixed": mixed,
        "frame_multi_index": frame.set_index(pd.MultiIndex.from_product([[1, 2], list("xyz")], names=["n", "l"])),
        "frame_multi_columns": frame.set_axis(pd.MultiIndex.from_tuples([("p", "a"), ("p", "b"), ("q", "c")]), axis=1),
        "frame_empty": pd.DataFrame(),
        "series": frame["a"],
        "series_text": pd.Series(["a", "b", None]),
        "series_named": pd.Series({"x": 1.0, "y": 2.0}, name="weights"),
        "series_category": mixed["category"],
        "series_interval": pd.Series(pd.cut([1, 5, 9], 3)),
        "series_sparse": pd.Series(pd.arrays.SparseArray([0, 0, 1])),
        "index_datetime": days,
        "index_range": pd.RangeIndex(5),
        "index_period": pd.period_range("2024-01", periods=3, freq="M"),
        "index_timedelta": pd.timedelta_range("1h", periods=3),
        "index_category": pd.CategoricalIndex(["a", "b"]),
        "scalars": [pd.Timestamp("2024-02-29"), pd.Timedelta("1h"), pd.NaT, pd.NA, pd.Interval(0, 1)],
    }


def write(folder: Path) -> Iterator[tuple[str, str]]:
    """Write the family's files and yield their names and kinds."""
    for name, value in _frames().items():
        for protocol in (2, 5):
            path = folder / f"{name}.protocol{protocol}.pkl"
            path.write_bytes(pickle.dumps(value, protocol))
            yield path.name, "pickle"
    frame = _frames()["frame"]
    for suffix in ("gz", "bz2", "xz"):
        frame.to_pickle(folder / f"frame.pkl.{suffix}")
        yield f"frame.pkl.{suffix}", "pickle"
    joblib.dump(_frames()["frame_mixed"], folder / "frame_mixed.joblib")
    yield "frame_mixed.joblib", "joblib"
