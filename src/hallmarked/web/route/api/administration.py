"""Our own API: what whoever manages the hub does with accounts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import Field

from hallmarked.hub.access import require_administrator
from hallmarked.hub.account.account import find_account, list_accounts
from hallmarked.hub.clock import to_text
from hallmarked.hub.upkeep.closure import disable_account, enable_account, erase_account, set_administrator
from hallmarked.web.request import actor_of, hub_of

router = APIRouter(prefix="/api/hallmarked/accounts", tags=["administration"])


@dataclass(frozen=True)
class AccountView:
    """An account."""

    name: str
    kind: str
    full_name: str
    email: str
    administrator: bool
    created: str
    disabled: bool


@dataclass(frozen=True)
class Switch:
    """Yes or no."""

    on: bool


@router.get("")
def get_accounts(
    request: Request,
    after: Annotated[str, Field(max_length=300)] = "",
    limit: Annotated[int, Field(ge=1, le=100)] = 100,
) -> list[AccountView]:
    """List accounts by name, those after a name."""
    with hub_of(request).database.read() as db:
        require_administrator(actor_of(request, db))
        found = list_accounts(db, after=after, limit=limit)
    return [
        AccountView(
            item.account.name, item.account.kind, item.account.full_name, item.account.email,
            item.account.administrator, to_text(item.created), item.disabled,
        )
        for item in found
    ]  # fmt: skip


@router.put("/{name}/disabled", status_code=204)
def put_disabled(request: Request, name: str, body: Switch) -> None:
    """Let an account do nothing any more, or again."""
    with hub_of(request).database.write() as db:
        actor = actor_of(request, db)
        require_administrator(actor)
        change = disable_account if body.on else enable_account
        change(db, find_account(db, name, disabled=True).id, by=actor)


@router.put("/{name}/administrator", status_code=204)
def put_administrator(request: Request, name: str, body: Switch) -> None:
    """Let somebody manage the whole hub, or no longer."""
    with hub_of(request).database.write() as db:
        actor = actor_of(request, db)
        require_administrator(actor)
        set_administrator(db, find_account(db, name, kind="user").id, body.on, by=actor)


@router.delete("/{name}", status_code=204)
def delete_account(request: Request, name: str) -> None:
    """Erase what is known of a person."""
    with hub_of(request).database.write() as db:
        actor = actor_of(request, db)
        require_administrator(actor)
        erase_account(db, actor, find_account(db, name, disabled=True).id)


ROUTES = router.routes
