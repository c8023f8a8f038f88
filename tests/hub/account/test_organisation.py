"""Organisations, collaborators, and accounts that end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from hallmarked.core.errors import Forbidden, InputError, NotFound
from hallmarked.hub.access import Action, Actor, Role, decide, load_standing
from hallmarked.hub.account.account import find_account, organisations
from hallmarked.hub.account.organisation import (
    change_organisation,
    change_role,
    create_organisation,
    invite,
    join,
    list_members,
    remove_member,
    show_invitation,
)
from hallmarked.hub.account.token import actor_of_token
from hallmarked.hub.change.creation import create
from hallmarked.hub.error import Conflict, NotSignedIn, RepositoryNotFound
from hallmarked.hub.repository.collaborator import list_collaborators, set_collaborator
from hallmarked.hub.repository.repository import find_repository, open_repository
from hallmarked.hub.schema.account import account
from hallmarked.hub.upkeep.closure import disable_account, enable_account, erase_account, set_administrator
from tests.hubs import RunningHub, open_test_hub


@pytest.fixture
def running(tmp_path: Path) -> Iterator[RunningHub]:
    with open_test_hub(tmp_path) as made:
        for name in ("ada", "bob", "eve"):
            made.person(name)
        made.person("root", administrator=True)
        yield made


def in_person(running: RunningHub, name: str) -> Actor:
    who = running.actor(name)
    return Actor(who.account_id, who.name, who.administrator, in_person=True)


def test_invitation_works_once(running: RunningHub) -> None:
    """Whoever has the link joins in the role it offers; the next one who tries does not."""
    ada, bob, eve = (running.actor(name) for name in ("ada", "bob", "eve"))
    with running.hub.database.write() as db:
        create_organisation(db, ada, "acme", "Acme Labs")
        with pytest.raises(Forbidden):
            invite(db, bob, "acme", Role.OWNER)
        text = invite(db, ada, "acme", Role.WRITER, "bob@example.org")
        assert show_invitation(db, text).role is Role.WRITER
        with pytest.raises(Conflict):
            join(db, ada, text)  # belongs already, and does not use the link up
        join(db, bob, text)
        with pytest.raises(NotFound):
            join(db, eve, text)
        assert {(item.name, item.role) for item in list_members(db, bob, "acme")} == {
            ("ada", "owner"),
            ("bob", "writer"),
        }
        with pytest.raises(Forbidden):
            list_members(db, eve, "acme")
        with pytest.raises(NotSignedIn):
            list_members(db, Actor(), "acme")
        assert create(db, bob, "model", "m", owner="acme").name == "acme/m"


@pytest.mark.parametrize("ends", ["removed", "demoted", "disabled"])
def test_an_invitation_ends_with_the_right_to_invite(running: RunningHub, ends: str) -> None:
    """Who is no owner any more comes back by no link they made before, and nobody else by it either."""
    ada, bob, eve, root = (running.actor(name) for name in ("ada", "bob", "eve", "root"))
    with running.hub.database.write() as db:
        create_organisation(db, ada, "acme")
        join(db, bob, invite(db, ada, "acme", Role.OWNER))
        text, by_root = invite(db, bob, "acme", Role.OWNER), invite(db, root, "acme", Role.READER)
        if ends == "removed":
            remove_member(db, ada, "acme", "bob")
        elif ends == "demoted":
            change_role(db, ada, "acme", "bob", Role.WRITER)
        else:
            disable_account(db, bob.account_id or "")
        for act in (show_invitation, lambda db, text: join(db, eve, text)):
            with pytest.raises(NotFound):
                act(db, text)
        assert join(db, eve, by_root).name == "acme"


def test_last_owner_stays(running: RunningHub) -> None:
    """No way leads to an organisation without an owner: leaving, another role, being removed, erasing."""
    ada, bob, root = (in_person(running, name) for name in ("ada", "bob", "root"))
    with running.hub.database.write() as db:
        create_organisation(db, ada, "acme")
        join(db, bob, invite(db, ada, "acme", Role.WRITER))
        for act in (
            lambda: remove_member(db, ada, "acme", "ada"),
            lambda: remove_member(db, root, "acme", "ada"),
            lambda: change_role(db, ada, "acme", "ada", Role.READER),
            lambda: erase_account(db, ada, ada.account_id or ""),
        ):
            with pytest.raises(Conflict):
                act()
        with pytest.raises(Forbidden):
            change_role(db, bob, "acme", "bob", Role.OWNER)
        change_role(db, ada, "acme", "bob", Role.OWNER)
        remove_member(db, ada, "acme", "ada")
        assert not organisations(db, ada.account_id or "")
        with pytest.raises(Forbidden):
            change_organisation(db, ada, "acme", private=True)
        change_organisation(db, bob, "acme", private=True, full_name="Acme")
        assert create(db, bob, "model", "m", owner="acme").scope.private


def test_collaborators(running: RunningHub) -> None:
    """A role in one repository lets somebody do what it says there, until it is taken away."""
    ada, bob = running.actor("ada"), running.actor("bob")
    with running.hub.database.write() as db:
        repo = create(db, ada, "model", "m", visibility="private")
        with pytest.raises(RepositoryNotFound):
            open_repository(db, bob, "model", "ada/m")
        set_collaborator(db, ada, repo, "bob", Role.READER)
        set_collaborator(db, ada, repo, "bob", Role.WRITER)
        assert [item.role for item in list_collaborators(db, repo)] == ["writer"]
        open_repository(db, bob, "model", "ada/m", Action.WRITE)
        with pytest.raises(Forbidden):
            set_collaborator(db, bob, repo, "bob", Role.OWNER)
        set_collaborator(db, ada, repo, "bob", None)
        with pytest.raises(NotFound):
            set_collaborator(db, ada, repo, "bob", None)
        with pytest.raises(RepositoryNotFound):
            open_repository(db, bob, "model", "ada/m")


def test_disabled_account(running: RunningHub) -> None:
    """A disabled account speaks for nobody, and what it owns is seen by administrators only, until it is enabled."""
    ada, root = running.actor("ada"), running.actor("root")
    with running.hub.database.write() as db:
        create(db, ada, "model", "m")
        disable_account(db, ada.account_id or "", by=root)
        assert actor_of_token(db, running.person("ada")) is None
        scope = find_repository(db, "model", "ada/m").scope
        for who, seen in ((running.actors["bob"], False), (Actor(), False), (root, True)):
            assert (decide(who, Action.SEE, scope, load_standing(db, who, scope)) is None) == seen
        with pytest.raises(NotFound):
            find_account(db, "ada")
        enable_account(db, ada.account_id or "", by=root)
        assert actor_of_token(db, running.person("ada")) is not None


def test_last_administrator_stays(running: RunningHub) -> None:
    """A hub always has somebody who manages it, and that is a person."""
    root, ada = running.actor("root"), running.actor("ada")
    with running.hub.database.write() as db:
        create_organisation(db, ada, "acme")
        for act in (
            lambda: disable_account(db, root.account_id or ""),
            lambda: set_administrator(db, root.account_id or "", False),
        ):
            with pytest.raises(Conflict):
                act()
        with pytest.raises(InputError):
            set_administrator(db, find_account(db, "acme").id, True)
        set_administrator(db, ada.account_id or "", True)
        set_administrator(db, root.account_id or "", False)


def test_erased_account_leaves_nothing_personal(running: RunningHub) -> None:
    """Name, address and password are gone, and what was only theirs; only they or an administrator can do that."""
    ada, bob = in_person(running, "ada"), running.actor("bob")
    with running.hub.database.write() as db:
        create(db, ada, "model", "m")
        for who in (bob, running.actor("ada")):
            with pytest.raises(Forbidden):
                erase_account(db, who, ada.account_id or "")
        erase_account(db, ada, ada.account_id or "")
        row = db.execute(select(account).where(account.c.id == ada.account_id)).one()
        assert "ada" not in "".join(str(value) for value in row if value != row.id)
        assert (row.email, row.password) == ("", "")
        with pytest.raises(RepositoryNotFound):
            find_repository(db, "model", "ada/m")
        assert actor_of_token(db, running.person("ada")) is None
        with pytest.raises(InputError):
            enable_account(db, ada.account_id or "")
