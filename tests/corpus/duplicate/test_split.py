"""Tests of splits."""

from __future__ import annotations

import pytest

from hallmarked.corpus.duplicate.split import canonical, split_of


@pytest.mark.parametrize(
    ("path", "split"),
    [
        ("data/train-00000-of-00002.parquet", "train"),
        ("TEST.jsonl", "test"),
        ("en/validation/part.csv", "validation"),
        ("dev_1.jsonl.gz", "validation"),
        ("train/test-3.csv", "test"),
        ("train_test.csv", ""),
        ("latest.csv", ""),
        ("data/part-0.parquet", ""),
        ("my-eval/a.txt", "test"),
    ],
)
def test_splits_are_told_by_names(path: str, split: str) -> None:
    """Whole words of the file's name tell, else those of the nearest folder; two that disagree tell nothing."""
    assert split_of(path) == split


def test_declared_splits_have_one_name() -> None:
    """A split that rows declare is named as files name it; unknown names stay."""
    assert [canonical(name) for name in (" Training ", "DEV", "holdout", "x" * 99)] == [
        "train",
        "validation",
        "holdout",
        "x" * 60,
    ]
