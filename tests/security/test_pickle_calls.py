"""Pickles that make the code that loads them call something, through objects every one of which is vetted.

Each stream puts a vetted callable where a method is looked up by name. What it would call here is harmless
(``Exception`` takes any arguments); the point is that the stream chose it.
"""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from hallmarked.checks.serialization.contract import FileVerdict
from tests.checks.serialization.test_pickle import verdict

START = b"\x80\x04"


def value(thing: object) -> bytes:
    """Push a constant."""
    return pickle.dumps(thing, 2)[2:-1]


def name(module: str, attribute: str) -> bytes:
    """Push an import."""
    return f"c{module}\n{attribute}\n".encode()


def made(module: str, attribute: str, /, **state: bytes) -> bytes:
    """Push an instance that was given attributes."""
    return name(module, attribute) + b")\x81" + table(**state) + b"b"


def table(**items: bytes) -> bytes:
    """Push a dict."""
    return b"}(" + b"".join(value(key) + item for key, item in items.items()) + b"u"


def namespace(**state: bytes) -> bytes:
    """Push an object that has any attributes."""
    return name("types", "SimpleNamespace") + b")R" + table(**state) + b"b"


def dtype(kind: str, state: bytes = b"") -> bytes:
    """Push a numpy data type."""
    return name("numpy", "dtype") + b"(" + value(kind) + b"\x89\x88tR" + state


OBJECT = dtype("O8", b"(K\x03" + value("|") + b"NNN" + value(-1) * 2 + b"K?tb")


def objects(count: int, elements: bytes) -> bytes:
    """Push an array of objects that has a shape and a list of elements, which is on the stack below its state."""
    start = name("numpy._core.multiarray", "_reconstruct") + b"(" + name("numpy", "ndarray") + value((0,)) + value(b"b")
    return start + b"tR(K\x01" + value((count,)) + OBJECT + b"\x89" + elements + b"tb"


CALLED = name("builtins", "Exception")
LINEAR = made("torch.nn.modules.linear", "Linear", extra_repr=CALLED)
SGD = ("torch.optim.sgd", "SGD")
ISOTONIC = ("sklearn.isotonic", "IsotonicRegression")
PREDICTOR = ("sklearn.ensemble._hist_gradient_boosting.predictor", "TreePredictor")
FRAME = ("pandas.core.frame", "DataFrame")
EXTENSION = namespace(_typ=value("extension"), dtype=value(1), copy=CALLED)

CALLS = {
    "method that rebuilds an interpolator": made(
        *ISOTONIC, X_thresholds_=value("x"), y_thresholds_=value("y"), _build_f=CALLED
    ),
    "thresholds that are no arrays": made(*ISOTONIC, X_thresholds_=namespace(ravel=CALLED), y_thresholds_=value(1)),
    "nodes that convert themselves": made(*PREDICTOR, nodes=namespace(dtype=value(1), astype=CALLED)),
    "version that is shown": made("sklearn.linear_model._base", "LinearRegression", _sklearn_version=LINEAR),
    "method that patches an optimizer": made(*SGD, _patch_step_function=CALLED, defaults=table()),
    "hook of an optimizer": made(*SGD, profile_hook_step=CALLED, defaults=table()),
    "settings of an optimizer": made(*SGD, defaults=namespace(setdefault=CALLED)),
    "groups of an optimizer": made(*SGD, param_groups=b"](" + namespace(setdefault=CALLED) + b"e", defaults=table()),
    "states of an optimizer": made(*SGD, state=namespace(get=CALLED), defaults=table()),
    "blocks of a table": made(
        *FRAME, _typ=value("dataframe"), _mgr=namespace(set_axis=CALLED), columns=value([1]), _metadata=value([])
    ),
    "method of a table": made(*FRAME, _typ=value("dataframe"), _set_axis=CALLED),
    "categories of a type": made("pandas.core.dtypes.dtypes", "CategoricalDtype", categories=namespace(view=CALLED)),
    "data of an index": name("pandas.core.indexes.base", "_new_Index")
    + (b"(" + name("pandas", "Index") + table(data=EXTENSION, copy=value(True)) + b"tR"),
    "block of a table": name("pandas._libs.internals", "_unpickle_block") + b"(" + EXTENSION + value((0, 1)) + b"tR",
    "attributes set one by one": name("scipy.sparse._csr", "csr_matrix")
    + (b")\x81(" + table(reshape=CALLED) + table(shape=value((1, 2))) + b"tb"),
    "method of an enumeration": name("builtins", "getattr")
    + (b"(" + name("transformers.trainer_utils", "IntervalStrategy") + value("format") + b"tR"),
    "class that empties a file": name("numpy", "memmap"),
    "function that empties a file": name("functools", "partial") + b"(" + name("numpy", "memmap") + b"tR",
    "function by any name": name("numpy._core", "_ufunc_reconstruct") + value(("numpy", "memmap")) + b"R",
    "number of endless digits": name("fractions", "Fraction") + value(("1e999999999",)) + b"R",
    "layers without end": made("torch.nn.modules.rnn", "LSTM", _all_weights=value([[1]]), num_layers=value(10**12)),
    "time zone read from a file": name("pandas.core.indexes.base", "_new_Index")
    + (b"(" + name("pandas", "Index") + table(data=value([]), dtype=value("datetime64[ns, dateutil//x]")) + b"tR"),
}


@pytest.mark.parametrize("what", CALLS)
def test_nothing_that_loading_calls_by_name_is_proven(what: str) -> None:
    """A vetted callable that loading would find under the name of a method keeps a pickle from being proven."""
    assert verdict(START + CALLS[what] + b".") is not FileVerdict.PROVEN


def wrapper(**more: bytes) -> bytes:
    """Push joblib's description of an array, complete."""
    kind = {"subclass": name("numpy", "ndarray"), "order": value("C"), "dtype": dtype("u1"), "allow_mmap": value(False)}
    return made("joblib.numpy_pickle", "NumpyArrayWrapper", **(kind | more))


@pytest.mark.parametrize("method", ["read", "read_array", "read_mmap", "safe_get_numpy_array_alignment_bytes"])
def test_an_array_wrapper_has_no_methods_of_its_own(method: str) -> None:
    """A joblib wrapper whose method is replaced hides instructions where we expect array data: malformed."""
    hidden = wrapper(shape=value((4,))) + b"\xff" * 4 + name("os", "getcwd") + b")R"
    stream = START + wrapper(shape=value((len(hidden),)), **{method: CALLED}) + hidden + b"."
    assert verdict(stream) is FileVerdict.MALFORMED


def test_an_array_wrapper_as_joblib_writes_it_is_proven() -> None:
    """The attributes that joblib writes are all there may be, and are enough."""
    assert verdict(START + wrapper(shape=value((4,))) + b"\xff" * 4 + b".") is FileVerdict.PROVEN


@pytest.mark.parametrize("count", [1, 3])
def test_an_array_of_objects_has_as_many_as_its_shape_says(count: int) -> None:
    """A reader takes elements past the end of a list of elements that is shorter than the shape."""
    good = verdict(START + objects(2, value(["a", None])) + b".")
    assert (good, verdict(START + objects(count, value(["a", None])) + b".")) == (
        FileVerdict.PROVEN,
        FileVerdict.UNPROVEN,
    )


def test_an_array_of_objects_is_complete_when_it_is_built() -> None:
    """Elements added through the memo after the array was built do not count: it read past the end before."""
    late = START + b"]q\x09" + objects(2, b"h\x09") + b"h\x09(NNe0" + b"."
    early = START + b"]q\x09(NNe" + objects(2, b"h\x09") + b"."
    assert (verdict(early), verdict(late)) == (FileVerdict.PROVEN, FileVerdict.UNPROVEN)


def test_fields_of_a_type_are_complete_when_it_is_built() -> None:
    """A data type whose table of fields is filled after numpy used it is not vetted."""
    field = value("a") + b"(" + dtype("u1") + value(0) + b"t"
    state = b"(K\x03" + value("|") + b"N" + value(("a",)) + b"h\x09" + value(1) + value(1) + b"K\x00tb"
    used = name("numpy._core.multiarray", "scalar") + b"("
    early = START + b"}q\x09" + field + b"s0" + used + dtype("V1", state) + value(b"x") + b"tR."
    late = START + b"}q\x090" + used + dtype("V1", state) + value(b"x") + b"tRh\x09" + field + b"s0."
    assert (verdict(early), verdict(late)) == (FileVerdict.PROVEN, FileVerdict.UNPROVEN)


def test_a_tree_reads_no_further_than_its_array() -> None:
    """A decision tree copies as many numbers of classes as it has outputs, without a check of scikit-learn's."""
    tree = name("sklearn.tree._tree", "Tree") + b"(" + value(3) + value(np.array([2, 2], "i8"))
    assert verdict(START + tree + value(2) + b"tR.") is FileVerdict.PROVEN
    assert verdict(START + tree + value(10**9) + b"tR.") is FileVerdict.UNPROVEN
