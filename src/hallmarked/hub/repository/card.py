"""The front matter of a repository's README, as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import isfinite
from typing import Any

from hallmarked.checks.licence.catalogue import resolve
from hallmarked.core.errors import FormatError
from hallmarked.formats.blob import Budget, Limits
from hallmarked.formats.readme import decode, read_metadata, split

MAX_CARD = 1 << 20
"""Bytes of a README that are looked at."""
LIMITS = Limits(nodes=100_000)
"""Of what a card says, aliases unfolded: it is kept in the database, and lists have it for each repository."""


@lru_cache(maxsize=16)
def read_card(data: bytes) -> Mapping[str, Any]:
    """Return the front matter of a README; empty when there is none that can be read.

    Long ones take a second. Whoever is about to commit one asks before, so that nobody waits for the answer meanwhile.
    """
    if len(data) > MAX_CARD:
        return {}
    try:
        front, _, _ = split(decode(data))
        metadata = read_metadata(front, Budget(len(data), LIMITS))
    except FormatError:
        return {}
    plain = to_plain(metadata)
    return plain if isinstance(plain, dict) else {}


def to_plain(value: Any) -> Any:
    """Turn what a file says into JSON that can be kept and sent: numbers without a form, texts that have one."""
    if isinstance(value, Mapping):
        return {to_plain(str(key)): to_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value) if abs(value) < 1 << 53 else str(value)
    if isinstance(value, float):
        return float(value) if isfinite(value) else str(value)
    return str(value).replace("\0", "").encode("utf-8", "replace").decode()


@dataclass(frozen=True, slots=True)
class Opinion:
    """What is wrong with a card's front matter."""

    errors: Sequence[str] = ()
    """Why it is refused."""
    warnings: Sequence[str] = ()


_TEXTS = ("pipeline_tag", "library_name", "license_name", "license_link", "sdk", "app_file", "pretty_name")
_LISTS = (
    "tags", "language", "datasets", "metrics", "base_model", "task_categories", "task_ids", "size_categories",
    "multilinguality", "language_creators", "annotations_creators", "source_datasets", "models",
)  # fmt: skip


def judge_card(data: bytes) -> Opinion:
    """Say what is wrong with the front matter of a README, all at once.

    Fields and their types: https://huggingface.co/docs/hub/model-cards#model-card-metadata. Fields that are not known
    are left alone.
    """
    try:
        front, _, _ = split(decode(data))
        metadata = read_metadata(front, Budget(len(data), LIMITS))
    except FormatError as error:
        return Opinion(errors=[str(error)])
    if front is None or not metadata:
        return Opinion(warnings=["the card has no metadata, so that it says nothing to programs"])
    errors = [f'"{field}" must be a text' for field in _TEXTS if not _is(metadata.get(field), str)]
    errors += [
        f'"{field}" must be a text or a list of texts'
        for field in _LISTS
        if not _is(metadata.get(field), str) and not _is_list(metadata.get(field))
    ]
    errors += _judge_licence(metadata.get("license"))
    if not _is(metadata.get("model-index"), list):
        errors.append('"model-index" must be a list of results')
    return Opinion(errors)


def _judge_licence(value: object) -> Sequence[str]:
    named = value if isinstance(value, list) else [value] if value is not None else []
    if all(isinstance(text, str) and resolve(text) for text in named):
        return []
    return ['"license" must be one of the known ids, such as apache-2.0, mit, cc-by-4.0, or other with a license_name']


def _is(value: object, kind: type) -> bool:
    return value is None or isinstance(value, kind)


def _is_list(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
