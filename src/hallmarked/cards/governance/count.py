"""Counts of a governance card, recomputed from the statements of a log that everybody can read.

A registry counts its own rows; the log has an entry for everything that happened to each. Both must come to the same,
and anybody who reads the log can see whether they do.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from hallmarked.core.evidence import Attestation, Statement, Subject
from hallmarked.ledger.canonical import statement_bytes

CONSENT = "urn:hallmarked:consent:v1"
MODERATION = "urn:hallmarked:moderation:v1"
COUNTED = "https://in-toto.io/attestation/test-result/v0.1"
PATH = "registry."
"""First part of the paths under which cards find the counts, such as ``registry.opt_outs``."""
_OVER = frozenset({"withdrawn", "refused", "decided"})
_MODES = {"opt-out": "opt_outs", "opt-in": "opt_ins", "partial": "partial"}
_MEASURES = {"held-back": "held_back", "restored": "restored", "appealed": "appeals"}


@dataclass(frozen=True, slots=True)
class Counts:
    """What happened in a registry and on a hub."""

    opt_outs: int = 0
    """That hold now: somebody proved who they are, and did not take it back."""
    opt_ins: int = 0
    partial: int = 0
    unsorted: int = 0
    """Requests that hold or are worked on, of which the log does not say what was asked for."""
    requests: int = 0
    """All that were ever filed."""
    decided: int = 0
    """Requests about personal data that were answered."""
    withdrawn: int = 0
    refused: int = 0
    held_back: int = 0
    """Decisions that took something down."""
    restored: int = 0
    appeals: int = 0

    def differences(self, other: Counts) -> list[str]:
        """Return where two counts are not the same, as sentences; what neither could sort is compared as one."""
        ours, theirs = asdict(self), asdict(other)
        return [
            f"{name.replace('_', '-')} are {ours[name]:,} here and {theirs[name]:,} there"
            for name in ours
            if ours[name] != theirs[name]
        ]


class Tally:
    """Counts the statements of a log one by one, in the order of the log."""

    def __init__(self) -> None:
        self._last: dict[str, str] = {}
        self._mode: dict[str, str] = {}
        self._over: Counter[str] = Counter()
        self._measures: Counter[str] = Counter()

    def add(self, statement: Statement) -> None:
        """Count a statement, if it is of a kind that is counted."""
        said = statement.predicate
        if statement.predicate_type == CONSENT:
            self._add_request(said)
        elif statement.predicate_type == MODERATION:
            measure = _MEASURES.get(str(said.get("measure")))
            self._measures.update([measure] if measure else [])

    def _add_request(self, said: Mapping[str, Any]) -> None:
        request, event, mode = said.get("request"), said.get("event"), said.get("mode")
        if not isinstance(request, str) or not isinstance(event, str):
            return
        before = self._last.setdefault(request, "filed")
        if isinstance(mode, str):
            self._mode[request] = mode
        if before in _OVER:  # what is over stays over
            return
        if event in _OVER:
            self._over[event] += 1
            self._last[request] = event
        elif event == "confirmed":
            self._last[request] = event

    def counts(self) -> Counts:
        """Return what was counted so far."""
        standing = [request for request, event in self._last.items() if event == "confirmed"]
        modes = Counter(_MODES.get(self._mode.get(request, ""), "unsorted") for request in standing)
        return Counts(requests=len(self._last), **modes, **self._over, **self._measures)


def as_attestation(counts: Counts, subject: Subject, time: datetime, log: str) -> Attestation:
    """Write counts as measurements of this moment, for cards to show; nothing of it is signed or stored.

    Args:
        counts: What the registry counts now.
        subject: The card's subject.
        time: Now.
        log: The name of the log that the counts can be recomputed from.
    """
    measured = [{"metric": PATH + name, "value": str(value)} for name, value in asdict(counts).items()]
    predicate = {
        "result": "PASSED",
        "configuration": [{"name": "hallmarked/registry", "annotations": {"log": log}}],
        "measurements": measured,
    }
    statement = Statement((subject,), COUNTED, predicate)
    digest = hashlib.sha256(statement_bytes(statement)).hexdigest()
    return Attestation(statement, f"sha256:{digest}", time, "hub", log)
