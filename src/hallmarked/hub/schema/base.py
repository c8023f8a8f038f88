"""What all tables share."""

from __future__ import annotations

import secrets

from sqlalchemy import BigInteger, Column, ForeignKey, MetaData, Text

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def new_id() -> str:
    """Make an id that tells nothing about how many there are."""
    return secrets.token_hex(12)


def identity() -> Column[str]:
    """Declare a random primary key."""
    return Column("id", Text, primary_key=True, default=new_id)


def moment(name: str, *, nullable: bool = False) -> Column[int]:
    """Declare a time in milliseconds since the epoch, UTC."""
    return Column(name, BigInteger, nullable=nullable)


def refers(name: str, target: str, *, nullable: bool = False, primary_key: bool = False) -> Column[str]:
    """Declare a reference to a row that takes this one with it when it is deleted."""
    return Column(name, Text, ForeignKey(target, ondelete="CASCADE"), nullable=nullable, primary_key=primary_key)
