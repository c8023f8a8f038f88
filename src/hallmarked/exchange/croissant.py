"""Croissant 1.0 descriptions of data sets, with the vocabulary for responsible AI.

https://docs.mlcommons.org/croissant/docs/croissant-spec.html and croissant-rai-spec.html. What people wrote under a
heading that the vocabulary has a property for stands under that property; what has none is carried whole in one
property of ours.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from hallmarked.core.errors import FormatError, InputError
from hallmarked.exchange.document import entries, parse, rows, text, texts, whole
from hallmarked.exchange.licence import to_spdx
from hallmarked.exchange.sheet import MEMBERS, FileEntry, Sheet, carry, restore

REST = "hallmarked:rest"
CONFORMS = "http://mlcommons.org/croissant/1.0"
_CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "hallmarked": "urn:hallmarked:card:",
    "conformsTo": "dct:conformsTo",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
_RAI = {
    "direct-use": "dataUseCases",
    "collection": "dataCollection",
    "source-data": "dataCollectionRawData",
    "annotation-process": "dataAnnotationProtocol",
    "annotators": "annotatorDemographics",
    "limitations": "dataBiases",
    "other-limitations": "dataLimitations",
    "social-impact": "dataSocialImpact",
    "personal-information": "personalSensitiveInformation",
}
"""Section of a card: property of the vocabulary."""
_OLD = {"rai:dataDataManipulationProtocol": "rai:dataManipulationProtocol"}
"""Names that a widespread library writes instead of the specification's."""
_NATURAL = {"name", "description", "files", "kind"}
_MEDIA = {
    "csv": "text/csv",
    "json": "application/json",
    "jsonl": "application/jsonlines",
    "md": "text/markdown",
    "parquet": "application/x-parquet",
    "tsv": "text/tsv",
    "txt": "text/plain",
    "zip": "application/zip",
}


def write(sheet: Sheet) -> bytes:
    """Write a data set's sheet as a Croissant description.

    Raises:
        InputError: When the sheet is about something else.
    """
    if sheet.kind != "dataset":
        raise InputError(f"Croissant describes data sets, and this is a {sheet.kind}")
    natural = _NATURAL - ({"description"} if sheet.description == sheet.name else set())
    carried = carry(sheet, (name for name in MEMBERS if name not in natural))
    document = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": CONFORMS,
        "name": sheet.name,
        "description": sheet.description or sheet.name,
        "license": [*sheet.licences],
        "keywords": [*sheet.tags],
        "inLanguage": [*sheet.languages],
        "creator": [{"@type": "sc:Organization", "name": name} for name in sheet.authors],
        "datePublished": sheet.created,
        "url": _url(sheet),
        "version": sheet.version,
        **{f"rai:{_RAI[section]}": written for section, written in sheet.sections if section in _RAI},
        "distribution": [_file(number, file) for number, file in enumerate(sheet.files)],
        REST: json.dumps(carried, ensure_ascii=False),
    }
    kept = {name: value for name, value in document.items() if value not in ("", [])}
    return (json.dumps(kept, ensure_ascii=False, indent=2) + "\n").encode()


def _url(sheet: Sheet) -> str:
    return next((f"urn:hallmarked:{name}:{value}" for name, value in sheet.digest), "urn:hallmarked:unknown")


def _file(number: int, file: FileEntry) -> dict[str, Any]:
    size = {"contentSize": f"{file.size} B"} if file.size is not None else {}
    return {
        "@type": "cr:FileObject",
        "@id": f"file-{number}",
        "name": file.path,
        "contentUrl": file.path,
        "encodingFormat": _MEDIA.get(file.path.rpartition(".")[2].lower(), "application/octet-stream"),
        **({"sha256": file.sha256} if file.sha256 else {}),
        **size,
    }


def read(data: bytes) -> Sheet:
    """Read a Croissant description, whoever wrote it.

    Raises:
        FormatError: When it is not one.
    """
    document = {_OLD.get(name, name): value for name, value in parse(data).items()}
    types = {name.rpartition("/")[2].rpartition(":")[2] for name in texts(document.get("@type"))}
    if "Dataset" not in types:
        raise FormatError("this is not a Croissant description of a data set")
    name, description = text(document, "name"), text(document, "description")
    sheet = Sheet(
        kind="dataset",
        name=name,
        digest=(),
        created=text(document, "datePublished"),
        description="" if description == name else description,
        version=text(document, "version"),
        licences=tuple(to_spdx(one) for one in texts(document.get("license"))),
        languages=tuple(texts(document.get("inLanguage"))),
        tags=tuple(texts(document.get("keywords"))),
        authors=tuple(found for one in rows(document.get("creator")) if (found := text(one, "name"))),
        sections=tuple(_sections(document)),
        files=tuple(_files(document)),
    )
    return _edited(sheet, restore(sheet, _carried(document)))


def _edited(seen: Sheet, carried: Sheet) -> Sheet:
    """Let sections that the description itself has win over those carried beside it: somebody may have edited them."""
    written = dict(carried.sections) | dict(seen.sections)
    return replace(carried, sections=tuple(written.items()))


def _carried(document: Mapping[str, Any]) -> dict[str, str]:
    written = text(document, REST)
    found = entries(parse(written.encode())) if written else {}
    return {name: value for name, value in found.items() if isinstance(value, str)}


def _sections(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for section, name in _RAI.items():
        written = "\n\n".join(texts(document.get(f"rai:{name}")))
        if written:
            yield section, written


def _files(document: Mapping[str, Any]) -> Iterator[FileEntry]:
    for row in rows(document.get("distribution")):
        size = text(row, "contentSize").removesuffix(" B")
        yield FileEntry(text(row, "contentUrl") or text(row, "name"), text(row, "sha256"), whole(size))
