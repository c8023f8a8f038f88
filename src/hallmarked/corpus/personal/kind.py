"""The kinds of personal data and secrets that are known, and what people call them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from hallmarked.corpus.personal.model import Strength
from hallmarked.corpus.personal.national import NATIONALS

NAME = "person-name"
"""Needs a model."""


class Family(StrEnum):
    """What a kind is about."""

    CONTACT = "contact"
    MONEY = "money"
    NUMBER = "number of a person"
    MACHINE = "machine"
    SECRET = "secret"  # noqa: S105 -- a kind of data
    PERSON = "person"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind."""

    id: str
    title: str
    """What it is called, to be read after a number: "e-mail addresses"."""
    family: Family
    usual: bool = True
    """Whether it is looked for unless kinds are named."""
    strength: Strength = Strength.LIKELY


_OWN = (
    Kind("email", "e-mail addresses", Family.CONTACT),
    Kind("phone", "telephone numbers", Family.CONTACT),
    Kind("url", "web addresses", Family.OTHER, usual=False),
    Kind("date", "dates", Family.OTHER, usual=False),
    Kind("payment-card", "numbers of payment cards", Family.MONEY),
    Kind("iban", "bank accounts (IBAN)", Family.MONEY),
    Kind("us-bank-routing", "bank routing numbers (United States)", Family.MONEY),
    Kind("ip-address", "internet addresses (IP)", Family.MACHINE),
    Kind("mac-address", "hardware addresses (MAC)", Family.MACHINE),
    Kind("crypto-wallet", "addresses of crypto wallets", Family.MONEY),
    Kind("credential", "keys and tokens", Family.SECRET),
    Kind("private-key", "private keys", Family.SECRET),
    Kind("password", "passwords", Family.SECRET),
    Kind("birth-date", "dates of birth", Family.PERSON),
    Kind("passport", "passport numbers", Family.NUMBER),
    Kind("driver-licence", "driving licence numbers", Family.NUMBER),
    Kind("coordinates", "exact places (coordinates)", Family.PERSON),
    Kind("imei", "numbers of mobile devices (IMEI)", Family.MACHINE),
    Kind(NAME, "names of people", Family.PERSON),
)
_NATIONAL = (Kind(each.kind, each.title, Family.NUMBER) for each in NATIONALS)
KINDS: Mapping[str, Kind] = {kind.id: kind for kind in (*_OWN, *_NATIONAL)}
"""All, by id."""
DEFAULT: frozenset[str] = frozenset(kind.id for kind in KINDS.values() if kind.usual)
SEARCHED: frozenset[str] = DEFAULT - {NAME} | {"url"}
"""Those that a data set is checked for."""
UNSEARCHED = frozenset({NAME, "postal-address", "age", "health", "photograph", "voice"})
"""What is personal too, and is not recognised: nothing is known of it."""
