"""Every error this package raises on purpose.

The tree::

    hallmarked.core.errors.Error
    ├── InputError          the caller gave something that cannot be used     (exit 2, HTTP 400)
    ├── NotFound            what was asked for is not there                   (exit 2, HTTP 404)
    ├── Forbidden           the caller may not do that                        (exit 2, HTTP 403)
    ├── VerificationError   evidence does not hold; ``link`` says where       (exit 1, HTTP 409)
    ├── FormatError         a file is broken or hostile; ``offset`` or ``line`` says where
    │   └── LimitExceeded   reading on would cost more than the budget allows
    └── BackendError        a disk, database or service below us failed       (exit 2, HTTP 503)
"""

from __future__ import annotations


class Error(Exception):
    """Root of the tree. ``str(error)`` is one sentence for people; ``code`` is stable for programs."""

    code = "error"

    def diagnostics(self) -> str:
        """Explain the error to a person, with its cause when that says something more."""
        cause = self.__cause__
        said = (cause.strerror if isinstance(cause, OSError) else None) or str(cause or "")
        return str(self) if said.lower() in str(self).lower() else f"{self} ({said})"


class InputError(Error):
    """The caller gave something that cannot be used."""

    code = "input"


class NotFound(Error):
    """What was asked for is not there."""

    code = "not-found"


class Forbidden(Error):
    """The caller may not do that."""

    code = "forbidden"


class VerificationError(Error):
    """Evidence does not hold.

    Args:
        message: What was expected and what was found.
        link: The link of the chain that failed, e.g. ``"signature"`` or ``"inclusion"``.
    """

    code = "verification"

    def __init__(self, message: str, *, link: str) -> None:
        super().__init__(message)
        self.link = link


class FormatError(Error):
    """A file is broken or hostile.

    Args:
        message: What a reader of this format would trip over.
        offset: Byte offset in the file or stream, when known.
        line: Line, from 1, in a text file, when known.
    """

    code = "format"

    def __init__(self, message: str, *, offset: int | None = None, line: int | None = None) -> None:
        super().__init__(message)
        self.offset = offset
        self.line = line


class LimitExceeded(FormatError):
    """Reading on would cost more than the budget allows; what was read so far stands."""

    code = "limit"


class BackendError(Error):
    """A disk, database or service below us failed."""

    code = "backend"
