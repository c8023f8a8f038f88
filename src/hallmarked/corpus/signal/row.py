"""Signals that a data set keeps with its rows, in columns of their own, or for its sites, in a folder ``signals``.

By convention the columns are called as in :class:`SignalColumns`; a data set declares others. The folder is a tree as
in ``tree``, of which the files of sites are read: ``signals/example.org/robots.txt``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any
from urllib.parse import urlsplit

from hallmarked.core.artifact import Artifact, File
from hallmarked.corpus.signal.evaluate import EVERYBODY, evaluate
from hallmarked.corpus.signal.model import MOST_BYTES, Crawlers, Kind, Snapshot, Source, Verdict
from hallmarked.corpus.signal.tree import SITE

FOLDER = "signals"


@dataclass(frozen=True, slots=True)
class SignalColumns:
    """Which columns hold what; a column that is not there, or null, is a source that was not looked at."""

    url: str = "url"
    headers: str = "http_headers"
    """Fields of the response as text, one per line; or an object, or a list of pairs."""
    robots: str = "robots_txt"
    ai_txt: str = "ai_txt"
    tdmrep: str = "tdmrep_json"
    html: str = "html"
    credentials: str = "c2pa_json"
    licence: str = "licence"

    def present(self, columns: Sequence[str]) -> bool:
        """Say whether there is a column with signals, besides the address and the licence."""
        named = {getattr(self, each.name) for each in fields(self)} - {self.url, self.licence}
        return bool(named & set(columns))


KINDS = {
    "headers": Kind.HEADERS,
    "robots": Kind.ROBOTS,
    "ai_txt": Kind.AI_TXT,
    "tdmrep": Kind.TDMREP,
    "html": Kind.HTML,
    "credentials": Kind.CREDENTIALS,
    "licence": Kind.LICENCE,
}
Sites = Mapping[str, Sequence[Source]]
"""Sources of sites by host, in small letters."""


def row_verdict(
    row: Mapping[str, Any], columns: SignalColumns, sites: Sites, crawlers: Crawlers = EVERYBODY, *, media: str = ""
) -> Verdict | None:
    """Evaluate the signals that are kept with a row and for its site; None when there are none.

    Args:
        row: Its values by column.
        columns: Which columns hold what.
        sites: What :func:`read_sites` returned.
        crawlers: For whom rules are read that name crawlers.
        media: ``text`` or ``image`` when that is what is used.

    Raises:
        InputError: When the address of the row cannot be understood.
    """
    url = str(row.get(columns.url) or "/")
    sources = [*_own(row, columns), *sites.get(host_of(url), ())]
    return evaluate(Snapshot(url, tuple(sources), media), crawlers) if sources else None


def _own(row: Mapping[str, Any], columns: SignalColumns) -> Iterator[Source]:
    for name, kind in KINDS.items():
        value = row.get(getattr(columns, name))
        if value is not None:
            yield Source(kind, _lines(value).encode("utf-8", "replace"))


def _lines(value: Any) -> str:
    """Write fields as lines; anything else as it is."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, Mapping):
        pairs = [(key, each) for key, held in value.items() for each in (held if isinstance(held, list) else [held])]
        return "\n".join(f"{key}: {each}" for key, each in pairs if each is not None)
    if isinstance(value, list | tuple):
        return "\n".join(
            f"{each[0]}: {each[1]}" if isinstance(each, list | tuple) and len(each) == 2 else str(each)
            for each in value
        )
    return str(value)


def host_of(url: str) -> str:
    """Return the host of an address in small letters; empty when it has none."""
    try:
        return (urlsplit(url).hostname or "").removesuffix(".")
    except ValueError:
        return ""


def read_sites(artifact: Artifact) -> dict[str, list[Source]]:
    """Read the sources of sites that a data set keeps in its folder ``signals``.

    Raises:
        BackendError: When a file cannot be read.
    """
    sites: dict[str, list[Source]] = {}
    for file in artifact.files:
        host, kind = _site(file)
        if kind is not None:
            with artifact.open(file.path) as stream:
                sites.setdefault(host, []).append(Source(kind, stream.read(MOST_BYTES + 1)))
    return sites


def _site(file: File) -> tuple[str, Kind | None]:
    folder, _, inside = file.path.partition("/")
    host, _, path = inside.partition("/")
    return host.lower(), SITE.get(path) if folder == FOLDER else None
