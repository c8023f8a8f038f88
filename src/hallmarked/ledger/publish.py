"""Write a log as the static files that other people's programs read: checkpoint, hash tiles and bundles of entries.

Specification: https://c2sp.org/tlog-tiles. Any web server can hand them out; nothing needs to run.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from hallmarked.core.errors import BackendError, InputError, VerificationError
from hallmarked.ledger.checkpoint import Checkpoint, read_checkpoint
from hallmarked.ledger.log import Log
from hallmarked.ledger.merkle import verify_consistency
from hallmarked.ledger.note import MAX_NOTE, open_note
from hallmarked.ledger.tile import WIDTH, list_tiles, tile_path, write_entries

CHECKPOINT = "checkpoint"


def publish_log(log: Log, folder: Path) -> Checkpoint:
    """Write the log's files into a folder: a new one, or one that has an earlier state of the same log.

    Tiles come first and the checkpoint last, so that whoever reads meanwhile finds all that the checkpoint covers.

    Returns:
        The checkpoint that was published.

    Raises:
        InputError: When the folder holds something else.
        BackendError: When a file cannot be written, or the log is damaged.
    """
    note = log.checkpoint()
    checkpoint = log.read_checkpoint(note)
    try:
        _refuse_others(folder, log, checkpoint)
        for path, data in _tiles(log, checkpoint.size):
            put_file(folder / path, data)
        put_file(folder / CHECKPOINT, note.encode())
    except OSError as error:
        raise BackendError(f"cannot write {folder}: {(error.strerror or str(error)).lower()}") from error
    return checkpoint


def _refuse_others(folder: Path, log: Log, checkpoint: Checkpoint) -> None:
    """Make sure that a folder is empty, or has an earlier state of this log: who saw that must not see it denied."""
    folder.mkdir(parents=True, exist_ok=True)
    if not any(folder.iterdir()):
        return
    try:
        with (folder / CHECKPOINT).open("rb") as file:
            note = file.read(MAX_NOTE).decode("utf-8", "replace")
    except FileNotFoundError:
        raise InputError(f"{folder} holds something that is not a published log") from None
    try:
        text, signed = open_note(note, log.keys)
        published = read_checkpoint(text)
        if not signed or published.origin != log.origin:
            raise InputError(f"{folder} holds another log than {log.origin}")
        if published.size > checkpoint.size:
            raise InputError(f"{folder} has a later state of the log, of {published.size} entries")
        proof = log.prove_consistency(published.size, checkpoint.size)
        verify_consistency(published.size, checkpoint.size, published.root, checkpoint.root, proof)
    except VerificationError as error:
        raise InputError(f"{folder} does not hold an earlier state of this log: {error}") from error


def _tiles(log: Log, size: int) -> Iterator[tuple[str, bytes]]:
    for level, index, width in list_tiles(size):
        yield tile_path(level, index, width), log.tile(level, index, width)
        if level == 0:
            entries = (log.leaf(number) for number in range(index * WIDTH, index * WIDTH + width))
            yield tile_path(None, index, width), write_entries(entries)


def put_file(path: Path, data: bytes) -> None:
    """Write a file whole and durably. One that is there with this content is left alone.

    Raises:
        OSError: When it cannot be written.
    """
    if path.is_file() and path.read_bytes() == data:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with draft.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
