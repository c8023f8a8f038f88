"""Everything that is wrong with a card as a document, by line, without a look at any evidence."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files

from hallmarked.cards.document.conflict import MAX_PAIRS, are_too_many, find_conflicts
from hallmarked.cards.document.document import Document
from hallmarked.cards.document.placeholder import MAX_PLACEHOLDERS
from hallmarked.cards.document.rule import CONFLICT, DANGLING, HELD, UNUSUAL
from hallmarked.checks.documentation import system
from hallmarked.checks.documentation.declared import declared_kind
from hallmarked.checks.documentation.sections import kind_of
from hallmarked.core.evidence import Finding, Level, Location, Rule
from hallmarked.formats.document import Path, Tagged, walk
from hallmarked.formats.position import Place
from hallmarked.formats.readme import Readme

MAX_SHOWN = 20
"""Findings of one rule that are told of; the last one says how many more there are."""
_OLD_BOOLEANS = frozenset(form for word in ("yes", "no", "on", "off") for form in (word, word.title(), word.upper()))
"""Words that YAML 1.1, which most readers of cards speak, takes for true or false."""
_FORMS = {
    "text": "a text",
    "texts": "a text or a list of texts",
    "list": "a list of texts",
    "flag": "true or false",
    "number": "a number",
    "group": "a group of “key: value” lines",
    "groups": "a list of groups of “key: value” lines",
    "figure": "a number, or a group with “emissions”",
}


def lint(document: Document) -> tuple[Finding, ...]:
    """Return what is wrong with a card, by line."""
    checks = (_placeholders, _conflicts, _fields, _held, _kind)
    found: list[Finding] = []
    for notes in (document.findings, *(check(document) for check in checks)):
        found += _limited(list(notes), document.file)
    return tuple(sorted(found, key=lambda each: (each.location.line or 0) if each.location else 0))


def _placeholders(document: Document) -> Iterator[Finding]:
    for each in document.placeholders:
        if not each.name:
            message = f"“{each.written}” cannot be read; write {{{{claim ID}}}} or {{{{claim path slice=worst}}}}"
        elif each.claim(document.declared) is None and not each.is_path:
            message = f"the text shows the claim {each.name}, and the card makes no such claim"
        else:
            continue
        yield _finding(DANGLING, document, each.line, message)
    if len(document.placeholders) == MAX_PLACEHOLDERS:
        message = f"the text shows claims in more than {MAX_PLACEHOLDERS - 1:,} places; those below are not shown"
        yield _finding(DANGLING, document, document.placeholders[-1].line, message)


def _conflicts(document: Document) -> Iterator[Finding]:
    for first, second in find_conflicts(document.declared.claims):
        message = f"the claim {second.id} cannot be true together with {first.id} on line {first.line}"
        yield _finding(CONFLICT, document, second.line, message)
    if are_too_many(document.declared.claims):
        message = f"so many claims are about the same values that only {MAX_PAIRS:,} pairs were compared"
        yield _finding(CONFLICT, document, document.declared.line, message, Level.WARNING)


def _kind(document: Document) -> Iterator[Finding]:
    """Tell of what a card of this kind cannot say, or has to: a model is not a system."""
    content = Readme(document.head.front, document.data, document.sections)
    kind = declared_kind(document.data) or kind_of(document.data, document.sections)
    yield from system.look(document.file, content, kind, document.line_of)


def _fields(document: Document) -> Iterator[Finding]:
    for name, form in _table().items():
        value = document.data.get(name)
        if value is not None and not _fits(value, form):
            yield _finding(UNUSUAL, document, document.line_of((name,)), f"{name} should hold {_FORMS[form]}")
    if document.data.get("license") == "other":
        for name in ("license_name", "license_link"):
            if not document.data.get(name):
                message = f"“license: other” needs {name}, so that people can find out what they may do"
                yield _finding(UNUSUAL, document, document.line_of(("license",)), message)


def _fits(value: object, form: str) -> bool:
    if form in {"texts", "list"}:
        listed = isinstance(value, list) and all(_is_word(item) for item in value)
        return listed or (form == "texts" and _is_word(value))
    if form in {"groups", "group"}:
        listed = isinstance(value, list) and all(isinstance(item, Mapping) for item in value)
        return isinstance(value, Mapping) or (form == "groups" and listed)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    kinds = {"text": _is_word(value), "flag": isinstance(value, bool), "number": number}
    return kinds.get(form, form == "anything" or number or isinstance(value, Mapping))


def _is_word(value: object) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def _held(document: Document) -> Iterator[Finding]:
    """Tell of what other readers of YAML would build something else from."""
    for path, node in walk(dict(document.data)):
        if isinstance(node, Tagged):
            message = f"{_shown(path)} has the tag {node.tag[:60]}, from which some readers build more than a value"
            yield _finding(HELD, document, document.line_of(path), message)
        if path and path[-1] == "<<":
            message = "“<<” copies keys for some readers, and is a key of that name for others"
            yield _finding(HELD, document, document.line_of(path), message)
    front, root = document.head.front, document.head.places
    for path, place in _scalars(root) if front and root else ():
        if place.text in _OLD_BOOLEANS and front and front.text[place.start : place.end] == place.text:
            meant = "true" if place.text.lower() in {"yes", "on"} else "false"
            message = f"{_shown(path)} is {place.text} without quotes, which many readers take for {meant}"
            yield _finding(HELD, document, document.line_of(path), message)


def _scalars(root: Place) -> Iterator[tuple[Path, Place]]:
    pending: list[tuple[Path, Place]] = [((), root)]
    while pending:
        path, place = pending.pop()
        if place.kind == "scalar":
            yield path, place
        pending += [((*path, key), value) for key, (_, value) in place.keys.items()]
        pending += [((*path, index), item) for index, item in enumerate(place.items)]


def _limited(found: list[Finding], file: str) -> list[Finding]:
    """Keep the first findings of a rule, and say how many more there are."""
    counts: dict[str, int] = {}
    kept: list[Finding] = []
    for finding in found:
        counts[finding.rule] = counts.get(finding.rule, 0) + 1
        if counts[finding.rule] <= MAX_SHOWN:
            kept.append(finding)
    for rule, count in counts.items():
        if count > MAX_SHOWN:
            level = max((each.level for each in found if each.rule == rule), key=lambda level: level.rank)
            kept.append(Finding(rule, level, f"{file}: {count - MAX_SHOWN} more of the same ({rule})", Location(file)))
    return kept


def _finding(rule: Rule, document: Document, line: int, message: str, level: Level | None = None) -> Finding:
    place = Location(document.file, line=line)
    return Finding.of(rule, f"{document.file}, line {line}: {message}", place, level=level)


def _shown(path: Path) -> str:
    return ".".join(map(str, path))[:80]


@cache
def _table() -> Mapping[str, str]:
    return tomllib.loads(files(__package__).joinpath("hub.toml").read_text("utf-8"))
