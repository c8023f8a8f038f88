"""The formats a sheet is written in and read from, and who judges a document of each.

A standard's own validator is asked where it is installed (``pip install 'hallmarked[exchange]'``).
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from hallmarked.exchange import croissant, cyclonedx, hub, oscal, spdx, table
from hallmarked.exchange.sheet import Sheet


@dataclass(frozen=True, slots=True)
class Format:
    """One format."""

    title: str
    ending: str
    """How the names of its files end."""
    write: Callable[[Sheet], bytes]
    read: Callable[[bytes], Sheet] | None = None
    """None for formats that are written only."""
    validate: Callable[[bytes], str] | None = None
    """Says what the standard's own validator has against a document; empty when nothing."""


def _cyclonedx(data: bytes) -> str:
    validator = import_module("cyclonedx.validation.json").JsonStrictValidator
    version = import_module("cyclonedx.schema").SchemaVersion.V1_6
    found = validator(version).validate_str(data.decode())
    return "" if found is None else str(getattr(found.data, "message", found.data))


def _spdx(data: bytes) -> str:
    model: Any = import_module("spdx_python_model").v3_0_1
    elements = model.SHACLObjectSet()
    try:
        model.JSONLDDeserializer().deserialize_data(json.loads(data), elements)
        missing = elements.link()
        model.JSONLDSerializer().serialize_data(elements)
    except (ValueError, TypeError, KeyError) as error:
        return str(error)
    return f"these elements are named and not there: {', '.join(sorted(missing))}" if missing else ""


def _croissant(data: bytes) -> str:
    library = import_module("mlcroissant")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the library's own dependencies
        try:
            issues = library.Dataset(jsonld=json.loads(data)).metadata.ctx.issues
        except library.ValidationError as error:
            return str(error)
    return "; ".join(sorted(issues.errors))


FORMATS: Mapping[str, Format] = {
    "croissant": Format("Croissant 1.0 with RAI", ".croissant.json", croissant.write, croissant.read, _croissant),
    "csv": Format("CSV", ".csv", table.write, table.read),
    "cyclonedx": Format("CycloneDX 1.6 ML-BOM", ".cdx.json", cyclonedx.write, cyclonedx.read, _cyclonedx),
    "hub": Format("README.md of the Hub", ".README.md", hub.write, hub.read),
    "oscal": Format("OSCAL assessment results", ".oscal.json", oscal.write),
    "spdx": Format("SPDX 3.0.1", ".spdx.json", spdx.write, spdx.read, _spdx),
}
"""By the name people use on the command line."""


def validate(name: str, data: bytes) -> str | None:
    """Ask a standard's own validator about a document.

    Returns:
        What it has against it; empty when nothing; None when there is no validator, or it is not installed.
    """
    judge = FORMATS[name].validate
    if judge is None:
        return None
    try:
        return judge(data)
    except ModuleNotFoundError:
        return None
