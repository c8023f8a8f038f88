"""Stating something through the command line: what is signed, written, refused, and how it is checked."""

from __future__ import annotations

from pathlib import Path

import pytest

from hallmarked.audit.attested import beside, gather
from hallmarked.cli.attest.group import COMMON
from hallmarked.cli.attest.option import options
from hallmarked.ledger.ledger import read_trust
from hallmarked.records.dispute import standing
from hallmarked.records.kind import KINDS
from hallmarked.records.record import Record, records
from hallmarked.records.result import Result
from hallmarked.records.stage import Stage
from hallmarked.records.waiver import Waiver
from tests.artifacts.remote.endpoint import COMMIT, Endpoint, served
from tests.cli.support import Shell

WAIVE = ("--context", "hospital", "--requirement", "recall", "--by", "Example Hospital", "--until", "2099-12-31")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    (folder / "raw").mkdir(parents=True)
    (folder / "README.md").write_text("# A model\n")
    for name in ("a.csv", "b.csv"):
        (folder / "raw" / name).write_text(f"{name}\n")
    return folder


def stated(shell: Shell, model: Path) -> list[object]:
    attestations = gather(beside(model), read_trust(shell.home))
    assert all(one.role == "maker" for one in attestations)
    return [each.record for kind in (Waiver, Result, Stage) for each in records(kind, attestations)]


def test_attest_and_verify(shell: Shell, model: Path) -> None:
    """What was stated is said in a sentence, written beside the model, and verifies with the command that is shown."""
    done = shell("attest", "waiver", "--about", model, *WAIVE, "--reason", "A test follows.")
    assert done.status == 0
    assert done.out.startswith("Example Hospital waives recall in the context hospital until 2099-12-31: A test")
    evidence = model.with_name("model.hallmarked") / "records.json"
    assert f"hallmarked verify {evidence} {model}" in done.out
    (waiver,) = stated(shell, model)
    assert waiver.predicate()["reason"] == "A test follows."  # type: ignore[attr-defined]
    checked = shell("verify", evidence, model, *shell.keys())
    assert checked.status == 0
    assert "waiver           Example Hospital waives recall" in checked.out


def test_statements_are_added(shell: Shell, model: Path) -> None:
    """A second statement joins the first in one file, also when the bytes changed meanwhile, which verifying tells."""
    assert shell("attest", "waiver", "--about", model, *WAIVE, "--reason", "x").status == 0
    (model / "README.md").write_text("# Changed\n")
    measured = '{metric = "eval.recall", value = 0.90, n = 500, slice = {group = "women"}}'
    options = ("--name", "triage", "--how", "h", "--by", "Example Lab", "--measurements", measured)
    assert shell("attest", "result", "--about", model, *options).status == 0
    _, result = stated(shell, model)
    assert isinstance(result, Result)
    assert (result.measurements[0].value, result.measurements[0].slice) == ("0.90", {"group": "women"})
    evidence = model.with_name("model.hallmarked") / "records.json"
    checked = shell("verify", evidence, model, *shell.keys())
    assert checked.status == 0, checked
    assert "About other bytes: 1 statement that people made" in checked.out
    (model / "README.md").write_text("# Changed again\n")
    assert shell("verify", evidence, model, *shell.keys()).status == 1


def test_collected_files(shell: Shell, model: Path) -> None:
    """Patterns of paths name the files of a collection, with their digests; other things are named by theirs."""
    options = ("--stage", "collected", "--by", "Example Team", "--time", "2026-11-01", "--files", "raw/*.csv")
    done = shell(
        "attest", "stage", "--about", model, *options, "--materials", f"web=sha256:{'ab' * 32}", "--format", "json"
    )
    predicate = done.json["statement"]["predicate"]
    assert set(predicate["files"]) == {"raw/a.csv", "raw/b.csv"}
    assert predicate["materials"] == [{"name": "web", "digest": {"sha256": "ab" * 32}}]
    assert done.json["id"].startswith("sha256:")
    refused = shell("attest", "stage", "--about", model, *options[:-1], "raw/*.txt")
    assert "no file of model matches raw/*.txt" in refused.refused()


def test_a_file_and_options(shell: Shell, model: Path, tmp_path: Path) -> None:
    """Options count before what the file says."""
    file = tmp_path / "w.toml"
    file.write_text('context = "c"\nrequirement = "r"\nby = "a"\nuntil = 2099-12-31\nreason = "x"\n')
    done = shell("attest", "waiver", "--about", model, "--file", file, "--by", "Example Lab")
    assert done.out.startswith("Example Lab waives r")


def test_about_a_digest(shell: Shell, tmp_path: Path) -> None:
    """What is not here is named by its digest; then it must be said where the evidence goes."""
    what = f"owner/name=gitCommit:{'12' * 20}"
    options = ("--about", what, "--about", what, *WAIVE, "--reason", "x")
    assert "--output" in shell("attest", "waiver", *options).refused()
    done = shell("attest", "waiver", *options, "--output", tmp_path / "out")
    assert "owner/name, gitCommit 1212" in done.out
    assert (tmp_path / "out" / "records.json").is_file()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--about", "nowhere"), "nowhere"),
        (("--about", "x=sha256:XY"), "lower-case hexadecimal"),
        (("--about", "{model}", "--until", "soon"), "until must be a day"),
        (("--about", "{model}", "--until", "2020-12-31"), "would have ended on 2020-12-31"),
        (("--about", "{model}", "--output", "{model}/inside"), "lies inside"),
        (("--about", "{model}", "--reason", " "), "reason is empty"),
    ],
)
def test_what_is_refused(shell: Shell, model: Path, options: tuple[str, ...], said: str) -> None:
    """Mistakes end with status 2 and one sentence; nothing is signed or written."""
    given = [option.format(model=model) for option in options]
    assert said in shell("attest", "waiver", *WAIVE, "--reason", "x", *given).refused()
    assert not model.with_name("model.hallmarked").exists()
    assert not shell.home.exists()


def test_a_control_that_its_edition_does_not_have(shell: Shell, model: Path) -> None:
    """A typing mistake is refused; controls of frameworks that are not installed are taken as written."""
    said = ("--about", model, "--state", "documented", "--by", "Example team", "--where", "Sheet 2", "--control")
    for known in ("nist-ai-600-1/final-2024-07#GV-9.9-999", "nist-ai-600-1/final-2025#GV-1.6-001"):
        assert shell("attest", "control", *said, known).refused()
    assert not model.with_name("model.hallmarked").exists()
    assert shell("attest", "control", *said, "nist-ai-600-1/final-2024-07#GV-1.6-001").status == 0
    assert shell("attest", "control", *said, "example-rules/2026#R-1").status == 0


def test_statements_of_another_log(shell: Shell, model: Path, tmp_path: Path) -> None:
    """A file with statements of somebody else's log is left as it is."""
    shell("attest", "waiver", "--about", model, *WAIVE, "--reason", "x")
    evidence = model.with_name("model.hallmarked") / "records.json"
    before = evidence.read_bytes()
    shell.set(HALLMARKED_HOME=str(tmp_path / "other"))
    assert "another log" in shell("attest", "waiver", "--about", model, *WAIVE, "--reason", "x").refused()
    assert evidence.read_bytes() == before
    evidence.write_text("{}")
    shell("attest", "waiver", "--about", model, *WAIVE, "--reason", "x").refused(1)
    assert evidence.read_text() == "{}"


def test_a_dispute_and_its_settlement(shell: Shell, model: Path) -> None:
    """What is contested is one thing, the files it is about another; the one who opened a dispute settles it."""
    contest = ("attest", "dispute", "--about", model, "--contested", "eval.recall", "--by", "Example Author")
    done = shell(*contest, "--reason", "We measured less.", "--format", "json")
    assert done.json["statement"]["predicate"]["about"] == "eval.recall"
    assert done.json["statement"]["subject"][0]["name"] == "model"
    trust = read_trust(shell.home)
    assert [one.open for one in standing(gather(beside(model), trust))] == [True]
    assert shell(*contest, "--reason", "-", "--no-open", "--resolution", "Measured together.").status == 0
    assert [one.open for one in standing(gather(beside(model), trust))] == [False]


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_no_option_means_two_things(kind: type[Record]) -> None:
    """No field of a record has the option of another, or one that every command has."""
    names = [name for option in (*COMMON, *options(kind)) for name in (*option.opts, *option.secondary_opts)]
    assert len(names) == len(set(names))
    assert all(option.help for option in options(kind))


@pytest.mark.enable_socket
def test_about_a_revision_on_a_hub(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A revision on a hub is named by its commit; nothing of it is downloaded."""
    shell.set(HF_TOKEN=None, HF_HOME=str(tmp_path / "hf"))
    monkeypatch.chdir(tmp_path)
    with served(Endpoint({"README.md": b"# A model"})) as hub:
        what = ("--about", "hf://acme/tiny@main", "--endpoint", hub.url)
        done = shell("attest", "waiver", *what, *WAIVE, "--reason", "x", "--format", "json")
    assert done.json["statement"]["subject"] == [{"name": "acme/tiny", "digest": {"gitCommit": COMMIT}}]
    assert (tmp_path / "tiny.hallmarked" / "records.json").is_file()
    assert hub.sent < 10_000
