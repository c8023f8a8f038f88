"""What pages show of a data set: the numbers of its audit in each language, and the rows that findings name."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from hallmarked.hub.change.commit import Message, Put, commit
from hallmarked.hub.change.creation import create
from hallmarked.web.app import create_app
from tests.hubs import RunningHub, open_test_hub
from tests.web.reading import check_document

pytest.importorskip("pyarrow", reason="tables are read with the extra data")
pytest.importorskip("phonenumbers", reason="telephone numbers need the extra data")

pytestmark = pytest.mark.slow
MAIL = "jane.roe@mail.example.org"
HOSTILE = "<script>alert(1)</script>"
PAGE = "/datasets/ada/visits"
DECLARED = '[columns]\ntext = "text"\nlabel = "label"\ngroup = "side"\ndate = "day"\n'


def rows() -> str:
    """Write rows of two groups, with labels, dates, a copy, and an address of a person in row 8."""
    made = [
        {
            "text": f"The nurse wrote down the time of the visit, number {n}.",
            "label": HOSTILE if n % 3 else "plain",
            "side": "north" if n % 4 else "south",
            "day": f"{2015 + n % 6}-01-01",
        }
        for n in range(60)
    ]
    made[7]["text"] += f" Write to {MAIL}."
    made.append(made[0])
    return "".join(json.dumps(row) + "\n" for row in made)


def fill(running: RunningHub) -> None:
    """Push the data set, and audit it."""
    ada = running.actor("ada")
    files = {"a.jsonl": rows(), "dataset.toml": DECLARED, "README.md": "---\nlicense: cc0-1.0\n---\n# Visits\n"}
    with running.hub.database.write() as db:
        repo = create(db, ada, "dataset", "visits")
        commit(db, repo, ada, [Put(path, text.encode()) for path, text in files.items()], Message("push"))
    running.audit_all()


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """Visit a hub with a data set that was audited."""
    with open_test_hub(tmp_path_factory.mktemp("hub")) as running:
        fill(running)
        with TestClient(create_app(running.hub), base_url="http://127.0.0.1") as found:
            yield found


def page(client: TestClient, path: str, language: str = "en") -> str:
    """Return a page, which has to be one that holds nothing that acts."""
    answer = client.get(path, headers={"Accept": "text/html", "Accept-Language": language})
    assert answer.status_code == 200
    check_document(answer.text, language)
    assert " style=" not in answer.text
    assert HOSTILE not in answer.text
    return answer.text


def test_numbers_of_the_audit_stand_on_the_pages(client: TestClient) -> None:
    """The card tells rows, copies, ages and personal data; the evidence has charts, columns and groups beside."""
    card, evidence = page(client, PAGE), page(client, f"{PAGE}/evidence")
    for text in (card, evidence):
        assert "<dt><span>Rows</span></dt><dd>61</dd>" in text
        assert "1 rows are copies of others (1.6%)" in text
        assert "found in 1 of 61 rows: e-mail addresses (1)" in text
        assert "2015-01-01 to 2020-01-01" in text
        assert 'id="holds"' in text
    assert '<svg class="chart"' not in card
    for what in (
        "Lengths of texts",
        "Ages: day",
        "Values: label",
        "Sources and groups",
        "Labels and groups",
        "Columns",
    ):
        assert what in evidence
    assert evidence.count('<svg class="chart" role="img"') >= 4
    assert 'x=""' not in evidence


def test_rows_that_findings_name_are_shown_masked(client: TestClient) -> None:
    """The page names the row of an address and shows its mask; the address is on no page."""
    for path in (PAGE, f"{PAGE}/evidence", f"{PAGE}/blob/main/a.jsonl"):
        text = page(client, path)
        assert "row 8: j***@***.org" in text
    assert "jane" not in page(client, f"{PAGE}/evidence")


def test_spanish_readers_read_spanish(client: TestClient) -> None:
    """Sentences, heads and titles are translated; names of columns and values stay."""
    evidence = page(client, f"{PAGE}/evidence", "es")
    for what in (
        "Qué contiene el conjunto de datos",
        "hallados en 1 de 61 filas: direcciones de correo electrónico (1)",
        "1 filas son copias de otras (1.6%)",
        "Antigüedad: day",
        "Valores de side en 61 filas.",
        "fila 8: j***@***.org",
        "Frente al azar",
    ):
        assert what in evidence
    assert "Lines show" not in evidence


def test_programs_get_the_same_numbers(client: TestClient) -> None:
    """The twin of the evidence page holds facts, bars and columns."""
    data = client.get(f"{PAGE}/evidence.json").json()["holds"]
    assert ["Rows", "61"] in data["facts"]
    assert {"side", "label", "day", "text"} == {column["name"] for column in data["columns"]}
    assert {bar["label"] for chart in data["charts"] for bar in chart["bars"]} >= {"plain", HOSTILE, "2015"}
