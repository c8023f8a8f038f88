"""Open a revision on a hub."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace

from hallmarked.artifacts.remote.address import Address
from hallmarked.artifacts.remote.artifact import RemoteArtifact
from hallmarked.artifacts.remote.client import HubClient
from hallmarked.artifacts.remote.listing import RemoteFile
from hallmarked.artifacts.remote.token import Login


@contextmanager
def open_remote(address: Address, login: Login) -> Iterator[RemoteArtifact]:
    """Open a revision on a hub, as it is at this moment.

    Args:
        address: The repository and revision.
        login: Where to ask, and as whom.

    Raises:
        InputError: When the endpoint is not a web address, or the repository is too large.
        NotFound: When there is no such repository or revision.
        Forbidden: When the endpoint does not let us see it.
        BackendError: When the endpoint cannot be reached, or is not a hub.
    """
    with HubClient(login) as client:
        pinned = replace(address, revision=client.revision(address).commit)
        listing = client.files(pinned)
        asked = address.revision or "main"

        def fetch(file: RemoteFile, start: int, size: int) -> bytes:
            return client.read(pinned, file.path, start, size)

        with closing(RemoteArtifact(client.endpoint, pinned, asked, listing, fetch)) as artifact:
            yield artifact
