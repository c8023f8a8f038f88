"""Read a ``scope.yaml`` strictly, and tell of problems by line.

All problems are collected, so that one look is enough to correct them; a clause with an error is left out and said.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from hallmarked.cards.document.declared import KEY, DeclaredClaim
from hallmarked.cards.document.reader import read_declared
from hallmarked.cards.document.rule import UNKNOWN as UNKNOWN_FIELD
from hallmarked.cards.scope.rule import TWICE, UNKNOWN, WRONG
from hallmarked.cards.scope.scope import Clause, Scope
from hallmarked.checks.documentation.declared import MAX_ROWS, LineOf
from hallmarked.checks.documentation.scope import GROUPS, SCOPE
from hallmarked.core.errors import FormatError
from hallmarked.core.evidence import Finding, Location, Rule
from hallmarked.formats.blob import Budget
from hallmarked.formats.document import Path, read_yaml
from hallmarked.formats.position import Lines, read_places

MAX_TEXT = 4_000
MAX_PROMPTS = 1_000
MODALITIES = ("text", "image", "audio", "video", "table", "other")
CLAIM_FIELDS = ("path", "op", "value", "slice", "min_n", "max_age", "by", "check")
"""What a floor has beside id and text, as a claim of a card has it."""
_FIELDS: Mapping[str, tuple[str, ...]] = {
    "languages": ("language",),
    "inputs": ("modality", "limit"),
    "out_of_scope": ("prompts",),
    "refusals": ("prompts", *CLAIM_FIELDS),
    "floors": CLAIM_FIELDS,
}
_SILENT = ("floors", "languages", "inputs")
"""Groups whose clauses say enough without a sentence."""
_ID = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?")
_TAG = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8}){0,8}")


def read_scope(data: bytes, file: str = SCOPE) -> tuple[Scope, tuple[Finding, ...]]:
    """Read a scope.

    Args:
        data: The file.
        file: Its name, for messages.

    Returns:
        What could be understood, and what is wrong, by line.

    Raises:
        FormatError: When it is not a YAML mapping.
        LimitExceeded: When it costs more than a scope may.
    """
    document = read_yaml(data, Budget(len(data)))
    if not isinstance(document, dict):
        raise FormatError("the scope is not a list of “key: value” lines")
    text = data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    reader = _Reader(Lines(text, 1, read_places(text)), file)
    clauses = tuple(reader.read(document))
    version = document.get("version")
    scope = Scope(
        str(version) if isinstance(version, str | int) else "", clauses, hashlib.sha256(data).hexdigest(), file
    )
    return scope, tuple(sorted(reader.findings, key=lambda each: (each.location.line or 0) if each.location else 0))


class _Reader:
    """Reads clauses, and notes what is wrong on the way."""

    def __init__(self, line_of: LineOf, file: str) -> None:
        self._line_of, self._file = line_of, file
        self._seen: dict[str, int] = {}
        self._errors = 0
        self.findings: list[Finding] = []

    def read(self, document: Mapping[object, object]) -> Iterator[Clause]:
        """Yield the clauses of all groups."""
        self._unknown(document, (), ("version", "title", *GROUPS))
        version = document.get("version")
        if not isinstance(version, str | int) or isinstance(version, bool) or not 0 < len(str(version)) <= 100:
            self._note(WRONG, ("version",), "a scope needs a version between quotes, so that people can cite it")
        for group in GROUPS:
            rows = document.get(group, [])
            if not isinstance(rows, list) or len(rows) > MAX_ROWS:
                self._note(WRONG, (group,), f"{group} is no list of at most {MAX_ROWS:,} clauses")
                continue
            for index, row in enumerate(rows):
                before = self._errors
                clause = self._clause(group, row, (group, index))
                if clause is not None and self._errors == before:
                    yield clause

    def _clause(self, group: str, row: object, path: Path) -> Clause | None:
        if not isinstance(row, Mapping):
            self._note(WRONG, path, "a clause is “key: value” lines, with an id")
            return None
        self._unknown(row, path, ("id", "text", *_FIELDS.get(group, ())))
        name, line = row.get("id"), self._line_of(path)
        if not isinstance(name, str) or not _ID.fullmatch(name):
            self._note(WRONG, (*path, "id"), "a clause needs an id of letters, digits, dots and hyphens")
            return None
        if name in self._seen:
            self._note(TWICE, (*path, "id"), f"the clause {name} is there twice, first on line {self._seen[name]}")
        self._seen.setdefault(name, line)
        text = self._texts(row, path)
        if not text and group not in _SILENT:
            self._note(WRONG, path, f"the clause {name} needs “text”: a sentence, or one for each language")
        clause = Clause(name, group, text, line=line)
        if group == "languages":
            return replace(clause, language=self._language(row, path))
        if group == "inputs":
            return replace(clause, modality=self._modality(row, path), limit=self._limit(row, path))
        if group in ("out_of_scope", "refusals"):
            clause = replace(clause, prompts=self._prompts(row, path))
        if group == "floors" or (group == "refusals" and "path" in row):
            claim = self._claim(row, path)
            return replace(clause, requirement=replace(claim, id=clause.reference) if claim else None)
        return clause

    def _claim(self, row: Mapping[object, object], path: Path) -> DeclaredClaim | None:
        """Read what evidence is asked for with the reader of claims, whose fields these are."""
        asked = {key: row[key] for key in ("id", *CLAIM_FIELDS) if key in row}
        declared, findings = read_declared(
            {KEY: {"claims": [asked]}}, lambda at: self._line_of((*path, *at[3:])), self._file
        )
        for finding in findings:
            self._errors += finding.rule != UNKNOWN_FIELD.id
            self.findings.append(replace(finding, rule=WRONG.id))
        if "op" not in row:
            self._note(WRONG, path, 'a floor needs “op” and “value”, such as op: ">=" and value: "0.90"')
        return declared.claims[0] if declared.claims else None

    def _texts(self, row: Mapping[object, object], path: Path) -> dict[str, str]:
        value = row.get("text")
        if value is None:
            return {}
        texts = {"en": value} if isinstance(value, str) else value
        if not isinstance(texts, Mapping) or len(texts) > 200:
            self._note(WRONG, (*path, "text"), "text is no sentence, and no sentences by language: {en: …, es: …}")
            return {}
        for tag, text in texts.items():
            if not _TAG.fullmatch(str(tag)):
                self._note(WRONG, (*path, "text", str(tag)), "a text stands under a language tag, such as en or pt-BR")
            if not isinstance(text, str) or not 0 < len(text.strip()) <= MAX_TEXT:
                self._note(WRONG, (*path, "text", str(tag)), f"a text is a sentence of at most {MAX_TEXT:,} characters")
        return {str(tag): text for tag, text in texts.items() if isinstance(text, str)}

    def _language(self, row: Mapping[object, object], path: Path) -> str:
        value = row.get("language")
        if isinstance(value, str) and _TAG.fullmatch(value):
            return value
        self._note(WRONG, (*path, "language"), "a language needs its tag, such as language: en or pt-BR")
        return ""

    def _modality(self, row: Mapping[object, object], path: Path) -> str:
        value = row.get("modality")
        if isinstance(value, str) and value in MODALITIES:
            return value
        self._note(WRONG, (*path, "modality"), f"an input needs its modality, one of {', '.join(MODALITIES)}")
        return ""

    def _limit(self, row: Mapping[object, object], path: Path) -> dict[str, str]:
        value = row.get("limit", {})
        if not isinstance(value, Mapping) or len(value) > 20:
            self._note(WRONG, (*path, "limit"), "limit is no number by unit, such as {tokens: 4096}")
            return {}
        for unit, number in value.items():
            if not isinstance(number, int) or isinstance(number, bool) or not 0 < number < 10**15:
                self._note(WRONG, (*path, "limit", str(unit)), "a limit is a whole number above 0")
        return {str(unit)[:100]: str(number) for unit, number in value.items() if isinstance(number, int)}

    def _prompts(self, row: Mapping[object, object], path: Path) -> tuple[str, ...]:
        value = row.get("prompts", [])
        if not isinstance(value, list) or len(value) > MAX_PROMPTS:
            self._note(WRONG, (*path, "prompts"), f"prompts is no list of at most {MAX_PROMPTS:,} texts")
            return ()
        for index, prompt in enumerate(value):
            if not isinstance(prompt, str) or not 0 < len(prompt) <= MAX_TEXT:
                self._note(WRONG, (*path, "prompts", index), f"a prompt is a text of at most {MAX_TEXT:,} characters")
        return tuple(prompt for prompt in value if isinstance(prompt, str))

    def _unknown(self, row: Mapping[object, object], path: Path, known: tuple[str, ...]) -> None:
        for key in row:
            if key not in known:
                self._note(
                    UNKNOWN, (*path, str(key)), f"“{str(key)[:60]}” is not known here; it is kept, and means nothing"
                )

    def _note(self, rule: Rule, path: Path, message: str) -> None:
        line = self._line_of(path)
        self._errors += rule is not UNKNOWN
        self.findings.append(Finding.of(rule, f"{self._file}, line {line}: {message}", Location(self._file, line=line)))
