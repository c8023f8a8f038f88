"""Requests: filed by anybody, confirmed by a proof of who asks, withdrawn by whoever has the code."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, and_, insert, or_, select, update

from hallmarked.core.errors import InputError, NotFound
from hallmarked.corpus.consent.blind import evaluate_plain
from hallmarked.corpus.consent.lookup import question
from hallmarked.corpus.consent.receipt import Request, make_request, to_statement, write_receipt
from hallmarked.corpus.consent.record import Mode, Scope, selector_digest
from hallmarked.corpus.consent.selector import Kind, Selector, make_selector, text_digest
from hallmarked.corpus.consent.sketch import sign_text
from hallmarked.hub.account.secret import digest_secret, make_secret
from hallmarked.hub.clock import now, to_datetime
from hallmarked.hub.consent.key import Keys, open_keys
from hallmarked.hub.hub import Hub
from hallmarked.hub.schema.base import new_id
from hallmarked.hub.schema.consent import consent_request, consent_selector

DAY = 86_400_000
"""Milliseconds."""
MOST_SELECTORS = 100
"""Of one request."""
UNPROVEN = "nobody proved in time who asks; make a new request when you can"
MODES = frozenset(mode.value for mode in Mode)
"""Actions of requests that end up in the list for builds."""


class Status(StrEnum):
    """Where a request stands."""

    PENDING = "pending"
    """Nobody proved yet who asks."""
    ACTIVE = "active"
    """It holds, or is worked on."""
    REFUSED = "refused"
    DECIDED = "decided"
    """A request about personal data was answered."""
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True, repr=False)
class Wish:
    """What somebody wants of the registry."""

    scope: Scope
    selectors: Sequence[Selector]
    representative: bool = False
    """Whether they say that they speak for somebody else."""


@dataclass(frozen=True, slots=True)
class Filed:
    """A request that was written down."""

    id: str
    code: str
    """Opens the request again; the hub keeps its digest only, so nobody can tell it a second time."""
    receipt: bytes


@dataclass(frozen=True, slots=True)
class Item:
    """A selector of a request, as far as the registry knows it."""

    id: str
    kind: Kind
    digest: str
    proof: str
    proven: int | None


@dataclass(frozen=True, slots=True)
class Stored:
    """A request as the registry has it."""

    id: str
    action: str
    uses: tuple[str, ...]
    sets: tuple[str, ...]
    representative: bool
    status: Status
    policy: str
    commitment: str
    digest: str
    entry: int | None
    reason: str
    created: int
    due: int
    extended: int | None
    ended: int | None
    answered: bool
    """Whether rows were given out for it."""
    items: tuple[Item, ...]


def selectors_of(text: str) -> list[Selector]:
    """Return the selectors of a text: its exact content and, when it is long enough, texts nearly like it.

    Raises:
        InputError: When the text is too long.
    """
    if not text.strip():
        return []
    exact, near = make_selector(Kind.CONTENT, text_digest(text)), make_selector(Kind.SIMILAR, text)
    return [exact] if sign_text(near.value) is None else [exact, near]


def file_request(hub: Hub, wish: Wish) -> Filed:
    """Write a request down, log it, and make its receipt.

    Raises:
        InputError: When it has no selectors, or too many, or one cannot be used.
        BackendError: When the database or the ledger cannot be written.
    """
    if not 0 < len(wish.selectors) <= MOST_SELECTORS:
        raise InputError(f"a request is about 1 to {MOST_SELECTORS} things; name them, each in a line of its own")
    request = make_request(wish.scope, wish.selectors, representative=wish.representative)
    return keep_request(hub, request, wish.selectors, lambda time: time + hub.settings.consent.due_days * DAY)


def keep_request(
    hub: Hub, request: Request, selectors: Sequence[Selector], term: Callable[[int], int], text: str | None = None
) -> Filed:
    """Write down any request: its row and selectors, the entry in the log, the receipt.

    Args:
        hub: Where.
        request: What was asked for.
        selectors: Whom or what it is about.
        term: Says until when it is due, for the time at which it came; milliseconds since the epoch.
        text: What was written to it; it and the selectors are kept then, encrypted.

    Raises:
        InputError: When a selector cannot be used.
        BackendError: When the database or the ledger cannot be written.
    """
    keys, code, nonce, made, time = open_keys(hub.settings), make_secret(), secrets.token_hex(16), new_id(), now()
    commitments = request.commit(keys.salt(nonce))
    row = {
        "id": made, "code": digest_secret(code), "action": request.action, "uses": list(request.uses),
        "sets": list(request.sets), "representative": request.representative, "status": Status.PENDING,
        "policy": hub.settings.consent.policy, "nonce": nonce, "commitment": commitments[0], "digest": commitments[1],
        "sealed": "" if text is None else seal_text(keys, made, request, text), "created": time, "due": term(time),
    }  # fmt: skip
    items = [_item(keys, made, selector) for selector in dict.fromkeys(selectors)]
    with hub.database.write() as db:
        db.execute(insert(consent_request).values(**row))
        db.execute(insert(consent_selector), items)
    log_event(hub, made, "filed")
    return Filed(made, code, write_receipt(request, keys.salt(nonce), evidence_for(hub, commitments[0])))


def log_event(hub: Hub, request_id: str, event: str) -> int:
    """Say in the log what happened to a request, by its commitments only; once for each event.

    Returns:
        Index of the entry.

    Raises:
        NotFound: When there is no such request.
        BackendError: When the log cannot be written.
    """
    with hub.database.read() as db:
        row = _row(db, consent_request.c.id == request_id)
    time = row.created if event == "filed" else now()
    due = to_datetime(row.due) if event in ("filed", "extended") else None
    mode = row.action if row.action in MODES else ""
    statement = to_statement(event, (row.commitment, row.digest), row.policy, to_datetime(time), due, mode)
    found = hub.journal.locate([statement]) if event == "filed" else []
    index = found[0] if found else hub.journal.attest([statement])[0].index
    if event == "filed":
        with hub.database.write() as db:
            db.execute(update(consent_request).where(consent_request.c.id == request_id).values(entry=index))
    return index


def evidence_for(hub: Hub, commitment: str) -> bytes:
    """Return what the log says of a request, as a file that verifies offline and names nobody.

    Raises:
        NotFound: When there is nothing.
        BackendError: When the log is damaged.
    """
    return hub.journal.bundle([f"sha256:{commitment}"])


def find_request(hub: Hub, code: str) -> Stored:
    """Return the request that a code opens.

    Raises:
        NotFound: When the code opens none.
    """
    with hub.database.read() as db:
        row = db.execute(select(consent_request).where(consent_request.c.code == digest_secret(code))).first()
        if row is None:
            raise NotFound("this code opens no request; it stands on the page and in the receipt you got")
        stored = _stored(db, row)
    if stored.entry is None:  # the hub was stopped between writing the request down and logging it
        log_event(hub, stored.id, "filed")
        return find_request(hub, code)
    return stored


def load_request(db: Connection, request_id: str) -> Stored:
    """Return a request by its id, for whoever runs the hub.

    Raises:
        NotFound: When there is none.
    """
    return _stored(db, _row(db, consent_request.c.id == request_id))


def list_requests(db: Connection, *, most: int = 1_000) -> list[Stored]:
    """List what somebody has to work on, what is due first at the top; a confirmed consent needs no work."""
    found = consent_request.c
    waits = or_(found.status == Status.PENDING, and_(found.status == Status.ACTIVE, found.action.not_in(MODES)))
    rows = db.execute(
        select(consent_request).where(waits, found.ended.is_(None)).order_by(found.due, found.id).limit(most)
    )
    return [_stored(db, row) for row in rows.all()]


def withdraw_request(hub: Hub, code: str) -> None:
    """Take a request back: its selectors count no more, and what could open its entry in the log is forgotten.

    Raises:
        NotFound: When the code opens none, or it is over already.
    """
    stored = find_request(hub, code)
    end_request(hub, stored.id, Status.WITHDRAWN, "withdrawn")


def end_request(hub: Hub, request_id: str, status: Status, event: str, reason: str = "") -> None:
    """End a request: its selectors, what was written to it, and what opens its entry in the log are deleted.

    Raises:
        NotFound: When there is none, or it is over already.
    """
    found = consent_request.c
    with hub.database.write() as db:
        open_ = (found.id == request_id, found.status.in_([Status.PENDING, Status.ACTIVE]))
        values: dict[str, Any] = {"status": status, "ended": now(), "reason": reason, "sealed": "", "nonce": ""}
        if not db.execute(update(consent_request).where(*open_).values(**values)).rowcount:
            raise NotFound("this request is over already")
        db.execute(consent_selector.delete().where(consent_selector.c.request_id == request_id))
    log_event(hub, request_id, event)


def lapse(hub: Hub, time: int | None = None) -> int:
    """End opt-outs and opt-ins for which nobody proved in time who asks; what is kept of them is deleted.

    Returns:
        How many.
    """
    found, moment = consent_request.c, now() if time is None else time
    old = (found.status == Status.PENDING, found.action.in_(MODES), found.due < moment)
    with hub.database.read() as db:
        ids = list(db.execute(select(found.id).where(*old)).scalars())
    for request_id in ids:
        end_request(hub, request_id, Status.REFUSED, "refused", UNPROVEN)
    return len(ids)


def can_open(keys: Keys, db: Connection, request_id: str, request: Request) -> bool:
    """Say whether the registry can still tell that an entry in the log is about this request.

    Raises:
        NotFound: When there is no such request.
    """
    row = _row(db, consent_request.c.id == request_id)
    return bool(row.nonce) and request.commit(keys.salt(row.nonce)) == (row.commitment, row.digest)


def seal_text(keys: Keys, request_id: str, request: Request, text: str) -> str:
    """Encrypt what was written to a request, and whom it is about, for whoever works on it."""
    return keys.seal(json.dumps({"text": text, "selectors": request.selectors}).encode(), request_id)


def _item(keys: Keys, request_id: str, selector: Selector) -> dict[str, Any]:
    similar = selector.kind is Kind.SIMILAR
    element = "" if similar else evaluate_plain(keys.lookup, question(selector)).hex()
    return {
        "id": new_id(), "request_id": request_id, "kind": selector.kind.value, "element": element,
        "digest": selector_digest(keys.digest, selector).hex(), "proof": "", "proof_digest": "",
        "key": keys.digest.id, "epoch": keys.epoch,
    }  # fmt: skip


def _row(db: Connection, where: Any) -> Row[Any]:
    row = db.execute(select(consent_request).where(where)).first()
    if row is None:
        raise NotFound("there is no such request")
    return row


def _stored(db: Connection, row: Row[Any]) -> Stored:
    found = consent_selector.c
    items = db.execute(select(consent_selector).where(found.request_id == row.id).order_by(found.kind, found.id))
    return Stored(
        row.id, row.action, tuple(row.uses), tuple(row.sets), row.representative, Status(row.status), row.policy,
        row.commitment, row.digest, row.entry, row.reason, row.created, row.due, row.extended, row.ended,
        bool(row.answer), tuple(Item(one.id, Kind(one.kind), one.digest, one.proof, one.proven) for one in items),
    )  # fmt: skip
