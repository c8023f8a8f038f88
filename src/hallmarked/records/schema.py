"""The JSON Schema of a record, from its declaration (https://json-schema.org/draft/2020-12)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import is_dataclass
from datetime import datetime
from enum import StrEnum
from importlib import resources
from typing import Any, get_args, get_origin

from hallmarked.core.evidence import Subject
from hallmarked.records.field import MOST_NUMBER, WORD, Say, declared
from hallmarked.records.record import Record
from hallmarked.records.result import NOTES, PREFIX, Result

_SUBJECT = {
    "type": "object",
    "required": ["digest"],
    "properties": {
        "name": {"type": "string", "maxLength": 1000},
        "digest": {
            "type": "object",
            "minProperties": 1,
            "maxProperties": 10,
            "propertyNames": {"pattern": "^[A-Za-z0-9]{1,32}$"},
            "additionalProperties": {"type": "string", "pattern": "^[0-9a-f]{8,256}$"},
        },
    },
}

_PLAIN: Mapping[Any, dict[str, Any]] = {
    Subject: _SUBJECT,
    datetime: {"type": "string", "pattern": "^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ$"},
    int: {"type": "integer", "minimum": 0, "exclusiveMaximum": MOST_NUMBER},
    bool: {"type": "boolean"},
}


def describe(kind: type[Record]) -> bytes:
    """Write the JSON Schema of the predicate of a kind of record."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:hallmarked:{kind.NAME}:v1",
        "title": kind.TITLE,
        "description": "Predicate of an in-toto Statement v1. Readers pass over members that are not listed here.",
        **(_result() if issubclass(kind, Result) else _object(kind)),
    }
    return json.dumps(schema, ensure_ascii=False, indent=2).encode() + b"\n"


def schema(kind: type[Record]) -> bytes:
    """Return the JSON Schema of a kind of record as it is shipped."""
    return resources.files("hallmarked.records").joinpath(file_name(kind)).read_bytes()


def file_name(kind: type[Record]) -> str:
    """Return the name of the file that holds the JSON Schema of a kind of record."""
    return f"{kind.NAME}.v1.schema.json"


def _object(kind: type) -> dict[str, Any]:
    fields = declared(kind)
    properties = {each.key: {**_value(each.kind, each.say), "description": each.say.help} for each in fields}
    required = [each.key for each in fields if each.required]
    return {"type": "object", **({"required": required} if required else {}), "properties": properties}


def _result() -> dict[str, Any]:
    """Describe the predicate of a result, which is laid out as that of a check."""
    said = _object(Result)["properties"]
    evaluation = {"type": "string", "pattern": f"^{PREFIX}{WORD}$", "description": said["name"]["description"]}
    notes = {
        "type": "object",
        "required": [each.key for each in declared(Result) if each.required and each.key in NOTES],
        "properties": {key: said[key] for key in NOTES},
    }
    first = {
        "type": "object",
        "required": ["name", "annotations"],
        "properties": {"name": evaluation, "annotations": notes},
    }
    reason = {"type": "object", "required": ["reason"], "properties": {"reason": said["gaps"]["items"]}}
    materials = said["materials"]
    most = 1 + materials["maxItems"]
    return {
        "type": "object",
        "required": ["configuration", "measurements"],
        "properties": {
            "result": {"description": "That the evaluation came to its end."},
            "configuration": {
                "type": "array",
                "minItems": 1,
                "maxItems": most,
                "prefixItems": [first],
                "items": materials["items"],
                "description": f"The evaluation; then {materials['description']}",
            },
            "measurements": said["measurements"],
            "gaps": {**said["gaps"], "items": reason},
        },
    }


def _value(kind: Any, say: Say) -> dict[str, Any]:
    origin = get_origin(kind)
    if origin is tuple:
        return {"type": "array", "maxItems": say.count, "items": _value(get_args(kind)[0], say)}
    if origin is Mapping:
        names = {"minLength": 1, "maxLength": 1000}
        texts = {"propertyNames": names, "additionalProperties": _text(say)}
        return {"type": "object", "maxProperties": say.count, **texts}
    if issubclass(kind, StrEnum):
        return {"enum": [word.value for word in kind]}
    if is_dataclass(kind) and kind is not Subject:
        return _object(kind)  # type: ignore[arg-type]  # a class, never an instance
    return _PLAIN.get(kind) or _text(say)


def _text(say: Say) -> dict[str, Any]:
    pattern = {"pattern": f"^({say.pattern})$"} if say.pattern else {"pattern": "\\S"}
    return {"type": "string", "minLength": 1, "maxLength": say.most, **pattern}
