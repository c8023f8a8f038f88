"""Why the hub refuses. Each names the code that the ecosystem's clients turn into an exception of their own."""

from __future__ import annotations

import errno

from hallmarked.core.errors import BackendError, Forbidden, InputError, NotFound

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""What an operating system says when there is no room for more."""


class RepositoryNotFound(NotFound):
    """There is no such repository, or the caller must not learn that there is.

    Args:
        message: One sentence, where it cannot tell the one from the other.
    """

    code = "RepoNotFound"

    def __init__(self, message: str = "there is no repository of that name, or you may not see it") -> None:
        super().__init__(message)


class Moved(NotFound):
    """The repository has another name now (HTTP 307).

    Args:
        name: ``owner/name`` now.
    """

    code = "Moved"

    def __init__(self, name: str) -> None:
        super().__init__(f"this repository is called {name} now")
        self.name = name


class RevisionNotFound(NotFound):
    """The repository has no such branch, tag or commit."""

    code = "RevisionNotFound"


class EntryNotFound(NotFound):
    """The revision has no such file.

    Args:
        message: One sentence.
        commit: Where it was looked for: clients remember that the file is absent there.
    """

    code = "EntryNotFound"

    def __init__(self, message: str, commit: str) -> None:
        super().__init__(message)
        self.commit = commit


class Superseded(NotFound):
    """The revision was taken back, and another one took its place (HTTP 410).

    Args:
        message: Why, in one sentence.
        by: What took its place.
    """

    code = "Superseded"

    def __init__(self, message: str, by: str) -> None:
        super().__init__(message)
        self.by = by


class StorageFull(BackendError):
    """There is no room left on a disk, so nothing was kept (HTTP 507); asking again at once does not help."""

    code = "StorageFull"

    def __init__(self) -> None:
        super().__init__("the hub's storage is full, so nothing was kept; tell whoever runs it")


class NotSignedIn(Forbidden):
    """Nobody without an account may do that (HTTP 401)."""

    code = "NotSignedIn"


class TermsNotAccepted(Forbidden):
    """The terms of service in force have to be accepted first."""

    code = "TermsNotAccepted"


class Gated(Forbidden):
    """Access has to be asked for first."""

    code = "GatedRepo"


class HeldBack(Forbidden):
    """The revision is held back, or not checked yet.

    NOTE: clients show the reason only of refusals they know; any other makes them say that the network is down.
    """

    code = "GatedRepo"


class Conflict(InputError):
    """Something is there already (HTTP 409)."""

    code = "Conflict"


class Taken(Conflict):
    """There is a repository of that name already (HTTP 409); clients go on with that one when asked to.

    Args:
        message: One sentence.
        kind: ``model``, ``dataset`` or ``system``.
        name: ``owner/name``.
    """

    def __init__(self, message: str, kind: str, name: str) -> None:
        super().__init__(message)
        self.kind, self.name = kind, name


class BadPath(InputError):
    """A path cannot name a file of a repository (HTTP 422)."""

    code = "BadPath"


class Outdated(InputError):
    """The branch has moved since the caller looked (HTTP 412)."""

    code = "Outdated"


class TooLarge(InputError):
    """More was sent than is accepted (HTTP 413)."""

    code = "TooLarge"


class TooSlow(InputError):
    """The bytes came too slowly (HTTP 408)."""

    code = "TooSlow"


class Interrupted(InputError):
    """The connection ended before everything was there; nobody reads this answer."""

    code = "Interrupted"


class TooMany(Forbidden):
    """The caller asks too often (HTTP 429).

    Args:
        message: One sentence.
        seconds: When to try again.
        allowed: How many requests are allowed in a window; 0 when that is not what was counted.
        window: Seconds.
    """

    code = "TooMany"

    def __init__(self, message: str, seconds: int, allowed: int = 0, window: int = 0) -> None:
        super().__init__(message)
        self.seconds, self.allowed, self.window = seconds, allowed, window
