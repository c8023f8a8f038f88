"""Read an edition of a framework from TOML files.

The parts are read as one: the controls, and beside them answers that several editions share, or summaries in another
language. Everything that is wrong with a file is said at once, each with its line.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from hallmarked.core.errors import FormatError, InputError
from hallmarked.formats.toml import read_toml
from hallmarked.policy.requirement import Requirement
from hallmarked.profiles import field
from hallmarked.profiles.framework import Answer, Audience, Condition, Control, Framework, Group
from hallmarked.profiles.language import Text

MOST_BYTES = 4 << 20
MOST_CONTROLS = 5_000
MOST_SHOWN = 10
_TABLES = frozenset({"framework", "group", "tag", "condition", "answer", "control", "summary"})
_T = TypeVar("_T")


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
            found = read_toml(data, most=MOST_BYTES, parse_float=float)
        except FormatError as error:
            self.problems.append(f"{name} is {error}")
            return
        self.texts[name] = data.decode("utf-8")
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
        field.check_known(head, "framework")
        if not controls:
            raise field.Wrong("there is no control")
        return {
            "id": field.read_name(head, "id"),
            "edition": field.read_name(head, "edition"),
            "title": self._text(head, "title"),
            "source": field.read_string(head, "source"),
            "date": field.read_string(head, "date"),
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
        field.check_known(row, "control")
        name = field.read_name(row, "id")
        page = row.get("page")
        if page is not None and (not isinstance(page, int) or isinstance(page, bool) or not 0 < page < 100_000):
            raise field.Wrong("“page” is no page number")
        return Control(
            name,
            field.check_name(field.read_string(row, "group")),
            field.read_name(row, "answer"),
            self._summary(name, row),
            field.read_strings(row, "tags"),
            page,
            field.read_string(row, "printed_id"),
            self._audience(row),
            field.read_strings(row, "unless"),
        )

    def _summary(self, name: str, row: Mapping[str, Any]) -> Text:
        texts = dict(self._text(row, "summary")) if "summary" in row else {}
        for language, each in self.tables.get("summary", {}).items():
            if isinstance(each, dict) and name in each:
                texts |= self._words({language: each[name]}, f"summary.{language}")
        if "en" not in texts:
            raise field.Wrong("“summary” is missing in English")
        return texts

    def _audience(self, row: Mapping[str, Any]) -> frozenset[Audience]:
        if "audience" not in row:
            return frozenset(Audience)
        named = field.read_strings(row, "audience")
        if not named or not set(named) <= set(Audience):
            raise field.Wrong(f"“audience” names one or more of {', '.join(Audience)}")
        return frozenset(map(Audience, named))

    def _answer(self, name: str, row: Mapping[str, Any]) -> Answer:
        field.check_known(row, "answer")
        organisational = row.get("organisational", False)
        if not isinstance(organisational, bool):
            raise field.Wrong("“organisational” is neither true nor false")
        evidence = self._requirements(row, "evidence", name)
        any_of = self._requirements(row, "any_of", name)
        if (evidence or any_of) and "shows" not in row:
            raise field.Wrong("“shows” is missing: what the evidence shows")
        documents = self._documents(row, name)
        shows = self._text(row, "shows") if "shows" in row else {}
        needs = self._text(row, "needs")
        return Answer(
            name, evidence, any_of, documents, organisational, field.read_strings(row, "unless"), shows, needs
        )

    def _group(self, name: str, row: Mapping[str, Any]) -> Group:
        field.check_known(row, "group")
        return Group(name, self._text(row, "title"), field.read_string(row, "function"))

    def _condition(self, name: str, row: Mapping[str, Any]) -> Condition:
        field.check_known(row, "condition")
        when = self._requirements(row, "when", name)
        if not when:
            raise field.Wrong("“when” is empty, so that it would never hold")
        return Condition(name, when, self._text(row, "reason"))

    def _documents(self, row: Mapping[str, Any], owner: str) -> tuple[tuple[Requirement, ...], ...]:
        """Read alternatives: each a requirement, or a list of several that belong together."""
        listed = row.get("documents", [])
        if not isinstance(listed, list):
            raise field.Wrong("“documents” is not a list of requirements")
        return tuple(
            self._requirements({"documents": each if isinstance(each, list) else [each]}, "documents", owner)
            for each in listed
        )

    def _requirements(self, row: Mapping[str, Any], key: str, owner: str) -> tuple[Requirement, ...]:
        listed = row.get(key, [])
        if not isinstance(listed, list):
            raise field.Wrong(f"“{key}” is not a list of requirements")
        return tuple(field.read_requirement(each, f"{owner}-{number}") for number, each in enumerate(listed, 1))

    def _text(self, row: Mapping[str, Any], key: str) -> Text:
        value = row.get(key)
        if not isinstance(value, dict) or "en" not in value:
            raise field.Wrong(f"“{key}” is missing, or has no English text")
        return self._words(value, key)

    def _words(self, value: Mapping[str, Any], key: str) -> dict[str, str]:
        for language, text in value.items():
            if not isinstance(text, str) or not text.strip() or len(text) > field.MOST_TEXT:
                raise field.Wrong(f"“{key}” in “{language}” is no text of 1 to {field.MOST_TEXT:,} characters")
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
            found = self._try(f"{key} {name}", name, lambda name=name, row=row: make(field.check_name(name), row))  # type: ignore[misc]
            if found is not None:
                made[name] = found
        return made

    def _try(self, label: str, where: str, make: Callable[[], _T]) -> _T | None:
        try:
            return make()
        except field.Wrong as error:
            self._wrong(where, f"{label}: {error}")
            return None

    def _wrong(self, where: str, message: str) -> None:
        """Note something wrong, with file and line; these are looked up only for what is going to be shown."""
        for name in self.texts if len(self.problems) < MOST_SHOWN else ():
            if line := self._line(name, where):
                self.problems.append(f"{name}{line}: {message}")
                return
        self.problems.append(f"{', '.join(self.texts)}: {message}")

    def _line(self, name: str, key: str) -> str:
        """Return where a table or control is declared; empty when that cannot be told."""
        written = rf'"?{re.escape(key)}"?'
        declared = re.compile(
            rf"^[ \t]{{0,40}}(?:\[{{1,2}}[^\]\n]{{0,200}}?{written}\]|id[ \t]*=[ \t]*{written}|{written}[ \t]*=)",
            re.MULTILINE,
        )
        found = declared.search(self.texts.get(name, ""))
        return f", line {self.texts[name].count(chr(10), 0, found.end()) + 1}" if found else ""
