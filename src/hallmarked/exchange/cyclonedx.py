"""CycloneDX 1.6 machine-learning bill of materials.

https://cyclonedx.org/docs/1.6/json/. Models are components with a ``modelCard``, data sets components of type
``data``, systems applications with their parts as components. What a card claims stands under ``declarations``, with
evidence for or against it. What the format has no member for is carried in ``properties`` named ``hallmarked:…``.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from hallmarked import __version__
from hallmarked.core.errors import FormatError
from hallmarked.exchange.document import entries, parse, rows, text, texts, whole
from hallmarked.exchange.licence import is_spdx_id
from hallmarked.exchange.sheet import (
    MEMBERS,
    Energy,
    FileEntry,
    Part,
    Result,
    Sheet,
    carry,
    read_slice,
    restore,
    slice_text,
)

PREFIX = "hallmarked:"
SELF = "subject"
_TYPES = {"model": "machine-learning-model", "dataset": "data", "system": "application"}
_PARTS = {
    "base-model": "machine-learning-model",
    "model": "machine-learning-model",
    "dataset": "data",
    "guardrail": "application",
    "prompt": "data",
    "software": "library",
    "hardware": "device",
}
_AGAINST = {"contradicted", "disputed"}
_NATURAL = {"kind", "name", "created", "description", "version", "tags", "authors", "files"}
"""Members that the format itself holds whole."""
_OF_MODELS = {"task", "architecture"}
"""Likewise, where there is a ``modelCard``."""


def write(sheet: Sheet) -> bytes:
    """Write a sheet as a CycloneDX 1.6 JSON document."""
    seed = json.dumps([sheet.name, sheet.digest, sheet.created])
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, seed)}",
        "version": 1,
        "metadata": {
            "timestamp": sheet.created,
            "tools": {"components": [{"type": "application", "name": "hallmarked", "version": __version__}]},
            "component": _subject(sheet),
        },
        "components": [*_components(sheet)],
        "dependencies": [{"ref": SELF, "dependsOn": [f"part-{number}" for number in range(len(sheet.parts))]}],
        "declarations": _declarations(sheet),
    }
    return (json.dumps(_filled(document), ensure_ascii=False, indent=2) + "\n").encode()


def read(data: bytes) -> Sheet:
    """Read a CycloneDX document, whoever wrote it.

    Raises:
        FormatError: When it is not one.
    """
    document = parse(data)
    if document.get("bomFormat") != "CycloneDX":
        raise FormatError("this is not a CycloneDX document")
    metadata = entries(document.get("metadata"))
    subject = entries(metadata.get("component"))
    kinds = {type_: kind for kind, type_ in _TYPES.items()}
    card = entries(subject.get("modelCard"))
    parameters = entries(card.get("modelParameters"))
    sheet = Sheet(
        kind=kinds.get(text(subject, "type"), "system"),
        name=text(subject, "name"),
        digest=_digest(subject),
        created=text(metadata, "timestamp"),
        description=text(subject, "description"),
        version=text(subject, "version"),
        licences=_licences(subject),
        tags=tuple(texts(subject.get("tags"))),
        authors=tuple(name for one in rows(subject.get("authors")) if (name := text(one, "name"))),
        task=text(parameters, "task"),
        architecture=text(parameters, "modelArchitecture"),
        files=tuple(_files(document)),
        parts=tuple(_parts(document)),
        results=tuple(_results(card)),
        energy=tuple(_energy(card)),
    )
    carried = {
        text(row, "name").removeprefix(PREFIX): text(row, "value")
        for row in rows(subject.get("properties"))
        if text(row, "name").startswith(PREFIX)
    }
    return _join(sheet, restore(sheet, carried))


def _subject(sheet: Sheet) -> dict[str, Any]:
    natural = _NATURAL | (_OF_MODELS if sheet.kind == "model" else set())
    carried = carry(sheet, (name for name in MEMBERS if name not in natural))
    return {
        "type": _TYPES[sheet.kind],
        "bom-ref": SELF,
        "name": sheet.name,
        "version": sheet.version,
        "description": sheet.description,
        "authors": [{"name": name} for name in sheet.authors],
        "hashes": [{"alg": "SHA-256", "content": value} for name, value in sheet.digest if name == "sha256"],
        "licenses": [{"license": {"id" if is_spdx_id(one) else "name": one}} for one in sheet.licences],
        "tags": [*sheet.tags],
        "pedigree": {"ancestors": [_part(one) for one in sheet.parts if one.kind == "base-model"]},
        "modelCard": _card(sheet) if sheet.kind == "model" else {},
        "data": [_data(sheet)] if sheet.kind == "dataset" else [],
        "properties": [{"name": f"{PREFIX}{name}", "value": value} for name, value in carried.items()],
    }


def _card(sheet: Sheet) -> dict[str, Any]:
    return {
        "modelParameters": {
            "task": sheet.task,
            "modelArchitecture": sheet.architecture,
            "datasets": [{"type": "dataset", "name": name} for name in sheet.named("dataset")],
        },
        "quantitativeAnalysis": {"performanceMetrics": [_metric(result) for result in sheet.results]},
        "considerations": {
            "users": _paragraph(sheet.section("users")),
            "useCases": _paragraph(sheet.section("direct-use", "uses")),
            "technicalLimitations": _paragraph(sheet.section("limitations")),
            "ethicalConsiderations": [{"name": one} for one in _paragraph(sheet.section("out-of-scope-use"))],
            "environmentalConsiderations": {"energyConsumptions": [*_consumptions(sheet)]},
        },
    }


def _paragraph(written: str) -> list[str]:
    return [written] if written else []


def _metric(result: Result) -> dict[str, Any]:
    low, high = result.interval or ("", "")
    return {
        "type": result.metric,
        "value": result.value,
        "slice": slice_text(result.slice),
        "confidenceInterval": {"lowerBound": low, "upperBound": high},
    }


def _consumptions(sheet: Sheet) -> Iterator[dict[str, Any]]:
    for energy in sheet.energy:
        kwh, grams = _number(energy.kwh), _number(energy.grams)
        if kwh is None or energy.activity not in {"training", "fine-tuning", "inference", "validation", "other"}:
            continue
        measure = {"value": kwh, "unit": "kWh"}
        provider = {"organization": {"name": "not stated"}, "energySource": "unknown", "energyProvided": measure}
        yield {
            "activity": energy.activity,
            "energyProviders": [provider],
            "activityEnergyCost": measure,
            "co2CostEquivalent": {"value": grams / 1e6, "unit": "tCO2eq"} if grams is not None else {},
            "properties": [{"name": f"{PREFIX}basis", "value": energy.basis}],
        }


def _number(written: str) -> float | None:
    try:
        value = float(written)
    except ValueError:
        return None
    return value if 0 <= value < 1e18 else None


def _data(sheet: Sheet) -> dict[str, Any]:
    return {"type": "dataset", "name": sheet.name, "description": sheet.description}


def _components(sheet: Sheet) -> Iterator[dict[str, Any]]:
    for number, part in enumerate(sheet.parts):
        yield {**_part(part), "bom-ref": f"part-{number}"}
    for number, file in enumerate(sheet.files):
        size = [{"name": f"{PREFIX}size", "value": str(file.size)}] if file.size is not None else []
        hashes = [{"alg": "SHA-256", "content": file.sha256}] if file.sha256 else []
        yield {"type": "file", "bom-ref": f"file-{number}", "name": file.path, "hashes": hashes, "properties": size}


def _part(part: Part) -> dict[str, Any]:
    carried = [{"name": f"{PREFIX}{name}", "value": value} for name, value in part.digest if name != "sha256"]
    return {
        "type": _PARTS[part.kind],
        "name": part.name,
        "hashes": [{"alg": "SHA-256", "content": value} for name, value in part.digest if name == "sha256"],
        "properties": [{"name": f"{PREFIX}part", "value": part.kind}, *carried],
    }


def _declarations(sheet: Sheet) -> dict[str, Any]:
    named = dict.fromkeys(id_ for claim in sheet.claims for id_ in claim.evidence)
    refs = {id_: f"evidence-{number}" for number, id_ in enumerate(named)}
    claims = []
    for number, claim in enumerate(sheet.claims):
        side = "counterEvidence" if claim.status in _AGAINST else "evidence"
        claims.append(
            {
                "bom-ref": f"claim-{number}",
                "target": SELF,
                "predicate": claim.text,
                "reasoning": f"{claim.status}: {claim.reason}",
                side: [refs[id_] for id_ in dict.fromkeys(claim.evidence)],
            }
        )
    evidence = [{"bom-ref": ref, "propertyName": "statement", "data": [{"name": id_}]} for id_, ref in refs.items()]
    return {"claims": claims, "evidence": evidence}


def _filled(value: Any) -> Any:
    """Leave out members that hold nothing."""
    if isinstance(value, dict):
        cleaned = ((key, _filled(inner)) for key, inner in value.items())
        return {key: inner for key, inner in cleaned if inner not in ("", {}, [], None)}
    return [_filled(item) for item in value] if isinstance(value, list) else value


def _digest(component: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    found = [("sha256", text(row, "content")) for row in rows(component.get("hashes")) if row.get("alg") == "SHA-256"]
    return tuple(found[:1])


def _licences(component: Mapping[str, Any]) -> tuple[str, ...]:
    found = []
    for row in rows(component.get("licenses")):
        licence = entries(row.get("license"))
        found.append(text(licence, "id") or text(licence, "name") or text(row, "expression"))
    return tuple(filter(None, found))


def _properties(component: Mapping[str, Any]) -> dict[str, str]:
    said = rows(component.get("properties"))
    return {text(row, "name").removeprefix(PREFIX): text(row, "value") for row in said}


def _files(document: Mapping[str, Any]) -> Iterator[FileEntry]:
    for row in rows(document.get("components")):
        if row.get("type") == "file":
            size = _properties(row).get("size", "")
            yield FileEntry(text(row, "name"), dict(_digest(row)).get("sha256", ""), whole(size))


def _parts(document: Mapping[str, Any]) -> Iterator[Part]:
    subject = entries(entries(document.get("metadata")).get("component"))
    named = [*rows(document.get("components"))]
    ancestors = [*rows(entries(subject.get("pedigree")).get("ancestors"))]
    kinds = {"machine-learning-model": "model", "data": "dataset", "library": "software", "device": "hardware"}
    known = {text(row, "name") for row in named}
    for row in named + [row for row in ancestors if text(row, "name") not in known]:
        if row.get("type") == "file":
            continue
        said = _properties(row)
        fallback = "base-model" if row in ancestors else kinds.get(text(row, "type"), "software")
        digest = [*_digest(row), *((name, value) for name, value in said.items() if name in {"dirHash", "gitCommit"})]
        kind = said.get("part", "")
        yield Part(kind if kind in _PARTS else fallback, text(row, "name"), tuple(sorted(digest)))


def _results(card: Mapping[str, Any]) -> Iterator[Result]:
    for row in rows(entries(card.get("quantitativeAnalysis")).get("performanceMetrics")):
        bounds = entries(row.get("confidenceInterval"))
        low, high = text(bounds, "lowerBound"), text(bounds, "upperBound")
        interval = (low, high) if low and high else None
        yield Result(text(row, "type"), text(row, "value"), interval=interval, slice=read_slice(text(row, "slice")))


def _energy(card: Mapping[str, Any]) -> Iterator[Energy]:
    considered = entries(entries(card.get("considerations")).get("environmentalConsiderations"))
    for row in rows(considered.get("energyConsumptions")):
        kwh = entries(row.get("activityEnergyCost")).get("value", "")
        basis = _properties(row).get("basis", "declared")
        yield Energy(text(row, "activity"), str(kwh), basis=basis)


def _join(seen: Sheet, carried: Sheet) -> Sheet:
    """Let what the format itself says win over what is carried beside it: somebody may have edited the document."""
    if [_shown(one) for one in seen.results] != [_shown(one) for one in carried.results] and seen.results:
        carried = replace(carried, results=seen.results)
    if seen.licences:
        carried = replace(carried, licences=seen.licences)
    if [one.name for one in seen.parts] != [one.name for one in carried.parts]:
        carried = replace(carried, parts=seen.parts)
    return carried


def _shown(result: Result) -> Sequence[object]:
    return result.metric, result.value, result.interval, result.slice
