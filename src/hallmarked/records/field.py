"""What a field of a record may hold, said once: for people, for the reader, for the writer and for the JSON Schema.

A record is a frozen dataclass whose fields are declared as ``Annotated[type, Say(…)]``. Types are texts, words of an
enumeration, whole numbers, yes or no, moments, mappings of texts, other such dataclasses, things named by digest
(:class:`hallmarked.core.evidence.Subject`), and tuples of these. Fields with a default may be left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import StrEnum
from functools import cache
from types import NoneType
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from hallmarked.core.errors import VerificationError
from hallmarked.core.evidence import Subject
from hallmarked.core.text import clean, is_invisible
from hallmarked.ledger.strict import format_time, parse_time

MOST_NUMBER = 1 << 53
"""Larger whole numbers cannot be written as JSON without loss."""
DECIMAL = r"-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,60})?"
"""Pattern of decimal numbers as text."""
WORD = r"[a-z0-9]([a-z0-9._-]{0,98}[a-z0-9])?"
"""Pattern of short names that programs use."""
STATEMENT = r"sha256:[0-9a-f]{64}"
"""Pattern of the id of a statement."""
COUNT = r"[1-9][0-9]{0,24}"
"""Pattern of whole numbers above 0 as text, which may be larger than JSON holds."""
SHARE = r"0(\.[0-9]{1,12})?|1(\.0{1,12})?"
"""Pattern of parts of a whole as decimal text."""
_HINTS = {
    DECIMAL: "must be a decimal number",
    COUNT: "must be a whole number above 0",
    SHARE: "must be a decimal number from 0 to 1",
}
_ALGORITHM, _HEX = re.compile(r"[A-Za-z0-9]{1,32}"), re.compile(r"[0-9a-f]{8,256}")
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


@dataclass(frozen=True, slots=True)
class Say:
    """What one field means, and how much it may hold."""

    help: str
    """For people, as a sentence."""
    most: int = 500
    """Characters of a text."""
    count: int = 100
    """Entries of a list or mapping."""
    pattern: str = ""
    """Regular expression that a text, or each value of a mapping, matches as a whole."""
    hint: str = ""
    """What to write, when the pattern does not match."""
    end: bool = False
    """A day, written in place of a moment, means its last second and not its first."""
    number: bool = False
    """A text that is a decimal number; whoever writes it by hand may leave the quotes away."""
    option: str = ""
    """What its option on the command line is called, where its own name means something else."""
    digests: bool = False
    """A mapping of files to digests, which a program can fill in from patterns of paths."""


@dataclass(frozen=True, slots=True)
class Declared:
    """A field as it was declared."""

    name: str
    """In Python."""
    key: str
    """In JSON."""
    kind: Any
    say: Say
    required: bool

    @property
    def option(self) -> str:
        """Its option on the command line."""
        return f"--{self.say.option or self.name.replace('_', '-')}"


class Unfit(Exception):
    """A value does not fit its field; the text says why. Never leaves the reader."""


def declared(kind: type) -> tuple[Declared, ...]:
    """Return the fields of a record, in order."""
    return _declared_once(kind)


@cache
def _declared_once(kind: Any) -> tuple[Declared, ...]:
    hints = get_type_hints(kind, include_extras=True)
    return tuple(_declared(each, hints[each.name]) for each in fields(kind) if each.init)


def _declared(each: Field[Any], hint: Any) -> Declared:
    assert get_origin(hint) is Annotated, each.name
    inner, *notes = get_args(hint)
    if NoneType in get_args(inner):  # None is what a field holds that was left out
        inner = next(kind for kind in get_args(inner) if kind is not NoneType)
    say = next(note for note in notes if isinstance(note, Say))
    first, *rest = each.name.split("_")
    required = each.default is MISSING and each.default_factory is MISSING
    return Declared(each.name, first + "".join(map(str.title, rest)), inner, say, required)


class Reader:
    """Reads JSON objects into records and gathers all that is wrong with them.

    Args:
        by_hand: Somebody wrote it by hand just now: days stand for moments, numbers for texts that are numbers, and a
            field that nobody knows is a mistake. Otherwise such fields are passed over, as in-toto asks of readers.
    """

    def __init__(self, *, by_hand: bool) -> None:
        self.by_hand = by_hand
        self.problems: list[tuple[str, str]] = []
        """Field, and what is wrong with it."""

    def read(self, kind: type, row: object, inside: str = "") -> Any:
        """Read an object; ``None`` when it does not fit, with the reasons in ``problems``."""
        if not isinstance(row, Mapping):
            self.problems.append((inside, "must have named fields"))
            return None
        known = {each.key: each for each in declared(kind)}
        if self.by_hand:
            for key in sorted(clean(key)[:60] for key in row.keys() - known.keys())[:5]:
                self.problems.append((f"{inside}{key}", f"is no field here; there are {', '.join(known)}"))
        before, values = len(self.problems), {}
        for key, each in known.items():
            if key not in row:
                if each.required:
                    self.problems.append((f"{inside}{key}", "is missing"))
                continue
            try:
                values[each.name] = self._value(each.kind, each.say, row[key], f"{inside}{key}")
            except Unfit as error:
                self.problems.append((f"{inside}{key}", str(error)))
        return kind(**values) if len(self.problems) == before else None

    def _value(self, kind: Any, say: Say, value: object, where: str) -> Any:
        origin = get_origin(kind)
        if origin is tuple:
            return self._list(get_args(kind)[0], say, value, where)
        if origin is Mapping:
            return self._mapping(say, value)
        if kind is Subject:
            return read_subject(value)
        if is_dataclass(kind):
            return self.read(kind, value, f"{where}.")  # type: ignore[arg-type]  # a class, never an instance
        if issubclass(kind, StrEnum):
            if value not in [word.value for word in kind]:
                raise Unfit(f"must be one of {', '.join(kind)}")
            return kind(value)
        read: Callable[[Say, object], Any] = {str: self._text, datetime: self._time, int: _number, bool: _truth}[kind]
        return read(say, value)

    def _list(self, kind: Any, say: Say, value: object, where: str) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple):
            if not self.by_hand or isinstance(value, Mapping):
                raise Unfit("must be a list")
            value = [value]
        if len(value) > say.count:
            raise Unfit(f"has more than {say.count:,} entries")
        return tuple(self._value(kind, say, item, f"{where}[{at}]") for at, item in enumerate(value))

    def _mapping(self, say: Say, value: object) -> dict[str, str]:
        if not isinstance(value, Mapping):
            raise Unfit("must be pairs of names and texts")
        if len(value) > say.count:
            raise Unfit(f"has more than {say.count:,} entries")
        key = Say("", most=1000)
        return {self._text(key, name): self._text(say, text) for name, text in value.items()}

    def _text(self, say: Say, value: object) -> str:
        if self.by_hand and say.number and isinstance(value, int | float) and not isinstance(value, bool):
            value = format(Decimal(repr(value)), "f")
        if not isinstance(value, str):
            raise Unfit("must be a text")
        if not value.strip():
            raise Unfit("is empty")
        if len(value) > say.most:
            raise Unfit(f"has more than {say.most:,} characters")
        plain = value.isascii() and value.isprintable()  # nearly all are, and this is far cheaper to see
        if not plain and any(is_invisible(mark) and mark not in "\n\t\u200c\u200d" for mark in value):
            raise Unfit("holds characters that do not show")
        if say.pattern and not re.fullmatch(say.pattern, value):
            raise Unfit(say.hint or _hint(say.pattern))
        return value

    def _time(self, say: Say, value: object) -> datetime:
        if self.by_hand:
            value = _moment(value, say)
        try:
            return parse_time(value, "record").replace(tzinfo=UTC)
        except VerificationError:
            raise Unfit("must be a day like 2026-11-21 or a moment like 2026-11-21T09:30:00Z") from None


def _moment(value: object, say: Say) -> object:
    """Return what a file written by hand says of a moment the way statements write it."""
    if isinstance(value, datetime):
        return format_time(value) if value.tzinfo else value
    if isinstance(value, str) and _DAY.fullmatch(value):
        try:
            value = date.fromisoformat(value)
        except ValueError:
            return value
    if isinstance(value, date):
        return format_time(datetime.combine(value, time(23, 59, 59) if say.end else time(), UTC))
    return value


def _number(_say: Say, value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < MOST_NUMBER:
        raise Unfit("must be a whole number, not below 0")
    return value


def _truth(_say: Say, value: object) -> bool:
    if not isinstance(value, bool):
        raise Unfit("must be true or false")
    return value


def read_subject(value: object) -> Subject:
    """Read something that is named by its digest (an in-toto ResourceDescriptor).

    Raises:
        Unfit: When it is not.
    """
    row = value if isinstance(value, Mapping) else {}
    name, digest = row.get("name", ""), row.get("digest")
    if not isinstance(name, str) or len(name) > 1000 or any(map(is_invisible, name)):
        raise Unfit("has a name that is no text")
    if not isinstance(digest, Mapping) or not 0 < len(digest) <= 10:
        raise Unfit("needs a digest, such as digest = {sha256 = …}")
    for algorithm, hexadecimal in digest.items():
        fits = isinstance(algorithm, str) and isinstance(hexadecimal, str)
        if not fits or not _ALGORITHM.fullmatch(algorithm) or not _HEX.fullmatch(hexadecimal):
            raise Unfit("has a digest that is not lower-case hexadecimal")
    return Subject(name, dict(digest))


def write(value: Any) -> Any:
    """Write a record, or a part of one, as JSON. Fields that hold their default are left out."""
    if isinstance(value, tuple):
        return [write(item) for item in value]
    if is_dataclass(value) and not isinstance(value, type):
        return _write_object(value)
    for kind, how in _WRITERS.items():
        if isinstance(value, kind):
            return how(value)
    return value


_WRITERS: Mapping[Any, Callable[[Any], Any]] = {datetime: format_time, StrEnum: str, Mapping: dict}


def _write_object(value: Any) -> dict[str, Any]:
    if isinstance(value, Subject):
        return {"name": value.name, "digest": dict(value.digest)}
    defaults = {each.name: _default(each) for each in fields(value)}
    said = {each.key: (getattr(value, each.name), defaults[each.name]) for each in declared(value.__class__)}
    return {key: write(held) for key, (held, default) in said.items() if held != default}


def _default(each: Field[Any]) -> Any:
    return each.default_factory() if each.default_factory is not MISSING else each.default


def _hint(pattern: str) -> str:
    """Say for people what a text has to look like."""
    if re.fullmatch(r"[a-z|-]+", pattern):
        return f"must be one of {', '.join(pattern.split('|'))}"
    return _HINTS.get(pattern, f"must look like {pattern}")
