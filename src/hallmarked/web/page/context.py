"""The page on which owners choose what their repository is judged for, and what is a gate before its files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from hallmarked.core.errors import FormatError, InputError
from hallmarked.hub.access import Action, Actor
from hallmarked.hub.error import Conflict
from hallmarked.hub.hub import Hub
from hallmarked.hub.kind import page_path
from hallmarked.hub.repository.repository import MAIN, Repository
from hallmarked.hub.repository.revision import find_revision
from hallmarked.hub.review.context import asked_of, choose_contexts, known_contexts, list_lost
from hallmarked.hub.review.filing import file_record
from hallmarked.hub.review.judgement import redecide_all
from hallmarked.hub.review.outside import find_outside
from hallmarked.policy.context import Demand
from hallmarked.web.address import repo_routes
from hallmarked.web.form import Form, with_form
from hallmarked.web.page.record import FIELDS, Said, tell, to_record
from hallmarked.web.page.repository import KINDS, Head, Opened, open_page
from hallmarked.web.render import Page, context, show
from hallmarked.web.request import hub_of, target

JUDGED, GATE = "judged", "gate"
_FIELD = "use-"
"""Stands before the name of a context in the form."""


@context
class Need:
    """A requirement of a context."""

    id: str
    """Its name in the context."""
    path: str
    """What has to be stated."""
    why: Mapping[str, str]
    """Why it is asked, by language; may be empty."""


@context
class Choice:
    """A context, and whether the repository is judged in it."""

    name: str
    """Its name."""
    title: Mapping[str, str]
    """What it is, by language."""
    risk: str
    """``minimal``, ``limited`` or ``high``."""
    needs: tuple[Need, ...]
    """What it asks for."""
    chosen: str
    """``judged``, ``gate`` (it has to pass before others get its files), or empty."""
    fixed: str
    """What whoever runs the hub says for every repository: ``judged``, ``gate`` or empty."""


@context
class Contexts:
    """In which contexts a repository is judged, and which of them are gates."""

    head: Head
    """What stands on top."""
    choices: tuple[Choice, ...]
    """Every context of the hub, those that are chosen in front."""
    lost: tuple[str, ...]
    """What would not be asked any more; then a decision has to be written down."""
    values: Mapping[str, str]
    """What was written of that decision."""
    problem: str
    """Why nothing was changed; empty when nothing was sent."""
    decided: Said | None
    """The decision that was filed just now."""


def show_contexts(request: Request, kind: str) -> Contexts:
    """Show what is chosen, and what there is to choose."""
    named = request.query_params.get("decided", "")
    with open_page(request, kind) as opened:
        asked = asked_of(opened.hub, opened.repo)
        decided = tell(find_outside(opened.db, opened.repo, named), opened.hub.journal.keyid) if named else None
        choices = _choices(opened, asked.chosen, opened.repo.gates)
        return Contexts(opened.head, choices, (), dict.fromkeys(FIELDS["decision"], ""), "", decided)


def _choices(opened: Opened, chosen: Sequence[str], gates: Sequence[str]) -> tuple[Choice, ...]:
    asked = asked_of(opened.hub, opened.repo)
    made = [
        Choice(
            each.name,
            dict(each.title),
            each.risk,
            tuple(_need(demand) for demand in each.demands),
            GATE if each.name in gates else JUDGED if each.name in chosen else "",
            GATE if each.name in asked.required else JUDGED if each.name == asked.usual else "",
        )
        for each in known_contexts(opened.hub).values()
    ]
    return tuple(sorted(made, key=lambda one: not (one.chosen or one.fixed)))


def _need(demand: Demand) -> Need:
    return Need(demand.requirement.id, demand.requirement.path, dict(demand.why))


def do_choose(request: Request, form: Form, kind: str) -> Response:
    """Choose contexts and gates; whoever asks less than before writes down why in the same form, and that is signed."""
    hub = hub_of(request)
    picked = {name.removeprefix(_FIELD): form.text(name) for name in form.fields if name.startswith(_FIELD)}
    wanted = [name for name, use in picked.items() if use], [name for name, use in picked.items() if use == GATE]
    values = {name: form.text(name) for name in FIELDS["decision"]}
    problem, lost, decided = "", [], ""
    try:
        with hub.database.write() as db:
            actor, repo = target(request, db, kind, Action.MANAGE)
            lost = list_lost(hub, repo, wanted)
            if not lost or any(values.values()):
                decided = _choose(hub, db, actor, repo, (wanted, values if lost else {}))
                lost = []
    except (InputError, FormatError, Conflict) as error:
        problem = str(error)
    if lost or problem:
        with open_page(request, kind, Action.MANAGE) as opened:
            choices = _choices(opened, *wanted)
        page = show_contexts(request, kind)
        made = replace(page, choices=choices, lost=tuple(lost), values=values, problem=problem)
        return show(request, "repository/contexts.html.j2", made, 400)
    asked = f"?decided={decided}" if decided else ""
    return RedirectResponse(f"{page_path(kind, repo.name)}/contexts{asked}", 303)


def _choose(
    hub: Hub,
    db: Connection,
    actor: Actor,
    repo: Repository,
    said: tuple[tuple[Sequence[str], Sequence[str]], Mapping[str, str]],
) -> str:
    """Choose, by a decision that is filed with it when something was written; return the id of what was filed."""
    wanted, values = said
    made, filed = to_record("decision", values) if values else {}, ""
    if made:
        gone = [name.removeprefix("the gate of ") for name in list_lost(hub, repo, wanted)]
        made["decides"] = [{"kind": "gate", "name": name} for name in dict.fromkeys(gone)]
        filed = file_record(hub, db, actor, (repo, find_revision(db, repo, MAIN)), "decision", made).id
    changed = choose_contexts(hub, db, actor, repo, wanted, made.get("id", ""))
    redecide_all(hub, db, changed)
    return filed


FORMS: tuple[BaseRoute, ...] = (
    *repo_routes("/contexts", with_form(do_choose), methods=["POST"], name="choose-contexts"),
)
PAGES = (Page("/{owner}/{name}/contexts", "repository/contexts.html.j2", show_contexts, KINDS),)
