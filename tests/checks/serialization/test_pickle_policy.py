"""The data files: consistent, reasoned, and free of contradictions."""

from __future__ import annotations

import tomllib
from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING
from importlib.resources import files

import pytest

from hallmarked.checks.serialization import pickle_torch
from hallmarked.checks.serialization.pickle_arguments import RULES
from hallmarked.checks.serialization.pickle_policy import load_policy
from hallmarked.checks.serialization.pickle_states import STATES

POLICY = load_policy()
ROLES = {
    "base", "bitgen", "enum", "factory", "index", "masked", "ndarray", "only_called", "pyx_type", "rebuild", "tensor"
}  # fmt: skip


def test_every_rule_exists() -> None:
    """Entries name argument rules, state rules, fills and roles that exist."""
    assert pickle_torch
    for name, entry in POLICY.vetted.items():
        assert entry.call is None or entry.call in RULES, name
        assert entry.new is None or entry.new in RULES, name
        assert entry.state is None or entry.state in STATES, name
        assert entry.fill <= {"append", "set", "add"}, name
        assert entry.role <= ROLES, name


def test_every_rule_is_used() -> None:
    """No rule is left over."""
    used = {rule for entry in POLICY.vetted.values() for rule in (entry.call, entry.new)}
    assert set(RULES) <= used
    assert set(STATES) <= {entry.state for entry in POLICY.vetted.values()}


def test_every_entry_has_a_reason() -> None:
    """Each group explains itself in a sentence."""
    for source in files("hallmarked.checks.serialization.allow").iterdir():
        if source.name.endswith(".toml") and source.name != "gadgets.toml":
            for group in tomllib.loads(source.read_text("utf-8"))["group"]:
                assert len(group["reason"]) > 10
                assert group["names"]


def test_names_are_plain() -> None:
    """Vetted names have a module and one attribute without dots."""
    for module, name in POLICY.vetted:
        assert module
        assert name.isidentifier()


def test_no_vetted_name_is_mapped_to_another() -> None:
    """A vetted name means the same in every protocol: Python 2's renaming does not apply to it."""
    for module, name in POLICY.vetted:
        assert (module, name) not in NAME_MAPPING
        assert module not in IMPORT_MAPPING


def test_nothing_is_vetted_and_a_strong_gadget() -> None:
    """A name whose every call is hostile is not in the vetted set."""
    for (module, name), entry in POLICY.vetted.items():
        gadget = POLICY.gadget(module, name)
        assert gadget is None or not gadget.strong or (entry.call, entry.new) == (None, None), (module, name)


@pytest.mark.parametrize(
    ("module", "name", "strong"),
    [
        ("os.path", "join", True),
        ("ossaudiodev", "open", None),
        ("urllib.parse", "ParseResult", False),
        ("urllib.request", "urlopen", True),
        ("functools", "partial", False),
        ("anything", "system", True),
        ("anything", "os.environ", True),
        ("collections", "OrderedDict", None),
    ],
)
def test_gadgets_are_found_by_module_name_and_walk(module: str, name: str, strong: bool | None) -> None:
    """Modules count with their submodules but not with longer names; dotted names are looked at part by part."""
    gadget = POLICY.gadget(module, name)
    assert (None if gadget is None else gadget.strong) is strong
