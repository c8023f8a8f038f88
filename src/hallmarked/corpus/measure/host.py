"""Where pages are from: the names of hosts in a column of addresses.

Which part of a host's name somebody can register is a list that changes every week and is not part of this program. So
hosts are counted by their whole names and by the last two parts of them, and are called what they are.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

MOST_HOSTS = 100_000
"""Hosts that are kept; when there are more, the rarer half is left out and counted together."""
LONGEST = 253
"""Characters of a host's name (RFC 1035, section 2.3.4, without the final point)."""
_ADDRESS = r"(?i)^\s*(?:(?P<scheme>https?)://)(?:[^/?#\s@]*@)?(?P<host>\[[0-9a-f:.]+\]|[^/?#:\s@\[\]]+)(?::\d*)?(?:[/?#]\S*)?\s*$"
_BARE = r"(?i)^\s*(?P<host>[^/?#:\s@\[\]]+\.[^/?#:\s@\[\]]+)(?::\d*)?(?:[/?#]\S*)?\s*$"


@dataclass(slots=True)
class Hosts:
    """How many values are addresses at which host."""

    counts: Counter[str] = field(default_factory=Counter)
    rare: int = 0
    """Values at hosts that are no longer kept."""
    error: int = 0
    """How many more values a host may have than are counted for it."""
    secure: int = 0
    """Values whose address begins with ``https``."""
    other: int = 0
    """Values that are no address."""

    @property
    def total(self) -> int:
        """Values that are addresses."""
        return self.counts.total() + self.rare

    def add(self, array: pa.Array, declared: bool = False) -> None:
        """Take texts without nulls.

        Args:
            array: The texts.
            declared: Whether somebody says that these are addresses; then hosts without ``https://`` count too.
        """
        array = array.cast(pa.large_string())
        found = pc.extract_regex(array, _ADDRESS)
        hosts = pc.struct_field(found, "host")
        self.secure += pc.sum(pc.equal(pc.utf8_lower(pc.struct_field(found, "scheme")), "https")).as_py() or 0
        self._count(hosts.drop_null())
        seen = len(array) - hosts.null_count
        if declared:
            bare = pc.struct_field(pc.extract_regex(array.filter(hosts.is_null()), _BARE), "host").drop_null()
            self._count(bare)
            seen += len(bare)
        self.other += len(array) - seen
        self._bound()

    def _count(self, hosts: pa.Array) -> None:
        names = pc.utf8_rtrim(pc.utf8_slice_codeunits(pc.utf8_lower(hosts), 0, LONGEST), ".")
        found = pc.value_counts(names)
        for name, count in zip(found.field(0).to_pylist(), found.field(1).to_pylist(), strict=True):
            self.counts[name] += count

    def merge(self, other: Hosts) -> None:
        """Take what is known of other values."""
        self.counts = self.counts + other.counts
        self.rare += other.rare
        self.error += other.error
        self.secure += other.secure
        self.other += other.other
        self._bound()

    def _bound(self) -> None:
        if len(self.counts) <= MOST_HOSTS:
            return
        ranked = sorted(self.counts.items(), key=lambda item: (-item[1], item[0]))
        left = ranked[MOST_HOSTS // 2 :]
        self.counts = Counter(dict(ranked[: MOST_HOSTS // 2]))
        self.rare += sum(count for _, count in left)
        self.error += left[0][1]

    def ends(self) -> Counter[str]:
        """Count by the last two parts of the hosts' names."""
        found: Counter[str] = Counter()
        for name, count in self.counts.items():
            found[last_two(name)] += count
        return found

    def to_json(self) -> dict[str, Any]:
        """Write it as JSON."""
        return {
            "counts": dict(self.counts),
            "rare": self.rare,
            "error": self.error,
            "secure": self.secure,
            "other": self.other,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Hosts:
        """Read what :meth:`to_json` wrote."""
        return cls(**{**data, "counts": Counter(data["counts"])})


def last_two(host: str) -> str:
    """Return the last two parts of a host's name, of an IP address all of it."""
    parts = host.split(".")
    if host.startswith("[") or parts[-1].isdigit():
        return host
    return ".".join(parts[-2:])
