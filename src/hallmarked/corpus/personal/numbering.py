"""Which digits are telephone numbers where, by the numbering plans that ``phonenumbers`` carries.

The plans are compiled once, so that a number is tested in microseconds; parsing each by the library takes a hundred
times that. National numbers are as in ITU-T E.164.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE
from phonenumbers.phonemetadata import PhoneMetadata

REGIONS = (
    *(
        "US",
        "CA",
        "GB",
        "IE",
        "AU",
        "NZ",
        "ZA",
        "IN",
        "SG",
        "HK",
        "PH",
        "NG",
        "KE",
        "IL",
        "AE",
        "TR",
        "RU",
        "UA",
        "JP",
        "KR",
        "CN",
        "TW",
    ),
    *(
        "DE",
        "AT",
        "CH",
        "FR",
        "BE",
        "NL",
        "LU",
        "ES",
        "PT",
        "IT",
        "GR",
        "CY",
        "DK",
        "NO",
        "SE",
        "FI",
        "IS",
        "EE",
        "LV",
        "LT",
        "PL",
        "CZ",
    ),
    *(
        "SK",
        "HU",
        "RO",
        "BG",
        "SI",
        "HR",
        "RS",
        "BR",
        "MX",
        "AR",
        "CL",
        "CO",
        "PE",
        "UY",
        "EC",
        "TN",
        "MA",
        "EG",
        "SA",
        "PK",
        "ID",
        "MY",
        "TH",
        "VN",
    ),
)
"""Regions of which numbers without a country code are recognised unless others are named."""
_TYPES = ("fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost", "personal_number", "voip", "uan", "pager")


@dataclass(frozen=True, slots=True)
class Plan:
    """The numbering plan of a region."""

    lengths: frozenset[int]
    """Digits that national numbers have."""
    valid: re.Pattern[str]
    """National numbers in use."""
    prefix: str
    """What is dialled before national numbers within the region, mostly ``0``."""

    def has(self, digits: str, *, prefixed: bool) -> bool:
        """Say whether digits are a national number in use.

        Args:
            digits: As written within the region.
            prefixed: Whether the prefix has to be there, in a region that has one.
        """
        if self.prefix and digits.startswith(self.prefix):
            rest = digits[len(self.prefix) :]
            if len(rest) in self.lengths and self.valid.fullmatch(rest):
                return True
        if prefixed and self.prefix:
            return False
        return len(digits) in self.lengths and self.valid.fullmatch(digits) is not None

    def may_have(self, digits: str) -> bool:
        """Say whether digits are of a length of national numbers, with the prefix or without it."""
        stripped = digits.removeprefix(self.prefix) if self.prefix else digits
        return len(digits) in self.lengths or len(stripped) in self.lengths


@lru_cache(512)
def plan_of(region: str) -> Plan | None:
    """Compile the plan of a region, by its two letters; None when there is none."""
    metadata = PhoneMetadata.metadata_for_region(region, None)
    return None if metadata is None else _compiled(metadata)


def _compiled(metadata: PhoneMetadata) -> Plan:
    described = [getattr(metadata, name) for name in _TYPES]
    patterns = [each.national_number_pattern for each in described if each and each.national_number_pattern]
    valid = re.compile(f"(?:{'|'.join(patterns) or '(?!)'})")
    general = metadata.general_desc
    return Plan(frozenset(general.possible_length if general else ()), valid, metadata.national_prefix or "")


@lru_cache(512)
def _plans_abroad(code: int) -> tuple[Plan, ...]:
    regions = COUNTRY_CODE_TO_REGION_CODE.get(code, ())
    if regions == ("001",):
        metadata = PhoneMetadata.metadata_for_nongeo_region(code, None)
        return () if metadata is None else (_compiled(metadata),)
    return tuple(plan for region in regions if (plan := plan_of(region)) is not None)


def is_international(digits: str) -> bool | None:
    """Judge digits that begin with a country code.

    Returns:
        True for a number in use, False for one that has the right length only, None for anything else.
    """
    for size in (1, 2, 3):
        plans = _plans_abroad(int(digits[:size])) if digits[:1] != "0" else ()
        if plans:
            rest = digits[size:]
            trunk = rest.removeprefix("0")  # +44 (0)20 …
            tries: Iterable[str] = (rest, trunk) if trunk != rest else (rest,)
            if any(plan.has(each, prefixed=False) for plan in plans for each in tries):
                return True
            return False if any(len(each) in plan.lengths for plan in plans for each in tries) else None
    return None


def has_country(digits: str) -> bool:
    """Say whether digits begin with a country code."""
    return any(int(digits[:size]) in COUNTRY_CODE_TO_REGION_CODE for size in (1, 2, 3)) and digits[0] != "0"


def is_national(digits: str, regions: Sequence[str], *, prefixed: bool = False) -> bool:
    """Say whether digits are a number in use in one of some regions."""
    plans = (plan_of(region) for region in regions)
    return any(plan.has(digits, prefixed=prefixed) for plan in plans if plan)


def may_be_national(digits: str, regions: Sequence[str]) -> bool:
    """Say whether digits are of a length that numbers have in one of some regions."""
    plans = (plan_of(region) for region in regions)
    return any(plan.may_have(digits) for plan in plans if plan)
