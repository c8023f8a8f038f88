"""Where a log lies: a file, or a database that its URL names."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import cast

from hallmarked.core.errors import InputError
from hallmarked.ledger.sqlite import SqliteStore
from hallmarked.ledger.store import Store


def open_store(place: Path | str, name: str | None = None) -> Store:
    """Open the rows of a log.

    Args:
        place: A file, or the URL of a PostgreSQL database: ``postgresql://user@host/name``.
        name: Make a log of this name when there is none; without it there must be one.

    Raises:
        NotFound: When there is none and none shall be made.
        InputError: When the place is something else, or its driver is not installed.
        BackendError: When it cannot be opened.
    """
    if isinstance(place, Path):
        return SqliteStore(place, name)
    if not re.match(r"postgres(ql)?(\+\w+)?://", place):
        raise InputError("a log lies in a file or in a database with a URL like postgresql://user@host/name")
    try:
        # Only those who keep a log there need the driver.
        module = importlib.import_module("hallmarked.ledger.postgres")
    except ModuleNotFoundError as error:
        raise InputError(f"a log in PostgreSQL needs {error.name}: pip install 'hallmarked[hub]'") from None
    return cast("Store", module.PostgresStore(place, name))
