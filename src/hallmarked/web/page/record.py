"""What people state on pages: disputes, withdrawals, waivers, decisions, stages; the hub signs for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from hallmarked.core.errors import FormatError, InputError
from hallmarked.hub.access import Action
from hallmarked.hub.error import Conflict
from hallmarked.hub.kind import page_path
from hallmarked.hub.repository.revision import find_revision
from hallmarked.hub.review.context import known_contexts
from hallmarked.hub.review.filing import KINDS as KINDS_OF_RECORDS
from hallmarked.hub.review.filing import file_record, list_kinds, speaker
from hallmarked.hub.review.judgement import redecide_about
from hallmarked.hub.review.outside import Outside, find_outside
from hallmarked.hub.schema.base import new_id
from hallmarked.records.stage import Step
from hallmarked.web.address import param, repo_routes
from hallmarked.web.form import Form, with_form
from hallmarked.web.page.repository import KINDS, Head, open_page, verify_commands
from hallmarked.web.render import Page, context, show
from hallmarked.web.request import hub_of, target

FILES = 30
"""Records that one account may file, a minute."""
MOST_VALUES = 3
"""Values named of a statement."""
FIELDS: Mapping[str, tuple[str, ...]] = {
    "dispute": ("about", "reason"),
    "withdrawal": ("claim", "reason"),
    "waiver": ("context", "requirement", "until", "reason"),
    "stage": ("stage", "by", "time", "method", "contact"),
    "decision": ("title", "chosen", "other", "tradeoff"),
}
"""What a form asks for, by the kind of record."""


@context
class Said:
    """A statement about a repository, and where it can be checked."""

    id: str
    """Names it at this hub."""
    sentence: str
    """What was signed, as an English sentence."""
    signer: str
    """Who stated it."""
    role: str
    """As what their word counts: ``maker``, ``hub``, ``auditor`` or ``community``."""
    here: bool
    """Whether this hub signed it for them; else their own key did."""
    time: datetime
    """When it was stated."""
    entry: int
    """Its place in the ledger."""
    statement: str
    """Its id, a digest."""
    revision: str
    """The commit it is about."""
    removed: str
    """Why it was removed by moderation; empty while it counts."""


@context
class Filed:
    """What somebody filed just now or before, and where it can be checked."""

    head: Head
    """What stands on top."""
    said: Said
    """What was signed."""
    commands: tuple[str, ...]
    """How to check it without believing this page."""


@context
class Known:
    """A context with a requirement that can be waived."""

    name: str
    """Its name."""
    title: Mapping[str, str]
    """What it is, by language."""
    waived_by: tuple[str, ...]
    """Roles whose waivers count there."""


@context
class Filing:
    """A form for something that is to be stated."""

    head: Head
    """What stands on top."""
    kinds: tuple[str, ...]
    """What the reader may file."""
    kind: str
    """What the form is for; empty while nothing was chosen."""
    values: Mapping[str, str]
    """What stands in its fields."""
    problem: str
    """Why it was not filed; empty when nothing was sent yet."""
    speaks: str
    """As what the reader's word counts."""
    contexts: tuple[Known, ...]
    """Contexts there are."""
    stages: tuple[str, ...]
    """Stages there are."""
    today: str
    """The day, as forms write it."""


def show_form(request: Request, kind: str) -> Filing:
    """Make the form for what the address names; its fields may be filled in by the link that leads here."""
    asked = request.query_params
    wanted = asked.get("kind", "")
    values = {name: asked.get(name, "")[:300] for name in FIELDS.get(wanted, ())}
    with open_page(request, kind, Action.RECORD) as opened:
        kinds = list_kinds(opened.db, opened.actor, opened.repo)
        today = f"{datetime.now(UTC):%Y-%m-%d}"
        known = known_contexts(opened.hub)
        if wanted == "stage":
            values = {**values, "by": values["by"] or opened.actor.name, "time": values["time"] or today}
        return Filing(
            opened.head,
            kinds,
            wanted if wanted in kinds else "",
            values,
            "",
            speaker(opened.db, opened.actor, opened.repo)[0].role.value,
            tuple(Known(each.name, dict(each.title), each.waived_by) for each in known.values() if each.demands),
            tuple(step.value for step in Step),
            today,
        )


def do_file(request: Request, form: Form, kind: str) -> Response:
    """File what was written; what cannot be used stands in the form again, with the reason."""
    wanted = form.text("kind")
    values = {name: form.text(name) for name in FIELDS.get(wanted, ())}
    hub = hub_of(request)
    try:
        with hub.database.write() as db:
            actor, repo = target(request, db, kind, Action.RECORD)
            request.app.state.limits.take("evidence", actor.account_id or "", FILES)
            at = find_revision(db, repo, param(request, "revision"))
            filed = file_record(hub, db, actor, (repo, at), wanted, to_record(wanted, values))
            redecide_about(hub, db, repo, {filed.revision})
    except (InputError, FormatError, Conflict) as error:
        again = replace(show_form(request, kind), kind=wanted if values else "", values=values, problem=str(error))
        return show(request, "repository/record.html.j2", again, 409 if isinstance(error, Conflict) else 400)
    return RedirectResponse(f"{page_path(kind, repo.name)}/filed/{filed.id}", 303)


def to_record(kind: str, values: Mapping[str, str]) -> dict[str, Any]:
    """Return the fields of a record as its form has them; what was left empty is not said."""
    said: dict[str, Any] = {name: text for name, text in values.items() if text}
    if kind == "decision":
        # who writes in a form needs no names for machines; cards can refer to this one all the same
        options = [{"name": said[name]} for name in ("chosen", "other") if name in said]
        said = {**said, "id": f"d-{new_id()[:12].lower()}", "options": options}
        said.pop("other", None)
    return said


def show_filed(request: Request, kind: str) -> Filed:
    """Show what was signed, and where to check it."""
    with open_page(request, kind) as opened:
        found = find_outside(opened.db, opened.repo, param(request, "id"))
        return Filed(opened.head, tell(found, opened.hub.journal.keyid), verify_commands(request, opened))


def tell(one: Outside, keyid: str) -> Said:
    """Tell of a statement.

    Args:
        one: The statement.
        keyid: Key of this hub.
    """
    said = one.attestation
    return Said(
        one.id,
        "" if one.removed is not None else _sentence(one),
        said.signer,
        said.role,
        said.keyid.partition("#")[0] == keyid,
        said.time,
        one.entry,
        said.id,
        one.revision,
        one.reason if one.removed is not None else "",
    )


def _sentence(one: Outside) -> str:
    """Return what a statement says; of measurements the first values, of others what kind they are."""
    statement = one.attestation.statement
    for made in KINDS_OF_RECORDS.values():
        if made.matches(statement):
            try:
                return made.of_predicate(statement.predicate).sentence
            except FormatError:
                return made.TITLE
    rows = statement.predicate.get("measurements")
    values = [
        f"{row['metric']} = {row['value']}"
        for row in (rows if isinstance(rows, list) else [])
        if isinstance(row, dict) and {"metric", "value"} <= row.keys()
    ]
    more = f" (+ {len(values) - MOST_VALUES})" if len(values) > MOST_VALUES else ""
    return ", ".join(values[:MOST_VALUES])[:500] + more if values else statement.predicate_type


FORMS: tuple[BaseRoute, ...] = (
    *repo_routes("/record/{revision}", with_form(do_file), methods=["POST"], name="record"),
)
PAGES = (
    Page("/{owner}/{name}/record/{revision}", "repository/record.html.j2", show_form, KINDS),
    Page("/{owner}/{name}/filed/{id}", "repository/filed.html.j2", show_filed, KINDS),
)
