"""Opting out and in, requests about personal data, and how long each has been waiting. None of it needs an account."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from hallmarked.core.errors import InputError
from hallmarked.corpus.consent.receipt import verify_receipt
from hallmarked.corpus.consent.record import Mode, Scope, Use
from hallmarked.corpus.consent.selector import Kind, Selector, make_selector
from hallmarked.hub.access import require_administrator
from hallmarked.hub.clock import to_datetime
from hallmarked.hub.consent.before import trained_before
from hallmarked.hub.consent.key import open_keys
from hallmarked.hub.consent.mail import Server
from hallmarked.hub.consent.proof import (
    RECORD,
    WELL_KNOWN,
    challenge,
    prove_by_account,
    prove_by_content,
    prove_by_mail,
    prove_by_site,
    send_code,
)
from hallmarked.hub.consent.request import (
    UNPROVEN,
    Filed,
    Stored,
    Wish,
    file_request,
    find_request,
    selectors_of,
    withdraw_request,
)
from hallmarked.hub.consent.subject import RIGHTS, Right, answer_of, clock_of, file_subject_request, list_due
from hallmarked.hub.hub import Hub
from hallmarked.ledger.strict import write_json
from hallmarked.web.form import Form, with_form
from hallmarked.web.render import Page, context, show
from hallmarked.web.request import actor_of, base_url, hub_of

FIELDS = {"accounts": Kind.ACCOUNT, "repositories": Kind.REPOSITORY, "domains": Kind.DOMAIN, "addresses": Kind.URL}
"""Fields of the forms with one selector in each line."""
OWNERS = ("me", "other")


@context
class Choice:
    """The page on which anybody refuses or allows the use of their data."""

    policy: str
    """Version of the policy that a request falls under."""
    days: int
    """Days until a confirmed request holds for every new version."""
    uses: tuple[str, ...]
    """What data are used for."""
    lookup: tuple[str, ...]
    """Commands that look an identifier up privately."""
    guesses: int
    """How many identifiers one network may look up a day."""


@context
class DataForm:
    """The page on which anybody makes a request about their personal data."""

    rights: tuple[str, ...]
    """What can be asked for."""


@context
class Code:
    """The page on which somebody opens a request that they made before."""


@context
class Subject:
    """One thing that a request is about."""

    kind: str
    """``account``, ``repository``, ``domain``, ``url``, ``content`` or ``similar``."""
    value: str
    """What was entered; known right after filing only, since the hub does not keep it."""
    proof: str
    """How it was proven who asks; empty when it was not yet."""
    line: str
    """What a file on the web site has to say to prove it."""


@context
class Model:
    """A model that was trained before the request."""

    name: str
    """``owner/name``."""
    sets: tuple[str, ...]
    """Data sets that its card names."""


@context
class Standing:
    """A request, for whoever has its code."""

    id: str
    """Names it, for the people who run the hub."""
    code: str
    """Opens it again."""
    new: bool
    """Whether it was made a moment ago."""
    receipt: str
    """The receipt, which is given out once."""
    action: str
    """What was asked for."""
    consent: bool
    """Whether it is about the use of data, and not one about personal data."""
    status: str
    """``pending``, ``active``, ``refused``, ``decided`` or ``withdrawn``."""
    said: str
    """What happened a moment ago: ``filed``, ``proven``, ``nothing``, ``mailed``, ``withdrawn``, or an empty text."""
    reason: str
    """Of a refusal, an extension or a decision."""
    lapsed: bool
    """Whether it ended because nobody proved in time who asks."""
    representative: bool
    """Whether whoever asked speaks for somebody else."""
    subjects: tuple[Subject, ...]
    """What it is about."""
    uses: tuple[str, ...]
    """Uses it is about."""
    sets: tuple[str, ...]
    """Data sets it is about; empty for all."""
    created: datetime
    """When it was made."""
    due: datetime
    """When it is due."""
    days_left: int
    """Days until then; below zero when it is late."""
    entry: int
    """Of the log."""
    mail: bool
    """Whether codes are sent by mail here."""
    signed_in: str
    """Name of the account that is signed in."""
    file: str
    """Path of the file by which a web site proves it."""
    record: str
    """Label below its name whose TXT record does so too."""
    rows: bool
    """Whether rows were given out."""
    before: tuple[Model, ...]
    """Models that were trained before it, which it does not change."""


@context
class Waiting:
    """A request that is open, for whoever runs the hub."""

    id: str
    """Names it for ``hallmarked admin consent``."""
    action: str
    """What was asked for."""
    status: str
    """``pending`` or ``active``."""
    kinds: tuple[str, ...]
    """Of what it is about."""
    representative: bool
    """Whether whoever asked speaks for somebody else."""
    created: datetime
    """When it was made."""
    due: datetime
    """When it is due."""
    days_left: int
    """Days until then; below zero when it is late."""
    clock: str
    """``late``, ``soon`` or ``open``."""
    extended: bool
    """Whether it was given more time."""


@context
class Due:
    """Requests that are open, what is due first at the top."""

    rows: tuple[Waiting, ...]
    """The requests."""
    late: int
    """How many are late."""
    soon: int
    """How many are due within a week."""


def show_choice(request: Request) -> Choice:
    """Make the page for opting out and in."""
    settings = hub_of(request).settings.consent
    commands = (f"hallmarked consent lookup --hub {base_url(request)} account you@example.org",)
    return Choice(settings.policy, settings.due_days, tuple(Use), commands, settings.lookups)


def show_data(_request: Request) -> DataForm:
    """Make the page for requests about personal data."""
    return DataForm(tuple(Right))


def show_code(_request: Request) -> Code:
    """Make the page that asks for a code."""
    return Code()


def show_due(request: Request) -> Due:
    """Make the page of open requests.

    Raises:
        Forbidden: When the reader does not run the hub.
    """
    hub = hub_of(request)
    with hub.database.read() as db:
        require_administrator(actor_of(request, db))
    rows = tuple(
        Waiting(
            stored.id, stored.action, stored.status, tuple(dict.fromkeys(item.kind.value for item in stored.items)),
            stored.representative, to_datetime(stored.created), clock.due, clock.days_left, clock.state, clock.extended,
        )
        for stored, clock in list_due(hub)
    )  # fmt: skip
    states = [row.clock for row in rows]
    return Due(rows, states.count("late"), states.count("soon"))


def do_choice(request: Request, form: Form) -> Response:
    """Write down that somebody refuses or allows the use of their data.

    Raises:
        InputError: When nothing was chosen, or what it is about cannot be used.
        TooMany: When there were too many from that network.
    """
    request.app.state.limits.take_filing(request)
    hub, text = hub_of(request), form.raw("text")
    selectors = read_selectors(form, text)
    filed = file_request(hub, Wish(read_scope(form), selectors, representative=for_other(form)))
    if text.strip() and not for_other(form):
        prove_by_content(hub, filed.code, text)
    return _filed(request, filed, selectors)


def do_data(request: Request, form: Form) -> Response:
    """Write down a request about personal data.

    Raises:
        InputError: When nothing was chosen, or nobody can tell whom it is about.
        TooMany: When there were too many from that network.
    """
    request.app.state.limits.take_filing(request)
    if form.text("right") not in RIGHTS:
        raise InputError("choose what you ask for")
    selectors = read_selectors(form)
    right, other = Right(form.text("right")), for_other(form)
    filed = file_subject_request(hub_of(request), right, selectors, form.text("message"), representative=other)
    return _filed(request, filed, selectors)


def do_request(request: Request, form: Form) -> Response:
    """Open a request by its code, and do with it what was asked for."""
    code, act = form.text("code"), form.text("act", "show")
    request.app.state.limits.take_code(request)
    if act == "rows":
        rows = answer_of(hub_of(request), code)
        headers = {"Content-Disposition": 'attachment; filename="rows.jsonl"', "Cache-Control": "no-store"}
        return Response(rows, media_type="application/x-ndjson", headers=headers)
    if act not in ACTS:
        raise InputError("this form asks for something that is not done here")
    return _standing(request, code, said=ACTS[act](request, form, code))


def do_receipt(_request: Request, form: Form) -> Response:
    """Give a receipt back as a file: the page that shows it cannot make one without a script.

    Raises:
        VerificationError: When it is no receipt.
    """
    sent = form.raw("receipt").encode()
    index = verify_receipt(sent).index
    headers = {
        "Content-Disposition": f'attachment; filename="consent-receipt-{index}.json"',
        "Cache-Control": "no-store",
    }
    return Response(write_json(json.loads(sent)), media_type="application/json", headers=headers)


def read_selectors(form: Form, text: str = "") -> list[Selector]:
    """Read what a request is about: one in each line of each field, and a text.

    Raises:
        InputError: When a line cannot be used; all that cannot are named together.
    """
    selectors, problems = [], []
    for field, kind in FIELDS.items():
        for number, line in enumerate(form.raw(field).splitlines(), 1):
            try:
                selectors += [make_selector(kind, line)] if line.strip() else []
            except InputError as error:
                problems.append(f"line {number} of {field}: {error}")
    for line in form.raw("digests").split():
        selectors.append(make_selector(Kind.CONTENT, line))
    if problems:
        raise InputError("; ".join(problems))
    return selectors + selectors_of(text)


def read_scope(form: Form) -> Scope:
    """Read what is refused or allowed.

    Raises:
        InputError: When nothing was chosen.
    """
    if form.text("choice") not in set(Mode):
        raise InputError("choose whether you refuse or allow the use of your data")
    mode = Mode(form.text("choice"))
    uses = frozenset(Use(use) for use in form.all("use") if use in set(Use))
    if mode is Mode.PARTIAL and not uses:
        raise InputError("choose which uses you allow")
    sets = frozenset(
        make_selector(Kind.REPOSITORY, line).value for line in form.raw("sets").splitlines() if line.strip()
    )
    return Scope(mode, uses if mode is Mode.PARTIAL else frozenset(Use), sets)


def for_other(form: Form) -> bool:
    """Say whether somebody speaks for somebody else.

    Raises:
        InputError: When that was not said.
    """
    if form.text("for") not in OWNERS:
        raise InputError("say whether you ask for yourself or for somebody else")
    return form.text("for") == "other"


def _account(request: Request, _form: Form, code: str) -> str:
    hub = hub_of(request)
    with hub.database.read() as db:
        actor = actor_of(request, db)
    return "proven" if prove_by_account(hub, code, actor) else "nothing"


def _site(request: Request, form: Form, code: str) -> str:
    return "proven" if prove_by_site(hub_of(request), code, form.text("place")) else "nothing"


def _content(request: Request, form: Form, code: str) -> str:
    return "proven" if prove_by_content(hub_of(request), code, form.raw("text")) else "nothing"


def _mail(request: Request, form: Form, code: str) -> str:
    send_code(hub_of(request), code, form.text("address"))
    return "mailed"


def _number(request: Request, form: Form, code: str) -> str:
    return "proven" if prove_by_mail(hub_of(request), code, form.text("address"), form.text("number")) else "nothing"


def _withdraw(request: Request, _form: Form, code: str) -> str:
    withdraw_request(hub_of(request), code)
    return "withdrawn"


ACTS: Mapping[str, Callable[[Request, Form, str], str]] = {
    "show": lambda _request, _form, _code: "",
    "account": _account,
    "site": _site,
    "content": _content,
    "mail": _mail,
    "number": _number,
    "withdraw": _withdraw,
}
"""What can be done with a request; each says in a word what came of it."""


def _filed(request: Request, filed: Filed, selectors: list[Selector]) -> Response:
    keys = open_keys(hub_of(request).settings)
    values = {
        keys.digest.digest(one.kind.value.encode(), one.value.encode("utf-8", "surrogatepass")).hex(): one.value
        for one in selectors
        if one.kind is not Kind.SIMILAR
    }
    return _standing(request, filed.code, said="filed", receipt=filed.receipt, values=values)


def _standing(
    request: Request, code: str, *, said: str, receipt: bytes = b"", values: Mapping[str, str] | None = None
) -> Response:
    hub = hub_of(request)
    with hub.database.read() as db:
        name = actor_of(request, db).name
    stored = find_request(hub, code)
    page = _view(hub, stored, code, said, receipt, name, values or {})
    return show(request, "consent/request.html.j2", page)


def _view(
    hub: Hub, stored: Stored, code: str, said: str, receipt: bytes, name: str, values: Mapping[str, str]
) -> Standing:
    keys, clock = open_keys(hub.settings), clock_of(stored)
    with hub.database.read() as db:
        consent = stored.action not in RIGHTS
        before = trained_before(db, stored) if consent else []
    subjects = tuple(
        Subject(item.kind.value, values.get(item.digest, ""), item.proof, challenge(keys, item))
        for item in stored.items
    )
    return Standing(
        stored.id, code, bool(receipt), _one_line(receipt), stored.action, consent, stored.status, said, stored.reason,
        stored.reason == UNPROVEN,
        stored.representative, subjects, stored.uses, stored.sets, to_datetime(stored.created), clock.due,
        clock.days_left, stored.entry or 0, Server.of(hub.settings.consent) is not None, name, WELL_KNOWN, RECORD,
        stored.answered, tuple(Model(one.name, one.sets) for one in before),
    )  # fmt: skip


def _one_line(receipt: bytes) -> str:
    """Write a receipt without line breaks, which a page does not keep as they are."""
    return json.dumps(json.loads(receipt)) if receipt else ""


FORMS: tuple[BaseRoute, ...] = (
    Route("/consent", with_form(do_choice), methods=["POST"]),
    Route("/consent/data", with_form(do_data), methods=["POST"]),
    Route("/consent/request", with_form(do_request), methods=["POST"]),
    Route("/consent/receipt", with_form(do_receipt), methods=["POST"]),
)
PAGES = (
    Page("/consent", "consent/choice.html.j2", show_choice),
    Page("/consent/data", "consent/data.html.j2", show_data),
    Page("/consent/request", "consent/code.html.j2", show_code),
    Page("/consent/due", "consent/due.html.j2", show_due),
)
