"""Indexes: what is found in them, and what happens to damaged ones."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

for _module in ("pyarrow", "pydivsufsort"):
    pytest.importorskip(_module, reason="data sets are searched with the extra data")

from hallmarked.core.errors import Error, FormatError, InputError  # noqa: E402 -- after the skip
from hallmarked.corpus.search import build as building  # noqa: E402
from hallmarked.corpus.search.build import build  # noqa: E402
from hallmarked.corpus.search.index import Index  # noqa: E402
from hallmarked.corpus.search.manifest import MANIFEST, Options  # noqa: E402
from hallmarked.corpus.search.model import Document, Unread  # noqa: E402
from hallmarked.corpus.search.span import Query, find_spans  # noqa: E402
from hallmarked.corpus.search.word import MASK, fold_words, words  # noqa: E402

POEM = "The curfew tolls the knell of parting day, the lowing herd wind slowly o'er the lea"


def _document(row: int, text: str, source: str = "", licence: str = "") -> Document:
    return Document("train.jsonl", row, text, fold_words(text), source, licence)


def _index(folder: Path, texts: Sequence[str], options: Options | None = None) -> Index:
    build(folder, [_document(row, text, f"https://example.org/{row}") for row, text in enumerate(texts, 1)], options)
    return Index.open(folder)


def _maximal(query: list[str], documents: list[list[str]], least: int) -> list[tuple[int, int]]:
    """Find all maximal spans by trying all spans."""
    held = {tuple(doc[a:b]) for doc in documents for a in range(len(doc)) for b in range(a + 1, len(doc) + 1)}
    spans = [(a, b) for a in range(len(query)) for b in range(a + least, len(query) + 1) if tuple(query[a:b]) in held]
    return [(a, b) for a, b in spans if not any((c <= a and b < d) or (c < a and b <= d) for c, d in spans)]


WORDS = st.lists(st.sampled_from(["a", "b", "ab", "é"]), max_size=14)


@settings(max_examples=60, deadline=None)
@given(st.lists(WORDS, min_size=1, max_size=5), WORDS, st.integers(1, 4), st.integers(1, 40))
def test_all_maximal_spans_are_found(docs: list[list[str]], query: list[str], least: int, block: int) -> None:
    """An index finds exactly the spans that trying all of them finds, however documents lie in blocks."""
    with TemporaryDirectory() as scratch, pytest.MonkeyPatch.context() as patch:
        patch.setattr(building, "MIB", block)
        index = _index(Path(scratch) / "index", [" ".join(doc) for doc in docs], Options(block_mib=1, keywords=False))
        found = find_spans(index, Query.of(list(words(" ".join(query)))), least)
        assert [(span.first, span.stop) for span in found] == _maximal(query, docs, least)
        for passage in index.attribute(" ".join(query), least, most=99).passages:
            wanted = query[passage.first : passage.first + passage.words]
            counts = [sum(doc[at : at + len(wanted)] == wanted for at in range(len(doc))) for doc in docs]
            assert (passage.occurrences, passage.documents) == (sum(counts), sum(map(bool, counts)))
            assert [place.row for place in passage.places] == [row for row, n in enumerate(counts, 1) if n]


def test_a_passage_is_told_with_its_place_source_and_licence(tmp_path: Path) -> None:
    """A copy in other case and punctuation is found, with where it is from and under which licence."""
    rows = [
        _document(1, "Nothing of it."),
        _document(2, f"Gray wrote: {POEM}!", "https://example.org/elegy", "CC0-1.0"),
    ]
    build(tmp_path / "index", [*rows, _document(3, POEM)], Options(licence="MIT"))
    text = f"He said (quietly) {POEM.upper().replace(' ', '  ')} and left"
    found = Index.open(tmp_path / "index").attribute(text)
    (passage,) = found.passages
    assert text[passage.start : passage.stop] == POEM.upper().replace(" ", "  ")
    assert (passage.words, passage.documents, found.words) == (17, 2, 22)
    assert [(place.row, place.source, place.licence) for place in passage.places] == [
        (2, "https://example.org/elegy", "CC0-1.0"),
        (3, "", "MIT"),
    ]
    assert found.share == pytest.approx(17 / 22)


def test_short_and_empty_texts_share_nothing(tmp_path: Path) -> None:
    """Seven words are a phrase, not a passage; a text without words has no share."""
    index = _index(tmp_path / "index", [POEM, "", "…"])
    assert index.attribute(" ".join(POEM.split()[:7])).passages == ()
    assert index.attribute("?!").share == 0.0


def test_a_hit_shows_the_words_where_they_stand(tmp_path: Path) -> None:
    """The text around a passage can be shown, for words of any script and line."""
    before = "Ünlü ﬁrst line\u2028second 日本 line.\n" * 50
    index = _index(tmp_path / "index", [f"{before}{POEM}\nend", "other"])
    (hit,) = index.hits(POEM.lower())
    assert hit.text[hit.start : hit.stop] == POEM


def test_no_passage_reaches_across_documents_or_masks(tmp_path: Path) -> None:
    """Words count as one passage only where they stand together in one document, with nothing taken out between."""
    index = _index(tmp_path / "index", ["one two three four", "five six seven eight", f"nine ten {MASK} eleven twelve"])
    assert not index.attribute("one two three four five six seven eight", 5).passages
    assert not index.attribute("nine ten eleven twelve", 3).passages
    assert not index.holds(["four", "five"])
    assert index.holds(["three", "four"])
    assert not index.holds(["thre"])


def test_a_word_that_repeats_endlessly_is_no_trouble(tmp_path: Path) -> None:
    """A corpus of one word is searched like any other; when documents are too many to count, that is said."""
    index = _index(tmp_path / "index", ["a " * 60_000, "a " * 60_000])
    (passage,) = index.attribute("a " * 300).passages
    assert (passage.words, passage.occurrences, passage.bounded) == (300, 2 * 59_701, True)


def test_keywords_are_found_in_any_order_and_as_phrases(tmp_path: Path) -> None:
    """All words have to be there; quoted ones together. Nothing of a query is read as a command."""
    index = _index(tmp_path / "index", [POEM, "parting is such sweet sorrow", "day parting"])
    assert index.search("DAY parting")[0] == 2
    assert [place.row for place, _ in index.search('"parting day"')[1]] == [1]
    assert index.search('NEAR(day) OR "*')[0] == 0
    with pytest.raises(InputError, match="search for 1 to"):
        index.search('"" ** --')


def test_what_could_not_be_read_is_kept_in_mind(tmp_path: Path) -> None:
    """An index says how many rows it lacks."""
    lacking = [Unread("a.csv", 7, 1, "the row is not UTF-8"), Unread("b.csv", None, None, "it is broken")]
    build(tmp_path / "index", [_document(1, POEM), *lacking], subject="data", digest={"dirHash": "ab"})
    summary = Index.open(tmp_path / "index").summary
    assert (summary.documents, summary.unread, summary.lost, summary.whole) == (1, 1, 1, False)
    assert summary.places == lacking
    assert (summary.subject, dict(summary.digest)) == ("data", {"dirHash": "ab"})


def test_the_same_rows_make_the_same_blocks(tmp_path: Path) -> None:
    """What is searched depends on the rows alone."""
    first, second = (_files(_folder(tmp_path / name)) for name in ("one", "two"))
    assert first == second


def _folder(folder: Path) -> Path:
    _index(folder, [POEM, "other words"])
    return folder


def _files(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.glob("0*")}


@pytest.mark.parametrize("name", ["0000.words", "0000.order", "0000.documents", "0000.texts", "keywords.sqlite3"])
def test_a_damaged_index_is_refused(tmp_path: Path, name: str) -> None:
    """One wrong byte in any file is noticed when it is opened, and so is a missing file."""
    file = _folder(tmp_path / "index") / name
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    with pytest.raises(FormatError, match=f"damaged: {name} is not the file"):
        Index.open(tmp_path / "index")
    file.unlink()
    with pytest.raises(FormatError, match=f"damaged: {name} is missing"):
        Index.open(tmp_path / "index", whole=False)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_damaged_index_never_does_worse_than_an_error(data: st.DataObject) -> None:
    """Whoever opens an index without comparing digests gets an answer or one of our errors."""
    with TemporaryDirectory() as scratch:
        folder = Path(scratch) / "index"
        index = _index(folder, [POEM, f"again {POEM}", "other"])
        del index
        file = folder / data.draw(st.sampled_from(["0000.words", "0000.order", "0000.documents", "0000.texts"]))
        body = bytearray(file.read_bytes())
        body[data.draw(st.integers(0, len(body) - 1))] ^= data.draw(st.integers(1, 255))
        file.write_bytes(body)
        try:
            index = Index.open(folder, whole=False)
            index.attribute(POEM)
            list(index.hits(POEM))
            index.search("parting")
        except Error:
            pass


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        ("{", "cannot be understood"),
        ("[]", "cannot be understood"),
        ('{"format": 1, "words": "words-1"}', "cannot be understood"),
        ('{"format": 2}', "another version"),
    ],
)
def test_a_manifest_that_is_none_is_refused(tmp_path: Path, manifest: str, said: str) -> None:
    """What is no manifest, or one of another version, is told in one sentence."""
    folder = _folder(tmp_path / "index")
    (folder / MANIFEST).write_text(manifest)
    with pytest.raises(Error, match=said):
        Index.open(folder)


def test_a_manifest_cannot_lead_elsewhere(tmp_path: Path) -> None:
    """Files that a manifest names beyond those of its blocks are never opened."""
    folder = _folder(tmp_path / "index")
    body = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps({**body, "blocks": 10**9}))
    with pytest.raises(FormatError):
        Index.open(folder)


def test_there_is_no_index(tmp_path: Path) -> None:
    """Neither a missing folder nor a file is an index."""
    (tmp_path / "file").write_text("")
    for name in ("missing", "file"):
        with pytest.raises(InputError, match="there is no index"):
            Index.open(tmp_path / name)


def test_nothing_is_overwritten_and_nothing_left_behind(tmp_path: Path) -> None:
    """An index is there whole or not at all."""
    (tmp_path / "index").mkdir()
    with pytest.raises(InputError, match="exists already"):
        build(tmp_path / "index", [])
    with pytest.raises(FormatError):
        build(tmp_path / "other", _broken())
    assert [file.name for file in tmp_path.iterdir()] == ["index"]


def _broken() -> Iterator[Document]:
    yield _document(1, POEM)
    raise FormatError("the rows end here")


def test_an_index_of_nothing_can_be_searched(tmp_path: Path) -> None:
    """No rows are no error."""
    index = _index(tmp_path / "index", [])
    assert index.attribute(POEM).share == 0
    assert index.search("day") == (0, [])
