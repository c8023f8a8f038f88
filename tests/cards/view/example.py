"""A card, a translation of it, and statements about it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hallmarked.core.evidence import Attestation, Statement, Subject

NOW = datetime(2026, 6, 1, tzinfo=UTC)
HERE, ELSEWHERE = (Subject("acme/triage", {"dirHash": letter * 64}) for letter in "ab")

CARD = """---
license: mit
hallmarked:
  kind: model
  claims:
    - id: recall-worst
      path: eval.recall
      op: ">="
      value: "0.90"
      slice: worst
      by: [auditor]
      text: {en: "Finds 90 % of critical patients", es: "Encuentra al 90 % de los pacientes críticos"}
    - id: small
      path: bytes.total
      op: "<="
      value: "1000"
---
# Triage helper

## Plain-language summary

Helps nurses sort notes. It is not meant to decide alone. It misses about one critical patient in thirty. It was not
tested on notes about children. Write to help@acme.example.

## Uses

For nurses. Worst recall: {{claim recall-worst}}, `{{claim small}}`, and {{claim files.total}}.

## Bias, Risks, and Limitations

These are known:

- Misses one critical patient in thirty.
- It was not tested on notes about children.
- <!-- limit: spanish --> Few Spanish notes were measured.

## Model Card Contact

help@acme.example
"""


def said(
    metric: str, value: str, *, about: Subject = HERE, role: str = "auditor", days: int = 1, **more: Any
) -> Attestation:
    """State a measurement, a number of days ago."""
    row = {"metric": metric, "value": value, **more}
    statement = Statement((about,), "https://in-toto.io/attestation/test-result/v0.1", {"measurements": [row]})
    digest = f"{abs(hash((metric, value, role, days, str(more)))):064x}"
    return Attestation(statement, f"sha256:{digest}", NOW - timedelta(days=days), role, f"Example {role}", role)


def recall(value: str = "0.951", **more: Any) -> Attestation:
    """State a recall for one group."""
    return said("eval.recall", value, **{"n": 204, "interval": ["0.912", "0.973"], "slice": {"age": "80+"}} | more)
