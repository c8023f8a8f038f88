"""New repositories, with their first commit."""

from __future__ import annotations

import json
import re

from sqlalchemy import Connection

from hallmarked.core.errors import InputError
from hallmarked.hub.access import Actor
from hallmarked.hub.change.commit import Change, Message, Put, commit
from hallmarked.hub.repository.repository import Repository, create_repository

_SDK = re.compile(r"[a-z][a-z0-9-]{0,30}")
LARGE_FILES = [
    "7z",
    "arrow",
    "bin",
    "bz2",
    "ckpt",
    "ftz",
    "gz",
    "h5",
    "joblib",
    "keras",
    "lz4",
    "mlmodel",
    "model",
    "msgpack",
    "npy",
    "npz",
    "onnx",
    "ot",
    "parquet",
    "pb",
    "pickle",
    "pkl",
    "pt",
    "pth",
    "rar",
    "safetensors",
    "tar",
    "tflite",
    "tgz",
    "wasm",
    "xz",
    "zip",
    "zst",
    "gguf",
]
ATTRIBUTES = "".join(f"*.{suffix} filter=lfs diff=lfs merge=lfs -text\n" for suffix in sorted(LARGE_FILES))
"""Says to git which files are large ones; clients expect it in a new repository."""


def create(
    db: Connection,
    actor: Actor,
    kind: str,
    name: str,
    *,
    visibility: str = "",
    owner: str | None = None,
    sdk: str = "",
) -> Repository:
    """Make a repository with a first commit.

    Args:
        db: A writing transaction.
        actor: Who makes it.
        kind: ``model``, ``dataset`` or ``system``.
        name: Without its owner.
        visibility: ``public`` or ``private``; empty for what its owner prefers.
        owner: A user or organisation; the actor when None.
        sdk: What a system is built with, which its first card says.

    Raises:
        InputError, Conflict, NotSignedIn, Forbidden: See ``repository.create_repository``.
    """
    repo = create_repository(db, actor, kind, name, visibility=visibility, owner=owner)
    files: list[Change] = [Put(".gitattributes", ATTRIBUTES.encode())]
    if kind == "system":
        if sdk and not _SDK.fullmatch(sdk):
            raise InputError("sdk has to be one word, such as gradio, docker or static")
        card = f"---\ntitle: {json.dumps(name)}\n{f'sdk: {sdk}' if sdk else 'sdk: static'}\n---\n\n# {name}\n"
        files.append(Put("README.md", card.encode()))
    commit(db, repo, actor, files, Message("initial commit"))
    return repo
