"""A chain for people: the table, the drawing, what is inherited, and how data were collected."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hallmarked.cards.lineage.chain import Chain, follow
from hallmarked.cards.lineage.collection import collect
from hallmarked.cards.lineage.drawing import MOST_THINGS, WIDTH, draw
from hallmarked.cards.lineage.graph import Manifest, build
from hallmarked.cards.lineage.inherit import inherited
from hallmarked.cards.lineage.view import MISSING, SIGNED, UNKNOWN, table, to_json, to_text
from hallmarked.core.errors import InputError
from hallmarked.core.evidence import Attestation, Level, Subject
from hallmarked.records.dispute import Dispute
from hallmarked.records.stage import Step
from tests.cards.lineage.example import check_report, provenance, stage, thing, whole
from tests.records.example import NOW, signed

TUNED = thing("tuned")
SVG = "{http://www.w3.org/2000/svg}"


def chain(attestations: list[Attestation], target: Subject = TUNED) -> Chain:
    return follow(build(attestations, target))


def test_the_table() -> None:
    """There is a row for each stage, with who answers for it and whose key signed, what is in use first."""
    rows = table(chain(whole()))
    assert [row.stage for row in rows] == [
        "deployed", "approved", "evaluated", "fine-tuned", "trained", "collected", "curated", "collected",
    ]  # fmt: skip
    assert {row.state for row in rows} == {SIGNED}
    assert (rows[2].by, rows[2].signer) == ("who evaluated it", "the auditor (auditor)")
    assert (rows[3].what, rows[3].signer) == ("tuned", "Example Lab (maker)")


def test_what_is_missing_has_a_row() -> None:
    """A stage that nobody signed is a row that says so, and one by a stranger says that."""
    attestations = [*whole()[3:-1], stage(TUNED, Step.DEPLOYED, role="")]
    rows = table(chain(attestations))
    assert {row.state for row in rows} == {SIGNED, UNKNOWN, MISSING}
    assert any(row.state == MISSING and "nobody signed where mix comes from" in row.by for row in rows)
    assert "? nobody signed where mix comes from" in to_text(chain(attestations))
    said = to_json(chain(attestations))
    assert (said["holds"], said["broken"]) == (False, False)
    json.dumps(said)


def test_the_drawing_tells_in_words_what_it_shows() -> None:
    """Title and description name every thing with its state; each has a mark and a word; the width fits a phone."""
    circle = stage(thing("mix"), Step.CURATED, TUNED, time=NOW + timedelta(days=9), signer="Example Lab")
    attestations = [*whole()[:-1], circle]
    root = ElementTree.fromstring(draw(chain(attestations)))
    assert root.get("viewBox", "").split()[2] == str(WIDTH) == "320"
    title, about = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert title is not None
    assert about is not None
    assert root.get("aria-labelledby") == f"{title.get('id')} {about.get('id')}"
    assert "tuned" in str(title.text)
    for name in ("tuned: broken", "mix: broken", "web: signed", "leads to it again", "nobody signed for deploying"):
        assert name in str(about.text)
    groups = [group for group in root.iter(f"{SVG}g") if group.find(f"{SVG}title") is not None]
    assert len(groups) == 5
    for group in groups:
        words = " ".join(str(text.text) for text in group.iter(f"{SVG}text"))
        assert re.search("broken|signed|open|unknown", words)
        assert group.find(f"{SVG}g") is not None
    colours = {element.get(name) for element in root.iter() for name in ("fill", "stroke")} - {None}
    assert colours <= {"none", "currentColor", "Canvas"}


@pytest.mark.parametrize("rtl", [False, True])
def test_everything_lies_inside(rtl: bool) -> None:
    """Boxes, texts and lines lie inside of the drawing, also when it is turned round for other scripts."""
    svg = draw(chain(whole()), rtl=rtl)
    root = ElementTree.fromstring(svg)
    for box in root.iter(f"{SVG}rect"):
        if box.get("y", "").startswith("-"):
            continue  # a mark, around its own middle
        assert 0 <= float(box.get("x", "")) <= WIDTH - float(box.get("width", ""))
    places = [float(text.get("x", "0")) for text in root.iter(f"{SVG}text") if text.get("x")]
    assert places
    assert all((WIDTH / 2 < place <= WIDTH) if rtl else (0 <= place < WIDTH / 2) for place in places)
    paths = re.findall(r'<path d="M([\d.]+) [\d.]+H([\d.]+)', svg)
    assert paths
    for path in paths:
        assert all(0 <= float(x) <= WIDTH for x in path)
    assert (root.get("direction") == "rtl") is rtl


def test_many_things_are_left_to_the_table() -> None:
    """A drawing of more things than anybody can follow says how many it leaves out."""
    links = [stage(thing(f"t{at}"), Step.CURATED, thing(f"t{at + 1}")) for at in range(MOST_THINGS + 4)]
    svg = draw(chain(links, thing("t0")), say=str.upper)
    assert "NOT DRAWN, SEE THE TABLE: 5" in svg


@settings(max_examples=40)
@given(st.text(max_size=60), st.text(max_size=60))
def test_names_cannot_break_out(name: str, signer: str) -> None:
    """Whatever things and signers are called, the drawing is well-formed and holds no more than it should."""
    hostile = Subject(f"{name}</text><script>", {"sha256": "ab" * 32})
    try:
        attestations = [stage(hostile, Step.TRAINED, signer=f"<b>{signer}")]
    except InputError:  # what cannot be written as JSON is never signed
        return
    found = chain(attestations, hostile)
    root = ElementTree.fromstring(draw(found))
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {
        "svg", "title", "desc", "g", "rect", "circle", "path", "text",
    }  # fmt: skip
    assert "\x1b" not in to_text(found)


def test_what_is_wrong_with_a_parent_shows_on_descendants() -> None:
    """Findings and open disputes of all that something was made from are inherited, not its own."""
    finding = {"rule": "LEK001", "level": "error", "message": "12 items of a benchmark are in it"}
    note = {"rule": "XXX001", "level": "note", "message": "small"}
    books = [
        check_report(thing("books"), "benchmark-leakage", findings=[finding, note]),
        signed(Dispute(about="claim", reason="Not ours to give.", by="Example Author").to_statement(thing("books"))),
        check_report(TUNED, "serialization", findings=[{**finding, "rule": "PKL001"}]),
    ]
    attestations = [*whole(), *books]
    graph = build(attestations, TUNED)
    said = {(one.kind, one.name, one.level) for one in inherited(graph, attestations)}
    assert said == {("finding", "books", "error"), ("dispute", "books", "")}
    assert [one for one in inherited(graph, attestations, at_least=Level.NOTE) if one.level == "note"]
    base = graph.nodes[graph.ancestors(graph.target)[0]]
    assert base.title == "base"
    assert len(inherited(graph, attestations, base.key)) == 2
    settled = Dispute(about="claim", reason="-", by="x", open=False, resolution="Licensed.").to_statement(
        thing("books")
    )
    after = [*attestations, signed(settled, at=NOW + timedelta(days=20))]
    assert [one.kind for one in inherited(graph, after)] == ["finding"]
    mended = [*attestations]
    mended.append(signed(check_report(thing("books"), "benchmark-leakage").statement, at=NOW + timedelta(days=20)))
    assert [one.kind for one in inherited(graph, mended)] == ["dispute"]


def test_inheritance_in_a_circle() -> None:
    """A circle ends: everything on it inherits from the others once."""
    a, b = thing("a"), thing("b")
    finding = {"rule": "LEK001", "level": "error", "message": "x"}
    attestations = [stage(a, Step.CURATED, b), stage(b, Step.CURATED, a), check_report(b, "x", findings=[finding] * 3)]
    graph = build(attestations, a)
    assert len(inherited(graph, attestations)) == 1
    assert inherited(graph, attestations, graph.ancestors(graph.target)[0]) == ()


def test_orphan_files() -> None:
    """A file that comes from no event somebody known signed, and was made from nothing, is named."""
    digests = {path: thing(path).digest["sha256"] for path in ("raw/a.csv", "raw/b.csv", "built.parquet", "README.md")}
    data = Manifest(thing("data"), digests)
    event = stage(thing("earlier"), Step.COLLECTED, files={"old-name.csv": digests["raw/a.csv"]})
    stranger = stage(thing("data"), Step.COLLECTED, role="", files={"raw/b.csv": digests["raw/b.csv"]})
    build_ = provenance([thing("built.parquet")], [thing("somewhere")])
    found = collect([event, stranger, build_], data)
    assert found.orphans == ("raw/b.csv",)
    assert found.covered == 2
    assert "1 of 3 files come from no event that was signed: raw/b.csv" in found.sentence
    assert [one.record.by for one in found.events] == ["who collected it"]
    known = stage(thing("data"), Step.COLLECTED, role="hub", files={"raw/b.csv": digests["raw/b.csv"]})
    whole_ = collect([event, known, build_], data)
    assert whole_.orphans == ()
    assert whole_.sentence == "All 3 files come from 2 events that were signed"
    assert collect([], data).orphans == ("built.parquet", "raw/a.csv", "raw/b.csv")
