"""What somebody sees when something is refused or broken: one sentence and the next step."""

from __future__ import annotations

from hallmarked.web.render import context


@context
class Problem:
    """Why a request was not answered as asked."""

    status: int
    """HTTP status."""
    code: str
    """Stable word for programs, such as ``RepoNotFound``."""
    sentence: str
    """What happened, for people."""
    reference: str = ""
    """Finds the request in the hub's log; empty when there is none."""
