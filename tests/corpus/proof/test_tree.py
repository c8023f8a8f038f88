"""The tree over identifiers: what it shows of members and of others, and what nobody can make it show."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallmarked.core.errors import FormatError
from hallmarked.corpus.proof.tree import HELD, Path, Tree, count_shared, empty_root, inner_hash, leaf_hash, root_of_path

# Identifiers that share beginnings, as an attacker would choose them, and ones that do not.
IDENTIFIERS = st.one_of(
    st.binary(min_size=32, max_size=32),
    st.integers(0, 7).map(lambda low: bytes(31) + bytes([low])),
    st.integers(0, 255).map(lambda bit: (1 << bit).to_bytes(32, "big")),
)
SETS = st.sets(IDENTIFIERS, max_size=30)


def tree_of(identifiers: set[bytes]) -> Tree:
    """Make the tree of a set."""
    return Tree(b"".join(sorted(identifiers)))


def test_roots_of_small_sets_are_what_the_definition_says() -> None:
    """Nothing, one leaf, and a branch at the first bit that differs have the hashes that are documented."""
    low, high = bytes(32), b"\x10" + bytes(31)
    assert Tree(b"").root == hashlib.sha256(b"").digest() == empty_root()
    assert Tree(low).root == hashlib.sha256(b"\x00" + low).digest()
    assert Tree(low + high).root == inner_hash(3, leaf_hash(low), leaf_hash(high))


@given(SETS, IDENTIFIERS)
def test_a_path_leads_to_the_root_and_shows_who_is_a_member(members: set[bytes], asked: bytes) -> None:
    """The path of any identifier leads to the root, and to that identifier exactly when it is in the set."""
    tree = tree_of(members)
    path = tree.find_path(asked)
    assert root_of_path(asked, path) == tree.root
    assert (path.leaf == asked) == (asked in members)


@given(SETS, IDENTIFIERS, st.data())
def test_no_other_path_leads_to_the_root(members: set[bytes], asked: bytes, data: st.DataObject) -> None:
    """A path that was changed in any place is refused or leads elsewhere, so that nothing else can be shown."""
    tree = tree_of(members)
    path = tree.find_path(asked)
    steps = list(path.steps)
    wrongs = [replace(path, leaf=data.draw(IDENTIFIERS)), replace(path, leaf=None), replace(path, steps=steps[1:])]
    if steps:
        at = data.draw(st.integers(0, len(steps) - 1))
        bit, sibling = steps[at]
        wrongs += [
            replace(path, steps=[*steps[:at], (data.draw(st.integers(0, 255)), sibling), *steps[at + 1 :]]),
            replace(path, steps=[*steps[:at], (bit, data.draw(IDENTIFIERS)), *steps[at + 1 :]]),
            replace(path, steps=steps[:at]),
            replace(path, steps=[*steps, steps[at]]),
        ]
    for wrong in wrongs:
        try:
            led = root_of_path(asked, wrong)
        except ValueError:
            continue
        same = (wrong.leaf, tuple(wrong.steps)) == (path.leaf, tuple(path.steps))
        assert same or led != tree.root


@given(st.sets(IDENTIFIERS, min_size=1, max_size=12), st.data())
def test_what_is_there_cannot_be_shown_to_be_missing_in_any_tree(members: set[bytes], data: st.DataObject) -> None:
    """In a tree that somebody put together out of order, an identifier cannot both be there and be missing."""

    def build(leaves: list[bytes]) -> tuple[bytes, list[tuple[bytes, list[tuple[int, bytes]]]]]:
        if len(leaves) == 1:
            return leaf_hash(leaves[0]), [(leaves[0], [])]
        cut = data.draw(st.integers(1, len(leaves) - 1))
        bit = data.draw(st.integers(0, 255))
        (left, lefts), (right, rights) = build(leaves[:cut]), build(leaves[cut:])
        below = [(leaf, [(bit, right), *steps]) for leaf, steps in lefts]
        below += [(leaf, [(bit, left), *steps]) for leaf, steps in rights]
        return inner_hash(bit, left, right), below

    root, paths = build(data.draw(st.permutations(sorted(members))))
    asked = data.draw(st.sampled_from(sorted(members)))
    shown = set()
    for leaf, steps in paths:
        try:
            if root_of_path(asked, Path(leaf, steps)) == root:
                shown.add(leaf == asked)
        except ValueError:
            continue
    assert len(shown) <= 1


@pytest.mark.parametrize("order", [(1, 0), (0, 0), (0, 2, 1)])
def test_a_list_out_of_order_is_refused(order: tuple[int, ...]) -> None:
    """A list that is not ascending, or has an identifier twice, is no set."""
    with pytest.raises(FormatError, match="does not follow"):
        Tree(b"".join(bytes([number]) * 32 for number in order))


def test_a_list_that_is_cut_off_is_refused() -> None:
    """A list that ends inside of an identifier says so."""
    with pytest.raises(FormatError, match="ends inside of one"):
        Tree(bytes(33))


@given(SETS, SETS)
def test_what_two_lists_share_is_counted(some: set[bytes], others: set[bytes]) -> None:
    """Looking up one list in another finds what both have."""
    assert count_shared(b"".join(sorted(some)), b"".join(sorted(others))) == len(some & others)


def test_large_trees_have_the_root_of_their_halves() -> None:
    """A tree that is larger than what is hashed in one pass is put together from its sides."""
    members = sorted(hashlib.sha256(b"%d" % number).digest() for number in range(3 * HELD))
    middle = next(index for index, each in enumerate(members) if each[0] & 0x80)
    tree = Tree(b"".join(members))
    halves = [Tree(b"".join(part)).root for part in (members[:middle], members[middle:])]
    assert tree.root == inner_hash(0, *halves)
    for asked in (members[0], members[-1], members[5000], bytes(32), b"\xff" * 32):
        assert root_of_path(asked, tree.find_path(asked)) == tree.root
