"""Our own API: requests of the registry of consents, and private look-up. None of it needs an account."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Response
from pydantic import Field

from hallmarked.core.errors import InputError
from hallmarked.corpus.consent.lookup import LINE
from hallmarked.corpus.consent.record import Mode, Scope, Use
from hallmarked.corpus.consent.selector import Kind, Selector, make_selector
from hallmarked.hub.clock import to_text
from hallmarked.hub.consent.key import open_keys
from hallmarked.hub.consent.listing import Published, answer
from hallmarked.hub.consent.proof import (
    challenge,
    prove_by_account,
    prove_by_content,
    prove_by_mail,
    prove_by_site,
    send_code,
)
from hallmarked.hub.consent.request import (
    Filed,
    Wish,
    evidence_for,
    file_request,
    find_request,
    selectors_of,
    withdraw_request,
)
from hallmarked.hub.consent.subject import RIGHTS, Right, answer_of, file_subject_request
from hallmarked.web.limit import address_of
from hallmarked.web.request import actor_of, hub_of

router = APIRouter(prefix="/api/hallmarked/consent", tags=["consent"])
NEVER_KEPT = {"Cache-Control": "no-store"}
BRIEFLY = {"Cache-Control": "no-cache"}


@dataclass(frozen=True)
class SelectorIn:
    """What a request is about."""

    kind: Kind
    value: str
    """A text, for ``similar``."""


@dataclass(frozen=True)
class Wanted:
    """A request to be made."""

    action: str
    """``opt-out``, ``opt-in``, ``partial``; ``access``, ``rectification``, ``erasure`` or ``objection``."""
    selectors: list[SelectorIn]
    uses: list[Use] = field(default_factory=lambda: list(Use))
    sets: list[str] = field(default_factory=list)
    representative: bool = False
    """Whether whoever asks speaks for somebody else."""
    text: str = ""
    """A work, for consents: its exact content, and texts nearly like it. For other requests, what should be known."""


@dataclass(frozen=True)
class Made:
    """A request that was made."""

    id: str
    code: str
    """Opens the request again; given out once."""
    receipt: dict[str, Any]
    """Likewise."""


@dataclass(frozen=True)
class ByCode:
    """Names a request."""

    code: str


@dataclass(frozen=True)
class Proof:
    """What proves who asks."""

    code: str
    method: Literal["account", "site", "content", "mail", "number"]
    """``mail`` sends a code to ``address``, ``number`` is that code."""
    place: str = ""
    text: str = ""
    address: str = ""
    number: str = ""


@dataclass(frozen=True)
class SelectorOut:
    """What a request is about, as far as the hub knows it."""

    kind: str
    proof: str
    """How it was proven who asks; empty when it was not yet."""
    line: str
    """What a file on the web site has to say to prove it."""


@dataclass(frozen=True)
class State:
    """Where a request stands."""

    id: str
    action: str
    status: str
    uses: list[str]
    sets: list[str]
    selectors: list[SelectorOut]
    created: str
    due: str
    extended: bool
    reason: str
    entry: int
    """Of the log."""
    commitment: str


@dataclass(frozen=True)
class Look:
    """How the list for private look-up is asked."""

    epoch: str
    """Name of the key; an answer belongs to a list of the same one."""
    public_key: str
    """Hexadecimal; checks the proof in an answer (RFC 9497, ristretto255-SHA512, mode 1)."""
    bits: int
    """By so many first bits of its final value a bucket is chosen."""
    bucket_bytes: int
    """Size of every bucket."""
    line_bytes: int
    guesses_a_day: int


@dataclass(frozen=True)
class Blinded:
    """Blinded identifiers."""

    epoch: str
    elements: Annotated[list[str], Field(min_length=1, max_length=64)]
    """Hexadecimal."""


@dataclass(frozen=True)
class Evaluated:
    """What they were evaluated to."""

    elements: list[str]
    proof: str


@router.post("/requests", status_code=201)
def post_request(request: Request, response: Response, body: Wanted) -> Made:
    """Refuse or allow the use of data, or make a request about personal data."""
    request.app.state.limits.take_filing(request)
    response.headers.update(NEVER_KEPT)
    hub = hub_of(request)
    selectors = [make_selector(one.kind, one.value) for one in body.selectors]
    if body.action in RIGHTS:
        right = Right(body.action)
        filed = file_subject_request(hub, right, selectors, body.text, representative=body.representative)
        return _made(filed)
    selectors += selectors_of(body.text)
    filed = file_request(hub, Wish(_scope(body), selectors, representative=body.representative))
    if not body.representative:
        _show_texts(request, filed, selectors, body.text)
    return _made(filed)


@router.post("/requests/state")
def post_state(request: Request, response: Response, body: ByCode) -> State:
    """Say where a request stands."""
    _take_try(request)
    response.headers.update(NEVER_KEPT)
    return _state(request, body.code)


@router.post("/requests/proof")
def post_proof(request: Request, response: Response, body: Proof) -> State:
    """Prove who asks."""
    _take_try(request)
    response.headers.update(NEVER_KEPT)
    hub = hub_of(request)
    if body.method == "account":
        with hub.database.read() as db:
            actor = actor_of(request, db)
        prove_by_account(hub, body.code, actor)
    elif body.method == "site":
        prove_by_site(hub, body.code, body.place)
    elif body.method == "content":
        prove_by_content(hub, body.code, body.text)
    elif body.method == "mail":
        send_code(hub, body.code, body.address)
    else:
        prove_by_mail(hub, body.code, body.address, body.number)
    return _state(request, body.code)


@router.post("/requests/withdrawal")
def post_withdrawal(request: Request, response: Response, body: ByCode) -> State:
    """Withdraw a request."""
    _take_try(request)
    response.headers.update(NEVER_KEPT)
    withdraw_request(hub_of(request), body.code)
    return _state(request, body.code)


@router.post("/requests/rows", response_class=Response)
def post_rows(request: Request, body: ByCode) -> Response:
    """Give out the rows that were found for a request for access, as JSON lines."""
    _take_try(request)
    return Response(answer_of(hub_of(request), body.code), media_type="application/x-ndjson", headers=NEVER_KEPT)


@router.get("/evidence/{commitment}", response_class=Response)
def get_evidence(request: Request, commitment: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]) -> Response:
    """Give out what the log says of a request, by its commitment; it names nobody."""
    return Response(evidence_for(hub_of(request), commitment), media_type="application/json")


@router.get("/lookup")
def get_lookup(request: Request, response: Response) -> Look:
    """Say how the list for private look-up is asked."""
    response.headers.update(BRIEFLY)
    found = _published(request)
    size = len(found.buckets.bucket(0))
    allowed = hub_of(request).settings.consent.lookups
    return Look(found.epoch, found.public.hex(), found.buckets.bits, size, LINE, allowed)


@router.get("/lookup/{epoch}/{bits}/{bucket}", response_class=Response)
def get_bucket(request: Request, epoch: str, bits: int, bucket: int) -> Response:
    """Give out a bucket of the list; all have one size."""
    found = _published(request)
    if (found.epoch, found.buckets.bits) != (epoch, bits):
        raise InputError("the list was made anew meanwhile; ask again how it is asked")
    return Response(found.buckets.bucket(bucket), media_type="application/octet-stream", headers=BRIEFLY)


@router.post("/lookup")
def post_lookup(request: Request, response: Response, body: Blinded) -> Evaluated:
    """Evaluate blinded identifiers; each counts as a guess of the account and the network that ask."""
    response.headers.update(NEVER_KEPT)
    hub = hub_of(request)
    with hub.database.read() as db:
        actor = actor_of(request, db)
    try:
        elements = [bytes.fromhex(one) for one in body.elements]
    except ValueError:
        raise InputError("blinded identifiers are written in hexadecimal") from None
    callers = [f"network {address_of(request)}", *([f"account {actor.account_id}"] if actor.known else [])]
    made = answer(hub, callers, body.epoch, elements)
    return Evaluated([one.hex() for one in made.elements], made.proof.hex())


def _published(request: Request) -> Published:
    found: Published = request.app.state.consents.get(hub_of(request))
    return found


def _take_try(request: Request) -> None:
    request.app.state.limits.take_code(request)


def _scope(body: Wanted) -> Scope:
    if body.action not in set(Mode):
        raise InputError(f"a request is one of {', '.join([*Mode, *Right])}")
    sets = frozenset(make_selector(Kind.REPOSITORY, one).value for one in body.sets)
    return Scope(Mode(body.action), frozenset(body.uses), sets)


def _show_texts(request: Request, filed: Filed, selectors: list[Selector], text: str) -> None:
    """Let texts that came with the request prove it: they are the content itself."""
    texts = dict.fromkeys([text, *(one.value for one in selectors if one.kind is Kind.SIMILAR)])
    for shown in texts:
        if shown.strip():
            prove_by_content(hub_of(request), filed.code, shown)


def _made(filed: Filed) -> Made:
    return Made(filed.id, filed.code, json.loads(filed.receipt))


def _state(request: Request, code: str) -> State:
    hub = hub_of(request)
    stored, keys = find_request(hub, code), open_keys(hub.settings)
    return State(
        stored.id, stored.action, stored.status, list(stored.uses), list(stored.sets),
        [SelectorOut(item.kind.value, item.proof, challenge(keys, item)) for item in stored.items],
        to_text(stored.created), to_text(stored.due), stored.extended is not None, stored.reason, stored.entry or 0,
        stored.commitment,
    )  # fmt: skip


ROUTES = router.routes
