"""The vetted set and the list of known gadgets, read from the data files in ``allow``.

``allow/<library>.toml`` holds groups of names that share a reason. A name is vetted exactly as written. A group says
what may be done with its names; what it does not mention is not vetted:

* ``call``: how REDUCE (and OBJ or INST with arguments) may call it, the name of a rule in ``pickle_arguments``;
* ``new``: how NEWOBJ (and OBJ or INST without arguments) may create it, likewise;
* ``state``: what BUILD may give an instance, the name of a rule in ``pickle_states``;
* ``fill``: ``append``, ``set`` or ``add``, when APPEND(S), SETITEM(S) or ADDITEMS may put values into an instance;
* ``role``: other uses that rules ask for: ``factory``, ``enum``, ``ndarray``, ``tensor``, ``rebuild``, ``distance``, …

Every name of a group may be mentioned as a value. ``allow/gadgets.toml`` never makes anything proven: it only raises
the level of what is unproven anyway. ``allow/explained.toml`` says why some common names are not vetted.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

Name = tuple[str, str]
"""Module and name."""

NOT_LIBRARIES = frozenset({"gadgets", "explained"})


@dataclass(frozen=True, slots=True)
class Entry:
    """What may be done with a vetted name."""

    reason: str
    call: str | None = None
    new: str | None = None
    state: str | None = None
    fill: frozenset[str] = frozenset()
    role: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Gadget:
    """A callable, or all of a module, that hostile pickles use."""

    what: str
    """What it can do, to end the sentence "it can …"."""
    strong: bool
    """Whether calling it is hostile whatever the arguments."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Everything the data files say."""

    vetted: dict[Name, Entry]
    modules: dict[str, Gadget]
    """Modules whose every callable is a gadget, submodules included."""
    callables: dict[Name, Gadget]
    names: dict[str, Gadget]
    """Notorious names, whatever module re-exports them."""
    explained: dict[Name, str]

    def entry(self, name: Name | None) -> Entry | None:
        """Return what is vetted about a name, or None."""
        return self.vetted.get(name) if name is not None else None

    def has_role(self, name: Name | None, role: str) -> bool:
        """Say whether a name is vetted for a special use."""
        entry = self.entry(name)
        return entry is not None and role in entry.role

    def gadget(self, module: str, name: str) -> Gadget | None:
        """Return what a name is known for, or None.

        A dotted name is an attribute walk: each part may be a module or a callable of its own.
        """
        parts = name.split(".")
        found = [self._module(module)]
        found += [self.callables.get((module, ".".join(parts[:end]))) for end in range(len(parts), 0, -1)]
        found += [self._walk(parts) if len(parts) > 1 else None, self.names.get(parts[-1])]
        known = [gadget for gadget in found if gadget is not None]
        return next((gadget for gadget in known if gadget.strong), known[0] if known else None)

    def _module(self, module: str) -> Gadget | None:
        """Return what is known about the longest listed prefix of a module's path."""
        path = module.split(".")
        prefixes = (".".join(path[:end]) for end in range(len(path), 0, -1))
        return next((self.modules[prefix] for prefix in prefixes if prefix in self.modules), None)

    def _walk(self, parts: list[str]) -> Gadget | None:
        for part, following in zip(parts, [*parts[1:], ""], strict=True):
            found = self.modules.get(part) or self.callables.get((part, following)) or self.names.get(part)
            if found is not None:
                return found
        return None


@cache
def load_policy() -> Policy:
    """Read the data files."""
    vetted: dict[Name, Entry] = {}
    folder = files("hallmarked.checks.serialization.allow")
    for source in sorted(folder.iterdir(), key=lambda item: item.name):
        stem, _, suffix = source.name.partition(".")
        if suffix == "toml" and stem not in NOT_LIBRARIES:
            for group in tomllib.loads(source.read_text("utf-8"))["group"]:
                _add_group(vetted, group, source.name)
    gadgets = tomllib.loads((folder / "gadgets.toml").read_text("utf-8"))
    explained = tomllib.loads((folder / "explained.toml").read_text("utf-8"))
    return Policy(
        vetted,
        {name: _gadget(row) for row in gadgets["module"] for name in row["names"]},
        {_split(name): _gadget(row) for row in gadgets["callable"] for name in row["names"]},
        {name: _gadget(row) for row in gadgets["name"] for name in row["names"]},
        {_split(name): group["reason"] for group in explained["group"] for name in group["names"]},
    )


def _add_group(vetted: dict[Name, Entry], group: dict[str, Any], source: str) -> None:
    entry = Entry(
        group["reason"],
        group.get("call"),
        group.get("new"),
        group.get("state"),
        frozenset(group.get("fill", ())),
        frozenset(group.get("role", ())),
    )
    for name in group["names"]:
        if _split(name) in vetted:
            raise ValueError(f"{name} is listed twice; the second time in {source}")
        vetted[_split(name)] = entry


def _gadget(row: dict[str, Any]) -> Gadget:
    return Gadget(row["what"], row.get("strong", True))


def _split(name: str) -> Name:
    """Split a listed name: the attribute is what follows the last dot, or the colon where attributes are dotted."""
    if ":" in name:
        module, _, attribute = name.partition(":")
    else:
        module, _, attribute = name.rpartition(".")
    return module, attribute
