"""Data sets that the ecosystem's own libraries push: what the hub's audit says of their rows, and what it shows."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import unescape
from pathlib import Path

import httpx
import pytest

from hallmarked.checks import registry
from hallmarked.core.check import Extent
from hallmarked.core.evidence import Statement
from hallmarked.hub.repository.repository import find_repository
from hallmarked.hub.repository.revision import Revision, find_revision
from hallmarked.hub.review.audited import find_audit
from hallmarked.hub.review.finding import check_of
from hallmarked.hub.setting import Job, Settings, Storage
from tests.checks.test_leak import BENCHMARK, QUESTIONS
from tests.hubs import RunningHub, serve_test_hub

hf = pytest.importorskip("huggingface_hub")
errors = pytest.importorskip("huggingface_hub.errors")
parquet = pytest.importorskip("pyarrow.parquet")
arrow = pytest.importorskip("pyarrow")

pytestmark = [
    pytest.mark.enable_socket,
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning:huggingface_hub"),
    pytest.mark.filterwarnings("ignore:Use .content=:DeprecationWarning"),
]

MAIL = "jane.roe@mail.example.org"
TOKEN = "hf_" + "aB3xK9mQ2vL7pR4tY8wZ1nC6dF5gH0jS2e"
COPIED = (
    "Die Katze schläft auf dem warmen Dach, während unten im Hof die Kinder mit einem alten Ball spielen und lachen."
)
ROWS = [
    {"text": f"Notes number {n}: the river {n * 7} was high that day and nobody crossed.", "year": 2000 + n % 20}
    for n in range(300)
]
NAME = "ada/letters"
ENGLISH = (
    "row 42: j***@***.org",
    "b.parquet row 51 has the same words as a.jsonl row 101",
    "in row 101 of b.parquet",
    "found in 2 of 300 rows: keys and tokens (1), e-mail addresses (1)",
    "What the data set holds",
)
SPANISH = (
    "fila 42: j***@***.org",
    "b.parquet row 51 tiene las mismas palabras que a.jsonl row 101",
    "en la fila 101 de b.parquet",
    "hallados en 2 de 300 filas: claves y tókenes (1), direcciones de correo electrónico (1)",
    "Qué contiene el conjunto de datos",
)
README = "---\nlicense: cc0-1.0\nlanguage: [en]\n---\n# Letters\n"
DECLARED = '[columns]\ntext = ["text"]\n'
PARTED = {name for name in registry.available() if registry.load(name)[0].extent is Extent.PARTS}


def write(folder: Path) -> None:
    """Write a data set with personal data, a secret, copies and items of a benchmark at known rows."""
    folder.mkdir()
    rows = [dict(row) for row in ROWS]
    rows[41]["text"] += f" Write to {MAIL}."
    rows[57]["text"] += f" Use {TOKEN}."
    rows[100]["text"] = rows[200]["text"] = COPIED
    rows[250]["text"] = QUESTIONS[2]
    (folder / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows[:150]))
    parquet.write_table(arrow.Table.from_pylist(rows[150:]), folder / "b.parquet")
    (folder / "README.md").write_text(README)
    (folder / "dataset.toml").write_text(DECLARED)


@dataclass
class Pushed:
    """A data set on a running hub, as its audit left it."""

    hub: RunningHub
    folder: Path

    def push(self, *names: str) -> None:
        """Push files with the ecosystem's client, and wait for the audit."""
        owner = hf.HfApi(endpoint=self.hub.url, token=self.hub.person("ada"))
        owner.create_repo(NAME, repo_type="dataset", exist_ok=True)
        owner.upload_folder(folder_path=self.folder, repo_id=NAME, repo_type="dataset", allow_patterns=list(names))
        self.hub.await_audits()

    def audited(self) -> tuple[Revision, dict[str, Statement]]:
        """Return the newest revision, and its statements by check."""
        with self.hub.hub.database.read() as db:
            repo = find_repository(db, "dataset", NAME)
            at = find_revision(db, repo, "main")
            audit = find_audit(db, repo.id, at.oid)
        assert audit is not None
        return at, {check_of(each): each for each in audit.statements if check_of(each)}


@pytest.fixture(scope="module")
def pushed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pushed]:
    """Push the data set whole to a hub that audits."""
    folder = tmp_path_factory.mktemp("hub")
    (folder / "benchmarks").mkdir()
    (folder / "benchmarks" / "mine.test.jsonl").write_text(BENCHMARK)
    storage = Storage(data=str(folder / "data"))
    with pytest.MonkeyPatch.context() as patch, contextlib.ExitStack() as stack:
        patch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
        settings = Settings(storage=storage, job=Job(benchmarks=str(folder / "benchmarks"), processes=2))
        hub = stack.enter_context(serve_test_hub(folder, settings, audits=True))
        write(folder / "letters")
        found = Pushed(hub, folder / "letters")
        found.push("*")
        yield found


def test_rows_are_named_and_the_gate_holds_them_back(pushed: Pushed, tmp_path: Path) -> None:
    """Every planted thing is found at its row, told without its value; a secret keeps others from downloading."""
    at, said = pushed.audited()
    assert said.keys() >= PARTED
    assert not [
        each.predicate["reason"] for name, each in said.items() if name in PARTED and "reason" in each.predicate
    ]
    told = {name: json.dumps(each.to_dict(), ensure_ascii=False) for name, each in said.items()}
    assert "row 42: j***@***.org" in told["personal-data"]
    assert "row 58: ****" in told["personal-data"]
    assert "b.parquet row 51 has the same words as a.jsonl row 101" in told["duplicates"]
    assert "in row 101 of b.parquet" in told["benchmark-leakage"]
    counted = {m["metric"]: m["value"] for m in said["tables"].predicate["measurements"] if not m.get("slice")}
    assert counted["rows.total"] == "300"
    everything = "".join(told.values())
    assert MAIL not in everything
    assert TOKEN not in everything
    assert (at.state, at.reason.partition(" (")[2][:6]) == ("held", "PER003")
    stranger = hf.HfApi(endpoint=pushed.hub.url, token=pushed.hub.person("bob"))
    with pytest.raises(errors.GatedRepoError, match="held back"):
        stranger.hf_hub_download(NAME, "a.jsonl", repo_type="dataset", cache_dir=tmp_path)


@pytest.mark.parametrize(("language", "words"), [("en", ENGLISH), ("es", SPANISH)])
def test_pages_tell_it(pushed: Pushed, language: str, words: Sequence[str]) -> None:
    """The page of the evidence names rows and counts, in the reader's language, and no value."""
    headers = {"Accept": "text/html", "Accept-Language": language}
    page = httpx.get(f"{pushed.hub.url}/datasets/{NAME}/evidence/main", headers=headers, timeout=60).text
    seen = " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())
    assert [each for each in words if each not in seen] == []
    assert MAIL not in page
    assert TOKEN not in page
