"""Examining UBJSON files of XGBoost."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from hallmarked.checks.serialization.contract import FileVerdict
from hallmarked.checks.serialization.ubjson import examine_ubjson, examine_xgboost_json, tree_problem
from hallmarked.core.errors import FormatError
from tests.checks.serialization.examining import examine, rules, verdict


def packed(*numbers: int) -> bytes:
    return b"[$l#i" + bytes([len(numbers)]) + b"".join(n.to_bytes(4, "big", signed=True) for n in numbers)


def model(left: bytes, right: bytes) -> bytes:
    """A model with a good tree and the given one."""
    good = b"{i\x0dleft_children" + packed(1, -1, -1) + b"i\x0eright_children" + packed(2, -1, -1) + b"}"
    tree = b"{i\x0dleft_children" + left + b"i\x0eright_children" + right + b"i\x01xT}"
    return b"{i\x07learner{i\x05trees[" + good + tree + good + b"]}}"


def test_good_trees_are_proven() -> None:
    """Trees whose children are all there need no word."""
    assert examine(examine_ubjson, model(packed(1, -1, -1), packed(2, -1, -1))) == []


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (packed(7, -1, -1), packed(2, -1, -1)),
        (packed(1, -1, -1), packed(-5, -1, -1)),
        (packed(1, 0, -1), packed(2, 2, -1)),
        (packed(1, -1, -1), packed(-1, -1, -1)),
        (packed(1, -1), packed(2, -1, -1)),
    ],
)
def test_trees_that_lead_elsewhere_are_errors(left: bytes, right: bytes) -> None:
    """Children outside of the tree, circles and missing sides are errors."""
    seen = examine(examine_ubjson, model(left, right))
    assert rules(seen) == ["UBJ001"]
    assert verdict(seen) == FileVerdict.UNPROVEN


def test_tree_problems_are_named() -> None:
    """The first wrong child is named; nodes that nothing leads to do not count."""
    assert tree_problem([], []) is None
    assert tree_problem([-1, 9], [5, 9]) is None
    assert tree_problem([1, -1], [1, -1]) == "leads to node 1 twice"
    assert tree_problem([3], [1]) == "leads to node 1"


def test_children_must_be_integers() -> None:
    """Children stored as anything else are malformed."""
    with pytest.raises(FormatError):
        examine(examine_ubjson, model(b"[$d#i\x01\0\0\0\0", packed(-1)))


def test_other_files_leave_a_gap() -> None:
    """UBJSON of another kind parses but cannot be vouched for."""
    seen = examine(examine_ubjson, b"{i\x01aT}")
    assert (rules(seen), verdict(seen)) == (["UBJ002"], FileVerdict.UNPROVEN)


def test_trees_in_json() -> None:
    """The same trees are followed in models stored as JSON."""
    model = {"learner": {"trees": [{"left_children": [1, -1, -1], "right_children": [2, -1, -1]}]}}
    assert examine(examine_xgboost_json, json.dumps(model).encode()) == []
    model["learner"]["trees"].append({"left_children": [9], "right_children": [-1]})
    assert rules(examine(examine_xgboost_json, json.dumps(model).encode())) == ["UBJ001"]
    model["learner"]["trees"][1]["left_children"] = ["x"]  # type: ignore[list-item]
    with pytest.raises(FormatError):
        examine(examine_xgboost_json, json.dumps(model).encode())


@pytest.mark.slow
def test_models_written_by_xgboost(tmp_path: Path) -> None:
    """Boosters of all kinds, saved by the library, are proven."""
    xgboost = pytest.importorskip("xgboost")
    random = np.random.default_rng(0)
    x = random.random((300, 5))
    y = x[:, 0] + random.random(300)
    models = [
        xgboost.XGBRegressor(n_estimators=20, max_depth=6, gamma=0.5),
        xgboost.XGBRegressor(n_estimators=5, booster="dart", rate_drop=0.3),
        xgboost.XGBRegressor(n_estimators=5, booster="gblinear"),
        xgboost.XGBRFRegressor(n_estimators=5),
        xgboost.XGBRegressor(n_estimators=5, tree_method="exact", max_depth=8, gamma=1.0),
        xgboost.XGBRegressor(n_estimators=5, tree_method="hist", grow_policy="lossguide", max_leaves=9),
    ]
    for number, booster in enumerate(models):
        booster.fit(x, y)
        path = tmp_path / f"{number}.ubj"
        booster.save_model(path)
        assert examine(examine_ubjson, path.read_bytes()) == [], booster
        booster.save_model(path.with_suffix(".json"))
        assert examine(examine_xgboost_json, path.with_suffix(".json").read_bytes()) == [], booster
    multi = xgboost.XGBRegressor(n_estimators=3, multi_strategy="multi_output_tree").fit(x, np.stack([y, -y], axis=1))
    multi.save_model(tmp_path / "multi.ubj")
    assert examine(examine_ubjson, (tmp_path / "multi.ubj").read_bytes()) == []
