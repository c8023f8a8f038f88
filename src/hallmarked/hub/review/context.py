"""In which contexts repositories of a hub are judged: by its operator's settings and by whose repository it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import Connection, select, update

from hallmarked.core.errors import InputError
from hallmarked.core.text import clean
from hallmarked.hub.access import Action, Actor, require
from hallmarked.hub.hub import Hub
from hallmarked.hub.repository.repository import Repository, repository_of
from hallmarked.hub.schema.evidence import evidence
from hallmarked.hub.schema.repository import repository
from hallmarked.hub.setting import Policy
from hallmarked.hub.trail import Tag, record
from hallmarked.ledger.strict import parse_json
from hallmarked.ledger.trust import Role
from hallmarked.policy.context import Context
from hallmarked.policy.file import contexts, read_policy
from hallmarked.records.decision import Decision

EVERYTHING = "all"
"""In ``policy.allow_unknown``: no check's answer ``unknown`` keeps a revision back."""
DEFAULT = "default"
MOST = 20
"""Contexts of one repository."""


@dataclass(frozen=True, slots=True)
class Asked:
    """In which contexts a repository is judged."""

    usual: str
    """The one that pushes are judged for."""
    required: tuple[str, ...]
    """Those of the whole hub in which everything has to pass before others get files."""
    chosen: tuple[str, ...]
    """Those its owner chose besides."""
    gates: tuple[str, ...]
    """Those in which it has to pass before others get files: required, or chosen for that."""

    @property
    def judged(self) -> tuple[str, ...]:
        """All but the usual one, which every audit decides in."""
        return tuple(name for name in dict.fromkeys((*self.required, *self.chosen)) if name != self.usual)


def known_contexts(hub: Hub) -> Mapping[str, Context]:
    """Return every context of a hub by name: those shipped, and those of its operator's own files.

    The files are read again when one was changed. The usual context is what the settings make of it.

    Raises:
        InputError: When a file does not hold contexts, or the settings name one that is not there.
        BackendError: When a file cannot be read.
    """
    policy = hub.settings.policy
    found: Mapping[str, Context] = hub.kept.recall(("contexts",), _version(policy.folder), lambda: (_read(policy), 1))
    return found


def usual_context(hub: Hub) -> Context:
    """Return what pushes are judged for.

    Raises:
        InputError: When the settings name no context there is.
        BackendError: When a policy file cannot be read.
    """
    return known_contexts(hub)[hub.settings.policy.context or DEFAULT]


def asked_of(hub: Hub, repo: Repository) -> Asked:
    """Return in which contexts a repository is judged."""
    policy = hub.settings.policy
    gates = tuple(dict.fromkeys((*policy.required, *repo.gates)))
    return Asked(policy.context or DEFAULT, policy.required, repo.contexts, gates)


def _read(policy: Policy) -> Mapping[str, Context]:
    found = dict(read_policy(Path(policy.folder)).contexts if policy.folder else contexts())
    usual = policy.context or DEFAULT
    for setting, names in (("policy.context", [usual]), ("policy.required", policy.required)):
        if missing := [name for name in names if name not in found]:
            raise InputError(f"{setting} names {missing[0]!r}; there are: {', '.join(found)}")
    found[usual] = _adjusted(found[usual], policy.allow_unknown)
    return found


def _adjusted(context: Context, allowed: Sequence[str]) -> Context:
    if EVERYTHING in allowed:
        return replace(context, may_be_unknown=None)
    if context.may_be_unknown is None:
        return context
    return replace(context, may_be_unknown=tuple(dict.fromkeys((*context.may_be_unknown, *allowed))))


def _version(folder: str) -> tuple[object, ...]:
    """Return what differs when a policy file was changed, added or removed."""
    if not folder:
        return ()
    try:
        stats = [(path.name, path.stat()) for path in sorted(Path(folder).glob("*.toml"))]
    except OSError as error:
        raise InputError(f"policy.folder {folder} cannot be read: {error.strerror}") from error
    return tuple((name, stat.st_mtime_ns, stat.st_size) for name, stat in stats)


def choose_contexts(
    hub: Hub, db: Connection, actor: Actor, repo: Repository, wanted: tuple[Sequence[str], Sequence[str]], decision: str
) -> Repository:
    """Choose in which contexts a repository is judged besides those of the whole hub, and which it has to pass in.

    Whoever asks less than before names a decision that was filed about it: why, and at what cost.

    Args:
        hub: The hub.
        db: A writing transaction.
        actor: Who chooses.
        repo: The repository.
        wanted: The contexts, and those of them in which it has to pass before others get its files.
        decision: The id of a decision record about this repository; may be empty where nothing is loosened.

    Returns:
        The repository as it is now. Whoever calls this decides again about its revisions.

    Raises:
        Forbidden: When the actor may not.
        InputError: When there is no such context, or a decision is needed and there is none of that id.
    """
    require(db, actor, Action.MANAGE, repo.scope)
    contexts_, gates = (tuple(dict.fromkeys(names)) for names in wanted)
    lost = list_lost(hub, repo, (contexts_, gates))
    if (lost or decision) and not _is_decided(db, repo, decision):
        raise InputError(
            f"there is no decision {clean(decision)[:100]} about {repo.name}" if decision else
            f"asking less of {repo.name} ({lost[0]}) needs the id of a decision that was filed about it: file one first"
        )  # fmt: skip
    values = {"contexts": list(contexts_), "gates": list(gates)}
    db.execute(update(repository).where(repository.c.id == repo.id).values(**values))
    before = {"contexts": list(repo.contexts), "gates": list(repo.gates)}
    data = {"from": before, "to": values, "decision": decision}
    record(db, actor, Tag.REPOSITORY_CONTEXTS_CHANGED, f"repository:{repo.id}", data)
    return repository_of(db, repo.id)


def list_lost(hub: Hub, repo: Repository, wanted: tuple[Sequence[str], Sequence[str]]) -> list[str]:
    """Say what would be asked of a repository no longer, if other contexts and gates were chosen.

    Args:
        hub: The hub.
        repo: The repository.
        wanted: The contexts, and those of them in which it has to pass before others get its files.

    Returns:
        The contexts, and ``the gate of …`` for each gate; empty when nothing is loosened.

    Raises:
        InputError: When that cannot be chosen.
    """
    contexts_, gates = wanted
    known = known_contexts(hub)
    for name in (*contexts_, *gates):
        if name not in known:
            raise InputError(f"there is no context {clean(name)[:64]}; there are: {', '.join(known)}")
    if len(contexts_) > MOST:
        raise InputError(f"a repository is judged in at most {MOST} contexts of its own")
    if extra := [name for name in gates if name not in contexts_]:
        raise InputError(f"{extra[0]} is a gate, and not among the contexts in which {repo.name} is judged")
    lost = [name for name in repo.contexts if name not in contexts_]
    return lost + [f"the gate of {name}" for name in repo.gates if name not in gates]


def note_decision(db: Connection, actor: Actor, repo: Repository, what: str, decision: str) -> None:
    """Write down by which decision a setting of a repository was changed, in the transaction that changes it.

    Raises:
        InputError: When no decision of that id was filed about it.
    """
    if not _is_decided(db, repo, decision):
        raise InputError(f"there is no decision {clean(decision)[:100]} about {repo.name}")
    subject = f"repository:{repo.id}"
    record(db, actor, Tag.REPOSITORY_CHANGE_DECIDED, subject, {"what": what, "decision": decision})


def _is_decided(db: Connection, repo: Repository, decision: str) -> bool:
    """Say whether a decision of that id was filed about a repository, by somebody who answers for it or the hub."""
    said = evidence.c
    mine = (said.repository_id == repo.id, said.predicate_type == Decision.predicate_type(), said.removed.is_(None))
    rows = db.execute(select(said.payload).where(*mine, said.role.in_((Role.MAKER.value, Role.HUB.value))))
    found = (parse_json(bytes(payload), "payload") for payload in rows.scalars())
    return any(one.get("predicate", {}).get("id") == decision for one in found)
