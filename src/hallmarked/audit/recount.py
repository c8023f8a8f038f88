"""Count again what a hub says of its registry, from the log that it shows to everybody."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from hallmarked.audit.remote import LEDGER
from hallmarked.audit.remotelog import RemoteLog
from hallmarked.audit.site import Site
from hallmarked.audit.verify import SHORTEST_ID
from hallmarked.cards.governance.count import CONSENT, MODERATION, Counts, Tally
from hallmarked.core.errors import Forbidden, InputError, NotFound, VerificationError
from hallmarked.core.evidence import Statement
from hallmarked.ledger.checkpoint import Checkpoint, read_checkpoint
from hallmarked.ledger.dsse import read_envelope, verify_envelope
from hallmarked.ledger.leaf import MAX_LEAF, Leaf, match_leaf, read_leaf
from hallmarked.ledger.merkle import Frontier, leaf_hash
from hallmarked.ledger.note import NoteKey, open_note
from hallmarked.ledger.statement import read_statement
from hallmarked.ledger.strict import parse_json
from hallmarked.ledger.tile import WIDTH, read_entries, tile_path
from hallmarked.ledger.trust import Role, Trust, TrustedKey, load_trust

MAX_ENVELOPE = 1 << 20
MAX_TRUST = 1 << 20
MOST = 10_000_000
"""Entries of a log that are read."""
_COUNTED = frozenset({CONSENT, MODERATION})


@dataclass(frozen=True, slots=True)
class Recount:
    """What somebody counted who believes nothing but signatures."""

    origin: str
    """Name of the log."""
    size: int
    """Entries it has, all of which were read."""
    counts: Counts
    withheld: int
    """Statements that would be counted and are not handed out: they are about what is public no more."""
    vouched: bool
    """Whether a key that the user named has signed for the keys of the hub; else they are as the hub names them."""


def recount(url: str, ids: Sequence[str] = ()) -> Recount:
    """Read a hub's whole log, check that it is the one the hub has signed, and count.

    Args:
        url: The hub's address.
        ids: Ids of keys that the user trusts; one of them should be the hub's signing key.

    Raises:
        InputError: When the address cannot be used, or none of the ids is a key of the hub.
        NotFound: When no hub is there.
        BackendError: When it cannot be reached.
        VerificationError: When the log is not what the hub signed, or a statement is not signed as its entry says.
    """
    hub, log = Site(url), RemoteLog(Site(url.rstrip("/") + LEDGER))
    note = log.checkpoint()
    trust, own = _trust(hub.get(f"{LEDGER}/trust.json", MAX_TRUST).data, ids)
    name = note.split("\n", 1)[0]
    text, signed = open_note(
        note, [NoteKey(k.name, k.public) for k in trust.keys if (k.role, k.name) == (Role.LOG, name)]
    )
    if not signed:
        raise VerificationError(f"{hub.host} shows a checkpoint that no key of its log has signed", link="checkpoint")
    at = read_checkpoint(text)
    if at.size > MOST:
        raise InputError(f"the log of {hub.host} has {at.size:,} entries, and at most {MOST:,} are read")
    tally, withheld = Tally(), 0
    for index, leaf in _leaves(log, at):
        if leaf.predicate_type not in _COUNTED or leaf.blinds or leaf.kid not in own:
            continue
        try:
            data = hub.get(f"{LEDGER}/entries/{index}", MAX_ENVELOPE).data
        except (NotFound, Forbidden):
            withheld += 1
            continue
        tally.add(_statement(data, leaf, own[leaf.kid]))
    return Recount(at.origin, at.size, tally.counts(), withheld, bool(ids))


def _trust(data: bytes, ids: Sequence[str]) -> tuple[Trust, Mapping[str, TrustedKey]]:
    """Return whom the hub names, and which of these keys it signs with: not those of other hubs that it trusts.

    Where the user named keys, one of them must have signed that; else the first key of a hub is taken for its own.
    """
    for each in ids:
        if len(each) < SHORTEST_ID:
            raise InputError(f"{each} is too short to be the id of a key: give at least {SHORTEST_ID} characters")
    stated = load_trust(data)
    hubs = [key for key in stated.keys if key.role is Role.HUB]
    if ids:
        named = [key for key in hubs if any(key.keyid.startswith(each.lower()) for each in ids)]
        if not named:
            raise InputError("none of the keys that you named is a key of this hub")
        stated, hubs = load_trust(data, named[0].public), [*named, *hubs]
    if not hubs:
        raise VerificationError("the hub names no key that it signs with", link="trust")
    return stated, {key.keyid: key for key in hubs if key.name == hubs[0].name}


def _leaves(log: RemoteLog, at: Checkpoint) -> Iterator[tuple[int, Leaf]]:
    """Yield every entry, and insist at the end that together they are what was signed."""
    tree = Frontier()
    for start in range(0, at.size, WIDTH):
        width = min(WIDTH, at.size - start)
        path = f"/{tile_path(None, start // WIDTH, width)}"
        entries = read_entries(log.site.get(path, width * (MAX_LEAF + 2)).data)
        if len(entries) != width:
            raise VerificationError(
                f"{log.site.host} does not hand out all entries of the log it signed", link="entries"
            )
        for number, entry in enumerate(entries):
            tree.append(leaf_hash(entry))
            yield start + number, read_leaf(entry)
    if tree.root() != at.root:
        raise VerificationError(f"{log.site.host} hands out other entries than the log it signed has", link="entries")


def _statement(data: bytes, leaf: Leaf, key: TrustedKey) -> Statement:
    """Return a statement that is signed as its entry says.

    Raises:
        VerificationError: When it is not.
    """
    envelope = read_envelope(parse_json(data, "envelope"))
    said = read_statement(envelope.payload)
    match_leaf(leaf, envelope, said)
    verify_envelope(envelope, key.public)
    return Statement.from_dict(said)
