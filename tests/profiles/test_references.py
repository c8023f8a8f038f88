"""What policies say they answer exists in the edition they name."""

from __future__ import annotations

from importlib.resources import files
from tomllib import loads

from hallmarked.profiles.registry import editions, resolve


def test_policies_answer_what_exists() -> None:
    """Each reference of a shipped policy to a framework that is installed resolves."""
    folder = files("hallmarked.policy") / "contexts"
    tables = [loads(file.read_text(encoding="utf-8")) for file in folder.iterdir() if file.name.endswith(".toml")]
    references = [
        reference
        for table in tables
        for context in table.get("context", {}).values()
        for requirement in context.get("require", ())
        for reference in requirement.get("maps_to", ())
    ]
    known = [each for each in references if each.partition("/")[0] in editions()]
    assert len(known) >= 4
    assert [str(resolve(each)) for each in known] == known
