"""Find frameworks. Those of ours and of other packages register alike: entry-point group ``hallmarked.profiles``.

An entry is a ``Family``: its editions, and a function that reads one. Nothing is read until it is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from importlib.resources import files
from pathlib import Path
from typing import cast

from hallmarked.core.errors import InputError
from hallmarked.profiles.framework import Framework, Reference, parse_reference
from hallmarked.profiles.language import Text
from hallmarked.profiles.mapping import EditionMap, Namesake, namesakes
from hallmarked.profiles.read import MOST_BYTES, read_framework

GROUP = "hallmarked.profiles"


@dataclass(frozen=True, slots=True)
class Family:
    """A framework and its editions."""

    id: str
    title: Text
    editions: Mapping[str, Text]
    """What each edition is, by its id, the current one first."""
    load: Callable[[str], Framework]
    """Reads an edition."""
    maps: Callable[[], Sequence[EditionMap]] = tuple
    """Reads the maps between editions; by default there are none."""


@cache
def families() -> Mapping[str, Family]:
    """Return every framework that is installed, by id, sorted."""
    return {name: _family(name) for name in sorted(entry_points(group=GROUP).names)}


def editions() -> Mapping[str, Sequence[str]]:
    """Return the editions of every framework."""
    return {name: tuple(family.editions) for name, family in families().items()}


def load(name: str) -> Framework:
    """Read an edition by its name, ``FRAMEWORK/EDITION``.

    Raises:
        InputError: When there is none of that name, or the edition is left out.
    """
    known = families()
    framework, _, edition = name.partition("/")
    family = known.get(framework)
    if family is None and not edition:
        example = next((f"{each}/{edition}" for each, one in known.items() for edition in one.editions), "")
        raise InputError(
            f"“{framework[:120]}” names no framework with its edition; write one such as {example}, and #ID behind"
            " it for one control (hallmarked profile list has all of them)"
        )
    if family is None:
        raise InputError(f"no framework is called {framework[:120]}; there are: {', '.join(known)}")
    choices = [f"{framework}/{each}" for each in family.editions]
    if edition not in family.editions:
        what = f"{framework} has no edition {edition[:120]}" if edition else f"{framework} is named without its edition"
        raise InputError(f"{what}; write {' or '.join(choices)}")
    return _load(framework, edition)


def maps_of(framework: Framework) -> Sequence[EditionMap]:
    """Return the maps between an edition and others; nothing for one that is not installed."""
    family = families().get(framework.id)
    if family is None or framework.edition not in family.editions:
        return ()
    return [each for each in family.maps() if framework.edition in {each.source, each.target}]


def namesakes_of(framework: Framework) -> Mapping[str, Namesake]:
    """Return the ids of an edition that mean something else in another one."""
    found: dict[str, Namesake] = {}
    for between in maps_of(framework):
        other = between.target if framework.edition == between.source else between.source
        found |= namesakes(framework, load(f"{framework.id}/{other}"), between)
    return found


def read_file(path: Path) -> Framework:
    """Read an edition that an organisation keeps in a file of its own.

    Raises:
        InputError: When it cannot be read, or is no edition of a framework.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(MOST_BYTES + 1)
    except OSError as error:
        raise InputError(f"{path}: {(error.strerror or 'cannot be read').lower()}") from error
    return read_framework({path.name: data})


def read_package(package: str, *names: str) -> Framework:
    """Read an edition from files of a package.

    Args:
        package: Which package.
        names: Its files.
    """
    return read_framework({name: (files(package) / name).read_bytes() for name in names})


def resolve(text: str) -> Reference:
    """Read the name of a control and make sure that the edition has it.

    Raises:
        InputError: When it is no reference, or names no edition.
        NotFound: When the edition has no such control.
    """
    reference = parse_reference(text, editions())
    load(f"{reference.framework}/{reference.edition}").control(reference.control)
    return reference


@cache
def _family(name: str) -> Family:
    found = list(entry_points(group=GROUP, name=name))
    if len(found) > 1:
        raise InputError(f"several packages provide a framework called {name}")
    return cast("Family", found[0].load())


@cache
def _load(framework: str, edition: str) -> Framework:
    return families()[framework].load(edition)
