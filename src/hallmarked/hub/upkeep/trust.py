"""Whose statements count on a hub, and as what: its operator adds keys of others to its trust file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from hallmarked.core.errors import InputError
from hallmarked.core.text import clean
from hallmarked.hub.event import note_event
from hallmarked.hub.hub import Hub
from hallmarked.hub.journal import FOLDER
from hallmarked.ledger.ledger import change_trust
from hallmarked.ledger.trust import SIGNER_ROLES, Role, Trust, TrustedKey, extend, revoke

ADDED, REVOKED = "hub:trust:added", "hub:trust:revoked"


def add_keys(hub: Hub, theirs: Trust, role: Role, name: str) -> list[TrustedKey]:
    """Count the keys of somebody's trust file: those that sign as what the operator says, and those of their log.

    Args:
        hub: The hub.
        theirs: The keys of somebody, as ``hallmarked key trust`` prints them.
        role: As what they count here: ``maker``, ``auditor``, ``community`` or ``hub``.
        name: Who they are, as everybody will read it; of makers the name of their account.

    Returns:
        The keys that were added.

    Raises:
        InputError: When the role does not sign statements, the name is this hub's own, or a key is listed already.
        BackendError: When the trust file cannot be written.
    """
    said = clean(" ".join(name.split()))
    if role not in SIGNER_ROLES or not said:
        raise InputError("say who it is, and as what they count: maker, auditor, community or hub")
    ours = hub.journal.trusted()
    own = [key for key in ours.keys if key.keyid in hub.journal.own_keys(ours)]
    if (role, said) in {(key.role, key.name) for key in own}:
        raise InputError(f"{said} is what this hub itself is called; choose another name")
    keys = [replace(key, role=role, name=said) for key in theirs.keys if key.role in SIGNER_ROLES]
    if not keys:
        raise InputError("this trust file has no key that signs statements")
    logs = [key for key in theirs.keys if key.role is Role.LOG]
    if taken := {key.name for key in own if key.role is Role.LOG} & {key.name for key in logs}:
        raise InputError(f"{taken.pop()} is the name of this hub's own log")
    before = {key.keyid for key in ours.keys}
    change_trust(hub.settings.data / FOLDER, lambda trust: extend(trust, [*keys, *logs]))
    added = [key for key in (*keys, *logs) if key.keyid not in before]
    _note(hub, ADDED, added)
    return added


def revoke_key(hub: Hub, keyid: str, reason: str) -> TrustedKey:
    """Let a key count no more for what comes from now on; what came before stays, and moderation may remove it.

    Raises:
        InputError: When the key is not listed, is the hub's own, was revoked already, or no reason is given.
        BackendError: When the trust file cannot be written.
    """
    trust = hub.journal.trusted()
    found = [key for key in trust.keys if key.keyid.startswith(keyid)] if len(keyid) >= 8 else []
    if len(found) != 1:
        raise InputError(f"{keyid[:70]} names no key of the trust file, or several; write the whole id")
    if found[0].keyid in hub.journal.own_keys(trust):
        raise InputError("this is a key of the hub itself; hallmarked key rotate replaces those")
    time = datetime.now(UTC).replace(microsecond=0)
    said = clean(" ".join(reason.split()))
    change_trust(hub.settings.data / FOLDER, lambda now: revoke(now, found[0].keyid, time, said))
    _note(hub, REVOKED, found)
    return found[0]


def _note(hub: Hub, tag: str, keys: Sequence[TrustedKey]) -> None:
    with hub.database.write() as db:
        for key in keys:
            note_event(db, tag, f"key:{key.keyid}", data={"role": key.role.value, "name": key.name})
