"""What a report shows of a data set: the numbers of the statements, as sentences, charts and tables."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from xml.etree import ElementTree

import pytest

from hallmarked.audit.report import html, text
from hallmarked.audit.report.chart import Bar, Chart
from hallmarked.audit.report.dataset import DataSet, data_set
from hallmarked.audit.report.language import language_name
from hallmarked.audit.report.measured import against_chance, percent
from hallmarked.checks.dataset.text import TextCheck
from hallmarked.checks.duplicate import DuplicateCheck
from hallmarked.checks.personal.check import PersonalCheck
from hallmarked.checks.runner import Result, run
from hallmarked.checks.table import TableCheck
from tests.audit.example import report
from tests.audit.report.test_html import Reader
from tests.support import MemoryArtifact

pytest.importorskip("pyarrow", reason="tables are read with the extra data")

DECLARED = """
[columns]
text = "text"
label = "label"
group = "side <b>"
[purpose]
text = "Sort letters"
[retention]
days = 365
[context]
collected = "forum"
use = ["triage"]
[synthetic]
column = "made"
[privacy.differential-privacy]
epsilon = 3.0
"""
HOSTILE = "<script>alert(1)</script>"


def results() -> list[Result]:
    rows = [
        {
            "text": f"The nurse wrote down the time of the visit, number {n}.",
            "label": HOSTILE if n % 3 else "plain",
            "side <b>": "north" if n % 4 else "south",
            "url": f"https://host{n % 2}.example/{n}",
            "day": f"{2015 + n % 6 + (n % 6 > 2)}-01-01",
            "made": n % 2,
        }
        for n in range(60)
    ]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    declared = DECLARED.replace("label =", 'date = "day"\nlabel =')
    artifact = MemoryArtifact({"a.jsonl": lines, "dataset.toml": declared})
    return [run(TableCheck(), artifact), run(TextCheck(), artifact)]


@pytest.fixture(scope="module")
def shown() -> DataSet:
    found = data_set(results(), date(2019, 6, 1))
    assert found is not None
    return found


def page_of(found: list[Result]) -> str:
    shown = report()
    seen = replace(
        shown.examination,
        results=found,
        titles={**shown.examination.titles, "tables": "T", "texts": "X", "duplicates": "D", "personal-data": "P"},
    )
    decision = replace(shown.decision, time=datetime(2019, 6, 1, tzinfo=UTC))
    return html.render(replace(shown, examination=seen, decision=decision))


def test_sentences_say_what_was_measured(shown: DataSet) -> None:
    """Rows, texts, languages, ages, hosts and what is declared are there in words."""
    facts = dict(shown.facts)
    assert facts["Rows"] == "60"
    assert facts["Languages"] == "English 100.0% (of 60 texts looked at)"
    assert facts["Ages"].startswith("2015-01-01 to 2021-01-01, half of them up to 2017-01-01; 0 rows without a date")
    assert facts["Hosts"] == "2 hosts; 0 rows without an address (url)"
    assert facts["Made by models"] == "50.0% of 60 rows, in up to 1 generation"
    assert facts["To be used for"] == "triage"
    assert facts["Privacy"] == "differential-privacy with epsilon 3.0, as declared"


def test_three_numbers_stand_at_the_top() -> None:
    """Rows, texts that repeat others and details of people come before the findings, also when whole rows differ."""
    lines = "".join(
        json.dumps({"id": n, "text": f"The same letter again, from jane{n % 2}@mail.example.org about a visit."}) + "\n"
        for n in range(40)
    )
    artifact = MemoryArtifact({"a.jsonl": lines})
    found = [run(check, artifact) for check in (TableCheck(), TextCheck(), DuplicateCheck(), PersonalCheck())]
    shown = data_set(found, date(2019, 6, 1))
    assert shown is not None
    assert dict(shown.glance) == {
        "Rows": "40",
        "Texts alike": "38 of 40 texts are the same or nearly the same as others",
        "Personal data": "found in 40 of 40 rows: e-mail addresses (40)",
    }
    page = page_of(found)
    assert page.index("38 of 40 texts") < page.index("What was found")
    without = data_set([run(TableCheck(), artifact)], date(2019, 6, 1))
    assert without is not None
    assert [label for label, _ in without.glance] == ["Rows"]


def test_what_has_expired_is_worked_out_for_the_day(shown: DataSet) -> None:
    """Statements hold no time: how many rows have expired follows from the day on which they are shown."""
    assert dict(shown.facts)["Kept for"] == "365 days; the first rows expired on 2016-01-01, and at least 30 have today"
    early = data_set(results(), date(2015, 6, 1))
    assert early is not None
    assert dict(early.facts)["Kept for"] == "365 days; the first rows expire on 2016-01-01"


def test_every_chart_has_its_numbers_beside_it(shown: DataSet) -> None:
    """Tables hold what bars show: counts add up, shares are those of the counts, gaps are zeros."""
    charts = {chart.id: chart for chart in shown.charts}
    assert {"languages", "lengths", "dates-1", "hosts-1", "labels-1"} <= charts.keys()
    assert [bar.label for bar in charts["dates-1"].bars] == [str(year) for year in range(2015, 2022)]
    assert [bar.count for bar in charts["dates-1"].bars] == ["10", "10", "10", "0", "10", "10", "10"]
    assert "1 year without any" in charts["dates-1"].about
    labels = next(chart for chart in shown.charts if chart.title == "Values: label")
    assert [(bar.label, bar.count) for bar in labels.bars] == [(HOSTILE, "40"), ("plain", "20")]
    assert labels.bars[0].share.startswith("66.7% (")
    for chart in shown.charts:
        assert len(chart.drawing.boxes) == len(chart.bars)
        assert all(box.x + box.width <= chart.drawing.width for box in chart.drawing.boxes)
        assert all(box.y + box.height <= chart.drawing.height for box in chart.drawing.boxes)


def test_charts_are_drawn_to_scale() -> None:
    """A bar twice as long stands for twice as much, and a long label is cut."""
    chart = Chart("x", "X", "", ("A", "B"), [Bar("a" * 99, "10", 10.0), Bar("b", "5", 5.0), Bar("c", "0", 0.0)])
    one, two, three = chart.drawing.boxes
    assert (one.width, three.width) == (2 * two.width, 0)
    assert len(chart.drawing.texts[0].text) == 19
    standing = replace(chart, standing=True).drawing
    assert standing.boxes[0].height == 2 * standing.boxes[1].height
    assert chart.summary == f"3 bars; the largest is {'a' * 99}, 10."


def test_many_bars_are_cut_and_said_so() -> None:
    """The chart shows the largest, the table more, and the rest is counted."""
    chart = Chart("x", "X", "", ("A", "B"), [Bar(str(n), str(n), float(n)) for n in range(60, 0, -1)])
    assert len(chart.drawing.boxes) == 15
    assert (len(chart.listed), chart.hidden) == (40, 20)


def test_the_page_shows_it_and_stays_a_page() -> None:
    """Charts are named images in well-formed SVG, hostile names stay text, and identifiers are unique."""
    page = page_of(results())
    reader = Reader()
    reader.feed(page)
    ids = [a["id"] for _, a in reader.tags if "id" in a]
    assert len(ids) == len(set(ids))
    drawings = [a for tag, a in reader.tags if tag == "svg" and a.get("class") == "chart"]
    assert len(drawings) >= 5
    for drawing in drawings:
        assert drawing["role"] == "img"
        assert set((drawing["aria-labelledby"] or "").split()) <= set(ids)
    assert not {tag for tag, _ in reader.tags} & {"script", "b"}
    assert HOSTILE in "".join(reader.text)
    assert "side <b>" in "".join(reader.text)
    for start in range(page.count('<svg class="chart"')):
        part = page.split('<svg class="chart"')[start + 1].partition("</svg>")[0]
        ElementTree.fromstring(f'<svg class="chart"{part}</svg>')
    assert all("scope" in a for tag, a in reader.tags if tag == "th")


def test_the_terminal_sums_it_up() -> None:
    """A few lines say what the data set holds."""
    shown = report()
    seen = replace(shown.examination, results=results())
    lines = text.render(replace(shown, examination=seen)).splitlines()
    start = lines.index("What the data set holds")
    assert lines[start + 1] == "  Rows            60"
    assert len(lines[start : lines.index("", start)]) < 16


def test_models_have_no_such_section() -> None:
    """Where no rows were counted nothing is said of rows."""
    assert data_set(report().examination.results, date(2026, 1, 1)) is None
    assert "What the data set holds" not in page_of(list(report().examination.results))


@pytest.mark.parametrize(
    ("share", "written"), [(0, "0.0%"), (0.00004, "0.004%"), (0.5, "50.0%"), (0.9999, "over 99.9%"), (1, "100.0%")]
)
def test_shares(share: float, written: str) -> None:
    """Little never reads as nothing, nor almost all as all."""
    assert percent(share) == written


def test_words_for_numbers() -> None:
    """Associations have a sign unless they are none; languages have names where these are known."""
    assert [against_chance(value) for value in (0.25, -0.1, -0.001)] == ["+0.25", "-0.10", "0.00"]
    assert [language_name(code) for code in ("sw", "qqq")] == ["Swahili", "qqq"]
