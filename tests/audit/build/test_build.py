"""A version of a data set, built from files by a recipe: what is in it, what is said of it, and who can check that."""

from __future__ import annotations

import gzip
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

import hallmarked
from hallmarked.artifacts.source import open_artifact
from hallmarked.audit.build.build import Built, Request, build_dataset
from hallmarked.audit.build.proof import check_content, prove_content, read_content
from hallmarked.audit.build.summary import summarise
from hallmarked.audit.build.trace import trace
from hallmarked.audit.verify import check_evidence
from hallmarked.checks.provenance.check import ProvenanceCheck
from hallmarked.checks.runner import run
from hallmarked.core.errors import BackendError, InputError
from hallmarked.corpus.consent.key import create_key, save_key
from hallmarked.corpus.consent.list import Heading, write_list
from hallmarked.corpus.consent.record import Mode, Scope, make_entry
from hallmarked.corpus.consent.selector import Kind
from hallmarked.corpus.declaration import read_declaration
from hallmarked.corpus.engine.model import Engine
from hallmarked.corpus.proof.identifier import content_digest
from hallmarked.corpus.proof.key import RowKey
from hallmarked.ledger.ledger import Ledger
from hallmarked.ledger.trust import dump_trust
from hallmarked.ledger.verify import verify_bundle
from hallmarked.transforms.dataset.recipe import read_recipe

NOW = datetime(2026, 11, 21, tzinfo=UTC)
MAIL = "jane.roe@example-mail.org"
REFUSED = "this long text was written by somebody who does not want it to be used " + " ".join(
    f"for training model number {number}" for number in range(12)
)
LONG = "a story about a river and a stone that goes on for a while so that it can be told apart from all the others"
KEY = RowKey.generate()


@dataclass(frozen=True)
class World:
    """Sources, a recipe and a ledger."""

    folder: Path
    ledger: Ledger

    def build(self, recipe: str, name: str, processes: int = 1) -> Built:
        """Follow a recipe."""
        data = recipe.encode()
        request = Request(read_recipe(data, self.folder), data, self.folder / name, KEY, Engine(processes))
        return build_dataset(request, self.ledger, NOW)


def write_rows(path: Path, rows: list[dict[str, Any]]) -> None:
    """Write JSON Lines."""
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Make two sources, and a registry in which somebody refused."""
    folder = tmp_path_factory.mktemp("world")
    posts = [
        {"text": "a first text of a few words", "user": "ann", "dialect": "north", "day": "2026-11-01"},
        {"text": f"write to {MAIL} about it please", "user": "bob", "dialect": "south", "day": "2026-11-02"},
        {"text": REFUSED, "user": "cy", "dialect": "south", "day": "2026-11-03"},
        {"text": "too short", "user": "dee", "dialect": "south", "day": "2026-11-04"},
        {"text": "an old text that should be gone by now", "user": "eve", "dialect": "north", "day": "2020-01-01"},
        {"text": LONG, "user": "flo", "dialect": "north", "day": "2026-11-05"},
    ]
    write_rows(folder / "posts" / "a.jsonl", posts)
    again = [{"text": REFUSED + " again", "id": 77}, {"text": "A FIRST text of a few words", "id": 78}]
    again += [{"text": LONG + " again", "id": 79}, {"text": "only here and nowhere else at all", "id": 80}]
    write_rows(folder / "mirror" / "b.jsonl", again)
    with Ledger.open(folder / "home") as ledger:
        registry = create_key()
        save_key(folder / "registry.key", registry)
        (folder / "trust.json").write_bytes(dump_trust(ledger.trust))
        entry = make_entry(registry, Kind.SIMILAR, REFUSED, Scope(Mode.OPT_OUT), since=NOW)
        heading = Heading("registry.example", NOW, "1", 4)
        (folder / "consents").write_bytes(write_list([entry], heading, registry, ledger.key))
        yield World(folder, ledger)


RECIPE = """recipe = 1
[dataset]
name = "acme/forum"
decided-by = "The data steward"
note = "Short posts are mostly greetings."
[[source]]
name = "posts"
path = "posts"
licence = "CC-BY-4.0"
[source.collected]
who = "The archive"
[[source]]
name = "mirror"
path = "mirror"
licence = "CC-BY-SA-4.0"
[columns]
text = "text"
account = "user"
group = "dialect"
[retention]
as-of = 2026-11-21
column = "day"
days = 365
undated = "keep"
[consent]
list = "consents"
key = "registry.key"
trust = "trust.json"
[[filter]]
name = "too-short"
words = {least = 3}
[duplicates]
near = "remove"
[redaction]
kinds = ["email"]
"""


@pytest.fixture(scope="module")
def built(world: World) -> Built:
    """Build a version with every kind of step."""
    return world.build(RECIPE, "v1")


def changes(folder: Path) -> list[dict[str, Any]]:
    """Read the account of changes."""
    data = gzip.decompress((folder / "changes.gz").read_bytes())
    return [json.loads(line) for line in data.splitlines()]


def texts(folder: Path) -> list[str]:
    """Read the texts of a version."""
    files = sorted((folder / "data").iterdir())
    return [text for file in files for text in pq.read_table(file).column("text").to_pylist()]


def test_rows_that_stay(built: Built) -> None:
    """What was refused, old, short or a copy is gone, and the address is replaced."""
    found = texts(built.folder)
    assert len(found) == 4
    assert {"a first text of a few words", "A FIRST text of a few words"} & set(found)
    assert "write to [EMAIL] about it please" in found
    assert "only here and nowhere else at all" in found
    assert [text for text in found if text.startswith(LONG)]


def test_every_row_is_accounted_for(built: Built) -> None:
    """Each row that went or changed is named by its place, with the reason and no content."""
    said = [(each["source"], each["row"], each["why"]) for each in changes(built.folder)]
    assert ("posts", 2, "redacted") in said
    assert ("posts", 3, "opted-out") in said
    assert ("mirror", 1, "opted-out") in said  # under another id, with a mark more
    assert ("posts", 4, "too-short") in said
    assert ("posts", 5, "expired") in said
    assert sorted(why for _, _, why in said if "copy" in why) == ["copy", "near-copy"]
    assert len(said) == 7
    assert built.document.removed == {
        "unread": 0, "expired": 1, "opted-out": 2, "not-opted-in": 0, "consent-unclear": 0, "not-sampled": 0,
        "too-short": 1, "copy": 1, "near-copy": 1,
    }  # fmt: skip


def test_no_personal_data_is_left(built: Built) -> None:
    """Neither the address nor what was refused stands in anything that was written."""
    for file in built.folder.rglob("*"):
        if file.is_file():
            data = file.read_bytes()
            if file.suffix == ".gz":
                data = json.dumps(changes(built.folder)).encode()
            assert MAIL.encode() not in data, file
            assert b"does not want it" not in data, file


def test_the_evidence_is_about_these_files(world: World, built: Built) -> None:
    """The signed account verifies against the folder, and not after a byte was changed."""
    evidence = (built.folder / "evidence.json").read_bytes()
    checked = check_evidence(evidence, world.ledger.trust, open_artifact(built.folder))
    assert checked.status == 0, checked.lines
    predicates = {entry.predicate_type: entry.statement["predicate"] for entry in checked.verified.entries}
    account = predicates["https://slsa.dev/provenance/v1"]["runDetails"]["byproducts"][0]["annotations"]
    assert account["rows"]["removed"]["opted-out"] == 2
    assert account["redacted"] == {"email": 1}
    asked = predicates["https://slsa.dev/provenance/v1"]["buildDefinition"]["externalParameters"]
    assert asked["decidedBy"] == "The data steward"
    assert asked["consent"]["logSize"] == 4
    assert asked["duplicates"]["threshold"] == 0.7
    receipt = predicates["urn:hallmarked:deletion:v1"]
    assert (receipt["asOf"], receipt["rows"]) == ("2026-11-21", {"posts": 1, "mirror": 0})
    assert receipt["contentsStillHeld"] == 0


def test_statements_are_of_their_published_form(built: Built) -> None:
    """What is said in predicates of our own fits the schemas that are published for them."""
    package = Path(hallmarked.__file__).parent
    paths = ("corpus/proof/row-commitment.v1.schema.json", "transforms/dataset/deletion.v1.schema.json")
    schemas = {schema["$id"]: schema for schema in (json.loads((package / path).read_text()) for path in paths)}
    registry = Registry().with_resources([(name, Resource.from_contents(each)) for name, each in schemas.items()])
    entries = verify_bundle((built.folder / "evidence.json").read_bytes()).entries
    ours = [entry for entry in entries if entry.predicate_type in schemas]
    assert len(ours) == 2
    for entry in ours:
        Draft202012Validator(schemas[entry.predicate_type], registry=registry).validate(entry.statement["predicate"])


def test_what_was_refused_is_shown_to_be_missing(world: World, built: Built) -> None:
    """Whoever refused gets a proof that holds offline; whoever is still there gets one that says so."""
    evidence = (built.folder / "evidence.json").read_bytes()
    for text, there in ((REFUSED, False), (REFUSED + " again", False), ("only here and nowhere else at all", True)):
        digest = content_digest(text)
        proof, said = prove_content(built.folder, digest, KEY)
        shown = check_content(proof, evidence, world.ledger.trust, digest)
        assert (said, shown.there, shown.status) == (there, there, int(there)), shown.lines
    redacted = content_digest(f"write to {MAIL} about it please")
    assert prove_content(built.folder, redacted, KEY)[1]  # it is there, as it was read


@pytest.mark.parametrize("data", [b"", b" \r\n\t", "\u00a0".encode(), b"caf\xe9"])
def test_nothing_is_shown_of_what_is_no_text(data: bytes, tmp_path: Path) -> None:
    """Rows without text are not committed to, so a proof that an empty one is missing would say what is not known."""
    (tmp_path / "content.txt").write_bytes(data)
    with pytest.raises(InputError, match="text") as caught:
        read_content(tmp_path / "content.txt")
    assert caught.value.__cause__ is None


def test_what_was_deleted_is_shown_to_be(world: World, built: Built) -> None:
    """The receipt of what was too old covers it, and nothing else."""
    evidence = (built.folder / "evidence.json").read_bytes()
    for text, there in (("an old text that should be gone by now", True), ("a first text of a few words", False)):
        digest = content_digest(text)
        proof, _ = prove_content(built.folder, digest, KEY, deleted=True)
        shown = check_content(proof, evidence, world.ledger.trust, digest)
        assert (shown.deleted, shown.there, shown.status) == (True, there, int(not there))


def test_a_proof_needs_the_key_of_the_version(built: Built) -> None:
    """Another key makes no proof that holds, and says so."""
    with pytest.raises(InputError, match="another key of rows"):
        prove_content(built.folder, content_digest("x"), RowKey.generate())


def test_the_sources_can_be_followed(world: World, built: Built) -> None:
    """Every edge to a source at hand holds; one whose bytes differ is named."""
    folder = world.folder
    assert trace(built.folder, {"posts": folder / "posts", "mirror": folder / "mirror"}).status == 0
    swapped = trace(built.folder, {"posts": folder / "mirror"})
    assert swapped.status == 1
    assert swapped.lines[0].startswith("✖ posts is not what acme/forum was made from")


def test_the_check_finds_nothing_and_then_an_orphan(built: Built, tmp_path: Path) -> None:
    """What the build wrote holds together for the check."""
    result = run(ProvenanceCheck(), open_artifact(built.folder))
    assert [finding.message for finding in result.findings] == []


def test_the_version_declares_its_columns(built: Built) -> None:
    """What measures the version later finds the same columns that the build used."""
    columns = read_declaration(open_artifact(built.folder)).columns
    assert (columns.text, columns.group, columns.account, columns.date) == (("text",), ("dialect",), "user", "day")


def test_the_card_says_facts(built: Built) -> None:
    """The card has the licence that follows, the counts, the sources and who decided."""
    card = (built.folder / "README.md").read_text()
    assert "license: cc-by-sa-4.0" in card
    assert "| posts | CC-BY-4.0 | 6 | " in card
    assert "| 2 | refused by their owners |" in card
    assert "Decided by The data steward" in card
    assert "4 kept of 10 read from 2 sources" in "\n".join(summarise(built))


@pytest.mark.slow
def test_the_same_recipe_gives_the_same_bytes(world: World, built: Built) -> None:
    """Other numbers of processes and another day give the same files, but for the signed time."""
    again = world.build(RECIPE, "v1-again", processes=3)
    first, second = (
        {path: digest for path, digest in open_artifact(each.folder).digests().items() if path != "evidence.json"}
        for each in (built, again)
    )
    assert first == second


@pytest.mark.slow
def test_three_generations_have_depth_three(world: World) -> None:
    """A model that learned from what a model wrote adds one, over several builds, without anybody declaring it."""
    learned = "posts"
    for generation in (1, 2, 3):
        written = world.folder / f"written-{generation}"
        write_rows(written / "w.jsonl", [{"text": f"a text that model {generation} wrote by itself"}])
        recipe = (
            f'recipe = 1\n[dataset]\nname = "acme/g{generation}"\n[[source]]\nname = "written"\n'
            f'path = "written-{generation}"\nlicence = "MIT"\n[source.generated]\nmodel = "writer"\nshare = 1.0\n'
            f'learned = ["{learned}"]\n'
        )
        built = world.build(recipe, f"g{generation}")
        assert (built.document.share, built.document.depth) == (1.0, generation)
        learned = f"g{generation}"
    result = run(ProvenanceCheck(), open_artifact(built.folder))
    assert {m.metric: m.value for m in result.measurements}["synthetic.depth"] == "3"
    assert [finding.rule for finding in result.findings] == ["PRV006"]
    (built.folder / "provenance" / next(iter(os.listdir(built.folder / "provenance")))).unlink()
    broken = trace(built.folder, {})
    assert broken.status == 1
    assert "the account of g" in broken.lines[0] or "is missing" in broken.lines[0]


@pytest.mark.slow
def test_opt_in_keeps_nothing_that_nobody_allowed(world: World) -> None:
    """With opt-in, rows without a consent are left out."""
    recipe = RECIPE.replace('trust = "trust.json"', 'trust = "trust.json"\nmode = "opt-in"')
    built = world.build(recipe, "opt-in")
    assert sum(built.document.rows.values()) == 0
    assert built.document.removed["not-opted-in"] > 0
    assert not (built.folder / "data").exists()


@pytest.mark.slow
def test_a_source_that_is_not_what_was_expected(world: World) -> None:
    """A digest that differs stops the build, and nothing is left behind."""
    recipe = RECIPE.replace('path = "posts"', f'path = "posts"\ndigest = "dirHash:{"0" * 64}"')
    with pytest.raises(InputError, match=r"source posts is not dirHash:0000"):
        world.build(recipe, "wrong")
    assert not [path for path in world.folder.iterdir() if "wrong" in path.name]


@pytest.mark.slow
def test_a_killed_build_leaves_nothing_half(world: World) -> None:
    """A build that is killed has no folder, and the next one removes what it left."""
    (world.folder / "recipe.toml").write_text(RECIPE)
    command = [sys.executable, "-c", "from hallmarked.cli.main import main; main()", "corpus", "build"]
    environment = {**os.environ, "HALLMARKED_HOME": str(world.folder / "home2")}
    with subprocess.Popen(
        [*command, str(world.folder / "recipe.toml"), "--output", str(world.folder / "killed")],
        env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        for _ in range(600):
            if list(world.folder.glob(".killed.*.partial/.work/survey-0")):
                break
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
    assert not (world.folder / "killed").exists()
    assert list(world.folder.glob(".killed.*.partial"))
    world.build(RECIPE, "killed")
    assert not list(world.folder.glob(".killed.*.partial"))


@pytest.mark.slow
def test_a_disk_that_is_full_is_said_in_a_sentence(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """When files cannot be written any more, one sentence says so and nothing is left."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200, hard))
    try:
        with pytest.raises(BackendError, match=r"(cannot write|cannot be written)"):
            world.build(RECIPE, "full")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
    assert not [path for path in world.folder.iterdir() if "full" in path.name]
