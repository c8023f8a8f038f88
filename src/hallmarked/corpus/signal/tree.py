"""Snapshots in files: trees of web sites as they were fetched, and lists of snapshots as JSON.

A tree has one folder per host. In it lie ``robots.txt``, ``ai.txt`` and ``.well-known/tdmrep.json`` when they were
looked for, and the pages and files under their own paths. Beside each of them, ``NAME.headers`` holds the response as
it came (status line and fields), ``NAME.licence`` the id or address of a licence, ``NAME.c2pa.json`` the manifest store
of a media file that is not kept itself. A file that was looked for and is not there is given by its headers alone
(``robots.txt.headers`` with ``HTTP/1.1 404``).

A file ``*.json`` at the top of the tree is a list of snapshots: objects with ``url``, perhaps ``media``, and
``sources``, each with ``kind``, ``text`` or ``base64``, and perhaps ``status``.
"""

from __future__ import annotations

import base64
import json
import mimetypes
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from hallmarked.core.artifact import Artifact
from hallmarked.core.check import Part
from hallmarked.core.errors import FormatError, InputError
from hallmarked.corpus.signal.evaluate import evaluate
from hallmarked.corpus.signal.media import read_credentials
from hallmarked.corpus.signal.model import MOST_BYTES, Crawlers, Decision, Kind, Snapshot, Source, Verdict

SITE = {"robots.txt": Kind.ROBOTS, "ai.txt": Kind.AI_TXT, ".well-known/tdmrep.json": Kind.TDMREP}
"""Sources of a site by their path."""
BESIDE = (".headers", ".licence", ".c2pa.json")
MOST_SNAPSHOTS = 1_000_000
_STATUS = re.compile(rb"HTTP/[\d.]+ (\d{3})\b")
_MEDIA = ("image", "audio", "video")


def read_snapshots(artifact: Artifact) -> Iterator[Snapshot]:
    """Yield the snapshots of a tree, or of one file with a list of them, in the order of their paths.

    Raises:
        FormatError: When a list of snapshots cannot be understood.
        BackendError: When a file cannot be read.
    """
    sizes = {file.path: file.size for file in artifact.files}
    sites: dict[str, list[Source]] = {}
    for path in sizes:
        host, _, inside = path.partition("/")
        if not inside and path.endswith(".json"):
            yield from _listed(_read(artifact, path))
        elif inside in SITE or inside.removesuffix(".headers") in SITE:
            name = inside.removesuffix(".headers")
            if inside in SITE or f"{host}/{name}" not in sizes:
                sites.setdefault(host, []).append(_source(artifact, sizes, SITE[name], f"{host}/{name}"))
    for host, path in sorted({_page(path) for path in sizes if "/" in path}):
        if path not in SITE:
            sources = [*sites.get(host, ()), *_sources(artifact, sizes, f"{host}/{path}")]
            yield Snapshot(f"https://{host}/{path}", tuple(sources))


def _page(path: str) -> tuple[str, str]:
    """Return host and path of the page that a file belongs to."""
    host, _, inside = path.partition("/")
    for ending in BESIDE:
        inside = inside.removesuffix(ending)
    return host, inside


def _sources(artifact: Artifact, sizes: Mapping[str, int], path: str) -> Iterator[Source]:
    if f"{path}.headers" in sizes:
        yield Source(Kind.HEADERS, _read(artifact, f"{path}.headers"))
    if f"{path}.licence" in sizes:
        yield Source(Kind.LICENCE, _read(artifact, f"{path}.licence"))
    media_type = mimetypes.guess_type(path)[0] or ""
    if f"{path}.c2pa.json" in sizes:
        yield Source(Kind.CREDENTIALS, _read(artifact, f"{path}.c2pa.json"))
    elif path in sizes and media_type.startswith(_MEDIA):
        with artifact.open(path) as stream:
            yield read_credentials(stream.read(), media_type)
    elif path in sizes and (media_type == "text/html" or "." not in path.rpartition("/")[2]):
        yield Source(Kind.HTML, _read(artifact, path))


def _source(artifact: Artifact, sizes: Mapping[str, int], kind: Kind, path: str) -> Source:
    """Read a source of a site, with the status that stands beside it."""
    status = 200
    if f"{path}.headers" in sizes:
        found = _STATUS.match(_read(artifact, f"{path}.headers"))
        status = int(found[1]) if found else 200
    return Source(kind, _read(artifact, path) if path in sizes else b"", status)


def _read(artifact: Artifact, path: str) -> bytes:
    with artifact.open(path) as stream:
        return stream.read(MOST_BYTES + 1)


def _listed(data: bytes) -> Iterator[Snapshot]:
    try:
        listed = json.loads(data)
        for each in listed if isinstance(listed, list) else [listed]:
            yield parse_snapshot(each)
    except (ValueError, RecursionError) as error:
        raise FormatError("a list of snapshots is not JSON") from error


def parse_snapshot(written: Any) -> Snapshot:
    """Read a snapshot from its JSON object.

    Raises:
        FormatError: When it is none.
    """
    try:
        sources = [
            Source(
                Kind(each["kind"]),
                each["text"].encode() if "text" in each else base64.b64decode(each["base64"], validate=True),
                int(each.get("status", 200)),
            )
            for each in written["sources"]
        ]
        return Snapshot(str(written["url"]), tuple(sources), str(written.get("media", "")))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise FormatError("a snapshot needs a url, and sources that have a kind and text or base64") from error


def evaluate_tree(artifact: Artifact, _part: Part, options: Mapping[str, Any]) -> bytes:
    """Evaluate all snapshots of a tree, as a task of ``corpus.engine``: JSON with one object per page.

    Raises:
        FormatError: When a list of snapshots cannot be understood.
    """
    crawlers = Crawlers(tuple(options.get("crawlers", ())))
    rows: list[dict[str, Any]] = []
    for snapshot in read_snapshots(artifact):
        if len(rows) == MOST_SNAPSHOTS:
            raise FormatError(f"there are more than {MOST_SNAPSHOTS:,} snapshots")
        rows.append(write_verdict(_evaluated(snapshot, crawlers)))
    return json.dumps(rows, ensure_ascii=False).encode()


def _evaluated(snapshot: Snapshot, crawlers: Crawlers) -> Verdict:
    try:
        return evaluate(snapshot, crawlers)
    except InputError:
        return Verdict(snapshot.url, Decision.UNKNOWN, (), "")


def write_verdict(verdict: Verdict) -> dict[str, Any]:
    """Return a verdict as a JSON object."""
    return {
        "url": verdict.url,
        "decision": verdict.decision.value,
        "reasons": [asdict(reason) for reason in verdict.reasons],
        "digest": verdict.digest,
    }
