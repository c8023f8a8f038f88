"""The audit trail: which acts there are, and how one is written down by whoever does it.

``hub.event`` keeps the events and brings them to the hub's ledger, where nobody can take them back. What is written
names people by their ids only, so that who they were can be erased.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection

from hallmarked.hub.access import Actor
from hallmarked.hub.event import note_event


class Tag(StrEnum):
    """What can happen: subject, part, action."""

    ACCOUNT_CREATED = "account:account:created"
    ACCOUNT_DISABLED = "account:account:disabled"
    ACCOUNT_ENABLED = "account:account:enabled"
    ACCOUNT_ERASED = "account:account:erased"
    ACCOUNT_PASSWORD_CHANGED = "account:password:changed"  # noqa: S105 - a tag
    ACCOUNT_ADMINISTRATOR_CHANGED = "account:administrator:changed"
    ACCOUNT_LOGIN_LINKED = "account:login:linked"
    ACCOUNT_TERMS_ACCEPTED = "account:terms:accepted"
    SESSION_ENDED = "session:session:ended"
    TOKEN_CREATED = "token:token:created"  # noqa: S105 - a tag
    TOKEN_REVOKED = "token:token:revoked"  # noqa: S105 - a tag
    TOKEN_LEAKED = "token:token:leaked"  # noqa: S105 - a tag
    ORGANISATION_CREATED = "organisation:organisation:created"
    ORGANISATION_CHANGED = "organisation:organisation:changed"
    MEMBER_INVITED = "organisation:member:invited"
    MEMBER_JOINED = "organisation:member:joined"
    MEMBER_ROLE_CHANGED = "organisation:role:changed"
    MEMBER_REMOVED = "organisation:member:removed"
    INVITATION_WITHDRAWN = "organisation:invitation:withdrawn"
    REPOSITORY_CREATED = "repository:repository:created"
    REPOSITORY_MOVED = "repository:name:changed"
    REPOSITORY_DELETED = "repository:repository:deleted"
    REPOSITORY_RESTORED = "repository:repository:restored"
    REPOSITORY_VISIBILITY_CHANGED = "repository:visibility:changed"
    REPOSITORY_GATE_CHANGED = "repository:gate:changed"
    REPOSITORY_CONTEXTS_CHANGED = "repository:contexts:changed"
    REPOSITORY_CHANGE_DECIDED = "repository:change:decided"
    REPOSITORY_DISABLED = "repository:repository:disabled"
    REPOSITORY_ENABLED = "repository:repository:enabled"
    REPOSITORY_SEARCH_CHANGED = "repository:search:changed"
    RECORD_FILED = "repository:record:filed"
    EVIDENCE_RECEIVED = "repository:evidence:received"
    AUDIT_ASKED = "revision:audit:asked"
    COLLABORATOR_CHANGED = "repository:collaborator:changed"
    BRANCH_CREATED = "repository:branch:created"
    BRANCH_DELETED = "repository:branch:deleted"
    TAG_CREATED = "repository:tag:created"
    TAG_DELETED = "repository:tag:deleted"
    HISTORY_SQUASHED = "repository:history:squashed"
    HISTORY_REWRITTEN = "repository:history:rewritten"
    PULL_REQUEST_MERGED = "repository:pull-request:merged"
    COMMENT_HIDDEN = "discussion:comment:hidden"
    WEBHOOK_CREATED = "webhook:webhook:created"
    WEBHOOK_CHANGED = "webhook:webhook:changed"
    WEBHOOK_DELETED = "webhook:webhook:deleted"
    WEBHOOK_TESTED = "webhook:test:sent"
    WEBHOOK_REPEATED = "webhook:message:repeated"
    ACCESS_ASKED = "access:request:made"
    ACCESS_ACCEPTED = "access:request:accepted"
    ACCESS_REJECTED = "access:request:rejected"
    ACCESS_CANCELLED = "access:request:cancelled"
    ACCESS_GRANTED = "access:grant:made"
    ACCESS_REVOKED = "access:grant:revoked"
    ACCESS_REPORT_EXPORTED = "access:report:exported"


def record(db: Connection, actor: Actor, tag: Tag | str, subject: str, data: Mapping[str, Any] | None = None) -> None:
    """Write down an act, in the transaction that does it.

    Args:
        db: The writing transaction of the act.
        actor: Who did it; nobody when the hub did so by itself.
        tag: What was done: one of :class:`Tag`, or another ``subject:part:action`` that its module documents.
        subject: To what: kind and id, ``repository:4f2a…``; ids do not change when names do.
        data: What else somebody who examines the act must know, as JSON, without personal data.
    """
    note_event(db, str(tag), subject, account_id=actor.account_id, data=data)
