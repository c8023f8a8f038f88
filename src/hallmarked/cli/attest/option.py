"""The options of ``hallmarked attest``, made from the declaration of each kind of record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import is_dataclass
from datetime import datetime
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, get_args, get_origin

import click

from hallmarked.artifacts.source import open_artifact
from hallmarked.core.artifact import Artifact
from hallmarked.core.errors import FormatError, InputError
from hallmarked.core.evidence import Subject
from hallmarked.formats.toml import read_toml
from hallmarked.records.field import Declared, Unfit, declared, read_subject
from hallmarked.records.record import Record

FIELD = "field_"
"""Goes before the names of fields among what click read, which has other options too."""


def options(kind: type[Record]) -> list[click.Option]:
    """Return an option for each field of a kind of record."""
    return [_option(each) for each in declared(kind)]


def _option(each: Declared) -> click.Option:
    inner = get_args(each.kind)[0] if get_origin(each.kind) is tuple else each.kind
    name = each.option
    kept: dict[str, Any] = {"help": each.say.help, "default": None}
    if inner is bool:
        return click.Option([f"{name}/--no-{name[2:]}", FIELD + each.name], **kept)
    if each.say.digests:
        kept["help"] += " Name them by patterns of paths such as 'raw/*.csv'."
        return click.Option([name, FIELD + each.name], multiple=True, metavar="PATTERN", **kept)
    kept["multiple"] = get_origin(each.kind) in {tuple, Mapping}
    return click.Option([name, FIELD + each.name], metavar=_metavar(inner), **kept)


def _metavar(kind: Any) -> str:
    if get_origin(kind) is Mapping:
        return "NAME=TEXT"
    if kind is Subject:
        return "PATH|NAME=ALGORITHM:HEX"
    if is_dataclass(kind):
        keys = [each.key for each in declared(kind) if each.required]  # type: ignore[arg-type]  # a class
        return f"'{{{', '.join(f'{key} = …' for key in keys)}, …}}'"
    if issubclass(kind, StrEnum):
        return "|".join(kind)
    return {int: "NUMBER", datetime: "DAY|MOMENT"}.get(kind, "TEXT")


def chosen(kind: type[Record], given: Mapping[str, Any], about: Artifact | None) -> dict[str, Any]:
    """Return the fields of a record that were given as options, as somebody would have written them.

    Args:
        kind: The kind of record.
        given: What click read, by name.
        about: The files at hand, for patterns of paths.

    Raises:
        InputError: When a value cannot be understood.
    """
    said = {}
    for each in declared(kind):
        value = given.get(FIELD + each.name)
        if value is None or value == ():
            continue
        try:
            said[each.key] = _value(each, value, about)
        except (Unfit, FormatError) as error:
            raise InputError(f"{each.option}: {error}") from error
    return said


def _value(each: Declared, value: Any, about: Artifact | None) -> Any:
    if each.say.digests:
        return _digests(value, about)
    if get_origin(each.kind) is Mapping:
        return dict(_pair(text) for text in value)
    if get_origin(each.kind) is tuple:
        return [_one(get_args(each.kind)[0], text) for text in value]
    return _one(each.kind, value)


def _one(kind: Any, value: Any) -> Any:
    if kind is Subject:
        found = read_named(value)
        return {"name": found.name, "digest": dict(found.digest)}
    if kind is int:
        if not value.isascii() or not value.isdecimal() or len(value) > 16:
            raise Unfit("must be a whole number")
        return int(value)
    if is_dataclass(kind):
        if not value.startswith("{") or "\n" in value:
            raise Unfit(f"write it in braces, such as {_metavar(kind)}")
        return read_toml(f"said = {value}\n".encode())["said"]
    return value


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise Unfit("write NAME=TEXT")
    return name, value


def _digests(patterns: tuple[str, ...], about: Artifact | None) -> dict[str, str]:
    """Return the files that match patterns, with their digests."""
    if about is None:
        raise Unfit("patterns of paths need the files: name them with --about")
    found: dict[str, str] = {}
    for pattern in patterns:
        matching = {path: digest for path, digest in about.digests().items() if fnmatchcase(path, pattern)}
        if not matching:
            raise Unfit(f"no file of {about.name} matches {pattern}")
        found |= matching
    return found


def read_named(text: str) -> Subject:
    """Read a thing that is named by digest: a path on this machine, or ``NAME=ALGORITHM:HEX``.

    Raises:
        InputError: When there is no such path.
        Unfit: When the digest is not one.
    """
    path = Path(text)
    if path.exists():
        return open_artifact(path).subject
    name, _, digest = text.rpartition("=")
    algorithm, colon, hexadecimal = digest.partition(":")
    if not colon:
        raise InputError(f"{text} is neither a file or folder here nor NAME=ALGORITHM:HEX")
    return read_subject({"name": name, "digest": {algorithm: hexadecimal}})
