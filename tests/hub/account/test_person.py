"""People: passwords, sessions, tokens, links that work once, terms."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from hallmarked.core.errors import Forbidden, InputError, NotFound
from hallmarked.hub.access import Actor, require_change
from hallmarked.hub.account.notice import count_unread, list_notices, mark_read
from hallmarked.hub.account.password import LONGEST, check_password, hash_password, verify_password
from hallmarked.hub.account.session import (
    actor_of_session,
    begin_session,
    change_password,
    end_session,
    list_sessions,
    set_password,
    sign_in,
    sign_out,
)
from hallmarked.hub.account.terms import accept_terms
from hallmarked.hub.account.ticket import Person, make_setup, set_up
from hallmarked.hub.account.token import (
    Uses,
    Wanted,
    actor_of_token,
    create_token,
    find_tokens,
    issue_token,
    list_tokens,
    revoke_token,
)
from hallmarked.hub.change.commit import Message, Put, commit
from hallmarked.hub.change.creation import create
from hallmarked.hub.error import Conflict, NotSignedIn, TermsNotAccepted
from hallmarked.hub.event import log_events, subject_digest
from hallmarked.hub.schema.account import session, token
from hallmarked.hub.schema.identity import ticket
from hallmarked.hub.schema.review import event
from hallmarked.hub.setting import Terms
from hallmarked.hub.trail import Tag
from tests.hubs import RunningHub, open_test_hub

GOOD = "a rather long sentence"


@pytest.fixture
def running(tmp_path: Path) -> Iterator[RunningHub]:
    with open_test_hub(tmp_path) as made:
        yield made


def in_person(running: RunningHub, name: str) -> Actor:
    who = running.actor(name)
    return Actor(who.account_id, who.name, who.administrator, in_person=True)


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "short",
        "x" * (LONGEST + 1),
        "aaaaaaaaaaaa",
        "password1234",
        "Qwertyuiop123!",
        "ada.lovelace",
        "ada@example.org",
    ],
)
def test_passwords_that_are_refused(bad: str) -> None:
    """What is short, endless, common, monotonous or made of the account's own name is no password."""
    with pytest.raises(InputError):
        check_password(bad, "ada.lovelace", "ada@example.org")


def test_password_is_kept_as_argon2id() -> None:
    """What is kept is argon2id, different each time, and fits only its password, however its letters are composed."""
    first, second = hash_password("cafe\u0301 olé olé"), hash_password("café olé olé")
    assert first.startswith("$argon2id$")
    assert first != second
    assert verify_password(first, "café olé olé")
    assert not verify_password(first, "cafe ole ole")
    assert not verify_password("", "anything at all")
    assert not verify_password("$argon2id$broken", "anything at all")


def test_sign_in_and_out(running: RunningHub) -> None:
    """A name and its password begin a session; a wrong password and a wrong name are refused in the same words."""
    who, db_ = running.actor("ada"), running.hub.database
    assert who.account_id is not None
    with db_.write() as db:
        set_password(db, who.account_id, hash_password(GOOD))
    said = set()
    for name, password in (("ada", GOOD + "!"), ("bob", GOOD), ("ada", "")):
        with pytest.raises(NotSignedIn) as error:
            sign_in(db_, name, password)
        said.add(str(error.value))
    assert len(said) == 1
    found, cookie = sign_in(db_, "ADA", GOOD, "a browser\n" * 100)
    assert found.id == who.account_id
    with db_.read() as db:
        actor = actor_of_session(db, cookie)
        assert actor is not None
        assert (actor.name, actor.in_person) == ("ada", True)
        assert cookie not in {row.digest for row in db.execute(select(session))}
        assert len(list_sessions(db, found.id)[0].agent) <= 200
    with db_.write() as db:
        sign_out(db, cookie)
        assert actor_of_session(db, cookie) is None


def test_sessions_end(running: RunningHub) -> None:
    """A session ends by itself, when its owner ends it, and when the password is changed."""
    who, db_ = in_person(running, "ada"), running.hub.database
    assert who.account_id is not None
    with db_.write() as db:
        set_password(db, who.account_id, hash_password(GOOD))
        cookies = [begin_session(db, who.account_id) for _ in range(3)]
        db.execute(update(session).where(session.c.id == list_sessions(db, who.account_id)[-1].id).values(expires=1))
        assert sum(actor_of_session(db, cookie) is not None for cookie in cookies) == 2
        with pytest.raises(NotFound):
            end_session(db, in_person_of(running, db, "bob"), list_sessions(db, who.account_id)[0].id)
        end_session(db, who, list_sessions(db, who.account_id)[0].id)
        assert sum(actor_of_session(db, cookie) is not None for cookie in cookies) == 1
    with pytest.raises(NotSignedIn):
        change_password(db_, who, "wrong", "another long sentence")
    with pytest.raises(Forbidden):
        change_password(db_, running.actor("ada"), GOOD, "another long sentence")
    fresh = change_password(db_, who, GOOD, "another long sentence")
    with db_.read() as db:
        assert not any(actor_of_session(db, cookie) for cookie in cookies)
        assert actor_of_session(db, fresh) is not None
    sign_in(db_, "ada", "another long sentence")


def in_person_of(running: RunningHub, db: object, name: str) -> Actor:
    """Return somebody without an account of their own, signed in."""
    return Actor("0" * 24, name, in_person=True)


def test_tokens(running: RunningHub) -> None:
    """A token is known by its digest only, holds for its time and its repositories, and until it is revoked."""
    ada, db_ = in_person(running, "ada"), running.hub.database
    with db_.write() as db:
        mine, other = create(db, ada, "model", "mine"), create(db, ada, "model", "other")
        with pytest.raises(Forbidden):
            issue_token(db, running.actor("ada"), Wanted("by a token"))
        with pytest.raises(InputError):
            issue_token(db, ada, Wanted("nothing", repositories=[]))
        text = issue_token(db, ada, Wanted("one", "write", 1, [mine.id]))
        listed = list_tokens(db, ada.account_id or "")[0]
        assert (listed.hint, listed.repositories) == (text[-4:], (mine.id,))
        assert text not in {row.digest for row in db.execute(select(token))}
        actor = actor_of_token(db, text)
        assert actor is not None
        assert actor.repositories == frozenset({mine.id})
        commit(db, mine, actor, [Put("a", b"a")], Message("a"))
        with pytest.raises(Forbidden):
            require_change(actor)
        with pytest.raises(Forbidden):
            create(db, actor, "model", "third")
        revoke_token(db, actor, listed.id)  # a token may end itself
        assert actor_of_token(db, text) is None
        late = create_token(db, ada.account_id or "", "late", expires=1)
        assert actor_of_token(db, late) is None
        assert other.id != mine.id


def test_last_use_is_written_later(running: RunningHub) -> None:
    """Using a token writes nothing; many uses are written at once."""
    db_ = running.hub.database
    text = running.person("ada")
    uses = Uses()
    with db_.read() as db:
        actor = actor_of_token(db, text)
        assert actor is not None
        uses.note(actor)
        assert list_tokens(db, actor.account_id or "")[0].last_used is None
    uses.write(db_)
    uses.write(db_)
    with db_.read() as db:
        assert list_tokens(db, actor.account_id or "")[0].last_used is not None


def test_pushed_token_is_revoked(running: RunningHub) -> None:
    """A token that stands in a pushed file works no more, and its owner is told; other texts end nothing."""
    ada, db_ = running.actor("ada"), running.hub.database
    leaked, kept = running.person("bob"), running.person("eve")
    with db_.write() as db:
        repo = create(db, ada, "model", "m")
        files = [Put("notes.txt", f"key={leaked}\n".encode()), Put("b.txt", f"x{kept} {kept}x {kept[:-1]}".encode())]
        commit(db, repo, ada, files, Message("oops"))
        assert actor_of_token(db, leaked) is None
        assert actor_of_token(db, kept) is not None
        who = running.actors["bob"].account_id or ""
        assert "ada/m, notes.txt" in list_notices(db, who)[0].text
        assert count_unread(db, who) == 1
        mark_read(db, who)
        assert count_unread(db, who) == 0


def test_pushed_token_does_not_tell_of_a_private_repository(running: RunningHub) -> None:
    """Whoever is told that their token was pushed learns where only if they may see that; the ledger names nothing."""
    ada, db_ = running.actor("ada"), running.hub.database
    leaked = running.person("bob")
    with db_.write() as db:
        repo = create(db, ada, "model", "secret-plan", visibility="private")
        commit(db, repo, ada, [Put("merger.txt", leaked.encode())], Message("oops"))
        said = list_notices(db, running.actors["bob"].account_id or "")[0].text
        noted = db.execute(select(event.c.data).where(event.c.tag == Tag.TOKEN_LEAKED)).scalar_one()
    assert "secret-plan" not in said
    assert "merger" not in said
    assert noted["repository"] == repo.id
    assert "merger" not in str(noted)


@given(st.binary(max_size=60) | st.from_regex(rb"(hm_[A-Za-z0-9_-]{38,42}[ x]){1,3}"))
def test_any_file_can_be_searched_for_tokens(data: bytes) -> None:
    """The search for tokens takes any bytes."""
    assert all(len(text) == 43 for text in find_tokens(data))


def test_first_administrator(running: RunningHub) -> None:
    """The link makes one administrator, once; a newer link ends an older one, and all end with time."""
    db_ = running.hub.database
    with db_.write() as db:
        old, new = make_setup(db), make_setup(db)
    for bad in (old, "", new + "x"):
        with pytest.raises(NotFound):
            set_up(db_, bad, Person("root", GOOD))
    with pytest.raises(InputError):
        set_up(db_, new, Person("root", "short"))
    made = set_up(db_, new, Person("root", GOOD))
    assert made.administrator
    with pytest.raises(NotFound):
        set_up(db_, new, Person("root2", GOOD))
    with db_.write() as db, pytest.raises(Conflict):
        make_setup(db)
    assert sign_in(db_, "root", GOOD)[0].id == made.id


def test_setup_link_ends_with_time(running: RunningHub) -> None:
    """A link that nobody used in a day works no more."""
    with running.hub.database.write() as db:
        text = make_setup(db)
        db.execute(update(ticket).values(expires=1))
    with pytest.raises(NotFound):
        set_up(running.hub.database, text, Person("root", GOOD))


def test_terms_come_first(running: RunningHub) -> None:
    """With terms in force nobody changes anything before a person accepted this very version."""
    db_, text = running.hub.database, running.person("ada")
    terms = Terms(version="2", text="Be kind.")
    with db_.write() as db:
        actor = actor_of_token(db, text, "2")
        assert actor is not None
        with pytest.raises(TermsNotAccepted):
            create(db, actor, "model", "m")
        with pytest.raises(NotSignedIn):
            accept_terms(db, actor, terms, "2")
        ada = in_person(running, "ada")
        with pytest.raises(InputError):
            accept_terms(db, ada, terms, "1")
        accept_terms(db, ada, terms, "2")
        accept_terms(db, ada, terms, "2")
        accepted = actor_of_token(db, text, "2")
        assert accepted is not None
        create(db, accepted, "model", "m")
        later = actor_of_token(db, text, "3")
        assert later is not None
        assert not later.agreed


def test_acts_reach_the_ledger(running: RunningHub) -> None:
    """What was done is an event, without anybody's name or address, and comes into the ledger."""
    ada, hub = in_person(running, "ada"), running.hub
    with hub.database.write() as db:
        issue_token(db, ada, Wanted("for my laptop"))
        rows = db.execute(select(event)).all()
    tags = {row.tag for row in rows}
    assert {"account:account:created", "token:token:created"} <= tags
    assert "ada" not in "".join(f"{row.subject} {row.data}" for row in rows)
    assert log_events(hub.database, hub.journal) == len(rows)
    assert hub.journal.find([subject_digest(f"account:{ada.account_id}")])
