"""Check a package by itself: who signed it, every file, every piece of evidence, and that the forms follow from it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from hallmarked import __version__
from hallmarked.audit.package.archive import MANIFEST, MOST_NAMED
from hallmarked.audit.package.form import RULES, evidence_of, fill_forms, fill_runs, statements_of
from hallmarked.audit.package.make import TRUST
from hallmarked.audit.report.view import plural
from hallmarked.audit.verify import BROKEN, HOLDS, OPEN, Check, trust_of
from hallmarked.core.errors import InputError, VerificationError
from hallmarked.core.evidence import Attestation, Statement
from hallmarked.ledger.strict import parse_json, write_json
from hallmarked.ledger.trust import Trust, load_trust
from hallmarked.ledger.verify import verify_bundle
from hallmarked.policy.fact import Facts
from hallmarked.profiles.framework import Audience
from hallmarked.profiles.profile import build_profile
from hallmarked.profiles.registry import load
from hallmarked.profiles.run.pack import load_pack, shipped
from hallmarked.records.package import Form, Package
from hallmarked.records.record import Invalid


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
    there = {path: hashlib.sha256(data).hexdigest() for path, data in contents.items() if path != MANIFEST}
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
    for path, data in evidence_of(contents).items():
        try:
            verified = verify_bundle(data, trust)
        except VerificationError as error:
            check.say(BROKEN, f"{path}: {error}")
            return False
        strangers = sum(not one.trusted for one in verified.entries)
        count = plural(len(verified.entries), "statement")
        if strangers:
            check.say(OPEN, f"{path}: {count}, intact; {strangers} by keys you did not name")
        else:
            check.say(HOLDS, f"{path}: {count}, intact, all by keys you trust")
    return True


def _say_forms(check: Check, contents: Mapping[str, bytes], record: Package) -> None:
    """Fill in the forms again, with the keys that the package counts, and compare."""
    counted = load_trust(contents[TRUST]) if TRUST in contents else Trust()
    held = statements_of(evidence_of(contents), counted)
    made: dict[str, bytes] = {}
    known = [_say_runs(check, contents, record, held, made)]
    known += [_say_form(check, contents, record, form, Facts(held, record.about), made) for form in record.forms]
    extra = sorted(path for path in contents if path.startswith("forms/") and path not in made)
    if extra and all(known):
        check.say(BROKEN, f"{', '.join(extra[:MOST_NAMED])} follow from no evidence in the package")


def _say_form(
    check: Check, contents: Mapping[str, bytes], record: Package, form: Form, facts: Facts, made: dict[str, bytes]
) -> bool:
    """Fill in one form again; say False when this program does not know it."""
    if form.name.startswith(RULES):
        return True
    try:
        framework = load(form.name)
    except InputError:
        framework = None
    if framework is None or framework.digest != form.digest:
        check.say(OPEN, f"{form.name}: this program has another text of the edition, so it is not filled in again")
        return False
    audience = Audience(record.audience) if record.audience in list(Audience) else None
    profile = build_profile(framework, facts, record.time, audience)
    again = fill_forms(framework, profile, record.about, record.time)
    made |= again
    same = f"{form.name}: filled in again from the evidence, with the same result"
    _say_same(check, contents, record, again, (form.name, same))
    return True


def _say_runs(
    check: Check, contents: Mapping[str, bytes], record: Package, held: Sequence[Attestation], made: dict[str, bytes]
) -> bool:
    """Judge the planned runs again, under the same rules; say False when this program has others."""
    digests = {form.name.removeprefix(RULES): form.digest for form in record.forms if form.name.startswith(RULES)}
    if not digests:
        return True
    packs = [load_pack(name) for name in shipped() if name in digests]
    if {pack.id: pack.digest for pack in packs} != digests:
        check.say(OPEN, "training runs: this program has other rule packs, so they are not judged again")
        return False
    again = fill_runs(held, packs, record.time)
    made |= again
    same = "training runs: judged again under the same rules, with the same result"
    _say_same(check, contents, record, again, ("training runs", same))
    return True


def _say_same(
    check: Check, contents: Mapping[str, bytes], record: Package, again: Mapping[str, bytes], said: tuple[str, str]
) -> None:
    """Compare what was made again with what is there; pages may look otherwise in another version of the program."""
    same = record.version == __version__
    wrong = [path for path, data in again.items() if (same or path.endswith(".json")) and contents.get(path) != data]
    if wrong:
        check.say(BROKEN, f"{said[0]}: {', '.join(wrong)} do not follow from the evidence in the package")
    else:
        check.say(HOLDS, said[1])
