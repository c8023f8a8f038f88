"""The account of where a data set comes from: written, read, combined and followed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallmarked.core.errors import FormatError, NotFound
from hallmarked.corpus.provenance import graph
from hallmarked.corpus.provenance.document import PATH, Document, Input, Origin, combine, read_document
from hallmarked.corpus.provenance.graph import (
    BROKEN,
    HOLDS,
    OPEN,
    copy_path,
    file_edges,
    orphans,
    read_own,
    source_edges,
)
from tests.support import MemoryArtifact

ROWS = b"some rows"
DIGEST = hashlib.sha256(ROWS).hexdigest()


def document(name: str = "acme/a", inputs: tuple[Input, ...] = (), share: float = 0.0, depth: int = 0) -> Document:
    """Make a document of a data set with one file."""
    mine = inputs or (Input(Origin("posts", {"dirHash": "1" * 64}), "mit", read=9, kept=5),)
    return Document(name, "mit", mine, {"data/a.parquet": DIGEST}, {"data/a.parquet": 5}, {"copy": 4}, share, depth)


def artifact(mine: Document, more: Mapping[str, bytes] | None = None) -> MemoryArtifact:
    """Make a data set with its account."""
    return MemoryArtifact({"data/a.parquet": ROWS, PATH: mine.dump(), "README.md": b"", **(more or {})})


@given(
    st.floats(0, 1).map(lambda share: round(share, 6)),
    st.integers(0, 9),
    st.text(max_size=9),
    st.sampled_from(["", "2" * 64]),
)
def test_a_document_comes_back(share: float, depth: int, name: str, own: str) -> None:
    """What is written is read again, for all that somebody may have said."""
    teacher = Origin("old", {"sha256": "3" * 64})
    mine = Input(Origin(name, {"dirHash": "1" * 64}, own), "mit", {"who": name}, "m", (teacher,), None, None, 9, 5)
    made = replace(document(inputs=(mine,)), share=share, depth=depth, used=(teacher,))
    assert read_document(made.dump()) == made


@given(st.binary(max_size=200))
def test_other_bytes_are_no_document(data: bytes) -> None:
    """Arbitrary bytes raise only that they are no account."""
    with pytest.raises(FormatError):
        read_document(data)


def test_shares_and_depths_combine() -> None:
    """The share is that of the rows, the depth the greatest; a source that gave no rows does not count."""
    people = Input(Origin("a", {}), share=0.0, depth=0, kept=30)
    model = Input(Origin("b", {}), share=1.0, depth=2, kept=10)
    unused = Input(Origin("c", {}), share=None, depth=None, kept=0)
    assert combine([people, model, unused]) == (0.25, 2)
    assert combine([people, replace(unused, kept=1)]) == (None, None)
    assert combine([]) == (0.0, 0)


def test_files_that_nobody_accounts_for_are_found() -> None:
    """A file that was added is an orphan; the card and the evidence are not."""
    mine = document()
    there = artifact(mine, {"data/extra.parquet": b"x", "evidence.json": b"{}"})
    assert orphans(there, read_own(there)) == ["data/extra.parquet"]
    (edge,) = file_edges(there, mine)
    assert edge.state == BROKEN
    assert "data/extra.parquet" in edge.message


def test_files_that_changed_or_are_missing_are_named() -> None:
    """Each file that the build wrote has to be there as it was."""
    mine = document()
    changed = MemoryArtifact({"data/a.parquet": b"other", PATH: mine.dump()})
    missing = MemoryArtifact({PATH: mine.dump()})
    assert ["was changed" in edge.message for edge in file_edges(changed, mine)] == [True]
    assert ["is missing" in edge.message for edge in file_edges(missing, mine)] == [True]


def test_a_source_that_was_left_out_shows() -> None:
    """When a source is taken out of the account, the rows of the files do not add up any more."""
    inputs = (Input(Origin("a", {}), kept=2), Input(Origin("b", {}), kept=3))
    mine = document(inputs=inputs)
    assert list(file_edges(artifact(mine), mine)) == []
    less = replace(mine, inputs=inputs[:1])
    assert ["one of either is not written down" in edge.message for edge in file_edges(artifact(less), less)] == [True]


def test_the_graph_is_followed_build_by_build() -> None:
    """The account of a source, and that of its source, are followed; a missing one is the broken edge."""
    first = document("acme/first").dump()
    first_digest = hashlib.sha256(first).hexdigest()
    second = document(
        "acme/second", (Input(Origin("first", {"dirHash": "4" * 64}, first_digest), read=5, kept=5),)
    ).dump()
    second_digest = hashlib.sha256(second).hexdigest()
    mine = document("acme/third", (Input(Origin("second", {"dirHash": "5" * 64}, second_digest), read=5, kept=5),))
    copies = {copy_path(first_digest): first, copy_path(second_digest): second}
    whole = artifact(mine, copies)
    assert orphans(whole, mine) == []
    edges = [(edge.start, edge.end, edge.state) for edge in source_edges(whole, mine, lambda _: None)]
    assert edges == [
        ("acme/third", "second", HOLDS),
        ("acme/second", "first", HOLDS),
        ("acme/first", "posts", OPEN),
    ]
    cut = artifact(mine, {copy_path(second_digest): second})
    broken = [edge for edge in source_edges(cut, mine, lambda _: None) if edge.state == BROKEN]
    assert [(edge.start, edge.end) for edge in broken] == [("acme/second", "first")]
    forged = artifact(mine, {**copies, copy_path(first_digest): first + b" "})
    assert ["was changed" in e.message for e in source_edges(forged, mine, lambda _: None) if e.state == BROKEN] == [
        True
    ]


@pytest.mark.parametrize(("bound", "value"), [("DEEPEST", 1), ("MOST_EDGES", 2)])
def test_what_was_not_followed_is_said(bound: str, value: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """An account with more builds, or more sources, than are followed does not pass as one that holds."""
    copies, mine = dict[str, bytes](), document("acme/0")
    for number in range(1, 4):
        data = mine.dump()
        digest = hashlib.sha256(data).hexdigest()
        copies[copy_path(digest)] = data
        mine = document(f"acme/{number}", (Input(Origin(f"acme/{number - 1}", {}, digest), "mit", kept=5),))
    assert BROKEN not in {edge.state for edge in source_edges(artifact(mine, copies), mine, lambda _: None)}
    monkeypatch.setattr(graph, bound, value)
    last = list(source_edges(artifact(mine, copies), mine, lambda _: None))[-1]
    assert last.state == BROKEN
    assert "only" in last.message


def test_bytes_at_hand_are_compared() -> None:
    """A source that is here holds when its digest is the one written down, else the edge is broken."""
    mine = document()
    there = artifact(mine)
    for digest, state in (("1", HOLDS), ("6", BROKEN)):
        here = {"dirHash": digest * 64}
        assert [edge.state for edge in source_edges(there, mine, lambda _, here=here: here)] == [state]  # type: ignore[misc]


def test_a_loop_of_accounts_ends() -> None:
    """An account that names itself is followed once."""
    mine = document(inputs=(Input(Origin("a", {}, "7" * 64), kept=5),))
    assert [edge.state for edge in source_edges(artifact(mine), mine, lambda _: None)] == [BROKEN]


def test_a_data_set_without_account() -> None:
    """A folder that no build made has no account to read."""
    with pytest.raises(NotFound):
        read_own(MemoryArtifact({"a.csv": b"x"}))
