"""Who answers for what through the command line, verified with public keys alone."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.cli.support import Shell


@pytest.fixture
def made(shell: Shell, tmp_path: Path) -> tuple[Path, Path]:
    """A data set and a model made from it, with everything signed."""
    data, model = tmp_path / "data", tmp_path / "model"
    for folder, name in ((data, "a.csv"), (model, "weights.bin")):
        folder.mkdir()
        (folder / name).write_text(name)
    state(shell, data, "collected", "2026-01-10", "--files", "*.csv")
    state(shell, model, "trained", "2026-02-01", "--materials", data)
    for step in ("evaluated", "approved", "deployed"):
        state(shell, model, step, "2026-03-01")
    return data, model


def state(shell: Shell, what: Path, step: str, time: str, *options: object) -> None:
    assert (
        shell(
            "attest", "stage", "--about", what, "--stage", step, "--by", "Example Team", "--time", time, *options
        ).status
        == 0
    )


PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "who-answers-for-what.md"


def records(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.hallmarked") / "records.json"


def test_the_chain_verifies_with_public_keys(shell: Shell, made: tuple[Path, Path], tmp_path: Path) -> None:
    """Whoever has the files, the evidence and the ids of the keys follows the chain without a network."""
    data, model = made
    command = ("lineage", "verify", model, "--evidence", records(data))
    assert shell(*command).status == 0
    keys = list(shell.keys())
    trust = tmp_path / "trust.json"
    trust.write_text(shell("key", "trust").out)
    shell.set(HALLMARKED_HOME=str(tmp_path / "elsewhere"))
    assert shell(*command).status == 2
    assert shell(*command, *keys).status == 0
    done = shell(*command, "--trust", trust)
    assert done.status == 0
    assert "✔ Every link from model back to the data is signed" in done.out
    assert not (tmp_path / "elsewhere").exists()


def test_one_input_less(shell: Shell, made: tuple[Path, Path]) -> None:
    """Without the evidence of the data the broken link is named."""
    done = shell("lineage", "verify", made[1])
    assert done.status == 2
    assert "nobody signed where data comes from, from which model was made" in done.out


def test_changed_bytes(shell: Shell, made: tuple[Path, Path]) -> None:
    """Nobody answers for other bytes than those that were signed."""
    data, model = made
    (model / "weights.bin").write_text("other")
    done = shell("lineage", "verify", model, "--evidence", records(data))
    assert done.status == 2
    assert "nobody signed where model comes from" in done.out


def test_a_circle_and_a_new_file(shell: Shell, made: tuple[Path, Path]) -> None:
    """What cannot be true ends with 1; a file nobody collected leaves a data set open."""
    data, model = made
    assert shell("lineage", "verify", data).status == 0
    state(shell, data, "curated", "2026-01-11", "--materials", model)
    done = shell("lineage", "verify", model, "--evidence", records(data))
    assert done.status == 1
    assert "✖ going back from model leads to it again (model, data, model), and nothing" in done.out


def test_orphans(shell: Shell, made: tuple[Path, Path]) -> None:
    """A file that no event brought is named, and the data set is not closed before somebody signs for it."""
    data, _ = made
    (data / "b.csv").write_text("new")
    state(shell, data, "collected", "2026-01-12", "--files", "a.csv")
    done = shell("lineage", "verify", data)
    assert done.status == 2
    assert "1 of 2 files come from no event that was signed: b.csv" in done.out
    state(shell, data, "collected", "2026-01-12", "--files", "*.csv")
    assert shell("lineage", "verify", data).status == 0


def test_forms(shell: Shell, made: tuple[Path, Path]) -> None:
    """The chain is shown as a table, as JSON and as a drawing."""
    data, model = made
    command = ("lineage", "show", model, "--evidence", records(data), "--format")
    assert "collected  data" in shell(*command, "text").out
    assert shell(*command, "json").json["holds"] is True
    assert shell(*command, "svg").out.startswith("<svg ")


def test_refused(shell: Shell, made: tuple[Path, Path], tmp_path: Path) -> None:
    """Without evidence there is nothing to follow; evidence that does not hold is refused by its name."""
    (tmp_path / "empty").mkdir()
    assert "no evidence beside" in shell("lineage", "verify", tmp_path / "empty").refused()
    evidence = records(made[0])
    evidence.write_text(evidence.read_text().replace('"payload": "', '"payload": "A', 1))
    assert str(evidence) in shell("lineage", "verify", made[0]).refused(1)


def test_the_page_that_explains_it(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every command of the page works as it is written there, and what it shows is what the page shows."""
    text = PAGE.read_text("utf-8").replace("--until 2026-", "--until 2126-")  # a waiver that has ended is refused
    for path in ("letters/raw/1.csv", "model/weights.bin"):
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_text(path)
    (decision,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    (tmp_path / "decision.toml").write_text(decision)
    monkeypatch.chdir(tmp_path)
    shown = []
    for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL):
        for line in block.replace("\\\n", "").strip().splitlines():
            if "https://" in line:  # asks somebody's hub
                continue
            done = shell(*shlex.split(line)[1:])
            assert done.err == ""
            assert done.status == (2 if "lineage verify" in line else 0), line
            shown.append(done.out)
    (table,) = [out for out in shown if out.startswith("stage ")]
    written = re.findall(r"^(?:deployed|approved|trained|collected|evaluated) .*$", text, re.MULTILINE)
    assert [_row(line) for line in written] == [_row(line) for line in table.splitlines()[1:6]]


def _row(line: str) -> tuple[str, str]:
    """Return the stage of a row, and who answers for it; digests differ from one machine to another."""
    cells = re.split(r" {2,}", line)
    return cells[0], cells[2]
