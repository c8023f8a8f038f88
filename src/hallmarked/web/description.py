"""What is known of a repository, written as the ecosystem's clients read it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import Connection

from hallmarked.core.errors import InputError
from hallmarked.hub.catalog.tag import tags_of, values_of
from hallmarked.hub.clock import to_text
from hallmarked.hub.community.popularity import trending_score
from hallmarked.hub.git.tree import walk
from hallmarked.hub.hub import Hub
from hallmarked.hub.repository.card import to_plain
from hallmarked.hub.repository.repository import Repository
from hallmarked.hub.repository.revision import Entry, Revision, find_revision, list_files, read_text
from hallmarked.hub.repository.usage import used_bytes
from hallmarked.hub.repository.weight import count_parameters

MAX_CONFIG = 1 << 20
"""Bytes of a ``config.json`` that are looked at."""
MAX_VALUE = 16 << 10
"""Characters of what it says of one thing; nobody chooses a loader by more, and lists have a hundred of these."""
CONFIG_KEYS = ("architectures", "model_type", "auto_map", "quantization_config")
ABSENT = (
    "childrenModelCount", "citation", "description", "evalResults", "gguf", "inference", "inferenceProviderMapping",
    "mainSize", "mask_token", "paperswithcode_id", "region", "resourceGroup", "spaces", "subdomain", "transformersInfo",
)  # fmt: skip
"""Fields that clients may ask for and this hub has no value for."""
RUNTIME = {"stage": "NO_APP_FILE", "hardware": {"current": None, "requested": None}, "storage": None, "gcTimeout": None}
"""What runs of any system: nothing. NOTE: older clients look into ``hardware`` without asking whether it is there."""


@dataclass(frozen=True)
class View:
    """A repository at a revision, as its description needs it."""

    db: Connection
    hub: Hub
    repo: Repository
    oid: str
    """Of the revision."""
    tree: str
    """Of the revision."""

    @cached_property
    def at(self) -> Revision:
        """The revision."""
        return find_revision(self.db, self.repo, self.oid)

    @cached_property
    def files(self) -> Sequence[Entry]:
        """Its files."""
        return list_files(self.db, self.at)

    @property
    def card(self) -> Mapping[str, Any]:
        """Front matter of the main branch's README."""
        return self.repo.card

    def text(self, field: str) -> str | None:
        """A text of the card."""
        value = self.card.get(field)
        return value if isinstance(value, str) else None


def read_config(view: View) -> dict[str, Any] | None:
    """Return what programs choose their loader by, from a model's configuration."""
    entry = next((entry for entry in view.files if entry.path == "config.json"), None)
    if entry is None or entry.large or entry.size > MAX_CONFIG:
        return None
    try:
        value = json.loads(read_text(view.db, entry))
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
    found = {key: to_plain(value[key]) for key in CONFIG_KEYS if key in value}
    return {key: item for key, item in found.items() if len(str(item)) <= MAX_VALUE}


def read_weights(view: View) -> dict[str, Any] | None:
    """Return how many numbers a model has, by dtype."""
    counts = count_parameters(view.db, view.hub.blobs, view.files)
    return {"parameters": dict(counts), "total": sum(counts.values())} if counts else None


def write_runtime(_view: View) -> dict[str, Any]:
    """Say that nothing runs: this hub keeps systems, it does not execute them."""
    return dict(RUNTIME)


def write_yes(_view: View) -> bool:
    """Say that a repository takes large files by Xet, as every one does."""
    return True


def write_nothing(_view: View) -> None:
    """Leave a field out."""


Writer = Callable[[View], Any]
FIELDS: dict[str, Writer] = {
    "author": lambda view: view.repo.name.partition("/")[0],
    "baseModels": lambda view: values_of(view.card.get("base_model")) or None,
    "cardData": lambda view: dict(view.card),
    "config": read_config,
    "createdAt": lambda view: to_text(view.repo.created),
    "datasets": lambda view: values_of(view.card.get("datasets")),
    "disabled": lambda view: bool(view.repo.scope.disabled),
    "downloads": lambda view: view.repo.downloads,
    "downloadsAllTime": lambda view: view.repo.downloads,
    "gated": lambda view: view.repo.scope.gate or False,
    "lastModified": lambda view: to_text(view.repo.modified),
    "library_name": lambda view: view.text("library_name"),
    "likes": lambda view: view.repo.likes,
    "model-index": lambda view: view.card.get("model-index"),
    "models": lambda view: values_of(view.card.get("models")),
    "pipeline_tag": lambda view: view.text("pipeline_tag"),
    "private": lambda view: view.repo.scope.private,
    "runtime": write_runtime,
    "safetensors": read_weights,
    "sdk": lambda view: view.text("sdk"),
    "sha": lambda view: view.oid,
    "siblings": lambda view: [{"rfilename": path} for path, _ in walk(view.db, view.tree)],
    "tags": lambda view: tags_of(view.repo.scope.kind, view.card, gate=view.repo.scope.gate),
    "trendingScore": lambda view: trending_score(view.repo.trending),
    "usedStorage": lambda view: used_bytes(view.db, view.repo.id),
    "widgetData": lambda view: view.card.get("widget"),
    "xetEnabled": write_yes,
    **dict.fromkeys(ABSENT, write_nothing),
}
"""How each field that clients may ask for by name is written."""

_EVERY = (
    "author", "cardData", "createdAt", "disabled", "lastModified", "likes", "private", "resourceGroup", "sha",
    "siblings", "tags", "trendingScore", "usedStorage",
)  # fmt: skip
EXPAND = {
    "model": (
        *_EVERY, "baseModels", "childrenModelCount", "config", "downloads", "downloadsAllTime", "evalResults", "gated",
        "gguf", "inference", "inferenceProviderMapping", "library_name", "mask_token", "model-index", "pipeline_tag",
        "safetensors", "spaces", "transformersInfo", "widgetData",
    ),
    "dataset": (
        *_EVERY, "citation", "description", "downloads", "downloadsAllTime", "gated", "mainSize", "paperswithcode_id",
    ),
    "system": (*_EVERY, "datasets", "models", "region", "runtime", "sdk", "subdomain"),
}  # fmt: skip
"""Fields that may be asked for by name, by kind, as the newest client knows them."""
FORMER = ("xetEnabled", "gated")
"""Fields that may be asked for of every kind, though the newest client does not list them."""
_SHORT = ("createdAt", "downloads", "gated", "lastModified", "likes", "private", "sha", "tags", "trendingScore")
_MODEL = ("pipeline_tag", "library_name")
_FULL = ("author", "cardData", "disabled", "usedStorage")
LISTED = {"model": (*_SHORT, *_MODEL), "dataset": ("author", "disabled", *_SHORT), "system": (*_SHORT, "sdk")}
"""Fields of an entry of a listing, by kind."""
FULL = {
    "model": (*_SHORT, *_MODEL, *_FULL, "config", "safetensors", "widgetData", "model-index", "baseModels"),
    "dataset": (*_SHORT, *_FULL),
    "system": (*_SHORT, *_FULL, "sdk", "runtime", "models", "datasets"),
}
"""Fields of the description of one repository, by kind."""


def write_fields(view: View, fields: Sequence[str]) -> dict[str, Any]:
    """Write the fields asked for, and what names the repository; those without a value are left out."""
    repo = view.repo
    body = {"_id": repo.id, "id": repo.name, **({"modelId": repo.name} if repo.scope.kind == "model" else {})}
    for field in dict.fromkeys(fields):
        value = FIELDS[field](view)
        if value is not None:
            body[field] = value
    return body


def check_fields(kind: str, fields: Sequence[str]) -> Sequence[str]:
    """Return names of fields, or refuse those that repositories of a kind do not have.

    Raises:
        InputError: When a field is not known; clients know how the sentence begins.
    """
    if not {*EXPAND[kind], *FORMER}.issuperset(fields):
        raise InputError(f'"expand" must be one of [{", ".join(sorted(EXPAND[kind]))}]')
    return fields


def write_sibling(entry: Entry) -> dict[str, Any]:
    """Write a file with its size as the list in a repository's description has it."""
    return {"rfilename": entry.path, "size": entry.size, "blobId": entry.oid, **large_part(entry, "sha256")}


def large_part(entry: Entry, digest: str) -> dict[str, Any]:
    """Write what clients want to know of a large file."""
    if not entry.large:
        return {}
    return {"lfs": {digest: entry.sha256, "size": entry.size, "pointerSize": 124 + len(str(entry.size))}}
