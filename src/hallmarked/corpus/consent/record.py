"""One consent: who allowed or refused what. Selectors stand in it as keyed digests only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from hallmarked.core.errors import InputError
from hallmarked.corpus.consent.key import RegistryKey
from hallmarked.corpus.consent.selector import Kind, Selector, make_selector
from hallmarked.corpus.consent.sketch import SIZE as SKETCH_SIZE
from hallmarked.corpus.consent.sketch import make_sketch
from hallmarked.ledger.strict import fail, format_time, parse_time

MOST_SETS = 1_000
"""Data sets that one consent may name."""


class Mode(StrEnum):
    """What somebody decided."""

    OPT_OUT = "opt-out"
    """The uses named are refused; all of them, mostly."""
    OPT_IN = "opt-in"
    """The uses named are allowed; nothing is said about others."""
    PARTIAL = "partial"
    """The uses named are allowed, in the data sets named if some are; everything else is refused."""


class Use(StrEnum):
    """What data are used for."""

    TRAINING = "training"
    SEARCH = "search"
    EVALUATION = "evaluation"


class Said(StrEnum):
    """What one consent, or all together, say about a row."""

    DENIED = "denied"
    PARTIAL = "partial"
    """Allowed in some data sets and not in others, and nobody said which one this is."""
    ALLOWED = "allowed"
    NONE = "no record"


@dataclass(frozen=True, slots=True)
class Scope:
    """What is allowed or refused."""

    mode: Mode
    uses: frozenset[Use] = frozenset(Use)
    sets: frozenset[str] = frozenset()
    """Data sets or repositories, ``owner/name`` in lower case; empty for all."""

    def __post_init__(self) -> None:
        if not self.uses:
            raise InputError("a consent names at least one use")
        if len(self.sets) > MOST_SETS:
            raise InputError(f"a consent names at most {MOST_SETS} data sets")

    def say(self, use: Use, into: str) -> Said:
        """Say what it means for a use.

        Args:
            use: What for.
            into: Name of the data set that is being made, in lower case; empty when it is not known.
        """
        covered = Said.DENIED if self.mode is Mode.OPT_OUT else Said.ALLOWED
        beyond = Said.DENIED if self.mode is Mode.PARTIAL else Said.NONE
        if use not in self.uses:
            return beyond
        if not self.sets or into in self.sets:
            return covered
        return beyond if into else Said.PARTIAL


@dataclass(frozen=True, slots=True)
class Entry:
    """One selector of a consent in the list."""

    kind: Kind
    digest: bytes
    """Keyed digest of the selector; of kind ``similar``, its sketch."""
    scope: Scope
    commitment: str
    """What the log says of the request this comes from: hexadecimal SHA-256, which reveals nobody."""
    proof: str
    """How it was established who asked, e.g. ``dns``."""
    since: datetime

    def to_json(self) -> dict[str, Any]:
        """Return it as it stands in the list."""
        return {
            "kind": self.kind.value,
            "digest": self.digest.hex(),
            "mode": self.scope.mode.value,
            "uses": sorted(self.scope.uses),
            "sets": sorted(self.scope.sets),
            "commitment": self.commitment,
            "proof": self.proof,
            "since": format_time(self.since),
        }


def selector_digest(key: RegistryKey, selector: Selector) -> bytes:
    """Return what is kept of a selector.

    Raises:
        InputError: When it is a text too short to find others like it.
    """
    if selector.kind is Kind.SIMILAR:
        return make_sketch(key, selector.value).to_bytes()
    return key.digest(selector.kind.value.encode(), selector.value.encode("utf-8", "surrogatepass"))


def read_entry(row: Mapping[str, Any], link: str = "consent list") -> Entry:
    """Read an entry.

    Raises:
        VerificationError: When it is not well-formed.
    """
    try:
        kind = Kind(row["kind"])
        uses, sets = frozenset(map(Use, row["uses"])), frozenset(map(str, row["sets"]))
        digest = bytes.fromhex(row["digest"])
        scope = Scope(Mode(row["mode"]), uses, sets)
        since = parse_time(row["since"], link)
        made = Entry(kind, digest, scope, str(row["commitment"]), str(row["proof"]), since)
    except (KeyError, TypeError, ValueError, InputError):
        fail(link, f"an entry of the {link} is not well-formed")
    if len(digest) != (SKETCH_SIZE if kind is Kind.SIMILAR else 32):
        fail(link, f"an entry of the {link} has a digest of the wrong length")
    return made


def make_entry(key: RegistryKey, kind: Kind | str, value: str, scope: Scope, *, since: datetime) -> Entry:
    """Make an entry of no request, for lists that are put together by hand.

    Raises:
        InputError: When the selector cannot be used.
    """
    selector = make_selector(kind, value)
    return Entry(selector.kind, selector_digest(key, selector), scope, "", "operator", since)
