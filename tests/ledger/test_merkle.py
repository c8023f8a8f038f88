"""The tree against RFC 6962's definitions, known vectors and every kind of damage."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hallmarked.core.errors import BackendError, InputError, VerificationError
from hallmarked.ledger.merkle import (
    Frontier,
    empty_root,
    inner_hash,
    leaf_hash,
    prove_consistency,
    prove_inclusion,
    range_hash,
    root_from_inclusion,
    verify_consistency,
)
from hallmarked.ledger.tile import TileTree, list_tiles, read_entries, tile_path, write_entries

# The leaves and roots that Certificate Transparency implementations test with.
LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def mth(hashes: Sequence[bytes]) -> bytes:
    """RFC 6962 section 2.1, word for word."""
    n = len(hashes)
    if n == 0:
        return hashlib.sha256(b"").digest()
    if n == 1:
        return hashes[0]
    k = 1
    while k * 2 < n:
        k *= 2
    return hashlib.sha256(b"\x01" + mth(hashes[:k]) + mth(hashes[k:])).digest()


def path(m: int, hashes: Sequence[bytes]) -> list[bytes]:
    """RFC 6962 section 2.1.1."""
    if len(hashes) == 1:
        return []
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    if m < k:
        return [*path(m, hashes[:k]), mth(hashes[k:])]
    return [*path(m - k, hashes[k:]), mth(hashes[:k])]


def subproof(m: int, hashes: Sequence[bytes], whole: bool) -> list[bytes]:
    """RFC 6962 section 2.1.2."""
    n = len(hashes)
    if m == n:
        return [] if whole else [mth(hashes)]
    k = 1
    while k * 2 < n:
        k *= 2
    if m <= k:
        return [*subproof(m, hashes[:k], whole), mth(hashes[k:])]
    return [*subproof(m - k, hashes[k:], False), mth(hashes[:k])]


def make_hashes(count: int) -> list[bytes]:
    return [leaf_hash(b"%d" % i) for i in range(count)]


class Tree:
    """Nodes straight from the definition."""

    def __init__(self, hashes: Sequence[bytes]) -> None:
        self.rows = [list(hashes)]
        while len(self.rows[-1]) > 1:
            row = self.rows[-1]
            self.rows.append([inner_hash(row[i], row[i + 1]) for i in range(0, len(row) - 1, 2)])

    def node(self, level: int, index: int) -> bytes:
        return self.rows[level][index]


def grow_tiles(hashes: Sequence[bytes]) -> tuple[TileTree, dict[tuple[int, int], bytes]]:
    tiles: dict[tuple[int, int], bytes] = {}
    tree = TileTree(0, lambda level, index: tiles.get((level, index), b""))
    for i, value in enumerate(hashes):
        tree.append(value)
        if i % 7 == 0:
            tiles.update({(level, index): data for level, index, data in tree.take_changed()})
    tiles.update({(level, index): data for level, index, data in tree.take_changed()})
    return tree, tiles


def test_known_roots() -> None:
    """The tree has the roots that other implementations publish."""
    frontier = Frontier()
    assert frontier.root().hex() == ROOTS[0]
    for leaf, root in zip(LEAVES, ROOTS[1:], strict=True):
        frontier.append(leaf_hash(bytes.fromhex(leaf)))
        assert frontier.root().hex() == root


def test_frontier_equals_definition() -> None:
    """Appending one by one gives the recursive definition's root at every size."""
    hashes, frontier = make_hashes(300), Frontier()
    for size in range(301):
        assert frontier.root() == mth(hashes[:size])
        if size < 300:
            frontier.append(hashes[size])


def test_inclusion_of_every_leaf_at_every_size() -> None:
    """Proofs equal RFC 6962's PATH and lead to the root, for all leaves of all sizes up to 64."""
    hashes = make_hashes(64)
    node = Tree(hashes).node
    for size in range(1, 65):
        root = mth(hashes[:size])
        for index in range(size):
            proof = prove_inclusion(index, size, node)
            assert proof == path(index, hashes[:size])
            assert root_from_inclusion(index, size, hashes[index], proof) == root


def test_consistency_between_all_sizes() -> None:
    """Proofs equal RFC 6962's PROOF and verify, for all pairs of sizes up to 64."""
    hashes = make_hashes(64)
    node, roots = Tree(hashes).node, [mth(hashes[:size]) for size in range(65)]
    for new in range(65):
        for old in range(new + 1):
            proof = prove_consistency(old, new, node)
            assert proof == (subproof(old, hashes[:new], True) if 0 < old < new else [])
            verify_consistency(old, new, roots[old], roots[new], proof)


def test_consistency_refuses_any_other_root() -> None:
    """No proof shows that a log contains what it does not."""
    hashes = make_hashes(20)
    node, roots = Tree(hashes).node, [mth(hashes[:size]) for size in range(21)]
    for new in range(21):
        for old in range(new + 1):
            proof = prove_consistency(old, new, node)
            for old_root, new_root in ((bytes(32), roots[new]), (roots[old], bytes(32))):
                if old == 0 and old_root == empty_root():
                    continue  # an empty log is consistent with every other one
                with pytest.raises(VerificationError):
                    verify_consistency(old, new, old_root, new_root, proof)


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_any_damage_breaks_an_inclusion_proof(data: st.DataObject) -> None:
    """A changed, dropped, added, swapped or moved hash, or another index or size, never leads to the root."""
    size = data.draw(st.integers(2, 70))
    index = data.draw(st.integers(0, size - 1))
    hashes = make_hashes(size)
    root, proof = mth(hashes), prove_inclusion(index, size, Tree(hashes).node)
    kind = data.draw(st.sampled_from(["flip", "drop", "add", "swap", "index", "leaf"]))
    leaf = hashes[index]
    if kind == "flip":
        place, bit = data.draw(st.integers(0, len(proof) - 1)), data.draw(st.integers(0, 255))
        proof[place] = (int.from_bytes(proof[place]) ^ 1 << bit).to_bytes(32)
    elif kind == "drop":
        proof.pop(data.draw(st.integers(0, len(proof) - 1)))
    elif kind == "add":
        proof.insert(data.draw(st.integers(0, len(proof))), data.draw(st.binary(min_size=32, max_size=32)))
    elif kind == "swap" and len(proof) > 1:
        place = data.draw(st.integers(0, len(proof) - 2))
        proof[place], proof[place + 1] = proof[place + 1], proof[place]
    elif kind == "index":
        index = data.draw(st.integers(-1, size + 1).filter(lambda i: i != index))
    else:
        leaf = data.draw(st.binary(min_size=32, max_size=32))
    led = b""
    with contextlib.suppress(VerificationError):
        led = root_from_inclusion(index, size, leaf, proof)
    assert led != root


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_any_damage_breaks_a_consistency_proof(data: st.DataObject) -> None:
    """A changed, dropped or added hash is refused."""
    new = data.draw(st.integers(2, 70))
    old = data.draw(st.integers(1, new - 1))
    hashes = make_hashes(new)
    proof = prove_consistency(old, new, Tree(hashes).node)
    kind = data.draw(st.sampled_from(["flip", "drop", "add"]))
    place = data.draw(st.integers(0, len(proof) - 1))
    if kind == "flip":
        proof[place] = (int.from_bytes(proof[place]) ^ 1 << data.draw(st.integers(0, 255))).to_bytes(32)
    elif kind == "drop":
        proof.pop(place)
    else:
        proof.insert(place, data.draw(st.binary(min_size=32, max_size=32)))
    with pytest.raises(VerificationError):
        verify_consistency(old, new, mth(hashes[:old]), mth(hashes), proof)


def test_proofs_of_nothing_are_refused() -> None:
    """There are no proofs for entries or sizes that do not exist."""
    node = Tree(make_hashes(4)).node
    for index, size in ((0, 0), (4, 4), (-1, 4)):
        with pytest.raises(InputError):
            prove_inclusion(index, size, node)
    with pytest.raises(InputError):
        prove_consistency(5, 4, node)
    with pytest.raises(VerificationError):
        verify_consistency(5, 4, bytes(32), bytes(32), [])


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 600])
def test_tiles_give_the_same_tree(size: int) -> None:
    """A tree kept as tiles has the root and proofs of the definition, also for smaller sizes of it."""
    hashes = make_hashes(size)
    tree, tiles = grow_tiles(hashes)
    assert tree.root() == mth(hashes)
    assert sorted((level, index, len(data) // 32) for (level, index), data in tiles.items()) == sorted(list_tiles(size))
    for old in {1, size // 3, size - 1, size} - {0}:
        part = TileTree(old, lambda level, index: tiles[level, index])
        assert part.root() == mth(hashes[:old])
        assert prove_inclusion(old - 1, old, part.node) == path(old - 1, hashes[:old])
        assert prove_consistency(old, size, tree.node) == (subproof(old, hashes, True) if old < size else [])


def test_tiles_of_three_levels() -> None:
    """70,000 entries make the tiles the specification gives as its example."""
    hashes = make_hashes(70_000)
    tree, tiles = grow_tiles(hashes)
    assert tree.root() == Frontier(hashes).root()
    widths = [(level, len(data) // 32) for (level, _), data in sorted(tiles.items())]
    assert widths == [(0, 256)] * 273 + [(0, 112), (1, 256), (1, 17), (2, 1)]
    assert root_from_inclusion(69_999, 70_000, hashes[-1], prove_inclusion(69_999, 70_000, tree.node)) == tree.root()


def test_missing_hashes_are_noticed() -> None:
    """A tree whose stored tiles are too narrow for its size says so instead of proving something else."""
    with pytest.raises(BackendError):
        TileTree(10, lambda _level, _index: bytes(32 * 9)).root()


def test_tile_paths() -> None:
    """Tiles lie where the specification's examples say."""
    assert tile_path(0, 1234067) == "tile/0/x001/x234/067"
    assert tile_path(63, 5) == "tile/63/005"
    assert tile_path(1, 0, 17) == "tile/1/000.p/17"
    assert tile_path(None, 273, 112) == "tile/entries/273.p/112"
    for wrong in ((64, 0, 256), (0, -1, 256), (0, 0, 0), (0, 0, 257), (-1, 0, 1)):
        with pytest.raises(InputError):
            tile_path(*wrong)


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=256))
def test_entry_bundles_round_trip(entries: list[bytes]) -> None:
    """A bundle of entries reads back, and a bundle that is cut off in an entry is refused."""
    data = write_entries(entries)
    assert read_entries(data) == entries
    if entries[-1]:
        with pytest.raises(VerificationError):
            read_entries(data[:-1])


@given(st.binary(max_size=600))
def test_entry_bundles_of_arbitrary_bytes(data: bytes) -> None:
    """Arbitrary bytes are read or refused."""
    again = data
    with contextlib.suppress(VerificationError):
        again = write_entries(read_entries(data))
    assert again == data


def test_range_hash_of_nothing() -> None:
    """An empty range has the empty tree's root."""
    assert range_hash(0, 0, Tree(make_hashes(1)).node) == empty_root()
