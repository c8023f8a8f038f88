"""SPDX 3.0.1 documents with the AI and Dataset profiles, as JSON-LD.

https://spdx.github.io/spdx-spec/v3.0.1/. A model or system is an ``ai_AIPackage``, a data set a
``dataset_DatasetPackage``; what it is made from are packages of their own, tied to it by relationships. What the format
has no property for is an annotation of type ``application/json`` whose subject is the package.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hallmarked.core.errors import FormatError
from hallmarked.exchange.document import entries, parse, rows, text, texts, whole
from hallmarked.exchange.sheet import MEMBERS, FileEntry, Part, Result, Sheet, carry, read_slice, restore, slice_text

CONTEXT = "https://spdx.org/rdf/3.0.1/spdx-context.jsonld"
_TYPES = {"model": "ai_AIPackage", "system": "ai_AIPackage", "dataset": "dataset_DatasetPackage"}
_PARTS = {
    "base-model": ("ai_AIPackage", "descendantOf"),
    "model": ("ai_AIPackage", "contains"),
    "dataset": ("dataset_DatasetPackage", "trainedOn"),
    "guardrail": ("software_Package", "contains"),
    "prompt": ("software_Package", "configures"),
    "software": ("software_Package", "dependsOn"),
    "hardware": ("software_Package", "hasHost"),
}
_ENERGY = {"training": "training", "fine-tuning": "finetuning", "inference": "inference"}
_LICENCE = "simplelicensing_licenseExpression"
_NATURAL = {"name", "version", "description", "files"}


def write(sheet: Sheet) -> bytes:
    """Write a sheet as an SPDX 3.0.1 JSON-LD document."""
    graph = _Graph(sheet)
    document = {"@context": CONTEXT, "@graph": [*graph.elements()]}
    return (json.dumps(document, ensure_ascii=False, indent=2) + "\n").encode()


class _Graph:
    """The elements of one document, with ids that depend on what it is about only."""

    def __init__(self, sheet: Sheet) -> None:
        self.sheet = sheet
        seed = json.dumps([sheet.name, sheet.digest, sheet.created]).encode()
        self.base = f"urn:hallmarked:spdx:{hashlib.sha256(seed).hexdigest()[:32]}"
        self.subject = f"{self.base}:subject"

    def elements(self) -> Iterator[dict[str, Any]]:
        """Yield every element; the document, which names them, last."""
        yield {
            "type": "CreationInfo",
            "@id": "_:created",
            "specVersion": "3.0.1",
            "created": self.sheet.created,
            "createdBy": [f"{self.base}:agent"],
        }
        own = [*self._own()]
        yield from own
        yield self._element(
            "document",
            "SpdxDocument",
            rootElement=[self.subject],
            element=[element["spdxId"] for element in own],
            profileConformance=["core", "software", "simpleLicensing", "ai", "dataset"],
            dataLicense=f"{self.base}:data-licence",
        )

    def _own(self) -> Iterator[dict[str, Any]]:
        sheet = self.sheet
        yield self._element("agent", "SoftwareAgent", name="hallmarked")
        yield self._element("data-licence", "simplelicensing_LicenseExpression", **{_LICENCE: "CC0-1.0"})
        yield self._package()
        for number, author in enumerate(sheet.authors):
            yield self._element(f"author-{number}", "Agent", name=author)
        yield from self._licences()
        for number, part in enumerate(sheet.parts):
            yield self._part(number, part)
            yield self._relation(f"part-{number}-relation", _PARTS[part.kind][1], [f"{self.base}:part-{number}"])
        for number, file in enumerate(sheet.files):
            yield self._file(number, file)
        if sheet.files:
            yield self._relation("files", "contains", [f"{self.base}:file-{at}" for at in range(len(sheet.files))])
        for number, claim in enumerate(sheet.claims):
            said = f"{claim.text} ({claim.status}: {claim.reason})"
            yield self._annotation(f"claim-{number}", said, "text/plain")
        carried = carry(sheet, (name for name in MEMBERS if name not in _NATURAL))
        yield self._annotation("rest", json.dumps(carried, ensure_ascii=False), "application/json")

    def _element(self, id_: str, type_: str, /, **members: Any) -> dict[str, Any]:
        filled = {key: value for key, value in members.items() if value not in ("", [], None)}
        return {"type": type_, "spdxId": f"{self.base}:{id_}", "creationInfo": "_:created", **filled}

    def _relation(self, name: str, kind: str, to: Sequence[str]) -> dict[str, Any]:
        return self._element(name, "Relationship", **{"from": self.subject, "relationshipType": kind, "to": [*to]})

    def _annotation(self, name: str, statement: str, form: str) -> dict[str, Any]:
        members = {"annotationType": "other", "subject": self.subject, "statement": statement, "contentType": form}
        return self._element(name, "Annotation", **members)

    def _licences(self) -> Iterator[dict[str, Any]]:
        for number, licence in enumerate(self.sheet.licences):
            name = f"licence-{number}"
            yield self._element(name, "simplelicensing_LicenseExpression", **{_LICENCE: _expression(licence)})
            yield self._relation(f"{name}-relation", "hasDeclaredLicense", [f"{self.base}:{name}"])

    def _package(self) -> dict[str, Any]:
        sheet = self.sheet
        authors = [f"{self.base}:author-{number}" for number in range(len(sheet.authors))]
        common = {
            "name": sheet.name,
            "software_packageVersion": sheet.version,
            "description": sheet.description,
            "software_primaryPurpose": {"model": "model", "dataset": "data"}.get(sheet.kind, "application"),
            "originatedBy": authors,
            "verifiedUsing": _hashes(sheet.digest),
            "externalIdentifier": [*_identifiers(sheet)],
        }
        own = self._dataset() if sheet.kind == "dataset" else self._model()
        return {**self._element("subject", _TYPES[sheet.kind], **common, **own), "spdxId": self.subject}

    def _model(self) -> dict[str, Any]:
        sheet = self.sheet
        return {
            "ai_typeOfModel": [sheet.architecture] if sheet.architecture else [],
            "ai_domain": [sheet.task] if sheet.task else [],
            "ai_limitation": sheet.section("limitations"),
            "ai_informationAboutApplication": sheet.section("direct-use", "uses"),
            "ai_informationAboutTraining": sheet.section("training-data", "training-details"),
            "ai_metric": [*map(_metric, sheet.results)],
            "ai_hyperparameter": [_entry("parameters", sheet.parameters)] if sheet.parameters else [],
            "ai_energyConsumption": _energy(sheet),
        }

    def _dataset(self) -> dict[str, Any]:
        sheet = self.sheet
        return {
            "dataset_datasetType": ["noAssertion"],
            "dataset_intendedUse": sheet.section("direct-use", "uses"),
            "dataset_dataCollectionProcess": sheet.section("data-collection", "source-data"),
            "dataset_knownBias": [text_] if (text_ := sheet.section("limitations", "biases")) else [],
        }

    def _part(self, number: int, part: Part) -> dict[str, Any]:
        type_ = _PARTS[part.kind][0]
        members: dict[str, Any] = {"name": part.name, "verifiedUsing": _hashes(part.digest)}
        if type_ == "dataset_DatasetPackage":
            members["dataset_datasetType"] = ["noAssertion"]
        return self._element(f"part-{number}", type_, **members, comment=part.kind)

    def _file(self, number: int, file: FileEntry) -> dict[str, Any]:
        hashes = _hashes((("sha256", file.sha256),)) if file.sha256 else []
        size = f"{file.size} bytes" if file.size is not None else ""
        return self._element(f"file-{number}", "software_File", name=file.path, verifiedUsing=hashes, comment=size)


def _expression(licence: str) -> str:
    """Write a licence as an SPDX expression: what has no id gets a reference."""
    legal = "".join(letter if letter.isascii() and (letter.isalnum() or letter in ".-+") else "-" for letter in licence)
    return licence if legal == licence else f"LicenseRef-{legal}"


def _hashes(digest: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    return [{"type": "Hash", "algorithm": "sha256", "hashValue": value} for name, value in digest if name == "sha256"]


def _identifiers(sheet: Sheet) -> Iterator[dict[str, Any]]:
    for name, value in sheet.digest:
        if name == "gitCommit":
            yield {
                "type": "ExternalIdentifier",
                "externalIdentifierType": "gitoid",
                "identifier": f"commit:sha1:{value}",
            }
        elif name != "sha256":
            yield {"type": "ExternalIdentifier", "externalIdentifierType": "other", "identifier": f"{name}:{value}"}


def _metric(result: Result) -> dict[str, Any]:
    named = f"{result.metric} ({slice_text(result.slice)})" if result.slice else result.metric
    bounds = f" ({result.interval[0]} to {result.interval[1]})" if result.interval else ""
    return _entry(named, f"{result.value}{bounds}")


def _entry(key: str, value: str) -> dict[str, Any]:
    return {"type": "DictionaryEntry", "key": key, "value": value}


def _energy(sheet: Sheet) -> dict[str, Any] | None:
    said: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for energy in sheet.energy:
        name = _ENERGY.get(energy.activity)
        if name and energy.kwh:
            measure = {"ai_energyQuantity": float(energy.kwh), "ai_energyUnit": "kilowattHour"}
            said[f"ai_{name}EnergyConsumption"].append({"type": "ai_EnergyConsumptionDescription", **measure})
    return {"type": "ai_EnergyConsumption", **said} if said else None


def read(data: bytes) -> Sheet:
    """Read an SPDX 3 document, whoever wrote it.

    Raises:
        FormatError: When it is not one, or is about no model and no data set.
    """
    document = parse(data)
    graph = {text(row, "spdxId"): row for row in rows(document.get("@graph")) if text(row, "spdxId")}
    roots = [
        one for row in graph.values() if row.get("type") == "SpdxDocument" for one in texts(row.get("rootElement"))
    ]
    packages = [one for one, row in graph.items() if row.get("type") in _TYPES.values()]
    subject = next((one for one in (*roots, *packages) if one in packages), "")
    if not subject:
        raise FormatError("this is not an SPDX 3 document about a model or a data set")
    row, related = graph[subject], _related(graph, subject)
    created = next((text(one, "created") for one in rows(document["@graph"]) if one.get("type") == "CreationInfo"), "")
    sheet = Sheet(
        kind="dataset" if row["type"] == "dataset_DatasetPackage" else "model",
        name=text(row, "name"),
        digest=tuple(("sha256", one) for one in _sha256(row)),
        created=created,
        description=text(row, "description"),
        version=text(row, "software_packageVersion"),
        licences=tuple(
            text(one, "simplelicensing_licenseExpression")
            for _, one in related
            if "simplelicensing" in text(one, "type")
        ),
        architecture=next(texts(row.get("ai_typeOfModel")), ""),
        task=next(texts(row.get("ai_domain")), ""),
        results=tuple(_result(one) for one in rows(row.get("ai_metric"))),
        sections=tuple(_sections(row)),
        files=tuple(_read_file(one) for _, one in related if one.get("type") == "software_File"),
        parts=tuple(_read_part(kind, one) for kind, one in related if "Package" in text(one, "type")),
    )
    return restore(sheet, _carried(graph, subject))


def _related(graph: Mapping[str, Mapping[str, Any]], subject: str) -> list[tuple[str, Mapping[str, Any]]]:
    return [
        (text(row, "relationshipType"), graph[to])
        for row in graph.values()
        if row.get("type") == "Relationship" and row.get("from") == subject
        for to in texts(row.get("to"))
        if to in graph
    ]


def _carried(graph: Mapping[str, Mapping[str, Any]], subject: str) -> dict[str, str]:
    for row in graph.values():
        ours = row.get("type") == "Annotation" and row.get("contentType") == "application/json"
        if ours and row.get("subject") == subject:
            carried = entries(parse(text(row, "statement").encode()))
            return {name: value for name, value in carried.items() if isinstance(value, str)}
    return {}


def _sha256(row: Mapping[str, Any]) -> list[str]:
    return [text(one, "hashValue") for one in rows(row.get("verifiedUsing")) if one.get("algorithm") == "sha256"][:1]


def _result(row: Mapping[str, Any]) -> Result:
    named, _, part = text(row, "key").partition(" (")
    value, _, bounds = text(row, "value").partition(" (")
    low, _, high = bounds.removesuffix(")").partition(" to ")
    return Result(named, value, interval=(low, high) if high else None, slice=read_slice(part.removesuffix(")")))


def _sections(row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    named = {
        "ai_informationAboutApplication": "direct-use",
        "ai_limitation": "limitations",
        "ai_informationAboutTraining": "training-data",
        "dataset_intendedUse": "direct-use",
        "dataset_dataCollectionProcess": "data-collection",
    }
    for name, section in named.items():
        if written := text(row, name):
            yield section, written


def _read_file(row: Mapping[str, Any]) -> FileEntry:
    size = text(row, "comment").removesuffix(" bytes")
    return FileEntry(text(row, "name"), next(iter(_sha256(row)), ""), whole(size))


def _read_part(relation: str, row: Mapping[str, Any]) -> Part:
    said = text(row, "comment")
    kind = said if said in _PARTS else "base-model" if relation == "descendantOf" else "software"
    if said not in _PARTS and row.get("type") == "dataset_DatasetPackage":
        kind = "dataset"
    return Part(kind, text(row, "name"), tuple(("sha256", one) for one in _sha256(row)))
