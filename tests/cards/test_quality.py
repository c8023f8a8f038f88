"""Ratios of a card with their counts; fill rates equal those of an independent counter."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from markdown_it import MarkdownIt

from hallmarked.cards.claim import derive_claims
from hallmarked.cards.document.declared import Tier
from hallmarked.cards.document.document import read_document
from hallmarked.cards.known import know
from hallmarked.cards.quality import Ratio, measure
from hallmarked.cards.template.checklist import check, kind_and_tier
from hallmarked.cards.template.template import shipped
from hallmarked.checks.documentation.sections import table
from hallmarked.core.evidence import Attestation, Statement, Subject
from tests.cards.document.support import CARDS, cards

NOW = datetime(2026, 6, 1, tzinfo=UTC)
HERE, THERE = Subject("m", {"dirHash": "aa"}), Subject("m", {"dirHash": "bb"})


def stated(role: str, age: int, subject: Subject, configuration: str = "", **measured: str) -> Attestation:
    rows = [{"metric": metric.replace("__", "."), "value": value} for metric, value in measured.items()]
    predicate: dict[str, Any] = {"measurements": rows, "outcome": "pass"}
    if configuration:
        predicate["configuration"] = [{"name": configuration, "digest": {"sha256": "00"}}]
    identity = f"sha256:{role}{age}{subject.digest['dirHash']}"
    return Attestation(Statement((subject,), "t", predicate), identity, NOW - timedelta(days=age), role, role, role)


def declared(*rows: dict[str, Any]) -> Attestation:
    """What the documentation check says of a card that makes these claims."""
    measured = [
        {"metric": "claim.declared", "value": row["id"], "slice": {"path": "README.md", "row": json.dumps(row)}}
        for row in rows
    ]
    configuration = [{"name": "hallmarked/checks/documentation", "digest": {"sha256": "00"}}]
    predicate = {"configuration": configuration, "outcome": "pass", "measurements": measured}
    return Attestation(Statement((HERE,), "t", predicate), "sha256:card", NOW, "maker", "maker", "maker")


def test_ratios_have_their_counts() -> None:
    """Each ratio counts what its definition says, one claim at a time."""
    card = declared(
        {"id": "both", "path": "eval.a", "op": ">=", "value": "0.9", "max_age": "30d"},
        {"id": "old", "path": "eval.b", "op": ">=", "value": "0.9", "max_age": "30d"},
        {"id": "own", "path": "eval.c", "op": ">=", "value": "0.9", "by": ["auditor"]},
        {"id": "drifted", "path": "eval.d", "op": ">=", "value": "0.9"},
        {"id": "wrong", "path": "eval.e", "op": ">=", "value": "0.9"},
        {"id": "bare", "path": "eval.f", "op": "present"},
    )
    evidence = [
        card,
        stated("auditor", 3, HERE, eval__a="0.95"),
        stated("auditor", 50, HERE, eval__b="0.95"),
        stated("maker", 1, HERE, eval__c="0.95"),
        stated("auditor", 2, THERE, eval__d="0.95"),
        stated("hub", 1, HERE, eval__e="0.5"),
    ]
    known = know(evidence, HERE)
    document = read_document(b"# X\n## Intended use\nReading.\n## Limitations\n[More Information Needed]\n")
    checklist = check(document, shipped(kind_and_tier(document)[0], Tier.MINIMAL))
    quality = measure(checklist, derive_claims(known, NOW), known, NOW)
    asked = len(checklist.items) - sum(item.asked.what != "section" for item in checklist.items)
    assert quality.fill == Ratio(1, asked)
    assert quality.support == Ratio(3, 6)  # both, old, own
    assert quality.freshness == Ratio(2, 3)  # not old
    assert quality.independence == Ratio(2, 6)  # both, old
    assert quality.drift == Ratio(1, 6)
    assert [name for name, _ in quality.named()] == ["fill", "support", "freshness", "independence", "drift"]
    assert (str(quality.freshness), quality.support.share) == ("2 of 3", Decimal("0.5"))


def test_nothing_to_count_is_said() -> None:
    """A card without claims has no share of supported ones: that is no zero."""
    document = read_document(b"# X\n")
    known = know((), HERE)
    quality = measure(check(document, shipped(*kind_and_tier(document))), (), known, NOW)
    assert (quality.support.share, str(quality.support)) == (None, "none to count")


# An independent counter: raw lines and regular expressions where the product reads a tree of blocks.


def plain(text: str) -> str:
    text = re.sub(r"\W+", " ", text.casefold().replace("&", " and ").replace("_", " ")).strip()
    text = re.sub(r"^(\d+ )+(?=\D)", "", text)
    return re.sub(r" optional$", "", text)


def says(text: str) -> bool:
    """Whether rendered text says anything, line by line."""
    nothing = set(table()["placeholders"]["whole"])
    left_behind = tuple(table()["placeholders"]["boilerplate"])
    for sentence in re.split(r"\n|(?<=[.!?。！？])\s+", text):
        line = re.sub(
            r"[\[({<]{1,2}\s*([^\[\](){}<>]{0,60}?)\s*[\])}>]{1,2}",
            lambda match: " " if plain(match[1]) in nothing or not plain(match[1]) else match[0],
            re.sub(r"\{\{(?!\s*claim\s)[^{}]*\}\}", " ", sentence),
        )
        words = plain(line)
        if not words or words in nothing or words.startswith(left_behind):
            continue
        label, colon, rest = re.split(r"([:：])", line, maxsplit=1) if re.search(r"[:：]", line) else (line, "", "")
        named = colon and 2 <= len(label.strip(" \t*_•-")) <= 60
        if named and (not plain(rest) or plain(rest) in nothing):
            continue
        return True
    return False


class Counted:
    """Headings of a card with what stands under each, from the flat list of tokens."""

    def __init__(self, markdown: str) -> None:
        self.rows: list[tuple[int, str, bool, list[tuple[str, bool]]]] = []  # level, title, says something, labels
        tokens = MarkdownIt("commonmark", {"html": True, "maxNesting": 50}).enable("table").parse(markdown)
        self.rows.append((0, "", False, []))
        cells: list[str] | None = None
        body, heading = False, False
        for token in tokens:
            if token.type == "heading_open":
                self.rows.append((int(token.tag[1]), "", False, []))
                heading = True
            elif token.type == "inline":
                text = "".join(
                    "\n" if child.type in ("softbreak", "hardbreak") else child.content
                    for child in token.children or ()
                    if child.type in ("text", "text_special", "code_inline", "image", "softbreak", "hardbreak")
                )
                if heading:
                    self.rows[-1] = (self.rows[-1][0], plain(text), *self.rows[-1][2:])
                    heading = False
                elif cells is not None:
                    cells.append(text)
                else:
                    self.note(says(text))
                    self.label(text)
                self.note(any(child.type == "image" for child in token.children or ()))
            elif token.type in ("fence", "code_block"):
                self.note(says(token.content))
            elif token.type == "html_block":
                kept = re.sub(r"<!--.*?(-->|\Z)", "", token.content, flags=re.DOTALL)
                self.note(says(re.sub(r"<[^<>]*>", " ", kept).strip()))
                self.note("<img" in token.content.lower() and bool(re.search(r"<img\b[^<>]*?\bsrc\s*=", token.content)))
            elif token.type == "tbody_open":
                body = True
            elif token.type == "tbody_close":
                body = False
            elif token.type == "tr_open":
                cells = []
            elif token.type == "tr_close":
                assert cells is not None
                self.note(body and any(says(cell) for cell in cells[1:] or cells))
                if len(cells) == 2:
                    self.rows[-1][3].append((plain(cells[0]), says(cells[1])))
                cells = None

    def note(self, something: bool) -> None:
        level, title, before, labels = self.rows[-1]
        self.rows[-1] = (level, title, before or something, labels)

    def label(self, text: str) -> None:
        match = re.match(r"[ \t\n*_•-]*([^:：\n]{2,60}?)[\s*_]*[:：](.*)", text, re.DOTALL)
        if match:
            self.rows[-1][3].append((plain(match[1]), says(match[2].strip(" \t\n*_"))))

    def filled(self, names: set[str], known: dict[str, set[str]]) -> bool:
        """Whether a section under one of the names, or below one, or a label of that name, says something."""
        for index, (level, title, something, _) in enumerate(self.rows):
            exact = {key for key, each in known.items() if title in each}
            begins = title not in set().union(*known.values()) and any(
                title.startswith(name + " ") for name in names if " " in name or len(name) >= 10
            )
            if level and (title in names if exact else begins):
                below = [something]
                for deeper, _, other, _ in self.rows[index + 1 :]:
                    if deeper <= level:
                        break
                    below.append(other)
                if any(below):
                    return True
        return any(label in names and value for *_, labels in self.rows for label, value in labels)


@CARDS
@pytest.mark.parametrize("tier", [Tier.LIMITED])
def test_fill_rates_equal_an_independent_count(tier: Tier) -> None:
    """On every development card the same sections are filled as a second counter finds from raw Markdown."""
    filled: Counter[str] = Counter()
    differing = []
    for path in cards():
        raw = path.read_bytes()
        document = read_document(raw, path.name)
        template = shipped(kind_and_tier(document)[0], tier)
        checklist = check(document, template)
        text = raw.decode().replace("\r\n", "\n")
        front = re.match(r"\s*---\n(?:.*?\n)??---[ \t]*(?:\n|\Z)", text, re.DOTALL)
        counted = Counted(text[front.end() :] if front else text)
        known = {each.id: set(each.names) for each in template.of("section")}
        ours = {item.asked.id for item in checklist.items if item.asked.what == "section" and item.filled}
        other = {name for name, names in known.items() if counted.filled(names, known)}
        filled.update(ours)
        if ours != other:
            differing.append((path.name, sorted(ours ^ other)))
    assert differing == []
    assert filled["citation"] > filled["harms"]
