"""OSCAL assessment results: what requirements came to, for regulators' tools.

https://pages.nist.gov/OSCAL/learn/concepts/layer/assessment/assessment-results/. Each context is a result; each
requirement a finding with a state and a reason; each statement that was looked at an observation with its id. Ids of
OSCAL's own are made from what they stand for, so that equal evidence gives an equal document.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

from hallmarked import __version__
from hallmarked.exchange.sheet import Asked, Claim, Sheet

OSCAL = "1.1.3"
NAMESPACE = uuid.UUID("5f0ae1b3-3c1f-5d0c-8e38-2f5e0d2d9a11")
_PASSING = {"met", "waived"}
_SATISFIED = {"state": "satisfied", "reason": "pass"}
_NOT_SATISFIED = {"state": "not-satisfied", "reason": "fail"}
_NOT_TOKEN = re.compile(r"[^A-Za-z0-9_.-]+")


def write(sheet: Sheet) -> bytes:
    """Write the requirements and claims of a sheet as OSCAL assessment results."""
    plan = _id("plan", sheet)
    contexts = list(dict.fromkeys(asked.context for asked in sheet.asked))
    results = [_result(sheet, name, [one for one in sheet.asked if one.context == name]) for name in contexts]
    if sheet.claims or not results:
        results.append(_claims(sheet))
    document = {
        "assessment-results": {
            "uuid": _id("document", sheet),
            "metadata": {
                "title": f"Assessment of {sheet.name}",
                "last-modified": sheet.created,
                "version": sheet.version or "1",
                "oscal-version": OSCAL,
                "props": [
                    *(_prop(name, value) for name, value in sheet.digest),
                    _prop("tool-version", __version__),
                ],
            },
            "import-ap": {"href": f"#{plan}"},
            "results": results,
            "back-matter": {
                "resources": [
                    {"uuid": plan, "title": "Contexts", "description": "The policy contexts it was judged under."}
                ]
            },
        }
    }
    return (json.dumps(document, ensure_ascii=False, indent=2) + "\n").encode()


def _id(*parts: object) -> str:
    plain = [[part.name, part.digest, part.created] if isinstance(part, Sheet) else part for part in parts]
    return str(uuid.uuid5(NAMESPACE, json.dumps(plain)))


def _prop(name: str, value: str) -> dict[str, str]:
    return {"name": _token(name), "ns": "urn:hallmarked", "value": value}


def _token(text: str) -> str:
    """Write a text as an OSCAL token, which begins with a letter."""
    token = _NOT_TOKEN.sub("-", text)
    return token if token[:1].isalpha() else f"_{token}"


def _result(sheet: Sheet, context: str, asked: Sequence[Asked]) -> dict[str, Any]:
    ids = dict.fromkeys(id_ for one in asked for id_ in one.evidence)
    controls = dict.fromkeys(_token(one.id) for one in asked)
    return {
        "uuid": _id("result", sheet, context),
        "title": f"Context {context}",
        "description": f"{sheet.name} judged for the context {context}; each requirement with its reason.",
        "start": sheet.created,
        "reviewed-controls": {"control-selections": [{"include-controls": [{"control-id": one} for one in controls]}]},
        **_listed("observations", [_observation(sheet, context, id_) for id_ in ids]),
        "findings": [_finding(sheet, one, number) for number, one in enumerate(asked)],
    }


def _listed(name: str, values: Sequence[Any]) -> dict[str, Sequence[Any]]:
    """Return a member, or none: OSCAL has no empty lists."""
    return {name: values} if values else {}


def _observation(sheet: Sheet, context: str, statement: str) -> dict[str, Any]:
    return {
        "uuid": _id("observation", sheet, context, statement),
        "description": f"Statement {statement}",
        "methods": ["TEST"],
        "collected": sheet.created,
        "relevant-evidence": [{"href": f"urn:{statement}", "description": "A signed statement in the ledger."}],
    }


def _finding(sheet: Sheet, asked: Asked, number: int) -> dict[str, Any]:
    seen = [_id("observation", sheet, asked.context, one) for one in dict.fromkeys(asked.evidence)]
    return {
        "uuid": _id("finding", sheet, asked.context, asked.id, number),
        "title": asked.id,
        "description": asked.reason or asked.outcome,
        "props": [_prop("outcome", asked.outcome), *(_prop("maps-to", one) for one in asked.maps_to)],
        "target": {
            "type": "objective-id",
            "target-id": _token(asked.id),
            "status": _SATISFIED if asked.outcome in _PASSING else _NOT_SATISFIED,
        },
        **_listed("related-observations", [{"observation-uuid": one} for one in seen]),
    }


def _claims(sheet: Sheet) -> dict[str, Any]:
    return {
        "uuid": _id("result", sheet),
        "title": "Claims of the card",
        "description": "What the card says, and how far evidence bears it out.",
        "start": sheet.created,
        "reviewed-controls": {"control-selections": [{"include-all": {}}]},
        **_listed("observations", [*_claimed(sheet)]),
    }


def _claimed(sheet: Sheet) -> Iterator[dict[str, Any]]:
    for number, claim in enumerate(sheet.claims):
        evidence = [{"href": f"urn:{id_}", "description": "A signed statement."} for id_ in claim.evidence]
        yield {
            "uuid": _id("claim", sheet, number, claim.text),
            "title": claim.text,
            "description": _reason(claim),
            "props": [_prop("status", claim.status), _prop("kind", claim.kind)],
            "methods": ["EXAMINE"],
            "collected": sheet.created,
            **_listed("relevant-evidence", evidence),
        }


def _reason(claim: Claim) -> str:
    return f"{claim.status}: {claim.reason}" if claim.reason else claim.status
