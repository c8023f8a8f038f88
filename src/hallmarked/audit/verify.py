"""Check evidence against files and trusted keys, and say the result in sentences."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from hallmarked.artifacts.local import LocalArtifact
from hallmarked.audit.downloaded import Comparison, compare_downloaded
from hallmarked.audit.report.view import plural
from hallmarked.checks.runner import PREDICATE_TYPE as RESULT_TYPE
from hallmarked.core.errors import InputError, VerificationError
from hallmarked.core.evidence import Statement, Subject
from hallmarked.core.text import clean
from hallmarked.ledger.statement import match_subjects
from hallmarked.ledger.strict import members, parse_json
from hallmarked.ledger.trust import Role, Trust, TrustedKey, load_trust, read_keys
from hallmarked.ledger.verify import MAX_BUNDLE, MEDIA_TYPE, Verified, VerifiedEntry, verify_bundle
from hallmarked.policy.statement import OUTSIDE
from hallmarked.policy.statement import PREDICATE_TYPE as DECISION_TYPE
from hallmarked.records.kind import KINDS as RECORD_KINDS
from hallmarked.records.record import Invalid, Record

HOLDS, BROKEN, OPEN = 0, 1, 2
MOST_PATHS = 10
KINDS = {
    "https://in-toto.io/attestation/scai/v0.3": "claims",
    "https://in-toto.io/attestation/svr/v0.2": "decision",
    "https://slsa.dev/provenance/v1": "provenance",
    "urn:hallmarked:deletion:v1": "deletion",
    "urn:hallmarked:row-commitment:v1": "contents",
}
"""What a statement that no check made is called in front of people."""
SHORTEST_ID = 32
"""Hexadecimal digits; finding another key with the same beginning must be out of anybody's reach."""


@dataclass(slots=True)
class Check:
    """What a verification came to."""

    verified: Verified
    status: int = HOLDS
    """0 everything holds, 1 something does not, 2 something could not be told."""
    lines: list[str] = field(default_factory=list)
    """The result as sentences."""
    subject: Subject | None = None
    """The revision of a hub that it was asked about; None for a file, and when the evidence is about another one."""

    def say(self, status: int, text: str) -> None:
        """Add a sentence; the worst status counts, and broken is worse than open."""
        self.lines.append(f"{'✔✖?'[status]} {clean(text)}")
        self.status = BROKEN if BROKEN in {self.status, status} else max(self.status, status)


def is_url(text: str) -> bool:
    """Say whether somebody named a place on the web rather than a file."""
    return text.lower().startswith(("http://", "https://"))


def read_file(path: Path) -> bytes:
    """Read a file the user named.

    Raises:
        InputError: When it cannot be read or is too large to be evidence.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BUNDLE + 1)
    except OSError as error:
        raise InputError(f"{path}: {(error.strerror or 'cannot be read').lower()}") from error
    if len(data) > MAX_BUNDLE:
        raise InputError(f"{path} is larger than any evidence file")
    return data


def trust_of(evidence: bytes, ids: Sequence[str], trust_file: bytes | None) -> Trust:
    """Return whom to trust: a trust file, and the keys in the evidence that have one of the given ids.

    An id is a digest of the key, so naming it is as good as bringing the key. What the evidence says about its holder
    is not part of the id, and is shown as hearsay.

    Raises:
        InputError: When an id is too short to mean one key, or means several.
        VerificationError: When the evidence or the trust file cannot be read.
    """
    for keyid in ids:
        if len(keyid) < SHORTEST_ID:
            raise InputError(f"{keyid} is too short to be the id of a key: give at least {SHORTEST_ID} characters")
    keys = load_trust(trust_file).keys if trust_file is not None else ()
    value = parse_json(evidence, "bundle")
    if not isinstance(value, dict) or value.get("mediaType") != MEDIA_TYPE:
        raise VerificationError(
            "this is not an evidence file, which is the evidence.json an audit wrote", link="bundle"
        )
    row = members(value, "entries log mediaType trust", link="bundle")
    stated: dict[bytes, TrustedKey] = {}
    listed = read_keys(row["trust"], "bundle")
    for keyid in ids:
        meant = [key for key in listed if key.keyid.startswith(keyid.lower())]
        if len(meant) > 1:
            raise InputError(f"{keyid} is the beginning of several ids in the evidence: give the whole id")
        stated |= {key.public: _named(key) for key in meant}
    return Trust((*keys, *(key for public, key in stated.items() if public not in {key.public for key in keys})))


def _named(key: TrustedKey) -> TrustedKey:
    # The name of a log is its origin, which its signatures cover.
    return key if key.role is Role.LOG else replace(key, name=f"a key you named, which the evidence calls {key.name!r}")


def check_evidence(data: bytes, trust: Trust, artifact: LocalArtifact | None, witnesses: int = 0) -> Check:
    """Verify evidence, compare it with files, and say what holds.

    Args:
        data: The bytes of ``evidence.json``.
        trust: Whom to trust.
        artifact: The files it should be about.
        witnesses: How many trusted witnesses must have cosigned.

    Raises:
        VerificationError: When a link of the chain of evidence is broken.
        BackendError: When a file cannot be read.
    """
    verified = verify_bundle(data, trust, witnesses_required=witnesses)
    check, size = Check(verified), verified.checkpoint.size
    count = plural(len(verified.entries), "statement")
    check.say(HOLDS, f"Intact: {count}, each in the log {verified.checkpoint.origin} of {size:,} entries")
    for entry in {entry.keyid: entry for entry in verified.entries}.values():
        if entry.trusted:
            check.say(HOLDS, f"Trusted: {entry.reason} (key {entry.keyid[:16]})")
        else:
            check.say(OPEN, f"Not trusted: {entry.reason}; name the keys you trust with --key or --trust")
    _compare(check, artifact, hashlib.sha256(data).hexdigest())
    _complete(check)
    *earlier, newest = _rounds(verified.entries)
    times = sorted({f"{entry.time:%Y-%m-%d %H:%M} UTC" for entry in newest})
    check.lines += ["", f"What was said on {times[0]}" if len(times) == 1 else f"Said {times[0]} to {times[-1]}"]
    check.lines += [f"  {clean(line)}" for line in _said(newest)]
    if earlier:
        check.lines.append(f"Earlier, {plural(len(earlier), 'audit')} of it came to:")
        for made in earlier:
            outcome = " ".join(_said(made[-1:])[0].split())
            check.lines.append(f"  {made[-1].time:%Y-%m-%d %H:%M} UTC  {clean(outcome)}")
    return check


def _rounds(entries: Sequence[VerifiedEntry]) -> list[list[VerifiedEntry]]:
    """Cut statements after each decision: a hub audits a revision again when its rules or signatures change.

    What an audit found as an earlier one had is not logged again: the newest one gets all that its decision rests on.
    """
    rounds: list[list[VerifiedEntry]] = [[]]
    for entry in entries:
        rounds[-1].append(entry)
        if entry.predicate_type == DECISION_TYPE:
            rounds.append([])
    rest = rounds.pop()  # what was said since belongs to the newest audit
    if not rounds:
        return [rest]
    rounds[-1] += rest
    decided = next(entry for entry in reversed(rounds[-1]) if entry.predicate_type == DECISION_TYPE)
    rests = {_sha256_of(row) for row in _inputs(decided)}
    new = {entry.index for entry in rounds[-1]}
    rounds[-1] = [
        entry for entry in entries if entry.index in new or hashlib.sha256(entry.payload).hexdigest() in rests
    ]
    return rounds


def _compare(check: Check, artifact: LocalArtifact | None, evidence: str) -> None:
    """Say whether every statement is about the files at hand, and if not, which files differ.

    Args:
        check: What to add the result to.
        artifact: The files at hand.
        evidence: SHA-256 of the evidence file itself, which may lie among them.
    """
    if artifact is None:
        about = check.verified.entries[0].statement["subject"][0]
        check.say(OPEN, f"Not compared with any files; it is about {about.get('name')} {_digest(about['digest'])}")
        return
    subject = artifact.subject
    entries = check.verified.entries
    others = [entry for entry in entries if is_record(entry) and not _is_about(entry, subject.digest)]
    if others and len(others) < len(entries):
        # What people stated is kept with what they stated of earlier versions, or of the data that it was made from.
        rest = [entry for entry in entries if entry not in others]
        check.verified = replace(check.verified, entries=tuple(rest))
        _compare(check, artifact, evidence)
        check.verified = replace(check.verified, entries=entries)
        check.lines.append(f"· About other bytes: {plural(len(others), 'statement')} that people made, see below")
        return
    named = _named_files(check.verified)
    if named and artifact.path.is_dir():
        _compare_named(check, artifact, named, evidence)
        return
    downloaded = compare_downloaded(check.verified, artifact)
    if downloaded is not None:
        _say_downloaded(check, artifact, downloaded)
        return
    try:
        for entry in check.verified.entries:
            match_subjects(entry.statement, [subject.digest])
    except VerificationError:
        check.say(BROKEN, f"About other bytes than {artifact.name}, which is {_digest(subject.digest)}")
        check.lines += [f"    {clean(line)}" for line in _differences(check.verified, artifact.digests())]
        return
    check.say(HOLDS, f"About these bytes: {artifact.name} is {_digest(subject.digest)}")
    _mention_omitted(check, artifact)


def is_record(entry: VerifiedEntry) -> bool:
    """Say whether a person stated something, rather than a program that looked at the bytes."""
    return _record_of(entry) is not None


def _record_of(entry: VerifiedEntry) -> type[Record] | None:
    statement = Statement.from_dict(entry.statement)
    return next((kind for kind in RECORD_KINDS.values() if kind.matches(statement)), None)


def _is_about(entry: VerifiedEntry, digest: Mapping[str, str]) -> bool:
    try:
        match_subjects(entry.statement, [digest])
    except VerificationError:
        return False
    return True


def _say_downloaded(check: Check, artifact: LocalArtifact, found: Comparison) -> None:
    """Say whether a folder holds what was audited on a hub."""
    if not found.holds:
        check.say(BROKEN, f"About other bytes than {artifact.name}: it was audited on a hub, before it was downloaded")
        groups = {"changed": found.changed, "missing": found.missing, "added": found.added}
        check.lines += [f"    {clean(line)}" for line in _listed(groups)]
        return
    check.say(
        HOLDS,
        f"About these bytes: {plural(found.whole, 'file')} in {artifact.name} that the audit read whole, and "
        f"{found.partial} of which it read parts: every byte it read is here, and the rest is what the hub stated then",
    )
    if found.added:
        check.say(OPEN, f"Not covered by this evidence: {_some(found.added)}")
    _mention_omitted(check, artifact)


def _mention_omitted(check: Check, artifact: LocalArtifact) -> None:
    if artifact.excluded:
        check.lines.append(f"· Not part of it by rule, and not looked at: {clean(', '.join(artifact.excluded))}")
    if artifact.omitted:
        names = ", ".join(omission.path for omission in artifact.omitted[:MOST_PATHS])
        check.say(OPEN, f"Not covered by any evidence, because they are not plain files: {names}")


def _complete(check: Check) -> None:
    """Say whether every statement that a decision rests on is there: somebody may have left out what they dislike."""
    entries = check.verified.entries
    present = {hashlib.sha256(entry.payload).hexdigest() for entry in entries}
    decisions = [entry for entry in entries if entry.predicate_type == DECISION_TYPE]
    if not decisions and any(entry.predicate_type == RESULT_TYPE and not is_record(entry) for entry in entries):
        check.say(OPEN, "No decision is in this file, so that statements could have been left out unnoticed")
    whole = 0
    for entry in decisions:
        rows = _inputs(entry)
        if not rows:
            check.say(OPEN, "The decision does not say which statements it rests on")
            continue
        absent = [row for row in rows if _sha256_of(row) not in present]
        elsewhere = [row for row in absent if _is_of_others(row)]
        missing = [str(row.get("name", "?")) for row in absent if row not in elsewhere]
        if elsewhere:
            names = ", ".join(str(row.get("name", "?")) for row in elsewhere[:MOST_PATHS])
            check.say(OPEN, f"The decision also rests on statements of others, whose evidence is elsewhere: {names}")
        if missing:
            names = ", ".join(missing[:MOST_PATHS])
            check.say(BROKEN, f"Incomplete: the decision rests on statements that are not in this file: {names}")
        else:
            whole += len(rows) - len(elsewhere)
    if whole:
        rest = "the decision rests" if len(decisions) == 1 else f"{len(decisions)} decisions rest"
        check.say(HOLDS, f"Complete: {plural(whole, 'statement')} that {rest} on, none left out")


def _inputs(decision: VerifiedEntry) -> list[Mapping[str, Any]]:
    """Return what a decision says it rests on."""
    judged = decision.statement.get("predicate", {}).get("inputAttestations")
    return [row for row in judged if isinstance(row, dict)] if isinstance(judged, list) else []


def _is_of_others(row: Mapping[str, Any]) -> bool:
    notes = row.get("annotations")
    return isinstance(notes, dict) and OUTSIDE in notes


def _sha256_of(row: Mapping[str, Any]) -> str:
    digest = row.get("digest")
    return str(digest.get("sha256")) if isinstance(digest, dict) else ""


def _named_files(verified: Verified) -> dict[str, str]:
    """Return SHA-256 by path when every statement is about single files, such as a conversion's; else nothing."""
    named: dict[str, str] = {}
    for entry in verified.entries:
        for subject in entry.statement["subject"]:
            path, digest = str(subject.get("name", "")), subject["digest"].get("sha256", "")
            if set(subject["digest"]) != {"sha256"} or named.setdefault(path, digest) != digest:
                return {}
    return named


def _compare_named(check: Check, artifact: LocalArtifact, named: Mapping[str, str], evidence: str) -> None:
    """Compare a folder with statements about single files in it, and say which files nothing was said about."""
    ours = artifact.digests()
    groups = {
        "changed": [path for path in named if path in ours and ours[path] != named[path]],
        "missing": [path for path in named if path not in ours],
    }
    if any(groups.values()):
        check.say(BROKEN, f"About other bytes than the ones in {artifact.name}")
        check.lines += [f"    {clean(line)}" for line in _listed(groups)]
        return
    check.say(HOLDS, f"About these bytes: {plural(len(named), 'file')} in {artifact.name}, each by its SHA-256")
    others = [path for path in ours if path not in named and ours[path] != evidence]
    if others:
        check.say(OPEN, f"Not covered by this evidence: {_some(others)}")
    _mention_omitted(check, artifact)


def _differences(verified: Verified, ours: Mapping[str, str]) -> list[str]:
    """Say which files differ from the list in the evidence."""
    theirs: Mapping[str, str] = {}
    for entry in verified.entries:
        listed = entry.statement.get("predicate", {}).get("files")
        if isinstance(listed, dict):
            theirs = listed
    if not theirs:
        return []
    groups = {
        "changed": [path for path in ours if path in theirs and theirs[path] != ours[path]],
        "missing": [path for path in theirs if path not in ours],
        "added": [path for path in ours if path not in theirs],
    }
    return _listed(groups)


def _listed(groups: Mapping[str, Sequence[str]]) -> list[str]:
    return [f"{word}: {_some(paths)}" for word, paths in groups.items() if paths]


def _some(paths: Sequence[str]) -> str:
    return f"{', '.join(paths[:MOST_PATHS])}{' …' if len(paths) > MOST_PATHS else ''}"


def _said(entries: Sequence[VerifiedEntry]) -> list[str]:
    """Summarise each statement in a line."""
    lines = []
    for entry in entries:
        predicate = entry.statement.get("predicate", {})
        if kind := _record_of(entry):
            lines.append(f"{kind.NAME:16} {_sentence(kind, predicate)}")
            continue
        names = [str(row.get("name", "")) for row in _rows(predicate, "configuration") if isinstance(row, dict)]
        what = names[0].rpartition("/")[2] if names else KINDS.get(entry.predicate_type, entry.predicate_type)
        findings = len(_rows(predicate, "findings"))
        outcome = str(predicate.get("outcome", ""))
        detail = f"  {plural(findings, 'finding')}" if findings else ""
        lines.append(f"{what:16} {outcome}{detail}".rstrip())
    return lines


def _sentence(kind: type[Record], predicate: Mapping[str, Any]) -> str:
    try:
        return kind.of_predicate(predicate).sentence
    except Invalid as error:
        return str(error)


def _rows(predicate: Mapping[str, Any], member: str) -> Sequence[Any]:
    rows = predicate.get(member)
    return rows if isinstance(rows, list) else ()


def _digest(digest: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in digest.items())
