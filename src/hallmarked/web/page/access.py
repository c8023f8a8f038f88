"""Who may get the files of a repository and why; asking for access; the reviewers' queue; settings."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from hallmarked.core.errors import InputError
from hallmarked.hub.access import Action, Actor, load_standing
from hallmarked.hub.account.account import find_account, names_of
from hallmarked.hub.clock import to_datetime
from hallmarked.hub.gate.form import countries, read_form
from hallmarked.hub.gate.request import (
    AccessRequest,
    Decision,
    Status,
    ask_access,
    decide_request,
    grant_access,
    list_requests,
    own_request,
    reviewers_of,
    withdraw_request,
)
from hallmarked.hub.kind import page_path
from hallmarked.hub.repository.collaborator import list_collaborators, set_collaborator
from hallmarked.hub.repository.repository import change_settings, delete_repository, move_repository
from hallmarked.web.address import repo_routes
from hallmarked.web.form import Form, with_form
from hallmarked.web.markdown import render_markdown
from hallmarked.web.page.organisation import ROLES, Member, role_of
from hallmarked.web.page.repository import KINDS, Head, open_page
from hallmarked.web.render import Html, Page, context
from hallmarked.web.request import hub_of, target

ROWS = 100
"""Requests on one page."""


@context
class Question:
    """Something the makers ask whoever wants the files."""

    field: str
    """Name of the field in the form."""
    text: str
    """The question."""
    kind: str
    """``text``, ``checkbox``, ``date_picker``, ``country`` or ``select``."""
    options: tuple[tuple[str, str], ...]
    """Answers to choose from: value and words."""


@context
class Asked:
    """A request for access."""

    id: str
    """Names it in forms."""
    user: str
    """Who asks."""
    full_name: str
    """As they call themselves."""
    email: str
    """Their address."""
    status: str
    """``pending``, ``accepted`` or ``rejected``."""
    answers: tuple[tuple[str, str], ...]
    """Question and answer."""
    reason: str
    """Why it was rejected; may be empty."""
    time: datetime
    """When they asked."""
    decided: datetime | None
    """When it was decided."""
    decided_by: str
    """By whom; empty when nobody decided."""
    expires: datetime | None
    """When the access ends; none for as long as nobody takes it back."""


@context
class Access:
    """Who may get the files, and why."""

    head: Head
    """What stands on top."""
    roles: tuple[str, ...]
    """What the reader is to the repository."""
    granted: bool
    """Whether access was given to the reader."""
    reviewers: tuple[str, ...]
    """Who decides."""
    heading: str
    """What the makers write above their questions; may be empty."""
    prompt: Html
    """What they say about it."""
    button: str
    """What stands on their button; empty for the usual words."""
    questions: tuple[Question, ...]
    """What they ask."""
    mine: Asked | None
    """The reader's own request."""
    queue: tuple[Asked, ...]
    """Requests that the reader may decide on; empty for others."""
    status: str
    """Which of them are listed."""
    after: str
    """Request to start the next part after; empty on the last part."""


@context
class Settings:
    """What the owners of a repository can change."""

    head: Head
    """What stands on top."""
    restore_days: int
    """For how many days a deleted repository can be restored."""
    people: tuple[Member, ...]
    """Who has a role in it beside its owner and the members of an organisation."""
    roles: tuple[str, ...]
    """Roles there are."""
    organisation: bool
    """Whether its owner is an organisation, whose members have their roles too."""


def show_access(request: Request, kind: str) -> Access:
    """Make the page about access."""
    asked = request.query_params
    status = asked.get("status", "pending") if asked.get("status") in set(Status) else "pending"
    with open_page(request, kind) as opened:
        db, repo = opened.db, opened.repo
        standing = load_standing(db, opened.actor, repo.scope)
        form = read_form(repo.card)
        own = own_request(db, opened.actor, repo)
        queue: tuple[AccessRequest, ...] = ()
        if opened.head.may_review and repo.scope.gate:
            queue = tuple(list_requests(db, repo, Status(status), after=asked.get("after", ""), limit=ROWS + 1))
        ids = reviewers_of(db, repo.scope)
        return Access(
            opened.head,
            tuple(sorted(role.value for role in standing.roles)),
            bool(repo.scope.gate) and standing.granted,
            tuple(sorted(names_of(db, ids).values())),
            form.heading,
            render_markdown(form.prompt, opened.place()).html,
            form.button,
            tuple(
                Question(f"answer-{number}", each.name, each.kind, _options(each.kind, each.options))
                for number, each in enumerate(form.questions)
            ),
            _asked(own) if own else None,
            tuple(_asked(each) for each in queue[:ROWS]),
            status,
            queue[ROWS - 1].id if len(queue) > ROWS else "",
        )


def show_settings(request: Request, kind: str) -> Settings:
    """Make the page of settings.

    Raises:
        Forbidden: When the reader is no owner.
    """
    with open_page(request, kind, Action.MANAGE) as opened:
        people = tuple(
            Member(each.name, each.full_name, each.role.value, to_datetime(each.since))
            for each in list_collaborators(opened.db, opened.repo)
        )
        home = find_account(opened.db, opened.repo.name.partition("/")[0])
        days = opened.hub.settings.limit.restore_days
        return Settings(opened.head, days, people, ROLES, home.kind == "organisation")


def do_ask(request: Request, form: Form, kind: str) -> Response:
    """Ask for access, or take the request back."""
    with hub_of(request).database.write() as db:
        actor, repo = target(request, db, kind)
        if form.text("act") == "withdraw":
            withdraw_request(db, actor, repo)
        else:
            names = [each.name for each in read_form(repo.card).questions]
            given = {name: form.text(f"answer-{number}") for number, name in enumerate(names)}
            ask_access(db, actor, repo, {name: text for name, text in given.items() if text})
    return RedirectResponse(f"{page_path(kind, repo.name)}/access", 303)


def do_decide(request: Request, form: Form, kind: str) -> Response:
    """Decide on a request, or give access to somebody.

    Raises:
        InputError: When it is not a decision.
    """
    days = form.text("days")
    until = int(days) if days.isdecimal() and len(days) < 6 else None
    with hub_of(request).database.write() as db:
        actor, repo = target(request, db, kind, Action.REVIEW)
        act = form.text("act")
        if act == "grant":
            grant_access(db, actor, repo, form.text("user"), until)
        elif act in set(Status):
            reason = form.text("reason") if act == Status.REJECTED else ""
            decision = Decision(Status(act), reason, until if act == Status.ACCEPTED else None)
            decide_request(db, actor, repo, decision, request_id=form.text("id"))
        else:
            raise InputError("a request is accepted, rejected, or waits again")
    return RedirectResponse(f"{page_path(kind, repo.name)}/access", 303)


def do_settings(request: Request, form: Form, kind: str) -> Response:
    """Change a repository: who sees it, its gate, its people, its name; or delete it.

    Raises:
        InputError: When it is to be deleted and its name was not typed.
    """
    with hub_of(request).database.write() as db:
        actor, repo = target(request, db, kind, Action.MANAGE)
        act = form.text("act")
        if act == "delete":
            if form.text("confirm") != repo.name:
                raise InputError(f"type {repo.name} to delete it; nothing was deleted")
            delete_repository(db, repo.id, by=actor)
            return RedirectResponse("/settings/deleted", 303)
        if act == "move":
            repo = move_repository(db, actor, repo, form.text("target"))
        elif act in ("role", "remove"):
            set_collaborator(db, actor, repo, form.text("person"), role_of(form) if act == "role" else None)
        else:
            _change(db, repo.id, form, actor)
    where = "#people" if act in ("role", "remove") else ""
    return RedirectResponse(f"{page_path(kind, repo.name)}/settings{where}", 303)


def _change(db: Connection, repository_id: str, form: Form, by: Actor) -> None:
    gate = form.text("gate", "")
    change_settings(db, repository_id, visibility=form.text("visibility"), gate="" if gate == "open" else gate, by=by)


def _options(kind: str, options: tuple[object, ...]) -> tuple[tuple[str, str], ...]:
    if kind == "country":
        return tuple(countries().items())
    return tuple((getattr(each, "value", ""), getattr(each, "label", "")) for each in options)


def _asked(asked: AccessRequest) -> Asked:
    return Asked(
        asked.id,
        asked.user,
        asked.full_name,
        asked.email,
        asked.status.value,
        tuple((str(question), "✓" if answer is True else str(answer)) for question, answer in asked.answers.items()),
        asked.reason,
        to_datetime(asked.created),
        to_datetime(asked.decided) if asked.decided else None,
        asked.decided_by,
        to_datetime(asked.expires) if asked.expires else None,
    )


FORMS: tuple[BaseRoute, ...] = (
    *repo_routes("/access", with_form(do_ask), methods=["POST"], name="ask"),
    *repo_routes("/access/decide", with_form(do_decide), methods=["POST"], name="decide"),
    *repo_routes("/settings", with_form(do_settings), methods=["POST"], name="settings"),
)
PAGES = (
    Page("/{owner}/{name}/access", "repository/access.html.j2", show_access, KINDS),
    Page("/{owner}/{name}/settings", "repository/settings.html.j2", show_settings, KINDS),
)
