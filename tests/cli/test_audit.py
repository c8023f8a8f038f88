"""The main job through the command line: what it prints, writes, refuses and ends with."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hallmarked.cli.main import main

Run = Callable[..., tuple[int, str, str]]


class Command:
    """Calls a function when it is unpickled; only ever written here, never read."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("true",)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command line in a home of its own; returns exit status, standard output and standard error."""
    monkeypatch.setenv("HALLMARKED_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HALLMARKED_CLAMD", f"unix:{tmp_path}/no-daemon")

    def call(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return call


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "README.md").write_text("---\nlicense: mit\nlanguage: en\n---\n# A model\n\nIt does little.\n")
    (folder / "weights.pkl").write_bytes(pickle.dumps({"a": [1, 2, 3]}))
    return folder


def test_audit_and_verify(run: Run, model: Path) -> None:
    """An audit writes report and evidence beside the model; the evidence verifies with the keys it was signed with."""
    status, out, _ = run("audit", model, "--allow-unknown")
    assert status == 0
    folder = model.with_name("model.hallmarked")
    assert out.rstrip().endswith(f"Report: {folder / 'report.html'}")
    assert {path.name for path in folder.iterdir()} == {"report.html", "report.json", "report.sarif", "evidence.json"}
    keys = [part for line in run("key", "show")[1].splitlines() for part in ("--key", line.split()[0])]
    evidence = folder / "evidence.json"
    status, out, _ = run("verify", evidence, model, *keys)
    assert (status, out.count("✔")) == (0, 4)
    status, out, _ = run("verify", evidence, model)
    assert status == 2
    assert "Not trusted" in out
    status, out, _ = run("verify", evidence, *keys)
    assert status == 2
    assert "Not compared with any files" in out
    (model / "weights.pkl").write_bytes(pickle.dumps([]))
    (model / "new").write_text("")
    status, out, _ = run("verify", evidence, model, *keys)
    assert status == 1
    assert "changed: weights.pkl" in out
    assert "added: new" in out


def test_trust_file(run: Run, model: Path, tmp_path: Path) -> None:
    """A trust file somebody was given takes the place of single keys."""
    assert run("key", "create", "--name", "Acme")[0] == 0
    run("audit", model)
    trust = tmp_path / "trust.json"
    trust.write_text(run("key", "trust")[1])
    status, out, _ = run("verify", model.with_name("model.hallmarked") / "evidence.json", model, "--trust", trust)
    assert status == 0
    assert "signed by Acme (maker)" in out


def test_hostile_file(run: Run, model: Path) -> None:
    """A pickle that would run a command is an error, and the status says so whatever else is unknown."""
    (model / "evil.pkl").write_bytes(pickle.dumps(Command()))
    status, out, _ = run("audit", model, "--no-output")
    assert status == 1
    assert "evil.pkl" in out
    assert not model.with_name("model.hallmarked").exists()


def test_unknown_is_not_a_pass(run: Run, model: Path) -> None:
    """Without a scanner daemon the audit does not end with 0 unless that is accepted."""
    status, out, _ = run("audit", model, "--no-output")
    assert status == 2
    assert "malware" in out


@pytest.mark.parametrize("form", ["json", "sarif", "html"])
def test_formats(run: Run, model: Path, form: str) -> None:
    """Each format goes to standard output alone."""
    _, out, _ = run("audit", model, "--format", form, "--no-output")
    if form == "html":
        assert out.startswith("<!doctype html>")
    else:
        json.loads(out)


def test_same_bytes_same_statements(run: Run, model: Path, tmp_path: Path) -> None:
    """Two audits of the same bytes differ in the time of the decision and in nothing else."""
    copy = tmp_path / "elsewhere" / "model"
    copy.parent.mkdir()
    model.rename(copy)
    first = json.loads(run("audit", copy, "--format", "json", "--no-output")[1])
    copy.rename(model)
    second = json.loads(run("audit", model, "--format", "json", "--no-output")[1])
    for statements in (first, second):
        statements[-1]["predicate"].pop("timeCreated")
    assert first == second


def test_fail_on(run: Run, model: Path) -> None:
    """The threshold can be lowered to what would otherwise only be mentioned."""
    (model / "README.md").unlink()
    assert run("audit", model, "--no-output", "--allow-unknown")[0] == 0
    assert run("audit", model, "--no-output", "--allow-unknown", "--fail-on", "note")[0] == 1


def test_several_files(run: Run, model: Path) -> None:
    """Several paths are audited one by one; findings weigh more than what is unknown."""
    (model / "evil.pkl").write_bytes(pickle.dumps(Command()))
    status, _, _ = run("audit", model / "weights.pkl", model / "evil.pkl", "--no-output", "-q", "--allow-unknown")
    assert status == 1
    status, out, _ = run("audit", model / "weights.pkl", "--no-output", "-q", "--allow-unknown")
    assert (status, out) == (0, "")


@pytest.mark.parametrize("kind", ["missing", "empty", "device", "output-inside", "context", "check", "two-outputs"])
def test_bad_input(run: Run, model: Path, tmp_path: Path, kind: str) -> None:
    """What cannot be done is said in one sentence with status 2, and nothing is written."""
    (tmp_path / "empty").mkdir()
    arguments: dict[str, list[object]] = {
        "missing": [tmp_path / "none"],
        "empty": [tmp_path / "empty"],
        "device": ["/dev/zero"],
        "output-inside": [model, "--output", model / "report"],
        "context": [model, "--context", "nowhere"],
        "check": [model, "--check", "nothing"],
        "two-outputs": [model, model, "--output", tmp_path / "report"],
    }
    before = sorted(tmp_path.rglob("*"))
    status, out, err = run("audit", *arguments[kind])
    assert status == 2
    assert out == ""
    assert err.startswith("hallmarked: ")
    assert err.count("\n") == 1
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_unreadable_file(run: Run, model: Path) -> None:
    """A file that cannot be read is named."""
    (model / "weights.pkl").chmod(0)
    status, _, err = run("audit", model)
    assert status == 2
    assert "weights.pkl" in err


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"\xff\xfe", b"null", b'{"entries": []}', b"[" * 100_000])
def test_bad_evidence(run: Run, tmp_path: Path, data: bytes) -> None:
    """A file that is no evidence is refused in one sentence with status 1."""
    (tmp_path / "evidence.json").write_bytes(data)
    status, out, err = run("verify", tmp_path / "evidence.json")
    assert (status, out) == (1, "")
    assert err.startswith("hallmarked: ")
    assert err.count("\n") == 1


def test_verify_bad_input(run: Run, tmp_path: Path) -> None:
    """Missing files and ids that are too short are the caller's fault."""
    assert run("verify", tmp_path / "none")[0] == 2
    (tmp_path / "evidence.json").write_bytes(b"{}")
    assert run("verify", tmp_path / "evidence.json", "--key", "abc")[0] == 2


def test_check_list(run: Run) -> None:
    """Every check is listed with its rules, and every rule has a title and says what to do."""
    status, out, _ = run("check", "list", "--format", "json")
    assert status == 0
    rules = [rule for check in json.loads(out)["checks"] for rule in check["rules"]]
    assert len({rule["id"] for rule in rules}) == len(rules)
    assert all(rule["title"] and rule["help"] for rule in rules)


def test_help_imports_little() -> None:
    """Asking for help loads at most 250 modules."""
    code = "import sys; from hallmarked.cli.main import main\ntry: main(['--help'])\nfinally: print(len(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert int(done.stdout.split()[-1]) <= 250


def test_an_empty_path_is_refused(run: Run, tmp_path: Path) -> None:
    """An empty path, such as an unset variable leaves, does not mean the current folder."""
    for arguments in (["audit", ""], ["convert", ""], ["audit", tmp_path, "--output", ""], ["verify", ""]):
        status, out, err = run(*arguments)
        assert (status, out) == (2, "")
        assert err == "hallmarked: a path is empty; write . if the current folder is meant\n"


def test_a_whole_file_system_is_refused(run: Run) -> None:
    """The root of a file system is refused at once, before anything is listed."""
    status, out, err = run("audit", "/")
    assert (status, out) == (2, "")
    assert err == "hallmarked: / is a whole file system; name the folder or file that is meant\n"


def test_output_on_a_file(run: Run, model: Path) -> None:
    """An output folder that cannot be one is refused before anything is signed or logged."""
    taken = model.with_name("taken")
    taken.write_text("here before")
    for output in (taken, taken / "below"):
        status, out, err = run("audit", model, "--output", output)
        assert (status, out) == (2, "")
        assert err == f"hallmarked: {taken} is not a folder; choose another --output\n"
    assert not (model.parent / "home").exists()
    assert taken.read_text() == "here before"


def test_a_path_given_twice(run: Run, model: Path) -> None:
    """A path that is named twice is audited once."""
    _, out, _ = run("audit", model, model / ".", "--no-output", "--allow-unknown", "--check", "inventory")
    assert out.count("dirHash") == 1


def test_interrupt(run: Run, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C ends an audit with one sentence and a status that does not mean findings; nothing is written."""

    def interrupted(*_arguments: object, **_options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("hallmarked.cli.audit.examine", interrupted)
    status, out, err = run("audit", model)
    assert (status, out) == (130, "")
    assert err.strip() == "hallmarked: interrupted; what was not finished was not written"
    assert not model.with_name("model.hallmarked").exists()


def test_reader_went_away() -> None:
    """Output into a pipe whose reader has gone ends quietly, with a status that does not mean findings."""
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "hallmarked", "check", "list"]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (2, b"")
