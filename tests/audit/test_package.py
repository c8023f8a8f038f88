"""Packages for regulators verify themselves: every byte counts, and the forms follow from the evidence."""

from __future__ import annotations

import base64
import hashlib
import io
import re
import subprocess
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hallmarked.artifacts.local import LocalArtifact
from hallmarked.audit.package.archive import MANIFEST, read_package, write_zip
from hallmarked.audit.package.check import verify_package
from hallmarked.audit.package.make import Request, make_package
from hallmarked.audit.run import notify
from hallmarked.audit.verify import Check
from hallmarked.core.errors import Error, InputError, VerificationError
from hallmarked.core.evidence import Statement, Subject
from hallmarked.ledger.bundle import export_bundle, import_bundle
from hallmarked.ledger.ledger import Ledger
from hallmarked.ledger.trust import load_trust
from hallmarked.profiles.eu.edition import load_documentation
from hallmarked.profiles.framework import Audience
from hallmarked.profiles.run.file import read_plan
from hallmarked.profiles.run.pack import load_pack

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SECRET = "271828182845"


def reported(artifact: LocalArtifact, check: str, metric: str, value: str, kind: str = "checks") -> Statement:
    predicate = {
        "result": "PASSED",
        "configuration": [{"name": f"hallmarked/{kind}/{check}"}],
        "outcome": "pass",
        "measurements": [{"metric": metric, "value": value}],
    }
    return Statement((artifact.subject,), "https://in-toto.io/attestation/test-result/v0.1", predicate)


class Case:
    """A model with evidence, and packages of it."""

    def __init__(self, folder: Path) -> None:
        model = folder / "model"
        model.mkdir()
        (model / "README.md").write_text("# A model\n")
        (model / "scope.yaml").write_text("uses: []\n")
        (model / "weights.bin").write_bytes(b"0" * 100)
        self.artifact = LocalArtifact(model)
        self.ledger = Ledger.open(folder / "home", name="Example Lab")
        said = [
            reported(self.artifact, "facts", "parameters.total", "7000000000"),
            reported(self.artifact, "run", "run.operations", SECRET, "evaluations"),
        ]
        receipts = self.ledger.attest(said, time=NOW)
        self.evidence = self.ledger.export_bundle(receipts)

    def make(self, audience: Audience | None = None) -> dict[str, bytes]:
        form = load_documentation("2025-07")
        request = Request(self.artifact, [form], {"e.json": self.evidence}, self.ledger.trust, NOW, audience)
        return dict(make_package(request, self.ledger))

    def check(self, contents: Mapping[str, bytes]) -> Check:
        return verify_package(contents, [self.ledger.key.keyid, self.ledger.log.keyid], None)


def outcome(case: Case, contents: Mapping[str, bytes]) -> tuple[int, str]:
    """Return the status and everything that is said, also when it ends in an error."""
    try:
        checked = case.check(contents)
    except Error as error:
        return 1, str(error)
    return checked.status, "\n".join(checked.lines)


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    return Case(tmp_path_factory.mktemp("package"))


@pytest.fixture(scope="module")
def contents(case: Case) -> dict[str, bytes]:
    return case.make()


def test_package_holds_forms_cards_keys_and_evidence(case: Case, contents: dict[str, bytes]) -> None:
    """Everything that a reader needs is there, and all of it holds."""
    assert {path.partition("/")[0] for path in contents} == {
        "README.txt", "SHA256SUMS", "cards", "evidence", "forms", "package.json", "trust.json",
    }  # fmt: skip
    assert contents["cards/README.md"] == b"# A model\n"
    assert "forms/eu-gpai-documentation-2025-07.es.html" in contents
    checked = case.check(contents)
    assert checked.status == 0, checked.lines
    assert "filled in again from the evidence" in checked.lines[-1]


def test_who_names_no_key_is_told_so(contents: dict[str, bytes]) -> None:
    """Intact is not trusted: without a key the result stays open."""
    assert verify_package(contents, [], None).status == 2


@settings(max_examples=150)
@given(st.data())
def test_one_changed_byte_fails_and_is_named(case: Case, contents: dict[str, bytes], data: st.DataObject) -> None:
    """Whichever byte of whichever file is changed, the package fails and the file is named."""
    path = data.draw(st.sampled_from(sorted(contents)))
    at = data.draw(st.integers(0, len(contents[path]) - 1))
    new = data.draw(st.integers(0, 255).filter(lambda byte: byte != contents[path][at]))
    changed = {**contents, path: contents[path][:at] + bytes([new]) + contents[path][at + 1 :]}
    status, text = outcome(case, changed)
    assert status == 1
    assert path in text or (path == "trust.json" and MANIFEST in text)


def test_files_that_are_missing_or_added_are_named(case: Case, contents: dict[str, bytes]) -> None:
    """A file too few or too many fails, by name; without the manifest nothing is believed."""
    for path in sorted(contents.keys() - {MANIFEST, "trust.json"}):
        said = case.check({name: data for name, data in contents.items() if name != path})
        assert f"Missing: {path}" in "\n".join(said.lines)
        assert said.status == 1
    said = case.check({**contents, "forms/extra.html": b"x"})
    assert (said.status, "Added: forms/extra.html" in "\n".join(said.lines)) == (1, True)
    with pytest.raises(VerificationError, match=MANIFEST):
        case.check({name: data for name, data in contents.items() if name != MANIFEST})


def resigned(case: Case, contents: Mapping[str, bytes], **changed: bytes) -> dict[str, bytes]:
    """Return a package with other files, signed as if it were whole."""
    lie = {path: data for path, data in {**contents, **changed}.items() if path != MANIFEST}
    named = [Subject(path, {"sha256": hashlib.sha256(data).hexdigest()}) for path, data in lie.items()]
    statement = Statement(tuple(named), "urn:hallmarked:package:v1", _statement(contents).predicate)
    (receipt,) = case.ledger.attest([statement], time=NOW)
    return {**lie, MANIFEST: export_bundle(case.ledger.log, [receipt.index], load_trust(contents["trust.json"]))}


def test_signed_forms_that_do_not_follow_from_the_evidence_are_found(case: Case, contents: dict[str, bytes]) -> None:
    """Who signs a package with another form than its evidence gives, or with one more, is found out."""
    path = "forms/eu-gpai-documentation-2025-07.json"
    said = case.check(resigned(case, contents, **{path: contents[path].replace(b"7000000000", b"9000000000")}))
    assert said.status == 1
    assert f"{path} do not follow from the evidence" in said.lines[-1]
    said = case.check(resigned(case, contents, **{"forms/praise.html": b"<p>All is well"}))
    assert said.status == 1
    assert "forms/praise.html follow from no evidence" in said.lines[-1]
    assert case.check(resigned(case, contents)).status == 0


def test_evidence_that_does_not_hold_is_named(case: Case, contents: dict[str, bytes]) -> None:
    """A package that was signed with broken evidence in it fails by the name of that file."""
    path = next(path for path in contents if path.startswith("evidence/"))
    said = case.check(resigned(case, contents, **{path: contents[path].replace(b"inclusion", b"conclusion")[:-9]}))
    assert said.status == 1
    assert path in said.lines[-1]


def _statement(contents: Mapping[str, bytes]) -> Statement:
    verified, _ = import_bundle(contents[MANIFEST])
    return Statement.from_dict(verified.entries[0].statement)


def test_audience_gets_no_statement_behind_a_withheld_field(case: Case) -> None:
    """For a provider the statement that answers a withheld field is left out, in every file."""
    made = case.make(Audience.PROVIDER)
    assert all(SECRET.encode() not in _plain(data) for data in made.values())
    assert any(SECRET.encode() in _plain(data) for data in case.make(Audience.AI_OFFICE).values())
    assert case.check(made).status == 0
    assert b'"withheld"' in made["forms/eu-gpai-documentation-2025-07.json"]


def _plain(data: bytes) -> bytes:
    """Return a file with the payloads of its envelopes decoded."""
    payloads = re.findall(rb'"payload":"([A-Za-z0-9+/]+)', data)
    return data + b"".join(base64.b64decode(found + b"===") for found in payloads)


def test_archive_and_folder_are_the_same_package(case: Case, contents: dict[str, bytes], tmp_path: Path) -> None:
    """A package can be read from a folder and from an archive, and plain tools check it."""
    (tmp_path / "p.zip").write_bytes(write_zip(contents))
    assert read_package(tmp_path / "p.zip") == contents
    with zipfile.ZipFile(tmp_path / "p.zip") as archive:
        archive.extractall(tmp_path / "p")
    assert read_package(tmp_path / "p") == contents
    done = subprocess.run(["sha256sum", "--quiet", "-c", "SHA256SUMS"], cwd=tmp_path / "p", check=False)
    assert done.returncode == 0


@settings(max_examples=60)
@given(st.data())
def test_one_changed_byte_of_an_archive_fails(
    case: Case, contents: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Every byte of an archive counts, those of its directory too."""
    whole = bytearray(write_zip(contents))
    at = data.draw(st.one_of(st.integers(0, len(whole) - 1), st.integers(len(whole) - 900, len(whole) - 1)))
    whole[at] ^= data.draw(st.integers(1, 255))
    path = tmp_path_factory.getbasetemp() / "changed.zip"
    path.write_bytes(whole)
    try:
        found = read_package(path)
    except (VerificationError, InputError):
        return
    assert outcome(case, found)[0] == 1


@pytest.mark.parametrize(
    "made",
    [
        b"",
        b"PK",
        b"no archive at all",
        lambda: _zip({"../../etc/x": b"x"}),
        lambda: _zip({"package.json": b"{}"}, zipfile.ZIP_DEFLATED),
        lambda: _zip({"package.json": b"{}"}),
        lambda: _zip({"package.json": b"[" * 100_000}),
    ],
    ids=range(7),
)
def test_what_is_no_package_is_refused(case: Case, tmp_path: Path, made: object) -> None:
    """Anything else ends in one sentence."""
    path = tmp_path / "p.zip"
    path.write_bytes(made() if callable(made) else made)  # type: ignore[arg-type]
    with pytest.raises((VerificationError, InputError)) as caught:
        case.check(read_package(path))
    assert "\n" not in str(caught.value)


def _zip(members: dict[str, bytes], how: int = zipfile.ZIP_STORED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", how) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return stream.getvalue()


def test_links_in_a_folder_are_refused(case: Case, contents: dict[str, bytes], tmp_path: Path) -> None:
    """A package holds plain files and nothing else."""
    for path, data in contents.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(data)
    (tmp_path / "link").symlink_to("/etc/passwd")
    with pytest.raises(VerificationError, match="link"):
        read_package(tmp_path)


def test_without_evidence_there_is_no_package(case: Case) -> None:
    """Forms that rest on nothing are not packed up."""
    form = load_documentation("2025-07")
    with pytest.raises(InputError, match="no evidence"):
        make_package(Request(case.artifact, [form], {}, case.ledger.trust, NOW), case.ledger)


def test_training_runs_get_forms_that_authorities_alone_see(case: Case, tmp_path: Path) -> None:
    """The evidence of a planned run makes forms in a package for an authority, and none for a provider."""
    plan = tmp_path / "plan.toml"
    plan.write_bytes((files("hallmarked.profiles.run") / "form.toml").read_bytes())
    filed = notify(case.ledger, read_plan(plan), [load_pack("eu-ai-act")], NOW)
    evidence = {"e.json": case.evidence, "run.json": filed.evidence}
    for audience, there in ((None, True), (Audience.AUTHORITY, True), (Audience.PROVIDER, False)):
        form = load_documentation("2025-07")
        made = make_package(Request(case.artifact, [form], evidence, case.ledger.trust, NOW, audience), case.ledger)
        assert ("forms/run-1.es.html" in made) is there
        assert any(b"example-lab/new-model" in _plain(data) for data in made.values()) is there
        checked = case.check(made)
        assert checked.status == 0, checked.lines
        assert any("judged again" in line for line in checked.lines) is there
    alone = make_package(Request(case.artifact, [], {"run.json": filed.evidence}, case.ledger.trust, NOW), case.ledger)
    assert "forms/run-1.json" in alone
    assert case.check(alone).status == 0
    with pytest.raises(InputError, match="--profile"):
        make_package(Request(case.artifact, [], {"e.json": case.evidence}, case.ledger.trust, NOW), case.ledger)
