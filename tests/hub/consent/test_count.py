"""The number of opt-outs a hub counts is the one anybody counts from its public log."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from hallmarked.cards.governance.count import CONSENT, Counts, Tally
from hallmarked.core.evidence import Statement
from hallmarked.corpus.consent.record import Mode, Scope
from hallmarked.corpus.consent.selector import Kind, make_selector
from hallmarked.hub.consent.proof import confirm_by_hand
from hallmarked.hub.consent.request import Status, Wish, file_request, find_request, withdraw_request
from hallmarked.hub.schema.consent import consent_request
from hallmarked.ledger.dsse import read_envelope
from hallmarked.ledger.statement import read_statement
from hallmarked.ledger.strict import parse_json
from tests.hubs import RunningHub, open_test_hub


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[RunningHub]:
    with open_test_hub(tmp_path) as running:
        yield running


def from_registry(running: RunningHub) -> dict[str, int]:
    """Count requests that hold, by what was asked for, as the registry has them now."""
    found = consent_request.c
    query = select(found.action, func.count()).where(found.status == Status.ACTIVE).group_by(found.action)
    with running.hub.database.read() as db:
        return {row[0]: row[1] for row in db.execute(query)}


def from_log(running: RunningHub) -> Counts:
    """Count as a stranger does: from the leaves and envelopes that the hub shows to everybody."""
    tally = Tally()
    for index, leaf in running.hub.journal.leaves(0, running.hub.journal.size):
        if leaf.predicate_type == CONSENT:
            envelope = read_envelope(parse_json(running.hub.journal.envelope(index), "envelope"))
            tally.add(Statement.from_dict(read_statement(envelope.payload)))
    return tally.counts()


def test_the_registry_and_its_public_log_agree(hub: RunningHub) -> None:
    """After requests were filed, confirmed and taken back, both count the same; the log still names nobody."""
    modes = [Mode.OPT_OUT, Mode.OPT_OUT, Mode.OPT_OUT, Mode.OPT_IN, Mode.PARTIAL, Mode.OPT_OUT]
    codes = []
    for number, mode in enumerate(modes):
        sets = frozenset({"acme/books"}) if mode is Mode.PARTIAL else frozenset()
        wish = Wish(Scope(mode, sets=sets), [make_selector(Kind.ACCOUNT, f"person{number}")])
        codes.append(file_request(hub.hub, wish).code)
    for code in codes[:5]:
        confirm_by_hand(hub.hub, find_request(hub.hub, code).id, "seen in person")
    withdraw_request(hub.hub, codes[0])
    counted, kept = from_log(hub), from_registry(hub)
    assert kept == {"opt-out": 2, "opt-in": 1, "partial": 1}
    assert (counted.opt_outs, counted.opt_ins, counted.partial, counted.unsorted) == (2, 1, 1, 0)
    assert (counted.requests, counted.withdrawn) == (6, 1)
    withdraw_request(hub.hub, codes[1])
    assert from_log(hub).opt_outs == from_registry(hub)["opt-out"] == 1
