"""Read an edition of a framework from TOML files.

The parts are read as one: the controls, and beside them answers that several editions share, or summaries in another
language. Everything that is wrong with a file is said at once, each with its line.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any, TypeVar

from hallmarked.core.errors import InputError
from hallmarked.ledger.trust import SIGNER_ROLES
from hallmarked.policy.requirement import WORST, Operator, Requirement
from hallmarked.profiles.framework import NAME, Answer, Audience, Condition, Control, Framework, Group
from hallmarked.profiles.language import Text

KNOWN = tuple(sorted(SIGNER_ROLES))
"""Whose statements count where a requirement does not say: those of everybody whom somebody here trusts."""
MOST_BYTES = 4 << 20
MOST_CONTROLS = 5_000
MOST_TEXT = 4_000
MOST_SHOWN = 10
_TABLES = frozenset({"framework", "group", "tag", "condition", "answer", "control", "summary"})
_DAYS = re.compile(r"(\d{1,5})d")
_FIELDS: Mapping[str, frozenset[str]] = {
    "framework": frozenset({"id", "edition", "title", "source", "date", "note"}),
    "group": frozenset({"title", "function"}),
    "condition": frozenset({"when", "reason"}),
    "answer": frozenset({"evidence", "documents", "organisational", "unless", "shows", "needs"}),
    "control": frozenset({"id", "group", "answer", "summary", "tags", "page", "printed_id", "audience", "unless"}),
    "requirement": frozenset({"path", "op", "value", "slice", "min_n", "max_age", "by", "check"}),
}


_T = TypeVar("_T")


class _Wrong(ValueError):
    """Something in a file that cannot be used."""


def read_framework(parts: Mapping[str, bytes]) -> Framework:
    """Read an edition from its files.

    Args:
        parts: Content by file name. Their order does not matter.

    Raises:
        InputError: When they are no edition of a framework; the message says all that is wrong, and where.
    """
    reader = _Reader(parts)
    framework = reader.read()
    if reader.problems:
        shown = reader.problems[:MOST_SHOWN]
        more = len(reader.problems) - len(shown)
        raise InputError("; ".join(shown) + (f"; and {more} more" if more else ""))
    assert framework is not None
    return framework


class _Reader:
    """Gathers what is wrong while it reads."""

    def __init__(self, parts: Mapping[str, bytes]) -> None:
        self.problems: list[str] = []
        self.tables: dict[str, Any] = {}
        self.texts: dict[str, str] = {}
        self.digest = hashlib.sha256()
        for name, data in sorted(parts.items()):
            self.digest.update(hashlib.sha256(data).digest())
            self._load(name, data)

    def read(self) -> Framework | None:
        """Return the edition; None when something is wrong that leaves nothing to return."""
        if self.problems:
            return None
        head = self._table("framework")
        groups = self._each("group", self._group)
        tags = self._each("tag", lambda _, row: self._text({"tag": row}, "tag"))
        conditions = self._each("condition", self._condition)
        answers = self._each("answer", self._answer)
        controls = list(self._controls())
        self._check_links(controls, groups, tags, conditions, answers)
        named = self._try("[framework]", "framework", lambda: self._head(head, controls))
        if self.problems or named is None:
            return None
        return Framework(
            **named,
            controls=tuple(controls),
            answers=answers,
            conditions=conditions,
            groups=groups,
            tags=tags,
            digest=self.digest.hexdigest(),
        )

    def _load(self, name: str, data: bytes) -> None:
        if len(data) > MOST_BYTES:
            self.problems.append(f"{name} is larger than {MOST_BYTES >> 20} MiB")
            return
        try:
            text = data.decode("utf-8")
            found = tomllib.loads(text)
        except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
            self.problems.append(f"{name} is not TOML: {error}")
            return
        self.texts[name] = text
        for key, value in found.items():
            if key not in _TABLES:
                self.problems.append(f"{name}{self._line(name, key)}: “{key}” is not known")
            elif key == "control" and isinstance(value, list):
                self.tables.setdefault(key, []).extend(value)
            elif key == "control" or not isinstance(value, dict):
                self.problems.append(f"{name}{self._line(name, key)}: “{key}” is not a table")
            else:
                self._merge(name, key, value)

    def _merge(self, name: str, key: str, value: Mapping[str, Any]) -> None:
        known = self.tables.setdefault(key, {})
        for twice in sorted(known.keys() & value.keys()):
            self.problems.append(f"{name}: “{key}.{twice}” is said in two files")
        known.update(value)

    def _head(self, head: Mapping[str, Any], controls: list[Control]) -> dict[str, Any]:
        _known(head, "framework")
        if not controls:
            raise _Wrong("there is no control")
        return {
            "id": _name(head, "id"),
            "edition": _name(head, "edition"),
            "title": self._text(head, "title"),
            "source": _string(head, "source"),
            "date": _string(head, "date"),
            "note": self._text(head, "note") if "note" in head else {},
        }

    def _controls(self) -> Iterator[Control]:
        rows = self.tables.get("control", [])
        if len(rows) > MOST_CONTROLS:
            self.problems.append(f"there are {len(rows):,} controls; {MOST_CONTROLS:,} is the most")
            return
        seen: set[str] = set()
        for number, row in enumerate(rows, 1):
            name = row.get("id") if isinstance(row, dict) else None
            label = name if isinstance(name, str) else f"number {number}"
            control = self._try(f"control {label}", str(name), lambda row=row: self._control(row))  # type: ignore[misc]
            if control is None:
                continue
            if control.id in seen:
                self._wrong(control.id, f"control {control.id} is there twice")
            seen.add(control.id)
            yield control
        for language, each in self.tables.get("summary", {}).items():
            for name in sorted(set(each if isinstance(each, dict) else ()) - seen):
                self._wrong(name, f"a summary in “{language}” is of {name}, which is no control")

    def _control(self, row: Any) -> Control:
        _known(row, "control")
        name = _name(row, "id")
        page = row.get("page")
        if page is not None and (not isinstance(page, int) or isinstance(page, bool) or not 0 < page < 100_000):
            raise _Wrong("“page” is no page number")
        return Control(
            name,
            _named(_string(row, "group")),
            _name(row, "answer"),
            self._summary(name, row),
            _strings(row, "tags"),
            page,
            _string(row, "printed_id"),
            self._audience(row),
            _strings(row, "unless"),
        )

    def _summary(self, name: str, row: Mapping[str, Any]) -> Text:
        texts = dict(self._text(row, "summary")) if "summary" in row else {}
        for language, each in self.tables.get("summary", {}).items():
            if isinstance(each, dict) and name in each:
                texts |= self._words({language: each[name]}, f"summary.{language}")
        if "en" not in texts:
            raise _Wrong("“summary” is missing in English")
        return texts

    def _audience(self, row: Mapping[str, Any]) -> frozenset[Audience]:
        if "audience" not in row:
            return frozenset(Audience)
        named = _strings(row, "audience")
        if not named or not set(named) <= set(Audience):
            raise _Wrong(f"“audience” names one or more of {', '.join(Audience)}")
        return frozenset(map(Audience, named))

    def _answer(self, name: str, row: Mapping[str, Any]) -> Answer:
        _known(row, "answer")
        organisational = row.get("organisational", False)
        if not isinstance(organisational, bool):
            raise _Wrong("“organisational” is neither true nor false")
        evidence = self._requirements(row, "evidence", name)
        if evidence and "shows" not in row:
            raise _Wrong("“shows” is missing: what the evidence shows")
        documents = self._documents(row, name)
        shows = self._text(row, "shows") if "shows" in row else {}
        needs = self._text(row, "needs")
        return Answer(name, evidence, documents, organisational, _strings(row, "unless"), shows, needs)

    def _group(self, name: str, row: Mapping[str, Any]) -> Group:
        _known(row, "group")
        return Group(name, self._text(row, "title"), _string(row, "function"))

    def _condition(self, name: str, row: Mapping[str, Any]) -> Condition:
        _known(row, "condition")
        when = self._requirements(row, "when", name)
        if not when:
            raise _Wrong("“when” is empty, so that it would never hold")
        return Condition(name, when, self._text(row, "reason"))

    def _documents(self, row: Mapping[str, Any], owner: str) -> tuple[tuple[Requirement, ...], ...]:
        """Read alternatives: each a requirement, or a list of several that belong together."""
        listed = row.get("documents", [])
        if not isinstance(listed, list):
            raise _Wrong("“documents” is not a list of requirements")
        return tuple(
            self._requirements({"documents": each if isinstance(each, list) else [each]}, "documents", owner)
            for each in listed
        )

    def _requirements(self, row: Mapping[str, Any], key: str, owner: str) -> tuple[Requirement, ...]:
        listed = row.get(key, [])
        if not isinstance(listed, list):
            raise _Wrong(f"“{key}” is not a list of requirements")
        return tuple(_requirement(each, f"{owner}-{number}") for number, each in enumerate(listed, 1))

    def _text(self, row: Mapping[str, Any], key: str) -> Text:
        value = row.get(key)
        if not isinstance(value, dict) or "en" not in value:
            raise _Wrong(f"“{key}” is missing, or has no English text")
        return self._words(value, key)

    def _words(self, value: Mapping[str, Any], key: str) -> dict[str, str]:
        for language, text in value.items():
            if not isinstance(text, str) or not text.strip() or len(text) > MOST_TEXT:
                raise _Wrong(f"“{key}” in “{language}” is no text of 1 to {MOST_TEXT:,} characters")
        return dict(value)

    def _check_links(
        self,
        controls: list[Control],
        groups: Mapping[str, Group],
        tags: Mapping[str, Text],
        conditions: Mapping[str, Condition],
        answers: Mapping[str, Answer],
    ) -> None:
        for control in controls:
            if control.group not in groups:
                self._wrong(control.id, f"control {control.id} is in a group {control.group}, which is not described")
            if control.answer not in answers:
                self._wrong(control.id, f"control {control.id} names an answer {control.answer}, which is not there")
            for tag in set(control.tags) - tags.keys():
                self._wrong(control.id, f"control {control.id} has a tag {tag}, which is not described")
            for name in set(control.unless) - conditions.keys():
                self._wrong(control.id, f"control {control.id} names a condition {name}, which is not there")
        for answer in answers.values():
            for name in set(answer.unless) - conditions.keys():
                self._wrong(answer.id, f"answer {answer.id} names a condition {name}, which is not there")

    def _table(self, key: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.tables.get(key, {})
        return found

    def _each(self, key: str, make: Callable[[str, Any], _T]) -> dict[str, _T]:
        made: dict[str, _T] = {}
        for name, row in self._table(key).items():
            found = self._try(f"{key} {name}", name, lambda name=name, row=row: make(_named(name), row))  # type: ignore[misc]
            if found is not None:
                made[name] = found
        return made

    def _try(self, label: str, where: str, make: Callable[[], _T]) -> _T | None:
        try:
            return make()
        except _Wrong as error:
            self._wrong(where, f"{label}: {error}")
            return None

    def _wrong(self, where: str, message: str) -> None:
        """Note something wrong, with the file and line where its name stands."""
        for name in self.texts:
            if line := self._line(name, where):
                self.problems.append(f"{name}{line}: {message}")
                return
        self.problems.append(f"{', '.join(self.texts)}: {message}")

    def _line(self, name: str, key: str) -> str:
        """Return where a table or control is declared; empty when that cannot be told."""
        declared = re.compile(
            rf'^\s*(?:\[+.*?"?{re.escape(key)}"?\]+|id\s*=\s*"{re.escape(key)}"|"?{re.escape(key)}"?\s*=)', re.MULTILINE
        )
        found = declared.search(self.texts.get(name, ""))
        return f", line {self.texts[name].count(chr(10), 0, found.end()) + 1}" if found else ""


def _requirement(row: Any, name: str) -> Requirement:
    _known(row, "requirement")
    try:
        op = Operator(row.get("op", Operator.PRESENT))
    except ValueError as error:
        raise _Wrong(f"“{row.get('op')}” is no operator; there are: {', '.join(Operator)}") from error
    value = row.get("value", "")
    several = isinstance(value, list) and bool(value) and all(isinstance(each, str) for each in value)
    if several != (op is Operator.IN) or not (several or isinstance(value, str)):
        raise _Wrong(
            f"“value” of {op} is {'a list of texts' if op is Operator.IN else 'a text, also where it is a number'}"
        )
    if (op in {Operator.PRESENT, Operator.ABSENT}) == bool(value):
        raise _Wrong(f"“value” is {'not for' if value else 'missing for'} the operator {op}")
    if op is Operator.ABSENT and not _string(row, "check"):
        raise _Wrong("“absent” needs “check”: the check that must have looked")
    least = row.get("min_n", 0)
    if not isinstance(least, int) or isinstance(least, bool) or not 0 <= least < 1 << 53:
        raise _Wrong("“min_n” is no whole number")
    path = _string(row, "path")
    if not path or len(path) > 200:
        raise _Wrong("“path” is missing, or too long")
    return Requirement(
        name,
        path,
        op,
        tuple(value) if several else value,
        _slice(row),
        least,
        _age(row),
        _strings(row, "by") or KNOWN,
        _string(row, "check"),
    )


def _slice(row: Mapping[str, Any]) -> Mapping[str, str] | str:
    value = row.get("slice", {})
    if value == WORST:
        return WORST
    if not isinstance(value, dict) or not all(isinstance(each, str) for each in value.values()):
        raise _Wrong("“slice” is neither “worst” nor a table of texts")
    return value


def _age(row: Mapping[str, Any]) -> timedelta | None:
    if "max_age" not in row:
        return None
    match = _DAYS.fullmatch(_string(row, "max_age"))
    if match is None:
        raise _Wrong("“max_age” is no number of days such as “90d”")
    return timedelta(days=int(match[1]))


def _known(row: Any, kind: str) -> None:
    if not isinstance(row, dict):
        raise _Wrong("it is not a table")
    unknown = sorted(row.keys() - _FIELDS[kind])
    if unknown:
        raise _Wrong(f"“{unknown[0]}” is not known; there are: {', '.join(sorted(_FIELDS[kind]))}")


def _named(name: str) -> str:
    if not NAME.fullmatch(name.replace(" ", "-")):
        raise _Wrong("the name is not made of letters, digits, “.”, “_” and “-”")
    return name


def _name(row: Mapping[str, Any], key: str) -> str:
    value = row.get(key)
    if not isinstance(value, str):
        raise _Wrong(f"“{key}” is missing, or no text")
    if " " in value:
        raise _Wrong(f"“{key}” holds a space")
    return _named(value)


def _string(row: Mapping[str, Any], key: str) -> str:
    value = row.get(key, "")
    if not isinstance(value, str) or len(value) > MOST_TEXT:
        raise _Wrong(f"“{key}” is no text of at most {MOST_TEXT:,} characters")
    return value


def _strings(row: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = row.get(key, [])
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise _Wrong(f"“{key}” is not a list of texts")
    return tuple(value)
