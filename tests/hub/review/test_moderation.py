"""Holding back and releasing: who may, what stands, what everybody can read about it."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import insert, select, update

from hallmarked.core.errors import Error, Forbidden, InputError
from hallmarked.core.evidence import Statement, Subject
from hallmarked.hub.access import Actor, Role
from hallmarked.hub.account.notice import list_notices
from hallmarked.hub.blob.possession import add_blob
from hallmarked.hub.change.commit import Delete, Message, Put, PutLarge, commit
from hallmarked.hub.change.creation import create
from hallmarked.hub.change.duplicate import Copy, duplicate
from hallmarked.hub.change.history import squash
from hallmarked.hub.change.rewrite import forget_large
from hallmarked.hub.clock import now
from hallmarked.hub.community.pull import commit_to, merge_pull, open_pull
from hallmarked.hub.error import Conflict, HeldBack
from hallmarked.hub.repository.repository import MAIN, Repository, change_settings, find_repository
from hallmarked.hub.repository.revision import find_revision
from hallmarked.hub.review import moderation
from hallmarked.hub.review.decision import Act, list_decisions
from hallmarked.hub.review.finding import sort_findings
from hallmarked.hub.review.moderation import Case, apply_audit
from hallmarked.hub.review.reason import count, list_between, list_log, log_decisions, reasons
from hallmarked.hub.review.status import file_status, repo_status, set_state, summarise
from hallmarked.hub.schema.repository import collaborator
from hallmarked.hub.schema.review import audit, decision
from hallmarked.hub.setting import Policy
from tests.hubs import RunningHub, open_test_hub


def said(check: str, *findings: tuple[str, str, str], gaps: tuple[str, ...] = (), reason: str = "") -> Statement:
    """Write what a check would state: rule, level and path of each finding; paths (or nothing) of gaps."""
    predicate = {
        "configuration": [{"name": f"hallmarked/checks/{check}"}],
        "reason": reason,
        "findings": [
            {"rule": rule, "level": level, "message": "said", **({"location": {"path": path}} if path else {})}
            for rule, level, path in findings
        ],
        "gaps": [{"reason": "why", **({"location": {"path": path}} if path else {})} for path in gaps],
        **({"files": dict.fromkeys(FILES, "0" * 64)} if check == "inventory" else {}),
    }
    return Statement(
        (Subject("m", {"sha256": "0" * 64}),), "https://in-toto.io/attestation/test-result/v0.1", predicate
    )


FILES = ("a.pkl", "b.txt", "a.zip", "a.zip!b")
BAD = [said("inventory"), said("malware"), said("serialization", ("PKL001", "error", "a.pkl"))]


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[RunningHub]:
    with open_test_hub(tmp_path) as running:
        yield running


class World:
    """A model of ada's with one revision, a reviewer, and administrators."""

    def __init__(self, hub: RunningHub) -> None:
        self.hub = hub
        self.ada, self.rita, self.ron, self.eve = map(hub.actor, ("ada", "rita", "ron", "eve"))
        hub.person("root", administrator=True)
        self.root = hub.actor("root")
        with hub.hub.database.write() as db:
            repo = create(db, self.ada, "model", "m")
            self.oid = commit(db, repo, self.ada, [Put("a.pkl", b"x")], Message("push")).oid
            for person in (self.rita, self.ron):
                row = {"repository_id": repo.id, "account_id": person.account_id, "role": Role.REVIEWER}
                db.execute(insert(collaborator).values(**row, created=now()))
        self.audit("held", "a.pkl is bad", BAD)

    def case(self, db, release: str = "administrators") -> Case:
        repo: Repository = find_repository(db, "model", "ada/m")
        return Case(repo, find_revision(db, repo, self.oid), Policy(release=release))

    def audit(self, state: str, reason: str, statements: list[Statement]) -> None:
        with self.hub.hub.database.write() as db:
            case = self.case(db)
            row = {"repository_id": case.repo.id, "revision": self.oid, "rule_set": "", "outcome": "", "entries": []}
            bodies = [statement.to_dict() for statement in statements]
            db.execute(insert(audit).values(**row, statements=bodies, created=now()))
            apply_audit(db, case, "audit", state, reason, statements)

    def act(self, act, actor: Actor, reason: str = "because", release: str = "administrators") -> str:
        with self.hub.hub.database.write() as db:
            act(db, actor, self.case(db, release), reason)
        return self.state

    @property
    def state(self) -> str:
        with self.hub.hub.database.read() as db:
            return self.case(db).at.state

    @property
    def acts(self) -> list[Act]:
        with self.hub.hub.database.read() as db:
            case = self.case(db)
            return [one.act for one in list_decisions(db, case.repo.id, case.at.oid)]


@pytest.fixture
def world(hub: RunningHub) -> World:
    return World(hub)


def test_two_people_release_and_one_is_an_administrator(world: World) -> None:
    """A revision that an audit held back becomes available when two who have no stake in it agree."""
    assert world.state == "held"
    assert world.act(moderation.propose_release, world.rita) == "held"
    assert world.act(moderation.release, world.root) == "available"
    assert world.acts == [Act.HOLD, Act.PROPOSE, Act.RELEASE]


@pytest.mark.parametrize(
    ("proposer", "second", "why"),
    [
        ("rita", "rita", "you proposed it yourself"),
        ("rita", "ada", "this is your own"),
        ("root", "ada", "this is your own"),
        ("rita", "ron", "an administrator"),
        ("rita", "eve", "may not review"),
    ],
)
def test_who_cannot_be_the_second(world: World, proposer: str, second: str, why: str) -> None:
    """Neither who proposed, nor whose it is, nor two people that the owner chose."""
    world.act(moderation.propose_release, getattr(world, proposer))
    with pytest.raises(Forbidden, match=why):
        world.act(moderation.release, getattr(world, second))
    assert world.state == "held"


def test_a_hub_may_leave_release_to_reviewers(world: World) -> None:
    """With that setting two reviewers are enough."""
    world.act(moderation.propose_release, world.rita)
    assert world.act(moderation.release, world.ron, release="reviewers") == "available"


def test_nothing_happens_without_a_proposal_or_a_reason(world: World) -> None:
    """A release needs a proposal, and every decision a reason."""
    with pytest.raises(Conflict, match="nobody has proposed"):
        world.act(moderation.release, world.root)
    with pytest.raises(InputError, match="a reason is needed"):
        world.act(moderation.propose_release, world.rita, "  ")
    world.act(moderation.propose_release, world.rita)
    with pytest.raises(Conflict, match="proposed this already"):
        world.act(moderation.propose_release, world.ron)


def test_a_release_stands_until_something_new_is_found(world: World) -> None:
    """The same findings, or fewer, do not hold it back again; another one does, and then it takes two people again."""
    world.act(moderation.propose_release, world.rita)
    world.act(moderation.release, world.root)
    for same in (BAD, BAD[:1]):
        world.audit("held", "a.pkl is bad", same)
        assert world.state == "available"
    world.audit("held", "b.txt is bad", [*BAD, said("code", ("COD001", "error", "b.txt"))])
    assert world.state == "held"
    with pytest.raises(Conflict):
        world.act(moderation.release, world.root)


def test_only_people_let_go_of_what_people_hold(world: World) -> None:
    """An audit without findings changes nothing about a revision that somebody holds back by hand."""
    world.audit("available", "", [])
    assert world.state == "available"
    assert world.act(moderation.hold, world.root, "personal data of a child") == "held"
    world.audit("available", "", [])
    assert world.state == "held"
    with pytest.raises(Conflict):
        world.act(moderation.hold, world.root)
    assert world.acts == [Act.HOLD, Act.CLEAR, Act.HOLD]


def held_by_rita(world: World) -> Repository:
    """Add a text to ada's model that a reviewer then holds back; what was there before others can have."""
    with world.hub.hub.database.write() as db:
        repo = find_repository(db, "model", "ada/m")
        set_state(db, repo.id, world.oid, "available", "")
        world.oid = commit(db, repo, world.ada, [Put("names.txt", b"of patients"), Put("b", b"b")], Message("add")).oid
        moderation.hold(db, world.rita, world.case(db), "names of patients", "personal-data")
        return repo


@pytest.mark.parametrize("way", ["squash", "commit", "pull-request", "rewrite", "merge"])
def test_what_people_hold_stays_held_in_new_revisions(world: World, way: str) -> None:
    """No new commit with the same file lets others have it, whoever makes it, before or after it is audited."""
    repo = held_by_rita(world)
    with world.hub.hub.database.write() as db:
        if way == "squash":
            made = squash(db, repo, world.ada, MAIN, Message("all"))
        elif way == "commit":
            made = commit(db, repo, world.ada, [Put("README.md", b"x")], Message("change"))
        elif way == "rewrite":
            digest = hashlib.sha256(b"large").hexdigest()
            add_blob(db, digest, 5, passive=True, account_id=world.ada.account_id)
            commit(db, repo, world.ada, [PutLarge("large", digest)], Message("add"))
            forget_large(db, repo, world.ada, {digest})
            made = find_revision(db, repo, MAIN)
        else:
            pull = open_pull(db, repo, world.eve, Message("offer"), MAIN)
            made = commit_to(db, repo, world.eve, [Put("README.md", b"x")], Message("change"), branch=pull.branch)
            made = merge_pull(db, repo, pull.number, world.ada) if way == "merge" else made
        world.oid = made.oid
        assert world.case(db).at.state == "held"
        apply_audit(db, world.case(db), "audit", "available", "", [])
        case = world.case(db)
        assert (case.at.state, case.at.reason) == ("held", "names of patients")
        [carried] = list_decisions(db, repo.id, made.oid)
        assert (carried.act, carried.data["category"]) == (Act.HOLD, "personal-data")
        moderation.propose_release(db, world.rita, case, "fine")
        moderation.release(db, world.root, world.case(db), "fine")
        assert world.case(db).at.state == "available"


def test_without_the_file_a_new_revision_is_free(world: World) -> None:
    """Whoever takes out what is held back, or gets it released, goes on as before; earlier files do not count."""
    repo = held_by_rita(world)
    with world.hub.hub.database.write() as db:
        gone = commit(db, repo, world.ada, [Delete("names.txt"), Delete("b")], Message("remove"))
        assert gone.state == "checking"
        moderation.propose_release(db, world.rita, world.case(db), "fine")
        moderation.release(db, world.root, world.case(db), "fine")
        back = commit(db, repo, world.ada, [Put("names.txt", b"of patients")], Message("again"))
        assert find_revision(db, repo, back.oid).state == "checking"


def test_what_people_hold_is_not_copied(world: World) -> None:
    """A repository with a revision that people hold back is not copied as a whole, not by its owner either."""
    repo = held_by_rita(world)
    with world.hub.hub.database.write() as db:
        for policy in (Policy(), Policy(while_checked="all")):
            with pytest.raises(HeldBack):
                duplicate(db, world.ada, repo, Copy("copy"), policy)


def test_appeals(world: World) -> None:
    """Whose it is may appeal, once at a time; somebody without a stake answers."""
    world.act(moderation.appeal, world.ada, "it is a test file")
    with pytest.raises(Conflict):
        world.act(moderation.appeal, world.ada)
    with pytest.raises(Forbidden):
        world.act(moderation.uphold, world.ada)
    with pytest.raises(Forbidden):
        world.act(moderation.appeal, world.eve)
    assert world.act(moderation.uphold, world.rita, "it still runs code") == "held"
    with pytest.raises(Conflict, match="no appeal"):
        world.act(moderation.uphold, world.rita)
    with world.hub.hub.database.read() as db:
        told = [notice.text for notice in list_notices(db, world.ada.account_id or "")]
        asked = [notice.text for notice in list_notices(db, world.root.account_id or "")]
    assert any("it still runs code" in text for text in told)
    assert any("it is a test file" in text for text in asked)


def test_statements_of_reasons_name_nobody_and_add_up(world: World) -> None:
    """Everybody reads what was decided and why, nobody reads by whom; totals follow from what everybody reads."""
    world.act(moderation.propose_release, world.rita, "a fixture of a library")
    world.act(moderation.release, world.root, "agreed")
    with world.hub.hub.database.read() as db:
        log = [one.to_dict() for one in list_log(db)]
        again = [reasons(one) for one in list_between(db, 0, now() + 1)]
    assert [one["measure"] for one in log] == ["restored", "release-proposed", "held-back"]
    assert log[-1]["facts"] == "a.pkl is bad"
    assert log[-1]["automatedDecision"] == "fully"
    assert log[-1]["rules"] == ["PKL001"]
    assert not any(person.account_id in str(log) for person in (world.rita, world.root, world.ada))
    assert count(log) == count(again)
    assert count(log)["decisions"] == {"held-back": 1, "release-proposed": 1, "restored": 1}
    assert count(log)["heldBackByRule"] == {"PKL001": 1}


def test_decisions_are_in_the_ledger_once(world: World) -> None:
    """Each statement of reasons is logged, and logging again after a crash adds nothing."""
    assert log_decisions(world.hub.hub.database, world.hub.hub.journal) == 1
    size = world.hub.hub.journal.size
    with world.hub.hub.database.write() as db:
        entry = db.execute(select(decision.c.entry)).scalar_one()
        db.execute(update(decision).values(entry=None))
    assert log_decisions(world.hub.hub.database, world.hub.hub.journal) == 1
    assert world.hub.hub.journal.size == size
    assert entry in world.hub.hub.journal.find([f"gitCommit:{world.oid}"])
    assert b"held-back" in payload(world.hub.hub.journal.envelope(entry))


def payload(envelope: bytes) -> bytes:
    return base64.b64decode(json.loads(envelope)["payload"])


def test_private_repositories_are_counted_without_a_name(world: World) -> None:
    """The log says that something was decided, not about what."""
    with world.hub.hub.database.write() as db:
        change_settings(db, world.case(db).repo.id, visibility="private")
        entry = list_log(db)[0].to_dict()
    assert entry["content"] == {}
    assert entry["facts"] == ""
    log_decisions(world.hub.hub.database, world.hub.hub.journal)
    with pytest.raises(Error):
        world.hub.hub.journal.envelope(world.hub.hub.journal.size - 1)


@pytest.mark.parametrize(
    ("statements", "path", "words"),
    [
        ([], "a.pkl", ("unknown", "unknown", "unknown")),
        ([said("inventory"), said("malware"), said("serialization")], "a.pkl", ("safe", "safe", "safe")),
        ([said("inventory"), said("serialization")], "a.pkl", ("safe", "unknown", "safe")),
        (BAD, "a.pkl", ("unsafe", "safe", "unsafe")),
        (BAD, "b.txt", ("safe", "safe", "safe")),
        ([*BAD[:2], said("serialization", gaps=("a.pkl",))], "a.pkl", ("unknown", "safe", "unknown")),
        ([*BAD[:2], said("serialization", gaps=("a.pkl",))], "b.txt", ("safe", "safe", "safe")),
        ([*BAD[:2], said("serialization", gaps=("",))], "b.txt", ("unknown", "safe", "unknown")),
        ([*BAD[:2], said("serialization", reason="the check broke")], "b.txt", ("unknown", "safe", "unknown")),
        (
            [*BAD[:2], said("serialization"), said("code", ("COD001", "note", "b.txt"))],
            "b.txt",
            ("caution", "safe", "safe"),
        ),
        (
            [*BAD[:2], said("serialization", ("X", "warning", "a.zip!b!c"))],
            "a.zip",
            ("suspicious", "safe", "suspicious"),
        ),
        ([*BAD[:2], said("serialization", ("X", "error", "a.zip!b"))], "a.zip!b", ("unsafe", "safe", "unsafe")),
    ],
)
def test_what_clients_are_told_of_a_file(statements: list[Statement], path: str, words: tuple[str, str, str]) -> None:
    """``safe`` only where every check came to its end without a finding, for the file and what is inside of it."""
    told = summarise(statements)
    assert tuple(told["files"].get(path, told["rest"])) == words


def test_what_is_about_no_file_is_kept(world: World) -> None:
    """A finding at a path that no file has is not lost."""
    files = sort_findings([said("inventory"), said("code", ("COD001", "note", "elsewhere"), ("COD002", "note", ""))])
    assert len(files.overall) == 2


def test_status_before_the_audit_is_queued(world: World) -> None:
    """Until the audit is in, clients are told so, with all keys they expect."""
    with world.hub.hub.database.read() as db:
        case = world.case(db)
        status = file_status(db, case.repo.id, case.at, ["a.pkl"])["a.pkl"]
        assert repo_status(db, case.repo.id, case.at)["scansDone"] is False
    assert status == {
        "status": "queued",
        "avScan": {"status": "queued"},
        "pickleImportScan": {"status": "queued"},
    }
