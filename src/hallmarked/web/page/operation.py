"""What everybody may know of how the hub is run: decisions about what is held back, and what waits."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from hallmarked.core.errors import InputError
from hallmarked.hub.account.account import names_of
from hallmarked.hub.clock import to_datetime
from hallmarked.hub.job.again import AUDITS, audit_again, is_waiting
from hallmarked.hub.job.waiting import count_waiting
from hallmarked.hub.kind import page_path
from hallmarked.hub.repository.revision import find_revision
from hallmarked.hub.review import moderation
from hallmarked.hub.review.decision import CATEGORIES, list_decisions, open_appeal, open_proposal
from hallmarked.hub.review.reason import Logged, list_log, reasons
from hallmarked.web.address import param, repo_routes
from hallmarked.web.form import Form, with_form
from hallmarked.web.page.evidence import rules
from hallmarked.web.page.repository import KINDS, Head, open_page
from hallmarked.web.render import Page, context
from hallmarked.web.request import actor_of, hub_of, target

ROWS = 50
"""Decisions on one page."""


@context
class Decision:
    """A decision about a revision, with its reason."""

    act: str
    """``hold``, ``clear``, ``propose-release``, ``release``, ``appeal``, ``uphold`` or ``remove-evidence``."""
    name: str
    """``owner/name``; empty when the repository is not public."""
    base: str
    """Address of the repository; empty when it is not public."""
    kind: str
    """``model``, ``dataset`` or ``system``."""
    revision: str
    """Commit id; empty when the repository is not public."""
    reason: str
    """Why; empty when the repository is not public."""
    category: str
    """What it is about; may be empty."""
    automatic: bool
    """Whether the hub decided by its policy, and no person."""
    by: str
    """Who decided, for those who see the repository's own page; empty elsewhere."""
    entry: int | None
    """Index of the statement of reasons in the ledger, once it is there."""
    time: datetime
    """When."""


@context
class Moderation:
    """The moderation log."""

    rows: tuple[Decision, ...]
    """One part of the log, newest first."""
    following: str
    """Address of the next part; empty on the last."""


@context
class Status:
    """How the hub is doing."""

    name: str
    """What it is called."""
    waiting: int
    """Revisions that wait for their first audit."""
    entries: int
    """Entries of the ledger."""
    rules: int
    """Rules that revisions are checked by."""


@context
class Review:
    """What was decided about one revision, and what can be done now."""

    head: Head
    """What stands on top."""
    rows: tuple[Decision, ...]
    """What was decided, oldest first."""
    proposed: bool
    """Whether one person proposed to release it, so that a second can agree."""
    appealed: bool
    """Whether its owners asked to look again, and nobody answered yet."""
    categories: tuple[str, ...]
    """What a hold can be about."""
    waiting: bool
    """Whether an audit of it is to be done, the first or one that was asked for again."""


def show_moderation(request: Request) -> Moderation:
    """Make the moderation log.

    Raises:
        InputError: When the address names no place in the log.
    """
    hub = hub_of(request)
    before = None
    if after := request.query_params.get("after", ""):
        time, _, one = after.partition(":")
        if not time.isascii() or not time.isdecimal() or len(time) > 15:
            raise InputError("that is not where a page ended; begin with the first one")
        before = (int(time), one[:40])
    with hub.database.read() as db:
        actor_of(request, db)
        found = list_log(db, limit=ROWS + 1, before=before)
    last = found[ROWS - 1].decision if len(found) > ROWS else None
    following = f"/moderation?{urlencode({'after': f'{last.created}:{last.id}'})}" if last else ""
    return Moderation(tuple(_decision(each) for each in found[:ROWS]), following)


def show_status(request: Request) -> Status:
    """Make the page that says how the hub is doing."""
    hub = hub_of(request)
    with hub.database.read() as db:
        actor_of(request, db)
        waiting = count_waiting(db)
    return Status(hub.settings.server.name, waiting, hub.journal.size, len(rules()))


def show_review(request: Request, kind: str) -> Review:
    """Make the page of what was decided about a revision."""
    with open_page(request, kind) as opened:
        found = list_decisions(opened.db, opened.repo.id, opened.at.oid)
        names = names_of(opened.db, [each.account_id for each in found])
        rows = tuple(
            _decision(Logged(each, kind, opened.repo.name), names.get(each.account_id or "", "")) for each in found
        )
        return Review(
            opened.head,
            rows,
            open_proposal(found) is not None,
            open_appeal(found) is not None,
            CATEGORIES,
            is_waiting(opened.db, opened.repo.id, opened.at.oid),
        )


def do_review(request: Request, form: Form, kind: str) -> Response:
    """Decide about a revision.

    Raises:
        InputError: When it is not a decision.
    """
    hub = hub_of(request)
    acts = {
        "propose-release": moderation.propose_release,
        "release": moderation.release,
        "appeal": moderation.appeal,
        "uphold": moderation.uphold,
    }
    with hub.database.write() as db:
        actor, repo = target(request, db, kind)
        at = find_revision(db, repo, param(request, "revision"))
        case = moderation.Case(repo, at, hub.settings.policy)
        act, reason = form.text("act"), form.text("reason")
        if act == "audit":
            request.app.state.limits.take("audit", actor.account_id or "", AUDITS)
            audit_again(db, actor, repo, at)
        elif act == "hold":
            moderation.hold(db, actor, case, reason, form.text("category", "other"))
        elif act in acts:
            acts[act](db, actor, case, reason)
        else:
            raise InputError("a revision is held back, released, appealed for, stays held back or is audited again")
    return RedirectResponse(f"{page_path(kind, repo.name)}/review/{at.oid}", 303)


def _decision(logged: Logged, by: str = "") -> Decision:
    one = logged.decision
    public = bool(logged.name)
    return Decision(
        one.act.value,
        logged.name,
        page_path(logged.kind, logged.name) if public else "",
        logged.kind,
        one.revision if public else "",
        one.reason if public else "",
        str(reasons(logged)["category"]),
        one.account_id is None,
        by,
        one.entry,
        to_datetime(one.created),
    )


FORMS: tuple[BaseRoute, ...] = tuple(
    repo_routes("/review/{revision}", with_form(do_review), methods=["POST"], name="review")
)
PAGES = (
    Page("/moderation", "moderation.html.j2", show_moderation),
    Page("/status", "status.html.j2", show_status),
    Page("/{owner}/{name}/review/{revision}", "repository/review.html.j2", show_review, KINDS),
)
