"""The endpoint and the token that the ecosystem's own clients would use."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

DEFAULT_ENDPOINT = "https://huggingface.co"
_MOST = 4096


@dataclass(frozen=True, slots=True)
class Login:
    """Where to ask, and as whom."""

    endpoint: str
    token: str | None = field(repr=False)


def find_login(endpoint: str | None, environment: Mapping[str, str] = os.environ) -> Login:
    """Find endpoint and token as the Hub's clients do: ``HF_ENDPOINT``, ``HF_TOKEN``, the file they keep a token in.

    The token in the file belongs to the endpoint the clients use, so an endpoint that is named here does not get it.

    Args:
        endpoint: What the user named, if anything.
        environment: Of the process.
    """
    usual = environment.get("HF_ENDPOINT") or DEFAULT_ENDPOINT
    token = environment.get("HF_TOKEN") or environment.get("HUGGING_FACE_HUB_TOKEN")
    if not token and (endpoint is None or endpoint.rstrip("/") == usual.rstrip("/")):
        token = _stored(environment)
    return Login((endpoint or usual).rstrip("/"), (token or "").strip() or None)


def _stored(environment: Mapping[str, str]) -> str | None:
    cache = environment.get("XDG_CACHE_HOME") or str(Path(environment.get("HOME") or "~").expanduser() / ".cache")
    home = environment.get("HF_HOME") or str(Path(cache) / "huggingface")
    path = Path(environment.get("HF_TOKEN_PATH") or str(Path(home) / "token"))
    try:
        with path.open(encoding="ascii") as stream:
            return stream.read(_MOST)
    except (OSError, UnicodeDecodeError):
        return None
