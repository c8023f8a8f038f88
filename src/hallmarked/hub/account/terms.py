"""Terms of service: nobody changes anything before they accepted the version in force."""

from __future__ import annotations

from sqlalchemy import Connection, select

from hallmarked.core.errors import InputError
from hallmarked.hub.access import Actor
from hallmarked.hub.clock import now
from hallmarked.hub.database import add_new
from hallmarked.hub.error import NotSignedIn
from hallmarked.hub.schema.identity import acceptance
from hallmarked.hub.setting import Terms
from hallmarked.hub.trail import Tag, record


def accept_terms(db: Connection, actor: Actor, terms: Terms, version: str) -> None:
    """Note that the actor accepts the terms.

    Args:
        db: A writing transaction.
        actor: Who accepts; they signed in with a browser, so that it is a person who does.
        terms: Those in force.
        version: The version that was shown to them.

    Raises:
        NotSignedIn: When it is nobody, or a program.
        InputError: When that version is not the one in force.
    """
    if actor.account_id is None or not actor.in_person:
        raise NotSignedIn("sign in with a browser first: terms are accepted by a person")
    if not terms.version or version != terms.version:
        raise InputError("these are not the terms of service in force; read them again")
    if has_accepted(db, actor.account_id, version):
        return
    add_new(db, acceptance, [{"account_id": actor.account_id, "version": version, "created": now()}])
    record(db, actor, Tag.ACCOUNT_TERMS_ACCEPTED, f"account:{actor.account_id}", {"version": version})


def has_accepted(db: Connection, account_id: str, version: str) -> bool:
    """Say whether somebody accepted a version of the terms."""
    where = (acceptance.c.account_id == account_id, acceptance.c.version == version)
    return db.execute(select(acceptance.c.version).where(*where)).first() is not None
