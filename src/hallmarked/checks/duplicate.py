"""The check of data sets for texts that occur more than once.

Measurements (views rely on these names):

========================= ============================================================================================
``duplicates.compared``   rows whose texts were compared: those that have words
``duplicates.same``       rows whose text stands in a row before them, byte for byte; ``n`` is the rows compared
``duplicates.words``      rows whose words do, but for case, white space and the way accents are written
``duplicates.near``       rows that are near duplicates of others
``duplicates.removed``    rows besides the one that would be kept of each cluster: the sum of the three
``duplicates.share``      their share of the rows compared
``duplicates.bytes``      their share of the bytes of text
``duplicates.clusters``   clusters of two rows or more
``duplicates.largest``    rows of the largest
``duplicates.pairs``      pairs of texts that were read again and compared
``duplicates.shared``     rows of a ``split`` that have a duplicate in another (``with``); ``n`` is the split's rows
``passages.returning``    passages of 50 words that stand word for word in another of the texts that would be kept;
                          ``n`` is all of their passages; estimated when ``passages.part`` is below 1
``passages.texts``        texts in which the most frequent of them stands
``passages.share``        share of the words of these texts that are in such passages
``passages.longest``      words of the longest run of such passages
``passages.part``         which part of the passages was compared
``duplicates.setting``    how duplicates were looked for; the slice names the ``setting``
========================= ============================================================================================
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from hallmarked.checks.part import cut_texts, missing_module, read_part, run_parts
from hallmarked.core.artifact import Artifact
from hallmarked.core.check import Extent, Learned, Part
from hallmarked.core.errors import BackendError, FormatError, LimitExceeded, NotFound
from hallmarked.core.evidence import Finding, Gap, Item, Level, Location, Measurement, Rule
from hallmarked.corpus.declaration import read_declaration
from hallmarked.corpus.table.ending import find_table_paths

if TYPE_CHECKING:
    from hallmarked.corpus.duplicate.find import Duplicates
    from hallmarked.corpus.duplicate.place import Places
    from hallmarked.corpus.duplicate.state import State
    from hallmarked.corpus.duplicate.verify import ReadTexts
    from hallmarked.corpus.duplicate.whole import I64, Whole

COPY = Rule(
    "DUP001",
    Level.NOTE,
    "Texts occur more than once",
    "Keep one of each, unless repeating is what the data set is for; models learn repeated texts by heart.",
)
NEAR = Rule(
    "DUP002",
    Level.NOTE,
    "Texts are nearly the same as others",
    "Keep one of each cluster; a text that returns with small changes is learned by heart like a copy.",
)
SHARED = Rule(
    "DUP003",
    Level.WARNING,
    "Texts that are held out stand in what is learned from",
    "Remove them from one of the two; a measurement with texts that a model has seen says too much good of it.",
)
RETURNING = Rule(
    "DUP004",
    Level.NOTE,
    "Passages return word for word in several texts",
    "Look at the places named, and remove what is boilerplate; models learn by heart what they read often.",
)

RARELY = 0.01
"""Share of duplicates from which they are a warning."""
EXAMPLES = 10
"""Rows that are named for each rule, of as many clusters."""
ORDER = ("train", "validation", "test")
"""Splits, the one that is learned from first; others come behind, by name."""


class DuplicateCheck:
    """Which texts occur more than once?"""

    id: ClassVar[str] = "duplicates"
    version: ClassVar[str] = "1"
    title: ClassVar[str] = "Which texts occur more than once?"
    rules: ClassVar[Sequence[Rule]] = (COPY, NEAR, SHARED, RETURNING)
    needs_socket: ClassVar[bool] = False
    extent: ClassVar[Extent] = Extent.PARTS

    def applies(self, artifact: Artifact) -> bool:
        """Apply to whatever has files with rows."""
        return bool(find_table_paths(artifact))

    def run(self, artifact: Artifact) -> Iterator[Item]:
        """Read every text once, and those again that resemble others."""
        if missing := missing_module():
            yield Gap(f'texts were not compared: {missing} is missing; install "hallmarked[data]"')
            return
        yield from run_parts(self, artifact)

    def cut(self, artifact: Artifact) -> Iterator[Part]:
        """Yield the parts of all tables, with the columns of their texts and of their split, if one is declared."""
        split = read_declaration(artifact).columns.split
        for part in cut_texts(artifact):
            yield {**part, "split": split}

    def learn(self, artifact: Artifact, part: Part) -> bytes:
        """Keep digests and sketches of the texts of a part."""
        from hallmarked.corpus.duplicate.learn import learn  # noqa: PLC0415 -- needs the extra "data"
        from hallmarked.corpus.duplicate.state import Builder  # noqa: PLC0415 -- likewise

        builder = Builder(passages=True, broken=str(part.get("broken", "")))
        if not builder.broken:
            try:
                learn(builder, read_part(artifact, part), part["texts"], part["split"])
            except (FormatError, BackendError, NotFound) as error:
                builder.broken = str(error)
        return builder.dump()

    def conclude(self, artifact: Artifact, learned: Sequence[Learned]) -> Iterator[Item]:
        """Say which rows are duplicates, which of them would be kept, and which splits share texts."""
        from hallmarked.corpus.duplicate.find import find_duplicates  # noqa: PLC0415 -- needs the extra "data"
        from hallmarked.corpus.duplicate.place import Places  # noqa: PLC0415 -- likewise
        from hallmarked.corpus.duplicate.whole import Whole  # noqa: PLC0415 -- likewise

        states: list[State] = []
        parts: list[Part] = []
        for each in learned:
            state = _load(each)
            yield from _unread(each, state)
            if state is not None:
                states.append(state)
                parts.append(each.part)
        yield from _settings()
        try:
            found = find_duplicates(states, _reader(artifact, parts))
        except (LimitExceeded, FormatError) as error:
            yield Gap(f"texts were not compared: {error}")
            return
        if found.unread:
            yield Gap(f"{found.unread:,} texts could not be read again, and were not compared with others")
        whole, places = Whole.of(states), Places([part["path"] for part in parts], states)
        yield from _measured(found, whole)
        yield from _examples(found, places)
        yield from _splits(found, whole, places, [part["path"] for part in parts])
        yield from _passages(found, whole, places, _reader(artifact, parts))


def _load(learned: Learned) -> State | None:
    from hallmarked.corpus.duplicate.sketch import Settings  # noqa: PLC0415 -- needs the extra "data"
    from hallmarked.corpus.duplicate.state import State  # noqa: PLC0415 -- likewise

    return None if learned.broke else State.load(learned.open, learned.size, Settings())


def _reader(artifact: Artifact, parts: Sequence[Part]) -> ReadTexts:
    from hallmarked.corpus.duplicate.learn import read_texts  # noqa: PLC0415 -- needs the extra "data"

    def read(index: int, rows: I64) -> Iterator[tuple[I64, list[str]]]:
        part = parts[index]
        try:
            yield from read_texts(read_part(artifact, part), part["texts"], rows)
        except (FormatError, BackendError, NotFound):
            return  # the rows that are missing are counted

    return read


def _unread(learned: Learned, state: State | None) -> Iterator[Gap]:
    """Say what of a part was not compared."""
    path = str(learned.part["path"])
    reason = learned.broke if state is None else state.broken
    if reason:
        yield Gap(f"{path} was not compared as a whole: {reason}", Location(path))
    if state is None or reason:
        return
    if not learned.part["texts"]:
        yield Gap(f"{path} has no texts that could be compared", Location(path))
    if state.left:
        yield Gap(f"{path} has more rows in a part than can be compared: {state.left:,} were left out", Location(path))
    if state.unnamed:
        yield Gap(f"{path} has more passages in a part than can be compared", Location(path))
    if state.bare:
        yield Gap(
            f"{path} has more texts in a part than can be compared: {state.bare:,} as copies only", Location(path)
        )


def _settings() -> Iterator[Measurement]:
    from hallmarked.corpus.duplicate import name, sketch, verify  # noqa: PLC0415 -- needs the extra "data"
    from hallmarked.corpus.text import normal, word  # noqa: PLC0415 -- likewise

    chosen = sketch.Settings()
    said: Mapping[str, object] = {
        "normalisation": normal.RULE,
        "words": word.RULE,
        "digest": "BLAKE2b-128",
        "shingle": f"{chosen.words} words",
        "sketch": sketch.METHOD,
        "hash": "64 bits, finaliser of MurmurHash3",
        "numbers": chosen.size,
        "seed": chosen.seed,
        "bands": chosen.bands,
        "rows": chosen.rows,
        "threshold": chosen.threshold,
        "verifier": verify.METHOD,
        "passage": f"{name.LENGTH} words, named by the least of its runs of {name.GRAM}",
    }
    for setting, value in said.items():
        yield Measurement("duplicates.setting", str(value), slice={"setting": setting})


def _measured(found: Duplicates, whole: Whole) -> Iterator[Item]:
    near = found.removed - found.alike
    yield Measurement("duplicates.compared", str(found.texts), n=whole.rows)
    values = {"same": found.same, "words": found.alike - found.same, "near": near, "removed": found.removed}
    for name, value in values.items():
        yield Measurement(f"duplicates.{name}", str(value), n=found.texts)
    if found.texts:
        yield Measurement("duplicates.share", f"{found.removed / found.texts:.6f}", n=found.texts)
        removed, all_ = found.bytes_of(whole)
        yield Measurement("duplicates.bytes", f"{removed / all_:.6f}", n=all_)
    clusters, largest = found.clusters()
    yield Measurement("duplicates.clusters", str(clusters))
    yield Measurement("duplicates.largest", str(largest))
    yield Measurement("duplicates.pairs", str(found.compared))
    if found.alike:
        yield _summary(COPY, found.alike, found.texts, "are copies of others")
    if near:
        yield _summary(NEAR, near, found.texts, "are nearly the same as others")


def _summary(rule: Rule, count: int, texts: int, are: str) -> Finding:
    level = Level.WARNING if count > RARELY * texts else Level.NOTE
    return Finding.of(rule, f"{count:,} of {texts:,} texts {are} ({count / texts:.1%})", level=level)


def _examples(found: Duplicates, places: Places) -> Iterator[Finding]:
    """Name some duplicates of each kind and the row that would be kept instead, of one cluster each."""
    from hallmarked.corpus.duplicate import state  # noqa: PLC0415 -- needs the extra "data"

    kinds = {
        COPY: ((state.SAME, state.WORDS), "{} has the same words as {}"),
        NEAR: ((state.NEAR,), "{} is nearly the same as {}, or as a text that is"),
    }
    for rule, (reasons, words) in kinds.items():
        for row, kept in found.examples(reasons, EXAMPLES):
            one, other = places.of(row), places.of(kept)
            data = {"row": str(one.row), "kept_path": other.path, "kept_row": str(other.row)}
            yield Finding(rule.id, Level.NOTE, words.format(one, other), Location(one.path), data)


def _splits(found: Duplicates, whole: Whole, places: Places, paths: Sequence[str]) -> Iterator[Item]:
    """Say which splits share texts: the one that is held out, and the one that comes before it."""
    from hallmarked.corpus.duplicate.split import assign, rows_of, shared  # noqa: PLC0415 -- needs the extra "data"

    names, codes = assign(whole, paths, ORDER)
    for (one, other), rows in shared(found, codes, len(names)).items():
        if one < other:
            continue
        size, slice_ = rows_of(codes, one), {"split": names[one], "with": names[other]}
        yield Measurement("duplicates.shared", str(len(rows)), n=size, slice=slice_)
        place, twin = places.of(int(rows[0])), places.of(found.twin(int(rows[0]), codes == other + 1))
        message = (
            f"{len(rows):,} of {size:,} texts of the split {names[one]} stand, the same or nearly, in {names[other]}: "
            f"the first is {place}, and there {twin}"
        )
        yield Finding(SHARED.id, SHARED.level, message, Location(place.path), {"row": str(place.row), **slice_})


def _passages(found: Duplicates, whole: Whole, places: Places, read: ReadTexts) -> Iterator[Item]:
    """Say how much of the texts that would be kept stands in several of them."""
    from hallmarked.corpus.duplicate.passage import find_repeated  # noqa: PLC0415 -- needs the extra "data"
    from hallmarked.corpus.duplicate.sketch import Settings  # noqa: PLC0415 -- likewise

    try:
        passages = find_repeated(whole, read, found.reasons == 0, Settings())
    except LimitExceeded as error:
        yield Gap(f"passages were not compared: {error}")
        return
    if passages.unread:
        yield Gap(f"{passages.unread:,} texts could not be read again, and their passages were not compared")
    yield Measurement("passages.returning", str(passages.returning), n=passages.passages)
    yield Measurement("passages.part", f"{passages.part:.6g}")
    if passages.covered is not None and passages.words:
        yield Measurement("passages.share", f"{passages.covered / passages.words:.6f}", n=passages.words)
    if passages.longest:
        words, row, start = passages.longest
        place = places.of(row)
        yield Measurement(
            "passages.longest", str(words), unit="words", slice={"path": place.path, "row": str(place.row)}
        )
        message = f"{words:,} words from word {start + 1:,} of {place} on stand, passage by passage, in other texts"
        yield Finding.of(RETURNING, message, Location(place.path), row=str(place.row), word=str(start + 1))
    if passages.frequent:
        texts, row, start = passages.frequent
        place = places.of(row)
        yield Measurement("passages.texts", str(texts), slice={"path": place.path, "row": str(place.row)})
        share = passages.returning / max(1, passages.passages)
        message = (
            f"{share:.1%} of the passages of texts stand in several of them; "
            f"one, from word {start + 1:,} of {place} on, in {texts:,}"
        )
        level = Level.WARNING if share > RARELY else Level.NOTE
        data = {"row": str(place.row), "word": str(start + 1)}
        yield Finding(RETURNING.id, level, message, Location(place.path), data)
