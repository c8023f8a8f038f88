"""What a hub decides about a revision, and what its evidence says to somebody who decides for themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from hallmarked.artifacts.remote.address import Address
from hallmarked.artifacts.remote.token import Login
from hallmarked.audit.attested import from_verified
from hallmarked.audit.remote import Target, check_revision
from hallmarked.audit.site import Site
from hallmarked.audit.verify import HOLDS
from hallmarked.core.errors import BackendError, Forbidden, FormatError, NotFound, VerificationError
from hallmarked.core.evidence import Attestation, Subject
from hallmarked.formats.blob import Budget
from hallmarked.formats.document import read_json
from hallmarked.policy.fact import rows

MAX_ANSWER = 8 << 20
_BROKEN = "✖ "


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is stated about a revision of a hub, verified on this machine."""

    subject: Subject
    """The revision, by its commit and, where a trusted hub says which they are, its files."""
    stated: tuple[Attestation, ...]
    """The statements, oldest first; those of strangers have no role."""
    whole: bool
    """Whether every signer is known and nothing can have been left out unnoticed."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a hub says that it decides. Nothing is decided by it here."""

    outcome: str
    """``pass``, ``fail`` or ``unknown``; empty when it does not say."""
    policy: str = ""
    """SHA-256 of the context it decides by."""
    why: str = ""
    """Why it does not say."""


def fetch_evidence(login: Login, address: Address, ids: tuple[str, ...], trust_file: bytes | None) -> Evidence:
    """Fetch the evidence about a revision, and verify it: signatures, the log that everybody sees, what it is about.

    Args:
        login: The hub, and who asks.
        address: The revision.
        ids: Ids of keys to trust; the id of the hub's signing key is enough.
        trust_file: Whom to trust, beside these.

    Raises:
        InputError: When an id cannot be used.
        NotFound, Forbidden, BackendError: When the hub does not hand it out, or cannot be reached.
        VerificationError: When a link of the chain of evidence is broken, or it is about another revision.
    """
    target = Target(login.endpoint, address.page[1:], address.revision or "main")
    check = check_revision(target, None, ids=ids, trust_file=trust_file, token=login.token)
    broken = [line.removeprefix(_BROKEN) for line in check.lines if line.startswith(_BROKEN)]
    if broken or check.subject is None:
        raise VerificationError("; ".join(broken) or f"the evidence is not about {target}", link="bundle")
    stated = sorted(from_verified(check.verified), key=lambda one: one.time)
    return Evidence(check.subject, tuple(stated), check.status == HOLDS)


def ask(login: Login, address: Address, context: str, commit: str) -> Answer:
    """Ask the hub what it decides about a commit in a context; that it cannot be asked is an answer too."""
    query = f"context={quote(context, safe='')}&revision={quote(commit, safe='')}"
    try:
        data = Site(login.endpoint, token=login.token).get(f"{address.api}/decision?{query}", MAX_ANSWER).data
        told = read_json(data, Budget(len(data)))
    except (NotFound, Forbidden, BackendError, FormatError) as error:
        return Answer("", why=str(error))
    outcome = told.get("outcome") if isinstance(told, dict) else None
    if outcome not in {"pass", "fail", "unknown"} or told.get("revision") != commit:
        return Answer("", why=f"it answers something else than a decision about commit {commit}")
    return Answer(str(outcome), _policy(told, context))


def _policy(told: dict[str, Any], context: str) -> str:
    found: Any = told
    for name in ("statement", "predicate", "verifier"):
        found = found.get(name) if isinstance(found, dict) else None
    for row in rows(found.get("policies")) if isinstance(found, dict) else ():
        digest = row.get("digest")
        if row.get("name") == context and isinstance(digest, dict):
            return str(digest.get("sha256", ""))
    return ""
