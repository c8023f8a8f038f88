"""Verify what a hub says about a revision: fetch the evidence, and hold it against the log that everybody sees."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from hallmarked.artifacts.local import LocalArtifact
from hallmarked.audit.remotelog import RemoteLog
from hallmarked.audit.site import Site
from hallmarked.audit.verify import BROKEN, HOLDS, OPEN, Check, check_evidence, trust_of
from hallmarked.core.errors import InputError, VerificationError
from hallmarked.core.evidence import Statement, Subject
from hallmarked.ledger.checkpoint import Checkpoint, read_checkpoint
from hallmarked.ledger.merkle import prove_consistency, verify_consistency
from hallmarked.ledger.note import NoteKey, open_note, read_note_key
from hallmarked.ledger.strict import parse_json
from hallmarked.ledger.trust import Role, Trust, load_trust
from hallmarked.ledger.verify import MAX_BUNDLE, Verified
from hallmarked.policy.fact import is_about

MAX_TRUST = 1 << 20
LEDGER = "/ledger"
"""Where a hub serves its log."""
_KINDS = ("datasets", "spaces", "systems")
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class Target:
    """A revision on a hub."""

    hub: str
    """The hub's address."""
    repo: str
    """Path of the repository below it: ``acme/triage`` or ``datasets/acme/notes``."""
    revision: str
    """Branch, tag, pull request or commit."""

    def __str__(self) -> str:
        return f"{self.repo}@{self.revision}"


def parse_target(text: str) -> Target:
    """Read ``https://hub.example.org/[datasets/|spaces/]owner/name[@revision]``.

    Raises:
        InputError: When it names no repository.
    """
    parts = urlsplit(text)
    path, _, revision = unquote(parts.path).partition("@")
    words = path.strip("/").split("/")
    count = 3 if len(words) > 2 and words[-3] in _KINDS else 2
    if len(words) < count or not all(words) or parts.query or parts.fragment or "@" in parts.netloc:
        raise InputError(f"{text!r} names no repository; write https://hub.example.org/owner/name@revision")
    prefix = "".join(f"/{quote(word)}" for word in words[:-count])
    return Target(f"{parts.scheme}://{parts.netloc}{prefix}", "/".join(words[-count:]), revision or "main")


def check_revision(
    target: Target,
    artifact: LocalArtifact | None,
    *,
    ids: Sequence[str] = (),
    trust_file: bytes | None = None,
    witnesses: int = 0,
    token: str | None = None,
) -> Check:
    """Verify a hub's evidence about a revision, compare it with files, and say what holds.

    Args:
        target: The revision.
        artifact: The files that should be that revision.
        ids: Ids of keys to trust. The id of the hub's signing key is enough: that key vouches for the log's.
        trust_file: Whom to trust, beside these.
        witnesses: How many trusted witnesses must have cosigned.
        token: Who asks, for a repository that is not public.

    Raises:
        InputError: When an id cannot be used.
        NotFound: When the hub has no such revision, or no evidence about it.
        Forbidden: When the hub does not let one have it.
        VerificationError: When a link of the chain of evidence is broken.
        BackendError: When the hub cannot be reached.
    """
    site, log = Site(target.hub, token=token), RemoteLog(Site(target.hub + LEDGER))
    # The checkpoint comes first: the evidence is then proven against that one or a later one.
    public = log.checkpoint()
    repo = "/".join(quote(word, safe="") for word in target.repo.split("/"))
    answer = site.get(f"/{repo}/evidence/{quote(target.revision, safe='')}.json", MAX_BUNDLE)
    trust = trust_of(answer.data, ids, trust_file)
    if ids:
        trust = _with_vouched(trust, site.get(f"{LEDGER}/trust.json", MAX_TRUST).data, ids)
    check = check_evidence(answer.data, trust, artifact, witnesses)
    details: list[str] = []
    check.lines, details = _split(check.lines)
    _check_subject(check, target, answer.headers.get("x-repo-commit", ""))
    _check_log(check, log, public, _log_keys(answer.data, trust))
    check.lines += details
    return check


def _split(lines: list[str]) -> tuple[list[str], list[str]]:
    """Separate the results from what the statements say, which stands after an empty line."""
    place = lines.index("") if "" in lines else len(lines)
    return lines[:place], lines[place:]


def _with_vouched(trust: Trust, data: bytes, ids: Sequence[str]) -> Trust:
    """Add the keys of the hub's trust file, when a key that was named has signed it."""
    stated = load_trust(data)
    for key in stated.keys:
        if key.role is not Role.HUB or not any(key.keyid.startswith(keyid.lower()) for keyid in ids):
            continue
        try:
            vouched = load_trust(data, key.public)
        except VerificationError:
            continue  # a key that was replaced does not sign any more
        known = {ours.public for ours in trust.keys}
        # A hub speaks for its own keys, not for auditors or witnesses: those watch it.
        own = [theirs for theirs in vouched.keys if theirs.role in {Role.HUB, Role.LOG} and theirs.public not in known]
        return Trust((*trust.keys, *own))
    return trust


def _check_subject(check: Check, target: Target, commit: str) -> None:
    """Say whether every statement is about the commit that was asked for."""
    if not _COMMIT.fullmatch(commit) or (_COMMIT.fullmatch(target.revision) and commit != target.revision):
        check.say(BROKEN, f"About another revision than {target}: the hub answered with {commit or 'none'}")
        return
    asked, doubtful = _subject(check.verified, target.repo, commit), False
    for entry in check.verified.entries:
        named = tuple(Subject(each.get("name", ""), each["digest"]) for each in entry.statement["subject"])
        if is_about(Statement(named, "", {}), asked):
            continue
        if "dirHash" in asked.digest or any("gitCommit" in each.digest for each in named):
            check.say(BROKEN, f"About another revision than {target}, which is commit {commit}")
            return
        doubtful = True
    check.subject = asked
    if doubtful:
        check.say(
            OPEN, "Some statements name files and no commit, and nobody you trust says which files this revision has"
        )
    said = "" if target.revision == commit else f", which the hub says {target.revision} is"
    check.say(HOLDS, f"About this revision: {target.repo} at commit {commit}{said}")


def _subject(verified: Verified, repo: str, commit: str) -> Subject:
    """Return what statements about a revision are about: its commit, and its files where a trusted hub says which."""
    digests = {"gitCommit": commit}
    for entry in verified.entries:
        if entry.trusted and entry.role is Role.HUB:
            for each in entry.statement["subject"]:
                if each["digest"].get("gitCommit") == commit and "dirHash" in each["digest"]:
                    digests["dirHash"] = each["digest"]["dirHash"]
    return Subject(repo, digests)


def _log_keys(evidence: bytes, trust: Trust) -> list[NoteKey]:
    """Return the keys that may have signed the log's checkpoints: the trusted ones, or else the one in the evidence."""
    stated = read_note_key(_member(parse_json(evidence, "bundle"), "log", "vkey"))
    trusted = [NoteKey(key.name, key.public) for key in trust.keys if key.role is Role.LOG and key.name == stated.name]
    return trusted or [stated]


def _member(value: Any, *names: str) -> Any:
    for name in names:
        value = value[name]  # the evidence was verified, so it is there
    return value


def _check_log(check: Check, log: RemoteLog, note: str, keys: Sequence[NoteKey]) -> None:
    """Say whether the evidence stands in the log that the hub shows to everybody, and not in one made for us."""
    text, signed = open_note(note, keys)
    public, proven = read_checkpoint(text), check.verified.checkpoint
    if not signed or public.origin != proven.origin:
        check.say(BROKEN, f"The hub shows a checkpoint that {proven.origin} did not sign")
        return
    if problem := _differs(log, public, proven):
        check.say(BROKEN, problem)
    else:
        check.say(HOLDS, f"In the log that the hub shows to everybody, whose checkpoint has {public.size:,} entries")


def _differs(log: RemoteLog, public: Checkpoint, proven: Checkpoint) -> str:
    if public.size > proven.size:
        return f"The hub shows a log of {public.size:,} entries and proves with an older one of {proven.size:,}"
    try:
        path = prove_consistency(public.size, proven.size, log.tree(proven.size).node)
        verify_consistency(public.size, proven.size, public.root, proven.root, path)
    except VerificationError as error:
        return f"The evidence stands in another log than the one the hub shows to everybody: {error}"
    return ""
