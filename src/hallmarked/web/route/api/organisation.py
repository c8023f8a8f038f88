"""Our own API: organisations, their members, invitations; people of one repository; deleted ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import Field

from hallmarked.hub.access import Action, Role
from hallmarked.hub.account.account import find_account
from hallmarked.hub.account.organisation import (
    change_organisation,
    change_role,
    create_organisation,
    invite,
    join,
    list_invitations,
    list_members,
    remove_member,
    show_invitation,
    withdraw_invitation,
)
from hallmarked.hub.clock import to_text
from hallmarked.hub.repository.collaborator import list_collaborators, set_collaborator
from hallmarked.hub.repository.deletion import list_deleted, restore
from hallmarked.hub.repository.repository import open_repository
from hallmarked.web.address import kind_of
from hallmarked.web.request import actor_of, base_url, hub_of

router = APIRouter(prefix="/api/hallmarked", tags=["organisation"])
Short = Annotated[str, Field(max_length=300)]


@dataclass(frozen=True)
class NewOrganisation:
    """An organisation somebody makes."""

    name: Short
    full_name: Short = ""


@dataclass(frozen=True)
class OrganisationView:
    """An organisation."""

    name: str
    full_name: str


@dataclass(frozen=True)
class OrganisationChanges:
    """What is to be changed of an organisation; what is left out stays."""

    full_name: Short | None = None
    private: bool | None = None
    """Whether its new repositories are private unless somebody says otherwise."""


@dataclass(frozen=True)
class MemberView:
    """Somebody and their role."""

    name: str
    full_name: str
    role: Role
    since: str


@dataclass(frozen=True)
class NewRole:
    """A role."""

    role: Role


@dataclass(frozen=True)
class NewInvitation:
    """An invitation somebody makes."""

    role: Role
    email: Short = ""
    """Whom it is meant for, as a reminder; nothing is sent."""


@dataclass(frozen=True)
class InvitationLink:
    """Where an invitation is accepted, shown this once."""

    link: str


@dataclass(frozen=True)
class InvitationView:
    """What an invitation offers."""

    organisation: str
    role: Role
    expires: str


@dataclass(frozen=True)
class OpenInvitationView:
    """An invitation that nobody accepted yet; its link is not kept."""

    id: str
    role: Role
    email: str
    by: str
    created: str
    expires: str


@dataclass(frozen=True)
class DeletedView:
    """A deleted repository, and until when it can be restored."""

    id: str
    kind: str
    name: str
    deleted: str
    until: str


@dataclass(frozen=True)
class RestoredView:
    """A repository that is there again."""

    kind: str
    name: str


@router.post("/organisations", status_code=201)
def post_organisation(request: Request, body: NewOrganisation) -> OrganisationView:
    """Make an organisation."""
    with hub_of(request).database.write() as db:
        made = create_organisation(db, actor_of(request, db), body.name, body.full_name)
    return OrganisationView(made.name, made.full_name)


@router.get("/organisations/{organisation}")
def get_organisation(request: Request, organisation: str) -> OrganisationView:
    """Show an organisation."""
    with hub_of(request).database.read() as db:
        found = find_account(db, organisation, kind="organisation")
    return OrganisationView(found.name, found.full_name)


@router.patch("/organisations/{organisation}", status_code=204)
def patch_organisation(request: Request, organisation: str, body: OrganisationChanges) -> None:
    """Change an organisation."""
    with hub_of(request).database.write() as db:
        change_organisation(db, actor_of(request, db), organisation, full_name=body.full_name, private=body.private)


@router.get("/organisations/{organisation}/members")
def get_members(request: Request, organisation: str) -> list[MemberView]:
    """List the members of an organisation."""
    with hub_of(request).database.read() as db:
        found = list_members(db, actor_of(request, db), organisation)
    return [MemberView(item.name, item.full_name, item.role, to_text(item.since)) for item in found]


@router.put("/organisations/{organisation}/members/{member}", status_code=204)
def put_member(request: Request, organisation: str, member: str, body: NewRole) -> None:
    """Give a member another role."""
    with hub_of(request).database.write() as db:
        change_role(db, actor_of(request, db), organisation, member, body.role)


@router.delete("/organisations/{organisation}/members/{member}", status_code=204)
def delete_member(request: Request, organisation: str, member: str) -> None:
    """Take a member out, or leave."""
    with hub_of(request).database.write() as db:
        remove_member(db, actor_of(request, db), organisation, member)


@router.post("/organisations/{organisation}/invitations", status_code=201)
def post_invitation(request: Request, organisation: str, body: NewInvitation) -> InvitationLink:
    """Invite somebody, by a link that works once."""
    with hub_of(request).database.write() as db:
        text = invite(db, actor_of(request, db), organisation, body.role, body.email)
    return InvitationLink(f"{base_url(request)}/join?ticket={text}")


@router.get("/organisations/{organisation}/invitations")
def get_invitations(request: Request, organisation: str) -> list[OpenInvitationView]:
    """List the invitations that nobody accepted yet."""
    with hub_of(request).database.read() as db:
        found = list_invitations(db, actor_of(request, db), organisation)
    return [
        OpenInvitationView(item.id, Role(item.role), item.email, item.by, to_text(item.created), to_text(item.expires))
        for item in found
    ]


@router.delete("/organisations/{organisation}/invitations/{invitation}", status_code=204)
def delete_invitation(request: Request, organisation: str, invitation: str) -> None:
    """Withdraw an invitation."""
    with hub_of(request).database.write() as db:
        withdraw_invitation(db, actor_of(request, db), organisation, invitation)


@router.get("/deleted")
def get_deleted(request: Request) -> list[DeletedView]:
    """List deleted repositories that the caller can restore."""
    hub = hub_of(request)
    with hub.database.read() as db:
        found = list_deleted(db, actor_of(request, db), hub.settings.limit.restore_days)
    return [DeletedView(item.id, item.kind, item.name, to_text(item.deleted), to_text(item.until)) for item in found]


@router.post("/deleted/{repository_id}/restore")
def post_restore(request: Request, repository_id: str) -> RestoredView:
    """Restore a deleted repository."""
    hub = hub_of(request)
    with hub.database.write() as db:
        repo = restore(db, actor_of(request, db), repository_id, hub.settings.limit.restore_days)
    return RestoredView(repo.scope.kind, repo.name)


@router.get("/invitations/{ticket}")
def get_invitation(request: Request, ticket: str) -> InvitationView:
    """Show what an invitation offers."""
    with hub_of(request).database.read() as db:
        found = show_invitation(db, ticket)
    return InvitationView(found.organisation.name, found.role, to_text(found.expires))


@router.post("/invitations/{ticket}")
def post_join(request: Request, ticket: str) -> OrganisationView:
    """Accept an invitation."""
    with hub_of(request).database.write() as db:
        home = join(db, actor_of(request, db), ticket)
    return OrganisationView(home.name, home.full_name)


@router.get("/repositories/{kind}/{owner}/{name}/people")
def get_people(request: Request, kind: str, owner: str, name: str) -> list[MemberView]:
    """List who has a role in a repository itself."""
    with hub_of(request).database.read() as db:
        repo = open_repository(db, actor_of(request, db), kind_of(kind), f"{owner}/{name}", Action.MANAGE)
        found = list_collaborators(db, repo)
    return [MemberView(item.name, item.full_name, item.role, to_text(item.since)) for item in found]


@router.put("/repositories/{kind}/{owner}/{name}/people/{person}", status_code=204)
def put_person(request: Request, kind: str, owner: str, name: str, person: str, body: NewRole) -> None:
    """Give somebody a role in a repository."""
    _set_person(request, kind, f"{owner}/{name}", person, body.role)


@router.delete("/repositories/{kind}/{owner}/{name}/people/{person}", status_code=204)
def delete_person(request: Request, kind: str, owner: str, name: str, person: str) -> None:
    """Take somebody's role in a repository away."""
    _set_person(request, kind, f"{owner}/{name}", person, None)


def _set_person(request: Request, kind: str, repo_name: str, person: str, role: Role | None) -> None:
    with hub_of(request).database.write() as db:
        actor = actor_of(request, db)
        repo = open_repository(db, actor, kind_of(kind), repo_name, Action.MANAGE)
        set_collaborator(db, actor, repo, person, role)


ROUTES = router.routes
