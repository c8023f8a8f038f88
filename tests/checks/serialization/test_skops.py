"""Examining skops archives."""

from __future__ import annotations

import contextlib
import functools
import io
import json
import operator
import zipfile
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hallmarked.checks.serialization.contract import FileVerdict, Seen
from hallmarked.checks.serialization.skops import examine_skops
from hallmarked.core.errors import FormatError
from hallmarked.core.evidence import Finding, Level
from tests.checks.serialization.examining import blobs, examine_members, rules, verdict


def node(loader: str, dotted: str, content: object = None, **more: object) -> dict[str, Any]:
    module, _, name = dotted.rpartition(".")
    return {"__loader__": loader, "__module__": module, "__class__": name, "content": content, **more}


def judge(root: dict[str, Any], **members: bytes) -> list[Seen]:
    schema = json.dumps({"protocol": 2, "_skops_version": "0.16", **root}).encode()
    return examine_members(examine_skops, {"schema.json": schema, **members})


NUMBER = node("JsonNode", "builtins.str", "1", is_json=True)
GENERATOR = {
    "bit_generator": node("DictNode", "builtins.dict", {"bit_generator": node("JsonNode", "builtins.str", '"seed"')}),
}


@pytest.mark.parametrize(
    ("root", "rule"),
    [
        (node("FunctionNode", "os.system"), "SKP001"),
        (node("FunctionNode", "builtins.eval"), "SKP001"),
        (node("TypeNode", "subprocess.Popen"), "SKP001"),
        (node("ObjectNode", "pickle.Unpickler"), "SKP001"),
        (node("ConstructorFromReduceNode", "os.system", node("TupleNode", "builtins.tuple", [])), "SKP001"),
        (node("ListNode", "builtins.list", [NUMBER, node("PartialNode", "subprocess.run", {})]), "SKP001"),
        (node("NdArrayNode", "os.system", [], type="json"), "SKP001"),
        (node("OperatorFuncNode", "builtins.int", attrs=NUMBER), "SKP002"),
        (node("OperatorFuncNode", "operator.call", attrs=NUMBER), "SKP001"),
        (node("MethodNode", "builtins.int", {"obj": node("ObjectNode", "os.environ"), "func": "clear"}), "SKP002"),
        (node("RandomGeneratorNode", "numpy.random._generator.Generator", GENERATOR), "SKP002"),
        (
            node(
                "ListNode", "builtins.list", [{**NUMBER, "__id__": 1}, node("ListNode", "builtins.list", [], __id__=1)]
            ),
            "SKP002",
        ),
    ],
)
def test_hostile_schemas_are_errors(root: dict[str, Any], rule: str) -> None:
    """Dangerous names in any node, and nodes that hide what they load, are errors."""
    seen = judge(root)
    assert rule in {item.rule for item in seen if isinstance(item, Finding) and item.level == Level.ERROR}
    assert verdict(seen) == FileVerdict.UNPROVEN


@pytest.mark.parametrize(
    ("root", "rule"),
    [
        (node("FunctionNode", "my_package.function"), "SKP003"),
        (node("ObjectNode", "sklearn.linear_model._logistic.Other"), "SKP003"),
        (node("DictNode", "my_package.Dict", {}), "SKP003"),
        (node("TreeNode", "sklearn.tree._tree.Tree", {}), "SKP003"),
        (node("OperatorFuncNode", "operator.itemgetter", attrs=NUMBER), "SKP003"),
        (node("BrandNewNode", "builtins.list", []), "SKP004"),
        (node("ListNode", "builtins.list", [], protocol=3), "SKP004"),
    ],
)
def test_what_is_not_known_is_a_warning_and_a_gap(root: dict[str, Any], rule: str) -> None:
    """Types and nodes outside of the lists cannot be vouched for, and are no error."""
    seen = judge(root)
    assert rules(seen) == [rule]
    assert {item.level for item in seen if isinstance(item, Finding)} == {Level.WARNING}
    assert verdict(seen) == FileVerdict.UNPROVEN


@pytest.mark.parametrize(
    "root",
    [
        {"protocol": True, **node("ListNode", "builtins.list", [])},
        {"protocol": -1, **node("ListNode", "builtins.list", [])},
        {"x": 1},
        {"__loader__": "ListNode", "__class__": "list"},
        node("NdArrayNode", "numpy.ndarray", type="numpy", file="gone.npy"),
        node("JsonNode", "builtins.str", "{"),
        node("CachedNode", "builtins.list", None, __id__=7),
        node("RandomGeneratorNode", "numpy.random._generator.Generator", {}),
        node("MethodNode", "builtins.int", {}),
    ],
)
def test_broken_schemas_are_malformed(root: dict[str, Any]) -> None:
    """Schemas that no loader could follow are refused."""
    with pytest.raises(FormatError):
        judge(root)


def test_an_archive_without_a_schema_is_malformed() -> None:
    """Without its schema nothing can be said about an archive."""
    with pytest.raises(FormatError):
        examine_members(examine_skops, {"x.npy": b""})


def dumped(value: object) -> list[Seen]:
    skops = pytest.importorskip("skops.io")
    with zipfile.ZipFile(io.BytesIO(skops.dumps(value))) as archive:
        return examine_members(examine_skops, {name: archive.read(name) for name in archive.namelist()})


def test_values_written_by_skops() -> None:
    """Numbers, containers, arrays and generators written by the library are proven."""
    scipy_sparse = pytest.importorskip("scipy.sparse")
    value = {
        "list": [1, 2.5, "a", None, True, b"bytes", (1, 2), {3}, slice(1, 2)],
        "array": np.arange(3),
        "objects": np.array(["a", 1], dtype=object),
        "generators": [np.random.default_rng(0), np.random.RandomState(0)],
        "sparse": scipy_sparse.csr_matrix(np.eye(3)),
        "function": np.log1p,
        "dtype": np.dtype("f4"),
        "masked": np.ma.masked_array([1, 2], [0, 1]),
    }
    seen = dumped(value)
    assert [item for item in seen if isinstance(item, Finding)] == []
    assert verdict(seen) == FileVerdict.PROVEN
    assert len(blobs(seen)) >= 3


def test_what_skops_itself_does_not_trust() -> None:
    """Partial functions, operators and methods are warnings."""
    for value in (
        functools.partial(np.add, 1),
        operator.itemgetter(1),
        operator.methodcaller("lower"),
        "x".join,
        print,
    ):
        with contextlib.suppress(ImportError):
            skops = pytest.importorskip("skops.io")
            with contextlib.suppress(skops.exceptions.UnsupportedTypeException):
                assert verdict(dumped(value)) == FileVerdict.UNPROVEN, value


@pytest.mark.slow
def test_estimators_written_by_skops() -> None:
    """Linear models and pipelines are proven; trees, whose nodes are not checked, are only a warning."""
    linear = pytest.importorskip("sklearn.linear_model")
    pipeline = pytest.importorskip("sklearn.pipeline")
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    ensemble = pytest.importorskip("sklearn.ensemble")
    x = np.random.default_rng(0).random((50, 3))
    y = (x[:, 0] > 0.5).astype(int)
    model = pipeline.make_pipeline(preprocessing.StandardScaler(), linear.LogisticRegression()).fit(x, y)
    seen = dumped(model)
    assert (rules(seen), verdict(seen)) == ([], FileVerdict.PROVEN)
    for forest in (ensemble.RandomForestClassifier(3), ensemble.HistGradientBoostingClassifier(max_iter=3)):
        seen = dumped(forest.fit(x, y))
        assert rules(seen) == ["SKP003"]
        assert {item.level for item in seen if isinstance(item, Finding)} == {Level.WARNING}


keys = st.sampled_from(["__loader__", "__module__", "__class__", "content", "__id__", "file", "obj", "func", "x"])
leaves = st.sampled_from([None, 1, "DictNode", "MethodNode", "JsonNode", "CachedNode", "builtins", "dict", "1", [], {}])


@settings(deadline=None, max_examples=150)
@given(st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=6)))
def test_any_tree_gets_an_answer(root: object) -> None:
    """Schemas of any shape are judged or refused, never anything else."""
    with contextlib.suppress(FormatError):
        judge(node("ListNode", "builtins.list", [root]))
