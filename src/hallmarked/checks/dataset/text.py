"""The check of texts in data sets: how much there is, in which languages, how varied, and how much repeats itself.

Measurements (views rely on these names). Without a slice they are of all texts; with ``column`` and ``value`` of the
rows that have this value there, for the columns of groups and sources that ``dataset.toml`` names; with ``terms`` of
the texts that have a word of a group whose words it lists.

========================== ===========================================================================================
``text.rows``              rows
``text.texts``             rows whose text is not empty
``text.bytes``             in UTF-8; likewise ``.characters`` and ``.words``, as cut by ``text.method.words``
``text.length.mean``       words of a text; likewise ``.least``, ``.greatest`` and quantiles from ``.p05`` to ``.p95``
``text.length.count``      how many texts have at least ``from`` and fewer than ``to`` words
``text.vocabulary``        how many words differ, with an interval where it is an estimate (above 131,072)
``text.vocabulary.once``   share of these that occur only once
``text.vocabulary.top``    share of all words that the 100 commonest make up; where the vocabulary is an estimate it
                           is an upper bound, about 0.2 points too high
``text.script``            share of all letters that are of a ``script``
``text.language``          share of the texts in a ``language``, by its ISO 639 code; ``und`` is none or not known.
                           ``n`` are the texts looked at, see ``text.method.languages``
``text.repeated``          share of all words that stand in a run of five that stood before in the same text
``text.repetitive``        texts that repeat themselves: over 15 % of their words so, or over 30 % of their lines
``text.damaged``           texts with characters that stand for lost ones, or control or private characters
``label.share``, ``label.npmi``  as in ``balance``, for groups of words
``text.method.words``      how words are cut; ``text.method.languages`` how languages are found
========================== ===========================================================================================
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from hallmarked.checks.dataset.balance import tell_labels
from hallmarked.checks.dataset.column import OFTEN, count_of, share_of, tell_spread
from hallmarked.checks.part import by_path, cut_texts, missing_module, read_part, read_whole, run_parts
from hallmarked.core.artifact import Artifact
from hallmarked.core.check import Extent, Learned, Part
from hallmarked.core.errors import BackendError, FormatError, NotFound
from hallmarked.core.evidence import Finding, Gap, Item, Level, Location, Measurement, Rule
from hallmarked.corpus.table.ending import find_table_paths

if TYPE_CHECKING:
    from hallmarked.corpus.measure.text import Amount, Texts

REPETITIVE = Rule(
    "TXT001",
    Level.NOTE,
    "Texts repeat themselves",
    "Leave them out of what a model learns from, unless repeating is what they are for, as in tables and poems.",
)
DAMAGED = Rule(
    "TXT002",
    Level.NOTE,
    "Texts hold characters that were lost on the way",
    "Read the source again in its right encoding, or leave these texts out.",
)
EMPTY = Rule(
    "TXT003", Level.NOTE, "Rows have no text", "Leave them out, or say in dataset.toml which columns are texts."
)
ASSOCIATED = Rule(
    "TXT004",
    Level.NOTE,
    "A label goes with the words of a group more or less often than with others",
    "Look whether that is so in the world or comes from how rows were chosen; models learn it either way.",
)
RARELY = 0.01
"""Share of texts or rows from which damage or emptiness is a warning."""
SAMPLE_BYTES = 8 << 20
"""Bytes of files, about, whose texts' languages are found."""
TOLERATED = 0.001
"""Share of unread rows up to which the others stand for all."""
MOST_LANGUAGES = 40
"""Languages that are told one by one."""


class TextCheck:
    """In which languages are the texts, and how varied are they?"""

    id: ClassVar[str] = "texts"
    version: ClassVar[str] = "1"
    title: ClassVar[str] = "In which languages are the texts, and how varied are they?"
    rules: ClassVar[Sequence[Rule]] = (REPETITIVE, DAMAGED, EMPTY, ASSOCIATED)
    needs_socket: ClassVar[bool] = False
    extent: ClassVar[Extent] = Extent.PARTS

    def applies(self, artifact: Artifact) -> bool:
        """Apply to whatever has files with rows."""
        return bool(find_table_paths(artifact))

    def run(self, artifact: Artifact) -> Iterator[Item]:
        """Read every text once, and tell what was counted."""
        if missing := missing_module():
            yield Gap(f'texts were not read: {missing} is missing; install "hallmarked[data]"')
            return
        yield from run_parts(self, artifact)

    def cut(self, artifact: Artifact) -> Iterator[Part]:
        """Yield the parts of all tables, each with what is looked at and how large the sample is."""
        from hallmarked.corpus.declaration import read_declaration  # noqa: PLC0415 -- needs the extra "data"

        parts = list(cut_texts(artifact))
        said = read_declaration(artifact)
        halvings = halvings_for(sum(int(part.get("bytes", 0)) for part in parts))
        slices = [name for name in dict.fromkeys((*said.columns.group, said.columns.source)) if name]
        terms = {name: list(words) for name, words in said.intent.terms.items()}
        plan = {"slices": slices, "label": said.columns.label, "terms": terms, "halvings": halvings}
        for part in parts:
            yield {**part, **plan}

    def learn(self, artifact: Artifact, part: Part) -> bytes:
        """Measure the texts of a part."""
        from hallmarked.corpus.measure.text import Plan, Texts  # noqa: PLC0415 -- needs the extra "data"

        found = Texts(
            plan=Plan(
                texts=tuple(part.get("texts", ())),
                slices=tuple(part["slices"]),
                label=str(part["label"]),
                terms={name: tuple(words) for name, words in part["terms"].items()},
                halvings=int(part["halvings"]),
            )
        )
        reason = str(part.get("broken", ""))
        if not reason:
            try:
                found.take(read_part(artifact, part))
            except (FormatError, BackendError, NotFound) as error:
                reason = str(error)
        if reason:
            found.lose(reason)
        return found.dump()

    def conclude(self, artifact: Artifact, learned: Sequence[Learned]) -> Iterator[Item]:
        """Tell what was counted."""
        from hallmarked.corpus.measure.text import Texts  # noqa: PLC0415 -- needs the extra "data"

        whole = Texts()
        for path, parts in by_path(learned).items():
            found = Texts()
            for part in parts:
                if part.broke:
                    found.lose(part.broke)
                else:
                    found.merge(Texts.load(read_whole(part)))
            if found.lost or found.skipped > TOLERATED * (found.whole.rows + found.skipped):
                yield Gap(f"{path} was not read as a whole; what is told of texts is of the rest", Location(path))
            whole.merge(found)
        halvings = int(learned[0].part["halvings"]) if learned else 0
        yield from _tell(whole, halvings)


def halvings_for(size: int) -> int:
    """Return how often the texts are halved until languages are found of about ``SAMPLE_BYTES``."""
    return max(0, (max(0, size - 1) // SAMPLE_BYTES).bit_length())


def _tell(found: Texts, halvings: int) -> Iterator[Item]:
    from hallmarked.corpus.measure import language, segment  # noqa: PLC0415 -- needs the extra "data"

    sample = "all texts" if not halvings else f"one text in {1 << halvings:,}, chosen by its hash"
    yield Measurement("text.method.words", segment.RULE)
    yield Measurement("text.method.languages", f"{language.method()}; {sample}")
    yield from _amount(found.whole, {})
    for start, stop, count in found.whole.words.ranges():
        part = {"from": f"{start:.0f}", "to": f"{stop:.0f}"}
        yield Measurement("text.length.count", str(count), n=found.whole.texts, slice=part)
    yield from _variety(found)
    yield from _findings(found.whole)
    for (column, value), amount in sorted(found.slices.items()):
        if amount.rows >= OFTEN:
            place = {"column": column, "value": value} if column else {"terms": value}
            yield from _amount(amount, place)
    for column in sorted(found.crowded):
        yield Gap(f"texts were not told apart by column {column!r}: it has too many or too long values")
    yield from _terms(found)


def _amount(found: Amount, place: Mapping[str, str]) -> Iterator[Measurement]:
    from hallmarked.corpus.measure.interval import share_interval  # noqa: PLC0415 -- needs the extra "data"

    words = found.words.whole
    yield Measurement("text.rows", str(found.rows), slice=place)
    yield Measurement("text.texts", str(found.texts), n=found.rows, slice=place)
    yield Measurement("text.bytes", str(found.bytes), unit="bytes", slice=place)
    yield Measurement("text.characters", str(found.characters), slice=place)
    yield Measurement("text.words", str(words), slice=place)
    yield from tell_spread("text.length", found.words, place)
    if words:
        yield Measurement("text.repeated", share_of(found.again, words), n=words, slice=place)
    if found.texts:
        yield Measurement("text.repetitive", str(found.repetitive), n=found.texts, slice=place)
        yield Measurement("text.damaged", str(found.damaged), n=found.texts, slice=place)
    sample = found.languages.total()
    ranked = sorted(found.languages.items(), key=lambda item: (-item[1], item[0]))
    for name, count in ranked[:MOST_LANGUAGES]:
        part, interval = {**place, "language": name}, share_interval(count, sample)
        yield Measurement("text.language", share_of(count, sample), n=sample, interval=interval, slice=part)


def _variety(found: Texts) -> Iterator[Measurement]:
    words = found.vocabulary
    if words.words:
        yield count_of("text.vocabulary", words.different, {}, words.words)
        yield Measurement("text.vocabulary.once", f"{words.different.once:.6f}", n=len(words.different.counts))
        yield Measurement("text.vocabulary.top", f"{words.top:.6f}", n=words.words)
    letters = {name: count for name, count in found.kinds.items() if name[0].isupper()}
    total = sum(letters.values())
    for name, count in sorted(letters.items(), key=lambda item: (-item[1], item[0])):
        yield Measurement("text.script", share_of(count, total), n=total, slice={"script": name})


def _findings(whole: Amount) -> Iterator[Finding]:
    if whole.repetitive:
        share = _share(whole.repetitive, whole.texts)
        yield Finding.of(REPETITIVE, f"{share} texts say the same words or lines again and again")
    for rule, count, n, what in (
        (DAMAGED, whole.damaged, whole.texts, "texts hold characters that stand for lost ones"),
        (EMPTY, whole.rows - whole.texts, whole.rows, "rows have no text"),
    ):
        if count:
            level = Level.WARNING if count > RARELY * n else Level.NOTE
            yield Finding.of(rule, f"{_share(count, n)} {what}", level=level)


def _share(count: int, n: int) -> str:
    return f"{count:,} of {n:,} ({count / n:.1%})"


def _terms(found: Texts) -> Iterator[Item]:
    """Tell how labels go with the words that stand for groups; a text may be of several groups."""
    groups = {value: amount for (column, value), amount in found.slices.items() if not column}
    if not groups or found.labels is None:
        if groups:
            yield Gap("how labels go with the words of groups was not counted: there are too many different labels")
        return
    for group in sorted(groups):
        among = {label: found.pairs[group, label] for label in found.labels}
        rest = {label: found.labels[label] - count for label, count in among.items()}
        yield from tell_labels({"terms": group}, among, rest, ASSOCIATED)
