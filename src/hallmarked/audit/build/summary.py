"""Say in a few aligned lines what a build did."""

from __future__ import annotations

from collections.abc import Sequence

from hallmarked.audit.build.build import Built
from hallmarked.audit.build.card import REASONS
from hallmarked.audit.report.view import plural
from hallmarked.core.text import clean

MOST = 10


def summarise(built: Built) -> list[str]:
    """Say what was read, kept and left out, what stands in the way, and how to verify it."""
    document = built.document
    kept, read = sum(document.rows.values()), sum(each.read for each in document.inputs)
    lines = _row("Rows", f"{kept:,} kept of {read:,} read from {plural(len(document.inputs), 'source')}")
    for reason, count in document.removed.items():
        if count:
            lines += _row("", f"{count:,} left out: {reason}" + (f" ({REASONS[reason]})" if reason in REASONS else ""))
    for kind, count in sorted(built.redacted.items()):
        lines += _row("", f"{count:,} replaced: {kind}")
    lines += _row("Files", f"{plural(len(document.rows), 'file')} with rows")
    lines += _row("Licence", document.licence or "none follows from those of the sources")
    lines += _many("", built.carried.conflicts)
    lines += _many("", [f"the licence of {name} is not known" for name in built.carried.missing])
    share = "not known" if document.share is None else f"{document.share:.1%}"
    lines += _row(
        "Synthetic", f"{share} of the rows; generations: {'not known' if document.depth is None else document.depth}"
    )
    lines += _many("Uneven", [each.sentence for each in built.trade_offs if each.effect.is_greater])
    lines += _many("Not read", built.incomplete)
    lines += _row("Written to", str(built.folder))
    return [*lines, "", "Verify with", *(f"  {line}" for line in built.command)]


def _row(label: str, text: str) -> list[str]:
    return [f"{label:12}{clean(text)}"]


def _many(label: str, texts: Sequence[str]) -> list[str]:
    lines = [line for index, text in enumerate(texts[:MOST]) for line in _row(label if not index else "", text)]
    return lines + ([f"{'':12}… and {len(texts) - MOST:,} more"] if len(texts) > MOST else [])
