"""Documents that loaders act on: indexes of sharded weights, Keras and Hydra configurations, XGBoost models.

Most JSON and YAML files are settings, vocabularies or data. They are only looked at more closely when they hold the
keys or tags that such a loader goes by.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

from hallmarked.checks.serialization import keras, nemo, ubjson
from hallmarked.checks.serialization.contract import Seen
from hallmarked.checks.serialization.keras import examine_keras_config, looks_like_config
from hallmarked.checks.serialization.nemo import examine_hydra
from hallmarked.checks.serialization.safetensors import examine_json
from hallmarked.checks.serialization.ubjson import examine_xgboost_json
from hallmarked.core.errors import FormatError, LimitExceeded
from hallmarked.core.evidence import Finding, Gap, Level, Location, Rule
from hallmarked.formats.blob import Blob, Budget
from hallmarked.formats.document import YAML_BYTES, read_json

SER_CONFIGURATION = Rule(
    "SER008",
    Level.WARNING,
    "A text names functions as a configuration would, but cannot be followed as one",
    "If a program loads it as YAML, read what follows _target_ and !!python/ first; in a manual it does no harm.",
)

RULES = (SER_CONFIGURATION, *keras.RULES, *nemo.RULES, *ubjson.RULES)

_CALLS = re.compile(
    rb"""(?:^|[{,])[ \t]*(?:-[ \t]+)*["']?_target_["']?[ \t]*: | (?<![\w/`'"])!{1,2}python/
    | tag:yaml\.org,2002:python/""",
    re.MULTILINE | re.VERBOSE,
)
"""What makes a YAML loader, or what instantiates its result, call something, as it is usually written."""
_HINTS = re.compile(
    rb"""_target_ | ^%TAG | (?:^|[\s\[{,:?-])!(?:[\w%-]*!)?[<\w%-]*[yp%]
    | "[^"\n]{0,200}\\[xuU][^"\n]{0,200}"[ \t]*:""",
    re.MULTILINE | re.VERBOSE,
)
"""What may make it do so, however it is written."""
_MARKER = re.compile(rb"^---(?=\s|$)", re.MULTILINE)
_CREATES = re.compile("python/object|python/name:.*\\b(?:system|exec|eval)\\b")
_ESCAPED = re.compile(rb"\\u00([2-7][0-9A-Fa-f])")


def examine_document(blob: Blob, budget: Budget) -> Iterator[Seen]:
    """Examine a JSON file as what it may be loaded as.

    Raises:
        FormatError: When it has the keys of such a document but is broken.
    """
    if blob.size > budget.limits.text:
        return  # no loader of configurations reads that much; it is data
    raw = blob.read_all(budget)
    # keys may be spelled with escapes
    text = _ESCAPED.sub(lambda match: bytes([int(match[1], 16)]), raw)
    readers = (
        (b'"weight_map"' in text, examine_json),
        (looks_like_config(text), examine_keras_config),
        (b'"left_children"' in text, examine_xgboost_json),
        (b"_target_" in text, examine_text),
    )
    if not any(applies for applies, _ in readers) or _is_records(raw, budget):
        return
    for applies, examine in readers:
        if applies:
            yield from examine(blob, budget)


def examine_text(blob: Blob, budget: Budget) -> Iterator[Seen]:
    """Examine a text as the YAML it may be loaded as, when it holds something that would then be called.

    Raises:
        LimitExceeded: When it costs more to follow than the budget allows.
    """
    if blob.size > budget.limits.text:
        return  # no loader of configurations reads that much; it is data
    raw = blob.read_all(budget)
    if raw[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        raw = raw.decode("utf-16", "replace").encode()
    named = (b"_target_" in raw or b"python/" in raw) and _CALLS.search(raw) is not None
    if len(raw) > YAML_BYTES or not (named or _HINTS.search(raw)):
        if named:
            yield from _not_followed(blob, raw, f"it has {len(raw):,} bytes")
        return
    seen, problem = _read(blob, raw, budget), ""
    try:
        yield from seen
    except LimitExceeded:
        if not _is_python(raw):
            raise
    except FormatError as error:
        problem = str(error)
    if not problem:
        return
    for part in _MARKER.split(raw)[1:]:
        # several documents in one file, for loaders that read them all
        with suppress(FormatError):
            yield from _read(blob, part, budget)
    if named and not _is_python(raw):
        yield from _not_followed(blob, raw, problem)


def _read(blob: Blob, raw: bytes, budget: Budget) -> Iterator[Seen]:
    """Examine one document; tags that no common loader knows are left to the program that defines them."""
    foreign = False
    for item in examine_hydra(Blob.of_bytes(blob.path, raw, blob.depth), budget):
        if isinstance(item, Finding):
            tag = item.data.get("tag", "")
            foreign = bool(tag) and "python/" not in tag
            if tag and not foreign and not _CREATES.search(tag):
                yield replace(item, level=Level.WARNING)  # it only names something
                continue
        if not foreign:
            yield item


def _not_followed(blob: Blob, raw: bytes, problem: str) -> Iterator[Seen]:
    message = f"{blob.path} names functions to call, but cannot be followed as YAML: {problem}"
    yield Finding.of(SER_CONFIGURATION, message, Location(blob.path))
    if b"```" not in raw:  # a manual shows such lines in fences
        yield Gap(message, Location(blob.path))


def _is_python(raw: bytes) -> bool:
    try:
        ast.parse(raw)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _is_records(raw: bytes, budget: Budget) -> bool:
    """Say whether the first line is a document of its own and more follow: a table, which no such loader accepts."""
    first, _, rest = raw.strip().partition(b"\n")
    if not rest:
        return False
    try:
        read_json(first, budget, constants=True)
    except FormatError:
        return False
    return True
