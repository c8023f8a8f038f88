"""Reading, judging and editing public cards, beside the Hub's own client.

``python -m bench.card`` prints the table. Time is CPU time of one core, best of several rounds over all development
cards; the client reads the metadata only, and leaves the text below as it is.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.table import markdown
from hallmarked.cards.document.document import read_document, read_head
from hallmarked.cards.document.edit import set_key
from hallmarked.cards.document.lint import lint
from hallmarked.cards.template.checklist import check, kind_and_tier
from hallmarked.cards.template.template import shipped

ROUNDS = 3
CARDS = Path(os.environ.get("HALLMARKED_TEST_DATA", Path(__file__).parents[2] / "shared" / "data")) / "cards"


def report() -> str:
    """Measure, and write it as Markdown."""
    cards = [path.read_bytes() for path in sorted(CARDS.glob("*/*.md"))]
    if not cards:
        return f"Left out: no development cards at {CARDS}.\n"
    size = sum(map(len, cards)) / 1e6
    works: list[tuple[str, Callable[[bytes], object]]] = [
        ("metadata with the place of each key", read_head),
        ("whole card: metadata, sections, claims, placeholders", read_document),
        ("whole card, and everything that is wrong with it", lambda raw: lint(read_document(raw))),
        ("whole card, held against its template", _judge),
        ("one key of the metadata changed, and read again to be sure", lambda raw: set_key(raw, ("license",), "mit")),
    ]
    rows = [(f"hallmarked, {name}", *_cells(work, cards, size)) for name, work in works]
    table = markdown(("Work", "ms a card", "MB/s", "cards read"), [*_peers(cards, size), *rows])
    return f"{len(cards)} cards of {size:.1f} MB. CPU time of one core, best of {ROUNDS} rounds.\n\n{table}"


def _peers(cards: Sequence[bytes], size: float) -> list[tuple[str, ...]]:
    try:
        from huggingface_hub import ModelCard, __version__  # noqa: PLC0415 -- a peer, which may be absent
    except ImportError:
        return [("huggingface_hub is not installed", "", "", "")]
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # it tells of each card without metadata
    texts = {raw: raw.decode() for raw in cards}

    def load(raw: bytes) -> object:
        return ModelCard(texts[raw], ignore_metadata_errors=True)

    return [(f"huggingface_hub {__version__}, ModelCard (metadata only)", *_cells(load, cards, size))]


def _judge(raw: bytes) -> object:
    document = read_document(raw)
    return check(document, shipped(*kind_and_tier(document)))


def _cells(work: Callable[[bytes], object], cards: Sequence[bytes], size: float) -> tuple[str, str, str]:
    best, done = float("inf"), 0
    for _ in range(ROUNDS):
        done = 0
        start = time.process_time()
        for raw in cards:
            try:
                work(raw)
                done += 1
            except ValueError:  # a card that the peer refuses
                continue
        best = min(best, time.process_time() - start)
    return f"{best * 1000 / len(cards):.2f}", f"{size / best:.2f}", str(done)


if __name__ == "__main__":
    print(report())
