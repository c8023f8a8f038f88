"""Credentials in text, by the same shapes and tests as those that are searched for in files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from hallmarked.core.evidence import Level
from hallmarked.corpus.personal.credential.match import match_at
from hallmarked.corpus.personal.credential.pattern import PATTERNS, Pattern
from hallmarked.corpus.personal.model import Span, Strength
from hallmarked.corpus.personal.recogniser import Hit, Recogniser, Shape, Supported, found

_SPECIAL = re.compile(r"([^A-Za-z0-9_ /:=\"-])")


def _kind(pattern: Pattern) -> str:
    if "private key" in pattern.what:
        return "private-key"
    return "password" if pattern.level is Level.WARNING and pattern.keep < 0 else "credential"


@dataclass(frozen=True, slots=True)
class Credential:
    """Finds one kind of credential from its anchors."""

    pattern: Pattern

    @property
    def kinds(self) -> frozenset[str]:
        """Find one kind."""
        return frozenset({_kind(self.pattern)})

    @property
    def gates(self) -> tuple[str, ...]:
        """Look for the anchors."""
        case = "(?i)" if self.pattern.folded else ""
        return tuple(case + _SPECIAL.sub(r"\\\1", anchor) for anchor in self.pattern.anchors)

    @property
    def exact(self) -> bool:
        """Look at every anchor."""
        return True

    def takes(self, hint: str) -> bool:
        """Take no hints: a credential is known by itself."""
        return False

    def spans(self, text: str, hits: Iterable[Hit], hint: str) -> Iterator[Span]:
        """Try at every anchor."""
        group = 1 if self.pattern.regex.groups else 0
        if self.pattern.back < 0:
            matches: Iterable[re.Match[str] | None] = self.pattern.regex.finditer(text)
        else:
            anchors = self.pattern.anchors
            matches = (match_at(self.pattern, text, 0, at - len(anchors[gate])) for gate, at in hits)
        done = 0
        for match in matches:
            if match and match.end() > done and self.pattern.test(match[group]):
                done = match.end()
                yield Span(*match.span(group), _kind(self.pattern), Strength.CHECKED)


_QUERY = re.compile(
    r"(?i)[?&;](?:access_token|auth_token|token|api_?key|apikey|key|sig|signature|x-amz-signature|client_secret|password|pwd|"
    r"sessionid|session_id|code|secret)=(?P<value>[A-Za-z0-9%._~+/-]{16,512})"
)


def _query(match: re.Match[str], _supported: Supported) -> Span | None:
    value = match["value"]
    mixed = any(c.isdigit() for c in value) and any(c.isalpha() for c in value)
    return found(match, "credential", Strength.LIKELY, "value") if mixed and len(set(value)) >= 10 else None


SECRETS: tuple[Recogniser, ...] = (
    *(Credential(pattern) for pattern in PATTERNS),
    Shape("credential", (r"(?i)[?&;][a-z_-]{3,16}=[A-Za-z0-9%._~+/-]{16}",), _QUERY, _query, 40, 520),
)
