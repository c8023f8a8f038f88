"""What is known about files right now: evidence at hand, and what their card says at this moment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from hallmarked.artifacts.source import Auditable
from hallmarked.audit.attested import of_own
from hallmarked.audit.examine import examine
from hallmarked.cards.known import Edition, Known, know
from hallmarked.cards.record import CARD_CHECK
from hallmarked.checks import registry
from hallmarked.core.evidence import Attestation
from hallmarked.policy.fact import check_of, is_about


def edition() -> Edition:
    """Return the versions of the checks that are installed: what older ones stated has been superseded."""
    return Edition({name: registry.load(name)[0].version for name in registry.available()})


def look(artifact: Auditable, stated: Sequence[Attestation], time: datetime) -> Known:
    """Index what is stated about files, and read their card now when no evidence says what it says.

    So a card that was edited after its audit is shown as it is, and everything that was stated about the bytes before
    as stale.

    Args:
        artifact: The files.
        stated: Evidence at hand.
        time: When it is.

    Raises:
        InputError: When there is nothing to look at, or the files changed while they were read.
        BackendError: When a file cannot be read.
    """
    found = list(stated)
    subject = artifact.subject
    if not any(check_of(one.statement) == CARD_CHECK and is_about(one.statement, subject) for one in found):
        found += of_own(examine(artifact, checks=[CARD_CHECK]).statements, time, "maker", "this machine")
    return know(found, subject, edition=edition())
