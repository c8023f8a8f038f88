"""New repositories, with their first commit."""

from __future__ import annotations

from sqlalchemy import Connection

from hallmarked.hub.access import Actor
from hallmarked.hub.commit import Message, Put, commit
from hallmarked.hub.repository import Repository, create_repository

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
    db: Connection, actor: Actor, kind: str, name: str, *, visibility: str = "", owner: str | None = None
) -> Repository:
    """Make a repository with a first commit.

    Raises:
        InputError, Conflict, NotSignedIn, Forbidden: See :func:`hallmarked.hub.repository.create_repository`.
    """
    repo = create_repository(db, actor, kind, name, visibility=visibility, owner=owner)
    commit(db, repo, actor, [Put(".gitattributes", ATTRIBUTES.encode())], Message("initial commit"))
    return repo
