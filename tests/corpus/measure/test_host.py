"""Hosts of addresses: which are read, and that parts merge."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

pa = pytest.importorskip("pyarrow", reason="tables are read with the extra data")

from hallmarked.corpus.measure import host as module  # noqa: E402
from hallmarked.corpus.measure.host import Hosts, last_two  # noqa: E402

NAMES = st.sampled_from(["a.example", "b.example", "www.c.example", "d.org"])


def measured(values: list[str], *, declared: bool = False) -> Hosts:
    found = Hosts()
    found.add(pa.array(values, pa.string()), declared)
    return found


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://WWW.Example.org/a/b?c#d", "www.example.org"),
        ("http://user:word@example.org:8080", "example.org"),
        ("HTTP://example.org.", "example.org"),
        ("https://[2001:db8::1]/x", "[2001:db8::1]"),
        ("https://münchen.example/ä", "münchen.example"),
        (" https://192.0.2.1/ ", "192.0.2.1"),
    ],
)
def test_addresses(address: str, host: str) -> None:
    """The host is what stands between the scheme and the path, without name, password and port."""
    assert measured([address]).counts == {host: 1}


@pytest.mark.parametrize(
    "text", ["see https://example.org", "https://", "ftp://example.org", "https://a b/", "example.org/x"]
)
def test_what_is_no_address(text: str) -> None:
    """A text with an address in it is none, nor is one without a host."""
    found = measured([text])
    assert (found.total, found.other) == (0, 1)


def test_addresses_without_scheme_count_where_they_are_declared() -> None:
    """Where a column is said to hold addresses, hosts alone are read too."""
    found = measured(["example.org/x", "nothing"], declared=True)
    assert (found.counts, found.other, found.secure) == ({"example.org": 1}, 1, 0)


def test_the_last_two_parts() -> None:
    """Names are cut to their last two parts, addresses of machines are not."""
    assert [*map(last_two, ["a.b.example.org", "localhost", "192.0.2.1", "[2001:db8::1]"])] == [
        "example.org", "localhost", "192.0.2.1", "[2001:db8::1]",
    ]  # fmt: skip


@given(st.lists(NAMES, max_size=40), st.integers(0, 40))
def test_parts_together_are_the_whole(names: list[str], cut: int) -> None:
    """Counts are those of a plain recount, however the values were divided."""
    values = [f"https://{name}/" for name in names]
    whole, first = measured(values), measured(values[:cut])
    first.merge(Hosts.from_json(measured(values[cut:]).to_json()))
    assert first == whole
    assert whole.counts == Counter(names)
    assert whole.secure == len(names)


@given(st.lists(st.integers(0, 9), max_size=80), st.integers(0, 80))
def test_with_too_many_hosts_the_error_is_stated(numbers: list[int], cut: int) -> None:
    """When hosts are left out, no host has more values than are told of it and the stated error together."""
    patch = pytest.MonkeyPatch()
    values = [f"https://{number}.example/" for number in numbers]
    with patch.context() as patched:
        patched.setattr(module, "MOST_HOSTS", 4)
        found = measured(values[:cut])
        found.merge(measured(values[cut:]))
    assert found.total == len(values)
    for number, count in Counter(numbers).items():
        told = found.counts[f"{number}.example"]
        assert told <= count <= told + found.error
