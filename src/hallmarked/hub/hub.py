"""One hub: its settings, database, files and ledger, opened together."""

from __future__ import annotations

import os
import secrets
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from hallmarked.core.errors import BackendError, InputError
from hallmarked.hub.blob.place import open_blobs
from hallmarked.hub.blob.store import BlobStore
from hallmarked.hub.database import Database
from hallmarked.hub.journal import FOLDER, Journal
from hallmarked.hub.memory import Kept
from hallmarked.hub.migration.version import ensure_schema
from hallmarked.hub.setting import DATABASE, Settings

SECRET = 32
"""Bytes."""
MOST_KEPT = 30_000
"""Statements of which what was worked out of them is remembered."""


@dataclass(frozen=True, slots=True)
class Hub:
    """What the service functions are given from. A context manager; may be shared between threads."""

    settings: Settings
    database: Database
    blobs: BlobStore
    secret: bytes
    """Signs addresses and tokens that live for minutes; shared by all processes of the hub."""
    journal: Journal
    kept: Kept = field(default_factory=lambda: Kept(MOST_KEPT))
    """What was worked out of many statements, until there are others."""

    def close(self) -> None:
        """Let go of the ledger and the database."""
        self.journal.close()
        self.database.close()

    def __enter__(self) -> Hub:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def require_hub(settings: Settings) -> None:
    """Make sure that there is a hub, for whom one must not be made.

    Raises:
        InputError: When there is none.
    """
    if not settings.storage.database and not (settings.data / DATABASE).is_file():
        raise InputError(f"there is no hub in {settings.data}; hallmarked serve makes one")


def open_hub(settings: Settings, passphrase: str | None = None) -> Hub:
    """Open a hub, and make what is missing.

    Args:
        settings: Where its things are.
        passphrase: Opens the keys of its ledger, or protects new ones.

    Raises:
        InputError: When a setting, or a key, cannot be used.
        BackendError: When the data folder, the database or the ledger cannot be used.
    """
    try:
        settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise BackendError(f"the data folder {settings.data} cannot be made: {error.strerror}") from error
    database = Database(settings.database_url)
    try:
        ensure_schema(database)
    except BaseException:
        database.close()
        raise
    blobs = open_blobs(settings.storage.blobs or str(settings.data / "blobs"), settings.storage.endpoint)
    secret = _secret(settings.data / "secret")
    server, url = settings.server, settings.database_url
    journal = Journal.open(
        settings.data / FOLDER,
        url=url if database.dialect == "postgresql" else None,
        name=server.name,
        address=server.url,
        passphrase=passphrase,
    )
    return Hub(settings, database, blobs, secret, journal)


def _secret(path: Path) -> bytes:
    """Read the hub's secret, and make it when there is none."""
    try:
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return _read_secret(path)
        with os.fdopen(descriptor, "wb") as file:
            secret = secrets.token_bytes(SECRET)
            file.write(secret)
        return secret
    except OSError as error:
        raise BackendError(f"the secret {path} cannot be read or made: {error.strerror}") from error


def _read_secret(path: Path) -> bytes:
    """Read a secret, also when another process is just writing it."""
    for _ in range(100):
        secret = path.read_bytes()
        if len(secret) == SECRET:
            return secret
        time.sleep(0.01)
    raise BackendError(f"the secret {path} is damaged; remove it to make a new one")
