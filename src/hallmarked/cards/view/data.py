"""A card as data: the same that the documents show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hallmarked.cards.readability import Readability
from hallmarked.cards.translation import Passage
from hallmarked.cards.view.card import CardView, Offered
from hallmarked.cards.view.limitation import Limitation
from hallmarked.cards.view.line import ClaimLine, Proof
from hallmarked.cards.view.plain import Summary


def to_data(view: CardView) -> dict[str, Any]:
    """Return a card as JSON data. Members may be added in later versions; those that are there keep their meaning."""
    return {
        "name": view.name,
        "title": view.title,
        "look": view.look.value,
        "language": view.language,
        "direction": view.direction,
        "digest": dict(view.digest),
        "time": view.time.isoformat(timespec="seconds"),
        "counts": {status.value: count for status, count in view.counts.items()},
        "claims": [_claim(line) for line in view.claims],
        "places": {written: _claim(line) for written, line in view.places.items()},
        "summary": _summary(view.summary) if view.summary else None,
        "limitations": _limitations(view.limitations),
        "readability": _readability(view.readability),
        "languages": [_offered(each) for each in view.offered],
        "prose": [_passage(passage) for passage in view.passages],
        "problems": list(view.problems),
    }


def _claim(line: ClaimLine) -> dict[str, Any]:
    return {
        "id": line.id,
        "text": line.text,
        "language": line.language,
        "status": line.status.value,
        "others": [status.value for status in line.others],
        "reason": line.reason,
        "value": line.value,
        "asked": line.asked,
        "line": line.line or None,
        "evidence": [_proof(proof) for proof in line.proofs],
        "more_evidence": line.hidden,
    }


def _proof(proof: Proof) -> dict[str, Any]:
    return {
        "path": proof.path,
        "value": proof.value,
        "interval": list(proof.interval) if proof.interval else None,
        "n": proof.n,
        "part": proof.part,
        "statement": proof.statement,
        "signer": proof.signer,
        "role": proof.role,
        "time": proof.time.isoformat(timespec="seconds"),
        "current": proof.current,
    }


def _summary(summary: Summary) -> dict[str, Any]:
    return {
        "text": "\n\n".join(block.source for block in summary.blocks),
        "language": summary.language,
        "readability": _readability(summary.readability),
        "lacks": list(summary.lacks),
        "checked": summary.checked,
        "too_long": summary.too_long,
        "limitations_unsaid": _limitations(summary.unsaid),
        "complete": summary.complete,
    }


def _limitations(limits: Sequence[Limitation]) -> list[dict[str, Any]]:
    return [{"text": each.text, "section": each.section, "line": each.line} for each in limits]


def _readability(seen: Readability) -> dict[str, Any]:
    return {
        "language": seen.language,
        "lix": seen.lix,
        "ari": seen.ari,
        "words": seen.words,
        "sentences": seen.sentences,
        "characters": seen.characters,
        "long_words": seen.long_words,
    }


def _offered(offered: Offered) -> dict[str, Any]:
    progress = offered.progress
    return {
        "language": offered.language,
        "machine": offered.machine,
        "translated": progress.translated if progress else None,
        "stale": progress.stale if progress else None,
        "untranslated": progress.untranslated if progress else None,
    }


def _passage(passage: Passage) -> dict[str, Any]:
    return {
        "markdown": passage.block.source,
        "language": passage.language,
        "state": passage.state.value,
        "line": passage.block.line,
        "now": passage.source.source if passage.source else None,
    }
