"""No table is forgotten."""

from __future__ import annotations

from pathlib import Path

from hallmarked.hub.schema import every


def test_every_module_with_tables_is_named() -> None:
    """A module that is added later has to be added to the list too, or its tables are never made."""
    assert every.__file__ is not None
    names = {path.stem for path in Path(every.__file__).parent.glob("*.py")} - {"__init__", "base", "every"}
    assert {module.__name__.rpartition(".")[2] for module in every.MODULES} == names
