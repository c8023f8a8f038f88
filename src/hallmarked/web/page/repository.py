"""What every page of a repository shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, time
from itertools import islice
from urllib.parse import quote

from sqlalchemy import Connection
from starlette.requests import Request

from hallmarked.cards.claim import Claim as Derived
from hallmarked.cards.claim import derive_claims
from hallmarked.cards.document.document import CARD
from hallmarked.cards.governance.count import PATH
from hallmarked.cards.known import Known, know
from hallmarked.core.errors import Forbidden, NotFound
from hallmarked.core.evidence import Attestation, Subject
from hallmarked.hub.access import Action, Actor, Role, decide, load_standing
from hallmarked.hub.account.account import RESERVED
from hallmarked.hub.clock import now, to_datetime
from hallmarked.hub.community.popularity import is_liked
from hallmarked.hub.error import EntryNotFound, Superseded
from hallmarked.hub.hub import Hub
from hallmarked.hub.kind import CLIENT_KINDS, page_path
from hallmarked.hub.repository.repository import Repository
from hallmarked.hub.repository.revision import Entry, Revision, find_entry, find_revision, list_history, read_text
from hallmarked.hub.repository.subject import subject_of
from hallmarked.hub.review.attested import gather
from hallmarked.hub.review.audited import find_audit
from hallmarked.hub.review.carry import list_holds
from hallmarked.hub.review.count import gather_counted
from hallmarked.hub.review.filing import list_kinds
from hallmarked.hub.review.passage import Passage
from hallmarked.hub.review.succession import Succession, find_succession
from hallmarked.web.address import PREFIXES, param
from hallmarked.web.markdown import Place
from hallmarked.web.page import evidence
from hallmarked.web.render import context
from hallmarked.web.request import base_url, hub_of, target

MAIN = "main"
MOST_BACK = 50
"""How many commits back an available one is looked for."""
KINDS = {prefix: kind for prefix, kind in PREFIXES.items() if prefix != "/systems"}
"""What stands before the address of a repository, and the kind it means."""
COUNTS = PATH.encode()
"""Stands in cards that show what the hub counts."""
LOOK = ("contradicted", "disputed", "stale", "unknown", "not-evaluated")
"""Statuses of claims that somebody should look at."""


@context
class Head:
    """What stands on top of every page of a repository."""

    kind: str
    """``model``, ``dataset`` or ``system``."""
    name: str
    """``owner/name``."""
    base: str
    """Address of its first page."""
    private: bool
    """Whether only its people see it."""
    gate: str
    """How access is given: empty for everybody, ``auto`` after asking, ``manual`` after a decision."""
    disabled: str
    """Why it is hidden from others; empty when it is not."""
    revision: str
    """The revision as the address names it."""
    commit: str
    """Its commit id."""
    title: str
    """What its commit says."""
    committed: datetime
    """When it was made."""
    state: str
    """``checking``, ``available``, ``held`` or ``unknown``."""
    reason: str
    """Why it is in that state; may be empty."""
    instead: str
    """The newest earlier commit that everybody can get, while this one is not available; may be empty."""
    superseded_by: str
    """What took the place of this revision; empty when nothing did."""
    superseded_why: str
    """Why, as the repository says; may be empty."""
    superseded_until: datetime | None
    """The last day on which it can be downloaded, when one was said."""
    audited: datetime | None
    """When it was audited last; none while it was not."""
    rule_set: str
    """Digest of the rules of that audit; empty while there was none."""
    errors: int
    """Findings of level error."""
    warnings: int
    """Findings of level warning."""
    look: int
    """Claims that somebody should look at."""
    contradicted: int
    """Claims that the files contradict."""
    task: str
    """What it is for, as its card says."""
    languages: tuple[str, ...]
    """Languages its card names."""
    licence: str
    """Licence its card names."""
    library: str
    """Library its card names."""
    downloads: int
    """How often it was downloaded."""
    likes: int
    """How many people like it."""
    liked: bool
    """Whether the reader does."""
    may_write: bool
    """Whether the reader may commit."""
    may_review: bool
    """Whether the reader decides on access and on what is held back."""
    may_manage: bool
    """Whether the reader may change settings."""
    may_read: bool
    """Whether the reader may get its files, as far as the gate goes."""
    may_discuss: bool
    """Whether the reader may open and answer discussions."""
    may_bring: bool
    """Whether the reader may bring evidence that others signed."""
    may_file: tuple[str, ...]
    """Records that the reader may file: ``dispute``, ``withdrawal``, ``waiver``, ``decision`` or ``stage``."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A repository at a revision, open for reading."""

    hub: Hub
    db: Connection
    actor: Actor
    repo: Repository
    at: Revision
    head: Head
    seen: evidence.Seen | None
    """What the newest audit said; None when there was none yet."""
    subject: Subject
    """What is stated about when something is stated about this revision."""
    known: Known
    """All that is stated about the repository, by whoever counts; what is about other revisions is stale."""
    stated: tuple[Attestation, ...]
    """The statements, oldest first."""

    def require_bytes(self, entry: Entry, at: Revision | None = None) -> None:
        """Refuse unless the reader may get a file, of this revision or another one.

        Raises:
            Forbidden: When they may not.
            Superseded: When another revision took its place, and the day until which it can be had is past.
        """
        standing = load_standing(self.db, self.actor, self.repo.scope)
        policy, wanted = self.hub.settings.policy, at or self.at
        Passage(self.actor, self.repo, standing, wanted).check(entry, policy)
        succession = find_succession(self.db, self.repo, wanted)
        if succession is not None:
            succession.check(policy, to_datetime(now()))

    def place(self, folder: str = "") -> Place:
        """Return where relative links of a text in a folder lead."""
        revision = quote(self.head.revision, safe="")
        return Place(f"{self.head.base}/blob/{revision}/", f"{self.head.base}/resolve/{revision}/", folder, "card-", 3)


@contextmanager
def open_page(request: Request, kind: str, action: Action = Action.SEE, name: str = "") -> Iterator[Opened]:
    """Open the repository of the address at the revision it names.

    Args:
        request: The request.
        kind: Kind of the repository.
        action: What the reader has to be allowed.
        name: The revision; by default the one of the address, or the main branch.

    Raises:
        NotFound: When nobody can have a repository at that address.
        RepositoryNotFound, Forbidden: When the reader may not.
        RevisionNotFound: When there is no such revision.
    """
    if param(request, "owner").lower() in RESERVED:
        raise NotFound("there is no page at this address")
    hub = hub_of(request)
    name = name or (param(request, "revision") if "revision" in request.path_params else MAIN)
    with hub.database.read() as db:
        actor, repo = target(request, db, kind, action)
        at = find_revision(db, repo, name)
        audit = find_audit(db, repo.id, at.oid)
        seen = evidence.take_apart(audit) if audit is not None else None
        subject = subject_of(db, repo, at)
        card = _find_text(db, at, CARD)
        shows_counts = card is not None and COUNTS in read_text(db, card)
        attested = gather_counted(hub, db, repo, subject) if shows_counts else gather(hub, db, repo)
        known = know(attested.attestations, subject, facts=attested.facts(subject))
        head = make_head(db, actor, repo, at, name, seen, derive_claims(known, to_datetime(now())))
        yield Opened(hub, db, actor, repo, at, head, seen, subject, known, attested.attestations)


def make_head(
    db: Connection,
    actor: Actor,
    repo: Repository,
    at: Revision,
    name: str,
    seen: evidence.Seen | None,
    claims: Sequence[Derived],
) -> Head:
    """Work out what stands on top of a page of a repository."""
    standing = load_standing(db, actor, repo.scope)
    roles = standing.roles
    levels = [finding.level.value for _, finding in seen.findings] if seen else []
    counts = Counter(claim.status.value for claim in claims)
    owner = Role.OWNER in roles
    succession = find_succession(db, repo, at)
    return Head(
        kind=repo.scope.kind,
        name=repo.name,
        base=page_path(repo.scope.kind, repo.name),
        private=repo.scope.private,
        gate=repo.scope.gate,
        disabled=repo.scope.disabled,
        revision=name,
        commit=at.oid,
        title=at.title,
        committed=to_datetime(at.created),
        state=at.state,
        reason=at.reason,
        instead=_available(db, repo, at) if at.state in {"held", "checking"} else "",
        superseded_by=succession.by if succession else "",
        superseded_why=succession.reason if succession else "",
        superseded_until=_end_of(succession),
        audited=seen.time if seen else None,
        rule_set=seen.audit.rule_set if seen else "",
        errors=levels.count("error"),
        warnings=levels.count("warning"),
        look=sum(counts.get(status, 0) for status in LOOK),
        contradicted=counts.get("contradicted", 0),
        task=card_text(repo, "pipeline_tag") or (card_list(repo, "task_categories") or ("",))[0],
        languages=card_list(repo, "language"),
        licence=card_text(repo, "license"),
        library=card_text(repo, "library_name"),
        downloads=repo.downloads,
        likes=repo.likes,
        liked=actor.account_id is not None and is_liked(db, repo.id, actor.account_id),
        may_write=owner or Role.WRITER in roles,
        may_review=owner or Role.REVIEWER in roles,
        may_manage=owner,
        may_read=bool(roles) or not repo.scope.gate or standing.granted,
        may_discuss=actor.known and actor.writes,
        may_bring=decide(actor, Action.ATTEST, repo.scope, standing) is None,
        may_file=list_kinds(db, actor, repo),
    )


def _end_of(succession: Succession | None) -> datetime | None:
    """Return the end of the last day on which a revision can be downloaded."""
    if succession is None or succession.until is None:
        return None
    return datetime.combine(succession.until, time(23, 59), UTC)


def _available(db: Connection, repo: Repository, at: Revision) -> str:
    """Return the newest ancestor that is available, not looking further back than people would."""
    earlier = (each for each in islice(list_history(db, repo, at), MOST_BACK) if each.state == "available")
    return next((each.oid for each in earlier), "")


def card_text(repo: Repository, key: str) -> str:
    """Return a text of the card's metadata, bounded; empty when it is something else."""
    value = repo.card.get(key)
    return value[:100] if isinstance(value, str) else ""


def card_list(repo: Repository, key: str) -> tuple[str, ...]:
    """Return a list of texts of the card's metadata, bounded; one text counts as a list of one."""
    value = repo.card.get(key)
    found = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    return tuple(item[:100] for item in found[:20] if isinstance(item, str))


def use_commands(request: Request, opened: Opened) -> tuple[str, ...]:
    """Return the commands that get the files with the ecosystem's own client; none when the reader may not."""
    head = opened.head
    if not head.may_read or (head.state == "held" and not (head.may_write or head.may_review)):
        return ()
    return f"export HF_ENDPOINT={base_url(request)}", f"hf download {opened.repo.name}{_of_kind(opened)}"


def _of_kind(opened: Opened) -> str:
    kind = CLIENT_KINDS[opened.repo.scope.kind]
    return "" if kind == "model" else f" --repo-type {kind}"


def verify_commands(request: Request, opened: Opened) -> tuple[str, ...]:
    """Return the commands that check a revision without believing this hub's pages."""
    if opened.seen is None or not opened.seen.audit.entries:
        return ()
    url = base_url(request)
    folder = opened.repo.name.rpartition("/")[2]
    revision = f"{url}{opened.head.base}@{opened.at.oid}"
    key = f"--key {opened.hub.journal.keyid}"
    if opened.at.state != "available" or not opened.head.may_read:
        return (f"hallmarked verify {revision} {key}",)
    wanted = f"{opened.repo.name}{_of_kind(opened)} --revision {opened.at.oid}"
    return (
        f"HF_ENDPOINT={url} hf download {wanted} --local-dir {folder}",
        f"hallmarked verify {revision} {folder} {key}",
    )


def read_words(opened: Opened, path: str) -> bytes | None:
    """Return a text that everybody who sees a repository may read, such as its card; None when there is none."""
    entry = _find_text(opened.db, opened.at, path)
    if entry is None:
        return None
    if opened.at.state == "held" and opened.at.oid in list_holds(opened.db, opened.repo.id):
        # NOTE: else a card is for everybody; but what people hold back may be what it says
        try:
            opened.require_bytes(entry)
        except (Forbidden, Superseded):
            return None
    return read_text(opened.db, entry)


def _find_text(db: Connection, at: Revision, path: str) -> Entry | None:
    """Return a small file; None when there is none."""
    try:
        entry = find_entry(db, at, path)
    except EntryNotFound:
        return None
    return None if entry.folder or entry.large else entry
