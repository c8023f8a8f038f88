"""A small framework, and statements to answer it with."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

from hallmarked.core.evidence import Attestation, Statement, Subject
from hallmarked.profiles.framework import Framework
from hallmarked.profiles.read import read_framework
from hallmarked.records.control import Control, State

NOW = datetime(2026, 6, 1, tzinfo=UTC)
HERE = Subject("acme/model", {"dirHash": "a" * 64})
TEST_RESULT = "https://in-toto.io/attestation/test-result/v0.1"
TOML = """
[framework]
id = "example"
edition = "2026"
title = { en = "An example", es = "Un ejemplo" }
source = "a page of the example"
date = "2026-01-01"

[tag]
people = { en = "People", es = "Personas" }
money = { en = "Money" }

[group."ONE 1"]
function = "ONE"
title = { en = "The first part", es = "La primera parte" }
[group."TWO 1"]
function = "TWO"
title = { en = "The second part" }

[condition.data-only]
when = [{ path = "card.kind", op = "==", value = "dataset" }]
reason = { en = "It is a data set.", es = "Es un conjunto de datos." }

[answer.recall]
evidence = [{ path = "eval.recall", op = ">=", value = "0.9" }]
documents = [{ path = "card.section.filled", op = "==", value = "yes", slice = { section = "results" } }]
unless = ["data-only"]
shows = { en = "The recall is high.", es = "La exhaustividad es alta." }
needs = { en = "A result of an evaluation would answer it.", es = "Lo respondería un resultado." }

[answer.policy]
organisational = true
needs = { en = "A policy is a decision of people.", es = "Una política la deciden personas." }

[[control]]
id = "A-1"
group = "ONE 1"
answer = "recall"
tags = ["people", "money"]
page = 7
printed_id = "A--1"
summary = { en = "Find most of them.", es = "Encontrar la mayoría." }

[[control]]
id = "A-2"
group = "ONE 1"
answer = "policy"
tags = ["people"]
summary = { en = "Have a policy." }

[[control]]
id = "B-1"
group = "TWO 1"
answer = "recall"
audience = ["authority", "ai-office"]
summary = { en = "Tell the authority <b>how many</b>." }
"""


def framework(text: str = TOML) -> Framework:
    return read_framework({"example.toml": text.encode()})


def statement(predicate_type: str, predicate: dict[str, Any], *, role: str = "auditor") -> Attestation:
    """Sign something about the model, at a time of its own."""
    name = hashlib.sha256(json.dumps([predicate_type, predicate, role]).encode()).hexdigest()
    made = Statement((HERE,), predicate_type, predicate)
    return Attestation(
        made, f"sha256:{name}", NOW - timedelta(seconds=int(name[:6], 16)), role, f"Example {role}", role
    )


def measured(metric: str, value: str, **more: Any) -> Attestation:
    """State one measurement; what only a check can say of a card, as a check."""
    predicate: dict[str, Any] = {"measurements": [{"metric": metric, "value": value, **more}]}
    if metric.startswith("card."):
        part = more.get("slice", {}).get("section", "kind")
        predicate |= {"configuration": [{"name": f"hallmarked/checks/documentation-{part}"}], "outcome": "pass"}
    return statement(TEST_RESULT, predicate)


def filled(section: str) -> Attestation:
    """State that a section of the card is filled in."""
    return measured("card.section.filled", "yes", slice={"section": section, "line": "3"})


def answered(
    control: str, state: str = "documented", text: str = "We do.", edition: str = "example/2026"
) -> Attestation:
    """Answer a control in a signed record."""
    record = Control(
        control=f"{edition}#{control}", state=State(state), by="Example team", where="Handbook, page 3", reason=text
    )
    made = record.to_statement(HERE)
    return statement(made.predicate_type, dict(made.predicate), role="maker")


class Reader(HTMLParser):
    """Collects tags and text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data
