"""``hallmarked corpus index``, ``search`` and ``attribute``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

for _module in ("pyarrow", "pydivsufsort"):
    pytest.importorskip(_module, reason="data sets are searched with the extra data")

from hallmarked.cli.main import command  # noqa: E402 -- after the skip
from hallmarked.core.errors import Error  # noqa: E402

PASSAGE = "a heron stood in the shallow water and did not move for an hour"


def _run(*arguments: object, stdin: str = "") -> Result:
    result = CliRunner().invoke(command, [str(each) for each in arguments], input=stdin)
    assert result.exception is None or isinstance(result.exception, SystemExit | Error), result.exception
    return result


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an index by the command."""
    folder = tmp_path_factory.mktemp("corpus")
    (folder / "data").mkdir()
    rows = [{"text": f"Note. {PASSAGE.title()}!", "source": "https://example.org/pond", "license": "CC-BY-4.0"}]
    (folder / "data" / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    made = _run("corpus", "index", folder / "data", folder / "index", "--processes", 1)
    assert made.exit_code == 0, made.output
    assert "1 rows, 15 words" in made.output
    return folder / "index"


def test_a_copied_passage_is_traced_and_fails(index: Path) -> None:
    """An output with a passage of the data set names row, source and licence, and fails from the given length on."""
    text = f"I think that {PASSAGE}."
    found = _run("corpus", "attribute", index, "--text", text, "--fail-on-verbatim", 14)
    assert found.exit_code == 1
    assert "82.4% of 17 words, 1 passages found" in found.output
    assert "train.jsonl row 1 (https://example.org/pond, CC-BY-4.0)" in found.output
    assert _run("corpus", "attribute", index, "--text", text, "--fail-on-verbatim", 15).exit_code == 0
    assert _run("corpus", "attribute", index, "--text", text).exit_code == 0


def test_outputs_of_a_model_are_read_line_by_line(index: Path, tmp_path: Path) -> None:
    """Each line of JSON Lines gives a line of JSON; texts also come from a file or from standard input."""
    lines = "".join(json.dumps({"output": text}) + "\n" for text in ("nothing of it", PASSAGE))
    found = _run("corpus", "attribute", index, "--file", "-", "--column", "output", "--format", "json", stdin=lines)
    told = [json.loads(line) for line in found.output.splitlines()]
    assert [(each["text"], each["found"][0]["copied"]) for each in told] == [("line 1", 0), ("line 2", 14)]
    assert told[1]["found"][0]["passages"][0]["text"] == PASSAGE
    (tmp_path / "text").write_text(PASSAGE)
    found = _run("corpus", "attribute", index, "--file", tmp_path / "text", "--format", "json")
    assert json.loads(found.output)["found"][0]["share"] == 1.0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "give either --text or --file"),
        (("--text", "a", "--column", "b"), "--column goes with --file"),
        (("--file", "missing"), "missing cannot be read: no such file"),
        (("--file", "-", "--column", "other"), "line 1 is no JSON object with 'other'"),
    ],
)
def test_what_cannot_be_read_is_said(index: Path, arguments: tuple[str, ...], said: str) -> None:
    """Bad input gives one sentence."""
    result = _run("corpus", "attribute", index, *arguments, stdin='{"output": 1}\n')
    assert said in str(result.exception)


def test_keywords_find_rows(index: Path) -> None:
    """Rows are found by words in any order; nothing found is status 1."""
    found = _run("corpus", "search", index, "water", "HERON")
    assert (found.exit_code, "train.jsonl row 1 (https://example.org/pond" in found.output) == (0, True)
    found = _run("corpus", "search", index, "heron", "--format", "json")
    assert json.loads(found.output)["documents"] == 1
    assert _run("corpus", "search", index, "kingfisher").exit_code == 1


def test_what_another_engine_indexes_is_written(tmp_path: Path) -> None:
    """For infini-gram its documents are written, and the command that indexes them is printed."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "train.jsonl").write_text('{"text": "one two"}\n')
    made = _run("corpus", "index", tmp_path / "data", tmp_path / "index", "--processes", 1, "--for", "infini-gram")
    assert made.exit_code == 0
    assert "python -m infini_gram.indexing" in made.output
    assert '" one two "' in (tmp_path / "index" / "data" / "documents.jsonl").read_text()


def test_rows_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    """An index that lacks rows is made, says which, and has status 2."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "train.jsonl").write_text('{"text": "one"}\nbroken\n')
    made = _run("corpus", "index", tmp_path / "data", tmp_path / "index", "--processes", 1, "--no-keywords")
    assert made.exit_code == 2
    assert "not in it: train.jsonl, row 2: the row is not JSON" in made.output
