"""Mask personal data in what is told of a data set, whoever tells it.

Names of columns, labels, groups and hosts come from the data, and so may hold what nobody meant to publish: the first
row of a table without a header, an address as a label.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import TypeVar

from hallmarked.core.evidence import Finding, Gap, Measurement
from hallmarked.corpus.personal.find import Search, detector_of
from hallmarked.corpus.personal.kind import DEFAULT
from hallmarked.corpus.personal.redact import Mode, Redactor

T = TypeVar("T")
VALUES = frozenset({"value", "label"})
"""Members that hold a value of the column that is named beside them."""
PLACES = frozenset({"path", "folder", "file", "digest", "kind"})
"""Members of a slice or of data that name files of the artifact, which are public with it."""


@lru_cache(1 << 14)
def veil(text: str, hint: str = "") -> str:
    """Return a text with masks where personal data stood; ``hint`` is the name of the column it is from."""
    return Redactor(Mode.MASK, detector=detector_of(Search(kinds=DEFAULT))).redact(text, hint)[0]


def veil_item(item: T) -> T:
    """Return what a check says, with masks in its sentences and in names and values that come from the data."""
    if isinstance(item, Finding):
        return replace(item, message=veil(item.message), data=_veiled(item.data))
    if isinstance(item, Measurement):
        return replace(item, value=veil(item.value), slice=_veiled(item.slice))
    if isinstance(item, Gap):
        return replace(item, reason=veil(item.reason))
    return item


def _veiled(members: Mapping[str, str]) -> dict[str, str]:
    column = members.get("column", "").replace("_", " ")
    return {
        name: value if name in PLACES else veil(value, column if name in VALUES else "")
        for name, value in members.items()
    }
