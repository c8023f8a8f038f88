"""Packages for regulators: forms, cards, keys and evidence in one folder or archive that verifies itself.

The last file, ``package.json``, is evidence like any other: a signed and logged statement whose subjects are all other
files by SHA-256. So ``hallmarked verify package.json FOLDER`` checks it too, and ``sha256sum -c SHA256SUMS`` checks the
files without any program of ours. Forms are views, so whoever verifies a package fills them in again from its evidence.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from pathlib import Path

from hallmarked import __version__
from hallmarked.artifacts.local import LocalArtifact
from hallmarked.audit.attested import from_files
from hallmarked.audit.report.view import json_text, plural
from hallmarked.audit.verify import BROKEN, HOLDS, OPEN, Check, trust_of
from hallmarked.core.errors import InputError, VerificationError
from hallmarked.core.evidence import Attestation, Statement, Subject
from hallmarked.ledger.bundle import export_bundle
from hallmarked.ledger.ledger import Ledger
from hallmarked.ledger.strict import parse_json, write_json
from hallmarked.ledger.trust import Trust, dump_trust, load_trust
from hallmarked.ledger.verify import Verified, verify_bundle
from hallmarked.policy.fact import Facts
from hallmarked.profiles.document import to_document
from hallmarked.profiles.framework import Audience, Framework
from hallmarked.profiles.language import LANGUAGES
from hallmarked.profiles.page import Shown, render_page
from hallmarked.profiles.profile import Profile, build_profile
from hallmarked.profiles.registry import load, namesakes_of
from hallmarked.records.package import Form, Package
from hallmarked.records.record import Invalid

MANIFEST, SUMS, README, TRUST = "package.json", "SHA256SUMS", "README.txt", "trust.json"
CARDS = frozenset({"scope.yaml", "dataset.toml"})
MOST_FILES = 10_000
MOST_BYTES = 1 << 28
"""Of a whole package, which is held in memory."""
MOST_NAMED = 10
SPEAKS = frozenset(f"urn:hallmarked:{name}:v1" for name in ("dispute", "waiver", "withdrawal"))
"""Statements that speak against others: they are never left out."""
_MOMENT = (1980, 1, 1, 0, 0, 0)


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
    for framework, profile in _profiles(request.frameworks, evidence, request.trust, subject, request):
        contents |= _forms(framework, profile, subject, request.time)
    contents[README] = (files("hallmarked.audit") / "package.txt").read_bytes()
    contents[SUMS] = "".join(f"{_sha256(data)}  {path}\n" for path, data in sorted(contents.items())).encode()
    if len(contents) >= MOST_FILES or sum(map(len, contents.values())) > MOST_BYTES:
        raise InputError(f"a package holds at most {MOST_FILES:,} files of {MOST_BYTES >> 20} MiB together")
    record = Package(
        about=subject,
        time=request.time,
        forms=tuple(Form(name=each.name, digest=each.digest) for each in request.frameworks),
        audience=request.audience or "",
        version=__version__,
    )
    named = [Subject(path, {"sha256": _sha256(data)}) for path, data in sorted(contents.items())]
    receipts = ledger.attest([record.to_statement(*named)], time=request.time)
    return {**contents, MANIFEST: export_bundle(ledger.log, [receipt.index for receipt in receipts], keys)}


def write_zip(contents: Mapping[str, bytes]) -> bytes:
    """Write a package as an archive of which every byte follows from its files: sorted, stored, without times."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for path, data in sorted(contents.items()):
            info = zipfile.ZipInfo(path, _MOMENT)
            info.external_attr = 0o644 << 16
            info.create_system = 3
            archive.writestr(info, data)
    return stream.getvalue()


def read_package(path: Path) -> Mapping[str, bytes]:
    """Read a package: a folder, or an archive.

    Raises:
        InputError: When there is none, or it is larger than any package.
        VerificationError: When an archive is not as it was written.
    """
    artifact = LocalArtifact(path)
    if sum(file.size for file in artifact.files) > 2 * MOST_BYTES or len(artifact.files) > MOST_FILES:
        raise InputError(f"{path} is larger than any package")
    if artifact.is_file:
        with artifact.open(artifact.files[0].path) as stream:
            return _read_zip(stream.read(), path.name)
    if artifact.omitted or artifact.excluded:
        names = ", ".join([*(each.path for each in artifact.omitted), *artifact.excluded][:MOST_NAMED])
        raise VerificationError(f"{path} holds what no package does: {names}", link="package")
    contents = {}
    for file in artifact.files:
        with artifact.open(file.path) as stream:
            contents[file.path] = stream.read()
    return contents


def verify_package(contents: Mapping[str, bytes], keys: Sequence[str], trust_file: bytes | None) -> Check:
    """Check a package by itself: who signed it, every file, every piece of evidence, and that the forms follow from it.

    Args:
        contents: Content by path.
        keys: Ids of keys that are trusted.
        trust_file: Further keys that are.

    Raises:
        VerificationError: When there is no manifest, or it does not hold.
        InputError: When an id is too short or means several keys.
    """
    data = contents.get(MANIFEST)
    if data is None:
        raise VerificationError(
            f"there is no {MANIFEST}, so that nothing says what belongs to the package", link="package"
        )
    try:
        trust = trust_of(data, keys, trust_file)
        check = Check(verify_bundle(data, trust))
        _refuse_hearsay(data, contents.get(TRUST, b""))
    except VerificationError as error:
        raise VerificationError(f"{MANIFEST}: {error}", link=error.link) from error
    (entry, *others) = check.verified.entries
    statement = Statement.from_dict(entry.statement)
    if others or not Package.matches(statement):
        raise VerificationError(f"{MANIFEST} is no statement of a package", link="package")
    try:
        record = Package.of_predicate(statement.predicate)
    except Invalid as error:
        raise VerificationError(f"{MANIFEST}: {error}", link="package") from error
    check.say(HOLDS, f"Intact: the statement of the package is in the log {check.verified.checkpoint.origin}")
    if entry.trusted:
        check.say(HOLDS, f"Trusted: {entry.reason} (key {entry.keyid[:16]})")
    else:
        check.say(OPEN, f"Not trusted: {entry.reason}; name the keys you trust with --key or --trust")
    if _say_files(check, contents, statement) and _say_evidence(check, contents, trust):
        _say_forms(check, contents, record)
    return check


def _refuse_hearsay(data: bytes, trust: bytes) -> None:
    """Let every byte of the manifest count: its keys are those of the trust file, which it lists by digest."""
    bundle = parse_json(data, "bundle")
    counted = parse_json(trust, "trust") if trust else {}
    if write_json(bundle) != data or not isinstance(counted, dict):
        raise VerificationError("it is not written as this program writes it", link="package")
    if any(key not in counted.get("keys", []) for key in bundle["trust"]):
        raise VerificationError(f"it names keys otherwise than {TRUST} does", link="package")


def _say_files(check: Check, contents: Mapping[str, bytes], statement: Statement) -> bool:
    listed = {subject.name: subject.digest.get("sha256", "") for subject in statement.subjects}
    there = {path: _sha256(data) for path, data in contents.items() if path != MANIFEST}
    groups = {
        "changed": [path for path in listed if path in there and there[path] != listed[path]],
        "missing": [path for path in listed if path not in there],
        "added": [path for path in there if path not in listed],
    }
    for word, paths in groups.items():
        if paths:
            more = f" and {len(paths) - MOST_NAMED} more" if len(paths) > MOST_NAMED else ""
            check.say(BROKEN, f"{word.title()}: {', '.join(sorted(paths)[:MOST_NAMED])}{more}")
    if any(groups.values()):
        return False
    check.say(HOLDS, f"Complete: {plural(len(listed), 'file')}, each as it was signed")
    return True


def _say_evidence(check: Check, contents: Mapping[str, bytes], trust: Trust) -> bool:
    for path, data in _evidence_of(contents).items():
        try:
            verified = verify_bundle(data, trust)
        except VerificationError as error:
            check.say(BROKEN, f"{path}: {error}")
            return False
        strangers = sum(not one.trusted for one in verified.entries)
        count = plural(len(verified.entries), "statement")
        if strangers:
            check.say(OPEN, f"{path}: {count} hold; {strangers} are by keys you did not name")
        else:
            check.say(HOLDS, f"{path}: {count} hold, all by keys you trust")
    return True


def _say_forms(check: Check, contents: Mapping[str, bytes], record: Package) -> None:
    """Fill in the forms again, with the keys that the package counts, and compare."""
    counted = load_trust(contents[TRUST]) if TRUST in contents else Trust()
    for form in record.forms:
        try:
            framework = load(form.name)
        except InputError:
            framework = None
        if framework is None or framework.digest != form.digest:
            check.say(OPEN, f"{form.name}: this program has another text of the edition, so it is not filled in again")
            continue
        audience = Audience(record.audience) if record.audience in list(Audience) else None
        facts = Facts(_statements(_evidence_of(contents), counted), record.about)
        profile = build_profile(framework, facts, record.time, audience)
        made = _forms(framework, profile, record.about, record.time)
        # Pages may look otherwise in another version; what they say is in the JSON beside them.
        same = record.version == __version__
        wrong = [path for path, data in made.items() if (same or path.endswith(".json")) and contents.get(path) != data]
        if wrong:
            check.say(BROKEN, f"{form.name}: {', '.join(wrong)} do not follow from the evidence in the package")
        else:
            check.say(HOLDS, f"{form.name}: filled in again from the evidence, with the same result")


def _profiles(
    frameworks: Sequence[Framework], evidence: Mapping[str, bytes], trust: Trust, subject: Subject, request: Request
) -> Iterator[tuple[Framework, Profile]]:
    facts = Facts(_statements(evidence, trust), subject)
    for framework in frameworks:
        yield framework, build_profile(framework, facts, request.time, request.audience)


def _forms(framework: Framework, profile: Profile, subject: Subject, time: datetime) -> dict[str, bytes]:
    name, alike = framework.name.replace("/", "-"), namesakes_of(framework)
    made = {f"forms/{name}.json": json_text(to_document(profile, subject, time, alike)).encode()}
    for language in LANGUAGES:
        command = "hallmarked profile verify ."
        page = render_page(profile, Shown(subject, time, language, alike, command))
        made[f"forms/{name}.{language}.html"] = page.encode()
    return made


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
    return {path: data for path in named if (data := _part(named[path], verified[path], keep))}


def _part(data: bytes, verified: Verified, keep: set[str]) -> bytes:
    """Return an evidence file with some of its statements; nothing when none is left."""
    bundle = parse_json(data, "bundle")
    ids = [f"sha256:{hashlib.sha256(entry.payload).hexdigest()}" for entry in verified.entries]
    bundle["entries"] = [row for row, id_ in zip(bundle["entries"], ids, strict=True) if id_ in keep]
    return write_json(bundle) if bundle["entries"] else b""


def _statements(evidence: Mapping[str, bytes], trust: Trust) -> tuple[Attestation, ...]:
    return from_files(verify_bundle(data, trust) for data in evidence.values())


def _evidence_of(contents: Mapping[str, bytes]) -> Mapping[str, bytes]:
    return {path: data for path, data in sorted(contents.items()) if path.startswith("evidence/")}


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


def _read_zip(data: bytes, name: str) -> Mapping[str, bytes]:
    """Read an archive that this program wrote; any other one is refused, so that every byte of it counts."""
    contents: dict[str, bytes] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            infos = archive.infolist()
            if len(infos) > MOST_FILES or any(info.compress_type != zipfile.ZIP_STORED for info in infos):
                raise VerificationError(f"{name} is no archive of a package", link="package")
            contents = {info.filename: archive.read(info) for info in infos}
    except (zipfile.BadZipFile, ValueError, NotImplementedError, RuntimeError, OSError, EOFError) as error:
        raise VerificationError(f"{name} cannot be read as an archive: {error}", link="package") from error
    if MANIFEST in contents and write_zip(contents) != data:
        raise VerificationError(f"{name} holds bytes beside the files of the package", link="package")
    return contents


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
