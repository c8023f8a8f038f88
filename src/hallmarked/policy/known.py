"""Which facts somebody can state at all: a requirement about anything else could never be met, and is a mistake."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files

from hallmarked.checks import registry
from hallmarked.core.errors import InputError

_PATH = re.compile(r"[A-Za-z][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_@ /-]+){1,12}")
_RULE = re.compile(r"[A-Z]{3}\d{3}")
_PARTS = ("errors", "warnings", "notes", "gaps", "finished")


class Vocabulary:
    """What the checks of this installation state, and the families that people and their tools use."""

    def __init__(self) -> None:
        self._checks = registry.available()
        families = {family: names for table in _tables().values() for family, names in table.items()}
        self._patterns = [f"{family}.{rest}" for family, names in families.items() for rest in names]

    def problem_with(self, path: str, check: str) -> str:
        """Say why nobody can state anything under a path; empty when somebody can.

        Args:
            path: The path of a fact.
            check: The check that a requirement names, if it names one, which may measure what nobody here knows.
        """
        if check and check not in self._checks:
            return f"no check is called {check}; there are: {', '.join(self._checks)}"
        if len(path) > 200 or not _PATH.fullmatch(path):
            return f"{path[:200]!r} is no name of a fact, such as eval.recall"
        family, _, rest = path.partition(".")
        if family == "check":
            return self._problem_with_check(rest)
        if family == "finding":
            return _problem_with_rule(rest, check)
        if check or any(fnmatchcase(path, pattern) for pattern in self._patterns):
            return ""
        near = difflib.get_close_matches(path, [each for each in self._patterns if "*" not in each], 1)
        meant = f"; is {near[0]} meant?" if near else ""
        return f"no check that is installed states {path}{meant} (if one of others does, name it: check = …)"

    def _problem_with_check(self, rest: str) -> str:
        check, *part = rest.split(".")
        if check not in self._checks:
            return f"no check is called {check}; there are: {', '.join(self._checks)}"
        if part and (len(part) > 1 or part[0] not in _PARTS):
            return f"of a check there are: {', '.join(_PARTS)}; not {'.'.join(part)}"
        return ""


def is_evaluated(path: str) -> bool:
    """Say whether a fact is one that evaluations come to, and no check that anyone can repeat."""
    return path.partition(".")[0] in _tables()["evaluations"]


@cache
def _tables() -> Mapping[str, Mapping[str, list[str]]]:
    return tomllib.loads((files("hallmarked.policy") / "known.toml").read_text())


def _problem_with_rule(rule: str, check: str) -> str:
    if not _RULE.fullmatch(rule):
        return f"{rule!r} is no rule: three letters and three digits"
    if not check:
        return ""
    try:
        rules = {each.id for each in registry.load(check)[0].rules}
    except InputError as error:
        return str(error)
    return "" if rule in rules else f"the check {check} has no rule {rule}"
