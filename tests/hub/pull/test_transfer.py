"""A repository of another hub is imported whole, verified, or not at all, and it is stated where it came from."""

from __future__ import annotations

import base64
import hashlib
import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from hallmarked.artifacts.remote.address import parse_address
from hallmarked.artifacts.remote.client import HubClient, Patience
from hallmarked.artifacts.remote.token import Login
from hallmarked.core.errors import BackendError, Forbidden, InputError, NotFound
from hallmarked.hub.blob.possession import add_blob
from hallmarked.hub.outbound.client import Rules, Transport
from hallmarked.hub.pull import transfer as pulling
from hallmarked.hub.pull.transfer import Pulled, Target, pull
from hallmarked.hub.repository.repository import find_repository
from hallmarked.hub.repository.revision import find_revision, list_files, list_history
from hallmarked.hub.setting import Settings, Storage
from tests.artifacts.remote.endpoint import COMMIT, Endpoint, Reply, served
from tests.hubs import RunningHub, open_test_hub

pytestmark = pytest.mark.enable_socket

WEIGHTS = random.Random(2).randbytes(3 << 20)
FILES: dict[str, bytes | Path] = {
    ".gitattributes": b"*.bin filter=lfs diff=lfs merge=lfs -text\n",
    "README.md": b"---\nlicense: mit\n---\n# Tiny\n",
    "a/b.txt": b"deep",
    "model.bin": WEIGHTS,
}
SOURCE = parse_address("hf://acme/tiny")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def hub(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[RunningHub]:
    url = request.getfixturevalue("postgres_url") if request.param == "postgresql" else ""
    with open_test_hub(tmp_path, Settings(storage=Storage(data=str(tmp_path / "data"), database=url))) as running:
        yield running


def endpoint(files: dict[str, bytes | Path] | None = None, **options: object) -> Endpoint:
    return Endpoint(files if files is not None else dict(FILES), large=1 << 20, **options)  # type: ignore[arg-type]


@contextmanager
def reading(source: Endpoint, attempts: int = 1) -> Iterator[HubClient]:
    patience = Patience(attempts=attempts, first_delay=0, seconds=5, sleep=lambda _seconds: None)
    with HubClient(Login(source.url, None), patience=patience) as client:
        yield client


def run(hub: RunningHub, source: Endpoint, person: str = "ada", **options: str) -> Pulled:
    target = Target(hub.actor(person), options.get("name", f"{person}/tiny"), "public")
    with reading(source) as client:
        return pull(hub.hub, client, replace(SOURCE, kind=source.kind), target)


def contents(hub: RunningHub, kind: str = "model", name: str = "ada/tiny") -> dict[str, str]:
    with hub.hub.database.read() as db:
        repo = find_repository(db, kind, name)
        return {entry.path: entry.sha256 for entry in list_files(db, find_revision(db, repo, "main"))}


def digests(files: dict[str, bytes | Path]) -> dict[str, str]:
    return {path: hashlib.sha256(content).hexdigest() for path, content in files.items() if isinstance(content, bytes)}


@pytest.mark.parametrize(("kind", "ours"), [("model", "model"), ("dataset", "dataset"), ("space", "system")])
def test_a_repository_is_imported_whole(hub: RunningHub, kind: str, ours: str) -> None:
    """Models, data sets and systems arrive with every byte, large files as blobs, in one commit."""
    with served(endpoint(kind=kind)) as source:
        pulled = run(hub, source)
    assert (pulled.commit, pulled.files, pulled.changed) == (COMMIT, 4, True)
    assert contents(hub, ours) == digests(FILES)
    with hub.hub.database.read() as db:
        repo = find_repository(db, ours, "ada/tiny")
        entries = {entry.path: entry for entry in list_files(db, find_revision(db, repo, "main"))}
        assert entries["model.bin"].large
        assert not entries["README.md"].large
        assert repo.card["license"] == "mit"
    with hub.hub.blobs.open(entries["model.bin"].sha256) as stream:
        assert stream.read() == WEIGHTS
    assert not list((hub.hub.settings.data / "pull").iterdir())


def test_where_it_came_from_is_stated(hub: RunningHub) -> None:
    """The ledger says from which hub, repository and commit, and when."""
    with served(endpoint()) as source:
        pulled = run(hub, source)
    found = hub.hub.journal.find([f"gitCommit:{pulled.revision.oid}"])
    assert len(found) == 1
    statement = json.loads(_payload(hub.hub.journal.envelope(found[0])))
    assert statement["predicateType"] == "https://slsa.dev/provenance/v1"
    definition = statement["predicate"]["buildDefinition"]
    assert definition["externalParameters"] == {
        "endpoint": source.url,
        "repository": "acme/tiny",
        "revision": "main",
    }
    assert definition["resolvedDependencies"] == [{"uri": f"{source.url}/acme/tiny", "digest": {"gitCommit": COMMIT}}]
    assert statement["subject"] == [{"name": "ada/tiny", "digest": {"gitCommit": pulled.revision.oid}}]


def _payload(envelope: bytes) -> bytes:
    return base64.b64decode(json.loads(envelope)["payload"])


def test_a_second_pull_fetches_what_changed(hub: RunningHub) -> None:
    """Nothing is fetched when nothing changed; later only the new files, and what vanished there vanishes here."""
    source = endpoint()
    with served(source):
        first = run(hub, source)
        source.sent = 0
        again = run(hub, source)
        assert (again.changed, again.revision.oid, again.fetched, source.sent) == (False, first.revision.oid, 0, 0)
        source.files.update({"README.md": b"# New\n", "copy.bin": WEIGHTS, "a": b"now a file"})
        del source.files["a/b.txt"]
        source.commit = "d" * 40
        third = run(hub, source)
        assert third.changed
        assert source.sent == len(b"# New\n") + len(b"now a file")  # the copy has the bytes of another file
    assert contents(hub) == digests(source.files)
    with hub.hub.database.read() as db:
        history = list(list_history(db, find_repository(db, "model", "ada/tiny"), third.revision))
    assert [revision.title[:6] for revision in history] == ["Import", "Import", "initia"]


def test_a_pull_that_broke_off_goes_on_where_it_was(hub: RunningHub) -> None:
    """The part that was fetched is kept; the next pull asks for the rest only."""
    breaks = 1 << 20

    def cut(path: str, headers: dict[str, str]) -> Reply | None:
        if "/resolve/" not in path or not path.endswith("model.bin"):
            return None
        if not headers["range"].startswith("bytes=0-"):
            return Reply(503, b"{}")
        whole = len(WEIGHTS)
        told = {"Content-Range": f"bytes 0-{whole - 1}/{whole}", "Content-Length": str(breaks)}
        return Reply(206, WEIGHTS[:breaks], told)

    with served(endpoint(odd=cut)) as source, pytest.raises(BackendError, match="status 503"):
        run(hub, source)
    with hub.hub.database.read() as db:
        assert [
            entry.path for entry in list_files(db, find_revision(db, find_repository(db, "model", "ada/tiny"), "main"))
        ] == [".gitattributes"]
    with served(endpoint()) as source:
        pulled = run(hub, source)
        ranges = [headers["range"] for path, headers in source.asked if path.endswith("model.bin")]
    assert ranges == [f"bytes={breaks}-{len(WEIGHTS) - 1}"]
    assert pulled.fetched < len(WEIGHTS)
    assert contents(hub) == digests(FILES)


@pytest.mark.parametrize("path", ["model.bin", "README.md"])
def test_other_bytes_than_listed_are_not_kept(hub: RunningHub, path: str) -> None:
    """A file that does not have its listed digest stops the pull, and the next one starts it anew."""
    good = FILES[path]
    assert isinstance(good, bytes)
    swapped = served(endpoint(swap={path: b"?" + good[1:]}))
    with swapped as source, pytest.raises(InputError, match="holds other bytes"):
        run(hub, source)
    assert set(contents(hub)) == {".gitattributes"}
    with served(endpoint()) as source:
        run(hub, source)
    assert contents(hub) == digests(FILES)


def test_naming_a_digest_does_not_give_somebody_elses_file(hub: RunningHub) -> None:
    """A hub that lists the digest of a private file of ours, without having it, gets nothing into its pull."""
    secret = random.Random(3).randbytes(2 << 20)
    with hub.hub.blobs.receive() as incoming:
        incoming.write(secret)
        stored = incoming.finish()
    bob = hub.actor("bob").account_id
    with hub.hub.database.write() as db:
        add_blob(db, stored.sha256, stored.size, passive=True, account_id=bob)
    with served(endpoint({"model.bin": secret}, swap={"model.bin": bytes(len(secret))})) as source:
        with pytest.raises(InputError, match="holds other bytes"):
            run(hub, source)
        source.sent = 0
        assert run(hub, source, "bob").fetched == source.sent == 0


def test_names_that_cannot_be_kept_refuse_the_whole(hub: RunningHub) -> None:
    """A revision is imported whole or not at all."""
    for name in ("../x", "a\\b", ".git/config", "x" * 300):
        with served(endpoint({"ok.txt": b"1", name: b"2"})) as source, pytest.raises(InputError):
            run(hub, source)
    with hub.hub.database.read() as db, pytest.raises(NotFound):
        find_repository(db, "model", "ada/tiny")


def test_only_who_may_write_here_imports(hub: RunningHub) -> None:
    """Nobody imports into what belongs to others."""
    hub.person("bob")
    with served(endpoint()) as source:
        run(hub, source)
        with pytest.raises(Forbidden):
            run(hub, source, "bob", name="ada/tiny")
        with pytest.raises(Forbidden):
            run(hub, source, "bob", name="ada/other")


def test_small_files_that_are_many_do_not_fill_the_memory(hub: RunningHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond a limit the largest of the small files are kept as large ones; every byte arrives all the same."""
    monkeypatch.setattr(pulling, "MOST_INLINE", 3000)
    files: dict[str, bytes | Path] = {f"f{size}.txt": b"x" * size for size in (10, 900, 1000, 2000)}
    with served(endpoint(files)) as source:
        run(hub, source)
    assert contents(hub) == digests(files)
    with hub.hub.database.read() as db:
        entries = list_files(db, find_revision(db, find_repository(db, "model", "ada/tiny"), "main"))
    assert [entry.path for entry in entries if entry.large] == ["f2000.txt"]


def test_a_hub_that_pulls_for_others_does_not_reach_inside(hub: RunningHub) -> None:
    """With the guarded transport, internal addresses are refused, and an allowed host cannot redirect there."""
    with served(endpoint()) as source:
        target = Target(hub.actor("ada"), "ada/tiny")
        guarded = HubClient(Login(source.url, None), transport=Transport(Rules(schemes=frozenset({"http"}))))
        with guarded, pytest.raises(Forbidden):
            pull(hub.hub, guarded, SOURCE, target)
        allowed = Rules(internal=frozenset({source.url.removeprefix("http://")}))
        source.cdn = "http://127.0.0.2:9"
        redirected = HubClient(Login(source.url, None), transport=Transport(allowed))
        with redirected, pytest.raises(Forbidden):
            pull(hub.hub, redirected, SOURCE, target)
        source.cdn = ""
        with HubClient(Login(source.url, None), transport=Transport(allowed)) as client:
            assert pull(hub.hub, client, SOURCE, target).changed
