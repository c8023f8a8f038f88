"""Rules for claims about data sets: their languages, and how many records they have."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hallmarked.cards.record import Evidence, Record
from hallmarked.cards.status import Judgement, Status

_PARTS = re.compile(r"[/._-]+")


def spoken(code: str, record: Record) -> Judgement | None:
    """Compare a language with those that the texts were found to be in.

    Args:
        code: The language, by a well-formed code.
        record: What checks said.

    Returns:
        None when no texts were looked at, as of a model. That a language was not found contradicts nothing: the method
        mixes up relatives, and does not know all.
    """
    report = record.reports.get("texts")
    measured = [item for item in report.values("text.language") if item.slice.keys() == {"language"}] if report else []
    if not measured or not measured[0].n:
        return None
    first = code.split("-", 1)[0].lower()
    found = next((item for item in measured if item.slice["language"] == first), None)
    if found is None:
        reason = f"none of the {measured[0].n:,} texts that were looked at was found to be in it"
        return Judgement(Status.SELF_ASSERTED, reason, tuple(measured))
    try:
        share = float(found.value)
    except ValueError:
        return None
    reason = f"{share:.1%} of the {found.n or 0:,} texts that were looked at are in it"
    return Judgement(Status.SUPPORTED, reason, (found,))


def examples(claim: Evidence, record: Record) -> Judgement:
    """Compare a number of records with the rows of the files that are named for the split, and with all rows."""
    report = record.reports.get("tables")
    whole = report.number("rows.total") if report else None
    if report is None or whole is None:
        return Judgement(Status.SELF_ASSERTED, "the records were not counted")
    named = _of_split(report.values("rows.total"), claim.slice.get("split", ""))
    sums = [(sum(int(item.value) for item in named), named), (int(whole.value), [whole])]
    for count, evidence in sums:
        if evidence and str(count) == claim.value:
            return Judgement(Status.SUPPORTED, f"{count:,} rows were counted", tuple(evidence))
    count, evidence = sums[0] if named else sums[1]
    reason = f"{count:,} rows were counted; the claim may speak of a part of them"
    return Judgement(Status.SELF_ASSERTED, reason, tuple(evidence))


def _of_split(rows: Sequence[Evidence], split: str) -> list[Evidence]:
    """Return the counts of the files that have the name of a split in their path."""
    return [
        item
        for item in rows
        if split
        and split in _PARTS.split(item.slice.get("path", ""))
        and item.value.isascii()
        and item.value.isdecimal()
    ]
