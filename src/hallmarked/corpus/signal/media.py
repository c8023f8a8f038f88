"""Content credentials of media: the assertions ``cawg.training-mining`` and ``c2pa.training-mining``.

https://cawg.io/training-and-data-mining/1.1/; before, they were part of the C2PA specification. What is evaluated is
the manifest store as JSON. :func:`read_credentials` gets it out of a media file; that parses hostile bytes in a native
library, so it is only called where a check or a part is run: without network, without writing, within limits.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from typing import Any

from hallmarked.corpus.signal.model import Decision, Kind, Said, Source

LABELS = ("cawg.training-mining", "c2pa.training-mining")
OTHER = frozenset({"ai_inference", "metadata"})
"""Entries that are not about training, nor about collecting for it; all others count, also those not known here."""
MOST_MANIFESTS = 1_000
MOST_MEDIA = 256 << 20


def read_credentials(data: bytes, media_type: str) -> Source:
    """Read the content credentials of a file as a source of signals; a file without them has an empty one.

    Args:
        data: The file.
        media_type: ``image/jpeg``.
    """
    try:
        from c2pa import C2paError, Reader  # noqa: PLC0415 -- needs the extra "data", and takes its time
    except ImportError:
        return Source(Kind.CREDENTIALS, b"", failure="content credentials were not read: c2pa-python is missing")
    if len(data) > MOST_MEDIA:
        return Source(Kind.CREDENTIALS, b"", failure="the file is too large to read its content credentials")
    try:
        with Reader(media_type, io.BytesIO(data)) as reader:
            return Source(Kind.CREDENTIALS, reader.json().encode())
    except C2paError as error:
        if "ManifestNotFound" in type(error).__name__ or "ManifestNotFound" in str(error):
            return Source(Kind.CREDENTIALS, b"", status=404)
        return Source(Kind.CREDENTIALS, b"", failure="its content credentials cannot be read")


def read_manifests(text: str) -> Iterator[Said]:
    """Say what a manifest store says; every manifest in it counts, those of ingredients too."""
    try:
        store = json.loads(text)
    except (ValueError, RecursionError):
        yield Said(Decision.UNKNOWN, "its content credentials are not JSON")
        return
    manifests = store.get("manifests") if isinstance(store, dict) else None
    listed = list(manifests.values()) if isinstance(manifests, dict) else manifests
    if not isinstance(listed, list) or len(listed) > MOST_MANIFESTS:
        yield Said(Decision.UNKNOWN, "its content credentials cannot be understood")
        return
    for manifest in listed:
        assertions = manifest.get("assertions") if isinstance(manifest, dict) else None
        for assertion in assertions if isinstance(assertions, list) else ():
            label = str(assertion.get("label", "")).lower() if isinstance(assertion, dict) else ""
            if label.partition("__")[0].startswith(LABELS):
                yield from _assertion(assertion.get("data"))


def _assertion(data: Any) -> Iterator[Said]:
    entries = data.get("entries", data) if isinstance(data, dict) else None
    if not isinstance(entries, dict):
        yield Said(Decision.UNKNOWN, "the assertion on training cannot be understood")
        return
    for name, entry in entries.items():
        label = str(name).lower().rpartition(".")[2]
        if label in OTHER:
            continue
        use = entry.get("use") if isinstance(entry, Mapping) else entry
        yield _use(label[:40], str(use).lower())


def _use(label: str, use: str) -> Said:
    if use == "allowed":
        return Said(Decision.ALLOWED, f"its content credentials allow {label}")
    if use == "notallowed":
        return Said(Decision.DENIED, f"its content credentials refuse {label}")
    if use == "constrained":
        return Said(Decision.DENIED, f"its content credentials allow {label} under conditions only")
    return Said(Decision.DENIED, f"its content credentials say of {label} what is not known here: counts as a refusal")
