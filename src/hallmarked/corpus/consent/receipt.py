"""Receipts: what whoever asked keeps, and can hold against the registry later without asking it.

The log says of a request only a commitment to its selectors, one to the request as a whole, the policy it falls under
and when it is due: nobody is named. The receipt adds the salt that opens both commitments, so only who has the receipt
can show whom the entry is about. The registry forgets nothing that it needs by deleting its part of the salt, and then
cannot open the entry any more either.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import resources
from typing import Any

from hallmarked.core.errors import InputError
from hallmarked.core.evidence import Statement, Subject
from hallmarked.corpus.consent.key import commitment
from hallmarked.corpus.consent.record import Mode, Scope, Use
from hallmarked.corpus.consent.selector import Kind, Selector, text_digest
from hallmarked.ledger.bundle import RECEIPT_TYPE
from hallmarked.ledger.canonical import canonical_bytes
from hallmarked.ledger.strict import fail, format_time, members, parse_json, parse_time, write_json
from hallmarked.ledger.trust import Trust
from hallmarked.ledger.verify import Verified, VerifiedEntry, verify_bundle

PREDICATE_TYPE = "urn:hallmarked:consent:v1"
SUBJECT = "urn:hallmarked:consent"
EVENTS = ("filed", "confirmed", "withdrawn", "refused", "extended", "decided")
"""What the log can say of a request."""
LINK = "receipt"


@dataclass(frozen=True, slots=True, repr=False)
class Request:
    """What somebody asked for, as both sides know it."""

    action: str
    """``opt-out``, ``opt-in`` or ``partial``; or, of a data-subject request, ``access``, ``erasure`` and so on."""
    uses: tuple[str, ...]
    sets: tuple[str, ...]
    selectors: tuple[tuple[str, str], ...]
    """Kind and value; a text that is to be found again stands there as the digest of its normal form."""
    representative: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return it as it stands in a receipt."""
        return {
            "action": self.action,
            "uses": list(self.uses),
            "sets": list(self.sets),
            "selectors": [{"kind": kind, "value": value} for kind, value in self.selectors],
            "representative": self.representative,
        }

    def commit(self, salt: bytes) -> tuple[str, str]:
        """Return the commitment to the selectors, and the one to the whole request."""
        row = self.to_json()
        return (
            commitment(salt, b"selectors\0" + canonical_bytes(row["selectors"])),
            commitment(salt, b"request\0" + canonical_bytes(row)),
        )


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt that holds."""

    request: Request
    commitment: str
    index: int
    """Of the entry in the log."""
    filed: datetime
    due: datetime
    policy: str
    events: tuple[tuple[str, datetime], ...]
    """What the log said of the request since, as far as the receipt has it."""
    verified: Verified


def make_request(scope: Scope, selectors: Sequence[Selector], *, representative: bool = False) -> Request:
    """Write down what somebody asked for."""
    return Request(
        scope.mode.value,
        tuple(sorted(scope.uses)),
        tuple(sorted(scope.sets)),
        tuple(sorted({written(selector) for selector in selectors})),
        representative,
    )


def written(selector: Selector) -> tuple[str, str]:
    """Return a selector as a receipt has it."""
    if selector.kind is Kind.SIMILAR:
        return Kind.SIMILAR.value, text_digest(selector.value)
    return selector.kind.value, selector.value


def to_statement(
    event: str, commitments: tuple[str, str], policy: str, time: datetime, due: datetime | None = None, mode: str = ""
) -> Statement:
    """Write what the log says of a request.

    Args:
        event: What happened to it.
        commitments: To its selectors, and to the whole of it.
        policy: What it falls under.
        time: When.
        due: Until when it is answered, or holds.
        mode: Of a consent, what was decided, so that anybody can count opt-outs. Nobody can tell whose it is.

    Raises:
        InputError: When there is no such event or mode.
    """
    if event not in EVENTS:
        raise InputError(f"{event!r} is nothing that happens to a request")
    if mode not in ("", *Mode):
        raise InputError(f"{mode!r} is no mode of a consent")
    predicate = {"event": event, "request": commitments[1], "policy": policy, "time": format_time(time)}
    predicate |= {"due": format_time(due)} if due is not None else {}
    predicate |= {"mode": mode} if mode else {}
    return Statement((Subject(SUBJECT, {"sha256": commitments[0]}),), PREDICATE_TYPE, predicate)


def write_receipt(request: Request, salt: bytes, evidence: bytes) -> bytes:
    """Write a receipt.

    Args:
        request: What was asked for.
        salt: Opens the commitments.
        evidence: The registry's evidence file about the request.
    """
    row = {
        "mediaType": RECEIPT_TYPE,
        "request": request.to_json(),
        "salt": salt.hex(),
        "evidence": parse_json(evidence, "bundle"),
    }
    return write_json(row)


def evidence_of(data: bytes) -> bytes:
    """Return the evidence file that a receipt carries, which names nobody and may be passed on.

    Raises:
        VerificationError: When the file is no receipt.
    """
    return write_json(_open(data)["evidence"])


def verify_receipt(data: bytes, trust: Trust | None = None) -> Receipt:
    """Verify a receipt, offline.

    Args:
        data: The file.
        trust: Whose signature counts; see :func:`hallmarked.ledger.verify.verify_bundle` for what holds without.

    Raises:
        VerificationError: When the signature, the place in the log or a commitment does not hold.
    """
    row = _open(data)
    request, salt = _read_request(row["request"]), _salt(row["salt"])
    selectors, whole = request.commit(salt)
    verified = verify_bundle(write_json(row["evidence"]), trust)
    entries = [entry for entry in verified.entries if entry.predicate_type == PREDICATE_TYPE]
    filed = next((entry for entry in entries if entry.statement["predicate"].get("event") == "filed"), None)
    if filed is None or len(entries) < len(verified.entries):
        fail(LINK, "the evidence in the receipt does not say that a request was filed")
    for entry in entries:
        if entry.statement["subject"][0]["digest"] != {"sha256": selectors} or len(entry.statement["subject"]) != 1:
            fail(LINK, "the receipt is about other selectors than the entry in the log")
        if entry.statement["predicate"].get("request") != whole:
            fail(LINK, "the receipt says something else than what was filed")
        if entry.statement["predicate"].get("mode", request.action) != request.action:
            fail(LINK, "the log says that something else was asked for than the receipt")
    due = parse_time(filed.statement["predicate"].get("due"), LINK)
    policy = str(filed.statement["predicate"].get("policy", ""))
    events = tuple((str(entry.statement["predicate"]["event"]), entry.time) for entry in _in_order(entries))
    return Receipt(request, selectors, filed.index, filed.time, due, policy, events, verified)


def _in_order(entries: Sequence[VerifiedEntry]) -> list[VerifiedEntry]:
    return sorted(entries, key=lambda entry: entry.index)


def _open(data: bytes) -> Mapping[str, Any]:
    row = members(parse_json(data, LINK), "mediaType request salt evidence", link=LINK)
    if row["mediaType"] != RECEIPT_TYPE:
        fail(LINK, f"the receipt is not of type {RECEIPT_TYPE}")
    return row


def _salt(value: object) -> bytes:
    try:
        salt = bytes.fromhex(value) if isinstance(value, str) else b""
    except ValueError:
        salt = b""
    if len(salt) != 32:
        fail(LINK, "the salt of the receipt is not 32 bytes")
    return salt


def _read_request(value: object) -> Request:
    row = members(value, "action uses sets selectors representative", link=LINK)
    texts = [row["action"], *_list(row["uses"]), *_list(row["sets"])]
    pairs = [members(item, "kind value", link=LINK) for item in _list(row["selectors"])]
    texts += [text for pair in pairs for text in pair.values()]
    if not all(isinstance(text, str) for text in texts) or not isinstance(row["representative"], bool):
        fail(LINK, "the request in the receipt is not well-formed")
    selectors = tuple((pair["kind"], pair["value"]) for pair in pairs)
    return Request(row["action"], tuple(row["uses"]), tuple(row["sets"]), selectors, row["representative"])


def _list(value: object) -> list[Any]:
    if not isinstance(value, list):
        fail(LINK, "the request in the receipt is not well-formed")
    return value


def schema() -> bytes:
    """Return the JSON Schema of what the log says of a request."""
    return resources.files("hallmarked.corpus.consent").joinpath("consent.v1.schema.json").read_bytes()


def scope_of(request: Request) -> Scope:
    """Return the scope of a request.

    Raises:
        InputError: When it is no consent.
    """
    try:
        return Scope(Mode(request.action), frozenset(map(Use, request.uses)), frozenset(request.sets))
    except ValueError:
        raise InputError("this receipt is not about an opt-out or opt-in") from None
