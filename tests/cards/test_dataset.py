"""Claims about data sets are compared with what was counted of their rows and texts."""

from __future__ import annotations

from typing import Any

import pytest

from hallmarked.core.evidence import Statement
from tests.cards.test_claim import measured, only, report, said


def texts(**shares: str) -> Statement:
    found: list[dict[str, Any]] = [
        {**measured("text.language", share, language=name), "n": 400} for name, share in shares.items()
    ]
    part = {**measured("text.language", "1.0", language="sw", column="from"), "n": 9}
    return report("texts", [*found, part])


@pytest.mark.parametrize(
    ("code", "status", "reason"),
    [
        ("en", "supported", "97.5% of the 400 texts that were looked at are in it"),
        ("pt-BR", "supported", "2.5% of the 400 texts that were looked at are in it"),
        ("sw", "self-asserted", "none of the 400 texts that were looked at was found to be in it"),
        ("english", "unknown", "“english” is no language code"),
    ],
)
def test_languages_are_compared_with_texts(code: str, status: str, reason: str) -> None:
    """A language that texts are in is supported by their share; one that was not found is not contradicted."""
    claim = only(said("language", code), texts(en="0.975", pt="0.025"))
    assert claim.status.value == status
    assert claim.reason.startswith(reason)


ROWS = [
    measured("rows.total", "130"),
    measured("rows.total", "60", path="data/train-00000-of-00002.parquet"),
    measured("rows.total", "40", path="data/train-00001-of-00002.parquet"),
    measured("rows.total", "30", path="data/test.jsonl"),
]


@pytest.mark.parametrize(
    ("count", "split", "status", "reason"),
    [
        ("100", "train", "supported", "100 rows were counted"),
        ("30", "test", "supported", "30 rows were counted"),
        ("130", "train", "supported", "130 rows were counted"),
        ("99", "train", "self-asserted", "100 rows were counted; the claim may speak of a part of them"),
        ("7", "validation", "self-asserted", "130 rows were counted; the claim may speak of a part of them"),
    ],
)
def test_records_are_compared_with_rows(count: str, split: str, status: str, reason: str) -> None:
    """The rows of the files of a split, or of all files, support a number of records."""
    claim = only(said("examples", count, split=split), report("tables", ROWS))
    assert (claim.status.value, claim.reason) == (status, reason)
