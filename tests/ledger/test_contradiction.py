"""Proof that a log contradicts itself: complete for those that do, impossible for those that do not."""

from __future__ import annotations

import contextlib
import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallmarked.core.errors import InputError, VerificationError
from hallmarked.ledger.checkpoint import Checkpoint
from hallmarked.ledger.contradiction import (
    Contradiction,
    Kind,
    judge,
    read_contradiction,
    sign_testimony,
    write_contradiction,
)
from hallmarked.ledger.merkle import Frontier, prove_roots, roots_from_consistency
from hallmarked.ledger.note import NoteKey, sign_note
from hallmarked.ledger.store import Head
from hallmarked.ledger.tile import TileTree
from hallmarked.ledger.watch import Contradicted, compare, follow
from tests.ledger.support import LOG_KEY, NOW, ORIGIN, STRANGER

KEY = NoteKey(ORIGIN, LOG_KEY.public)
LEAVES = [random.Random(5).randbytes(32) for _ in range(600)]
sizes = st.integers(1, 600)


def tree_of(leaves: list[bytes]) -> TileTree:
    tree = TileTree(0, lambda _level, _index: b"")
    for leaf in leaves:
        tree.append(leaf)
    stored = {(level, index): data for level, index, data in tree.take_changed()}
    return TileTree(len(leaves), lambda level, index: stored[level, index])


def note_of(leaves: list[bytes]) -> str:
    return sign_note(str(Checkpoint(ORIGIN, len(leaves), Frontier(leaves).root())), ORIGIN, LOG_KEY)


@given(sizes, sizes)
def test_both_roots_from_one_proof(one: int, other: int) -> None:
    """The hashes give the roots of both sizes, without knowing either."""
    old, new = sorted((one, other))
    if old == new:
        return
    hashes = prove_roots(old, new, tree_of(LEAVES[:new]).node)
    assert roots_from_consistency(old, new, hashes) == (Frontier(LEAVES[:old]).root(), Frontier(LEAVES[:new]).root())


@pytest.mark.parametrize(("old", "new"), [(0, 5), (5, 5), (6, 5)])
def test_roots_of_impossible_sizes(old: int, new: int) -> None:
    """Only a smaller and a larger log have such a proof."""
    with pytest.raises(InputError):
        prove_roots(old, new, tree_of(LEAVES[:5]).node)


@given(st.data())
def test_honest_log_cannot_be_framed(data: st.DataObject) -> None:
    """Whatever hashes somebody makes up about two checkpoints of one history, nobody believes it contradicts itself."""
    old, new = sorted(data.draw(st.tuples(sizes, sizes)))
    hashes = [] if old == new else prove_roots(old, new, tree_of(LEAVES[:new]).node)
    for _ in range(data.draw(st.integers(0, 3))):
        if hashes and data.draw(st.booleans()):
            hashes[data.draw(st.integers(0, len(hashes) - 1))] = data.draw(st.sampled_from(LEAVES))
        else:
            hashes.insert(data.draw(st.integers(0, len(hashes))), data.draw(st.sampled_from(LEAVES)))
    notes = data.draw(st.permutations([note_of(LEAVES[:old]), note_of(LEAVES[:new])]))
    for kind in Kind:
        with pytest.raises(VerificationError):
            judge(Contradiction(kind, *notes, tuple(hashes)), [KEY])


@given(sizes, sizes, st.integers(0, 599))
def test_every_lie_is_proven(one: int, other: int, place: int) -> None:
    """Two checkpoints of different histories always give a file that convinces others, however they are read."""
    old, new = sorted((one, other))
    place %= old
    forged = [*LEAVES[:place], bytes(32), *LEAVES[place + 1 : new]]
    first, second = note_of(LEAVES[:old]), note_of(forged)
    with pytest.raises(Contradicted) as caught:
        compare(second, first, [KEY], lambda _size: tree_of(forged))
    assert caught.value.proof is not None
    data = write_contradiction(caught.value.proof, [KEY])
    judgement = judge(read_contradiction(data)[0], [KEY])
    assert judgement.proven
    with pytest.raises(VerificationError):
        judge(read_contradiction(data)[0], [NoteKey(ORIGIN, STRANGER.public)])


@given(sizes, sizes)
def test_honest_growth_is_followed(one: int, other: int) -> None:
    """A log that grows by any number of entries gives no reason to doubt it."""
    old, new = sorted((one, other))
    last = Head(old, Frontier(LEAVES[:old]).root(), note_of(LEAVES[:old]))
    seen = follow(last, note_of(LEAVES[:new]), [KEY], tree_of(LEAVES[:old]), lambda size: tree_of(LEAVES[:size]))
    assert seen.checkpoint == Checkpoint(ORIGIN, new, Frontier(LEAVES[:new]).root())
    compare(last.note, seen.note, [KEY], lambda size: tree_of(LEAVES[:size]))


def test_testimony() -> None:
    """A witness's word is about exactly these two checkpoints, and is never called a proof."""
    first, second = note_of(LEAVES[:9]), note_of(LEAVES[:4])
    made = sign_testimony(first, second, "it took back entries", ("witness.example.net/t", STRANGER), NOW)
    judgement = judge(read_contradiction(write_contradiction(made, [KEY]))[0], [KEY])
    assert not judgement.proven
    assert judgement.sentence == (
        "the witness witness.example.net/t says that at 2026-11-21T12:00:00Z it took back entries"
    )
    moved = Contradiction(Kind.UNPROVEN, second, first, (), made.testimony, made.witness)
    with pytest.raises(VerificationError, match="something else"):
        judge(moved, [KEY])


@given(st.binary(max_size=300))
def test_arbitrary_files(data: bytes) -> None:
    """Arbitrary bytes are refused in no other way than with a VerificationError."""
    with contextlib.suppress(VerificationError):
        read_contradiction(data)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists))
def test_members_of_any_type(value: object) -> None:
    """A file whose members have any other type is refused in no other way either."""
    made = sign_testimony(note_of(LEAVES[:9]), note_of(LEAVES[:4]), "so", ("w", STRANGER), NOW)
    good = json.loads(write_contradiction(made, [KEY]))
    for name in (*good, "hashes"):
        with contextlib.suppress(VerificationError):
            read_contradiction(json.dumps({**good, name: value}).encode())
