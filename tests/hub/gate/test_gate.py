"""Gates: the form of a card, requests and decisions, the table of who has access."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from hallmarked.core.errors import Forbidden, InputError, NotFound
from hallmarked.hub.access import Action, Actor, Role
from hallmarked.hub.account.notice import list_notices
from hallmarked.hub.change.commit import Message, Put, commit
from hallmarked.hub.change.creation import create
from hallmarked.hub.error import Gated
from hallmarked.hub.gate.form import Question, check_answers, countries, read_form
from hallmarked.hub.gate.report import write_report
from hallmarked.hub.gate.request import (
    Decision,
    Status,
    ask_access,
    decide_request,
    grant_access,
    list_own,
    list_requests,
    own_request,
    withdraw_request,
)
from hallmarked.hub.repository.collaborator import set_collaborator
from hallmarked.hub.repository.repository import (
    Repository,
    change_settings,
    find_repository,
    move_repository,
    open_repository,
)
from hallmarked.hub.schema.gate import access_request
from hallmarked.hub.schema.review import event
from tests.hubs import RunningHub, open_test_hub

CARD = b"""---
extra_gated_heading: Who are you?
extra_gated_prompt: Please say what you need it **for**.
extra_gated_fields:
  Company: text
  Country: country
  Born: date_picker
  Purpose:
    type: select
    options: [Research, {label: Something else, value: other}]
  I agree: checkbox
---
# A model
"""
ANSWERS = {"Company": "Acme", "Country": "ES", "Born": "2000-02-29", "Purpose": "other", "I agree": "on"}


@pytest.fixture
def running(tmp_path: Path) -> Iterator[RunningHub]:
    with open_test_hub(tmp_path) as made:
        for name in ("ada", "bob", "eve", "rev"):
            made.person(name)
        yield made


def gated(running: RunningHub, gate: str = "manual", card: bytes = b"# A model\n") -> Repository:
    ada = running.actor("ada")
    with running.hub.database.write() as db:
        repo = create(db, ada, "model", "m")
        commit(db, repo, ada, [Put("README.md", card)], Message("card"))
        change_settings(db, repo.id, gate=gate, by=ada)
        made = find_repository(db, "model", "ada/m")
        set_collaborator(db, ada, made, "rev", Role.REVIEWER)
        return made


def test_form_of_a_card(running: RunningHub) -> None:
    """The card's keys become questions of five kinds, in order."""
    form = read_form(gated(running, card=CARD).card)
    kinds = [question.kind for question in form.questions]
    assert kinds == ["text", "country", "date_picker", "select", "checkbox"]
    assert [option.value for option in form.questions[3].options] == ["Research", "other"]
    assert (form.heading, form.prompt) == ("Who are you?", "Please say what you need it **for**.")
    assert check_answers(form, ANSWERS) == {**ANSWERS, "I agree": True}
    assert "DE" in countries()
    assert "EU" not in countries()


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("Company", " "),
        ("Company", "x" * 3000),
        ("Country", "XX"),
        ("Born", "2001-02-29"),
        ("Purpose", "Theft"),
        ("I agree", ""),
    ],
)
def test_answers_that_are_none(running: RunningHub, name: str, answer: str) -> None:
    """An answer that is missing or not of its kind is named."""
    form = read_form(gated(running, card=CARD).card)
    with pytest.raises(InputError, match=name):
        check_answers(form, ANSWERS | {name: answer})


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(_json, _json)
def test_any_card_makes_a_form(fields: object, other: object) -> None:
    """Whatever a card says there, a form comes out, and no question without a kind."""
    form = read_form({"extra_gated_fields": fields, "extra_gated_prompt": other, "extra_gated_heading": fields})
    assert all(isinstance(question, Question) and question.kind for question in form.questions)


def test_own_requests_name_nothing_that_is_hidden_now(running: RunningHub) -> None:
    """A repository that became private, and got another name, is not named to whoever once asked for it."""
    repo, bob = gated(running, card=CARD), running.actor("bob")
    with running.hub.database.write() as db:
        ask_access(db, bob, repo, ANSWERS)
        change_settings(db, repo.id, visibility="private")
        move_repository(db, running.actor("ada"), repo, "ada/secret-plan")
        assert list_own(db, bob) == []


def test_request_is_decided(running: RunningHub) -> None:
    """Somebody asks, a reviewer accepts and takes it back; each step counts at once, and is an event and a message."""
    repo, bob, rev = gated(running, card=CARD), running.actor("bob"), running.actor("rev")
    with running.hub.database.write() as db:
        with pytest.raises(Gated):
            open_repository(db, bob, "model", "ada/m", Action.READ)
        with pytest.raises(InputError):
            ask_access(db, bob, repo, {})
        assert ask_access(db, bob, repo, ANSWERS) is Status.PENDING
        with pytest.raises(InputError):
            ask_access(db, bob, repo, ANSWERS)
        assert {item.kind for item in list_notices(db, rev.account_id or "")} == {"access-asked"}
        decide_request(db, rev, repo, Decision(Status.ACCEPTED), user="bob")
        open_repository(db, bob, "model", "ada/m", Action.READ)
        with pytest.raises(NotFound):
            decide_request(db, rev, repo, Decision(Status.ACCEPTED), user="bob")
        decide_request(db, rev, repo, Decision(Status.REJECTED, "not what it is for"), user="bob")
        with pytest.raises(Gated):
            open_repository(db, bob, "model", "ada/m", Action.READ)
        with pytest.raises(InputError):
            ask_access(db, bob, repo, ANSWERS)
        with pytest.raises(NotFound):
            withdraw_request(db, bob, repo)
        assert "not what it is for" in list_notices(db, bob.account_id or "")[0].text
        mine = own_request(db, bob, repo)
        assert mine is not None
        assert (mine.reason, mine.decided_by) == ("not what it is for", "rev")
        assert [item.repository for item in list_own(db, bob)] == ["ada/m"]
        tags = [row.tag for row in db.execute(select(event).order_by(event.c.created)) if row.tag.startswith("access")]
    assert tags == ["access:request:made", "access:request:accepted", "access:grant:revoked"]


def test_who_may_not_decide(running: RunningHub) -> None:
    """Strangers do not decide, nobody decides on an own request, and a reason is short and only for a rejection."""
    repo, bob, rev, ada = gated(running), running.actor("bob"), running.actor("rev"), running.actor("ada")
    with running.hub.database.write() as db:
        ask_access(db, bob, repo, {})
        for who in (bob, running.actor("eve"), Actor()):
            with pytest.raises(Forbidden):
                decide_request(db, who, repo, Decision(Status.ACCEPTED), user="bob")
        set_collaborator(db, ada, repo, "bob", Role.REVIEWER)
        with pytest.raises(Forbidden, match="own request"):
            decide_request(db, bob, repo, Decision(Status.ACCEPTED), user="bob")
        with pytest.raises(Forbidden):
            grant_access(db, bob, repo, "bob")
        for decision in (
            Decision(Status.REJECTED, "x" * 201),
            Decision(Status.ACCEPTED, "because"),
            Decision(Status.ACCEPTED, days=0),
            Decision(Status.ACCEPTED, days=10**6),
        ):
            with pytest.raises(InputError):
                decide_request(db, rev, repo, decision, user="bob")
        for missing in ("eve", "nobody-there"):
            with pytest.raises(NotFound):
                decide_request(db, rev, repo, Decision(Status.ACCEPTED), user=missing)


def test_access_runs_out(running: RunningHub) -> None:
    """Access for some days ends by itself, and can then be asked for again."""
    repo, bob, rev = gated(running), running.actor("bob"), running.actor("rev")
    with running.hub.database.write() as db:
        grant_access(db, rev, repo, "bob", days=3)
        with pytest.raises(InputError):
            grant_access(db, rev, repo, "bob")
        open_repository(db, bob, "model", "ada/m", Action.READ)
        db.execute(update(access_request).values(expires=1))
        with pytest.raises(Gated):
            open_repository(db, bob, "model", "ada/m", Action.READ)
        assert ask_access(db, bob, repo, {}) is Status.PENDING


def test_automatic_gate(running: RunningHub) -> None:
    """An automatic gate lets in whoever answers; without a gate there is nothing to ask for."""
    repo, bob, eve = gated(running, "auto"), running.actor("bob"), running.actor("eve")
    with running.hub.database.write() as db:
        assert ask_access(db, bob, repo, {}) is Status.ACCEPTED
        open_repository(db, bob, "model", "ada/m", Action.READ)
        withdraw_request(db, bob, repo)
        with pytest.raises(Gated):
            open_repository(db, bob, "model", "ada/m", Action.READ)
        with pytest.raises(InputError):
            ask_access(db, running.actor("ada"), repo, {})
        change_settings(db, repo.id, gate="")
        with pytest.raises(InputError):
            ask_access(db, eve, find_repository(db, "model", "ada/m"), {})


def test_pages_of_requests(running: RunningHub) -> None:
    """However the list is cut into pages, every request comes once."""
    repo = gated(running)
    people = [f"p{number}" for number in range(7)]
    for name in people:
        running.person(name)
    with running.hub.database.write() as db:
        for name in people:
            ask_access(db, running.actors[name], repo, {})
        db.execute(update(access_request).values(created=5))  # all at the same instant
        seen: list[str] = []
        after = ""
        while page := list_requests(db, repo, Status.PENDING, after=after, limit=3):
            seen += [item.user for item in page]
            after = page[-1].id
    assert sorted(seen) == people


@pytest.mark.parametrize("evil", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1+1", '=HYPERLINK("http://x")'])
def test_report_runs_no_formula(running: RunningHub, evil: str) -> None:
    """Whatever people answer, no cell of the table is a formula, and the table stays one."""
    card = b"---\nextra_gated_fields:\n  Why: text\n---\n"
    repo, bob, rev = gated(running, card=card), running.actor("bob"), running.actor("rev")
    with running.hub.database.write() as db:
        ask_access(db, bob, repo, {"Why": "x"})
        db.execute(update(access_request).values(answers={"Why": evil}, reason=evil))
        with pytest.raises(Forbidden):
            write_report(db, bob, repo)
        rows = list(csv.reader(io.StringIO("".join(write_report(db, rev, repo)), newline="")))
    assert len(rows) == 2
    assert rows[0][-1] == "Why"
    assert rows[1][-1] == f"'{evil}" == rows[1][9]
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in rows[1])
