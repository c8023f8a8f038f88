"""Write down what a card declares for machines, word for word, without judging it.

The key ``hallmarked`` of the metadata holds claims, the kind of the card and the parts of a system. Each row becomes a
measurement that carries it as JSON, so that views can read it again with all the strictness they want, from the signed
statement alone:

==========================  ===========================================================================================
``claim.declared``          id of a claim; the row in ``row``
``card.component``          name of a part of a system; ``kind``, and its digests in ``digest`` (``algorithm:hex``,
                            several separated by a space)
==========================  ===========================================================================================
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import TypeGuard

from hallmarked.checks.documentation.claims import MAX_TEXT, cut
from hallmarked.core.evidence import Gap, Item, Location, Measurement
from hallmarked.formats.document import Path, Tagged, walk

KEY = "hallmarked"
KINDS = ("model", "dataset", "system", "governance")
MAX_ROWS = 2_000
"""Rows of one list that are written down."""
MAX_NODES = 1_000
"""Values in one row, so that aliases cannot make a small file long."""
MAX_ROW = 16_000
"""Characters of one row as JSON."""

LineOf = Callable[[Path], int]
"""Gives the line of a node of the metadata."""


def section(data: Mapping[str, object]) -> Mapping[object, object]:
    """Return what a card declares; empty when it declares nothing that can be understood."""
    value = data.get(KEY)
    return value if isinstance(value, Mapping) else {}


def declared_kind(data: Mapping[str, object]) -> str:
    """Return the kind a card says it is of; empty when it does not say, or says something unknown."""
    kind = section(data).get("kind")
    return kind if isinstance(kind, str) and kind in KINDS else ""


def declared_claims(path: str, data: Mapping[str, object], line_of: LineOf) -> Iterator[Item]:
    """Yield the claims that a card declares.

    Args:
        path: Path of the card.
        data: Its metadata.
        line_of: Gives the line of a node.
    """
    yield from record_rows("claim.declared", path, section(data).get("claims"), (KEY, "claims"), line_of)


def record_rows(
    metric: str, path: str, value: object, above: Path, line_of: LineOf, **more: str
) -> Iterator[Measurement | Gap]:
    """Yield the rows of a list, each as it is, and a gap for what is too long to be kept.

    Args:
        metric: What the measurement is called.
        path: Path of the file.
        value: The list. Anything else holds no rows.
        above: Where it stands in the document.
        line_of: Gives the line of a node.
        more: Further parts of the slice.
    """
    for index, row in enumerate(islice(value, MAX_ROWS) if isinstance(value, list) else ()):
        line = line_of((*above, index))
        text = as_json(row)
        if text is None:
            yield Gap(f"{path}, line {line}: this entry is too long to be written down", Location(path, line=line))
            continue
        name = row.get("id") if isinstance(row, Mapping) else None
        place = {"path": path, "line": str(line), "source": "metadata", "row": text, **more}
        yield Measurement(metric, cut(str(name)) if isinstance(name, str | int) else "", slice=place)
    if isinstance(value, list) and len(value) > MAX_ROWS:
        where = Location(path, line=line_of(above))
        yield Gap(f"{path} lists {len(value):,} entries under {above[-1]}; {MAX_ROWS:,} were written down", where)


def as_json(value: object) -> str | None:
    """Return a part of a YAML document as JSON text; ``None`` when it is too long."""
    if sum(1 for _ in islice(walk(value), MAX_NODES + 1)) > MAX_NODES:
        return None
    text = json.dumps(value, ensure_ascii=False, default=_tagged)
    return text if len(text) <= MAX_ROW else None


def _tagged(value: object) -> dict[str, object]:
    """Keep a node with a tag recognisable: no reader takes it for what stands behind the tag."""
    assert isinstance(value, Tagged)
    return {"!tag": value.tag, "!value": value.value}


def components(data: Mapping[str, object]) -> list[Mapping[object, object]]:
    """Return the rows of the parts of a system, as many as are looked at."""
    value = section(data).get("components")
    return [row for row in value[:MAX_ROWS] if isinstance(row, Mapping)] if isinstance(value, list) else []


def digests(row: Mapping[object, object]) -> dict[str, str]:
    """Return the digests that a part of a system is named by."""
    value = row.get("digest")
    pairs = value.items() if isinstance(value, Mapping) else ()
    return {name: digest for name, digest in islice(pairs, 10) if _is_algorithm(name) and _is_digest(digest)}


def _is_algorithm(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and len(value) <= 40 and value.isalnum() and value.isascii()


def _is_digest(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and 8 <= len(value) <= 128 and set(value) <= set("0123456789abcdef")


def declared_components(path: str, data: Mapping[str, object], line_of: LineOf) -> Iterator[Item]:
    """Yield the parts that a system card names.

    Args:
        path: Path of the card.
        data: Its metadata.
        line_of: Gives the line of a node.
    """
    for index, row in enumerate(components(data)):
        line = line_of((KEY, "components", index))
        named = " ".join(f"{algorithm}:{digest}" for algorithm, digest in sorted(digests(row).items()))
        place = {"path": path, "line": str(line), "kind": _word(row.get("kind")), "digest": named}
        name = _word(row.get("name"))
        yield Measurement("card.component", name, slice={key: part for key, part in place.items() if part})


def _word(value: object) -> str:
    return cut(value[: 2 * MAX_TEXT]) if isinstance(value, str) else ""
