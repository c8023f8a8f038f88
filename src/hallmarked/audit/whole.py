"""A folder that is there with all it should hold, or not at all."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hallmarked.core.errors import BackendError

if sys.platform != "win32":
    import fcntl


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """Give a folder to fill, which gets its name when all went well and vanishes otherwise.

    What a killed process left half-done beside it is removed.

    Raises:
        BackendError: When it cannot be written.
    """
    draft = folder.with_name(f".{folder.name}.{secrets.token_hex(8)}.partial")
    held = -1
    try:
        try:
            draft.mkdir(parents=True)
            held = _hold(draft)
            _remove_left(folder)
        except OSError as error:
            raise BackendError(f"cannot write {folder}: {(error.strerror or str(error)).lower()}") from error
        yield draft
        try:
            if folder.exists():
                folder.rmdir()
            draft.rename(folder)
        except OSError as error:
            raise BackendError(f"cannot write {folder}: {(error.strerror or str(error)).lower()}") from error
    finally:
        if held >= 0:
            os.close(held)
        shutil.rmtree(draft, ignore_errors=True)


def _hold(draft: Path) -> int:
    """Keep a draft locked as long as this process lives; nothing where the system has no such locks."""
    if sys.platform == "win32":
        return -1
    descriptor = os.open(draft, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    return descriptor


def _remove_left(folder: Path) -> None:
    """Remove drafts of the same folder whose process is gone."""
    if sys.platform == "win32":
        return
    name = re.compile(rf"\.{re.escape(folder.name)}\.[0-9a-f]{{16}}\.partial")
    for left in folder.parent.iterdir():
        if not name.fullmatch(left.name) or left.is_symlink() or not left.is_dir():
            continue
        descriptor = os.open(left, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(left, ignore_errors=True)
        except BlockingIOError:
            pass  # somebody is at work on it
        finally:
            os.close(descriptor)
