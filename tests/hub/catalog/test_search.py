"""Finding repositories: what fits, in order, page by page, and only what the actor may see."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, event, insert, text

from hallmarked.core.errors import InputError
from hallmarked.hub.access import ANYBODY, Actor, Role
from hallmarked.hub.account.account import create_account, set_role
from hallmarked.hub.catalog import search as module
from hallmarked.hub.catalog.listing import set_labels
from hallmarked.hub.catalog.search import Query, list_labels, list_values, search, split_words
from hallmarked.hub.change.commit import Message, Put, commit
from hallmarked.hub.change.creation import create
from hallmarked.hub.community.popularity import Downloads, set_like
from hallmarked.hub.repository.repository import (
    Repository,
    change_settings,
    delete_repository,
    load_repositories,
    move_repository,
    restore_repository,
)
from hallmarked.hub.schema.repository import collaborator
from hallmarked.hub.setting import Settings, Storage
from hallmarked.hub.upkeep.closure import disable_account, enable_account
from tests.hubs import RunningHub, open_test_hub


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def hub(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[RunningHub]:
    url = request.getfixturevalue("postgres_url") if request.param == "postgresql" else ""
    with open_test_hub(tmp_path, Settings(storage=Storage(data=str(tmp_path / "data"), database=url))) as running:
        yield running


def make(db: Connection, actor: Actor, name: str, card: str = "", **options: str) -> Repository:
    repo = create(db, actor, "model", name, **options)
    if card:
        commit(db, repo, actor, [Put("README.md", f"---\n{card}\n---\n".encode())], Message("card"))
    return repo


def names(db: Connection, actor: Actor, **query: object) -> list[str]:
    """Return the names of everything that is found, page by page."""
    found: list[str] = []
    after = ""
    while True:
        page = search(db, actor, Query("model", after=after, **query))  # type: ignore[arg-type]
        found += [repo.name.partition("/")[2] for repo in load_repositories(db, page.ids)]
        after = page.following
        if not after:
            return found


def test_finds_by_words_and_labels(hub: RunningHub) -> None:
    """Words are found by how they begin; labels by what the card says; several have to fit together."""
    ada = hub.actor("ada")
    with hub.hub.database.write() as db:
        make(db, ada, "DistilBert-base-v2", "license: mit\npipeline_tag: fill-mask\nlanguage: [en, es]\ntags: [tiny]")
        make(db, ada, "gpt2-large", "license: mit\nlibrary_name: transformers\nbase_model: ada/other")
        make(db, ada, "plain")
        assert names(db, ANYBODY, text="distil") == ["DistilBert-base-v2"]
        assert names(db, ANYBODY, text="base bert") == []
        assert names(db, ANYBODY, text="ADA gpt") == ["gpt2-large"]
        assert names(db, ANYBODY, labels=(("licence", "MIT"),)) == ["gpt2-large", "DistilBert-base-v2"]
        assert names(db, ANYBODY, labels=(("licence", "mit"), ("language", "es"))) == ["DistilBert-base-v2"]
        assert names(db, ANYBODY, labels=(("tag", "license:mit"), ("tag", "tiny"))) == ["DistilBert-base-v2"]
        assert names(db, ANYBODY, labels=(("author", "bob"),)) == []
        assert dict(list_values(db, "model", "language")) == {"en": 1, "es": 1}


def test_labels_of_those_on_a_page(hub: RunningHub) -> None:
    """Of some labels, those that each repository has are told in one query; of others nothing is."""
    ada = hub.actor("ada")
    with hub.hub.database.write() as db:
        first, second, third = (make(db, ada, name).id for name in ("a", "b", "c"))
        set_labels(db, first, "finding", ["error", "warning"])
        set_labels(db, second, "claim", ["contradicted", "supported"])
        set_labels(db, third, "finding", ["error"])
        wanted = {"finding": ("error", "note"), "claim": ("contradicted",)}
        found = list_labels(db, "model", wanted, [first, second])
    assert found == {first: {("finding", "error")}, second: {("claim", "contradicted")}}


def test_index_follows_every_change(hub: RunningHub) -> None:
    """New cards, names, gates, deletions and labels of audits are found at once, and what was is not any more."""
    ada = hub.actor("ada")
    with hub.hub.database.write() as db:
        repo = make(db, ada, "one", "license: mit")
        set_labels(db, repo.id, "finding", ["error"])
        commit(db, repo, ada, [Put("README.md", b"---\nlicense: apache-2.0\n---\n")], Message("other"))
        assert names(db, ANYBODY, labels=(("licence", "mit"),)) == []
        assert names(db, ANYBODY, labels=(("licence", "apache-2.0"), ("finding", "error"))) == ["one"]
        set_labels(db, repo.id, "finding", ["warning", "note"])
        assert names(db, ANYBODY, labels=(("finding", "error"),)) == []
        assert names(db, ANYBODY, labels=(("finding", "note"),)) == ["one"]
        repo = move_repository(db, ada, repo, "ada/two")
        assert (names(db, ANYBODY, text="one"), names(db, ANYBODY, text="two")) == ([], ["two"])
        change_settings(db, repo.id, gate="auto")
        assert names(db, ANYBODY, labels=(("gate", "yes"),)) == ["two"]
        assert names(db, ANYBODY, labels=(("gate", "no"),)) == []
        delete_repository(db, repo.id)
        assert names(db, ada) == []
        restore_repository(db, repo.id)
        assert names(db, ANYBODY) == ["two"]


def test_private_ones_are_found_by_those_inside(hub: RunningHub) -> None:
    """Owners, members and those a repository was shared with find it, others do not, whatever they ask for."""
    ada, bob, eve = hub.actor("ada"), hub.actor("bob"), hub.actor("eve")
    with hub.hub.database.write() as db:
        lab = create_account(db, "lab", kind="organisation")
        set_role(db, lab.id, ada.account_id or "", Role.OWNER)
        mine = make(db, ada, "mine", "license: mit", visibility="private")
        make(db, ada, "ours", "license: mit", visibility="private", owner="lab")
        make(db, ada, "open", "license: mit")
        db.execute(
            insert(collaborator).values(repository_id=mine.id, account_id=bob.account_id, role=Role.READER, created=1)
        )
        for query in ({}, {"labels": (("licence", "mit"),)}, {"labels": (("licence", "mit"), ("author", "ada"))}):
            ours = [] if len(query.get("labels", ())) == 2 else ["ours"]
            assert sorted(names(db, ada, **query)) == sorted(["mine", "open", *ours])
            assert sorted(names(db, bob, **query)) == ["mine", "open"]
            assert names(db, eve, **query) == names(db, ANYBODY, **query) == ["open"]
        change_settings(db, mine.id, visibility="public")
        assert "mine" in names(db, ANYBODY)


def test_sorts(hub: RunningHub) -> None:
    """Likes, downloads and recent interest decide the order when asked for; ten downloads weigh as much as a like."""
    ada = hub.actor("ada")
    with hub.hub.database.write() as db:
        repos = [make(db, ada, name) for name in ("a", "b", "c")]
        set_like(db, repos[0], ada.account_id or "", likes=True)
        set_like(db, repos[0], ada.account_id or "", likes=True)
    counter = Downloads(hub.hub.database)
    for who in range(30):
        counter.note("model", "ada/b", "0" * 40, f"caller {who}")
    for _ in range(5):
        counter.note("model", "Ada/C", "0" * 40, "one caller")
    counter.note("model", "ada/gone", "0" * 40, "one caller")
    counter.flush()
    with hub.hub.database.read() as db:
        assert names(db, ANYBODY, sort="likes")[0] == "a"
        assert names(db, ANYBODY, sort="downloads") == ["b", "c", "a"]
        assert names(db, ANYBODY, sort="trending") == ["b", "a", "c"]
        assert names(db, ANYBODY, sort="created") == ["c", "b", "a"]
        known = {repo.name: repo for repo in load_repositories(db, [repo.id for repo in repos])}
        assert (known["ada/a"].likes, known["ada/b"].downloads, known["ada/c"].downloads) == (1, 30, 1)
        with pytest.raises(InputError):
            search(db, ANYBODY, Query("model", sort="name"))
        with pytest.raises(InputError):
            search(db, ANYBODY, Query("model", after="' OR 1=1"))


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    with open_test_hub(tmp_path_factory.mktemp("many")) as running:
        people = [running.actor("ada"), running.actor("bob")]
        with running.hub.database.write() as db:
            for number in range(60):
                card = f"license: {('mit', 'apache-2.0')[number % 2]}\nlanguage: {('en', 'es', 'fr')[number % 3]}"
                visibility = "private" if number % 7 == 0 else "public"
                make(db, people[number % 2], f"model-{number}", card, visibility=visibility)
        yield running


@given(
    count=st.integers(1, 25),
    licence=st.sampled_from(["", "mit", "apache-2.0"]),
    language=st.sampled_from(["", "en", "es", "fr"]),
    who=st.sampled_from(["", "ada", "bob"]),
    sort=st.sampled_from(["modified", "created", "likes"]),
)
def test_pages_join_to_the_whole(
    many: RunningHub, count: int, licence: str, language: str, who: str, sort: str
) -> None:
    """However small the pages, together they are everything that fits, each once and in order."""
    labels = tuple((group, value) for group, value in (("licence", licence), ("language", language)) if value)
    expected = [
        f"model-{number}"
        for number in range(59, -1, -1)
        if (not licence or licence == ("mit", "apache-2.0")[number % 2])
        and (not language or language == ("en", "es", "fr")[number % 3])
        and (number % 7 or who == ("ada", "bob")[number % 2])
    ]
    actor = many.actor(who) if who else ANYBODY
    with many.hub.database.read() as db:
        found = names(db, actor, labels=labels, count=count, sort=sort)
    assert sorted(found) == sorted(expected)
    if sort == "created":
        assert found == expected


def test_short_pages_lose_nothing(many: RunningHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the work for one page runs out, the next one goes on where it stopped."""
    with many.hub.database.read() as db:
        labels = (("licence", "mit"), ("language", "es"))
        whole = names(db, many.actor("ada"), labels=labels)
        monkeypatch.setattr(module, "FIRST_LOOK", 2)
        monkeypatch.setattr(module, "MOST_WORK", 3)
        page = search(db, many.actor("ada"), Query("model", labels=labels))
        assert len(page.ids) < len(whole)
        assert names(db, many.actor("ada"), labels=labels) == whole


@pytest.mark.parametrize("sort", ["modified", "created", "downloads", "likes", "trending"])
def test_no_table_is_scanned_or_sorted(many: RunningHub, sort: str) -> None:
    """Every question of a search is answered from an index, in its order, so that cost follows the page."""
    asked: list[tuple[str, object]] = []

    def note(_connection: object, _cursor: object, statement: str, parameters: object, *_rest: object) -> None:
        asked.append((statement, parameters))

    queries = [
        Query("model", sort=sort),
        Query("model", text="model 1", sort=sort),
        Query("model", labels=(("licence", "mit"), ("language", "es")), sort=sort, count=3),
    ]
    with many.hub.database.read() as db:
        event.listen(many.hub.database.engine, "before_cursor_execute", note)
        try:
            for query in queries:
                first = search(db, many.actor("ada"), query)
                search(db, many.actor("ada"), Query(query.kind, query.text, query.labels, sort, first.following))
        finally:
            event.remove(many.hub.database.engine, "before_cursor_execute", note)
        plans = {
            row.detail
            for statement, parameters in asked
            for row in db.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)  # type: ignore[arg-type]
            if "collaborator" not in statement
        }
    assert any(f"ix_posting_{sort}" in plan for plan in plans)
    assert not [plan for plan in plans if "SCAN" in plan and plan not in ("SCAN anon_1", "SCAN chunk")], plans
    assert not [plan for plan in plans if "TEMP B-TREE" in plan], plans


@given(st.text(max_size=300))
def test_words_are_bounded(given_text: str) -> None:
    """Any text becomes few, short words without spaces, the same when read again."""
    words = split_words(given_text)
    assert len(words) <= 20
    assert all(0 < len(word) <= 96 and not word.isspace() for word in words)
    assert split_words(" ".join(words)) == words


def test_the_index_is_small_for_large_names(hub: RunningHub) -> None:
    """A repository with the longest name and a card full of tags has a bounded number of postings."""
    ada = hub.actor("ada")
    tags = ", ".join(f"tag-{number}-{'x' * 60}" for number in range(1_000))
    with hub.hub.database.write() as db:
        make(db, ada, "-".join("abcdefgh" for _ in range(10)), f"tags: [{tags}]\nlanguage: [{tags}]")
        count = db.execute(text("SELECT count(*) FROM posting")).scalar_one()
    assert 0 < count < 1_000


def test_repositories_of_a_disabled_account_are_not_listed(hub: RunningHub) -> None:
    """What nobody may see is not named in lists either; it comes back with the account."""
    ada = hub.actor("ada")
    with hub.hub.database.write() as db:
        make(db, ada, "model")
        assert names(db, ANYBODY) == ["model"]
        disable_account(db, ada.account_id or "")
        assert names(db, ANYBODY) == []
        enable_account(db, ada.account_id or "")
        assert names(db, ANYBODY) == ["model"]


def test_a_token_for_some_repositories_finds_no_others(hub: RunningHub) -> None:
    """To all private repositories but its own such a token is a stranger, also to those shared with its owner."""
    ada, bob = hub.actor("ada"), hub.actor("bob")
    with hub.hub.database.write() as db:
        first, second = (make(db, ada, name, "license: mit", visibility="private") for name in ("first", "second"))
        make(db, ada, "open")
        shared = {"repository_id": first.id, "account_id": bob.account_id, "role": Role.READER, "created": 1}
        db.execute(insert(collaborator).values(**shared))
        for only, hers, his in (
            (frozenset({second.id}), ["open", "second"], ["open"]),
            (frozenset({first.id}), ["first", "open"], ["first", "open"]),
            (frozenset[str](), ["open"], ["open"]),
        ):
            assert sorted(names(db, replace(ada, repositories=only))) == hers
            assert sorted(names(db, replace(bob, repositories=only))) == his
            found = names(db, replace(ada, repositories=only), labels=(("licence", "mit"),))
            assert found == [name for name in hers if name != "open"]


def test_what_is_disabled_is_found_by_nobody(hub: RunningHub) -> None:
    """A repository whose owner is disabled is not listed for those it was shared with, as they do not see it."""
    ada, bob = hub.actor("ada"), hub.actor("bob")
    with hub.hub.database.write() as db:
        mine = make(db, ada, "mine", visibility="private")
        shared = {"repository_id": mine.id, "account_id": bob.account_id, "role": Role.READER, "created": 1}
        db.execute(insert(collaborator).values(**shared))
        assert names(db, bob) == ["mine"]
        disable_account(db, ada.account_id or "")
        assert names(db, bob) == []
