"""The units of evidence: what a source saw, and the statement that carries it.

Statements follow the in-toto Statement v1 layout (https://in-toto.io/Statement/v1); findings follow SARIF 2.1.0
(rule, level, location).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"


class Level(StrEnum):
    """How much a finding matters (SARIF ``level``)."""

    NOTE = "note"
    WARNING = "warning"
    ERROR = "error"

    @property
    def rank(self) -> int:
        """Order levels: ``note`` < ``warning`` < ``error``."""
        return list(Level).index(self)


class Outcome(StrEnum):
    """What a check, requirement or policy came to. ``unknown`` is never a pass."""

    PASS = "pass"  # noqa: S105 -- an outcome, not a password
    FAIL = "fail"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Rule:
    """Something a check looks for. Defined where its findings are made, listed in the check's ``rules``."""

    id: str
    """Stable id: three letters and three digits, e.g. ``PKL001``."""
    level: Level
    """The level its findings have unless the check grades one differently."""
    title: str
    """What is wrong, as a short sentence a lawyer or a nurse understands."""
    help: str
    """What to do about it."""


@dataclass(frozen=True, slots=True)
class Location:
    """A place in an artifact."""

    path: str
    """Path of the file in the artifact, ``/``-separated; members of containers are joined by ``!``: ``a.zip!b.pkl``."""
    offset: int | None = None
    """Byte offset in that file or member."""
    line: int | None = None
    """Line, from 1, in text files."""

    def __str__(self) -> str:
        if self.line is not None:
            return f"{self.path}:{self.line}"
        return self.path if self.offset is None else f"{self.path}@{self.offset}"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a check saw that somebody should know about (a SARIF result)."""

    rule: str
    level: Level
    message: str
    """One sentence, specific to this finding. Never contains a secret or personal data in clear."""
    location: Location | None = None
    data: Mapping[str, str] = field(default_factory=dict)
    """Machine-readable details, e.g. ``{"global": "os.system"}``."""

    @classmethod
    def of(
        cls, rule: Rule, message: str, location: Location | None = None, *, level: Level | None = None, **data: str
    ) -> Finding:
        """Make a finding of ``rule``, at its own level unless ``level`` is given."""
        return cls(rule.id, level or rule.level, message, location, data)


@dataclass(frozen=True, slots=True)
class Measurement:
    """One value a check measured."""

    metric: str
    """Dotted name, e.g. ``parameters.total`` or ``file.verdict``."""
    value: str
    """Decimal numbers as text (no loss above 2^53), or a word."""
    unit: str = ""
    n: int | None = None
    """How many things were counted or sampled."""
    interval: tuple[str, str] | None = None
    """95 % interval, as decimal text."""
    slice: Mapping[str, str] = field(default_factory=dict)
    """The part it speaks about, e.g. ``{"path": "model.pt"}``; empty means the whole artifact."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Something a check could not establish. One gap makes the outcome ``unknown`` unless the check failed outright."""

    reason: str
    location: Location | None = None


Item = Finding | Measurement | Gap
"""What a check may yield."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a statement is about (an in-toto ResourceDescriptor). Matched by digest; the name informs."""

    name: str
    digest: Mapping[str, str]
    """Algorithm to lower-case hex, e.g. ``{"dirHash": …}`` for a folder or ``{"sha256": …}`` for a file."""


@dataclass(frozen=True, slots=True)
class Statement:
    """The only unit of evidence (in-toto Statement v1)."""

    subjects: tuple[Subject, ...]
    predicate_type: str
    predicate: Mapping[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """Return the in-toto JSON object."""
        return {
            "_type": STATEMENT_TYPE,
            "subject": [{"name": subject.name, "digest": dict(subject.digest)} for subject in self.subjects],
            "predicateType": self.predicate_type,
            "predicate": dict(self.predicate),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Statement:
        """Build a statement from its JSON object.

        Raises:
            ValueError: When a required member is missing or has the wrong type.
        """
        if data.get("_type") != STATEMENT_TYPE or not isinstance(data.get("predicateType"), str):
            raise ValueError("not an in-toto Statement v1")
        subjects = data.get("subject")
        if not isinstance(subjects, list) or not all(
            isinstance(s, dict) and isinstance(s.get("digest"), dict) for s in subjects
        ):
            raise ValueError("each subject needs a digest set")
        predicate = data.get("predicate", {})
        if not isinstance(predicate, dict):
            raise ValueError("predicate is not an object")
        return cls(
            tuple(Subject(str(s.get("name", "")), s["digest"]) for s in subjects), data["predicateType"], predicate
        )


@dataclass(frozen=True, slots=True)
class Attestation:
    """A statement with who signed it and when: what views and gates are functions of."""

    statement: Statement
    id: str
    """``sha256:`` and the digest of the bytes that were signed; names the statement for good."""
    time: datetime
    """When it was logged, as the log says; UTC."""
    role: str = ""
    """As what the signer is trusted: ``maker``, ``hub``, ``auditor`` or ``community``; empty when by nobody."""
    signer: str = ""
    """Who signed, as the trust file names them."""
    keyid: str = ""
    """Id of the key that signed."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a policy decided in one context."""

    outcome: Outcome
    context: str
    reasons: Sequence[str]
    """One sentence per requirement that was not met or could not be judged; empty when all were met."""
    policy: Mapping[str, str] = field(default_factory=dict)
    """Digest of the policy that decided."""
