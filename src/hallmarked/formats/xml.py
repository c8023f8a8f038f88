"""Bounded reader of XML: elements and what a document asks its reader to fetch or expand.

https://www.w3.org/TR/xml/. Nothing is expanded or fetched: reading ends at the first entity declaration.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from xml.parsers import expat

from hallmarked.core.errors import FormatError, LimitExceeded
from hallmarked.formats.blob import Blob, Budget

_CHUNK = 1 << 16
# The parser gathers a token before it hands it out, so bytes without any event are bounded as well.
_LONGEST_TOKEN = 1 << 22
_SEPARATOR = "\n"


@dataclass(frozen=True, slots=True)
class Element:
    """A start tag."""

    namespace: str
    name: str
    attributes: Mapping[str, str]
    """By local name; namespaces of attributes are dropped."""
    line: int
    depth: int
    parent: str = ""
    """Local name of the element around it."""


@dataclass(frozen=True, slots=True)
class Declaration:
    """Something that is not an element: ``doctype``, ``entity`` or ``instruction``."""

    kind: str
    name: str
    target: str
    """The address that a document type or entity names, or the text of an instruction."""
    line: int


class _EndOfReading(Exception):
    """Stops the parser at an entity; never leaves this module."""


@dataclass(slots=True)
class _Handlers:
    """Collects what the parser reports."""

    parser: expat.XMLParserType
    budget: Budget
    found: list[Element | Declaration] = field(default_factory=list)
    stack: list[str] = field(default_factory=list)
    entities: bool = False
    events: int = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.events += 1
        self.budget.spend("nodes", 1 + len(attributes))
        if len(self.stack) >= self.budget.limits.node_depth:
            raise LimitExceeded(f"XML nested deeper than {self.budget.limits.node_depth}")
        namespace, _, name = tag.rpartition(_SEPARATOR)
        short = {key.rpartition(_SEPARATOR)[2]: value for key, value in attributes.items()}
        line, depth = self.parser.CurrentLineNumber, len(self.stack)
        parent = self.stack[-1] if self.stack else ""
        self.found.append(Element(namespace, name, short, line, depth, parent))
        self.stack.append(name)

    def end(self, _tag: str) -> None:
        self.events += 1
        self.stack.pop()

    def text(self, _data: str) -> None:
        self.events += 1

    def doctype(self, name: str, system: str | None, public: str | None, _internal: int) -> None:
        self._declare("doctype", name, system or public or "")

    def entity(self, *declaration: object) -> None:
        """Declared name, parameter flag, value, base, system id, public id, notation."""
        name, system = declaration[0], declaration[4]
        self._declare("entity", str(name), str(system or ""))
        self.entities = True
        raise _EndOfReading

    def instruction(self, target: str, data: str) -> None:
        self._declare("instruction", target, data)

    def _declare(self, kind: str, name: str, target: str) -> None:
        self.events += 1
        self.budget.spend("nodes")
        self.found.append(Declaration(kind, name, target, self.parser.CurrentLineNumber))


def read_xml(blob: Blob, budget: Budget) -> Iterator[Element | Declaration]:
    """Yield start tags and declarations in the order of the document.

    Raises:
        FormatError: When it is not well-formed, or declares an entity (after that was yielded).
        LimitExceeded: When it is too deep or has too many elements.
    """
    parser = expat.ParserCreate(namespace_separator=_SEPARATOR)
    handlers = _Handlers(parser, budget)
    parser.StartElementHandler, parser.EndElementHandler = handlers.start, handlers.end
    parser.CharacterDataHandler, parser.CommentHandler = handlers.text, handlers.text
    parser.StartDoctypeDeclHandler, parser.EntityDeclHandler = handlers.doctype, handlers.entity
    parser.ProcessingInstructionHandler = handlers.instruction
    quiet = seen = 0
    with blob.open() as stream:
        while True:
            chunk = stream.read(_CHUNK)
            _feed(parser, chunk)
            yield from handlers.found
            handlers.found.clear()
            if handlers.entities:
                raise FormatError("XML that declares entities", offset=parser.CurrentByteIndex)
            if not chunk:
                return
            quiet = quiet + len(chunk) if handlers.events == seen else 0
            seen = handlers.events
            if quiet > _LONGEST_TOKEN:
                raise LimitExceeded("XML with a single tag or value of absurd length")


def _feed(parser: expat.XMLParserType, chunk: bytes) -> None:
    try:
        parser.Parse(chunk, not chunk)
    except _EndOfReading:
        return
    except expat.ExpatError as error:
        raise FormatError(f"not well-formed XML: {expat.ErrorString(error.code)} in line {error.lineno}") from error
    except (ValueError, LookupError) as error:
        raise FormatError("XML in an encoding that is not known") from error
