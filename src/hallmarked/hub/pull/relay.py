"""Import a repository into a hub that runs elsewhere, through its API; see ``transfer`` for one on this machine.

Files pass through this machine one at a time, and are verified before they are sent on.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hallmarked.artifacts.remote.address import Address
from hallmarked.artifacts.remote.client import HubClient
from hallmarked.artifacts.remote.listing import RemoteFile
from hallmarked.artifacts.remote.writer import HubWriter
from hallmarked.core.errors import InputError, NotFound
from hallmarked.hub.pull.part import Fetcher, Progress, require_names
from hallmarked.hub.pull.transfer import choose_inline


@dataclass(frozen=True, slots=True)
class Relayed:
    """What an import came to."""

    commit: str
    """What the other hub calls the revision."""
    made: str
    """What the hub it went to calls it; empty when that had all of it."""
    files: int
    fetched: int
    """Bytes that had to be fetched."""


def relay(
    source: HubClient,
    address: Address,
    target: HubClient,
    writer: HubWriter,
    folder: Path,
    *,
    private: bool = True,
    progress: Progress = lambda *_: None,
) -> Relayed:
    """Import the newest revision of a repository into another hub.

    Args:
        source: Reads from where it is.
        address: The repository there.
        target: Reads from where it goes.
        writer: Writes there.
        folder: For parts of files.
        private: Whether a repository that has to be made is.
        progress: Told as bytes arrive.

    Raises:
        NotFound, Forbidden, InputError, BackendError: See :func:`hallmarked.hub.pull.transfer.pull`.
    """
    pinned = replace(address, revision=source.revision(address).commit)
    assert pinned.revision is not None
    listing = source.files(pinned)
    require_names(listing, address)
    writer.create(private=private)
    base, theirs = _there(target, writer.address)
    fetcher = Fetcher(source, pinned, folder, progress)
    new = [file for file in listing.files if not _is_there(theirs.get(file.path), file)]
    gone = sorted(set(theirs) - {file.path for file in listing.files})
    if not new and not gone:
        return Relayed(pinned.revision, "", len(listing.files), 0)
    inline = choose_inline(new)
    for file in new:
        if file.path not in inline:
            _send(fetcher, writer, file)
    header = {
        "summary": f"Import {address.repo} from {source.endpoint}"[:200],
        "description": f"Revision {pinned.revision} of {source.endpoint}{address.page}, {len(listing.files)} files.",
        **({"parentCommit": base} if base else {}),
    }
    # NOTE: all lines first (small files are bounded together), so that a commit is not broken off half-way.
    made = writer.commit(list(_lines(header, gone, new, inline, fetcher)))
    return Relayed(pinned.revision, made, len(listing.files), fetcher.fetched)


def _there(target: HubClient, address: Address) -> tuple[str, Mapping[str, RemoteFile]]:
    """List what the main branch has."""
    try:
        commit = target.revision(address).commit
    except NotFound:
        return "", {}
    listing = target.files(replace(address, revision=commit))
    return commit, {file.path: file for file in listing.files}


def _is_there(found: RemoteFile | None, file: RemoteFile) -> bool:
    return found is not None and (found.sha256 or found.oid) == (file.sha256 or file.oid)


def _send(fetcher: Fetcher, writer: HubWriter, file: RemoteFile) -> None:
    if file.sha256 is None:
        raise InputError(f"{file.path} is too large to be sent as a small file; pull into the hub's own folder instead")
    if file.size and writer.offer(file.sha256, file.size) is None:
        fetcher.progress(file.path, file.size, file.size)
        return
    with fetcher.complete(file) as stream:
        writer.send(file.sha256, file.size, stream)


def _lines(
    header: Mapping[str, str], gone: Sequence[str], new: Sequence[RemoteFile], inline: set[str], fetcher: Fetcher
) -> Iterator[dict[str, Any]]:
    """Write a commit line by line."""
    yield {"key": "header", "value": dict(header)}
    for path in gone:
        yield {"key": "deletedFile", "value": {"path": path}}
    for file in new:
        if file.path in inline:
            content = base64.b64encode(fetcher.read(file)).decode()
            yield {"key": "file", "value": {"path": file.path, "content": content, "encoding": "base64"}}
        else:
            value = {"path": file.path, "algo": "sha256", "oid": file.sha256, "size": file.size}
            yield {"key": "lfsFile", "value": value}
