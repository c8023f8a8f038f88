"""PMML models: does the document make its reader fetch something, expand entities, or call code of its own?

https://dmg.org/pmml/v4-4-1/GeneralStructure.html. Models in PMML compute with a fixed set of functions; evaluators in
Java also take the name of a class in their place.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator

from hallmarked.checks.serialization.brief import brief
from hallmarked.checks.serialization.contract import Reference, Seen
from hallmarked.checks.serialization.vocabulary import leaves_folder, load, shown
from hallmarked.core.errors import FormatError
from hallmarked.core.evidence import Finding, Gap, Level, Location, Rule
from hallmarked.formats.blob import Blob, Budget
from hallmarked.formats.xml import Declaration, Element, read_xml

PMM001 = Rule(
    "PMM001",
    Level.ERROR,
    "The document declares entities, which can read files or exhaust memory",
    "Do not open the file with an XML reader that expands entities; ask for one without a document type.",
)
PMM002 = Rule(
    "PMM002",
    Level.WARNING,
    "The document names another document that an XML reader may fetch",
    "Read it only with a reader that fetches nothing.",
)
PMM003 = Rule(
    "PMM003",
    Level.WARNING,
    "The document contains script or markup that is not part of a model",
    "Look at the named element, and do not show the document in a browser.",
)
PMM004 = Rule(
    "PMM004",
    Level.WARNING,
    "The model calls a function that PMML does not define",
    "Find out which class the evaluator would load for it.",
)
PMM005 = Rule(
    "PMM005",
    Level.WARNING,
    "The document is XML but not a PMML model",
    "Find out which program wrote the file.",
)
PMM006 = Rule(
    "PMM006",
    Level.ERROR,
    "The document includes a file from outside of the model's folder",
    "Do not open the file with an XML reader that follows inclusions.",
)
RULES = (PMM001, PMM002, PMM003, PMM004, PMM005, PMM006)

_PMML = re.compile(r"https?://www\.dmg\.org/PMML-\d+_\d+(?:_\d+)?|")
_INCLUDE = "http://www.w3.org/2001/XInclude"
_MARKUP = frozenset(
    {"http://www.w3.org/1999/xhtml", "http://www.w3.org/2000/svg", "http://www.w3.org/1999/XSL/Transform"}
)
_SCRIPTS = frozenset({"script", "javascript", "iframe", "object", "embed", "applet", "foreignobject"})
_ACTIVE = re.compile(r"\s*(?:javascript|vbscript|data|jar|ldap|rmi)\s*:", re.IGNORECASE)


@brief
def examine_pmml(blob: Blob, budget: Budget) -> Iterator[Seen]:
    """Examine a PMML document, or other XML.

    Raises:
        FormatError: When it is not well-formed or declares entities.
    """
    defined: set[str] = set()
    called: dict[str, Location] = {}
    root = True
    for part in read_xml(blob, budget):
        location = Location(blob.path, line=part.line)
        if isinstance(part, Declaration):
            yield from _judge_declaration(part, location)
            continue
        if root and (part.name != "PMML" or not _PMML.fullmatch(part.namespace)):
            yield Finding.of(PMM005, f"the document is of type {shown(part.name)}", location)
            yield Gap(f"it is not known what reads XML of type {shown(part.name)}", location)
        root = False
        yield from _judge_element(part, location)
        if part.name == "DefineFunction":
            defined.add(part.attributes.get("name", ""))
        elif part.name == "Apply" and (name := part.attributes.get("function", "")) not in _builtin():
            called.setdefault(name, location)
    if root:
        raise FormatError("XML without an element")
    # A function may be defined behind its first use.
    for name, location in called.items():
        if name not in defined:
            yield Finding.of(PMM004, f"the model calls {shown(name)}", location, name=name[:200])
            yield Gap(f"it is not known what {shown(name)} would do", location)


def _judge_declaration(part: Declaration, location: Location) -> Iterator[Seen]:
    if part.kind == "entity":
        target = f", which is to be read from {shown(part.target)}" if part.target else ""
        yield Finding.of(PMM001, f"the document declares the entity {shown(part.name)}{target}", location)
    elif part.kind == "doctype":
        yield Finding.of(PMM002, f"the document has a document type {shown(part.target)}", location)
        yield Gap("it is not known what the document type brings in", location)
    elif part.name == "xml-stylesheet":
        yield Finding.of(PMM002, f"the document names a style sheet: {shown(part.target)}", location)
        yield Gap("it is not known what the style sheet does", location)


def _judge_element(part: Element, location: Location) -> Iterator[Seen]:
    if part.namespace == _INCLUDE:
        target = part.attributes.get("href", "")
        message = f"the document includes {shown(target)}"
        if leaves_folder(target):
            yield Finding.of(PMM006, message, location, target=target[:200])
        else:
            yield Finding.of(PMM002, message, location, target=target[:200])
            yield Gap(f"it is not known what including {shown(target)} brings in", location)
            yield Reference(target, location)
    active = [name for name, value in part.attributes.items() if _ACTIVE.match(value)]
    handlers = [name for name in part.attributes if part.namespace in _MARKUP and name.lower().startswith("on")]
    if part.name.lower() in _SCRIPTS or part.namespace in _MARKUP or active or handlers:
        message = f"the element {shown(part.name)} in {shown(part.parent)} is script or markup"
        yield Finding.of(PMM003, message, location)
        yield Gap(f"it is not known what the element {shown(part.name)} does", location)


@functools.cache
def _builtin() -> frozenset[str]:
    """Return the functions that need no class of their own."""
    return frozenset(name for group in load("pmml")["known"].values() for name in group["names"])
