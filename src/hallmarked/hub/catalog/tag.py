"""What a card says a repository is, as tags that clients filter by and as the groups that pages offer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

MAX_VALUES, MAX_LENGTH = 100, 96
"""Values taken of one group, and characters of one."""

# Field of the front matter, group, and what clients write before the value when they filter.
_FIELDS = {
    "model": (
        ("pipeline_tag", "task", ""),
        ("library_name", "library", ""),
        ("license", "licence", "license:"),
        ("language", "language", ""),
        ("datasets", "dataset", "dataset:"),
        ("base_model", "base", "base_model:"),
        ("tags", "", ""),
    ),
    "dataset": (
        ("task_categories", "task", "task_categories:"),
        ("task_ids", "", "task_ids:"),
        ("license", "licence", "license:"),
        ("language", "language", "language:"),
        ("size_categories", "size", "size_categories:"),
        ("multilinguality", "", "multilinguality:"),
        ("language_creators", "", "language_creators:"),
        ("annotations_creators", "", "annotations_creators:"),
        ("source_datasets", "", "source_datasets:"),
        ("tags", "", ""),
    ),
    "system": (
        ("sdk", "library", ""),
        ("license", "licence", "license:"),
        ("models", "model", "model:"),
        ("datasets", "dataset", "dataset:"),
        ("tags", "", ""),
    ),
}
GROUPS = ("task", "library", "licence", "language", "size", "dataset", "base", "model")
"""What pages offer to filter by."""


_CALLED = {"datasets": "dataset", "models": "model", "library_name": "library"}
"""What clients call groups of tags whose field of the front matter has another name."""


def name_in_tags(kind: str, group: str) -> tuple[str, str] | None:
    """Return what clients call a group, and what stands before its values in tags; None when the kind has none."""
    for field, known, prefix in _FIELDS[kind]:
        if known == group:
            return _CALLED.get(field, field), prefix
    return None


def values_of(value: Any) -> list[str]:
    """Return one or more texts of a card's field, bounded; whatever is not text is left out."""
    found = value if isinstance(value, list) else [value]
    texts = [" ".join(item.split()) for item in found[:MAX_VALUES] if isinstance(item, str)]
    return list(dict.fromkeys(text for text in texts if 0 < len(text) <= MAX_LENGTH))


def groups_of(kind: str, card: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return what a card says, by group."""
    found: dict[str, list[str]] = {}
    for field, group, _ in _FIELDS[kind]:
        if group and (values := values_of(card.get(field))):
            found[group] = values
    return found


def tags_of(kind: str, card: Mapping[str, Any], *, gate: str = "") -> list[str]:
    """Return the tags of a repository as clients know them, without duplicates."""
    tags: Iterable[str] = (
        f"{prefix}{value}" for field, _, prefix in _FIELDS[kind] for value in values_of(card.get(field))
    )
    return list(dict.fromkeys([*tags, *([f"gated:{gate}"] if gate else [])]))
