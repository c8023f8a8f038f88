"""Files that are sent in parts, each of which can be sent again when it fails.

A part is kept as a blob of its own behind random bytes, so that it can never be taken for, or deleted together with,
a blob of the same content. What the sender gets back as the part's tag names that blob under the hub's signature: only
parts sent for this file, by this sender, can be put together. Parts of uploads that were given up are removed by
clean-up like every blob that nothing refers to.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from hallmarked.core.errors import InputError
from hallmarked.hub.blob.store import BlobStore, Stored

PART = 256 << 20
"""Bytes of a part."""
SALT = 32
"""Random bytes before a part's own."""
_COPY = 1 << 20


@dataclass(frozen=True, slots=True)
class Upload:
    """One file that is sent in parts."""

    sha256: str
    size: int
    account_id: str

    @property
    def parts(self) -> int:
        """How many parts it has."""
        return -(-self.size // PART)

    def part_size(self, number: int) -> int:
        """Return the bytes of a part; the first has number 1."""
        return min(PART, self.size - (number - 1) * PART)

    def tag(self, secret: bytes, number: int, part: str) -> str:
        """Write the tag of a part that was received as the blob ``part``."""
        said = f"part\n{self.account_id}\n{self.sha256}\n{self.size}\n{number}\n{part}"
        return f"{part}.{hmac.digest(secret, said.encode(), 'sha256').hex()}"

    def read_tags(self, secret: bytes, tags: Sequence[str]) -> list[str]:
        """Return the blobs that tags name, in order.

        Raises:
            InputError: When one is missing, out of place or not ours.
        """
        parts = [tag.strip('"').partition(".")[0] for tag in tags]
        good = [
            hmac.compare_digest(tag.strip('"').encode(), self.tag(secret, number, part).encode())
            for number, (tag, part) in enumerate(zip(tags, parts, strict=True), 1)
        ]
        if len(tags) != self.parts or not all(good):
            raise InputError("the parts named are not those that were sent for this file")
        return parts


def new_salt() -> bytes:
    """Make the bytes that go before a part's own."""
    return secrets.token_bytes(SALT)


def assemble(blobs: BlobStore, upload: Upload, parts: Sequence[str]) -> Stored:
    """Put parts together; they are deleted, whether or not it works out.

    Raises:
        InputError: When the bytes are not those announced; then nothing is kept.
        NotFound: When a part is not there any more.
        BackendError: When the storage fails.
    """
    try:
        with blobs.receive(upload.sha256, upload.size) as incoming:
            for part in parts:
                with blobs.open(part) as file:
                    file.seek(SALT)
                    while piece := file.read(_COPY):
                        incoming.write(piece)
            return incoming.finish()
    finally:
        for part in parts:
            blobs.delete(part)
