"""Statements that people make: written by hand or by options, checked, signed, and read back from anybody.

A record becomes an in-toto Statement of the type ``urn:hallmarked:NAME:v1``, whose predicate is described by the JSON
Schema ``NAME.v1.schema.json`` beside the module. Who reads a record of somebody else passes over fields that nobody
knows here (https://github.com/in-toto/attestation/blob/main/spec/v1/README.md#parsing-rules); the statement keeps them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Self, TypeVar

from hallmarked.core.errors import FormatError
from hallmarked.core.evidence import Attestation, Statement, Subject
from hallmarked.records.field import Reader, write

MOST_PROBLEMS = 5
"""Problems that one message tells of."""


class Invalid(FormatError):
    """A record that does not say what it should. ``problems`` has each field with what is wrong with it."""

    def __init__(self, name: str, problems: list[tuple[str, str]]) -> None:
        shown = "; ".join(f"{field} {problem}".strip() for field, problem in problems[:MOST_PROBLEMS])
        more = f"; and {len(problems) - MOST_PROBLEMS} more" if len(problems) > MOST_PROBLEMS else ""
        super().__init__(f"this is no valid {name}: {shown}{more}")
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What every kind of record has."""

    NAME: ClassVar[str]
    """In commands and predicate types, such as ``waiver``."""
    TITLE: ClassVar[str]
    """What it is for, as a short sentence."""
    BY_HAND: ClassVar[bool] = True
    """Whether people write it field by field; others come from a command that knows more than the fields."""

    @classmethod
    def predicate_type(cls) -> str:
        """Return the type of the predicate of its statements."""
        return f"urn:hallmarked:{cls.NAME}:v1"

    @property
    def sentence(self) -> str:
        """What is stated, as a sentence for people."""
        raise NotImplementedError

    def problems(self) -> Iterable[tuple[str, str]]:
        """Yield what is wrong with fields that fit one by one and not together: the field, and what is wrong."""
        return ()

    @classmethod
    def matches(cls, statement: Statement) -> bool:
        """Say whether a statement is, or says it is, of this kind."""
        return statement.predicate_type == cls.predicate_type()

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> Self:
        """Make a record of what somebody wrote by hand, or chose by options.

        Raises:
            Invalid: When a field is missing, unknown or holds something else than it should.
        """
        return cls._read(said, by_hand=True)

    @classmethod
    def of_predicate(cls, predicate: Mapping[str, Any]) -> Self:
        """Read the predicate of a statement, whoever made it.

        Raises:
            Invalid: When it does not say what it should.
        """
        return cls._read(predicate, by_hand=False)

    def predicate(self) -> dict[str, Any]:
        """Return the predicate of its statement."""
        written: dict[str, Any] = write(self)
        return written

    def to_statement(self, *subjects: Subject) -> Statement:
        """Write it as a statement about something; the caller signs it."""
        return Statement(subjects, self.predicate_type(), self.predicate())

    @classmethod
    def _read(cls, said: Mapping[str, Any], *, by_hand: bool) -> Self:
        reader = Reader(by_hand=by_hand)
        made = reader.read(cls, said)
        if made is not None:
            reader.problems += made.problems()
        if reader.problems:
            raise Invalid(cls.NAME, reader.problems)
        assert isinstance(made, cls)
        return made


R_co = TypeVar("R_co", bound=Record, covariant=True)
R = TypeVar("R", bound=Record)


@dataclass(frozen=True, slots=True)
class Signed(Generic[R_co]):
    """A record with who signed it and when."""

    record: R_co
    source: Attestation

    @property
    def by(self) -> str:
        """Who signed, for people."""
        return name_signer(self.source)


def name_signer(source: Attestation) -> str:
    """Return who signed, for people: the name in the trust file, or the beginning of the key's id."""
    if source.signer:
        return f"{source.signer} ({source.role})" if source.role else source.signer
    return f"key {source.keyid[:16]}" if source.keyid else "nobody known"


def records(kind: type[R], attestations: Iterable[Attestation]) -> list[Signed[R]]:
    """Return the records of a kind among statements, oldest first. Those that cannot be read are passed over.

    See :func:`read_all` for these.
    """
    return read_all(kind, attestations)[0]


def read_all(
    kind: type[R], attestations: Iterable[Attestation]
) -> tuple[list[Signed[R]], list[tuple[Attestation, str]]]:
    """Return the records of a kind among statements, oldest first, and those that cannot be read, with the reason."""
    found: list[Signed[R]] = []
    wrong: list[tuple[Attestation, str]] = []
    for one in sorted(attestations, key=lambda each: each.time):
        if kind.matches(one.statement):
            try:
                found.append(Signed(kind.of_predicate(one.statement.predicate), one))
            except Invalid as error:
                wrong.append((one, str(error)))
    return found, wrong
