"""Read the key ``hallmarked`` of a card's metadata, strictly, and tell of problems by line.

What is wrong is left out and said, what is unknown is said and kept in the file; nothing is guessed. All problems are
collected, so that one look is enough to correct them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta

from hallmarked.cards.document.declared import (
    ATTESTERS,
    AUDIENCES,
    COMPONENTS,
    KEY,
    Component,
    Declared,
    DeclaredClaim,
    Kind,
    Tier,
)
from hallmarked.cards.document.rule import IMPOSSIBLE, TWICE, UNKNOWN, WRONG
from hallmarked.core.evidence import Finding, Location, Rule
from hallmarked.formats.document import Path
from hallmarked.policy.requirement import WORST, Operator

MAX_CLAIMS = 2_000
MAX_COMPONENTS = 2_000
MAX_TEXT = 4_000
"""Characters of one text of a claim."""

_ID = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?")
_PATH = re.compile(r"[A-Za-z0-9_-]{1,100}(?:\.[A-Za-z0-9_-]{1,100}){0,20}")
_NUMBER = re.compile(r"[-+]?[0-9]{1,40}(?:\.[0-9]{1,40})?(?:[eE][-+]?[0-9]{1,3})?")
_AGE = re.compile(r"([1-9][0-9]{0,4})([dwmy])")
_DAYS = {"d": 1, "w": 7, "m": 30, "y": 365}
_TAG = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8}){0,8}")
_HEX = re.compile(r"[0-9a-f]{8,128}")


def read_declared(
    data: Mapping[str, object], line_of: Callable[[Path], int], file: str = "README.md"
) -> tuple[Declared, tuple[Finding, ...]]:
    """Read the section ``hallmarked`` of a card's metadata.

    Args:
        data: Metadata of the card.
        line_of: Gives the line of a node.
        file: Name of the card, for messages.

    Returns:
        What could be understood, and what is wrong, by line. A claim or component with an error is left out.
    """
    if KEY not in data:
        return Declared(), ()
    reader = _Reader(line_of, file)
    declared = reader.read(data[KEY])
    return declared, tuple(sorted(reader.findings, key=lambda finding: (finding.location or Location(file)).line or 0))


class _Reader:
    """Reads the section, and notes what is wrong on the way."""

    def __init__(self, line_of: Callable[[Path], int], file: str) -> None:
        self._line_of, self._file = line_of, file
        self.findings: list[Finding] = []
        self._errors = 0

    def read(self, section: object) -> Declared:
        """Read the whole section."""
        path: Path = (KEY,)
        line = self._line_of(path)
        if not isinstance(section, Mapping):
            self._note(WRONG, path, f"{KEY} holds {_shown(section)}, not “key: value” lines")
            return Declared(present=True, line=line)
        self._unknown(section, path, ("kind", "tier", "claims", "components"))
        kind = self._choice(section, path, "kind", [kind.value for kind in Kind])
        tier = self._choice(section, path, "tier", [tier.value for tier in Tier])
        components = tuple(self._components(section, path))
        if components and kind != Kind.SYSTEM:
            said = f"a {kind} card" if kind else "a card that does not say “kind: system”"
            self._note(WRONG, (*path, "components"), f"{said} cannot have components; only a system is made of parts")
            components = ()
        return Declared(
            Kind(kind) if kind else None,
            Tier(tier) if tier else None,
            tuple(self._claims(section, path)),
            components,
            present=True,
            line=line,
        )

    def _claims(self, section: Mapping[object, object], above: Path) -> Iterator[DeclaredClaim]:
        seen: dict[str, int] = {}
        for path, row in self._rows(section, above, "claims", MAX_CLAIMS):
            before = self._errors
            claim = self._claim(row, path)
            if claim.id in seen:
                message = f"the claim {claim.id} is made twice, first on line {seen[claim.id]}"
                self._note(TWICE, (*path, "id"), message)
            elif claim.id:
                seen[claim.id] = claim.line
            if self._errors == before:
                yield claim

    def _claim(self, row: Mapping[object, object], path: Path) -> DeclaredClaim:
        known = ("id", "path", "op", "value", "slice", "min_n", "max_age", "by", "check", "audience", "text")
        self._unknown(row, path, known)
        op = self._choice(row, path, "op", [op.value for op in Operator], rule=IMPOSSIBLE)
        claim = DeclaredClaim(
            self._word(row, path, "id", _ID, "letters, digits, dots and hyphens"),
            self._word(row, path, "path", _PATH, "words joined by dots, such as eval.recall"),
            Operator(op or Operator.PRESENT),
            self._value(row, path),
            self._slice(row, path),
            self._count(row, path),
            self._age(row, path),
            self._choices(row, path, "by", ATTESTERS),
            self._word(row, path, "check", _ID, "the id of a check") if "check" in row else "",
            self._choices(row, path, "audience", AUDIENCES) or ("public",),
            self._texts(row, path),
            self._line_of(path),
        )
        if op or "op" not in row:
            self._fits(claim, row, path)
        return claim

    def _fits(self, claim: DeclaredClaim, row: Mapping[object, object], path: Path) -> None:
        """Say whether operator and value go together."""
        place = (*path, "value") if "value" in row else (*path, "op")
        op, value = claim.op, claim.value
        if "check" in row and op is not Operator.ABSENT:
            self._note(IMPOSSIBLE, (*path, "check"), f"“check” goes with absent, not with {op}")
        if op in {Operator.PRESENT, Operator.ABSENT}:
            if "value" in row:
                self._note(IMPOSSIBLE, place, f"{op} compares with no value, and there is one")
            if op is Operator.ABSENT and "check" not in row:
                message = "absent needs “check”, the check that must have looked: what nobody looked for proves nothing"
                self._note(IMPOSSIBLE, place, message)
            return
        if "value" not in row:
            self._note(IMPOSSIBLE, place, f"{op} compares with a value, and there is none")
        elif op is Operator.IN:
            if "value" in row and not isinstance(row["value"], list):
                self._note(IMPOSSIBLE, place, "in compares with a list of values, and this is one value")
        elif isinstance(value, tuple):
            self._note(IMPOSSIBLE, place, f"{op} compares with one value, and this is a list")
        elif op.orders and value and not _NUMBER.fullmatch(value):
            self._note(IMPOSSIBLE, place, f"{op} compares numbers, and {_shown(value)} is none")
        if claim.slice == WORST and not op.orders:
            message = f"the worst part can only be told by an operator that orders, such as >=, not by {op}"
            self._note(IMPOSSIBLE, (*path, "slice"), message)

    def _value(self, row: Mapping[object, object], path: Path) -> str | tuple[str, ...]:
        value, place = row.get("value"), (*path, "value")
        if "value" not in row:
            return ""
        if not isinstance(value, list):
            return self._scalar(value, place)
        if not 0 < len(value) <= MAX_CLAIMS:
            self._note(IMPOSSIBLE, place, "a list of values needs at least one, and not thousands")
            return ()
        return tuple(self._scalar(item, (*place, index)) for index, item in enumerate(value))

    def _scalar(self, value: object, place: Path) -> str:
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, int) and abs(value) < 10**40:
            return str(value)
        if isinstance(value, str) and 0 < len(value) <= MAX_TEXT:
            return value
        quotes = isinstance(value, float)
        hint = "write decimals between quotes, so that no digit is lost" if quotes else "write a word or a number"
        self._note(WRONG, place, f"the value is {_shown(value)}; {hint}")
        return ""

    def _slice(self, row: Mapping[object, object], path: Path) -> Mapping[str, str] | str:
        value, place = row.get("slice"), (*path, "slice")
        if value is None or value == WORST:
            return WORST if value else {}
        if not isinstance(value, Mapping) or not 0 < len(value) <= 20:
            self._note(WRONG, place, f"slice is {_shown(value)}; write “worst”, or what the part is: {{group: women}}")
            return {}
        return {str(key): self._scalar(item, (*place, str(key))) for key, item in value.items()}

    def _count(self, row: Mapping[object, object], path: Path) -> int:
        value = row.get("min_n", 0)
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**15:
            return value
        self._note(WRONG, (*path, "min_n"), f"min_n is {_shown(value)}; write how many must have been looked at")
        return 0

    def _age(self, row: Mapping[object, object], path: Path) -> timedelta | None:
        if "max_age" not in row:
            return None
        value = row["max_age"]
        match = _AGE.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            self._note(WRONG, (*path, "max_age"), f"max_age is {_shown(value)}; write days, such as 90d")
            return None
        return timedelta(days=int(match[1]) * _DAYS[match[2]])

    def _texts(self, row: Mapping[object, object], path: Path) -> Mapping[str, str]:
        value, place = row.get("text", {}), (*path, "text")
        if not isinstance(value, Mapping) or len(value) > 200:
            self._note(WRONG, place, f"text is {_shown(value)}; write a sentence for each language: {{en: …, es: …}}")
            return {}
        texts: dict[str, str] = {}
        for key, text in value.items():
            if not _TAG.fullmatch(str(key)):
                self._note(WRONG, (*place, str(key)), f"{_shown(key)} is no language tag, such as en or pt-BR")
            elif not isinstance(text, str) or not 0 < len(text.strip()) <= MAX_TEXT:
                self._note(WRONG, (*place, str(key)), f"the text for {key} is {_shown(text)}; write a sentence")
            else:
                texts[str(key)] = text
        return texts

    def _components(self, section: Mapping[object, object], above: Path) -> Iterator[Component]:
        for path, row in self._rows(section, above, "components", MAX_COMPONENTS):
            before = self._errors
            self._unknown(row, path, ("kind", "name", "digest"))
            kind = self._choice(row, path, "kind", COMPONENTS)
            if "kind" not in row:
                self._note(WRONG, path, "a component needs “kind”: " + ", ".join(COMPONENTS))
            name = row.get("name")
            if not isinstance(name, str) or not 0 < len(name.strip()) <= 500:
                self._note(WRONG, (*path, "name"), f"the name of a component is {_shown(name)}; write which one it is")
                name = ""
            component = Component(kind, name, self._digest(row, path), self._line_of(path))
            if self._errors == before:
                yield component

    def _digest(self, row: Mapping[object, object], path: Path) -> Mapping[str, str]:
        value, place = row.get("digest", {}), (*path, "digest")
        if not isinstance(value, Mapping) or len(value) > 10:
            self._note(WRONG, place, f"digest is {_shown(value)}; write algorithm and value: {{gitCommit: …}}")
            return {}
        digests: dict[str, str] = {}
        for key, text in value.items():
            if isinstance(text, str) and _HEX.fullmatch(text):
                digests[str(key)] = text
            else:
                message = f"the digest {key} is {_shown(text)}; write it in lower-case hexadecimal, between quotes"
                self._note(WRONG, (*place, str(key)), message)
        return digests

    def _rows(
        self, section: Mapping[object, object], above: Path, key: str, most: int
    ) -> Iterator[tuple[Path, Mapping[object, object]]]:
        """Yield the entries of a list of mappings."""
        value, path = section.get(key), (*above, key)
        if value is None:
            return
        if not isinstance(value, list):
            self._note(WRONG, path, f"{key} is {_shown(value)}, not a list")
            return
        if len(value) > most:
            self._note(WRONG, path, f"{key} lists {len(value):,} entries; more than {most:,} are not read")
            return
        for index, row in enumerate(value):
            if isinstance(row, Mapping):
                yield (*path, index), row
            else:
                self._note(WRONG, (*path, index), f"an entry of {key} is {_shown(row)}, not “key: value” lines")

    def _unknown(self, row: Mapping[object, object], path: Path, known: Sequence[str]) -> None:
        for key in row:
            if key not in known:
                message = f"{_shown(key)} is not known here; it is kept, and means nothing"
                self._note(UNKNOWN, (*path, str(key)), message)

    def _word(self, row: Mapping[object, object], path: Path, key: str, form: re.Pattern[str], words: str) -> str:
        value = row.get(key)
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**18:
            value = str(value)
        if isinstance(value, str) and form.fullmatch(value):
            return value
        said = f"{key} is {_shown(value)}" if key in row else f"the claim has no {key}"
        self._note(WRONG, (*path, key), f"{said}; write {words}")
        return ""

    def _choice(
        self, row: Mapping[object, object], path: Path, key: str, known: Sequence[str], rule: Rule = WRONG
    ) -> str:
        value = row.get(key)
        if key not in row:
            return ""
        if isinstance(value, str) and value in known:
            return value
        self._note(rule, (*path, key), f"{key} is {_shown(value)}; it is one of {', '.join(known)}")
        return ""

    def _choices(self, row: Mapping[object, object], path: Path, key: str, known: Sequence[str]) -> tuple[str, ...]:
        if key not in row:
            return ()
        value = row[key]
        listed = value if isinstance(value, list) else [value]
        words = [item for item in listed[: len(known)] if isinstance(item, str) and item in known]
        if not listed or len(words) < len(listed):
            self._note(WRONG, (*path, key), f"{key} is {_shown(value)}; list some of {', '.join(known)}")
            return ()
        return tuple(dict.fromkeys(words))

    def _note(self, rule: Rule, path: Path, message: str) -> None:
        line = self._line_of(path)
        self._errors += rule is not UNKNOWN
        self.findings.append(Finding.of(rule, f"{self._file}, line {line}: {message}", Location(self._file, line=line)))


def _shown(value: object) -> str:
    """Show a value of a card in a message, shortened, and never a collection in full."""
    if value is None:
        return "empty"
    if isinstance(value, Mapping):
        return "a group of “key: value” lines"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, int) and abs(value) >= 10**40:
        return "a number of absurd length"
    text = " ".join(str(value)[:200].split())
    return f"“{text if len(text) <= 60 else text[:60] + '…'}”"
