"""Scikit-learn: fitted estimators and pipelines, pickled, through joblib in each codec, and as skops files."""

from __future__ import annotations

import importlib.util
import pickle
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from sklearn import (
    cluster,
    compose,
    decomposition,
    discriminant_analysis,
    ensemble,
    feature_extraction,
    feature_selection,
    gaussian_process,
    impute,
    isotonic,
    kernel_approximation,
    linear_model,
    manifold,
    mixture,
    model_selection,
    multiclass,
    naive_bayes,
    neighbors,
    neural_network,
    pipeline,
    preprocessing,
    svm,
    tree,
)

CODECS = {"zlib": ".z", "gzip": ".gz", "bz2": ".bz2", "xz": ".xz", "lzma": ".lzma", "lz4": ".lz4"}


def _estimators() -> list[Any]:
    logistic = linear_model.LogisticRegression()
    numeric = pipeline.make_pipeline(impute.SimpleImputer(), preprocessing.StandardScaler())
    return [
        logistic,
        linear_model.LinearRegression(),
        linear_model.Ridge(),
        linear_model.Lasso(),
        linear_model.ElasticNet(),
        linear_model.SGDClassifier(random_state=7),
        linear_model.Perceptron(random_state=7),
        ensemble.RandomForestClassifier(5, random_state=7),
        ensemble.RandomForestRegressor(5, random_state=7),
        ensemble.ExtraTreesClassifier(5, random_state=7),
        ensemble.GradientBoostingClassifier(n_estimators=5, random_state=7),
        ensemble.HistGradientBoostingClassifier(max_iter=5, random_state=7),
        ensemble.HistGradientBoostingRegressor(max_iter=5, random_state=7),
        ensemble.AdaBoostClassifier(n_estimators=5, random_state=7),
        ensemble.BaggingClassifier(n_estimators=3, random_state=7),
        ensemble.IsolationForest(n_estimators=5, random_state=7),
        ensemble.VotingClassifier([("a", logistic), ("b", tree.DecisionTreeClassifier(random_state=7))]),
        ensemble.StackingClassifier([("a", logistic)], cv=2),
        tree.DecisionTreeClassifier(random_state=7),
        tree.DecisionTreeRegressor(random_state=7),
        svm.SVC(probability=False),
        svm.LinearSVC(random_state=7),
        svm.SVR(),
        neighbors.KNeighborsClassifier(algorithm="kd_tree"),
        neighbors.KNeighborsClassifier(algorithm="ball_tree"),
        neighbors.KNeighborsRegressor(),
        neighbors.NearestCentroid(),
        naive_bayes.GaussianNB(),
        naive_bayes.BernoulliNB(),
        neural_network.MLPClassifier(hidden_layer_sizes=(4,), max_iter=5, random_state=7),
        neural_network.MLPRegressor(hidden_layer_sizes=(4,), max_iter=5, random_state=7),
        gaussian_process.GaussianProcessClassifier(random_state=7),
        gaussian_process.GaussianProcessRegressor(random_state=7),
        discriminant_analysis.LinearDiscriminantAnalysis(),
        discriminant_analysis.QuadraticDiscriminantAnalysis(),
        cluster.KMeans(3, random_state=7, n_init=1),
        cluster.MiniBatchKMeans(3, random_state=7, n_init=1),
        cluster.DBSCAN(),
        cluster.AgglomerativeClustering(),
        mixture.GaussianMixture(2, random_state=7),
        decomposition.PCA(2),
        decomposition.TruncatedSVD(2, random_state=7),
        decomposition.FastICA(2, random_state=7),
        manifold.Isomap(n_neighbors=5),
        preprocessing.StandardScaler(),
        preprocessing.MinMaxScaler(),
        preprocessing.RobustScaler(),
        preprocessing.OneHotEncoder(handle_unknown="ignore"),
        preprocessing.OrdinalEncoder(),
        preprocessing.PolynomialFeatures(2),
        preprocessing.QuantileTransformer(n_quantiles=10, random_state=7),
        preprocessing.PowerTransformer(),
        preprocessing.KBinsDiscretizer(3, quantile_method="averaged_inverted_cdf"),
        preprocessing.FunctionTransformer(np.log1p),
        impute.SimpleImputer(),
        impute.KNNImputer(),
        feature_selection.SelectKBest(k=2),
        kernel_approximation.RBFSampler(random_state=7),
        multiclass.OneVsRestClassifier(logistic),
        model_selection.GridSearchCV(logistic, {"C": [0.1, 1.0]}, cv=2),
        pipeline.make_pipeline(preprocessing.StandardScaler(), decomposition.PCA(2), svm.SVC()),
        pipeline.make_pipeline(compose.ColumnTransformer([("numeric", numeric, [0, 1])]), logistic),
    ]


def _text_models() -> dict[str, Any]:
    texts, labels = ["good film", "bad film", "fine plot", "poor plot"] * 3, [1, 0, 1, 0] * 3
    tfidf = pipeline.make_pipeline(
        feature_extraction.text.TfidfVectorizer(ngram_range=(1, 2)), naive_bayes.MultinomialNB()
    )
    hashed = pipeline.make_pipeline(
        feature_extraction.text.HashingVectorizer(n_features=64), linear_model.LogisticRegression()
    )
    return {
        "TextTfidf": tfidf.fit(texts, labels),
        "TextHashing": hashed.fit(texts, labels),
        "CountVectorizer": feature_extraction.text.CountVectorizer().fit(texts),
        "DictVectorizer": feature_extraction.DictVectorizer().fit([{"a": 1, "b": "x"}]),
        "LabelEncoder": preprocessing.LabelEncoder().fit(list("abc")),
        "LabelBinarizer": preprocessing.LabelBinarizer().fit(list("abc")),
        "IsotonicRegression": isotonic.IsotonicRegression().fit([1, 2, 3], [1, 3, 2]),
    }


def _fitted() -> dict[str, Any]:
    random = np.random.default_rng(7)
    features, target = random.normal(size=(40, 4)), np.arange(40) % 2
    models: dict[str, Any] = {}
    for estimator in _estimators():
        name = type(estimator).__name__
        positive = np.abs(features) if name in {"FunctionTransformer", "PowerTransformer"} else features
        models[name if name not in models else f"{name}{len(models)}"] = estimator.fit(positive, target)
    return models | _text_models()


def write(folder: Path) -> Iterator[tuple[str, str]]:
    """Write the family's files and yield their names and kinds."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # models this small do not converge
        models = _fitted()
    for name, model in models.items():
        joblib.dump(model, folder / f"{name}.joblib")
        (folder / f"{name}.pkl").write_bytes(pickle.dumps(model))
        yield from ((f"{name}.joblib", "joblib"), (f"{name}.pkl", "pickle"))
    for name in ("LogisticRegression", "RandomForestClassifier", "Pipeline"):
        for protocol in (2, 3, 4):
            path = folder / f"{name}.protocol{protocol}.pkl"
            path.write_bytes(pickle.dumps(models[name], protocol))
            yield path.name, "pickle"
    for codec, suffix in CODECS.items():
        if codec != "lz4" or importlib.util.find_spec("lz4"):
            joblib.dump(models["RandomForestClassifier"], folder / f"forest.joblib{suffix}", compress=(codec, 3))
            yield f"forest.joblib{suffix}", "joblib"
    big = {
        "weights": np.arange(10_000.0),
        "order": np.asfortranarray(np.eye(5)),
        "names": np.array(["a", "b"], dtype=object),
    }
    joblib.dump(big, folder / "arrays.joblib")
    yield "arrays.joblib", "joblib"
    cached = joblib.Memory(folder / "cache", verbose=0).cache(np.cumsum)
    cached(np.arange(5))
    for path in sorted((folder / "cache").rglob("output.pkl")):
        yield str(path.relative_to(folder)), "joblib"
