"""How many parameters a written number covers.

"124M" covers what rounds to it: 123.5 to 124.5 million. Zeros at the end are taken for rounding beyond the second
digit ("110M" is written to ten millions, "100M" too). With one or two digits people cut off as often as they round
("1.5B" for 1.56 billion, "7B" for 7.6), so that the upper bound is then the next written step.

Leaving out embeddings is common, too, but a claim is held to it only when a count without them was measured
(``parameters.non_embedding``): otherwise any smaller number would do.
"""

from __future__ import annotations

import re
from decimal import Decimal

_WRITTEN = re.compile(r"(?P<number>[\d,]{1,24}(?:\.\d{1,9})?)[\s-]?(?P<unit>[a-z]*)", re.IGNORECASE)
_FACTOR = {"": 0, "k": 3, "thousand": 3, "m": 6, "mn": 6, "million": 6, "b": 9, "bn": 9, "billion": 9}
_FACTOR |= {"t": 12, "trillion": 12}


def interval(written: str) -> tuple[int, int] | None:
    """Return the smallest and largest whole number that ``written`` covers, ``None`` when it is no such number."""
    match = _WRITTEN.fullmatch(written.strip())
    exponent = _FACTOR.get(match["unit"].lower()) if match else None
    if match is None or exponent is None or not match["number"].strip(",."):
        return None
    number = match["number"].replace(",", "")
    whole, _, fraction = number.partition(".")
    if fraction:
        digits = len((whole + fraction).lstrip("0")) or 1
        step = Decimal(10) ** (exponent - len(fraction))
    else:
        length = len(whole)
        digits = max(len(whole.rstrip("0")), min(2, length))
        step = Decimal(10) ** (exponent + length - digits)
    value = Decimal(number) * Decimal(10) ** exponent
    low = value - step / 2
    high = value + step - 1 if digits <= 2 and step > 1 else value + step / 2
    return int(low.to_integral_value("ROUND_CEILING")), int(high.to_integral_value("ROUND_FLOOR"))
