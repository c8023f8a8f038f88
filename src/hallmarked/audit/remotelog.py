"""A log that somebody serves as static tiles.

Specification: https://c2sp.org/tlog-tiles.
"""

from __future__ import annotations

from hallmarked.audit.site import Site
from hallmarked.core.errors import NotFound, VerificationError
from hallmarked.ledger.note import MAX_NOTE
from hallmarked.ledger.tile import HASH, WIDTH, TileTree, tile_path


class RemoteLog:
    """A log on a web site.

    Args:
        site: The log's prefix: checkpoint and tiles lie below it.
    """

    def __init__(self, site: Site) -> None:
        self.site = site

    def checkpoint(self) -> str:
        """Fetch the newest checkpoint, which nobody has verified yet.

        Raises:
            NotFound: When no log is there.
            Forbidden, BackendError: See :meth:`hallmarked.audit.site.Site.get`.
            VerificationError: When it is no text.
        """
        try:
            return self.site.get("/checkpoint", MAX_NOTE).data.decode()
        except UnicodeDecodeError:
            raise VerificationError(f"{self.site.host} sent a checkpoint that is no text", link="checkpoint") from None

    def tree(self, size: int) -> TileTree:
        """Return the tree of so many entries; its hashes are fetched when they are needed, and prove nothing alone.

        Args:
            size: Of a checkpoint the log has signed.
        """

        def fetch(level: int, index: int) -> bytes:
            width = min(WIDTH, (size >> 8 * level) - index * WIDTH)
            path = f"/{tile_path(level, index, width)}"
            try:
                data = self.site.get(path, width * HASH).data
            except NotFound:
                data = b""
            if len(data) != width * HASH:
                raise VerificationError(
                    f"{self.site.host} does not hand out all hashes of the log it signed (it lacks {path})", link="tile"
                )
            return data

        return TileTree(size, fetch)
