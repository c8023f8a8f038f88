"""One revision on a hub, as an audit sees it: what was read of it, and what is only stated by the endpoint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from hallmarked.artifacts.remote.address import Address
from hallmarked.artifacts.remote.cache import BlockCache, Fetch
from hallmarked.artifacts.remote.listing import Listing
from hallmarked.core.artifact import Artifact, File, Omission
from hallmarked.core.errors import BackendError, InputError
from hallmarked.core.evidence import Subject

MOST_READ = 4 << 20
"""Bytes a check may ask for at once."""
MOST_FETCHED = 4 << 30


class RemoteArtifact:
    """A revision that lies on a hub.

    The commit id is the endpoint's word: its objects were not fetched, and what was read of a large file does not prove
    the rest. So the subject is the commit as the endpoint names it, and the evidence lists which files were read whole
    and verified, and for every other file exactly which bytes were read, with their digest, beside the digest that the
    endpoint states. Whoever downloads the files later can check all of it.

    Args:
        endpoint: Who serves it.
        address: The repository, with the commit as revision.
        asked: The revision that was asked for.
        listing: What it holds.
        fetch: How its bytes are had.
        most: Bytes that may be fetched.

    Raises:
        BackendError: When there is no place for temporary files.
    """

    excluded: Sequence[str] = ()
    beside: Mapping[str, Artifact] = MappingProxyType({})

    def __init__(
        self, endpoint: str, address: Address, asked: str, listing: Listing, fetch: Fetch, *, most: int = MOST_FETCHED
    ) -> None:
        self._endpoint, self._address, self._asked, self._listing = endpoint, address, asked, listing
        self._problem: InputError | None = None
        try:
            self._cache = BlockCache(listing.files, fetch, most)
        except OSError as error:
            raise BackendError("there is no place for temporary files") from error

    @property
    def name(self) -> str:
        """The repository's name."""
        return self._address.repo

    @property
    def files(self) -> Sequence[File]:
        """All files, sorted by path, bytewise."""
        return [File(file.path, file.size) for file in self._listing.files]

    @property
    def omitted(self) -> Sequence[Omission]:
        """Entries of the listing that cannot be files."""
        return self._listing.omitted

    @property
    def subject(self) -> Subject:
        """The commit, as the endpoint names it."""
        assert self._address.revision is not None
        return Subject(self._address.repo, {"gitCommit": self._address.revision})

    @property
    def fetched(self) -> int:
        """Bytes of files that were fetched."""
        return self._cache.fetched

    @property
    def origin(self) -> str:
        """Where it was read from, in one sentence for people."""
        size, count = sum(file.size for file in self._listing.files), len(self._listing.files)
        whole = sum(self._cache.sha256(index) is not None for index in range(count))
        return (
            f"Read from {self._endpoint}, {self.fetched:,} of {size:,} bytes; {whole} of {count} files were read whole "
            "and verified; the commit and the digests of the others are what that hub states"
        )

    def describe(self) -> dict[str, Any]:
        """Describe it as JSON for the process of a check, which asks for the bytes; see ``served``."""
        return {
            "served": {
                "name": self.name,
                "digest": dict(self.subject.digest),
                "files": [[file.path, file.size] for file in self._listing.files],
                "omitted": [[omission.path, omission.reason] for omission in self.omitted],
            }
        }

    def serve(self, index: int, start: int, size: int) -> bytes:
        """Give a check's process what it asks for: ranges of these files, and nothing else.

        Raises:
            InputError: When it asks for something that is not there, or a file is not what the listing says.
            BackendError: When the bytes cannot be had.
        """
        numbers = (index, start, size)
        if any(type(number) is not int or number < 0 for number in numbers) or size > MOST_READ:
            raise InputError("the check asked for something that is no range of a file")
        if index >= len(self._listing.files):
            raise InputError("the check asked for a file that is not there")
        try:
            return self._cache.read(index, start, size)
        except InputError as error:
            self._problem = error  # the whole audit fails, whatever the check makes of it
            raise

    def prepare(self) -> None:
        """Do nothing: bytes are hashed as they are read."""

    def confirm_unchanged(self) -> None:
        """Make sure that every file read whole is what the listing says.

        Raises:
            InputError: When one is not; nothing that was read may then be reported.
        """
        if self._problem is not None:
            raise self._problem
        for index in range(len(self._listing.files)):
            self._cache.sha256(index)

    def coverage(self) -> dict[str, Any]:
        """Say in the evidence which bytes were seen and what is only stated."""
        return {
            "files": {file.path: found for index, file in self._enumerate() if (found := self._cache.sha256(index))},
            "partial": {
                file.path: self._partial(index) for index, file in self._enumerate() if not self._cache.sha256(index)
            },
            "source": {
                "endpoint": self._endpoint,
                "repository": self._address.page[1:],
                "revision": self._asked,
                "basis": "commit, sizes and digests under 'partial' are stated by the endpoint",
            },
        }

    def close(self) -> None:
        """Forget what was fetched."""
        self._cache.close()

    def _enumerate(self) -> Sequence[tuple[int, Any]]:
        return list(enumerate(self._listing.files))

    def _partial(self, index: int) -> Mapping[str, Any]:
        file, seen = self._listing.files[index], self._cache.seen(index)
        stated = {"sha256": file.sha256} if file.sha256 else {"gitBlob": file.oid}
        told: dict[str, Any] = {"size": file.size, "stated": stated}
        if seen is not None:
            told["read"] = {"ranges": [list(pair) for pair in seen.ranges], "sha256": seen.sha256}
        return told
