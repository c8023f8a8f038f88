"""Showing a card with the statuses of its claims, beside 10,000 statements about it.

``python -m bench.card_view`` prints the table. Time is CPU time. A page of a hub indexes the statements of a revision
once for all that it shows; both are measured.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from bench.table import markdown
from hallmarked.cards.document.document import read_document
from hallmarked.cards.known import know
from hallmarked.cards.translation import blocks_of, read_translation, write_translation
from hallmarked.cards.view.card import Look, make_view
from hallmarked.cards.view.format import RENDERERS
from hallmarked.core.evidence import Attestation, Statement, Subject

STATEMENTS, CLAIMS, PARAGRAPHS, ROUNDS = 10_000, 50, 60, 9
NOW = datetime(2026, 1, 1, tzinfo=UTC)
HERE = Subject("acme/triage", {"dirHash": "a" * 64})


def report() -> str:
    """Measure, and write it as Markdown."""
    stated = [_state(number) for number in range(STATEMENTS)]
    card = _card().encode()
    document = read_document(card)
    translation = read_translation(read_document(write_translation(blocks_of(document), "es")))
    facts = know(stated, HERE)

    def show(look: Look, form: str, language: str = "") -> str:
        view = make_view(document, facts, HERE, NOW, look=look, language=language, translations=[translation])
        return RENDERERS[form](view, language, ())

    whole = show(Look.TECHNICAL, "html")
    assert whole.count('class="mark supported"') > CLAIMS  # every claim, and every place in the prose
    rows: list[tuple[str, Callable[[], object]]] = [
        ("index the statements", lambda: know(stated, HERE)),
        ("read the card", lambda: read_document(card)),
        ("technical view, HTML", lambda: show(Look.TECHNICAL, "html")),
        ("plain view, HTML", lambda: show(Look.PLAIN, "html")),
        ("one page, HTML", lambda: show(Look.PAGE, "html")),
        ("translation, HTML", lambda: show(Look.TECHNICAL, "html", "es")),
        ("technical view, JSON", lambda: show(Look.TECHNICAL, "json")),
    ]
    table = markdown(("Work", "ms"), [(name, f"{_milliseconds(work):.1f}") for name, work in rows])
    head = f"{STATEMENTS:,} statements, {CLAIMS} claims each shown in the prose, {len(card):,} bytes of card."
    return f"{head} Median of {ROUNDS} runs, CPU time of one core.\n\n{table}"


def _milliseconds(work: Callable[[], object]) -> float:
    def once() -> float:
        start = time.process_time()
        work()
        return (time.process_time() - start) * 1000

    return statistics.median(once() for _ in range(ROUNDS))


def _state(number: int) -> Attestation:
    row = {
        "metric": f"eval.metric_{number % 500}",
        "value": "0.93",
        "n": 400,
        "interval": ["0.92", "0.95"],
        "slice": {"group": str(number // 500)},
    }
    statement = Statement((HERE,), "https://in-toto.io/attestation/test-result/v0.1", {"measurements": [row]})
    signer = f"Example auditor {number % 7}"
    return Attestation(statement, f"sha256:{number:064x}", NOW - timedelta(minutes=number), "auditor", signer, signer)


def _card() -> str:
    claims = "".join(
        f'    - {{id: claim-{number}, path: eval.metric_{number}, op: ">=", value: "0.90", slice: worst}}\n'
        for number in range(CLAIMS)
    )
    prose = "\n\n".join(
        f"Paragraph {number} says that the worst group reaches {{{{claim claim-{number % CLAIMS}}}}}, and *so* on,"
        " with as many words as people write in one paragraph of a card when they have something to say."
        for number in range(PARAGRAPHS)
    )
    limits = "\n".join(f"- It was not tested on group {number}." for number in range(20))
    summary = "Helps nurses. It is not meant to decide alone. It misses one patient in thirty. Write to a@example.org."
    return (
        f"---\nhallmarked:\n  kind: model\n  claims:\n{claims}---\n# Triage\n\n"
        f"## Plain-language summary\n\n{summary}\n\n## Limitations\n\n{limits}\n\n## Evaluation\n\n{prose}\n"
    )


if __name__ == "__main__":
    print(report())
