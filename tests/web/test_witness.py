"""A witness watches a hub over HTTP: honest growth is followed, and no rewriting goes unnoticed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from hallmarked.audit.verify import BROKEN, HOLDS
from hallmarked.audit.witness import Watcher
from hallmarked.hub.journal import FOLDER
from hallmarked.hub.setting import Settings, Storage
from hallmarked.ledger.contradiction import Kind, judge, read_contradiction
from hallmarked.ledger.note import read_note_key
from tests.hub.evidence import any_statement
from tests.hubs import RunningHub, serve_test_hub
from tests.ledger.support import NOW
from tests.web.operator import Operator, mutate

pytestmark = pytest.mark.enable_socket


@pytest.fixture(params=["sqlite", "postgres"])
def hub(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RunningHub]:
    url = "" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    with serve_test_hub(tmp_path, Settings(storage=Storage(data=str(tmp_path / "data"), database=url))) as running:
        yield running


def rewrite_at_random(hub: RunningHub, folder: Path, rounds: int, seed: int) -> None:
    """Let an operator rewrite the log in many ways, each from one honest state, and have a witness look each time."""
    journal, dice = hub.hub.journal, random.Random(seed)
    for number in range(40):
        journal.attest([any_statement(number)])
    key = read_note_key(journal.verifier_key())
    settings = hub.hub.settings
    operator = Operator(settings.data / FOLDER, settings.storage.database or None)
    honest, kinds = operator.leaves(), set()
    with closing(Watcher(folder / "witness", name="witness.example.org")) as watcher:
        assert watcher.add(hub.url, [key], NOW).status == HOLDS
        (watched,) = watcher.logs()
        for _ in range(rounds):
            act, forged = mutate(honest, dice)
            if forged[:40] == honest:
                continue  # moved to where it was
            operator.rewrite(forged)
            look = watcher.look(watched, NOW)
            assert look.status == BROKEN, (act, len(forged), look)
            assert look.proof is not None
            contradiction, _ = read_contradiction(look.proof.read_bytes())
            judgement = judge(contradiction, [key])
            # Only a log that was cut off, and nothing else, leaves nothing that contradicts itself.
            assert judgement.proven == (forged != honest[: len(forged)]), (act, judgement)
            kinds.add(contradiction.kind)
        operator.rewrite(honest)
        assert watcher.look(watched, NOW).status == HOLDS
    assert kinds == set(Kind)


def test_operator_who_rewrites_is_detected(hub: RunningHub, tmp_path: Path) -> None:
    """Rows edited, deleted, reordered or truncated and signed again are noticed, and others can judge it."""
    rewrite_at_random(hub, tmp_path, 30, seed=3)


@pytest.mark.slow
def test_operator_who_rewrites_is_detected_a_thousand_times(hub: RunningHub, tmp_path: Path) -> None:
    """Likewise, for 1,000 random mutations."""
    rewrite_at_random(hub, tmp_path, 1000, seed=4)
