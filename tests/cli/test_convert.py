"""``hallmarked convert`` as a user meets it."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from hallmarked.core.sandbox import Limits
from hallmarked.ledger.bundle import schema
from hallmarked.ledger.trust import load_trust
from hallmarked.ledger.verify import verify_bundle
from tests.cli.support import Shell

torch = pytest.importorskip("torch")
safetensors_torch = pytest.importorskip("safetensors.torch")


class Hostile:
    """Runs a command when it is unpickled."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, ("exit 1",)


def model(folder: Path, files: Mapping[str, Any]) -> Path:
    """Write a folder in which everything but texts is saved by torch."""
    folder.mkdir()
    for name, value in files.items():
        if isinstance(value, str):
            (folder / name).write_text(value)
        else:
            torch.save(value, folder / name)
    return folder


def weights() -> dict[str, Any]:
    return {"a": torch.arange(6.0).reshape(2, 3), "b": torch.ones(4, dtype=torch.bfloat16)}


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_weights_become_safetensors_with_evidence(shell: Shell, tmp_path: Path) -> None:
    """Weights, report and evidence lie beside the input, and the input is as it was."""
    state = weights()
    source = model(tmp_path / "m", {"pytorch_model.bin": {"state_dict": state, "epoch": 3}, "README.md": "# m"})
    before = {path.name: path.read_bytes() for path in source.iterdir()}
    done = shell("convert", source)
    assert (done.status, done.err) == (0, "")
    out = tmp_path / "m-safetensors"
    assert names(out) == ["conversion.json", "evidence.json", "model.safetensors"]
    loaded = safetensors_torch.load_file(out / "model.safetensors")
    assert all(torch.equal(loaded[name], tensor) for name, tensor in state.items())
    report = json.loads((out / "conversion.json").read_bytes())
    assert [(row["name"], row["dtype"], row["equal"]) for row in report["tensors"]] == [
        ("a", "F32", True),
        ("b", "BF16", True),
    ]
    digest = hashlib.sha256((out / "model.safetensors").read_bytes()).hexdigest()
    assert [(row["name"], row["sha256"]) for row in report["files"]] == [("model.safetensors", digest)]
    assert report["dropped"]["pytorch_model.bin"][0]["name"] == "epoch"
    assert {path.name: path.read_bytes() for path in source.iterdir()} == before


def test_summary_is_short_and_aligned(shell: Shell, tmp_path: Path) -> None:
    """The summary counts files, tensors, ties and what was left out, and says how to verify."""
    shared = torch.ones(3)
    parts = {f"part{i}": shared for i in range(9)}
    source = model(tmp_path / "m", {"m.pt": {"state_dict": parts, "epoch": 3}, "README.md": "# m"})
    lines = shell("convert", source).out.splitlines()
    assert lines[0].startswith("Files       1 written, ")
    assert "Tensors     1, equal 1 of 1" in lines
    assert "Tied        8 left out, the same as another" in lines
    assert "            part1 = part0" in lines
    assert "            … and 3 more in conversion.json" in lines
    assert "Dropped     1 not part of the weights" in lines
    assert "Refused     none" in lines
    assert "Not copied  1 other file" in lines
    assert any(line.startswith("  hallmarked verify ") for line in lines)
    assert len(lines) < 25


def test_evidence_verifies_for_each_file_and_for_the_folder(shell: Shell, tmp_path: Path) -> None:
    """Everything that was written can be held against the evidence, one by one and together."""
    source = model(tmp_path / "m", {"a.pt": weights(), "b.pt": weights()})
    out = tmp_path / "out"
    assert shell("convert", source, "--output", out).status == 0
    jsonschema.validate(json.loads((out / "evidence.json").read_bytes()), json.loads(schema()))
    keys = list(shell.keys())
    for name in ("a.safetensors", "b.safetensors", "conversion.json"):
        done = shell("verify", out / "evidence.json", out / name, *keys)
        assert (done.status, f"About these bytes: {name}" in done.out) == (0, True)
    assert shell("verify", out / "evidence.json", out, *keys).status == 0
    assert shell("verify", out / "evidence.json", source / "a.pt", *keys).status == 1


def test_the_printed_command_verifies(shell: Shell, tmp_path: Path) -> None:
    """What the summary tells the user to type ends with status 0."""
    source = model(tmp_path / "my model", {"a.pt": weights()})
    printed = shell("convert", source).out.split("Verify with\n")[1]
    script = printed.replace("hallmarked", f"'{sys.executable}' -m hallmarked", 1)
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, "About these bytes: 2 files" in done.stdout) == (0, True)


@pytest.mark.parametrize(
    ("change", "status", "sentence"),
    [
        (lambda out: (out / "a.safetensors").write_bytes(b"other"), 1, "changed: a.safetensors"),
        (lambda out: (out / "conversion.json").unlink(), 1, "missing: conversion.json"),
        (lambda out: (out / "more.bin").write_bytes(b"more"), 2, "Not covered by this evidence: more.bin"),
        (lambda out: (out / "link").symlink_to("/"), 2, "not plain files: link"),
    ],
)
def test_changed_results_are_noticed(shell: Shell, tmp_path: Path, change: Any, status: int, sentence: str) -> None:
    """A folder of results with a file changed, missing or added does not pass as what was converted."""
    out = tmp_path / "m-safetensors"
    assert shell("convert", model(tmp_path / "m", {"a.pt": weights()})).status == 0
    change(out)
    done = shell("verify", out / "evidence.json", out, *shell.keys())
    assert (done.status, sentence in done.out) == (status, True), done.out


def test_statement_names_inputs_and_outputs(shell: Shell, tmp_path: Path) -> None:
    """The provenance is one signed statement: results and report as subjects, sources as dependencies."""
    source = model(tmp_path / "m", {"a.pt": weights(), "b.txt": "not weights"})
    assert shell("convert", source).status == 0
    out = tmp_path / "m-safetensors"
    verified = verify_bundle((out / "evidence.json").read_bytes(), load_trust(shell("key", "trust").out.encode()))
    assert verified.trusted
    (entry,) = verified.entries
    assert entry.predicate_type == "https://slsa.dev/provenance/v1"
    assert {s["name"]: s["digest"]["sha256"] for s in entry.statement["subject"]} == {
        name: hashlib.sha256((out / name).read_bytes()).hexdigest() for name in ("a.safetensors", "conversion.json")
    }
    assert entry.statement["predicate"]["buildDefinition"]["resolvedDependencies"] == [
        {"name": "a.pt", "digest": {"sha256": hashlib.sha256((source / "a.pt").read_bytes()).hexdigest()}}
    ]


def test_json_is_the_report(shell: Shell, tmp_path: Path) -> None:
    """``--format json`` prints the report that was written."""
    done = shell("convert", model(tmp_path / "m", {"a.pt": weights()}), "--format", "json")
    assert done.status == 0
    assert done.out == (tmp_path / "m-safetensors" / "conversion.json").read_text()
    assert len(done.json["tensors"]) == 2


def test_unproven_files_beside_weights_are_refused(shell: Shell, tmp_path: Path) -> None:
    """What is proven is converted; what is not is named with the reason, and the exit status says so."""
    source = model(tmp_path / "m", {"a.pt": weights(), "bad.pt": {**weights(), "x": Hostile()}})
    done = shell("convert", source)
    assert done.status == 1
    assert "Refused     1 not converted\n            bad.pt: its pickle is not proven: " in done.out
    assert "system" in done.out
    out = tmp_path / "m-safetensors"
    assert names(out) == ["a.safetensors", "conversion.json", "evidence.json"]
    assert list(json.loads((out / "conversion.json").read_bytes())["refused"]) == ["bad.pt"]


@pytest.mark.parametrize("extra", [[], ["--only", "bad.pt"], ["--only", "a.pt", "--only", "bad.pt"]])
def test_unproven_files_alone_or_named_stop_everything(shell: Shell, tmp_path: Path, extra: list[str]) -> None:
    """When the only file, or one the user named, is not proven, nothing is written."""
    files = {"bad.pt": {**weights(), "x": Hostile()}} | ({"a.pt": weights()} if extra else {})
    source = model(tmp_path / "m", files)
    assert "bad.pt: its pickle is not proven" in shell("convert", source, *extra).refused()
    assert names(tmp_path) == ["home", "m"]


def test_only_some_files(shell: Shell, tmp_path: Path) -> None:
    """``--only`` converts what was named and looks at nothing else."""
    source = model(tmp_path / "m", {"a.pt": weights(), "b.pt": weights(), "bad.pt": {"x": Hostile()}})
    assert shell("convert", source, "--only", "b.pt").status == 0
    assert names(tmp_path / "m-safetensors") == ["b.safetensors", "conversion.json", "evidence.json"]


def test_a_single_file(shell: Shell, tmp_path: Path) -> None:
    """PATH may be a file, also through a link by another name."""
    source = model(tmp_path / "m", {"a.pt": weights()})
    (tmp_path / "link.bin").symlink_to(source / "a.pt")
    assert shell("convert", source / "a.pt").status == 0
    assert names(source) == ["a.pt", "a.pt-safetensors"]
    assert shell("convert", tmp_path / "link.bin", "--output", tmp_path / "out").status == 0
    assert names(tmp_path / "out") == ["a.safetensors", "conversion.json", "evidence.json"]


def test_links_inside_of_a_folder_are_proven_by_content(shell: Shell, tmp_path: Path) -> None:
    """A client's cache, where every file is a link to its content, is converted under the names people see."""
    blobs, source = model(tmp_path / "blobs", {"0123": weights()}), tmp_path / "snapshots" / "main"
    source.mkdir(parents=True)
    (source / "pytorch_model.bin").symlink_to(blobs / "0123")
    assert shell("convert", source, "--output", tmp_path / "out").status == 0
    assert "model.safetensors" in names(tmp_path / "out")


def test_select_names_the_part_that_is_meant(shell: Shell, tmp_path: Path) -> None:
    """A checkpoint with several sets of tensors is refused until the user says which one is meant."""
    source = model(tmp_path / "m", {"a.pt": {"generator": weights(), "critic": {"c": torch.ones(1)}, "epoch": 3}})
    assert "select the one that is meant" in shell("convert", source).refused()
    assert "no weights under 'other'" in shell("convert", source, "--select", "other").refused()
    assert shell("convert", source, "--select", "critic").status == 0
    assert list(safetensors_torch.load_file(tmp_path / "m-safetensors" / "a.safetensors")) == ["c"]


def test_missing_path(shell: Shell, tmp_path: Path) -> None:
    """A path that is not there is named, once, and nothing is made."""
    assert shell("convert", tmp_path / "none").refused() == f"{tmp_path / 'none'}: no such file or directory"
    assert names(tmp_path) == []


@pytest.mark.parametrize("files", [{}, {"README.md": "# m"}, {"config.json": "{}"}])
def test_nothing_to_convert(shell: Shell, tmp_path: Path, files: dict[str, str]) -> None:
    """A folder without weights is an error, not a success with nothing in it."""
    assert shell("convert", model(tmp_path / "m", files)).refused() == "nothing in m can be converted"
    assert names(tmp_path) == ["home", "m"]


@pytest.mark.parametrize("name", ["README.md", "../m/a.pt", "none.pt", ""])
def test_named_files_must_be_weights_of_the_folder(shell: Shell, tmp_path: Path, name: str) -> None:
    """``--only`` takes paths of files in PATH that torch.save wrote, and nothing else."""
    source = model(tmp_path / "m", {"a.pt": weights(), "README.md": "# m"})
    assert shell("convert", source, "--only", name).refused()
    assert names(tmp_path) == ["home", "m"]


def test_existing_output_is_left_alone(shell: Shell, tmp_path: Path) -> None:
    """Neither a folder with something in it nor a file is touched; an empty folder will do."""
    source = model(tmp_path / "m", {"a.pt": weights()})
    out = tmp_path / "m-safetensors"
    out.mkdir()
    (out / "mine").write_text("kept")
    assert "is there already; nothing is overwritten" in shell("convert", source).refused()
    assert "is there already" in shell("convert", source, "--output", out / "mine").refused()
    assert names(out) == ["mine"]
    (out / "mine").unlink()
    assert shell("convert", source).status == 0


@pytest.mark.parametrize("inside", ["", "out", "../m/out"])
def test_output_is_never_inside_of_the_input(shell: Shell, tmp_path: Path, inside: str) -> None:
    """Writing into what is converted would change it."""
    source = model(tmp_path / "m", {"a.pt": weights()})
    assert "inside of what is converted" in shell("convert", source, "--output", source / inside).refused()
    assert names(source) == ["a.pt"]


def test_the_root_has_nothing_beside_it(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no default exists, the user is asked for one."""
    monkeypatch.setattr("hallmarked.cli.convert.open_artifact", lambda path: type("A", (), {"path": Path("/")})())
    assert "choose an --output" in shell("convert", "/").refused()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.", b"\x80\x04."])
def test_broken_files_end_in_one_sentence(shell: Shell, tmp_path: Path, content: bytes) -> None:
    """Empty and cut-off files are refused like any other bad input."""
    (tmp_path / "a.pt").write_bytes(content)
    shell("convert", tmp_path / "a.pt").refused()
    assert names(tmp_path) == ["a.pt", "home"]


def test_damaged_weights_beside_good_ones_are_not_passed_over(shell: Shell, tmp_path: Path) -> None:
    """A checkpoint that is cut off counts as refused, so that nobody takes the conversion for complete."""
    source = model(tmp_path / "m", {"a.pt": weights(), "b.pt": weights()})
    whole = (source / "b.pt").read_bytes()
    (source / "b.pt").write_bytes(whole[: len(whole) // 2])
    done = shell("convert", source)
    assert done.status == 1
    assert "b.pt: " in done.out.split("Refused")[1]
    assert names(tmp_path / "m-safetensors") == ["a.safetensors", "conversion.json", "evidence.json"]


def test_no_results_without_a_signature(shell: Shell, tmp_path: Path) -> None:
    """Who cannot sign gets no results: a wrong passphrase, an open key, a home that cannot be written."""
    source = model(tmp_path / "m", {"a.pt": weights()})
    shell.set(HALLMARKED_PASSPHRASE="right")
    shell("key", "show")
    shell.set(HALLMARKED_PASSPHRASE="wrong")
    assert "the passphrase is wrong" in shell("convert", source).refused()
    shell.set(HALLMARKED_PASSPHRASE="right")
    (shell.home / "maker.pem").chmod(0o644)
    assert "chmod 600" in shell("convert", source).refused()
    (tmp_path / "file").write_text("not a folder")
    shell.set(HALLMARKED_HOME=str(tmp_path / "file" / "home"))
    assert "not a directory" in shell("convert", source).refused().lower()
    assert names(tmp_path) == ["file", "home", "m"]


def test_failed_signing_leaves_nothing(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names that no statement can carry are refused before anything gets its name."""
    source = model(tmp_path / "m", {"a.pt": {"bad \ud800 name": torch.ones(1)}})
    shell("convert", source).refused()
    assert names(tmp_path) == ["home", "m"]


def test_texts_that_are_not_unicode_are_escaped(shell: Shell, tmp_path: Path) -> None:
    """Halves of characters in what is dropped or refused do not stop the rest."""
    odd = {"state_dict": weights(), "half \ud800": 1}
    source = model(tmp_path / "m", {"a.pt": odd, "b.pt": {"half \ud800": torch.ones(1)}})
    done = shell("convert", source)
    assert done.status == 1
    report = json.loads((tmp_path / "m-safetensors" / "conversion.json").read_bytes())
    assert [row["name"] for row in report["dropped"]["a.pt"]] == ["half \\ud800"]
    assert list(report["refused"]) == ["b.pt"]


def test_folders_within_are_kept(shell: Shell, tmp_path: Path) -> None:
    """Results lie at the same places as their sources, and verify there."""
    source = model(tmp_path / "m", {"a.pt": weights()})
    model(source / "sub", {"a.pt": weights()})
    assert shell("convert", source).status == 0
    out = tmp_path / "m-safetensors"
    assert names(out / "sub") == ["a.safetensors"]
    assert shell("verify", out / "evidence.json", out, *shell.keys()).status == 0


def test_shards_are_converted_or_refused_together(shell: Shell, tmp_path: Path) -> None:
    """The index is rewritten; when one shard is not proven, the whole is refused."""
    parts = {"pytorch_model-1.bin": {"a": torch.ones(2)}, "pytorch_model-2.bin": {"b": torch.ones(3)}}
    index = {"weight_map": {"a": "pytorch_model-1.bin", "b": "pytorch_model-2.bin"}}
    source = model(tmp_path / "m", {**parts, "pytorch_model.bin.index.json": json.dumps(index)})
    assert shell("convert", source).status == 0
    out = tmp_path / "m-safetensors"
    assert {"model.safetensors.index.json", "model-1.safetensors", "model-2.safetensors"} <= set(names(out))
    assert shell("verify", out / "evidence.json", out, *shell.keys()).status == 0
    torch.save({"b": torch.ones(3), "x": Hostile()}, source / "pytorch_model-2.bin")
    torch.save(weights(), source / "other.bin")
    done = shell("convert", source, "--output", tmp_path / "out")
    assert (done.status, "pytorch_model-2.bin: its pickle is not proven" in done.out) == (1, True)
    assert names(tmp_path / "out") == ["conversion.json", "evidence.json", "other.safetensors"]


def test_a_file_that_changes_after_its_proof_is_not_converted(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The proof is about bytes; when they are replaced, it is worth nothing."""
    source = model(tmp_path / "m", {"a.pt": weights(), "b.pt": {"b": torch.ones(3)}})

    def replaced(*_: object) -> list[str]:
        (source / "a.pt").write_bytes((source / "b.pt").read_bytes())
        return []

    monkeypatch.setattr("hallmarked.audit.convert._doubts", replaced)
    assert "changed while it was read" in shell("convert", source).refused()
    assert names(tmp_path) == ["home", "m"]


def test_a_check_that_dies_vouches_for_nothing(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the check's process is ended, its file is refused."""
    monkeypatch.setattr("hallmarked.audit.convert.Limits", lambda: Limits(wall_seconds=0))
    source = model(tmp_path / "m", {"a.pt": weights()})
    assert "the check did not finish" in shell("convert", source).refused()


def test_a_full_disk_leaves_nothing(shell: Shell, tmp_path: Path) -> None:
    """When the results cannot be written, one sentence says so and nothing half-written stays."""
    source = model(tmp_path / "m", {"a.pt": {"a": torch.zeros(1 << 20)}})
    shell("key", "show")
    done = subprocess.run(
        [sys.executable, "-m", "hallmarked", "convert", str(source)],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20)),
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert "file too large" in done.stderr.lower()
    assert names(tmp_path) == ["home", "m"]


def test_hostile_names_do_not_reach_the_terminal(shell: Shell, tmp_path: Path) -> None:
    """Control characters in names of tensors and files are shown escaped."""
    source = model(tmp_path / "m", {"\x1b[31m.pt": {"state_dict": {"a": torch.ones(1)}, "\x1b[2Jx": 1}})
    done = shell("convert", source)
    assert done.status == 0
    assert "\x1b" not in done.out + done.err
