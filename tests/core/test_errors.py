"""What people are told when something fails."""

from __future__ import annotations

import pytest

from hallmarked.core.errors import BackendError, Error


def caused(message: str, cause: Exception) -> Error:
    with pytest.raises(BackendError) as caught:
        raise BackendError(message) from cause
    return caught.value


def test_a_cause_is_named_once() -> None:
    """The cause is added when the message does not say it already."""
    missing = FileNotFoundError(2, "No such file or directory", "m")
    assert caused("m: no such file or directory", missing).diagnostics() == "m: no such file or directory"
    assert caused("cannot read m", missing).diagnostics() == "cannot read m (No such file or directory)"
    assert caused("the log is damaged: row 3", ValueError("row 3")).diagnostics() == "the log is damaged: row 3"
    assert BackendError("alone").diagnostics() == "alone"
