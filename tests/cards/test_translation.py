"""Cards in other languages, block by block."""

from __future__ import annotations

import pytest

from hallmarked.cards.document.document import read_document
from hallmarked.cards.translation import (
    Progress,
    State,
    align,
    blocks_of,
    language_of,
    name_of,
    progress,
    read_translation,
    write_translation,
)
from hallmarked.core.errors import InputError

CARD = b"""---
license: mit
---
# Triage

Sorts notes.

Recall is {{claim r}}.

```
code
```

- a one
- b two
"""


def blocks(card: bytes = CARD):  # type: ignore[no-untyped-def]
    return blocks_of(read_document(card))


def translated() -> bytes:
    """Translate all but the list."""
    text = write_translation(blocks(), "es").decode()
    for source, words in (("# Triage", "# Triaje"), ("Sorts notes", "Ordena notas"), ("Recall is", "La tasa es")):
        text = text.replace(source, words)
    return text.encode()


def states(card: bytes, translation: bytes) -> list[tuple[str, str]]:
    read = read_translation(read_document(translation, "README.es.md"))
    return [(each.state.value, each.block.source) for each in align(blocks(card), read)]


def test_a_new_file_holds_the_words_of_the_card() -> None:
    """Whoever translates writes over them; nothing counts as translated yet."""
    written = write_translation(blocks(), "es", machine="Example MT")
    read = read_translation(read_document(written))
    assert (read.language, read.machine) == ("es", "Example MT")
    assert progress(align(blocks(), read)) == Progress(0, 0, 4)


def test_translated_blocks_are_shown_and_others_stay_in_the_language_of_the_card() -> None:
    """Code is never translated, and what nobody translated says so."""
    read = read_translation(read_document(translated()))
    shown = align(blocks(), read)
    assert [each.state for each in shown] == [
        State.TRANSLATED,
        State.TRANSLATED,
        State.TRANSLATED,
        State.SOURCE,
        State.UNTRANSLATED,
    ]
    assert [each.language for each in shown] == ["es", "es", "es", "en", "en"]


def test_only_the_changed_block_goes_stale() -> None:
    """It stands beside what the card says now; what is new is there untranslated."""
    changed = CARD.replace(b"Sorts notes.", b"Sorts notes by urgency.\n\nFor adults.")
    assert states(changed, translated())[:3] == [
        ("translated", "# Triaje"),
        ("stale", "Ordena notas."),
        ("untranslated", "For adults."),
    ]
    read = read_translation(read_document(translated()))
    stale = [each for each in align(blocks(changed), read) if each.state is State.STALE]
    assert [each.source and each.source.source for each in stale] == ["Sorts notes by urgency."]


def test_what_the_card_says_no_more_is_stale() -> None:
    """It is not shown as if the card still said it."""
    shorter = CARD.replace(b"Sorts notes.\n\n", b"")
    assert ("stale", "Ordena notas.") in states(shorter, translated())


def test_bringing_up_to_date_keeps_what_is_translated() -> None:
    """Stale blocks stay stale until somebody says that they are right; writing again changes nothing."""
    changed = blocks(CARD.replace(b"Sorts notes.", b"Sorts notes by urgency."))
    updated = write_translation(changed, "es", read_document(translated()))
    assert progress(align(changed, read_translation(read_document(updated)))) == Progress(2, 1, 1)
    settled = write_translation(changed, "es", read_document(updated), current=True)
    assert progress(align(changed, read_translation(read_document(settled)))) == Progress(3, 0, 1)
    assert write_translation(changed, "es", read_document(settled)) == settled


def test_moved_blocks_follow() -> None:
    """An insertion in front makes nothing stale."""
    longer = CARD.replace(b"# Triage", b"New.\n\n# Triage")
    assert [state for state, _ in states(longer, translated())] == [
        "untranslated",
        "translated",
        "translated",
        "translated",
        "source",
        "untranslated",
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ((b"language: es", b"language: [es]"), "line 5: “language” is no language tag"),
        ((b"Ordena notas.", b"Ordena.\n\nNotas."), "has 6 blocks and 5 entries"),
        ((b"translation:", b"other:"), "does not say what it translates"),
        ((b'machine: ""', b"machine: [1]"), "“machine” is not the name of a program"),
        ((b"source_hash:", b"hash:"), "“source_hash” is not a list of hashes"),
    ],
)
def test_broken_translations_are_refused_in_one_sentence(change: tuple[bytes, bytes], message: str) -> None:
    """The sentence names the file, and the line where there is one."""
    with pytest.raises(InputError, match=message) as caught:
        read_translation(read_document(translated().replace(*change), "README.es.md"))
    assert "README.es.md" in str(caught.value)


def test_names_of_files() -> None:
    """README.es.md translates README.md; other files do not."""
    assert name_of("a/README.md", "pt-BR") == "a/README.pt-BR.md"
    assert language_of("README.es.md") == "es"
    assert language_of("README.md") == language_of("NOTES.es.md") == language_of("README.no such.md") == ""
    with pytest.raises(InputError):
        name_of("README.md", "../x")
