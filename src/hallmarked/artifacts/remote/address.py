"""How a repository on a hub is named: ``hf://[datasets/|spaces/]owner/name[@revision]``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote

from hallmarked.core.errors import InputError

SCHEME = "hf://"
_PREFIXES = {"models": "model", "datasets": "dataset", "spaces": "space"}
_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}")
_REVISION = re.compile(r"[^\x00-\x20\x7f~^:?*\[\\]{1,250}")


@dataclass(frozen=True, slots=True)
class Address:
    """A repository, and which of its revisions."""

    kind: str
    """``model``, ``dataset`` or ``space``."""
    repo: str
    """``owner/name``; some old models have no owner."""
    revision: str | None = None
    """Branch, tag, pull request (``refs/pr/1``) or commit; None means the newest."""

    @property
    def api(self) -> str:
        """Path of the repository's interface for programs."""
        return f"/api/{self.kind}s/{self.repo}"

    @property
    def page(self) -> str:
        """Path of the repository for people, and of its files."""
        return f"/{self.repo}" if self.kind == "model" else f"/{self.kind}s/{self.repo}"

    @property
    def quoted_revision(self) -> str:
        """The revision as one component of a path."""
        return quote(self.revision or "main", safe="")

    def __str__(self) -> str:
        return f"{SCHEME}{self.page[1:]}" + (f"@{self.revision}" if self.revision else "")


def parse_address(text: str) -> Address:
    """Read what a user typed; ``hf://`` may be left away.

    Raises:
        InputError: When it names no repository.
    """
    named, at, revision = text.removeprefix(SCHEME).partition("@")
    parts = named.strip("/").split("/")
    kind = _PREFIXES[parts.pop(0)] if parts[0] in _PREFIXES and len(parts) > 1 else "model"
    revision = unquote(revision)
    is_named = len(parts) in (1, 2) and all(_PART.fullmatch(part) and ".." not in part for part in parts)
    if not is_named or (at and (not _REVISION.fullmatch(revision) or ".." in revision)):
        raise InputError(f"{text!r} names no repository; write hf://owner/name, or hf://datasets/owner/name@revision")
    return Address(kind, "/".join(parts), revision or None)
