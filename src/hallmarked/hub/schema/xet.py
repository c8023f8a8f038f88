"""What is known of the xorbs that clients sent: their chunks, where these lie by now, and who sent them.

Clients remember for weeks which chunks they sent and do not send them again, so these rows outlive the bodies of the
xorbs: as long as a file with the chunks is kept, a later upload may refer to them.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, LargeBinary, Table, Text

from hallmarked.hub.schema.base import metadata, moment, refers

xorb = Table(
    "xorb",
    metadata,
    Column("hash", Text, primary_key=True),  # as clients write it
    Column("chunks", LargeBinary, nullable=False),  # of each: its hash, 32 bytes, and its length, u32 little-endian
    Column("size", BigInteger, nullable=False),  # of all chunks, unpacked, bytes
    moment("created"),  # when it arrived, or arrived anew
)

xorb_extent = Table(
    "xorb_extent",
    metadata,
    refers("xorb", "xorb.hash", primary_key=True),
    Column("first", BigInteger, primary_key=True),  # chunk
    Column("until", BigInteger, primary_key=True),  # chunk after the last
    Column("sha256", Text, ForeignKey("blob.sha256", ondelete="CASCADE"), primary_key=True),  # file that has them
    Column("start", BigInteger, nullable=False),  # where they begin in it, bytes
)
Index(None, xorb_extent.c.sha256)

xorb_sender = Table(
    "xorb_sender",
    metadata,
    refers("xorb", "xorb.hash", primary_key=True),
    refers("account_id", "account.id", primary_key=True),
)
