"""From signals to a verdict: the most restrictive wins, whatever the order of the sources."""

from __future__ import annotations

from collections.abc import Iterator

from hallmarked.core.errors import InputError
from hallmarked.corpus.signal.licence import read_licence
from hallmarked.corpus.signal.media import read_manifests
from hallmarked.corpus.signal.model import (
    MOST_BYTES,
    Crawlers,
    Decision,
    Kind,
    Reason,
    Said,
    Snapshot,
    Source,
    Verdict,
    digest_of,
    path_of,
    text_of,
    worst,
)
from hallmarked.corpus.signal.page import read_headers, read_html
from hallmarked.corpus.signal.robots import read_ai_txt, read_robots
from hallmarked.corpus.signal.tdm import read_tdmrep

EVERYBODY = Crawlers()


def evaluate(snapshot: Snapshot, crawlers: Crawlers = EVERYBODY) -> Verdict:
    """Say whether a page or file may be used for training, as far as its signals say.

    A pure function of the snapshot. A source that says nothing of it changes nothing; one that cannot be read makes the
    verdict ``unknown`` unless another one refuses. Adding a source never makes it more permissive.

    Args:
        snapshot: The page and its sources, of which there must be one at least: having looked nowhere is no permission.
        crawlers: For whom rules are read that name crawlers.

    Raises:
        InputError: When there is no source, or the address is none.
    """
    if not snapshot.sources:
        raise InputError("there is no source of signals, so nothing can be said")
    try:
        path = path_of(snapshot.url)
    except ValueError as error:
        raise InputError("a page has no address that can be understood") from error
    reasons = {
        Reason(source.kind, said.decision, said.words, source.digest)
        for source in snapshot.sources
        for said in _read(source, path, snapshot.media, crawlers)
    }
    ordered = tuple(sorted(reasons, key=lambda r: (-r.decision.rank, r.kind, r.words, r.digest)))
    decision = worst([reason.decision for reason in ordered])
    return Verdict(snapshot.url, decision, ordered, digest_of(snapshot, crawlers))


def _read(source: Source, path: str, media: str, crawlers: Crawlers) -> Iterator[Said]:
    if source.absent:
        return
    if source.failure or not 200 <= source.status < 300:
        why = source.failure or f"it came with status {source.status}"
        yield Said(Decision.UNKNOWN, f"it could not be read: {why}")
        return
    if len(source.data) > MOST_BYTES and source.kind is not Kind.HTML:
        yield Said(Decision.UNKNOWN, "it is longer than what is read of it")
    text = text_of(source.data[:MOST_BYTES])
    match source.kind:
        case Kind.ROBOTS:
            yield from read_robots(text, path, crawlers)
        case Kind.AI_TXT:
            yield from read_ai_txt(text, path, crawlers)
        case Kind.HEADERS:
            yield from read_headers(text, media, crawlers)
        case Kind.HTML:
            yield from read_html(text, media, crawlers)
        case Kind.TDMREP:
            yield from read_tdmrep(text, path)
        case Kind.CREDENTIALS:
            yield from read_manifests(text)
        case Kind.LICENCE:
            yield from read_licence(text)
