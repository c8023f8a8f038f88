"""Where each node of a YAML document stands in its text, so that messages name lines and edits touch nothing else.

Read with the same parser as ``hallmarked.formats.document.read_yaml``, which has to accept the text first: it holds
every bound on size, depth and aliases. An alias is one place here, whatever it stands for.
"""

from __future__ import annotations

import bisect
import re
from dataclasses import dataclass, field

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from hallmarked.core.errors import FormatError
from hallmarked.formats.document import Path


@dataclass(slots=True)
class Place:
    """A node in the text of its document."""

    kind: str
    """``mapping``, ``sequence``, ``scalar`` or ``alias``."""
    start: int
    """Character its value starts at; properties such as anchors stand before it."""
    end: int
    """Character after its last one; of a collection, after that of its last node."""
    flow: bool = False
    """Written in brackets."""
    block: bool = False
    """A scalar written below ``|`` or ``>``."""
    marked: bool = False
    """It has an anchor or a tag."""
    text: str = ""
    """What a scalar says."""
    keys: dict[str, tuple[Place, Place]] = field(default_factory=dict)
    """Key and value of each entry of a mapping, by the text of the key."""
    items: list[Place] = field(default_factory=list)
    """Nodes of a sequence."""

    def at(self, path: Path) -> Place:
        """Return the node at ``path``, or the last one on the way when it leads nowhere here."""
        place = self
        for step in path:
            if isinstance(step, int) and place.kind == "sequence" and step < len(place.items):
                place = place.items[step]
            elif str(step) in place.keys:
                place = place.keys[str(step)][1]
            else:
                break
        return place

    def start_of(self, path: Path) -> int:
        """Return the character where the node at ``path`` starts, its key included; else the nearest one above it."""
        place, start = self, self.start
        for step in path:
            if isinstance(step, int) and place.kind == "sequence" and step < len(place.items):
                place = place.items[step]
                start = place.start
            elif str(step) in place.keys:
                key, place = place.keys[str(step)]
                start = key.start
            else:
                break
        return start


def read_places(text: str) -> Place | None:
    """Return the places of a YAML document that ``read_yaml`` has accepted; ``None`` when it is empty.

    Raises:
        FormatError: When it is not YAML.
    """
    reader = PlaceReader(text)
    try:
        for event in YAML(typ="safe", pure=True).parse(text):
            reader.take(event)
    except YAMLError as error:
        raise FormatError("not YAML") from error
    return reader.root


class Lines:
    r"""The line each part of the metadata of a card stands on.

    Args:
        text: YAML text with ``\n`` as line end.
        first: Line of its first line in the file.
        root: Its places.
    """

    def __init__(self, text: str, first: int, root: Place | None) -> None:
        self._text, self._first, self._root = text, first, root
        self._breaks: list[int] | None = None  # looked for when somebody asks

    def written(self, path: Path) -> str | None:
        """Return the text of the scalar at exactly ``path``, before anything was made of it; ``None`` of others."""
        parent, last = self._root.at(path[:-1]) if self._root else None, path[-1] if path else ""
        if parent is None:
            return None
        found = parent.keys[str(last)][1] if str(last) in parent.keys else None
        return found.text if found is not None and found.kind == "scalar" else None

    def __call__(self, path: Path) -> int:
        """Return the line of the node at ``path``, or of the nearest one that is there."""
        if self._breaks is None:
            self._breaks = [match.start() for match in re.finditer("\n", self._text)]
        offset = self._root.start_of(path) if self._root else 0
        return self._first + bisect.bisect_left(self._breaks, offset)


class PlaceReader:
    """Builds places from parser events with an explicit stack.

    Args:
        text: The document.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._stack: list[tuple[Place, list[Place]]] = []  # collections that are open, with the nodes seen
        self.root: Place | None = None
        """What was read; ``None`` before the end, and of an empty document."""

    def take(self, event: Event) -> None:
        """Apply one event, which ``read_yaml`` has accepted."""
        start, end = event.start_mark.index, event.end_mark.index
        if isinstance(event, AliasEvent):
            self._finish(Place("alias", start, end))
        elif isinstance(event, ScalarEvent):
            block = event.style in ("|", ">")
            marked = event.anchor is not None or event.ctag is not None
            if block:  # the parser's mark lies behind blank lines and comments that follow
                end = start + len(self._text[start:end].rstrip())
            self._finish(Place("scalar", start, end, block=block, marked=marked, text=event.value))
        elif isinstance(event, MappingStartEvent | SequenceStartEvent):
            kind = "mapping" if isinstance(event, MappingStartEvent) else "sequence"
            marked = event.anchor is not None or event.ctag is not None
            self._stack.append((Place(kind, start, end, bool(event.flow_style), marked=marked), []))
        elif isinstance(event, MappingEndEvent | SequenceEndEvent):
            place, nodes = self._stack.pop()
            if place.kind == "sequence":
                place.items = nodes
            else:
                pairs = zip(nodes[::2], nodes[1::2], strict=True)
                place.keys = {key.text: (key, value) for key, value in pairs}
                for key, value in place.keys.values():
                    if value.start == value.end:  # nothing is written, and the parser's mark lies anywhere behind it
                        value.start = value.end = key.end
            # The end of a block collection is only known from what stands in it.
            place.end = end if place.flow or not nodes else max(node.end for node in nodes[-2:])
            self._finish(place)

    def _finish(self, place: Place) -> None:
        if self._stack:
            self._stack[-1][1].append(place)
        else:
            self.root = place
