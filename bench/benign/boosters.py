"""XGBoost and LightGBM: their own formats, and pickles of boosters and of the scikit-learn wrappers."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path

import joblib
import lightgbm
import numpy as np
import xgboost


def write(folder: Path) -> Iterator[tuple[str, str]]:
    """Write the family's files and yield their names and kinds."""
    random = np.random.default_rng(7)
    features, target = random.normal(size=(60, 4)), np.arange(60) % 2
    booster = xgboost.train({"max_depth": 3, "nthread": 1}, xgboost.DMatrix(features, target), 5)
    for suffix in ("json", "ubj"):
        booster.save_model(folder / f"xgboost.{suffix}")
        yield f"xgboost.{suffix}", "data"
    light = lightgbm.train(
        {"verbose": -1, "min_data_in_leaf": 2, "num_threads": 1}, lightgbm.Dataset(features, target), 5
    )
    light.save_model(folder / "lightgbm.txt")
    yield "lightgbm.txt", "data"
    models = {
        "xgboost_booster": booster,
        "xgboost_classifier": xgboost.XGBClassifier(n_estimators=5, n_jobs=1).fit(features, target),
        "xgboost_regressor": xgboost.XGBRegressor(n_estimators=5, n_jobs=1).fit(features, target),
        "lightgbm_booster": light,
        "lightgbm_classifier": lightgbm.LGBMClassifier(n_estimators=5, verbose=-1, n_jobs=1).fit(features, target),
        "lightgbm_regressor": lightgbm.LGBMRegressor(n_estimators=5, verbose=-1, n_jobs=1).fit(features, target),
    }
    for name, model in models.items():
        for protocol in (2, 5):
            path = folder / f"{name}.protocol{protocol}.pkl"
            path.write_bytes(pickle.dumps(model, protocol))
            yield path.name, "pickle"
        joblib.dump(model, folder / f"{name}.joblib")
        yield f"{name}.joblib", "joblib"
