"""Nothing that an audit writes, prints or keeps holds the personal data it found."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.test_audit import Run, run

pa = pytest.importorskip("pyarrow", reason="tables are read with the extra data")
pq = pytest.importorskip("pyarrow.parquet")
pytest.importorskip("phonenumbers", reason="telephone numbers need the extra data")

__all__ = ["run"]

PLANTED = {
    "email": "zelda.quixwort@mail.example.org",
    "phone": "+44 7700 900867",
    "payment-card": "4000 0566 5566 5556",
    "iban": "DE89 3704 0044 0532 0130 00",
    "us-ssn": "212-09-4321",
    "ip-address": "203.0.113.77",
    "credential": "hf_" + "aB3xK9mQ2vL7pR4tY8wZ1nC6dF5gH0jS2e",
    "crypto-wallet": "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
    "pl-pesel": "pesel 44051401359",
    "passport": "passport X7654321",
}
SECRETS = [value.removeprefix("pesel ").removeprefix("passport ") for value in PLANTED.values()]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Write values where they may slip through: texts, labels, groups and broken rows."""
    folder = tmp_path / "set"
    folder.mkdir()
    texts = [f"Here is {value} for you" for value in PLANTED.values()]
    rows = [{"text": text, "owner": PLANTED["email"], "url": f"https://{PLANTED['ip-address']}/x"} for text in texts]
    (folder / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows) + f'{{"text": "{PLANTED["iban"]}\n')
    (folder / "b.csv").write_bytes(
        b"text,owner\n"
        + "".join(f'"{text}",x\n' for text in texts).encode()
        + f"{PLANTED['phone']},a,b,\xff\n".encode("latin-1")
    )
    table = pa.table(
        {"text": texts, "chat": [[{"said": text}] for text in texts], "phone": [447700900867] * len(texts)}
    )
    stream = io.BytesIO()
    pq.write_table(table, stream)
    (folder / "c.parquet").write_bytes(stream.getvalue())
    (folder / "d.parquet").write_bytes(stream.getvalue()[:-200])
    (folder / "e.csv").write_text("".join(f"{PLANTED['email']},{PLANTED['payment-card']},{n}\n" for n in range(9)))
    (folder / "dataset.toml").write_text('[columns]\ngroup = ["owner"]\nsource = "owner"\nurl = "url"\n')
    return folder


def written(*folders: Path) -> Iterator[tuple[str, bytes]]:
    """Yield every file below some folders."""
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                yield path.name, path.read_bytes()


@pytest.mark.slow
def test_no_planted_value_leaves_the_data(
    run: Run, data: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Planted values are found, and stand in no report, evidence, ledger, log or message."""
    caplog.set_level(logging.INFO)
    status, out, err = run("audit", data)
    assert status == 1  # a token is an error
    report = data.with_name("set.hallmarked")
    told = [("output", out.encode()), ("errors", err.encode()), ("log", caplog.text.encode())]
    told += list(written(report, tmp_path / "home"))
    assert {name for name, _ in told} >= {"report.html", "report.json", "report.sarif", "evidence.json"}
    parts = {*SECRETS, *(value.replace(" ", "") for value in SECRETS), "447700900867", "quixwort"}
    assert [(name, part) for name, content in told for part in parts if part.encode() in content] == []
    statements = (report / "report.json").read_text()
    assert all(kind in statements for kind in PLANTED)
