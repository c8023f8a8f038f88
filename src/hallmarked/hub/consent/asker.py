"""The asker's side of private look-up: what leaves this machine tells nobody whom it is about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from hallmarked import __version__
from hallmarked.core.errors import BackendError, InputError, VerificationError
from hallmarked.corpus.consent.blind import MOST, Blinded, Evaluation, blind, unblind
from hallmarked.corpus.consent.lookup import bucket_of, find_line, question
from hallmarked.corpus.consent.record import Mode
from hallmarked.corpus.consent.selector import Selector

API = "/api/hallmarked/consent/lookup"
SECONDS = 30
MOST_BYTES = 64 << 20
"""Bytes of an answer."""


@dataclass(frozen=True, slots=True)
class _Terms:
    """How a registry is asked."""

    epoch: str
    public: bytes
    bits: int


def look_up(
    address: str, selectors: Sequence[Selector], token: str | None = None, transport: httpx.BaseTransport | None = None
) -> list[Mode | None]:
    """Ask a hub's registry about identifiers without showing them.

    Args:
        address: Of the hub.
        selectors: What to ask about.
        token: Who asks, when guesses are counted for an account.
        transport: For tests that ask an application in the same process.

    Returns:
        For each, what its owner decided; None when it is not in the registry.

    Raises:
        InputError: When there is nothing, or too much, to ask about, or the address is none.
        BackendError: When the hub does not answer as it should.
        VerificationError: When it did not use the key that it announced.
    """
    if not 0 < len(selectors) <= MOST:
        raise InputError(f"between 1 and {MOST} identifiers can be asked about at once")
    asked = [blind(question(selector)) for selector in selectors]
    headers = {"User-Agent": f"hallmarked/{__version__}"} | ({"Authorization": f"Bearer {token}"} if token else {})
    try:
        with httpx.Client(
            base_url=address, headers=headers, timeout=SECONDS, transport=transport, follow_redirects=False
        ) as client:
            return _ask(client, asked)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError) as error:
        raise BackendError(f"the hub did not answer as a registry does: {type(error).__name__}") from error


def _ask(client: httpx.Client, asked: Sequence[Blinded]) -> list[Mode | None]:
    row = _json(client.get(API))
    terms = _Terms(str(row["epoch"]), bytes.fromhex(row["public_key"]), int(row["bits"]))
    body = {"epoch": terms.epoch, "elements": [one.element.hex() for one in asked]}
    made = _json(client.post(API, json=body))
    evaluation = Evaluation(tuple(bytes.fromhex(one) for one in made["elements"]), bytes.fromhex(made["proof"]))
    elements = unblind(asked, evaluation, terms.public)
    buckets: dict[int, bytes] = {}
    for number in sorted({bucket_of(element, terms.bits) for element in elements}):
        buckets[number] = _checked(client.get(f"{API}/{terms.epoch}/{terms.bits}/{number}")).content
    return [find_line(buckets[bucket_of(element, terms.bits)], element) for element in elements]


def _json(answer: httpx.Response) -> dict[str, Any]:
    row = _checked(answer).json()
    if not isinstance(row, dict):
        raise VerificationError("the hub's answer is not what a registry says", link="look-up")
    return row


def _checked(answer: httpx.Response) -> httpx.Response:
    if answer.status_code == 429:
        raise BackendError("no more identifiers can be looked up from here today: each is a guess, so they are counted")
    if answer.status_code == 404:
        raise BackendError("this hub has no registry of consents")
    if answer.status_code != 200 or len(answer.content) > MOST_BYTES:
        raise BackendError(f"the hub answered {answer.status_code}")
    return answer
