"""Files that are exchanged while they are audited."""

from __future__ import annotations

from pathlib import Path

import pytest

from hallmarked.artifacts.source import describe, from_description, open_artifact
from hallmarked.checks.runner import run_isolated
from hallmarked.core.errors import InputError
from hallmarked.core.evidence import Outcome
from hallmarked.core.sandbox import Limits


def test_a_check_looks_at_the_files_that_are_hashed(tmp_path: Path) -> None:
    """A folder that is exchanged before a check starts is noticed, even if it is put back before the audit ends."""
    model, good, evil = (tmp_path / name for name in ("model", "good", "evil"))
    for folder, content in ((good, b"good"), (evil, b"evil")):
        folder.mkdir()
        (folder / "a.bin").write_bytes(content)
    model.mkdir()
    evil.rename(model / "sub")
    artifact = open_artifact(model)
    description = describe(artifact)
    assert from_description(description).digests() == artifact.digests()
    (model / "sub").rename(evil)
    good.rename(model / "sub")
    with pytest.raises(InputError, match="changed"):
        from_description(description)
    assert run_isolated("inventory", "1", description, Limits()).outcome is Outcome.UNKNOWN
    (model / "sub").rename(good)
    evil.rename(model / "sub")
    artifact.confirm_unchanged()
