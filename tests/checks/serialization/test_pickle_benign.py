"""What real libraries write is proven, or unproven for the reason we expect; never an error."""

from __future__ import annotations

import argparse
import collections
import datetime
import decimal
import functools
import io
import pathlib
import pickle
import random
import re
import types
import uuid
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hallmarked.checks.serialization.contract import FileVerdict
from hallmarked.core.evidence import Gap, Level
from tests.checks.serialization.test_pickle import judge, verdict, worst

joblib = pytest.importorskip("joblib")
np = pytest.importorskip("numpy")
torch = pytest.importorskip("torch")

PROTOCOLS = (0, 1, 2, 3, 4, 5)

STANDARD = [
    {"a": [1, 2.5, None, True], "b": (1, "x"), "c": {1, 2}, "d": frozenset([3]), "e": b"\xff", "f": bytearray(b"x")},
    [1 + 2j, range(3), slice(1, 2), 10**30, -(10**30), float("inf")],
    [datetime.datetime(2024, 1, 2, tzinfo=datetime.UTC), datetime.date(2024, 1, 2), datetime.timedelta(1)],
    [decimal.Decimal("1.5"), uuid.UUID(int=7), pathlib.PurePosixPath("/a/b"), re.compile("a+")],
    [collections.defaultdict(list, a=[1]), collections.deque([1], 3), collections.Counter("abc")],
    [collections.OrderedDict(a=1), types.SimpleNamespace(b=2), functools.partial(max, 1), random.Random(0)],
]


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("value", STANDARD, ids=lambda value: type(value).__name__)
def test_standard_library(value: Any, protocol: int) -> None:
    """Values of the standard library are proven in every protocol."""
    assert verdict(pickle.dumps(value, protocol)) == FileVerdict.PROVEN


ARRAYS: list[Any] = [
    np.arange(6.0).reshape(2, 3),
    np.asfortranarray(np.ones((2, 3))),
    np.array(["a", None, {"x": 1}], dtype=object),
    np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8", (2,))]),
    np.array(["2020-01-01"], dtype="M8[D]"),
    np.ma.array([1, 2], mask=[0, 1]),
    np.rec.array([(1, 2)], dtype=[("a", "i4"), ("b", "i4")]),
    [np.float32(1), np.bool_(True), np.dtype("f4"), np.float64],
    [np.random.RandomState(0), np.random.default_rng(0)],
]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_private_attributes(protocol: int) -> None:
    """Attributes that only begin with two underscores, as caches keep them, mean nothing to Python."""
    value = argparse.Namespace(rate=0.1)
    value.__dict__.update({"__cached__device": "cpu", "_Namespace__hidden": 1})
    assert verdict(pickle.dumps(value, protocol)) == FileVerdict.PROVEN


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("value", ARRAYS, ids=lambda value: type(value).__name__)
def test_numpy(value: Any, protocol: int) -> None:
    """Arrays, scalars, types and generators are proven in every protocol, under the old module names too."""
    data = pickle.dumps(value, protocol)
    assert verdict(data) == FileVerdict.PROVEN
    if protocol < 2:
        old = data.replace(b"cnumpy._core.", b"cnumpy.core.")
        assert verdict(old) == FileVerdict.PROVEN


def save_torch(value: Any, *, legacy: bool) -> tuple[bytes, dict[str, int] | None]:
    stream = io.BytesIO()
    torch.save(value, stream, _use_new_zipfile_serialization=not legacy)
    if legacy:
        return stream.getvalue(), None
    with zipfile.ZipFile(stream) as archive:
        sizes = {info.filename.partition("/data/")[2]: info.file_size for info in archive.infolist()}
        return archive.read("archive/data.pkl"), sizes


def _model() -> Any:
    nn = torch.nn
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Flatten(), nn.Linear(8, 2), nn.LSTM(2, 2))


def _checkpoint() -> Any:
    model = _model()
    optimiser = torch.optim.AdamW(model.parameters())
    return {"epoch": 3, "model": model.state_dict(), "optimizer": optimiser.state_dict(), "rng": torch.get_rng_state()}


def _views(base: Any) -> list[Any]:
    return [base, base[2:5], base.reshape(2, 6).t()]


STATES: dict[str, Callable[[], Any]] = {
    "state dict": lambda: _model().state_dict(),
    "checkpoint": _checkpoint,
    "dtypes": lambda: {str(t): torch.zeros(3).to(t) for t in (torch.bfloat16, torch.bool, torch.int8, torch.complex64)},
    "new dtypes": lambda: [torch.zeros(3).to(torch.float8_e4m3fn), torch.zeros(2).to(torch.uint16)],
    "views": lambda: _views(torch.randn(12)),
    "parameters": lambda: dict(_model().named_parameters()),
    "sparse": lambda: torch.eye(3).to_sparse(),
    "odds": lambda: {
        "size": torch.Size([1, 2]),
        "device": torch.device("cpu"),
        "dtype": torch.float32,
        "np": np.float64(1),
    },
}


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("name", STATES)
def test_torch_states(name: str, legacy: bool) -> None:
    """What torch.save writes of states and checkpoints is proven in both layouts."""
    data, storages = save_torch(STATES[name](), legacy=legacy)
    found, seen = judge(data, storages)
    assert found == FileVerdict.PROVEN, [item for item in seen if isinstance(item, Gap)]


def test_torch_modules() -> None:
    """A whole module of PyTorch's own layers is proven in an archive; a legacy file adds sources and is not."""
    data, storages = save_torch(_model(), legacy=False)
    assert verdict(data, storages) == FileVerdict.PROVEN
    found, seen = judge(save_torch(_model(), legacy=True)[0])
    assert found == FileVerdict.UNPROVEN
    assert worst(seen) != Level.ERROR


@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_torch_tensors_in_plain_pickles(protocol: int) -> None:
    """The legacy files that plain pickles of tensors contain are examined, and their bounds are checked."""
    data = pickle.dumps({"a": torch.arange(6.0), "p": torch.nn.Parameter(torch.ones(2, 2))}, protocol)
    assert verdict(data) == FileVerdict.PROVEN
    changed = data.replace(b"K\x06\x85", b"K\x60\x85")
    assert changed != data
    found, seen = judge(changed)
    assert (found, worst(seen)) == (FileVerdict.UNPROVEN, Level.ERROR)


def dump_joblib(value: Any) -> bytes:
    stream = io.BytesIO()
    joblib.dump(value, stream)
    return stream.getvalue()


def _estimators() -> dict[str, Callable[[], Any]]:
    ensemble, linear = pytest.importorskip("sklearn.ensemble"), pytest.importorskip("sklearn.linear_model")
    search, neighbours = pytest.importorskip("sklearn.model_selection"), pytest.importorskip("sklearn.neighbors")
    pipeline, scaling = pytest.importorskip("sklearn.pipeline"), pytest.importorskip("sklearn.preprocessing")
    svm, text = pytest.importorskip("sklearn.svm"), pytest.importorskip("sklearn.feature_extraction.text")
    x, y = np.random.default_rng(0).normal(size=(40, 3)), np.arange(40) % 2
    return {
        "pipeline": lambda: pipeline.make_pipeline(scaling.StandardScaler(), linear.LogisticRegression()).fit(x, y),
        "forest": lambda: ensemble.RandomForestClassifier(3).fit(x, y),
        "boosting": lambda: ensemble.HistGradientBoostingRegressor(max_iter=2).fit(x, y),
        "search": lambda: search.GridSearchCV(svm.SVC(), {"C": [1, 2]}).fit(x, y),
        "neighbours": lambda: neighbours.KNeighborsClassifier().fit(x, y),
        "stochastic": lambda: linear.SGDClassifier().fit(x, y),
        "text": lambda: text.TfidfVectorizer().fit(["a film", "one more film"]),
    }


@pytest.mark.parametrize("name", ["pipeline", "forest", "boosting", "search", "neighbours", "stochastic", "text"])
def test_sklearn(name: str) -> None:
    """Fitted estimators are proven, as pickles and as joblib files."""
    estimator = _estimators()[name]()
    for data in (pickle.dumps(estimator, 2), pickle.dumps(estimator, 4), dump_joblib(estimator)):
        found, seen = judge(data)
        assert found == FileVerdict.PROVEN, [item for item in seen if isinstance(item, Gap)]


def test_pandas() -> None:
    """Frames with every kind of column, series and indexes are proven; text that pyarrow holds is another matter."""
    pd = pytest.importorskip("pandas")
    with pd.option_context("mode.string_storage", "python"):
        days = pd.date_range("2020", periods=3)
        columns = {
            "a": [1, 2, 3],
            "b": ["x", None, "y"],
            "c": pd.Categorical(["u", "v", "u"]),
            "d": days,
            "e": days.tz_localize("UTC"),
        }
        frame = pd.DataFrame({**columns, "f": pd.array([1, None, 2], dtype="Int64"), "g": [True, False, True]})
        moments = [pd.Timestamp("2020"), pd.Timedelta("1D"), pd.NaT]
        pickles = [
            pickle.dumps(value, protocol)
            for value in (frame, frame["a"], frame.set_index(["a", "b"]), moments)
            for protocol in (2, 4, 5)
        ]
    for data in pickles:
        found, seen = judge(data)
        assert found == FileVerdict.PROVEN, [item for item in seen if isinstance(item, Gap)]


def test_boosters_are_unproven_for_a_stated_reason() -> None:
    """Boosters hand bytes to native code: not proven, not an error, and the reason says what to do."""
    lightgbm = pytest.importorskip("lightgbm")
    model = lightgbm.LGBMClassifier(n_estimators=1, verbose=-1).fit(np.arange(40.0).reshape(20, 2), np.arange(20) % 2)
    found, seen = judge(pickle.dumps(model, 4))
    reasons = [item.reason for item in seen if isinstance(item, Gap)]
    assert (found, worst(seen)) == (FileVerdict.UNPROVEN, Level.WARNING)
    assert len(reasons) == 1
    assert "save_model" in reasons[0]


@pytest.mark.slow
def test_transformers_configurations() -> None:
    """Configurations of models are proven."""
    transformers = pytest.importorskip("transformers")
    for config in (transformers.BertConfig(), transformers.GPT2Config(), transformers.LlamaConfig()):
        assert verdict(pickle.dumps(config, 4)) == FileVerdict.PROVEN


@pytest.fixture(scope="module")
def samples() -> list[tuple[bytes, dict[str, int] | None]]:
    frame = {"a": np.arange(4), "o": np.array([None, "x"], dtype=object)}
    return [
        (pickle.dumps(STANDARD[0], 4), None),
        (pickle.dumps(STANDARD[4], 0), None),
        (pickle.dumps(ARRAYS[3], 2), None),
        (dump_joblib(frame), None),
        save_torch({"w": torch.arange(6.0)}, legacy=True),
        save_torch({"w": torch.arange(6.0)}, legacy=False),
    ]


@given(st.data())
@settings(max_examples=120, deadline=None)
def test_damaged_files(samples: list[tuple[bytes, dict[str, int] | None]], draw: st.DataObject) -> None:
    """Cutting never leaves a proven file, appending never makes one better, changing bytes never escapes."""
    data, storages = draw.draw(st.sampled_from(samples))
    place = draw.draw(st.integers(0, len(data) - 1))
    assert verdict(data[:place], storages) != FileVerdict.PROVEN
    extra = draw.draw(st.binary(min_size=1, max_size=8))
    if extra[-1:] != b".":
        assert verdict(data + extra, storages) != FileVerdict.PROVEN
    hostile = b"cos\nsystem\nVls\n\x85R."
    assert verdict(hostile + extra) != FileVerdict.PROVEN
    judge(data[:place] + bytes([draw.draw(st.integers(0, 255))]) + data[place + 1 :], storages)
