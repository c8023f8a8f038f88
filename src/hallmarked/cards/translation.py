"""Cards in other languages: files like ``README.es.md`` that follow the blocks of the card one by one.

The front matter of a translation says, for each of its blocks in order, which words of the card it translates:

.. code-block:: yaml

    hallmarked:
      translation:
        of: README.md
        language: es
        machine: ""            # name of the program that translated; empty when a person did
        source_hash: [4321893dc18b145a, 061bb1adb3eab0ad]

When a block of the card changes, its translation is stale from then on, and only that one. A block whose translation is
the same as its source has not been translated yet. Numbers and statuses are no part of it: they come from evidence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from pathlib import PurePosixPath

from hallmarked.cards.block import Block, split_blocks
from hallmarked.cards.document.declared import KEY
from hallmarked.cards.document.document import Document
from hallmarked.cards.document.edit import set_key
from hallmarked.cards.language import SOURCE, check_tag, is_tag
from hallmarked.core.errors import InputError

MEMBER = "translation"
MOST_BLOCKS = 20_000
_HASH = re.compile(r"[0-9a-f]{16}")
_NAME = re.compile(r"(?P<stem>.+)\.(?P<tag>[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3})\.md")


class State(StrEnum):
    """How a block stands to the card."""

    SOURCE = "source"
    """It is the card's own."""
    TRANSLATED = "translated"
    """It translates what the card says now."""
    STALE = "stale"
    """It translates what the card said before."""
    UNTRANSLATED = "untranslated"
    """Nobody translated it; the card's own words are shown."""


@dataclass(frozen=True, slots=True)
class Translation:
    """A translation as it lies in its file."""

    language: str
    """Language tag (BCP 47)."""
    machine: str
    """Name of the program that translated; empty when people did."""
    hashes: tuple[str, ...]
    """Of each block: the hash of the block of the card that it translates."""
    blocks: tuple[Block, ...]
    file: str = ""


@dataclass(frozen=True, slots=True)
class Passage:
    """A block as it is shown to a reader of one language."""

    block: Block
    language: str
    state: State
    source: Block | None = None
    """When stale: what the card says now; None when it does not say it any more."""


def name_of(card: str, language: str) -> str:
    """Return the name of the translation of a card: ``README.md`` → ``README.es.md``.

    Raises:
        InputError: When the language is no language tag.
    """
    path = PurePosixPath(card)
    return str(path.with_name(f"{path.name.removesuffix('.md')}.{check_tag(language)}.md"))


def language_of(path: str, card: str = "README.md") -> str:
    """Return the language that a file translates a card into; empty when it is no translation of it."""
    match = _NAME.fullmatch(path)
    return match["tag"] if match and match["stem"] + ".md" == card and is_tag(match["tag"]) else ""


def source_language(data: Mapping[str, object]) -> str:
    """Return the language a card is written in: ``hallmarked.language`` of its metadata; English when it is silent."""
    section = data.get(KEY)
    value = section.get("language") if isinstance(section, Mapping) else None
    return value if isinstance(value, str) and is_tag(value) else SOURCE


def blocks_of(document: Document) -> tuple[Block, ...]:
    """Return the blocks of the text of a card."""
    return split_blocks(document.text[document.body :], document.body_line)


def read_translation(document: Document) -> Translation:
    """Read a translation.

    Args:
        document: The file.

    Raises:
        InputError: When it is broken, or does not say what each of its blocks translates; the message names the line.
    """
    document.require()
    section = document.data.get(KEY)
    said = section.get(MEMBER) if isinstance(section, Mapping) else None

    def at(name: str) -> str:
        return f"{document.file}, line {document.line_of((KEY, MEMBER, name))}: “{name}”"

    if not isinstance(said, Mapping):
        raise InputError(f"{document.file} does not say what it translates: {KEY}.{MEMBER} is missing in its metadata")
    language, machine, hashes = said.get("language"), said.get("machine", ""), said.get("source_hash")
    if not isinstance(language, str) or not is_tag(language):
        raise InputError(f"{at('language')} is no language tag, such as es or pt-BR")
    if not isinstance(machine, str) or len(machine) > 200:
        raise InputError(f"{at('machine')} is not the name of a program")
    if not isinstance(hashes, list) or len(hashes) > MOST_BLOCKS:
        raise InputError(f"{at('source_hash')} is not a list of hashes")
    words = [str(each) if isinstance(each, int | str) else "" for each in hashes]
    wrong = next((index for index, each in enumerate(words) if each and not _HASH.fullmatch(each)), None)
    if wrong is not None:
        line = document.line_of((KEY, MEMBER, "source_hash", wrong))
        raise InputError(f"{document.file}, line {line}: “source_hash” holds what is no hash; write it between quotes")
    blocks = blocks_of(document)
    if len(words) != len(blocks):
        raise InputError(
            f"{document.file} has {len(blocks):,} blocks and {len(words):,} entries in “source_hash”; each block"
            " translates one block of the card"
        )
    return Translation(language, machine.strip(), tuple(words), blocks, document.file)


def align(source: Sequence[Block], translation: Translation, language: str = SOURCE) -> tuple[Passage, ...]:
    """Put a translation beside the card as it is now.

    Args:
        source: Blocks of the card.
        translation: Its translation.
        language: The language the card is written in.

    Returns:
        What a reader of the language is shown, in the order of the card. What the card does not say any more comes
        where it stood, as stale.
    """
    return tuple(_aligned(source, translation, language))


def _aligned(source: Sequence[Block], translation: Translation, language: str) -> Iterator[Passage]:
    now = [block.hash for block in source]
    matcher = SequenceMatcher(None, list(translation.hashes), now, autojunk=False)
    for operation, a, b, c, d in matcher.get_opcodes():
        olds, news = translation.blocks[a:b], source[c:d]
        if operation == "equal":
            for old, new in zip(olds, news, strict=True):
                yield _kept(old, new, translation.language, language)
            continue
        # What stands in the same place is taken for the same block with other words, kind by kind.
        for index in range(max(len(olds), len(news))):
            before, after = (each[index] if index < len(each) else None for each in (olds, news))
            if before is not None and after is not None and before.kind == after.kind:
                yield Passage(before, translation.language, State.STALE, after)
                continue
            if before is not None:
                yield Passage(before, translation.language, State.STALE)
            if after is not None:
                yield Passage(after, language, State.UNTRANSLATED if after.has_words else State.SOURCE)


def _kept(old: Block, new: Block, language: str, source: str) -> Passage:
    if not new.has_words:
        return Passage(old, source, State.SOURCE)
    if old.hash == new.hash and language != source:
        return Passage(new, source, State.UNTRANSLATED)
    return Passage(old, language, State.TRANSLATED)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a translation follows its card, in blocks that hold words."""

    translated: int
    stale: int
    untranslated: int

    @property
    def complete(self) -> bool:
        """Whether every word of the card has a translation that follows it."""
        return not self.stale and not self.untranslated


def progress(passages: Sequence[Passage]) -> Progress:
    """Count the blocks of a translation by how they stand."""
    counts = [sum(1 for each in passages if each.state is state) for state in State]
    by = dict(zip(State, counts, strict=True))
    return Progress(by[State.TRANSLATED], by[State.STALE], by[State.UNTRANSLATED])


def write_translation(
    source: Sequence[Block],
    language: str,
    document: Document | None = None,
    *,
    machine: str = "",
    current: bool = False,
) -> bytes:
    """Write a translation that follows the card as it is now: what is missing is there in the words of the card.

    Args:
        source: Blocks of the card.
        language: Language tag of the translation.
        document: The translation there is; its metadata and its translated blocks stay as they are.
        machine: Name of the program that translates, where there is no translation yet.
        current: Whether somebody looked at what is stale, and says that it translates what the card says now.

    Raises:
        InputError: When the translation there is cannot be read.
    """
    rows: list[tuple[str, str]] = []
    if document is None:
        raw = f"---\n{KEY}:\n  {MEMBER}:\n    of: README.md\n    language: {check_tag(language)}\n---\n".encode()
        raw = set_key(raw, (KEY, MEMBER, "machine"), machine)
        rows = [(block.source, block.hash) for block in source]
    else:
        raw = document.text[: document.body].encode()
        translation = read_translation(document)
        kept = dict(zip(map(id, translation.blocks), translation.hashes, strict=True))
        for passage in align(source, translation):
            new = passage.source
            if passage.state is State.STALE and new is None:
                continue  # the card does not say it any more
            said = kept.get(id(passage.block), passage.block.hash)
            rows.append((passage.block.source, new.hash if new is not None and current else said))
    text = "\n\n".join(words for words, _ in rows) + "\n"
    if len(split_blocks(text)) != len(rows):
        raise InputError("two blocks of the card run together when they stand alone; put a heading between them")
    front = set_key(raw, (KEY, MEMBER, "source_hash"), [said for _, said in rows])
    return front.rstrip() + b"\n\n" + text.encode()
