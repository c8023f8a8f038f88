"""Put a sheet together from a card, what is stated, and what claims and requirements came to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from hallmarked.cards.claim import Claim as Derived
from hallmarked.core.errors import FormatError
from hallmarked.core.evidence import Attestation, Subject
from hallmarked.exchange import hub
from hallmarked.exchange.licence import to_spdx
from hallmarked.exchange.sheet import Asked, Claim, FileEntry, Pairs, Part, Result, Sheet
from hallmarked.policy.decide import Decision
from hallmarked.policy.fact import Fact, Facts

EVALUATIONS = "eval."
"""Beginning of the paths of what evaluations measured."""


@dataclass(frozen=True, slots=True)
class Source:
    """Everything a sheet is put together from."""

    subject: Subject
    card: bytes | None
    """The README; none when there is none."""
    attestations: Sequence[Attestation]
    claims: Sequence[Derived]
    time: datetime
    decisions: Sequence[Decision] = ()
    """What contexts decided."""
    name: str = ""
    """``owner/name`` where it has one; the subject's name otherwise."""


def gather_sheet(source: Source) -> Sheet:
    """Put a sheet together. A card that cannot be read leaves what only it says empty.

    Args:
        source: What it is put together from.
    """
    facts = Facts(source.attestations, source.subject)
    sheet = _of_card(source.card)
    kind = _first(facts, "card.kind")
    named = sheet.kind if source.card else kind or "model"
    return replace(
        sheet,
        kind=named if named in {"model", "dataset", "system"} else "model",
        name=source.name or source.subject.name,
        digest=tuple(sorted(source.subject.digest.items())),
        version=next(iter(source.subject.digest.values()), "")[:12],
        created=source.time.strftime("%Y-%m-%dT%H:%M:%SZ"),
        licences=sheet.licences or tuple(to_spdx(value) for value in _values(facts, "licence.declared")),
        architecture=_first(facts, "model.architecture") or _first(facts, "model.type"),
        parameters=_whole(facts, "parameters.total"),
        library=sheet.library or _first(facts, "model.library"),
        results=(*_results(facts), *sheet.results),
        claims=tuple(_claims(source.claims)),
        files=tuple(_files(source.attestations, facts)),
        parts=(*sheet.parts, *_declared(facts)),
        asked=tuple(_asked(source.decisions)),
    )


def _of_card(card: bytes | None) -> Sheet:
    empty = Sheet("model", "", (), "")
    if card is None:
        return empty
    try:
        return hub.read(card)
    except FormatError:
        return empty


def _values(facts: Facts, path: str) -> list[str]:
    return list(dict.fromkeys(fact.value for fact in facts.find(path) if fact.current))


def _first(facts: Facts, path: str) -> str:
    return next(iter(_values(facts, path)), "")


def _whole(facts: Facts, path: str) -> str:
    return next((fact.value for fact in facts.find(path) if fact.current and not fact.slice), "")


def _results(facts: Facts) -> Iterator[Result]:
    """Yield what evaluations measured, those about other bytes too: they are stale, and said to be."""
    for path in facts.paths():
        if path.startswith(EVALUATIONS):
            for fact in facts.find(path):
                yield _result(fact)


def _result(fact: Fact) -> Result:
    slice_ = {name: value for name, value in fact.slice.items() if name != "dataset"}
    return Result(
        fact.path,
        fact.value,
        fact.unit,
        fact.n,
        fact.interval,
        _pairs(slice_),
        fact.slice.get("dataset", ""),
        "attested" if fact.current else "stale",
        (fact.source.id,),
    )


def _pairs(values: Mapping[str, str]) -> Pairs:
    return tuple(sorted(values.items()))


def _claims(claims: Iterable[Derived]) -> Iterator[Claim]:
    for claim in claims:
        evidence = tuple(dict.fromkeys(item.statement for item in claim.evidence if item.statement))
        yield Claim(claim.kind, claim.value, claim.text, claim.status.value, claim.reason, evidence)


def _asked(decisions: Iterable[Decision]) -> Iterator[Asked]:
    for decision in decisions:
        for ruling in decision.rulings:
            maps_to = ruling.demand.maps_to if ruling.demand is not None else ()
            judged = ruling.judged
            yield Asked(
                decision.context.name, ruling.id, ruling.outcome.value, judged.reason, judged.evidence, tuple(maps_to)
            )


def _files(attestations: Sequence[Attestation], facts: Facts) -> Iterator[FileEntry]:
    """Yield the files of the revision, as the newest inventory of it lists them."""
    sizes = {fact.slice.get("path", ""): fact.value for fact in facts.find("file.present") if fact.current}
    sources = {fact.source.id for fact in facts.find("files.total") if fact.current}
    for one in attestations:
        listed = one.statement.predicate.get("files") if one.id in sources else None
        if isinstance(listed, Mapping):
            for path, digest in sorted(listed.items()):
                size = sizes.get(path, "")
                yield FileEntry(str(path), str(digest), int(size) if size.isdecimal() else None)
            return


def _declared(facts: Facts) -> Iterator[Part]:
    """Yield the parts of a system that its card names with their digests."""
    for fact in facts.find("card.component"):
        digest = {name: fact.slice[name] for name in ("dirHash", "gitCommit", "sha256") if name in fact.slice}
        if fact.current and "kind" in fact.slice:
            yield Part(fact.slice["kind"], fact.value, _pairs(digest))
