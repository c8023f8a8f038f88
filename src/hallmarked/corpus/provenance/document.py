"""``provenance.json``: from what a version of a data set was made, as the build wrote it down.

Copies of the documents of its sources lie beside it in ``provenance/``, named by their SHA-256, so that a data set
carries the account of all that it was made from, build by build.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hallmarked.core.errors import FormatError, VerificationError
from hallmarked.ledger.strict import parse_json

PATH = "provenance.json"
FOLDER = "provenance"
"""Holds the documents of what it was made from."""
VERSION = 1
MOST_BYTES = 64 << 20
MOST_SOURCES = 100_000
EVIDENCE = "evidence.json"
_HEX = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Origin:
    """Something that a data set was made from: one of its sources, or what the model learned that wrote its rows."""

    name: str
    digest: Mapping[str, str]
    """``dirHash`` of a folder, ``sha256`` of a file."""
    document: str = ""
    """SHA-256 of its own ``provenance.json``; empty when it has none."""

    def to_dict(self) -> dict[str, Any]:
        """Write it as JSON."""
        return {"name": self.name, "digest": dict(self.digest)} | ({"document": self.document} if self.document else {})


@dataclass(frozen=True, slots=True)
class Input:
    """A source, what was said of it, and what became of its rows."""

    origin: Origin
    licence: str = ""
    collected: Mapping[str, Any] = field(default_factory=dict)
    model: str = ""
    """The model that wrote its synthetic rows, when there are some."""
    learned: Sequence[Origin] = ()
    """What that model learned from."""
    share: float | None = 0.0
    """Share of synthetic rows; None when nobody knows."""
    depth: int | None = 0
    """How many models stand one behind the other behind them; None when nobody knows."""
    read: int = 0
    kept: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Write it as JSON."""
        said = {
            **self.origin.to_dict(),
            "licence": self.licence,
            "collected": dict(self.collected),
            "synthetic": {"share": self.share, "depth": self.depth},
            "rows": {"read": self.read, "kept": self.kept},
        }
        if self.model:
            said["model"] = {"name": self.model, "learned": [each.to_dict() for each in self.learned]}
        return said


@dataclass(frozen=True, slots=True)
class Document:
    """``provenance.json``."""

    name: str
    licence: str
    inputs: Sequence[Input]
    files: Mapping[str, str]
    """SHA-256 of each file of the data set that the build wrote, by path."""
    rows: Mapping[str, int]
    """Rows in each of the files that hold rows."""
    removed: Mapping[str, int]
    """How many rows are missing, by reason."""
    share: float | None
    """Share of synthetic rows; None when nobody knows."""
    depth: int | None
    """The greatest generation depth of any of its rows; None when nobody knows."""
    used: Sequence[Origin] = ()
    """What it was held against: benchmarks, the list of consents."""

    def dump(self) -> bytes:
        """Write the document."""
        said = {
            "provenance": VERSION,
            "name": self.name,
            "licence": self.licence,
            "sources": [each.to_dict() for each in self.inputs],
            "used": [each.to_dict() for each in self.used],
            "rows": {"kept": sum(self.rows.values()), "removed": dict(self.removed)},
            "synthetic": {"share": self.share, "depth": self.depth},
            "files": [
                {"path": path, "sha256": digest} | ({"rows": self.rows[path]} if path in self.rows else {})
                for path, digest in sorted(self.files.items())
            ],
        }
        return json.dumps(said, ensure_ascii=False, indent=1).encode() + b"\n"


def combine(inputs: Sequence[Input]) -> tuple[float | None, int | None]:
    """Return the synthetic share and the generation depth of rows that come from several sources.

    The depth is the greatest of any source that gave rows; what nobody knows of one, nobody knows of all.
    """
    used = [each for each in inputs if each.kept]
    kept = sum(each.kept for each in used)
    shares = [each.share for each in used]
    depths = [each.depth for each in used]
    known = [share for share in shares if share is not None]
    share = (
        sum(part * each.kept for part, each in zip(known, used, strict=True)) / kept
        if used and len(known) == len(used)
        else (0.0 if not used else None)
    )
    depth = max((each for each in depths if each is not None), default=0) if None not in depths else None
    return (None if share is None else round(share, 6)), depth


def read_document(data: bytes) -> Document:
    """Read a document.

    Raises:
        FormatError: When it is none.
    """
    if len(data) > MOST_BYTES:
        raise FormatError(f"{PATH} is larger than {MOST_BYTES >> 20} MiB")
    try:
        said = parse_json(data, "provenance")
        if said["provenance"] != VERSION:
            raise FormatError(f"{PATH} is of another version than {VERSION}")
        files = {str(each["path"]): _sha256(each["sha256"]) for each in said["files"]}
        return Document(
            name=str(said["name"]),
            licence=str(said["licence"]),
            inputs=tuple(_input(each) for each in said["sources"]),
            files=files,
            rows={str(each["path"]): _count(each["rows"]) for each in said["files"] if "rows" in each},
            removed={str(reason): _count(count) for reason, count in said["rows"]["removed"].items()},
            share=_share(said["synthetic"]["share"]),
            depth=_depth(said["synthetic"]["depth"]),
            used=tuple(_origin(each) for each in said["used"]),
        )
    except VerificationError as error:
        raise FormatError(f"{PATH} cannot be read: {error}") from error
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise FormatError(f"{PATH} does not say what it should") from error


def _input(said: Mapping[str, Any]) -> Input:
    model = said.get("model", {})
    return Input(
        origin=_origin(said),
        licence=str(said["licence"]),
        collected=dict(said["collected"]),
        model=str(model.get("name", "")),
        learned=tuple(_origin(each) for each in model.get("learned", ())),
        share=_share(said["synthetic"]["share"]),
        depth=_depth(said["synthetic"]["depth"]),
        read=_count(said["rows"]["read"]),
        kept=_count(said["rows"]["kept"]),
    )


def _origin(said: Mapping[str, Any]) -> Origin:
    digest = {str(name): _sha256(value) for name, value in said["digest"].items()}
    document = said.get("document", "")
    return Origin(str(said["name"]), digest, _sha256(document) if document else "")


def _sha256(value: Any) -> str:
    if not isinstance(value, str) or not _HEX.fullmatch(value):
        raise ValueError("no SHA-256")
    return value


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError("no count")
    return value


def _share(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise ValueError("no share")
    return float(value)


def _depth(value: Any) -> int | None:
    return None if value is None else _count(value)
