"""Rules by path: ``robots.txt`` (RFC 9309) and ``ai.txt`` (https://spawning.ai/ai-txt), which is written like it.

Besides ``Allow`` and ``Disallow``, groups hold ``Content-Usage`` (draft-ietf-aipref-attach: with or without a path
before the preference; the longest path that matches counts) and ``Content-Signal``. Preferences that stand before all
groups are for everybody.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from hallmarked.corpus.signal.model import Crawlers, Decision, Said
from hallmarked.corpus.signal.usage import read_usage

MOST_BYTES = 512 << 10
"""Bytes that are read; RFC 9309, 2.5, asks for 500 KiB at least."""
MOST_RULES = 20_000
LONGEST_PATTERN = 2_000
_RULES = frozenset({"allow", "disallow"})
_PREFERENCES = {"content-usage": "Content-Usage", "content-signal": "Content-Signal"}
_TOKEN = re.compile(r"[a-z0-9_.-]+")
_ESCAPE = re.compile(r"%([0-9a-fA-F]{2})")


@dataclass(slots=True)
class Group:
    """Rules for some crawlers."""

    agents: list[str] = field(default_factory=list)
    """In small letters; ``*`` is everybody else. None are named of what stands before all groups."""
    rules: list[tuple[bool, str]] = field(default_factory=list)
    """Whether it allows, and the pattern of paths."""
    preferences: list[tuple[str, str]] = field(default_factory=list)
    """Name, and what it says."""


@dataclass(frozen=True, slots=True)
class Rules:
    """A file of rules."""

    groups: Sequence[Group]
    whole: bool
    """Whether all of it was read."""

    def of(self, crawlers: Crawlers) -> Iterator[tuple[str, Sequence[Group]]]:
        """Yield crawlers with the groups that are for them (RFC 9309, 2.2.1), in words and in groups.

        They are ours, or everybody when none of ours is named, and those that collect for training and are named.
        """
        by_name: dict[str, list[Group]] = {}
        for group in self.groups:
            for agent in dict.fromkeys(group.agents):
                by_name.setdefault(agent, []).append(group)
        ours = {name.lower() for name in crawlers.own}
        if not ours or ours - by_name.keys():
            yield "everybody", by_name.get("*", [])
        for name in crawlers.names:
            if name in by_name:
                yield name, by_name[name]


def parse_rules(text: str) -> Rules:
    """Read a file of rules. Lines that cannot be understood are passed over, as RFC 9309 asks for."""
    groups = [Group()]
    count, open_ = 0, False
    for line in text.splitlines():
        key, colon, value = line.partition("#")[0].partition(":")
        key, value = key.strip().lower(), value.strip()
        if not colon:
            continue
        count += 1
        if count > MOST_RULES:
            return Rules(groups, False)
        if key == "user-agent":
            if not open_:
                groups.append(Group())
                open_ = True
            groups[-1].agents.append(_agent(value))
        elif key in _RULES:
            open_ = False
            if len(groups) > 1:
                groups[-1].rules.append((key == "allow", value))
        elif key in _PREFERENCES:
            open_ = False
            groups[-1].preferences.append((_PREFERENCES[key], value))
    return Rules(groups, True)


def _agent(value: str) -> str:
    small = value.lower()
    found = _TOKEN.match(small)
    return found[0] if found else small


def read_robots(text: str, path: str, crawlers: Crawlers) -> Iterator[Said]:
    """Say what ``robots.txt`` says of a path to everybody, to our crawlers, and to those that collect for training."""
    if text.lstrip()[:1] == "<":
        yield Said(Decision.UNKNOWN, "it is a web page, not rules")
        return
    rules = parse_rules(text[:MOST_BYTES])
    if not rules.whole or len(text) > MOST_BYTES:
        yield Said(Decision.UNKNOWN, "it is longer than what is read of it")
    everybody = rules.groups[0]
    for whom, groups in rules.of(crawlers):
        if _refused([rule for group in groups for rule in group.rules], path):
            yield Said(Decision.DENIED, f"it refuses {whom} this path")
        stated = [preference for group in (everybody, *groups) for preference in group.preferences]
        yield from _preferences(stated, path)


def read_ai_txt(text: str, path: str, crawlers: Crawlers) -> Iterator[Said]:
    """Say what ``ai.txt`` says of a path; of rules that are equally long the one that refuses counts."""
    if text.lstrip()[:1] == "<":
        yield Said(Decision.UNKNOWN, "it is a web page, not rules")
        return
    rules = parse_rules(text[:MOST_BYTES])
    if not rules.whole or len(text) > MOST_BYTES:
        yield Said(Decision.UNKNOWN, "it is longer than what is read of it")
    for _, groups in rules.of(crawlers):
        stated = [rule for group in groups for rule in group.rules]
        if _refused(stated, path, refusal_wins=True):
            yield Said(Decision.DENIED, "it refuses training on this path")
        elif any(allows and matches(pattern, path) for allows, pattern in stated):
            yield Said(Decision.ALLOWED, "it allows training on this path")


def _refused(rules: Sequence[tuple[bool, str]], path: str, *, refusal_wins: bool = False) -> bool:
    """Say whether the longest pattern that matches refuses; of equally long ones one that allows counts (RFC 9309)."""
    found = [(len(pattern), allows != refusal_wins, allows) for allows, pattern in rules if matches(pattern, path)]
    return bool(found) and not max(found)[2]


def _preferences(stated: Sequence[tuple[str, str]], path: str) -> Iterator[Said]:
    """Read preferences: of those with paths the longest that matches, and all that have none; most restrictive wins."""
    for name in sorted({name for name, _ in stated}):
        longest = -1
        chosen: list[str] = []
        for value in (value for each, value in stated if each == name):
            pattern, preference = _split(value)
            if not matches(pattern, path) or len(pattern) < longest:
                continue
            chosen = [*chosen, preference] if len(pattern) == longest else [preference]
            longest = len(pattern)
        for preference in chosen:
            yield from read_usage(name, preference)


def _split(value: str) -> tuple[str, str]:
    """Take the path from the beginning of a preference."""
    if not value.startswith(("/", "*")):
        return "/", value
    pattern, _, preference = value.partition(" ")
    return pattern, preference.strip()


def matches(pattern: str, path: str) -> bool:
    """Say whether a pattern with ``*`` and ``$`` matches the beginning of a path (RFC 9309, 2.2.2 and 2.2.3).

    An empty pattern matches nothing, and neither does one that is longer than any real one.
    """
    if not pattern or len(pattern) > LONGEST_PATTERN:
        return False
    pattern, path = _normal(pattern), _normal(path)
    ended = pattern.endswith("$")
    first, *rest = pattern.removesuffix("$").split("*")
    if not path.startswith(first):
        return False
    at = len(first)
    for number, piece in enumerate(rest):
        if ended and number == len(rest) - 1:
            return len(path) - len(piece) >= at and path.endswith(piece)
        found = path.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece)
    return not ended or at == len(path)


def _normal(text: str) -> str:
    """Write percent-encoded letters as they are, and everything else percent-encoded in one way."""
    escaped = "".join(char if char.isascii() else "".join(f"%{byte:02X}" for byte in char.encode()) for char in text)
    return _ESCAPE.sub(lambda found: _unescaped(int(found[1], 16)), escaped)


def _unescaped(byte: int) -> str:
    char = chr(byte)
    return char if char.isascii() and (char.isalnum() or char in "-._~") else f"%{byte:02X}"
