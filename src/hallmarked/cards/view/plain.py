"""The summary in plain language that an author wrote, and what it lacks.

It has at most 200 words, LIX at most 40 or ARI at most 9, says what the thing is for, what it is not for, which harms
are known and whom to contact, and every limitation that the rest of the card names.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from hallmarked.cards.block import Block
from hallmarked.cards.language import primary
from hallmarked.cards.readability import MOST_WORDS, Readability, measure, split_sentences
from hallmarked.cards.view.limitation import Limitation, section_of, table, unsaid
from hallmarked.checks.documentation.sections import content

ASKED = ("use", "non_use", "harms", "contact")
"""What a summary has to say."""
_ADDRESS = re.compile(r"[^\s@<>]{1,64}@[^\s@<>]{1,190}\.[a-z]{2,}|https?://\S", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Summary:
    """A summary in plain language, with what it lacks."""

    blocks: tuple[Block, ...]
    language: str
    readability: Readability
    lacks: tuple[str, ...]
    """Of ``ASKED``, what no sentence speaks of."""
    checked: bool
    """Whether it is known for its language how to look for what is asked."""
    unsaid: tuple[Limitation, ...]
    """Limitations of the card that it does not say."""

    @property
    def too_long(self) -> bool:
        """Whether it has more words than such a summary may have."""
        return self.readability.words > MOST_WORDS

    @property
    def complete(self) -> bool:
        """Whether nothing is known to be wrong with it."""
        plain = self.readability.plain is not False
        return plain and self.checked and not (self.too_long or self.lacks or self.unsaid)


def summary(blocks: Sequence[Block], language: str, limits: Sequence[Limitation]) -> Summary | None:
    """Find the summary in plain language of a card, and look at it.

    Args:
        blocks: Of the card, in one language.
        language: That language.
        limits: Limitations that the card names.

    Returns:
        None when its author wrote none.
    """
    section = section_of(blocks, "plain", language)
    if section is None or not any(block.has_words and content(block.text) for block in section.blocks):
        return None
    text = plain(section.blocks)
    cues = table()["cues"].get(primary(language))
    lacks = tuple(_lacking(text, cues)) if cues is not None else ()
    outside = [each for each in limits if each.line not in {block.line for block in section.blocks}]
    return Summary(
        section.blocks,
        language,
        measure(text, language),
        lacks,
        cues is not None,
        unsaid(outside, section.blocks, language),
    )


def plain(blocks: Sequence[Block]) -> str:
    """Return the words of blocks as they are measured: entries of lists are sentences of their own."""
    parts: list[str] = []
    for block in blocks:
        parts += block.items if block.kind == "list" else [block.text] if block.kind != "code" else []
    return "\n\n".join(parts)


def _lacking(text: str, cues: dict[str, list[str]]) -> list[str]:
    sentences = [_ADDRESS.sub("@", sentence).casefold() for sentence in split_sentences(text)]
    against = [any(_speaks(sentence, cue) for cue in cues["non_use"]) for sentence in sentences]
    found = {
        "non_use": any(against),
        "use": any(
            not negated and any(_speaks(sentence, cue) for cue in cues["use"])
            for sentence, negated in zip(sentences, against, strict=True)
        ),
        "harms": any(_speaks(sentence, cue) for sentence in sentences for cue in cues["harms"]),
        "contact": any(
            "@" in sentence or any(_speaks(sentence, cue) for cue in cues["contact"]) for sentence in sentences
        ),
    }
    return [name for name in ASKED if not found[name]]


def _speaks(sentence: str, cue: str) -> bool:
    """Say whether a word of a sentence begins with a cue."""
    return re.search(rf"(?<!\w){re.escape(cue)}", sentence) is not None
