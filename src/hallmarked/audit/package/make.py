"""Put a package for regulators together: forms, cards, keys and evidence, and the signed list of them all.

The list, ``package.json``, is evidence like any other: a signed and logged statement whose subjects are all other files
by SHA-256. So ``hallmarked verify package.json FOLDER`` checks it too, and ``sha256sum -c SHA256SUMS`` checks the files
without any program of ours.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files

from hallmarked import __version__
from hallmarked.artifacts.local import LocalArtifact
from hallmarked.audit.attested import from_files
from hallmarked.audit.package.archive import MANIFEST, MOST_BYTES, MOST_FILES
from hallmarked.audit.package.form import RULES, fill_forms, fill_runs, may_see_runs, statements_of
from hallmarked.core.errors import InputError
from hallmarked.core.evidence import Statement, Subject
from hallmarked.ledger.bundle import export_bundle
from hallmarked.ledger.ledger import Ledger
from hallmarked.ledger.strict import parse_json, write_json
from hallmarked.ledger.trust import Trust, dump_trust
from hallmarked.ledger.verify import Verified, verify_bundle
from hallmarked.policy.fact import Facts
from hallmarked.profiles.framework import Audience, Framework
from hallmarked.profiles.profile import build_profile
from hallmarked.profiles.run.decide import VERIFIER
from hallmarked.profiles.run.pack import load_pack, shipped
from hallmarked.records.package import Form, Package

SUMS, README, TRUST = "SHA256SUMS", "README.txt", "trust.json"
CARDS = frozenset({"scope.yaml", "dataset.toml"})
SPEAKS = frozenset(f"urn:hallmarked:{name}:v1" for name in ("dispute", "waiver", "withdrawal"))
"""Statements that speak against others: they are never left out."""
RUNS = frozenset(f"urn:hallmarked:{name}:v1" for name in ("run-plan", "run-deviation", "run-rebuttal"))


@dataclass(frozen=True, slots=True)
class Request:
    """What to put together."""

    artifact: LocalArtifact
    frameworks: Sequence[Framework]
    evidence: Mapping[str, bytes]
    """Evidence files by name."""
    trust: Trust
    time: datetime
    audience: Audience | None = None


def make_package(request: Request, ledger: Ledger) -> Mapping[str, bytes]:
    """Put a package together, sign it and log it.

    Args:
        request: What goes in.
        ledger: Whose key and log.

    Returns:
        Content by path.

    Raises:
        InputError: When there is no evidence, or too much of everything.
        VerificationError: When evidence does not hold.
        BackendError: When a file cannot be read or the log cannot be written.
    """
    evidence = _evidence(request)
    if not evidence:
        raise InputError("there is no evidence that the forms could rest on; audit first, or name some with --evidence")
    subject = request.artifact.subject
    keys = _keys(request.trust, evidence, ledger)
    contents = {**evidence, **_cards(request.artifact), TRUST: dump_trust(keys)}
    held = statements_of(evidence, request.trust)
    for framework in request.frameworks:
        profile = build_profile(framework, Facts(held, subject), request.time, request.audience)
        contents |= fill_forms(framework, profile, subject, request.time)
    packs = [load_pack(name) for name in shipped()] if may_see_runs(request.audience) else []
    runs = fill_runs(held, packs, request.time)
    contents |= runs
    if not request.frameworks and not runs:
        raise InputError("name a form with --profile, or bring the evidence of a training run with --evidence")
    contents[README] = (files("hallmarked.audit.package") / "readme.txt").read_bytes()
    contents[SUMS] = "".join(f"{_sha256(data)}  {path}\n" for path, data in sorted(contents.items())).encode()
    if len(contents) >= MOST_FILES or sum(map(len, contents.values())) > MOST_BYTES:
        raise InputError(f"a package holds at most {MOST_FILES:,} files of {MOST_BYTES >> 20} MiB together")
    record = Package(
        about=subject,
        time=request.time,
        forms=(
            *(Form(name=each.name, digest=each.digest) for each in request.frameworks),
            *(Form(name=f"{RULES}{each.id}", digest=each.digest) for each in (packs if runs else ())),
        ),
        audience=request.audience or "",
        version=__version__,
    )
    named = [Subject(path, {"sha256": _sha256(data)}) for path, data in sorted(contents.items())]
    receipts = ledger.attest([record.to_statement(*named)], time=request.time)
    return {**contents, MANIFEST: export_bundle(ledger.log, [receipt.index for receipt in receipts], keys)}


def _evidence(request: Request) -> dict[str, bytes]:
    """Return the evidence files; for an audience, with those statements alone that what it may see rests on."""
    named = {f"evidence/{at:02d}-{name}": data for at, (name, data) in enumerate(request.evidence.items(), 1)}
    verified = {path: verify_bundle(data, request.trust) for path, data in named.items()}
    if request.audience is None:
        return named
    held = from_files(verified.values())
    facts = Facts(held, request.artifact.subject)
    shown = [build_profile(each, facts, request.time, request.audience) for each in request.frameworks]
    keep = {id_ for profile in shown for row in profile.rows for id_ in row.rests_on}
    keep |= {one.id for one in held if one.statement.predicate_type in SPEAKS}
    if may_see_runs(request.audience):
        keep |= {one.id for one in held if _is_of_run(one.statement)}
    return {path: data for path in named if (data := _part(named[path], verified[path], keep))}


def _is_of_run(statement: Statement) -> bool:
    verifier = statement.predicate.get("verifier")
    decided = isinstance(verifier, Mapping) and verifier.get("id") == VERIFIER
    return decided or statement.predicate_type in RUNS


def _part(data: bytes, verified: Verified, keep: set[str]) -> bytes:
    """Return an evidence file with some of its statements; nothing when none is left."""
    bundle = parse_json(data, "bundle")
    ids = [f"sha256:{hashlib.sha256(entry.payload).hexdigest()}" for entry in verified.entries]
    bundle["entries"] = [row for row, id_ in zip(bundle["entries"], ids, strict=True) if id_ in keep]
    return write_json(bundle) if bundle["entries"] else b""


def _keys(trust: Trust, evidence: Mapping[str, bytes], ledger: Ledger) -> Trust:
    """Return the keys that are trusted and that the package needs; names of others are nobody's business."""
    verified = [verify_bundle(data, trust) for data in evidence.values()]
    needed = {entry.keyid for each in verified for entry in each.entries} | {ledger.key.keyid}
    origins = {each.checkpoint.origin for each in verified} | {ledger.log.origin}
    known = {key.keyid: key for key in (*ledger.trust.keys, *trust.keys)}
    return Trust(tuple(key for key in known.values() if key.keyid in needed or key.name in origins))


def _cards(artifact: LocalArtifact) -> dict[str, bytes]:
    """Return the cards at the root, and what they declare for machines."""
    found = {}
    for file in artifact.files:
        name = file.path
        if name in CARDS or (name.startswith("README") and name.endswith(".md") and "/" not in name):
            with artifact.open(name) as stream:
                found[f"cards/{name}"] = stream.read()
    return found


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
